# SPDX-License-Identifier: MIT
"""A running libvirt_ha: what it says, and when it was heard."""

import json
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
LIMIT = 60  # seconds


def program():
    return Path(os.environ.get("REHEAT_BIN", ROOT / "build/real/bin")) / "libvirt_ha"


class Failure(Exception):
    """What was expected did not happen."""


class Controller:
    """Looks after one machine. Its events, each with the `heard` time of this process's clock."""

    def __init__(self, libvirtd, machine, beats, policy, journal):
        self.machine, self.beats = machine, beats
        self.command = [program(), "--connect", libvirtd.uri, "--owner", machine.name, "--domain", machine.name,
                        "--service", f"{machine.name}/app", "--port", "0", "--period", "5s", "--look", "1s", "--grace", "1m", "--agent-answers", "5s", "--guest-obeys", "5s",
                        "--policy", policy, "--journal", journal, "--descriptions", f"{journal}.domains", "--events", "json"]
        self.log = Path(f"{journal}.events")
        self.events = []
        self.changed = threading.Condition()
        self.trouble = Path(f"{journal}.stderr")
        self.process = None

    def start(self):
        with open(self.trouble, "ab") as trouble:
            self.process = subprocess.Popen([str(c) for c in self.command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=trouble,
                                            text=True, cwd=self.trouble.parent)
        threading.Thread(target=self._read, args=(self.process,), daemon=True).start()

    def end(self, by=signal.SIGTERM):
        """Ends it and gives its exit code."""
        if self.process is None:
            return 0
        self.beats.pass_on(None)
        self.process.send_signal(by)
        try:
            return self.process.wait(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return "it had to be killed"
        finally:
            self.process = None

    def kill(self):
        """Whatever it does, and whoever waits for it."""
        if process := self.process:
            process.kill()
            process.wait()

    def _read(self, process):
        for text in process.stdout:
            event = json.loads(text)
            event["heard"] = time.monotonic()
            if event["kind"] == "listening":
                self.beats.pass_on(int(event["port"]))
            with open(self.log, "a", encoding="utf-8") as log:
                log.write(text)
            with self.changed:
                self.events.append(event)
                self.changed.notify_all()
        with self.changed:
            self.changed.notify_all()

    def mark(self):
        """Where the events that are still to come begin."""
        with self.changed:
            return len(self.events)

    def since(self, mark, **wanted):
        """The events from there on that have all these members."""
        with self.changed:
            return [e for e in self.events[mark:] if all(e.get(name) == value for name, value in wanted.items())]

    def until(self, what, condition, limit=LIMIT):
        """Waits until the condition gives something true, and gives that; it is asked again after each event."""
        end = time.monotonic() + limit
        with self.changed:
            while not (answer := condition()):
                left = end - time.monotonic()
                if left <= 0 or self.process is None or self.process.poll() is not None:
                    said = self.trouble.read_text(encoding="utf-8")[-2000:]
                    raise Failure(f"{self.machine.name}: not {what}; {self.machine.state()}; the last events:\n{self.story()}\n{said}")
                self.changed.wait(timeout=min(left, 1))
        return answer

    def until_event(self, mark, limit=LIMIT, **wanted):
        return self.until(f"heard: {wanted}", lambda: next(iter(self.since(mark, **wanted)), None), limit)

    def open_incidents(self, mark):
        """Those that were opened after the mark and have not recovered."""
        out = set()
        for e in self.since(mark, kind="incident"):
            if e["decision"] == "open":
                out.add((e["incident"], e["target"]))
            elif e["decision"] == "recover":
                out.discard((e["incident"], e["target"]))
        return out

    def story(self, most=30):
        return "\n".join(line(e) for e in self.since(0)[-most:])


def line(event):
    """An event in a few words."""
    words = [event["time"][11:23], event["kind"], event["target"], event["rung"], event["decision"], event["reason"]]
    words += [f"{name}={event[name]}" for name in ("event", "seen", "to", "incident", "attempt", "denied_by", "message") if name in event]
    return " ".join(str(w) for w in words)
