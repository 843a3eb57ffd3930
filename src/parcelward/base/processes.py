"""What Linux tells about other processes (proc(5)); every answer may be out of date a moment later."""

from __future__ import annotations

import os
from pathlib import Path

_STATE, _START_TIME = 0, 19  # fields 3 and 22 of /proc/PID/stat, counted after the closing bracket of the name


def listed(pid: int) -> bool:
    """Tell whether `pid` has an entry, be it only that of a dead process that its parent has not collected."""
    return Path(f"/proc/{pid}").exists()


def born(pid: int) -> str:
    """Return when `pid` started, in clock ticks since boot; empty when it does not live. With `pid` it names one."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[_STATE] in "ZX" else fields[_START_TIME]


def working_in(folder: Path, *, name: str) -> set[int]:
    """Return the living processes called `name...` whose working directory is `folder`, as far as we may look."""
    try:
        here = folder.stat()
    except FileNotFoundError:
        return set()
    found = set()
    for pid in (int(entry.name) for entry in os.scandir("/proc") if entry.name.isdigit()):
        try:
            there = Path(f"/proc/{pid}/cwd").stat()
            called = Path(f"/proc/{pid}/comm").read_text()
        except OSError:
            continue  # gone, a zombie, or another user's: none of ours
        if (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino) and called.startswith(name) and born(pid):
            found.add(pid)
    return found
