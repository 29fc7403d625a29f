# SPDX-License-Identifier: MIT
"""Reads docs/tutorial/write-a-driver.md: its blocks in order, and what a reader does with each."""
import re

from tutorial import ROOT

PAGE = ROOT / "docs/tutorial/write-a-driver.md"
SOURCES = ROOT / "examples/tutorial"


def blocks():
    """(what to do, language, text). `<!-- … -->` before a block says what to do with it; a C++ block without one is only shown."""
    found = re.finditer(r"(?:^<!-- (.*?) -->\n)?^```(\w+)\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    return [(b[1] or "", b[2], b[3]) for b in found]


def put(driver, where, text):
    """The driver with a block put where the page says."""
    mark = "private:\n"
    before, after = driver.split(mark)
    if where == "add below private:":
        return before + mark + text + "\n" + after
    if where == "add above private:":
        return before + text + "\n" + mark + after
    raise ValueError(where)


def without_head(text):
    """A source without the comment lines at its top."""
    return re.sub(r"\A(//.*\n)*", "", text)
