"""Compare what each side of a handover saw with the events that say so: part of `verify-log`.

The table is derived from events, but handovers are judged by it: a sight that vanished turns a short handover into a
good one. So each sight must be an event's, and each event that hands over must have left its sight or a newer one of
its source.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from parcelward.base import db
from parcelward.custody import queries as custody
from parcelward.custody.queries import Findings
from parcelward.custody.wire import ItemKeys, open_body
from parcelward.parcels.event_check import Row
from parcelward.parcels.rules import Mark
from parcelward.parcels.wire import HandoverIn

_HANDOVER = int(Mark.HANDOVER)


class _Details(msgspec.Struct, frozen=True):
    handover: HandoverIn | None = None


class _Operations(msgspec.Struct, frozen=True):
    details: _Details = _Details()


_OPERATIONS = msgspec.json.Decoder(_Operations).decode


class Sight(NamedTuple):
    """An event that hands over, as it was committed to, and its place in the log."""

    row: Row
    handover: HandoverIn
    recorded: dt.datetime
    place: int | None


def sight(row: Row, keys: ItemKeys, *, recorded: dt.datetime, place: int | None) -> Sight | None:
    """Return what an event, already compared with its commitment, says of a handover; a correction saw nothing."""
    if not row.flags & _HANDOVER or row.corrects is not None:
        return None
    said = _OPERATIONS(open_body(keys, row.event_id.bytes, row.body).groups["operations"]).details.handover
    return None if said is None else Sight(row, said, recorded, place)


def _counts(newest: Sight) -> set[int]:
    """Return every count that this source has given for its side of the item in the handover."""
    item, said = newest.row.item, newest.handover
    keys = custody.item_keys([item])[item]
    with db.cursor(binary=True) as cur:
        cur.execute(
            "SELECT event_id, body FROM parcels_scan_event WHERE item = %s AND source = %s AND (flags & %s) <> 0 "
            "AND corrects IS NULL",
            (item, newest.row.source, _HANDOVER),
        )
        opened = [open_body(keys, event_id.bytes, bytes(body)) for event_id, body in cur.fetchall()]
    found = [_OPERATIONS(each.groups["operations"]).details.handover for each in opened]
    return {each.count for each in found if each is not None and (each.id, each.side) == (said.id, said.side)}


class HandoverChecker:
    """All sights of a span; one object checks one span once."""

    def __init__(self) -> None:
        self._matched = 0

    def check(self, sights: Sequence[Sight], findings: Findings) -> None:
        """Compare the rows behind these events."""
        if not sights:
            return
        with db.cursor(binary=True) as cur:
            cur.execute(
                "SELECT item, handover, side, source, event_id, event_time, facility, party, record_time, count "
                "FROM parcels_handoverscan WHERE item = ANY(%s)",
                (list({each.row.item for each in sights}),),
                binary=True,
            )
            stored = {row[:4]: row[4:] for row in cur}
        for each in sights:
            row = each.row
            what = self._problem(each, stored.get((row.item, each.handover.id, each.handover.side, row.source)))
            if what:
                words = f"A side's sight of the item in handover {each.handover.id} {what}."
                findings.note(words, differs="handover", index=each.place, item=row.item, event=row.event_id)

    def _problem(self, each: Sight, stored: tuple[Any, ...] | None) -> str:
        row, said = each.row, each.handover
        if stored is None:
            return "was removed"
        event_id, event_time, *columns, count = stored
        if (event_time, event_id) < (row.event_time, row.event_id):
            return "is not the newest that was recorded"
        if event_id != row.event_id:
            return ""  # a newer sight stands in its place; that event's turn comes, too
        self._matched += 1
        if (event_time, *columns) != (row.event_time, row.facility, said.party, each.recorded):
            return "is not as its event says"
        # Scanned again, the greatest count may stay, which is then an older event's.
        known = count == said.count or (count > said.count and count in _counts(each))
        return "" if known else "counts otherwise than its events say"

    def finish(self, findings: Findings) -> None:
        """Find sights that are of no event, once all events were looked at. What was erased nobody can compare."""
        with db.cursor() as cur:
            cur.execute(
                "SELECT count(*) FROM parcels_handoverscan h "
                "WHERE NOT EXISTS (SELECT FROM custody_tombstone t WHERE t.item = h.item)"
            )
            row = cur.fetchone()
            if row is None or row[0] == self._matched:
                return
            cur.execute(
                "SELECT h.item, h.handover FROM parcels_handoverscan h WHERE NOT EXISTS (SELECT FROM "
                "parcels_scan_event e WHERE e.item = h.item AND e.event_time = h.event_time "
                "AND e.event_id = h.event_id AND (e.flags & %s) <> 0 AND e.corrects IS NULL) LIMIT 1",
                (_HANDOVER,),
            )
            stray: tuple[UUID, str] | None = cur.fetchone()
        item, handover = stray or (None, "")
        what = f"A side's sight in a handover {handover} is of no event: it was added.".replace("  ", " ")
        findings.note(what, differs="handover", item=item)
