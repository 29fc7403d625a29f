# SPDX-License-Identifier: MIT
"""Stands between a guest and libvirt_ha: hears every heartbeat, knows whose it is, and passes it on."""

import http.client
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Heartbeats:
    """On a port of its own, which stays the same while controllers come and go."""

    def __init__(self):
        self.heard = []  # (time, boot id, process id of the service)
        self.changed = threading.Condition()
        self.to = None
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):  # noqa: N802, the base class wants this name
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status = outer.take(body)
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def pass_on(self, port):
        """From now on to that port; None: nobody is there."""
        self.to = port

    def take(self, body):
        form = dict(urllib.parse.parse_qsl(body.decode()))
        place = "MetricData.member.1.Dimensions.member.%d.Value"
        with self.changed:
            self.heard.append((time.monotonic(), form.get(place % 2), form.get(place % 3)))
            self.changed.notify_all()
        to = self.to
        if to is None:
            return 503
        connection = http.client.HTTPConnection("127.0.0.1", to, timeout=10)
        try:
            connection.request("POST", "/v1/", body, {"Content-Type": "application/x-www-form-urlencoded"})
            return connection.getresponse().status
        except OSError:
            return 502
        finally:
            connection.close()

    def last(self):
        with self.changed:
            return self.heard[-1] if self.heard else None

    def first_since(self, when, *but):
        """The time of the first one after that which is not of that boot, or that boot and process; None if there is none."""
        with self.changed:
            return next((at for at, *who in self.heard if at > when and (not but or who[:len(but)] != list(but))), None)

    def end(self):
        self.server.shutdown()
        self.server.server_close()
