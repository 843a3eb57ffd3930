"""Compute item statuses again from the events: what `parcelward rebuild` does, and what it compares."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction

from parcelward.base import db
from parcelward.custody import queries as custody
from parcelward.parcels import rows
from parcelward.parcels.actions import items as item_actions
from parcelward.parcels.rules import State, Status

ITEMS_AT_ONCE = 500
ROUNDS_MAX = 5  # a writer that had read the wrong status may write it once more; then it is put right again
PAUSE_S = 0.5  # longer than a writer holds what it read

_COLUMNS = tuple(name.strip() for name in rows.STATUS_COLUMNS.split(","))
_SELECT = (
    f"SELECT i.item, i.kind, i.simulated, s.item IS NOT NULL, {', '.join(f's.{c}' for c in _COLUMNS[1:])} "  # noqa: S608 -- our own column names
    "FROM parcels_item i LEFT JOIN parcels_item_status s ON s.item = i.item WHERE i.item = ANY(%s) ORDER BY i.item"
)
_NUMBERS = (  # whether a number of the item was another one's before; whether one is another one's now
    "SELECT a.item, bool_or(b.number IS NOT NULL), bool_or(a.valid_to IS NOT NULL) FROM parcels_itemalias a "
    "LEFT JOIN parcels_itemalias b ON b.number = a.number AND b.valid_to < coalesce(a.valid_to, 'infinity') "
    "WHERE a.item = ANY(%s) GROUP BY a.item"
)
_LABELLED = "SELECT DISTINCT item FROM parcels_label WHERE item = ANY(%s)"
_LAST_EVENTS = (
    "SELECT DISTINCT ON (e.item) e.item, e.item_seq, substring(b.commitments FROM e.leaf * 32 + 1 FOR 32) "
    "FROM parcels_scan_event e LEFT JOIN custody_logbatch l ON l.batch = e.batch "
    "LEFT JOIN custody_pendingbatch p ON p.batch = e.batch "
    "LEFT JOIN custody_batch b ON b.id = e.batch AND b.record_time = coalesce(l.record_time, p.record_time) "
    "WHERE e.item = ANY(%s) ORDER BY e.item, e.item_seq DESC"
)
_WRITE = (
    f"INSERT INTO parcels_item_status AS s ({rows.STATUS_COLUMNS}) VALUES ({', '.join(['%s'] * len(_COLUMNS))}) "  # noqa: S608 -- our own column names
    f"ON CONFLICT (item) DO UPDATE SET {', '.join(f'{c} = excluded.{c}' for c in _COLUMNS[1:])} WHERE s.item_seq = %s"
)


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild did."""

    items: int
    changed: int
    seconds: float


def _stored_and_right(items: Sequence[UUID]) -> Iterator[tuple[UUID, tuple[Any, ...] | None, tuple[Any, ...]]]:
    """Give (item, its status row or None, the row that its events add up to)."""
    wanted = list(items)
    keys = custody.item_keys(wanted)
    erased = custody.erased_among(wanted)
    folded = item_actions.fold_all({item: keys.get(item) for item in wanted})
    with db.cursor(binary=True) as cur:
        cur.execute(_LAST_EVENTS, (wanted,), binary=True)
        last = {item: (seq, bytes(head or b"")) for item, seq, head in cur}
        cur.execute(_NUMBERS, (wanted,), binary=True)
        by_number = {
            item: (State.REUSED if reused else 0) | (State.LET_GO if ended else 0) for item, reused, ended in cur
        }
        cur.execute(_LABELLED, (wanted,), binary=True)
        labelled = {item for (item,) in cur}
        cur.execute(_SELECT, (wanted,), binary=True)
        for item, kind, simulated, there, *columns in cur.fetchall():
            status = folded[item]
            status.item_seq, status.head = last.get(item, (0, bytes(32)))
            status.flags |= (State.SIMULATED if simulated else 0) | (State.SHREDDED if item in erased else 0)
            status.flags |= by_number.get(item, 0) | (State.LABELLED if item in labelled else 0)
            if there:
                status.flags |= columns[_COLUMNS.index("flags") - 1] & State.REBUILT
            yield item, ((item, *columns[:-1], bytes(columns[-1])) if there else None), _row(item, kind, status)


def _row(item: UUID, kind: int, status: Status[dt.datetime, UUID]) -> tuple[Any, ...]:
    """Return a status as the columns of rows.STATUS_COLUMNS."""
    last_time, last_source, last_sequence, last_position, last_event = status.last or (None, 0, 0, 0, None)
    return (
        *(item, status.step_time, last_time, last_sequence, status.first_time, status.step_facility, last_source),
        *(status.facility, int(status.flags), status.item_seq, kind, status.step, last_position, last_event),
        *(status.receptacle, status.seal, status.head),
    )


def differing(items: Sequence[UUID]) -> list[tuple[UUID, str]]:
    """Return (item, names of the columns) for each whose status is not what its events add up to."""
    found = []
    for item, stored, right in _stored_and_right(items):
        if stored is None:
            found.append((item, "the whole row"))
        elif stored != right:
            names = (name for name, a, b in zip(_COLUMNS, stored, right, strict=True) if a != b)
            found.append((item, ", ".join(names)))
    return found


@transaction.atomic
def _rebuild_some(items: Sequence[UUID]) -> list[UUID]:
    """Put these items' statuses right; return those that were wrong. Holds their rows while it folds."""
    with db.cursor() as cur:
        cur.execute("SELECT FROM parcels_item_status WHERE item = ANY(%s) ORDER BY item FOR UPDATE", (list(items),))
    wrong = [(item, stored, right) for item, stored, right in _stored_and_right(items) if stored != right]
    with db.cursor() as cur:
        for _, stored, right in wrong:
            seq_before = -1 if stored is None else stored[_COLUMNS.index("item_seq")]
            # Who remembers the wrong row is to find out.
            turned = (c ^ int(State.REBUILT) if name == "flags" else c for name, c in zip(_COLUMNS, right, strict=True))
            cur.execute(_WRITE, (*turned, seq_before))
    return [item for item, _, _ in wrong]


def rebuild(items: Sequence[UUID] | None = None, *, tell: Callable[[int], object] = lambda _: None) -> Rebuilt:
    """Compute the status of these items (all, by default) again from their events. Doing it twice changes nothing.

    Safe while the system runs: rows are held in key order, some at a time. A writer that had read a wrong status before
    it was put right may write what follows from it; so what was changed is looked at again until nothing changes.
    `tell` hears how many items were just looked at.
    """
    began = time.monotonic()
    done, changed = 0, set()
    for some in _some(items):
        changed.update(_rebuild_some(some))
        done += len(some)
        tell(len(some))
    again = sorted(changed)
    for _ in range(ROUNDS_MAX):
        if not again:
            break
        time.sleep(PAUSE_S)
        still: list[UUID] = []
        for some in _some(again):
            still += _rebuild_some(some)
        again = sorted(still)
    return Rebuilt(done, len(changed), time.monotonic() - began)


def _some(items: Sequence[UUID] | None) -> Iterator[list[UUID]]:
    """Give the items, or all there are, ITEMS_AT_ONCE at a time in key order."""
    if items is not None:
        ordered = sorted(set(items))
        for at in range(0, len(ordered), ITEMS_AT_ONCE):
            yield ordered[at : at + ITEMS_AT_ONCE]
        return
    after = UUID(int=0)
    while True:
        with db.cursor(binary=True) as cur:
            cur.execute(
                "SELECT item FROM parcels_item WHERE item > %s ORDER BY item LIMIT %s",
                (after, ITEMS_AT_ONCE),
                binary=True,
            )
            some = [row[0] for row in cur]
        if not some:
            return
        yield some
        after = some[-1]
