"""Ship what the embedded databases write, as they write it: after a loss at most a minute or so is missing.

PostgreSQL's own pg_receivewal writes each database's WAL into a spool in the home; what is whole there is encrypted and
shipped. A segment ends after 16 MB, or after SWITCH_S when anything was written. Of the keys database always more is
shipped than of the main one: an item's secret is made before its events, and must not be the one that is missing.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import psycopg

from parcelward.base import config, lifeline
from parcelward.base.backups import programs, sets
from parcelward.base.backups.errors import BadPlace
from parcelward.base.backups.sets import Kind
from parcelward.base.postgres import SUPERUSER, Cluster
from parcelward.base.postgres_programs import ClusterFailed, environment
from parcelward.custody import backing_up
from parcelward.doors.backups import making, trusted, wal

log = logging.getLogger("parcelward.backup")

SLOT: Final = "parcelward_backup"
SPOOL: Final = "backup-wal"
SWITCH_S: Final = 30.0
SEGMENT_HEAD_BYTES: Final = 40  # SizeOfXLogLongPHD: what a segment holds that nothing was written to
LOOK_S: Final = 1.0
POLL_S: Final = 0.05
ARRIVES_S: Final = 20.0
AGAIN_S: Final = 5.0
HOUSE_S: Final = 3_600.0


class Stream:
    """One database's WAL on its way into the spool."""

    def __init__(self, settings: config.Config, kind: Kind) -> None:
        self.kind = kind
        self._cluster = Cluster(settings.home / "postgres" / kind)
        self.spool = settings.home / SPOOL / kind
        self.spool.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Make the slot, which keeps WAL until it was received, and begin to receive."""
        with self._server() as server:
            server.execute(
                "SELECT pg_create_physical_replication_slot(%s, true) WHERE NOT EXISTS "
                "(SELECT FROM pg_replication_slots WHERE slot_name = %s)",
                (SLOT, SLOT),
            )
            lost = server.execute(
                "SELECT wal_status = 'lost' FROM pg_replication_slots WHERE slot_name = %s", (SLOT,)
            ).fetchone()
            if lost == (True,):  # it was away for more than max_slot_wal_keep_size
                server.execute("SELECT pg_drop_replication_slot(%s)", (SLOT,))
                server.execute("SELECT pg_create_physical_replication_slot(%s, true)", (SLOT,))
                log.error(
                    "the WAL of %s has a gap: make a full backup now, what follows continues only that", self.kind
                )
        program = programs.program(self._cluster.folder, "pg_receivewal")
        address = self._cluster.url("postgres", role=SUPERUSER)
        self._child = subprocess.Popen(  # noqa: S603 -- our own argument list, no shell
            lifeline.argv(
                [program, "-D", str(self.spool), "-S", SLOT, "-n", "-s", "1", "-w", "-d", address],
                signal_number=signal.SIGINT,
            ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            cwd="/",
            env=environment(),
        )

    def alive(self) -> bool:
        """Tell whether it still receives."""
        return self._child is not None and self._child.poll() is None

    def stop(self) -> None:
        """Receive no more; the slot stays, so that nothing is missing afterwards."""
        if self._child is not None:
            self._child.send_signal(signal.SIGINT)
            try:
                self._child.wait(10)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()

    def switch(self) -> bool:
        """End the segment that is being written, if anything is in it; return whether the spool has it."""
        with self._server() as server:
            row = server.execute(
                "SELECT pg_walfile_name(at), (at - '0/0'::pg_lsn) %% %s <= %s FROM pg_current_wal_insert_lsn() AS at",
                (wal.SEGMENT_BYTES, SEGMENT_HEAD_BYTES),
            ).fetchone()
            if row is None or row[1]:
                return True
            server.execute("SELECT pg_switch_wal()")
        deadline = time.monotonic() + ARRIVES_S
        while not (self.spool / str(row[0])).exists():
            if not self.alive() or time.monotonic() > deadline:
                return False
            time.sleep(POLL_S)
        return True

    def whole(self) -> list[Path]:
        """Return what is received and whole, oldest first."""
        return sorted(path for path in self.spool.iterdir() if wal.NAME.fullmatch(path.name))

    def _server(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self._cluster.url("postgres", role=SUPERUSER), autocommit=True)


def follow(
    settings: config.Config,
    places: Mapping[Kind, Path],
    *,
    clock: Callable[[], dt.datetime],
    stop: threading.Event,
    say: Callable[[str], object],
) -> None:
    """Ship WAL of both databases until `stop`; go on by itself when a database was away for a while."""
    if set(places) != {"main", "keys"}:
        raise BadPlace("WAL is shipped of both databases: give FOLDER and --keys FOLDER, and no --secrets")
    if settings.database_url or settings.keys_url:
        raise BadPlace("A server of your own ships its WAL with its own tools; docs/operating/backups.md names some")
    folders: dict[Kind, Path] = {kind: sets.claim(place, kind, home=settings.home) for kind, place in places.items()}
    if not _ready(settings, folders, stop=stop, say=say):
        return
    streams = {kind: Stream(settings, kind) for kind in folders}
    shipping = {
        kind: wal.Shipping(
            *(folder, kind, settings.origin, making.recipients(settings, kind)),
            lambda text: backing_up.sign(settings, text),
        )
        for kind, folder in folders.items()
    }
    try:
        with sets.alone(folders["main"], "wal-lock"), sets.alone(folders["keys"], "wal-lock"):
            _follow(streams, shipping, clock=clock, stop=stop, say=say)
    finally:
        for stream in streams.values():
            stream.stop()


def _ready(
    settings: config.Config, folders: Mapping[Kind, Path], *, stop: threading.Event, say: Callable[[str], object]
) -> bool:
    """Return once there is a full backup to continue; False when asked to stop before."""
    said = False
    while not (all(sets.complete(folder, kind) for kind, folder in folders.items()) and trusted.listed(settings)):
        if not said:
            say("WAL waits for the first full backup, which it continues: `parcelward backup FOLDER --keys FOLDER`")
            said = True
        if stop.wait(LOOK_S):
            return False
    return True


def _follow(
    streams: Mapping[Kind, Stream],
    shipping: Mapping[Kind, wal.Shipping],
    *,
    clock: Callable[[], dt.datetime],
    stop: threading.Event,
    say: Callable[[str], object],
) -> None:
    switched = kept_house = float("-inf")
    trouble = ""
    while not stop.wait(LOOK_S):
        try:
            for stream in streams.values():
                if not stream.alive():
                    stream.start()
            due = time.monotonic() - switched >= SWITCH_S
            _round(streams, shipping, due=due, clock=clock)
            if due:
                switched = time.monotonic()
            if time.monotonic() - kept_house > HOUSE_S:
                kept_house = time.monotonic()
                for kind, to in shipping.items():
                    older = clock() - making.KEYS_KEPT if kind == "keys" else None
                    wal.forget(to.folder, kind, older_than=older)
            if trouble:
                say("WAL is shipped again")
                trouble = ""
        except (psycopg.Error, OSError, ClusterFailed) as err:
            if trouble != type(err).__name__:
                trouble = type(err).__name__
                say(f"WAL waits to be shipped, and nothing is lost meanwhile: {trouble}; trying again")
            stop.wait(AGAIN_S)
    with contextlib.suppress(psycopg.Error, OSError, ClusterFailed):  # the slot keeps what is not shipped any more
        _round(streams, shipping, due=True, clock=clock)


def _round(
    streams: Mapping[Kind, Stream],
    shipping: Mapping[Kind, wal.Shipping],
    *,
    due: bool,
    clock: Callable[[], dt.datetime],
) -> None:
    """Ship what is whole, the keys database's further than the main one's."""
    main, keys = streams["main"], streams["keys"]
    if due:
        main.switch()
    ready = main.whole()
    if (ready or due) and not keys.switch():
        return
    for path in keys.whole():
        wal.ship(shipping["keys"], path, now=clock())
        path.unlink()
    for path in ready:
        wal.ship(shipping["main"], path, now=clock())
        path.unlink()
