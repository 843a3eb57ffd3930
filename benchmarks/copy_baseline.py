"""The yardstick: a binary COPY of the run's own rows into the same table and indexes, 500 a commit, nothing else.

It is taken while the load goes on: what a row costs in CPU depends on what else the cores and their caches have to do,
so both must have the same neighbours. Alone on the machine the same COPY takes a third less.
"""

from __future__ import annotations

import os
import time
from contextlib import AbstractContextManager
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


def measure(installation: Installation, meanwhile: AbstractContextManager[None]) -> Cost:
    """Return what COPY costs on both ends, its server process and the client, with `meanwhile` going on beside it."""
    url = Cluster(installation.home / "postgres" / "main").url("parcelward")
    with psycopg.connect(url) as conn:
        found = conn.execute(_NEWEST, ((COMMITS + 1) * ROWS,), binary=True).fetchall()[::-1]
        copied = [_again(row) for row in found]
        conn.commit()
        server: Any = psutil.Process(conn.info.backend_pid)
        with meanwhile:
            _copy(conn, _BATCH, copied[:ROWS])
            before, client_before = sum(server.cpu_times()[:2]), time.process_time()
            for nth, at in enumerate(range(ROWS, len(copied), ROWS), 1):
                _copy(conn, _BATCH + nth, copied[at : at + ROWS])
            client = time.process_time() - client_before
            taken, count = sum(server.cpu_times()[:2]) - before, len(copied) - ROWS
        conn.execute("DELETE FROM parcels_scan_event WHERE batch >= %s", (_BATCH,))
        conn.commit()
    return Cost(taken / count * 1e6, client / count * 1e6)
