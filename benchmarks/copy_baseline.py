"""The yardstick: a binary COPY of the run's own rows into the same table and indexes, 500 a commit, nothing else.

It is taken while the load goes on, its commits spread over the whole of it. What a row costs in CPU depends on what
else the cores and their caches have to do, and a virtual machine's speed changes within seconds: so both must have the
same neighbours and the same seconds.
"""

from __future__ import annotations

import os
import threading
import time
from typing import Any, NamedTuple

import psutil
import psycopg
from benchmarks.installation import Installation

from parcelward.base.postgres import Cluster
from parcelward.parcels import rows
from parcelward.parcels.rules import Observed, PackedSeen

COMMITS = 200
ROWS = 500
_BATCH = 2**40  # far above the numbers of real batches, so that the copies can be removed

# Whole rows as the run left them, in the order in which they were recorded.
_NEWEST = (
    "SELECT uuid_send(item), (extract(epoch FROM event_time) * 1000000)::bigint - 946684800000000, source, sequence, "
    "position, step, facility, flags, uuid_send(receptacle), item_seq, body FROM parcels_scan_event "
    "ORDER BY batch DESC, leaf DESC LIMIT %s"
)


class Cost(NamedTuple):
    """CPU microseconds per row."""

    database: float
    client: float  # packing the rows as COPY takes them, and sending them


class _Row(NamedTuple):
    """One event to copy."""

    item: bytes
    seen: PackedSeen
    item_seq: int
    body: bytes


def _again(row: tuple[Any, ...]) -> _Row:
    """Return a row of _NEWEST under a new event id."""
    item, when, source, sequence, position, step, facility, flags, receptacle, item_seq, body = row
    inside = None if receptacle is None else bytes(receptacle)
    seen = Observed(when, source, sequence, position, os.urandom(16), step, facility, flags, inside, None, None)
    return _Row(bytes(item), seen, item_seq, bytes(body))


def _copy(conn: psycopg.Connection[Any], batch: int, some: list[_Row]) -> None:
    packed = [
        rows.event_row(row.item, row.seen, batch=batch, leaf=leaf, item_seq=row.item_seq, body=row.body)
        for leaf, row in enumerate(some)
    ]
    rows.copy_events(conn, packed)
    conn.commit()


class Yardstick(threading.Thread):
    """Copies beside a load until it is stopped, a commit every `every_s`; `every_s=0`: one after the other, alone."""

    def __init__(self, installation: Installation, *, every_s: float) -> None:
        super().__init__(daemon=True)
        self._conn = psycopg.connect(Cluster(installation.home / "postgres" / "main").url("parcelward"))
        found = self._conn.execute(_NEWEST, ((COMMITS + 1) * ROWS,), binary=True).fetchall()[::-1]
        self._rows = [_again(row) for row in found]
        self._conn.commit()
        self._server: Any = psutil.Process(self._conn.info.backend_pid)
        self._every_s = every_s
        self._client_s, self._copied = 0.0, 0
        self._stopped = threading.Event()
        _copy(self._conn, _BATCH, self._rows[:ROWS])  # prepares the statement, learns the table
        self._before_s = self._server_s()

    def _server_s(self) -> float:
        return float(sum(self._server.cpu_times()[:2]))

    def run(self) -> None:
        """Copy."""
        began = time.monotonic()
        for nth, at in enumerate(range(ROWS, len(self._rows), ROWS), 1):
            if self._stopped.wait(max(0.0, began + nth * self._every_s - time.monotonic())):
                return
            before = time.thread_time()
            _copy(self._conn, _BATCH + nth, self._rows[at : at + ROWS])
            self._client_s += time.thread_time() - before
            self._copied += ROWS

    def stop(self, *, at_once: bool) -> tuple[Cost, float]:
        """Return what a row cost, and the CPU seconds of the server process in all; `remove` comes after."""
        if at_once:
            self._stopped.set()
        self.join()
        if not self._copied:
            raise SystemExit("the load was over before anything was copied beside it: let it run longer")
        server_s = self._server_s() - self._before_s
        return Cost(server_s / self._copied * 1e6, self._client_s / self._copied * 1e6), server_s

    def remove(self) -> None:
        """Remove the copies."""
        with self._conn:
            self._conn.execute("DELETE FROM parcels_scan_event WHERE batch >= %s", (_BATCH,))
