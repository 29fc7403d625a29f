# SPDX-License-Identifier: MIT
"""A small machine of a libvirtd: its description, its faults, and what can be seen of it from outside and inside."""

import base64
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import time
import uuid

from private_libvirtd import Trouble

LIMIT = 60  # seconds for a boot
DESCRIPTION = """\
<domain type='qemu'>
  <name>{name}</name>
  <uuid>{uuid}</uuid>
  <memory unit='MiB'>96</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    <kernel>{images}/vmlinuz</kernel>
    <initrd>{images}/initrd</initrd>
    <cmdline>console=ttyS0 quiet loglevel=3 tsc=reliable no_timer_check mitigations=off random.trust_cpu=on {words}</cmdline>
  </os>
  <features><acpi/><tcg><tb-cache unit='MiB'>32</tb-cache></tcg></features>
  <cpu mode='custom' match='exact'><model>qemu64</model></cpu>
  <on_poweroff>destroy</on_poweroff>
  <on_reboot>restart</on_reboot>
  <on_crash>destroy</on_crash>
  <devices>
    <emulator>{emulator}</emulator>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/>
      <source file='{disk}'/>
      <target dev='vda' bus='virtio'/>
    </disk>
    <interface type='user'><mac address='{mac}'/><model type='virtio'/></interface>
    <serial type='file'><source path='{console}'/><target port='0'/></serial>
    <channel type='unix'><source mode='bind'/><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
    <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>
    <panic model='isa'/>
    <memballoon model='none'/>{more}
  </devices>
</domain>
"""


def until(what, limit=LIMIT, pause=0.1):
    """Asks again and again until the answer is true; the answer. The caller says what is wrong if it never is."""
    end = time.monotonic() + limit
    while not (answer := what()) and time.monotonic() < end:
        time.sleep(pause)
    return answer


def missing(program):
    """What is not there to make machines for that program; empty if all is."""
    if platform.machine() != "x86_64":
        return "the machines are made for x86_64"
    return "" if program.is_file() else f"there is no {program}"


class Machine:
    """One domain with a disk of its own, and a service `app` in it that beats every second."""

    def __init__(self, libvirtd, images, number, name, port):
        self.libvirtd, self.name = libvirtd, name
        self.mac = f"52:54:00:12:34:{number:02x}"
        self.uuid = str(uuid.uuid4())
        self.disk = libvirtd.folder / f"{name}.raw"
        shutil.copy(images / "disk.raw", self.disk)
        self.console = libvirtd.folder / f"{name}.console"
        self.description = DESCRIPTION.format(
            name=name, uuid=self.uuid, images=images, words=f"rh.name={name} rh.port={port} rh.every=1", mac=self.mac, disk=self.disk,
            console=self.console, more="", emulator=shutil.which("qemu-system-x86_64"))

    def define(self):
        file = self.libvirtd.folder / f"{self.name}.xml"
        file.write_text(self.description, encoding="utf-8")
        self.virsh("define", file)

    def create(self):
        self.define()
        self.virsh("start", self.name)

    # From outside

    def virsh(self, *words, check=True):
        return self.libvirtd.virsh(*words, check=check)

    def pids(self):
        return [pid for name, pid in self.libvirtd.machines() if name == self.name]

    def state(self):
        done = self.virsh("domstate", self.name, "--reason", check=False)
        return done.stdout.strip() if done.returncode == 0 else "undefined"

    def defined_mac(self):
        return re.findall(r"<mac address='([^']+)'", self.virsh("dumpxml", self.name).stdout)

    def disk_is_locked(self):
        """A second machine is refused the disk while one runs on it."""
        done = subprocess.run(["qemu-system-x86_64", "-machine", "q35", "-accel", "tcg", "-m", "16", "-nodefaults", "-display", "none", "-S",
                               "-device", "virtio-blk-pci,drive=d", "-drive", f"if=none,id=d,file={self.disk},format=raw"],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=LIMIT, check=False)
        return done.returncode != 0 and "lock" in done.stdout

    # From inside, by the guest agent

    def agent(self, command, **arguments):
        """The agent's answer; None if it gives none."""
        text = json.dumps({"execute": command, **({"arguments": arguments} if arguments else {})})
        done = self.virsh("qemu-agent-command", self.name, text, "--timeout", "5", check=False)
        return json.loads(done.stdout)["return"] if done.returncode == 0 else None

    def inside(self, program, *words):
        """What a program in the guest says; None if it can not be asked."""
        begun = self.agent("guest-exec", path=program, arg=list(words), **{"capture-output": True})
        if not begun:
            return None

        def ended():
            status = self.agent("guest-exec-status", pid=begun["pid"])
            return status if status and status["exited"] else None

        status = until(ended, limit=15)
        return base64.b64decode(status.get("out-data", "")).decode() if status and status.get("exitcode") == 0 else None

    def facts(self):
        """What the guest knows of itself: boots, boot_id, mac; waits until it can be asked."""
        said = until(lambda: self.inside("/bin/cat", "/run/facts"), pause=0.5)
        if not said:
            raise Trouble(f"{self.name} can not be asked: {self.state()}\n{self.tail()}")
        return dict(line.split("=", 1) for line in said.splitlines())

    def service_pid(self):
        return (self.inside("/bin/cat", "/run/svc.app.pid") or "").strip()

    def tail(self):
        return self.console.read_text(encoding="utf-8", errors="replace")[-1500:] if self.console.exists() else ""

    # Faults

    def inflict(self, *words):
        """Whether it is over can not be asked: it may have struck before the answer."""
        if not until(lambda: self.agent("guest-exec", path="/bin/fault", arg=list(words))):
            raise Trouble(f"{self.name}: the fault {words} could not be inflicted: {self.state()}")

    def kill(self):
        for pid in self.pids():
            os.kill(pid, signal.SIGKILL)

    def cut(self, link):
        self.virsh("domif-setlink", self.name, self.mac, link)

    def undefine(self):
        """Its description goes while it runs, and the domain with its process."""
        self.virsh("undefine", self.name)
        self.virsh("destroy", self.name)
