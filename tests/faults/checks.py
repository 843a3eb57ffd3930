"""After the faults: is everything that was acknowledged there, once, and in a log without gaps?"""

from __future__ import annotations

from collections import Counter
from typing import Any

import psycopg
from tests.faults.plant import Plant, until

from parcelward.custody.files import COMMITMENT_BYTES, LogFiles

CATCH_UP_S = 120.0


def settle(plant: Plant) -> None:
    """Wait until every committed batch is covered by the published checkpoint."""

    def caught_up() -> bool:
        try:
            with plant.database() as db:
                waiting = _one(db, "SELECT count(*) FROM custody_pendingbatch")
                size = _one(db, "SELECT size FROM custody_logstate")
        except psycopg.Error:
            return False
        return bool(waiting == 0 and size == plant.published_size())

    until(caught_up, seconds=CATCH_UP_S, what="catching up with the log")


def _one(db: psycopg.Connection[Any], statement: str) -> Any:
    row = db.execute(statement.encode()).fetchone()
    return None if row is None else row[0]


def problems(plant: Plant, acknowledged: set[str]) -> list[str]:
    """Return everything that is wrong; an empty list is what was promised."""
    with plant.database() as db:
        return problems_in(db, plant, acknowledged)


def problems_in(db: psycopg.Connection[Any], plant: Plant, acknowledged: set[str]) -> list[str]:
    """Return everything that is wrong as one transaction sees it."""
    with LogFiles(plant.log_folder, read_only=True) as files:
        files.check()  # raises LogDiverged
        state = db.execute("SELECT size, root FROM custody_logstate").fetchone()
        head = files.published_head()
        if state is None or head is None:
            return ["there is no log"]
        found = []
        if not (files.size == state[0] == head.size and files.root() == bytes(state[1]) == head.root):
            found.append(f"sizes or roots differ: files {files.size}, database {state[0]}, checkpoint {head.size}")
        return found + _log_problems(db, files, head.size) + _event_problems(db, head.size, acknowledged)


def _log_problems(db: psycopg.Connection[Any], files: LogFiles, size: int) -> list[str]:
    """Every batch stands in the log at its place, one behind the other, with its own commitments."""
    at, found = 0, []
    rows = db.execute(
        "SELECT l.first_index, l.n, b.commitments FROM custody_logbatch l LEFT JOIN custody_batch b "
        "ON b.id = l.batch AND b.record_time = l.record_time ORDER BY l.first_index"
    )
    for first, n, commitments in rows:
        if first != at:
            found.append(f"a gap or an overlap in the log at {at}: the next batch stands at {first}")
        if commitments is None or len(commitments) != n * COMMITMENT_BYTES:
            found.append(f"the batch at {first} is missing or has another size")
        elif files.commitments(first, n) != bytes(commitments):
            found.append(f"the log holds other commitments at {first} than the database")
        at = first + n
    if at != size:
        found.append(f"the batches end at {at} and the log at {size}")
    orphans = _one(
        db,
        "SELECT count(*) FROM custody_batch b WHERE NOT EXISTS (SELECT FROM custody_logbatch l WHERE l.batch = b.id)",
    )
    if orphans:
        found.append(f"{orphans} batches have no place in the log")
    return found


def _event_problems(db: psycopg.Connection[Any], size: int, acknowledged: set[str]) -> list[str]:
    """Every acknowledged event is in the database exactly once, and below the checkpoint in the log."""
    times: Counter[str] = Counter()
    outside = 0
    rows = db.execute(
        "SELECT e.event_id::text, l.first_index + e.leaf FROM parcels_scan_event e "
        "LEFT JOIN custody_logbatch l ON l.batch = e.batch"
    )
    for event_id, index in rows:
        times[event_id] += 1
        outside += event_id in acknowledged and (index is None or index >= size)
    lost = acknowledged - times.keys()
    double = [one for one, count in times.items() if count > 1]
    found = []
    if lost:
        found.append(f"{len(lost)} acknowledged events are lost, such as {min(lost)}")
    if double:
        found.append(f"{len(double)} events are there more than once, such as {double[0]}")
    if outside:
        found.append(f"{outside} acknowledged events are not in the published log")
    counted = _one(db, "SELECT coalesce(sum(item_seq), 0) FROM parcels_item_status")
    if counted != sum(times.values()):
        found.append(f"the statuses count {counted} events and there are {sum(times.values())}")
    return found
