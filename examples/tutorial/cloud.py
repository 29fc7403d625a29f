#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A small private cloud for docs/tutorial/write-a-driver.md: machines, hosts, volumes, addresses and services, behind an
HTTP API on loopback. It runs no machines; it keeps book of them, and it takes its time.

  cloud.py [--port N] [--with NAME]...     prints its address and listens until it is ended

/v1/...   the cloud's API. Every call needs `Authorization: Bearer TOKEN`.
  GET  /v1/instances                        every machine of the project
  GET  /v1/instances/NAME                   one machine, with every copy of it that any host has
  POST /v1/instances/NAME/reboot            {"hard": bool}
  POST /v1/instances/NAME/power_off         {"by": "hypervisor" | "pdu", "id": only that copy}
  POST /v1/instances/NAME/replace           a new copy, with the volumes and the address of the old one
  POST /v1/instances/NAME/services/S/restart
  GET  /v1/jobs/ID                          {"state": "running" | "done" | "failed", "error": text}
  GET  /v1/hosts                            [{"name", "power": "on" | "off"}]
  A POST answers 202 and a job. With `Idempotency-Key` a repeat answers the same job. With `Controller-Epoch` a call that is older
  than one seen before is refused. Refused, and certainly nothing done: 400, 403, 404, 409, 412, 429 (with Retry-After).
  503 is the proxy in front of the cloud: nobody knows.

/lab/...  the other side, for tests: makes machines, breaks things, and tells what is really so.
"""
import argparse
import heapq
import itertools
import json
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

TOKENS = {"tutorial-token": "ours"}  # whose machines a token may touch
WORK = 0.05  # s that a job takes
BOOT = 0.05  # s until a guest is up


class Refused(Exception):
    def __init__(self, status, text, retry_after=0):
        super().__init__(text)
        self.status, self.retry_after = status, retry_after


class Clock(threading.Thread):
    """Does things later, one at a time, holding the cloud's lock."""

    def __init__(self, lock):
        super().__init__(daemon=True)
        self.changed, self.due, self.order = threading.Condition(lock), [], itertools.count()

    def later(self, delay, do):
        heapq.heappush(self.due, (time.monotonic() + delay, next(self.order), do))
        self.changed.notify()

    def run(self):
        with self.changed:
            while True:
                wait = self.due[0][0] - time.monotonic() if self.due else None
                if wait is None or wait > 0:
                    self.changed.wait(wait)
                else:
                    heapq.heappop(self.due)[2]()


class Copy:
    """One machine on one host."""

    def __init__(self, number, host):
        self.id, self.host = f"vm-{number}", host
        self.power, self.hung, self.up_at = False, False, 0.0


class Instance:
    def __init__(self, name, number, owner, services, marker):
        self.name, self.owner = name, owner
        self.address = f"10.0.{number >> 8}.{number & 255}"
        self.volumes = [{"id": f"volume-{number}", "content": marker}] if marker else []
        self.services = dict.fromkeys(services, True)  # name: whether it runs
        self.copies, self.past = [], set()  # the newest last; ids of those that were replaced
        self.boot, self.root, self.peak = 0, 0, 0
        self.job = None  # what is under way
        self.stuck = False  # no power-off works
        self.ruined = False  # its root disk is broken

    @property
    def now(self):
        return self.copies[-1]

    def running(self):
        return sum(c.power for c in self.copies)

    def up(self):
        return self.now.power and not self.now.hung and time.monotonic() >= self.now.up_at

    def start(self, copy):
        self.boot += 1
        copy.power, copy.hung, copy.up_at = True, False, time.monotonic() + BOOT
        self.services = dict.fromkeys(self.services, True)
        self.peak = max(self.peak, self.running())

    def public(self):
        on = {True: "on", False: "off"}
        return {
            "name": self.name, "id": self.now.id, "owner": self.owner, "power": on[self.now.power],
            "boot": f"boot-{self.boot}", "host": self.now.host, "address": self.address,
            "services": list(self.services), "volumes": [v["id"] for v in self.volumes],
            "copies": [{"id": c.id, "host": c.host, "power": on[c.power]} for c in self.copies],
        }

    def truth(self):
        return self.public() | {
            "running": self.running(), "peak": self.peak, "up": self.up(), "root": f"root-{self.root}",
            "runs": {s: bool(up and self.now.power) for s, up in self.services.items()}, "disks": self.volumes,
        }


class Cloud:
    def __init__(self):
        self.lock = threading.RLock()
        self.clock = Clock(self.lock)
        self.hosts = {"host-1": True, "host-2": True}  # name: whether it has power
        self.instances, self.jobs, self.keys = {}, {}, {}
        self.numbers, self.epoch = itertools.count(1), 0
        self.api = {"down": False, "lose": False, "slow": 0.0, "throttle": 0, "busy": False}
        self.heartbeats = {"url": "", "every": 0.2}
        self.clock.start()
        threading.Thread(target=self.beat, daemon=True).start()

    # The cloud's API

    def serve(self, method, path, headers, body):
        project = TOKENS.get(headers.get("Authorization", "").removeprefix("Bearer "))
        if project is None:
            raise Refused(401, "who are you?")
        if self.api["busy"]:
            raise Refused(503, "try later")
        if self.api["throttle"]:
            raise Refused(429, "too many requests", self.api["throttle"])
        epoch = int(headers.get("Controller-Epoch", 0))
        if 0 < epoch < self.epoch:
            raise Refused(412, "another controller leads")
        self.epoch = max(self.epoch, epoch)
        match [method, *path]:
            case ["GET", "hosts"]:
                return 200, [{"name": h, "power": "on" if p else "off"} for h, p in self.hosts.items()]
            case ["GET", "jobs", job] if job in self.jobs:
                return 200, self.jobs[job]
            case ["GET", "instances"]:
                return 200, [i.public() for i in self.instances.values() if i.owner == project]
            case ["GET", "instances", name] if name in self.instances:
                return 200, self.instances[name].public()
            case ["POST", "instances", name, *action] if name in self.instances:
                instance, key = self.instances[name], headers.get("Idempotency-Key")
                if instance.owner != project:
                    raise Refused(403, "not yours")
                if key not in self.keys:
                    job = self.act(instance, action, body)
                    if key is None:
                        return 202, {"job": job}
                    self.keys[key] = ((name, action), job)
                what, job = self.keys[key]
                if what != (name, action):
                    raise Refused(409, "that key was for something else")
                return 202, {"job": job}
        raise Refused(404, "no such thing")

    def act(self, i, action, body):
        match action:
            case ["power_off"]:
                by, only = body.get("by", "hypervisor"), body.get("id")
                if by not in ("hypervisor", "pdu"):
                    raise Refused(400, "no such way to switch off")
                if only is not None and only not in i.past | {c.id for c in i.copies}:
                    raise Refused(404, "no such copy")
                if i.job:
                    i.job |= {"state": "failed", "error": "it was switched off meanwhile"}
                return self.begin(i, lambda: self.power_off(i, only))
            case _ if i.job:
                raise Refused(409, "something else is under way")
            case ["reboot"]:
                return self.begin(i, lambda: self.reboot(i, body.get("hard", False)))
            case ["replace"]:
                if i.running():
                    raise Refused(409, "a copy of it has power")
                return self.begin(i, lambda: self.replace(i))
            case ["services", service, "restart"] if service in i.services:
                return self.begin(i, lambda: self.restart(i, service))
        raise Refused(404, "no such thing")

    def begin(self, i, do):
        number = f"job-{next(self.numbers)}"
        job = i.job = self.jobs[number] = {"state": "running", "error": ""}

        def end():
            if job["state"] == "running":
                error = do()
                job.update(state="failed" if error else "done", error=error or "")
            if i.job is job:
                i.job = None

        self.clock.later(WORK, end)
        return number

    def power_off(self, i, only):
        for c in i.copies:
            if only in (None, c.id) and not i.stuck:
                c.power = False
        return None  # like many a command for power, it says yes, whatever came of it

    def reboot(self, i, hard):
        if not hard and not i.up():
            return "the guest does not answer"
        if not self.hosts[i.now.host]:
            return "its host has no power"
        if i.ruined:
            return "there is nothing to boot from"
        i.start(i.now)
        return None

    def replace(self, i):
        others = [h for h, power in self.hosts.items() if power and h != i.now.host]
        if not others and not self.hosts[i.now.host]:
            return "no room"
        new = Copy(next(self.numbers), (others or [i.now.host])[0])
        i.past |= {c.id for c in i.copies}
        i.copies, i.root, i.ruined = [new], next(self.numbers), False
        i.start(new)
        return None

    def restart(self, i, service):
        if not i.up():
            return "the guest does not answer"
        i.services[service] = True
        return None

    # The other side

    def lab(self, method, path, body):
        match [method, *path]:
            case ["POST", "instances"]:
                name, number = body["name"], next(self.numbers)
                if name in self.instances:
                    raise Refused(409, "it is there")
                i = Instance(name, number, body.get("owner", "ours"), body.get("services", []), body.get("marker"))
                i.copies, i.root = [Copy(number, "host-1")], number
                i.start(i.now)
                i.now.up_at = 0
                self.instances[name] = i
                return 201, i.truth()
            case ["POST", "api"]:
                self.api |= body
                return 200, self.api
            case ["POST", "heartbeats"]:
                self.heartbeats |= body
                return 200, self.heartbeats
            case ["POST", "hosts", host] if host in self.hosts:
                self.hosts[host] = body["power"]
                for i in self.instances.values():
                    for c in i.copies:
                        c.power = c.power and (c.host != host or body["power"])
                return 200, {}
            case ["GET", "instances", name] if name in self.instances:
                return 200, self.instances[name].truth()
            case ["DELETE", "instances", name] if name in self.instances:
                del self.instances[name]
                return 200, {}
            case ["POST", "instances", name, what] if name in self.instances:
                i = self.instances[name]
                match what:
                    case "power_off" | "crash":
                        i.now.power = False
                    case "ruin":
                        i.now.power, i.ruined = False, True
                    case "hang":
                        i.now.hung = True
                    case "kill_service":
                        i.services[body["service"]] = False
                    case "block_power_off":
                        i.stuck = body["on"]
                return 200, i.truth()
        raise Refused(404, "no such thing")

    def beat(self):
        """What the guests do: each service that runs tells so."""
        while True:
            with self.lock:
                url, every = self.heartbeats["url"], self.heartbeats["every"]
                alive = [f"{url}/{i.name}/{s}" for i in self.instances.values() if url and i.up()
                         for s, runs in i.services.items() if runs]
            for to in alive:
                try:
                    urllib.request.urlopen(urllib.request.Request(to, data=b"", method="POST"), timeout=1).close()
                except OSError:
                    pass
            time.sleep(every)


class Handler(BaseHTTPRequestHandler):
    protocol_version, cloud = "HTTP/1.1", None

    def answer(self):
        cloud = self.cloud
        path = [unquote(p) for p in self.path.strip("/").split("/")]
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        public, api = path[0] == "v1", dict(cloud.api)
        if public and api["down"]:
            self.close_connection = True
            return
        headers = {}
        try:
            with cloud.lock:
                if public:
                    status, told = cloud.serve(self.command, path[1:], self.headers, body)
                else:
                    status, told = cloud.lab(self.command, path[1:], body)
        except Refused as no:
            status, told = no.status, {"error": str(no)}
            if no.retry_after:
                headers["Retry-After"] = str(no.retry_after)
        if public and api["slow"]:
            time.sleep(api["slow"])
        if public and api["lose"]:
            self.close_connection = True
            return
        text = json.dumps(told).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": len(text), **headers}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_DELETE = answer

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads, request_queue_size = True, 128

    def handle_error(self, *_):
        pass  # somebody went away


def main():
    arguments = argparse.ArgumentParser(description="a small private cloud, on loopback")
    arguments.add_argument("--port", type=int, default=0, help="0 takes a free one")
    arguments.add_argument("--with", dest="machines", action="append", default=[], metavar="NAME",
                           help="begins with a machine of that name, which has a service `db` and a volume")
    chosen = arguments.parse_args()
    Handler.cloud = cloud = Cloud()
    with cloud.lock:
        for name in chosen.machines:
            cloud.lab("POST", ["instances"], {"name": name, "services": ["db"], "marker": f"data of {name}"})
    server = Server(("127.0.0.1", chosen.port), Handler)
    print(f"the cloud listens on 127.0.0.1 {server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
