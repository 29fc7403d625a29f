# SPDX-License-Identifier: MIT
"""Runs tools/mock_cloud and speaks to it."""

import json
import os
import socket
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
LIMIT = 60  # seconds; a bound for what takes well under one


def program():
    return Path(os.environ.get("REHEAT_BIN", ROOT / "build/bin")) / "mock_cloud"


class MockCloud:
    """A running cloud, and one session with it."""

    def __init__(self, folder, *arguments):
        self.path, self.log = Path(folder) / "cloud", Path(folder) / "cloud.log"
        command = [program(), "--socket", self.path, "--log", self.log, *arguments]
        self.process = subprocess.Popen([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if not self.process.stdout.readline().startswith("listening"):
            raise OSError(f"mock_cloud: {self.process.stderr.read()}")
        self.socket = self.session()
        self.lines = self.socket.makefile("r", encoding="utf-8")

    def session(self):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(LIMIT)
        s.connect(str(self.path))
        return s

    def send(self, what):
        self.socket.sendall(((what if isinstance(what, str) else json.dumps(what)) + "\n").encode())

    def read(self):
        return json.loads(self.lines.readline())

    def ask(self, what):
        self.send(what)
        return self.read()

    def entries(self):
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]

    def end(self):
        self.ask({"do": "quit"})
        return self.process.wait(timeout=LIMIT)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.socket.close()
