"""Our own scans as EPCIS events, and the rows of them that can answer a query. Private to the room."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag

from parcelward.base import db
from parcelward.base.standards.epcis import context, vocabulary, write
from parcelward.base.standards.epcis.event import ErrorDeclaration, Event
from parcelward.base.standards.epcis.query import Condition, Query
from parcelward.base.standards.steps import CODES, Step
from parcelward.custody import queries as custody
from parcelward.custody.wire import ItemKeys, open_body
from parcelward.network import queries as network
from parcelward.network.wire import FacilityRow
from parcelward.parcels.epcis import numbers
from parcelward.parcels.models import EpcisEvent, ItemAlias
from parcelward.parcels.rules import Mark

CONTEXT: Final = context.of([vocabulary.CONTEXT_URL, {"parcelward": numbers.NAMESPACE}])
DERIVED_VERSION: Final = 5  # scans that were made from an EPCIS event have name-based ids (RFC 9562)

_LOADED, _UNLOADED = int(Step.LOADED), int(Step.UNLOADED)
_SELECT: Final = (
    "SELECT e.event_time, e.event_id, e.item, e.step, e.facility, e.source, e.receptacle, e.corrects, e.batch, e.body, "  # noqa: S608 -- a number of our own
    "o.event_time, o.step, o.facility, o.receptacle FROM parcels_scan_event e "
    "LEFT JOIN LATERAL (SELECT x.event_time, x.step, x.facility, x.receptacle FROM parcels_scan_event x "
    "WHERE e.corrects IS NOT NULL AND x.item = e.item AND x.event_id = e.corrects "
    # Who names an event of somebody else's takes nothing back by it, and is told nothing of it.
    f"AND (x.source = e.source OR e.flags & {int(Mark.AUTHORISED)} <> 0) "
    "ORDER BY x.source <> e.source, x.event_time LIMIT 1) o ON true WHERE "  # an id may have been used again
)
_LIVING: Final = "NOT EXISTS (SELECT FROM custody_tombstone t WHERE t.item IN (e.item, e.receptacle, o.receptacle))"
_TIME: Final = "coalesce(o.event_time, e.event_time)"  # a correction repeats the event that it declares wrong
_SIGNS: Final = {"GE": ">=", "LT": "<"}
_NATIVE_ID: Final = re.compile(r".*/scan/([0-9a-f]{32})\.(\d{1,17})\.([0-9a-f]{32})")
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND: Final = dt.timedelta(microseconds=1)


class Scan(NamedTuple):
    """One row of the scan table, and of the scan that it declares wrong."""

    event_time: dt.datetime
    event_id: UUID
    item: UUID
    step: int
    facility: int
    source: int
    receptacle: UUID | None
    corrects: UUID | None
    batch: int
    body: bytes
    wrong_time: dt.datetime | None
    wrong_step: int | None
    wrong_facility: int | None
    wrong_receptacle: UUID | None


@dataclass(frozen=True, slots=True)
class Narrowed:
    """SQL conditions that no answering row fails; `possible` is False when no scan of ours can answer."""

    where: tuple[str, ...]
    values: tuple[Any, ...]
    possible: bool = True
    by_item: bool = False  # an index finds the rows


NOTHING: Final = Narrowed((), (), possible=False)


def event_id(scan: Scan, origin: str) -> str:
    """Return the EPCIS event id of a scan: it names item, time and event, so that a look-up reads one row.

    A correction bears the id of the scan that it declares wrong (EPCIS 2.0 section 7.4.1.2).
    """
    of, at = (scan.event_id, scan.event_time)
    if scan.corrects is not None and scan.wrong_time is not None:
        of, at = scan.corrects, scan.wrong_time
    return f"https://{origin}/scan/{scan.item.hex}.{(at - _EPOCH) // _MICROSECOND}.{of.hex}"


def narrow(query: Query, source: int | None, *, public_url: str) -> Narrowed:
    """Return what the query's conditions say of our scans; `source` limits them to one source's own."""
    where: list[str] = []
    values: list[Any] = []
    by_item = False
    if source is not None:
        where.append("e.source = %s")
        values.append(source)
    for condition in query.conditions:
        found = _narrow(condition, public_url)
        if not found.possible:
            return NOTHING
        where += found.where
        values += found.values
        by_item = by_item or found.by_item
    for condition in query.conditions:
        if condition.field == "eventTime" and condition.operator in _SIGNS:
            # An item's few rows are compared by the time they tell; among all rows only partitions make this quick.
            where.append(f"{_TIME if by_item else 'e.event_time'} {_SIGNS[condition.operator]} %s")
            values.append(condition.values[0])
    return Narrowed(tuple(where), tuple(values), by_item=by_item)


def _narrow(condition: Condition, public_url: str) -> Narrowed:
    name, wanted = condition.name, condition.values
    if name in {"MATCH_epc", "MATCH_anyEPC", "MATCH_parentID"}:
        return _narrow_epcs(name, wanted)
    if name == "EQ_eventID":
        keys = [key for key in map(_key_of, wanted) if key]
        if not keys:
            return NOTHING
        items, ids = [k[0] for k in keys], [k[2] for k in keys]
        return Narrowed(
            ("e.item = ANY(%s)", "(e.event_id = ANY(%s) OR e.corrects = ANY(%s))"), (items, ids, ids), by_item=True
        )
    if name in {"EQ_bizStep", "EQ_disposition"}:
        steps = [
            int(s)
            for s, codes in CODES.items()
            if (codes.biz_step if name == "EQ_bizStep" else codes.disposition) in wanted
        ]
        return Narrowed(("(e.step = ANY(%s) OR e.corrects IS NOT NULL)",), (steps,))
    if name in {"EQ_readPoint", "WD_readPoint", "EQ_bizLocation", "WD_bizLocation"}:
        places = network.facilities().by_number
        here = [n for n, place in places.items() if numbers.place_uri(place, public_url) in wanted]
        return Narrowed(("(e.facility = ANY(%s) OR e.corrects IS NOT NULL)",), (here,)) if here else NOTHING
    if name == "EXISTS_errorDeclaration" and wanted[0]:
        return Narrowed(("e.corrects IS NOT NULL",), ())
    if name == "eventType" and not {"ObjectEvent", "AggregationEvent"} & set(wanted):
        return NOTHING
    return Narrowed((), ())


def _narrow_epcs(name: str, wanted: Sequence[str]) -> Narrowed:
    if any(text[:14].lower() == "urn:epc:idpat:" for text in wanted):
        return Narrowed((), ())
    found = {number for number in map(numbers.number_of, wanted) if number}
    items = list(ItemAlias.objects.filter(number__in=found).values_list("item", flat=True).distinct())
    items += [UUID(hex=number[4:]) for number in found if number.startswith("itm_")]
    if not items:
        return NOTHING
    if name == "MATCH_epc":
        return Narrowed(("e.item = ANY(%s)",), (items,), by_item=True)
    if name == "MATCH_parentID":
        return Narrowed(("e.receptacle = ANY(%s)",), (items,), by_item=True)
    return Narrowed(("(e.item = ANY(%s) OR e.receptacle = ANY(%s))",), (items, items), by_item=True)


def _key_of(text: str) -> tuple[UUID, dt.datetime, UUID] | None:
    match = _NATIVE_ID.fullmatch(text)
    if match is None:
        return None
    return UUID(hex=match[1]), _EPOCH + int(match[2]) * _MICROSECOND, UUID(hex=match[3])


def read(
    narrowed: Narrowed, *, after: tuple[dt.datetime, UUID, UUID] | None, descending: bool, limit: int
) -> list[Scan]:
    """Return the next rows in the order of their `key`; none that names an item whose record was erased."""
    where, values = [*narrowed.where, _LIVING], list(narrowed.values)
    time = _TIME if narrowed.by_item else "e.event_time"
    if after is not None:
        where.append(f"({time}, e.event_id, e.item) {'<' if descending else '>'} (%s, %s, %s)")
        values += after
    way = "DESC" if descending else "ASC"
    statement = (
        f"{_SELECT}{' AND '.join(where)} ORDER BY {time} {way}, e.event_id {way}, e.item {way} LIMIT {int(limit)}"
    )
    with db.cursor(binary=True) as cur:
        cur.execute(statement, values, binary=True)
        return [Scan(*row) for row in cur]


def key(scan: Scan, narrowed: Narrowed) -> tuple[dt.datetime, UUID, UUID]:
    """Return a row's place in the order of an answer."""
    time = scan.wrong_time if narrowed.by_item and scan.wrong_time is not None else scan.event_time
    return time, scan.event_id, scan.item


def derived(scans: Iterable[Scan]) -> frozenset[UUID]:
    """Return the ids of those scans that were made from a captured EPCIS event: the event itself is the answer."""
    asked = [scan.event_id for scan in scans if scan.event_id.version == DERIVED_VERSION]
    if not asked:
        return frozenset()
    found = EpcisEvent.objects.filter(scans__overlap=asked).values_list("scans", flat=True)
    return frozenset(scan for scans_of in found for scan in scans_of)


@dataclass(frozen=True, slots=True)
class Told:
    """What rendering a page of scans needs beside the rows."""

    numbers: dict[UUID, str]
    places: dict[int, FacilityRow]
    keys: dict[UUID, ItemKeys]
    recorded: dict[int, dt.datetime]
    public_url: str
    origin: str


def tell(scans: Sequence[Scan], *, public_url: str, origin: str) -> Told:
    """Look up, set-based, what these scans speak of."""
    things = {s.item for s in scans} | {r for s in scans for r in (s.receptacle, s.wrong_receptacle) if r}
    rows = ItemAlias.objects.filter(item__in=things).order_by("-valid_from").values_list("item", "number")
    corrections = [s.item for s in scans if s.corrects is not None]
    batches = custody.places(s.batch for s in scans)
    return Told(
        numbers=dict(rows),  # the first number that an item was known by comes last and stays
        places=network.facilities().by_number,
        keys=custody.item_keys(corrections) if corrections else {},
        recorded={batch: place.record_time for batch, place in batches.items()},
        public_url=public_url,
        origin=origin,
    )


def event(scan: Scan, told: Told) -> Event:
    """Return a scan as an EPCIS event: who put what into which container, or what was seen where."""
    step, place, at, receptacle = scan.step, told.places.get(scan.facility), scan.event_time, scan.receptacle
    details: write.Details = {"event_id": event_id(scan, told.origin), "context": CONTEXT, "offset": "+00:00"}
    if scan.corrects is not None:
        details["error_declaration"] = ErrorDeclaration(scan.event_time, _declared(scan, told))
        if scan.wrong_time is not None:
            at, step = scan.wrong_time, scan.wrong_step or 0
            place, receptacle = told.places.get(scan.wrong_facility or 0), scan.wrong_receptacle
    codes = CODES[Step(step)]
    details["biz_step"], details["extensions"] = codes.biz_step, {"parcelward:step": Step(step).word}
    if codes.disposition:
        details["disposition"] = codes.disposition
    if place is not None:
        details["read_point"] = details["biz_location"] = numbers.place_uri(place, told.public_url)
    epc = numbers.epc_of(told.numbers.get(scan.item, f"itm_{scan.item.hex}"), told.public_url)
    if step in {_LOADED, _UNLOADED} and receptacle is not None:
        parent = numbers.epc_of(told.numbers.get(receptacle, f"itm_{receptacle.hex}"), told.public_url)
        action = "ADD" if step == _LOADED else "DELETE"
        made = write.aggregation_event(event_time=at, action=action, parent_id=parent, child_epcs=[epc], **details)
    else:
        made = write.object_event(event_time=at, action="OBSERVE", epcs=[epc], **details)
    recorded = told.recorded.get(scan.batch)
    return made if recorded is None else write.stored(made, record_time=recorded)


def _declared(scan: Scan, told: Told) -> str:
    """Return what a correction declares, or nothing where its item's record was erased or it cannot be opened."""
    keys = told.keys.get(scan.item)
    if keys is None:
        return ""
    try:
        operations = open_body(keys, scan.event_id.bytes, bytes(scan.body)).groups["operations"]
        return str(msgspec.json.decode(operations)["details"]["corrects"]["declares"])
    except (InvalidTag, KeyError, msgspec.DecodeError):
        return ""  # a tampered body is verify-log's finding
