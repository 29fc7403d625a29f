# SPDX-License-Identifier: MIT
"""What the script checks share: the compilers, the headers, counting and the last line."""

import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
INCLUDE = Path(os.environ.get("REHEAT_INCLUDE", ROOT / "include"))
STRICT = ("-std=c++20 -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wold-style-cast -Werror").split()
FOLDERS = ("core metric alarm evidence action driver recovery stack engine runner guest sim testing adapters").split()
OWN_INCLUDE = re.compile(r"^\s*#\s*include\s*[<\"](reheat/[^>\"]+)[>\"]", re.M)
STANDARD_INCLUDE = re.compile(r"^\s*#\s*include\s*<([a-z0-9_]+)>", re.M)


def compilers():
    """g++ and one clang: the names in REHEAT_COMPILERS, else what tools/test uses on this system."""
    named = os.environ.get("REHEAT_COMPILERS", "").split()
    if named:
        return named
    clang = next((c for c in ("clang++-19", "clang++") if shutil.which(c)), None)
    return ["g++"] + ([clang] if clang else [])


def is_gcc(compiler):
    return "clang" not in compiler


def run(command, **kwargs):
    """Runs a command; both of its outputs come back as one text, with the exit code."""
    environment = dict(os.environ, LC_ALL="C")
    done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", env=environment, check=False, **kwargs)
    return done.returncode, done.stdout


def on_debian_12_with_gcc_12():
    """Where counts that depend on the compiler and its library are gated."""
    file = Path("/etc/os-release")
    release = file.read_text(encoding="utf-8") if file.exists() else ""
    debian = re.search(r"^ID=debian$", release, re.M) and re.search(r'^VERSION_ID="12"$', release, re.M)
    return bool(debian) and run(["g++", "-dumpversion"])[1].strip() == "12"


def headers():
    """Every header as the name that one includes."""
    return sorted(str(p.relative_to(INCLUDE)) for p in (INCLUDE / "reheat").rglob("*.hpp"))


def read(header):
    return (INCLUDE / header).read_text(encoding="utf-8")


def reachable(header):
    """The header and all of ours that it includes, directly or not."""
    found, todo = set(), [header]
    while todo:
        name = todo.pop()
        if name in found or not (INCLUDE / name).is_file():
            continue
        found.add(name)
        todo += OWN_INCLUDE.findall(read(name))
    return sorted(found)


class Report:
    """Counts checks, prints what failed, and ends with the line that tools/test adds up."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def check(self, name, problem=""):
        """`problem` is empty where the check passed."""
        if problem:
            self.failed += 1
            print(f"FAILED {name}\n" + "\n".join("    " + line for line in problem.splitlines()[:25]))
        else:
            self.passed += 1
            print(f"ok {name}")

    def skip(self, name, why):
        self.skipped += 1
        print(f"SKIPPED {name}: {why}")

    def each(self, jobs):
        """Jobs are (name, function that gives the problem); two run at a time."""
        jobs = list(jobs)
        with ThreadPoolExecutor(max_workers=2) as pool:
            for (name, _), problem in zip(jobs, pool.map(lambda job: job[1](), jobs)):
                self.check(name, problem)

    def end(self):
        print(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped")
        sys.exit(1 if self.failed else 0)
