# SPDX-License-Identifier: MIT
"""What the tests of the tutorial share: its cloud as a process of its own, and the programs that are built."""
import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
LIMIT = 240  # s, for whatever is waited for: machines are slow


def program(name):
    """A program of the build; without it the test is skipped."""
    path = Path(os.environ.get("REHEAT_BIN", "build/bin")) / name
    if not path.exists():
        print(f"skipped: {name} is not built (it needs Boost and nlohmann-json)")
        sys.exit(77)
    return str(path.resolve())


@contextlib.contextmanager
def running(command, **how):
    process = subprocess.Popen(command, **how)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def cloud():
    """The cloud on a free port."""
    with running([sys.executable, ROOT / "examples/tutorial/cloud.py"], stdout=subprocess.PIPE, text=True) as process:
        yield int(process.stdout.readline().split()[-1])


class Lab:
    """The other side of the cloud."""

    def __init__(self, port):
        self.base = f"http://127.0.0.1:{port}/lab"

    def ask(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(self.base + path, data, method=method), timeout=30) as answer:
            return json.loads(answer.read())

    def make(self, name):
        return self.ask("POST", "/instances", {"name": name, "services": ["db"], "marker": f"data of {name}"})

    def harm(self, name, what, **how):
        self.ask("POST", f"/instances/{name}/{what}", how)

    def look(self, name):
        return self.ask("GET", f"/instances/{name}")


def wait_until(what, holds, look):
    """Looks until it holds, and returns what was seen then."""
    end, seen = time.monotonic() + LIMIT, None
    while time.monotonic() < end:
        seen = look()
        if holds(seen):
            return seen
        time.sleep(0.1)
    sys.exit(f"{seen}\nit never came about: {what}")


def expect(holds, what):
    print("ok  " if holds else "FAILED", what)
    if not holds:
        sys.exit(1)
