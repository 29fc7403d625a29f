# SPDX-License-Identifier: MIT
"""Builds the tests' guest: a distribution's kernel, and a file system of busybox, the guest agent and a service."""

import gzip
import lzma
import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

GUEST = Path(__file__).resolve().parent / "guest"
MODULES = ["virtio_pci", "virtio_net", "virtio_blk", "virtio_console", "virtio_rng", "pvpanic_mmio", "pvpanic_pci", "ext4"]
PLACES = {"init": "init", "svc": "bin/svc", "fault": "bin/fault", "systemctl": "usr/bin/systemctl", "shutdown": "sbin/shutdown"}
FOLDERS = ["bin", "sbin", "usr/bin", "usr/sbin", "dev", "proc", "sys", "data", "run", "tmp", "etc", "lib/modules", "lib64"]


class Missing(Exception):
    """What the guest is made of is not there."""


def _module_file(tree, name):
    pattern = re.compile(re.sub("[-_]", "[-_]", name) + r"\.ko(\.xz|\.zst|\.gz)?")
    return next((p for p in sorted(tree.rglob("*.ko*")) if pattern.fullmatch(p.name)), None)


def _module_bytes(path):
    data = path.read_bytes()
    if path.suffix == ".xz":
        return lzma.decompress(data)
    if path.suffix == ".gz":
        return gzip.decompress(data)
    if path.suffix == ".zst":
        return subprocess.run(["zstd", "-dcq", str(path)], stdout=subprocess.PIPE, check=True).stdout
    return data


def _add_modules(tree, root):
    """What is not a module is in the kernel. Dependencies come first."""
    order = []

    def add(name):
        path = _module_file(tree, name)
        target = name.replace("-", "_") + ".ko"
        if path is None or target in order:
            return
        data = _module_bytes(path)
        for needed in re.findall(rb"\0depends=([^\0]*)\0", data):
            for other in filter(None, needed.decode().split(",")):
                add(other)
        (root / "lib/modules" / target).write_bytes(data)
        order.append(target)

    for name in MODULES:
        add(name)
    (root / "lib/modules/order").write_text("".join(m + "\n" for m in order), encoding="ascii")


def _add_program(program, root, place):
    """A program of this system, with its libraries."""
    shutil.copy(program, root / place)
    said = subprocess.run(["ldd", str(program)], stdout=subprocess.PIPE, text=True, check=True).stdout
    if "not found" in said:
        raise Missing(f"libraries of {program}: {said}")
    for library in re.findall(r"(?:=> |^\t)(/\S+)", said, re.M):
        shutil.copy(library, root / "lib64" / Path(library).name)


def _archive(root):
    """The folder as an archive that the kernel unpacks (the format `newc` of cpio)."""
    out = bytearray()

    def entry(name, mode, data, number):
        fields = [number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0]
        out.extend(b"070701" + b"".join(b"%08x" % f for f in fields) + name.encode() + b"\0")
        out.extend(bytes(-len(out) % 4) + data)
        out.extend(bytes(-len(out) % 4))

    for number, path in enumerate(sorted(root.rglob("*")), 1):
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            data = os.readlink(path).encode()
        else:
            data = path.read_bytes() if stat.S_ISREG(mode) else b""
        entry(str(path.relative_to(root)), mode, data, number)
    entry("TRAILER!!!", 0, b"", 0)
    return bytes(out)


def build(packages, folder):
    """Makes `vmlinuz`, `initrd` and the empty disk `disk.raw` in a folder. `packages` is where the packages of the kernel and of the
    guest agent are."""
    unpacked, root = folder / "unpacked", folder / "root"
    found = sorted(packages.glob("*.deb"))
    if not found:
        raise Missing(f"no packages of a kernel and the guest agent in {packages}: tools/setup real")
    for package in found:
        subprocess.run(["dpkg-deb", "-x", str(package), str(unpacked)], check=True)
    kernel = next(unpacked.glob("boot/vmlinuz-*"), None)
    agent = next((p for p in (unpacked / "usr/sbin/qemu-ga", unpacked / "usr/bin/qemu-ga") if p.is_file()), None)
    busybox = shutil.which("busybox")
    chrt = shutil.which("chrt")
    if not (kernel and agent and busybox and chrt):
        raise Missing("a kernel, qemu-ga, busybox or chrt: tools/setup real")
    for name in FOLDERS:
        (root / name).mkdir(parents=True)
    for name, place in PLACES.items():
        shutil.copy(GUEST / name, root / place)
        (root / place).chmod(0o755)
    shutil.copy(busybox, root / "bin/busybox")
    _add_program(agent, root, "usr/sbin/qemu-ga")
    _add_program(chrt, root, "usr/bin/chrt")
    for place in ("lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu"):  # where the loader looks
        (root / place).parent.mkdir(exist_ok=True)
        (root / place).symlink_to("/lib64")
    modules = next(p for p in (unpacked / "lib/modules", unpacked / "usr/lib/modules") if p.is_dir())
    _add_modules(modules, root)
    shutil.copy(kernel, folder / "vmlinuz")
    (folder / "initrd").write_bytes(gzip.compress(_archive(root), 6))
    disk = folder / "disk.raw"
    with open(disk, "wb") as f:
        f.truncate(16 << 20)
    mkfs = shutil.which("mkfs.ext4", path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    subprocess.run([mkfs, "-q", "-F", "-L", "data", str(disk)], check=True)
    shutil.rmtree(unpacked)
    shutil.rmtree(root)
