# SPDX-License-Identifier: MIT
"""A libvirtd of the tests' own: started by hand, with private folders in place of /etc, /run and /var, heard on a socket of its own.

It sees a mount namespace in which these three folders are others, so that nothing of the system's libvirt is touched and nothing is
left behind. That needs root."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

LIMIT = 60  # seconds
QEMU_CONF = """\
user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
security_driver = "none"
stdio_handler = "file"
cgroup_controllers = []
namespaces = []
"""
LIBVIRTD_CONF = """\
auth_unix_rw = "none"
unix_sock_dir = "/run/libvirt"
log_outputs = "2:stderr"
"""
COPIED = ["passwd", "group", "nsswitch.conf", "ld.so.cache", "localtime", "hosts", "machine-id"]


class Trouble(Exception):
    """libvirtd does not do what it should."""


def missing():
    """What is not there to start one; empty if all is."""
    path = os.environ["PATH"] + ":/usr/sbin:/sbin"
    for program in ("libvirtd", "virsh", "qemu-system-x86_64", "unshare"):
        if not shutil.which(program, path=path):
            return f"there is no {program}"
    if subprocess.run(["unshare", "--mount", "true"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode != 0:
        return "no mount namespace can be made here; that needs root, and more than most containers allow"
    return ""


class PrivateLibvirtd:
    """One libvirtd at a time, and what it keeps in its folders."""

    def __init__(self, folder):
        self.folder = Path(folder)
        etc = self.folder / "etc"
        for name in ("etc/libvirt", "run/libvirt", "var/lib/libvirt", "var/cache/libvirt", "var/log/libvirt/qemu", "var/tmp"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        for name in COPIED:
            if Path("/etc", name).is_file():
                shutil.copy(Path("/etc", name), etc / name)
        for name, line in (("passwd", "libvirt-qemu:x:64055:64055::/:/usr/sbin/nologin\n"), ("group", "libvirt-qemu:x:64055:\nkvm:x:64056:\n")):
            with open(etc / name, "a", encoding="utf-8") as f:
                f.write(line)
        (etc / "libvirt/qemu.conf").write_text(QEMU_CONF, encoding="ascii")
        (etc / "libvirt/libvirtd.conf").write_text(LIBVIRTD_CONF, encoding="ascii")
        self.uri = f"qemu+unix:///system?socket={self.folder}/run/libvirt/libvirt-sock"
        self.process = None

    def start(self):
        """Starts it and waits until it answers."""
        script = 'for d in etc run var; do mount --bind "$0/$d" "/$d" || exit 1; done; exec libvirtd'
        with open(self.folder / "libvirtd.log", "ab") as log:
            self.process = subprocess.Popen(["unshare", "--mount", "sh", "-c", script, str(self.folder)], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"})
        end = time.monotonic() + LIMIT
        while self.virsh("version", check=False).returncode != 0:
            if self.process.poll() is not None or time.monotonic() > end:
                raise Trouble(f"libvirtd did not start:\n{self.log()}")
            time.sleep(0.1)

    def kill(self, by=signal.SIGKILL):
        """Ends it at once; the machines live on."""
        if self.process:
            self.process.send_signal(by)
            self.process.wait(timeout=LIMIT)
            self.process = None

    def log(self):
        file = self.folder / "libvirtd.log"
        return file.read_text(encoding="utf-8", errors="replace")[-4000:] if file.exists() else ""

    def virsh(self, *words, check=True):
        done = subprocess.run(["virsh", "--quiet", "--connect", self.uri, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, timeout=LIMIT, check=False, env={**os.environ, "LC_ALL": "C"})
        if check and done.returncode != 0:
            raise Trouble(f"virsh {' '.join(map(str, words))}: {done.stderr.strip()}")
        return done

    def machines(self):
        """The processes that are machines of this libvirtd, whatever it knows of them: pairs of a name and a process id."""
        out = []
        for process in Path("/proc").iterdir():
            if not process.name.isdigit():
                continue
            try:
                command = (process / "cmdline").read_bytes().split(b"\0")
                state = (process / "stat").read_text(encoding="ascii", errors="replace").rpartition(") ")[2][:1]
            except OSError:
                continue
            if b"qemu-system" not in command[0] or state in "ZX" or str(self.folder).encode() not in b" ".join(command):
                continue
            named = [w for w in command if w.startswith(b"guest=")]
            if named:
                out.append((named[0].decode().removeprefix("guest=").partition(",")[0], int(process.name)))
        return sorted(out)

    def end(self):
        """Ends libvirtd and every machine, whatever state they are in."""
        self.kill(signal.SIGTERM)
        for _, pid in self.machines():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
