"""Starts a program that ends when its starter ends, also when the starter is killed with SIGKILL.

Linux tells a process of its parent's death when it asked for it (prctl(2), PR_SET_PDEATHSIG). The asking is done by
this file, run as a small program that then becomes the real one, and not by a function between fork and exec: that
would run Python in a copy of a process with threads, which may hang. A pipe that every child watches was the other
way, but PostgreSQL and granian cannot be taught to watch it, and a watching process in between would double them.

Two things to know. The signal is bound to the starting *thread*: start programs from a thread that lives as long as
the process. And the kernel forgets the wish when the user changes, so the user is changed here, first.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

PR_SET_PDEATHSIG = 1  # linux/prctl.h
SAME_USER = "-"


def argv(program: Sequence[str], *, signal_number: signal.Signals, user: tuple[int, int] | None = None) -> list[str]:
    """Return the command that runs `program` as `user` (uid, gid) and sends it `signal_number` when we are gone."""
    who = SAME_USER if user is None else f"{user[0]}:{user[1]}"
    return [
        sys.executable, "-I", "-S", __file__, str(os.getpid()), str(int(signal_number)), who, *program,
    ]  # fmt: skip


def become(starter_pid: int, signal_number: int, who: str, program: list[str]) -> None:
    """Replace this process by `program`; never returns."""
    libc = ctypes.CDLL(None, use_errno=True)  # loaded before the user changes: it may lie where only root can read
    if who != SAME_USER:
        uid, gid = (int(part) for part in who.split(":"))
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
        os.umask(0o077)
    if libc.prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != starter_pid:  # the starter died before we could ask
        sys.exit(1)
    os.execvp(program[0], program)  # noqa: S606 - no shell is the point; the caller chose the program


if __name__ == "__main__":
    become(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:])
