# SPDX-License-Identifier: MIT
"""Runs the host program and reads its events; nothing here sleeps: every wait is for a line or an end."""

import json
import os
import queue
import signal
import socket
import subprocess
import tempfile
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
DATA = ROOT / "tests" / "data"
LIMIT = 60  # seconds; a bound for what takes well under one


def program():
    return Path(os.environ.get("REHEAT_BIN", ROOT / "build/bin")) / "heat_ha"


class Failure(Exception):
    """What was expected did not happen."""


class Host:
    """A running heat_ha: its events in the order of their lines, and its control socket."""

    def __init__(self, folder, *arguments, before=()):
        """`before` is a command that runs the program, as `sh -c …`."""
        self.control = Path(folder) / "control"
        clock = [] if "--clock" in arguments else ["--clock", "manual"]
        command = [*before, program(), *clock, "--events", "json", "--control", self.control, *arguments]
        state = tempfile.mkdtemp(prefix="state-", dir=folder)  # where its journal is, unless one says
        self.process = subprocess.Popen([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        env={**os.environ, "STATE_DIRECTORY": state})
        self.lines = queue.Queue()
        self.events = []
        threading.Thread(target=self._read, daemon=True).start()
        self.socket = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self.socket:
            self.socket.close()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def next_event(self):
        """The next event; None at the end."""
        try:
            line = self.lines.get(timeout=LIMIT)
        except queue.Empty:
            raise Failure("no further event") from None
        if line is None:
            self.lines.put(None)
            return None
        event = json.loads(line)
        missing = {"time", "kind", "target", "rung", "decision", "reason"} - set(event)
        if missing:
            raise Failure(f"an event without {missing}: {line}")
        self.events.append(event)
        return event

    def until(self, **wanted):
        """Reads on to the first event that has all these members."""
        while event := self.next_event():
            if all(event.get(name) == value for name, value in wanted.items()):
                return event
        raise Failure(f"ended before {wanted}: {self.process.stderr.read()}")

    def command(self, text):
        """Sends one command and returns the line that answers it, which must begin with ok."""
        answer = self.ask(text)
        if not answer.startswith("ok"):
            raise Failure(f"{text}: {answer}")
        return answer

    def ask(self, text):
        if self.socket is None:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(LIMIT)
            self.socket.connect(str(self.control))
            self.answers = self.socket.makefile("r", encoding="utf-8")
        self.socket.sendall((text + "\n").encode())
        return self.answers.readline().rstrip("\n")

    def status(self):
        """The words of `status` as a dictionary."""
        return dict(word.split("=", 1) for word in self.command("status").split(" ")[1:])

    def told(self, **wanted):
        """How many events up to now have all these members."""
        written = int(self.status()["events"])
        while len(self.events) < written and self.next_event():
            pass
        return sum(all(e.get(name) == value for name, value in wanted.items()) for e in self.events)

    def end(self, by=signal.SIGTERM):
        """Ends it by a signal and returns its exit code."""
        self.process.send_signal(by)
        return self.process.wait(timeout=LIMIT)


def signal_guest(host, url):
    """What cfn-signal does; gives the status of the answer."""
    port = host.events[0]["cfn_port"]
    body = json.dumps({"Status": "SUCCESS", "Reason": "up", "UniqueId": "u", "Data": ""})
    with socket.create_connection(("127.0.0.1", port), timeout=LIMIT) as s:
        path = url[url.index("/v1/"):]
        s.sendall(f"PUT {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
        return s.makefile().read().split(" ")[1]
