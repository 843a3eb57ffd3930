"""The yardstick: a binary COPY of ready rows into the same table and index, 500 rows a commit, nothing else."""

from __future__ import annotations

import datetime as dt
import os
import uuid
from typing import Any

import psutil
import psycopg
from benchmarks.installation import Installation

from parcelward.base.postgres import Cluster
from parcelward.parcels import rows
from parcelward.parcels.rules import Seen

COMMITS = 200
ROWS = 500
ITEMS = 2_000
BODY_BYTES = 420  # a sealed body of the ingest run: 12 nonce + 8 lengths + about 380 + 16 tag


def _rows(now: dt.datetime, items: list[uuid.UUID], nth: int) -> list[bytes]:
    made = []
    for i in range(ROWS):
        seen = Seen(
            *(now + dt.timedelta(microseconds=nth * ROWS + i), 1, nth, i, uuid.uuid4(), 2, 3, 0, None, None, None)
        )
        made.append(
            rows.event_row(
                items[(nth * ROWS + i) % ITEMS],
                seen,
                batch=2**40 + nth,
                leaf=i,
                item_seq=1,
                body=os.urandom(BODY_BYTES),
            )
        )
    return made


def measure(installation: Installation) -> float:
    """Return the database's CPU microseconds per row (the client's own is left out: the harder yardstick)."""
    url = Cluster(installation.home / "postgres" / "main").url("parcelward")
    now = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=5)
    # As the product makes them: items made together lie together in the index (RFC 9562 version 7).
    millis = int(now.timestamp() * 1000)
    items = [uuid.UUID(int=(millis << 80) | int.from_bytes(os.urandom(10), "big")) for _ in range(ITEMS)]
    batches = [_rows(now, items, nth) for nth in range(COMMITS)]
    with psycopg.connect(url) as conn:
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

        rows.copy_events(conn, _rows(now, items, COMMITS))
        conn.commit()
        before = used()
        for packed in batches:
            rows.copy_events(conn, packed)
            conn.commit()
        taken = used() - before
        conn.execute("DELETE FROM parcels_scan_event WHERE batch >= %s", (2**40,))
        conn.commit()
    return float(taken) / (COMMITS * ROWS) * 1e6
