"""The yardstick: a binary COPY of the run's own rows into the same table and indexes, 500 a commit, nothing else."""

from __future__ import annotations

import os
import time
from typing import Any, NamedTuple

import psutil
import psycopg
from benchmarks.installation import Installation

from parcelward.base.postgres import Cluster
from parcelward.parcels import rows
from parcelward.parcels.rules import Observed

COMMITS = 400
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
    client: float  # sending rows that are packed already


def _packed(row: tuple[Any, ...], nth: int) -> bytes:
    """Return a row of _NEWEST as a COPY row under a new event id."""
    item, when, source, sequence, position, step, facility, flags, receptacle, item_seq, body = row
    inside = None if receptacle is None else bytes(receptacle)
    seen = Observed(when, source, sequence, position, os.urandom(16), step, facility, flags, inside, None, None)
    batch, leaf = divmod(nth, ROWS)
    return rows.event_row(bytes(item), seen, batch=_BATCH + batch, leaf=leaf, item_seq=item_seq, body=bytes(body))


def measure(installation: Installation) -> Cost:
    """Return what COPY costs on both ends: the database's processes, and the client that sends ready rows."""
    url = Cluster(installation.home / "postgres" / "main").url("parcelward")
    with psycopg.connect(url) as conn:
        found = conn.execute(_NEWEST, ((COMMITS + 1) * ROWS,), binary=True).fetchall()[::-1]
        packed = [_packed(row, nth) for nth, row in enumerate(found)]
        conn.commit()
        server: Any = psutil.Process(conn.info.backend_pid)
        others = installation.by_role()["database"]

        def used() -> float:
            total: float = sum(server.cpu_times()[:2])
            for process in others:
                if process.pid != server.pid:
                    try:
                        total += sum(process.cpu_times()[:2])
                    except psutil.Error:
                        continue
            return total

        rows.copy_events(conn, packed[:ROWS])
        conn.commit()
        before, client_before = used(), time.process_time()
        for at in range(ROWS, len(packed), ROWS):
            rows.copy_events(conn, packed[at : at + ROWS])
            conn.commit()
        client = time.process_time() - client_before
        taken, copied = used() - before, len(packed) - ROWS
        conn.execute("DELETE FROM parcels_scan_event WHERE batch >= %s", (_BATCH,))
        conn.commit()
    return Cost(taken / copied * 1e6, client / copied * 1e6)
