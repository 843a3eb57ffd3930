"""Capture EPCIS events: keep them as they came, commit to them, and record what they say of our items.

One transaction: the events, their names, their commitments, and the scans that they make. Any number of times.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from parcelward.base import db, partitions
from parcelward.base.errors import Conflict, Invalid, ParcelwardError, Problem
from parcelward.base.standards.epcis.event import Event
from parcelward.custody import actions as custody
from parcelward.network import queries as network
from parcelward.network.wire import FacilityRow
from parcelward.parcels.actions.items import new_item_id
from parcelward.parcels.actions.record import record_by_person
from parcelward.parcels.epcis import erasing, numbers, rows, rules
from parcelward.parcels.epcis.rows import Row
from parcelward.parcels.models import Item, ItemAlias, ItemKind
from parcelward.parcels.rules import CLOCK_AHEAD_MAX, EVENT_TIME_MIN
from parcelward.parcels.wire import BATCH_EVENTS_MAX, ScanIn, Submission
from parcelward.people import queries as people
from parcelward.people.wire import Person, Task

SALT_SIZE = 32


class Incoming(NamedTuple):
    """One event that met the standard's rules, and where it stood in what was sent (a JSON Pointer)."""

    pointer: str
    event: Event


@dataclass(frozen=True, slots=True)
class Captured:
    """What became of the events of one call."""

    names: tuple[str, ...]  # what each captured or known event is called, in order
    captured: int
    duplicates: int
    scans: int
    refused: tuple[Problem, ...]


class NotCaptured(Invalid):
    """At least one event cannot be captured, so none was; `problems` name each place."""

    default_code = "epcis_not_captured"


class NameTaken(Conflict):
    """An event with this id was captured before, and said something else."""

    default_code = "event_id_reused"


def capture(incoming: Sequence[Incoming], *, by: Person, now: dt.datetime, keep_going: bool = False) -> Captured:
    """Capture events in one transaction. The same event again changes nothing.

    With `keep_going` a bad event is named in the answer and the others are captured; without it NotCaptured is raised
    (NameTaken where reused ids are all that is wrong) and nothing is stored. Raises Busy when it keeps losing races.
    """
    people.require(by, Task.CAPTURE)
    good, refused = _admit(incoming, now=now)
    if refused and not keep_going:
        raise NotCaptured("Nothing was captured; each problem names its place.", problems=tuple(refused))
    _make_partitions([i.event for i in good], now=now)
    prepared = [_prepare(i, by=by, now=now) for i in good]
    return db.atomically(lambda: _store(prepared, refused, by=by, now=now, keep_going=keep_going))


def _admit(incoming: Sequence[Incoming], *, now: dt.datetime) -> tuple[list[Incoming], list[Problem]]:
    good, refused, epcs = [], [], 0
    for one in incoming:
        found = rules.problems(one.event, one.pointer, now=now)
        epcs += len(one.event.epcs)
        if epcs > rules.EPCS_MAX:
            words = f"One message names at most {rules.EPCS_MAX} instances."
            found.append(Problem(one.pointer, "too_many", words, "Send it in parts."))
        refused += found
        if not found:
            good.append(one)
    return good, refused


def make_partitions(incoming: Sequence[Incoming], *, now: dt.datetime, keep_going: bool) -> None:
    """Make the partitions that a call of `capture` will need. A caller with a transaction of its own asks before it."""
    good, refused = _admit(incoming, now=now)
    if keep_going or not refused:
        _make_partitions([i.event for i in good], now=now)


def _make_partitions(events: Sequence[Event], *, now: dt.datetime) -> None:
    where = _Where(events)
    said, scanned = [], []
    for event in events:
        said.append(event.event_time)
        if where.of(event) is not None:
            scanned.append(event.event_time)
            if event.error_declaration is not None:
                scanned.append(event.error_declaration.declaration_time)
    for table, times in ((rows.TABLE, said), ("parcels_scan_event", scanned), ("custody_batch", (now,))):
        # Older events share one partition (migration 0003), and a scan of any other time is quarantined.
        believed = (time for time in times if EVENT_TIME_MIN <= time <= now + CLOCK_AHEAD_MAX)
        for day in sorted({time.astimezone(dt.UTC).date() for time in believed}):
            partitions.ensure(table, day)


def _prepare(one: Incoming, *, by: Person, now: dt.datetime) -> Row:
    event = one.event
    name = rules.event_name(event)
    return Row(
        event=event,
        pointer=one.pointer,
        name=name,
        key=rules.capture_key(event, name, source=by.source),
        id=new_item_id(now),
        salt=os.urandom(SALT_SIZE),
        body=rows.body(event, name, source=by.source, now=now),
        fingerprint=rows.fingerprint(event),
    )


def _store(
    prepared: Sequence[Row], refused: Sequence[Problem], *, by: Person, now: dt.datetime, keep_going: bool
) -> Captured:
    gone = erasing.naming_erased([row.event for row in prepared])
    if gone:
        refused = [*refused, *(_erased(prepared[place]) for place in sorted(gone))]
        if not keep_going:
            raise NotCaptured("Nothing was captured; each problem names its place.", problems=tuple(refused))
        prepared = [row for place, row in enumerate(prepared) if place not in gone]
    first: dict[UUID, Row] = {}
    for row in prepared:
        first.setdefault(row.key, row)
    taken = rows.take_names(list(first.values()))
    fresh, reused = [], []
    for row in prepared:
        before = taken.get(row.key, first[row.key].fingerprint)
        if row.event.event_id and before != row.fingerprint:
            reused.append(_reused(row))
        elif row.key not in taken and first[row.key] is row:
            fresh.append(row)
    if reused and not keep_going:
        raise NameTaken("Nothing was captured; an event id was used before for another event.", problems=tuple(reused))
    scans = _scans(fresh, by=by)
    _keep(fresh, by=by, now=now)
    _record(scans, by=by, now=now)
    if erasing.naming_erased([row.event for row in fresh], to_commit=True):
        raise db.LostRace  # to an erasure, which has not seen these events
    rows.keep_values(fresh, source=by.source)  # last: these rows are shared by everybody, and locked until we commit
    return Captured(
        names=tuple(row.name for row in prepared),
        captured=len(fresh),
        duplicates=len(prepared) - len(fresh) - len(reused),
        scans=len(scans),
        refused=(*refused, *reused),
    )


def _erased(row: Row) -> Problem:
    words = "It names an item whose record was erased; nothing more can be recorded of it."
    return Problem(row.pointer, "shredded", words, "Leave that item out.")


def _reused(row: Row) -> Problem:
    return Problem(
        f"{row.pointer}/eventID",
        NameTaken.default_code,
        "An event with this id was captured before, and said something else.",
        "Give the new event its own id, or declare the first one wrong with errorDeclaration.",
    )


def _keep(fresh: Sequence[Row], *, by: Person, now: dt.datetime) -> None:
    if not fresh:
        return
    rows.seal(fresh, now=now)
    batch = custody.add_batch(rows.BATCH_KIND, [row.commitment for row in fresh], now=now)
    rows.copy_events(
        db.raw(),
        [rows.columns(row, batch=batch, leaf=leaf, source=by.source, now=now) for leaf, row in enumerate(fresh)],
    )


def _scans(fresh: Sequence[Row], *, by: Person) -> list[ScanIn]:
    """Return the scans that the events make, and note their ids on the rows."""
    wrong = [rules.name_id(row.name) for row in fresh if row.event.error_declaration is not None]
    originals = rows.originals(wrong) if wrong else {}
    here = {row.name: row.event for row in fresh if row.event.error_declaration is None}
    where = _Where([row.event for row in fresh] + [event for known in originals.values() for event, _ in known])
    receptacles: dict[str, bool] | None = None
    made: list[ScanIn] = []
    for row in fresh:
        original = _original(row, originals, here, by=by)
        told = row.event if original is None else original[0]
        place = where.of(told)
        if place is None:
            continue  # kept as an event; a scan needs a place that we know
        if receptacles is None:
            receptacles = _receptacles([r.event for r in fresh])
        scans = rules.scans(
            row.event, row.name, place=place, source=by.source, receptacles=receptacles, original=original
        )
        row.scans = [scan.event_id for scan in scans]
        made += scans
    return made


class _Where:
    """The facilities that some events name. An unknown one is looked up once more: an event is scanned now or never."""

    def __init__(self, events: Iterable[Event]) -> None:
        self._read(network.facilities())
        if any(self.of(event) is None for event in events if event.read_point or event.biz_location):
            self._read(network.facilities(missing="?"))

    def _read(self, places: network.Known) -> None:
        self._by_code, self._by_gln = places.by_code, numbers.by_gln(places.by_code.values())

    def of(self, event: Event) -> FacilityRow | None:
        """Return where it was seen, or where it is now."""
        for uri in (event.read_point, event.biz_location):
            place = numbers.place_of(uri, self._by_code, self._by_gln)
            if place is not None:
                return place
        return None


def _original(
    row: Row, originals: dict[UUID, list[tuple[Event, int]]], here: dict[str, Event], *, by: Person
) -> tuple[Event, int] | None:
    """Return the event that a declaration may declare wrong: the source's own, or anybody's for who may correct it."""
    if row.event.error_declaration is None:
        return None
    if row.name in here:
        return here[row.name], by.source
    known = originals.get(rules.name_id(row.name), [])
    own = [one for one in known if one[1] == by.source]
    others = known if people.may(by, Task.CORRECT) else []
    return next(iter([*own, *others]), None)


def _receptacles(events: Sequence[Event]) -> dict[str, bool]:
    """Return of every number that the events name whether it is a receptacle, where that is known or said here."""
    named = {number for event in events for number in map(numbers.number_of, event.epcs) if number}
    known = dict(ItemAlias.objects.filter(number__in=named, valid_to=None).values_list("number", "item"))
    kinds = dict(Item.objects.filter(item__in=known.values()).values_list("item", "kind"))
    found = {parent: True for event in events for parent in rules.parents(event)}
    return found | {number: kinds[item] == ItemKind.RECEPTACLE for number, item in known.items() if item in kinds}


def _record(scans: Sequence[ScanIn], *, by: Person, now: dt.datetime) -> None:
    """Record scans through the same door as every other; a bad one is quarantined and its EPCIS event stays."""
    ordered = sorted(scans, key=lambda s: (s.item_id or s.receptacle_id or "", s.event_time))
    for start in range(0, len(ordered), BATCH_EVENTS_MAX):
        part = list(enumerate(ordered[start : start + BATCH_EVENTS_MAX]))
        digest = hashlib.sha256(b"".join(scan.event_id.bytes for _, scan in part)).digest()
        # Without rights: a key sent it, which is in the hands of whoever has copied it.
        answer = record_by_person(Submission(by, 0, digest, part, []), now=now, with_rights=False)
        if isinstance(answer, ParcelwardError):
            raise answer
