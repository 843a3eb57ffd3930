"""Quarantined events whose time was ahead, and that came again and were recorded: they close by themselves.

A device whose clock was wrong keeps its events and sends them again. Looked for by the worker, never while scanning.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from django.db import transaction
from django.utils.translation import gettext_noop

from parcelward.base import db
from parcelward.base.standards import identify
from parcelward.base.standards.errors import BadItemNumber
from parcelward.custody import actions as custody
from parcelward.parcels.bodies import QUARANTINED
from parcelward.parcels.quarantine_check import CAME_AGAIN as CLOSED_BY_ITSELF
from parcelward.parcels.quarantine_check import note_hash
from parcelward.parcels.wire import ScanIn
from parcelward.privacy import queries as privacy
from parcelward.privacy.errors import BodyGone, NotAuthentic

ROWS_AT_ONCE = 500
CLOCK_OFF_MAX = dt.timedelta(days=30)  # how long before it came the event may really have happened
CAME_AGAIN = gettext_noop("The same event came again and was recorded.")

_OPEN = (
    "SELECT id, source, received_at, raw, body_key FROM parcels_quarantine "
    "WHERE state = 'open' AND code = 'clock_ahead' "
)
_RECORDED = (  # under the same time; or, once the clock was set, under another one from the same source
    "SELECT DISTINCT u.id, u.event_id FROM unnest(%s::bigint[], %s::int[], %s::timestamptz[], %s::timestamptz[], "
    "%s::text[], %s::uuid[], %s::uuid[]) AS u(id, source, since, until, number, named, event_id) "
    "CROSS JOIN LATERAL (SELECT u.named AS item WHERE u.named IS NOT NULL "
    "UNION ALL SELECT a.item FROM parcels_itemalias a WHERE a.number = u.number) AS i "
    "JOIN parcels_scan_event e ON e.item = i.item AND e.event_time BETWEEN u.since AND u.until "
    "AND e.event_id = u.event_id AND (e.source = u.source OR e.event_time = u.until)"
)


def settle_some(after: int, *, now: dt.datetime) -> int:
    """Close those of the next open rows that were recorded; return where to go on, 0 for the beginning."""
    with db.cursor() as cur:
        cur.execute(_OPEN + "AND id > %s ORDER BY id LIMIT %s", (after, ROWS_AT_ONCE))
        found = cur.fetchall()
    _settle(found, now=now)
    return int(found[-1][0]) if len(found) == ROWS_AT_ONCE else 0


def settle_one(quarantine_id: int, *, now: dt.datetime) -> None:
    """Close this row if its event was recorded meanwhile: before a person records it once more."""
    with db.cursor() as cur:
        cur.execute(_OPEN + "AND id = %s", (quarantine_id,))
        found = cur.fetchall()
    _settle(found, now=now)


def _settle(found: Sequence[tuple[Any, ...]], *, now: dt.datetime) -> None:
    asked = [row for row in map(_asked, _opened(found)) if row is not None]
    if not asked:
        return
    with transaction.atomic(), db.cursor() as cur:
        cur.execute(_RECORDED, tuple(list(column) for column in zip(*asked, strict=True)))
        for quarantine_id, event_id in cur.fetchall():
            cur.execute(
                "UPDATE parcels_quarantine SET state = 'resubmitted', closed_at = %s, closing_note = %s "
                "WHERE id = %s AND state = 'open'",
                (now, CAME_AGAIN, quarantine_id),
            )
            if cur.rowcount:
                said = {"event": str(event_id), "quarantine": quarantine_id, "by": None, "closed_at": now.isoformat()}
                custody.record_fact(CLOSED_BY_ITSELF, said | {"note": note_hash(quarantine_id, CAME_AGAIN)})


def _opened(found: Sequence[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """Give the rows of _OPEN with their bytes as they came, but for those that do not open any more."""
    opener = privacy.opener(QUARANTINED, [row[4] for row in found])
    for quarantine_id, source, received_at, raw, key in found:
        with contextlib.suppress(BodyGone, NotAuthentic):
            yield quarantine_id, source, received_at, opener.open(key, bytes(raw))


def _asked(row: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """Return a row of _OPEN as _RECORDED asks for it; None for what is no scan of ours, or was cut."""
    quarantine_id, source, received_at, raw = row
    try:
        scan = msgspec.json.decode(raw, type=ScanIn)
        number = identify.canonical(scan.item_id or scan.receptacle_id or "")
    except (msgspec.DecodeError, BadItemNumber, RecursionError):
        return None
    named = number.removeprefix(identify.ITEM_PREFIX) if number.startswith(identify.ITEM_PREFIX) else None
    until = scan.event_time
    return quarantine_id, source, received_at - CLOCK_OFF_MAX, until, number, named, scan.event_id
