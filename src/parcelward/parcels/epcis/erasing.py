"""Erase captured EPCIS events that name an item, and find those that may not be captured. Private to the room.

Unlike a scan's, an EPCIS event's body is not encrypted with an item's secret, for it may name many items. It has a key
of its own (bodies.py); what erases one of the items empties the whole row, and the key goes: no backup opens it.
The commitment stays in the log, and an entry says which rows were emptied.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

from parcelward.base import db
from parcelward.base.errors import Invalid
from parcelward.base.standards import identify
from parcelward.base.standards.epcis import identifiers
from parcelward.base.standards.epcis.event import Event
from parcelward.custody import actions as custody
from parcelward.custody import queries as custody_queries
from parcelward.parcels import bodies
from parcelward.parcels.epcis import native, numbers, rows, rules

EMPTIED_KIND: Final = "parcels.epcis_erased"
EMPTY: Final[tuple[Any, ...]] = (UUID(int=0), False, "", "", "", "", "", "", [], [])
"""What is left of name, declares, type, action, biz_step, disposition, read_point, biz_location, epcs and classes."""

_EMPTY_THEM: Final = (
    f"UPDATE {rows.TABLE} SET name = '00000000-0000-0000-0000-000000000000', declares = false, type = '', action = '', "  # noqa: S608 -- our own names
    "biz_step = '', disposition = '', read_point = '', biz_location = '', epcs = '{}', classes = '{}', scans = '{}', "
    "salt = '', body = '', body_key = NULL "
    "WHERE (event_time, id) IN (SELECT * FROM unnest(%s::timestamptz[], %s::uuid[]))"
)
_FORGET_VALUES: Final = (
    "DELETE FROM parcels_epcisvalue v USING unnest(%s::text[], %s::int[], %s::text[]) AS u(value, source, key) "
    "WHERE v.kind = 'epcs' AND v.value = u.value AND v.source = u.source AND NOT EXISTS "
    "(SELECT FROM parcels_epcis_event e WHERE e.source = u.source AND e.epcs @> ARRAY[u.key])"
)


class _Owners:
    """Which item a number meant when."""

    def __init__(self, wanted: Iterable[str]) -> None:
        self._until: dict[str, list[tuple[dt.datetime | None, UUID]]] = {}
        with db.cursor(binary=True) as cur:
            cur.execute(
                "SELECT number, valid_to, item FROM parcels_itemalias WHERE number = ANY(%s) "
                "ORDER BY number, valid_to NULLS LAST",
                (sorted(wanted),),
                binary=True,
            )
            for number, until, item in cur:
                self._until.setdefault(number, []).append((until, item))

    def of(self, event: Event) -> frozenset[UUID]:
        """Return the items that an event names."""
        found = set()
        for number in filter(None, map(numbers.number_of, event.epcs)):
            if number.startswith(identify.ITEM_PREFIX):
                found.add(UUID(hex=number.removeprefix(identify.ITEM_PREFIX)))
            owner = next(
                (i for until, i in self._until.get(number, ()) if until is None or event.event_time < until), None
            )
            if owner is not None:
                found.add(owner)
        return frozenset(found)


def naming_erased(events: Sequence[Event], *, to_commit: bool = False) -> frozenset[int]:
    """Return which of these events name an item whose record was erased, by their places.

    With `to_commit` no item that they name is erased before the caller's transaction ends.
    """
    owners = _Owners({number for event in events for number in map(numbers.number_of, event.epcs) if number})
    meant = [owners.of(event) for event in events]
    items = sorted(frozenset().union(*meant))
    if to_commit and items:
        with db.cursor() as cur:
            cur.execute(
                "SELECT FROM parcels_item_status WHERE item = ANY(%s) ORDER BY item FOR KEY SHARE",
                (items,),
                binary=True,
            )
    erased = custody_queries.erased_among(items)
    return frozenset(place for place, named in enumerate(meant) if not named.isdisjoint(erased))


def erase_naming(item: UUID, *, erasure: int) -> int:
    """Empty every captured event that names the item, in the caller's transaction, which holds it; return how many.

    An entry in the log says which. Doing it twice changes nothing.
    """
    places: list[tuple[dt.datetime, UUID]] = []
    entries: list[tuple[int, int]] = []
    keys: list[UUID] = []
    carried: set[tuple[str, int]] = set()
    sealed: list[UUID | None] = []
    for event_time, row_id, batch, leaf, source, key, event, name in _naming(item):
        places.append((event_time, row_id))
        sealed.append(key)
        entries.append((batch, leaf))
        if event is not None:
            keys.append(rules.capture_key(event, name, source=source))
            carried |= {(epc, source) for epc in event.epcs}
    if not places:
        return 0
    values = sorted(carried)
    with db.cursor(binary=True) as cur:
        cur.execute(_EMPTY_THEM, ([at for at, _ in places], [row_id for _, row_id in places]), binary=True)
        cur.execute("DELETE FROM parcels_epcisname WHERE key = ANY(%s)", (keys,), binary=True)
        cur.execute(
            _FORGET_VALUES,
            ([v for v, _ in values], [s for _, s in values], [identifiers.canonical(v) for v, _ in values]),
            binary=True,
        )
    bodies.forget_after_commit(sealed)
    custody.record_fact(EMPTIED_KIND, {"entries": sorted(entries), "erasure": erasure})
    return len(places)


def _naming(item: UUID) -> Iterable[tuple[dt.datetime, UUID, int, int, int, UUID | None, Event | None, str]]:
    """Give the rows whose events name the item; without the event where its body cannot be read."""
    with db.cursor(binary=True) as cur:
        cur.execute("SELECT number FROM parcels_itemalias WHERE item = %s", (item,), binary=True)
        known = {row[0] for row in cur} | {identify.item_id(item)}
        cur.execute(
            "SELECT event_id FROM parcels_scan_event WHERE item = %s OR receptacle = %s", (item, item), binary=True
        )
        scans = [row[0] for row in cur if row[0].version == native.DERIVED_VERSION]
        cur.execute(
            f"SELECT event_time, id, batch, leaf, source, scans && %s::uuid[], body_key, body FROM {rows.TABLE} "  # noqa: S608 -- our own names
            "WHERE (epcs && %s::text[] OR scans && %s::uuid[]) ORDER BY event_time, id FOR UPDATE",
            (scans, [rows.NUMBER_PREFIX + number for number in sorted(known)], scans),
            binary=True,
        )
        found = cur.fetchall()
    owners = _Owners(known)
    opened = bodies.events([row[6:] for row in found])
    for (event_time, row_id, batch, leaf, source, made_its_scan, key, _), body in zip(found, opened, strict=True):
        try:
            event, name = rows.read_with_name(body or b"")
        except (ValueError, KeyError, TypeError, Invalid):
            # Tampered with: that it is gone is the better end.
            yield event_time, row_id, batch, leaf, source, key, None, ""
            continue
        if made_its_scan or item in owners.of(event):
            yield event_time, row_id, batch, leaf, source, key, event, name


def emptied() -> frozenset[tuple[int, int]]:
    """Return the (batch, leaf) of every event that an erasure emptied, as the log's entries say."""
    erasures = {one.said.get("erasure") for one in custody_queries.told(custody_queries.TOMBSTONE_KIND)}
    told: list[Any] = [one.said for one in custody_queries.told(EMPTIED_KIND)]
    return frozenset((batch, leaf) for said in told if said["erasure"] in erasures for batch, leaf in said["entries"])
