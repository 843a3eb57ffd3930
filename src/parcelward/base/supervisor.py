"""Keeps the parts of one installation running: started in order, restarted when they die, stopped in reverse.

One supervisor for one home, held by a file lock that the kernel drops with the process. Programs are started through
`lifeline`, so they end when the supervisor is killed; what still drains then is ended by the next supervisor, which
finds its predecessor's children in the lock file.

Everything but copying output happens in the main thread: a child's lifeline is bound to the thread that started it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from parcelward.base import lifeline, processes
from parcelward.base.postgres_programs import ClusterFailed

RESTART_AFTER_S = (0.1, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
"""Pauses before the first and the following restarts of a program that keeps ending; the last one repeats, and the part
is said to keep ending once, not at every turn: whatever it refuses to go on with needs a person."""
KILLED_RESTART_AFTER_S_MAX = 2.0
"""No longer than this for what was killed, and for a service: from outside, and over when it is over."""
STEADY_AFTER_S = 20.0
"""A part that lived this long is well: its next death counts as the first."""
READY_WAIT_S = 60.0
STOP_WAIT_S = 15.0
LOOK_EVERY_S = 0.25
NAME_WIDTH = 8
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class PartFailed(Exception):
    """A part did not come up; the sentence says which and how it ended."""


class _Asked(Exception):
    """Someone asked us to stop."""


@dataclass(frozen=True)
class Program:
    """A child process. With `once` it runs to its end before the next part starts, and must exit with 0."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] | None = None
    once: bool = False
    ready: Callable[[], bool] | None = None
    stop_wait_s: float = STOP_WAIT_S


@dataclass(frozen=True)
class Service:
    """Something that knows by itself how to start, stop and tell whether it lives, as a Cluster does."""

    name: str
    start: Callable[[], None]
    stop: Callable[[], None]
    alive: Callable[[], bool]


Part = Program | Service


@dataclass
class _Running:
    part: Part
    child: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    deaths: int = 0
    again_at: float | None = None
    last_line: str = ""
    given_up: bool = False  # it was said that it keeps ending; said again only when that changes
    pump: threading.Thread | None = field(default=None, repr=False)

    def alive(self) -> bool:
        if isinstance(self.part, Service):
            return self.part.alive()
        return self.child is not None and self.child.poll() is None


def say(line: str) -> None:
    """Write one line to standard output; a reader who has gone is no reason to stop."""
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


class Supervisor:
    """Runs `parts` until asked to stop. `lock` is a file inside the home that they all work on."""

    def __init__(self, parts: Sequence[Part], *, lock: Path, say: Callable[[str], None] = say) -> None:
        self._parts = parts
        self._lock_path = lock
        self._say_line = say
        self._running: list[_Running] = []
        self._wake_read, self._wake_write = -1, -1
        self._asked = 0
        self._ledger: IO[str] | None = None

    def run(self, *, on_ready: Callable[[], None] | None = None) -> int:
        """Start the parts, call `on_ready`, keep all alive until SIGINT, SIGTERM or SIGHUP; return the exit code."""
        with contextlib.ExitStack() as stack:
            if not stack.enter_context(self._only_one()):
                return 1
            stack.enter_context(self._signals())
            self._end_leftovers()
            try:
                for part in self._parts:
                    self._start_first(part)
                if on_ready is not None:
                    on_ready()
                while True:
                    self._pause(LOOK_EVERY_S)
                    self._look()
            except _Asked:
                self._say("parcelward", "stopping")
                return 0
            except PartFailed as failure:
                self._say("parcelward", f"{str(failure).rstrip('.')}; stopping")
                return 1
            finally:
                self._stop_all()

    # -- starting --------------------------------------------------------------------------------------------------

    def _start_first(self, part: Part) -> None:
        running = _Running(part)
        self._running.append(running)
        began = time.monotonic()
        try:
            self._start(running)
        except (ClusterFailed, OSError) as error:
            raise PartFailed(f"{part.name} does not start: {error}") from None
        if isinstance(part, Program):
            self._wait_until_ready(running, part, began)
        self._say(part.name, f"{'done' if _is_once(part) else 'ready'} in {time.monotonic() - began:.1f} s")
        if _is_once(part):
            self._running.remove(running)

    def _start(self, running: _Running) -> None:
        part = running.part
        running.started_at, running.again_at = time.monotonic(), None
        if isinstance(part, Service):
            part.start()
            return
        running.child = subprocess.Popen(  # noqa: S603 - our own argument list, no shell
            lifeline.argv(part.argv, signal_number=signal.SIGTERM),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=None if part.env is None else {**os.environ, **part.env},
            start_new_session=True,  # Ctrl-C reaches us alone, and its whole group can be ended
        )
        running.pump = threading.Thread(target=self._copy_output, args=(running, running.child), daemon=True)
        running.pump.start()
        self._write_ledger()

    def _wait_until_ready(self, running: _Running, part: Program, began: float) -> None:
        while True:
            alive = running.alive()
            if not alive:
                if running.pump is not None:
                    running.pump.join(timeout=1)  # its last words may still be on their way
                if part.once and running.child is not None and running.child.returncode == 0:
                    return
                raise PartFailed(f"{part.name} {self._how_it_ended(running)}: {running.last_line or 'it said nothing'}")
            if not part.once:
                if part.ready is None or part.ready():
                    return
                if time.monotonic() - began > READY_WAIT_S:
                    raise PartFailed(f"{part.name} was not ready after {READY_WAIT_S:.0f} s")
            self._pause(0.05)

    def _copy_output(self, running: _Running, child: subprocess.Popen[bytes]) -> None:
        assert child.stdout is not None  # noqa: S101 - it was started with a pipe
        with child.stdout as lines:
            for raw in lines:
                running.last_line = raw.decode(errors="replace").rstrip()
                self._say(running.part.name, running.last_line)

    # -- keeping alive ---------------------------------------------------------------------------------------------

    def _look(self) -> None:
        """Notice the dead and start again those whose pause is over."""
        for running in self._running:
            steady = running.again_at is None and time.monotonic() - running.started_at > STEADY_AFTER_S
            if running.given_up and steady and running.alive():
                running.given_up = False
                self._say(running.part.name, "stays up again")
            if running.again_at is None and not running.alive():
                running.deaths = 1 if steady else running.deaths + 1
                self._end_group(running)
                self._try_later(running, self._how_it_ended(running))
            if running.again_at is not None and time.monotonic() >= running.again_at:
                try:
                    self._start(running)
                except (ClusterFailed, OSError) as error:
                    running.deaths += 1
                    self._try_later(running, f"does not start: {error}")

    def _try_later(self, running: _Running, why: str) -> None:
        pause_s = RESTART_AFTER_S[min(running.deaths, len(RESTART_AFTER_S)) - 1]
        by_itself = running.child is not None and (running.child.returncode or 0) >= 0
        if not by_itself:
            pause_s = min(pause_s, KILLED_RESTART_AFTER_S_MAX)
        running.again_at = time.monotonic() + pause_s
        if not by_itself or running.deaths < len(RESTART_AFTER_S):
            running.given_up = False
            self._say(running.part.name, f"{why}; starting it again in {pause_s} s")
        elif not running.given_up:
            running.given_up = True
            if running.pump is not None:
                running.pump.join(timeout=1)  # its last words may still be on their way
            words = running.last_line or "it said nothing"
            self._say(
                running.part.name, f"keeps ending ({why}); tried once in {pause_s} s from now on. It said: {words}"
            )

    @staticmethod
    def _how_it_ended(running: _Running) -> str:
        code = running.child.returncode if running.child is not None else None
        if code is None:
            return "is gone"
        return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"

    # -- stopping --------------------------------------------------------------------------------------------------

    def _stop_all(self) -> None:
        for running in reversed(self._running):
            part = running.part
            began = time.monotonic()
            if isinstance(part, Service):
                part.stop()
            else:
                self._stop_program(running, part)
            self._say(part.name, f"stopped in {time.monotonic() - began:.1f} s")
        self._running.clear()
        self._write_ledger()

    def _stop_program(self, running: _Running, part: Program) -> None:
        if running.child is None:
            return
        if running.alive():
            running.child.terminate()
            deadline = time.monotonic() + part.stop_wait_s
            asked = self._asked
            while running.alive() and time.monotonic() < deadline:
                if self._asked > asked:  # a second Ctrl-C: now
                    break
                time.sleep(0.02)
        self._end_group(running)
        running.child.wait()
        if running.pump is not None:
            running.pump.join(timeout=1)

    @staticmethod
    def _end_group(running: _Running) -> None:
        """End what a dead program left behind, such as the workers of a killed web server that hold its port."""
        if running.child is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(running.child.pid, signal.SIGKILL)

    # -- one at a time ---------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _only_one(self) -> Iterator[bool]:
        """Hold the home's lock, or say who holds it."""
        self._lock_path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd = os.open(self._lock_path, os.O_RDWR | os.O_CREAT, 0o600)  # closed on exec: no child keeps the lock
        with os.fdopen(fd, "r+") as ledger:
            try:
                fcntl.flock(ledger, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pid, _ = _read_ledger(ledger)
                self._say(
                    "parcelward",
                    f"already running on {self._lock_path.parent} as process {pid or 'unknown'}: "
                    "stop that one first, or set PARCELWARD_HOME to another folder",
                )
                yield False
                return
            self._ledger = ledger
            yield True
            self._ledger = None

    def _write_ledger(self) -> None:
        if self._ledger is None:
            return
        children = [
            (running.child.pid, processes.born(running.child.pid))
            for running in self._running
            if running.child is not None
        ]
        self._ledger.seek(0)
        self._ledger.truncate()
        json.dump({"pid": os.getpid(), "children": children}, self._ledger)
        self._ledger.flush()

    def _end_leftovers(self) -> None:
        """End the children of a supervisor that was killed; each is known by its number and its time of birth."""
        assert self._ledger is not None  # noqa: S101 - called with the lock held
        _, left = _read_ledger(self._ledger)
        deadline = time.monotonic() + STOP_WAIT_S
        for number in (signal.SIGTERM, signal.SIGKILL):
            living = [pid for pid, born in left if processes.born(pid) == born]
            for pid in living:
                self._say("parcelward", f"ending process {pid}, left by a run that was killed ({number.name})")
                with contextlib.suppress(ProcessLookupError):
                    (os.kill if number == signal.SIGTERM else os.killpg)(pid, number)
            while any(processes.born(pid) == born for pid, born in left) and time.monotonic() < deadline:
                time.sleep(0.02)
        for pid, _ in left:
            # The leader is dead; its number cannot belong to a stranger while its group still has members.
            if not processes.listed(pid):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(pid, signal.SIGKILL)
        self._write_ledger()

    # -- signals and words -----------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """Turn signals into bytes in a pipe that `_pause` waits on; the handlers of before come back afterwards."""
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._asked = 0
        before = {number: signal.signal(number, self._heard) for number in (*STOP_SIGNALS, signal.SIGCHLD)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            os.close(self._wake_read)
            os.close(self._wake_write)

    def _heard(self, number: int, _frame: object) -> None:
        if number != signal.SIGCHLD:
            self._asked += 1
        with contextlib.suppress(BlockingIOError):
            os.write(self._wake_write, b".")

    def _pause(self, wait_s: float) -> None:
        """Wait, but no longer than until a signal comes; raise _Asked when it asks us to stop."""
        if not self._asked:
            select.select([self._wake_read], [], [], wait_s)
        with contextlib.suppress(BlockingIOError):
            os.read(self._wake_read, 4096)
        if self._asked:
            raise _Asked

    def _say(self, name: str, line: str) -> None:
        self._say_line(f"{name:<{NAME_WIDTH}} | {line}")


def _is_once(part: Part) -> bool:
    return isinstance(part, Program) and part.once


def _read_ledger(ledger: IO[str]) -> tuple[int | None, list[tuple[int, str]]]:
    """Return the supervisor that wrote the ledger and its children (pid, time of birth); nothing of a torn one."""
    ledger.seek(0)
    try:
        known = json.load(ledger)
        return int(known["pid"]), [(int(pid), str(born)) for pid, born in known["children"] if born]
    except (ValueError, KeyError, TypeError):
        return None, []
