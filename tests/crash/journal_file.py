# SPDX-License-Identifier: MIT
"""Reads a journal's file as docs/reference/journal.md describes it: a second reader beside the library's own."""

from dataclasses import dataclass

MAGIC = b"RHJRNL\r\n"
KINDS = ("target", "opened", "intent", "dropped", "outcome", "verdict", "closed", "parked")
OPERATIONS = ("none", "describe", "create_instance", "restart_service", "reboot_instance", "rebuild_instance", "fence_instance",
              "recreate_instance", "evacuate_instance", "converge_stack", "page", "guest_restarts", "collect_forensics")


@dataclass(frozen=True)
class Record:
    """The fields that a record begins with."""

    seq: int
    kind: str
    at: int  # nanoseconds
    target: int
    incident: int
    op: int
    key: str
    reign: int
    what: str


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def number(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return value, at


def record_of(content):
    fields, at = [], 0
    for _ in range(9):
        value, at = number(content, at)
        fields.append(value)
    kind = KINDS[fields[1]] if fields[1] < len(KINDS) else str(fields[1])
    return Record(fields[0], kind, *fields[2:6], f"{fields[6]:016x}", fields[7], OPERATIONS[fields[8]])


def read(path, after=0):
    """The records of a file up to its end, or up to the one that was being written; those after a number only."""
    data = path.read_bytes()
    if data[:8] != MAGIC:
        raise ValueError(f"{path}: no journal")
    at, out = 32, []
    while at + 12 <= len(data):
        size, checksum, head = (int.from_bytes(data[at + n:at + n + 4], "little") for n in (0, 4, 8))
        content = data[at + 12:at + 12 + size]
        if crc32c(data[at:at + 8]) != head or len(content) != size:
            break
        if number(content, 0)[0] > after:
            if crc32c(content) != checksum:
                break
            out.append(record_of(content))
        at += 12 + size
    return out
