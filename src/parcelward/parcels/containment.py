"""What happened to an item inside receptacles: computed on read from its own loaded and unloaded events."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

from parcelward.base import db
from parcelward.base.standards.steps import Step
from parcelward.parcels.epcis.rows import NUMBER_PREFIX
from parcelward.parcels.rules import Seen, voided
from parcelward.people import queries as people
from parcelward.people.wire import Task

NESTING_MAX = 5  # item in bag in cage in container in truck
SIGHTINGS_MAX = 200
INSIDE_MAX = 200  # things that are listed as inside a receptacle
LOADED_LOOKED_AT_MAX = 2_000  # newest loadings into it that are looked at for that
CORRECTED_WITHIN = dt.timedelta(
    days=30
)  # after a stay ended; later corrections of what was seen in it are not looked for
FOREVER = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)
_LOADED, _UNLOADED = int(Step.LOADED), int(Step.UNLOADED)
_ENDING = frozenset(int(s) for s in (Step.DELIVERED, Step.OUT_FOR_DELIVERY, Step.AT_COLLECTION_POINT))


class Stay(NamedTuple):
    """A time that something was inside a receptacle: [since, until)."""

    receptacle: UUID
    since: dt.datetime
    until: dt.datetime


class Sighting(NamedTuple):
    """A scan of a receptacle while the item was inside it."""

    event_time: dt.datetime
    step: int
    facility: int
    number: str  # of the receptacle that was scanned


def stays(events: Iterable[Seen]) -> list[Stay]:
    """Return when the subject of these events (in order) was inside which receptacle.

    It is out again when unloaded, when loaded elsewhere, and when it was itself delivered or carried out.
    """
    found: list[Stay] = []
    inside: UUID | None = None
    since = FOREVER
    for seen in events:
        if seen.corrects is not None:
            continue
        leaves = seen.step in _ENDING or seen.step in {_LOADED, _UNLOADED}
        if inside is not None and leaves:
            found.append(Stay(inside, since, seen.event_time))
            inside = None
        if seen.step == _LOADED and seen.receptacle is not None:
            inside, since = seen.receptacle, seen.event_time
    if inside is not None:
        found.append(Stay(inside, since, FOREVER))
    return found


def sightings(events: Sequence[Seen]) -> list[Sighting]:
    """Return what was scanned of the receptacles around the item while it was inside them, nested ones too.

    Each scan once, whatever the ways that lead to it: a receptacle may be said to be inside itself, by way of others.
    The newest SIGHTINGS_MAX, in order.
    """
    open_stays = stays(events)
    found: dict[tuple[UUID, UUID], Sighting] = {}
    for _ in range(NESTING_MAX):
        if not open_stays:
            break
        open_stays = _until_emptied(open_stays)
        outer: list[Stay] = []
        by_receptacle = _events_of({stay.receptacle for stay in open_stays}, open_stays)
        for stay in open_stays:
            number, its_events = by_receptacle.get(stay.receptacle, ("", []))
            found |= {
                (stay.receptacle, seen.event_id): Sighting(seen.event_time, seen.step, seen.facility, number)
                for seen in its_events
                if stay.since < seen.event_time < stay.until and seen.step != _LOADED
            }
            outer += [
                Stay(around.receptacle, max(around.since, stay.since), min(around.until, stay.until))
                for around in stays(its_events)
                if around.since < stay.until and around.until > stay.since
            ]
        open_stays = list(dict.fromkeys(outer))
    return sorted(found.values(), key=lambda sight: sight.event_time)[-SIGHTINGS_MAX:]


def inside(receptacle: UUID) -> tuple[list[tuple[UUID, str, dt.datetime]], bool]:
    """Return what is directly inside now as (item, number, since), newest first, and whether there may be more.

    It follows from what was loaded and unloaded: nobody has looked inside.
    """
    with db.cursor(binary=True) as cur:
        cur.execute(
            "SELECT item, max(event_time) FROM parcels_scan_event WHERE receptacle = %s AND step = %s "
            "AND corrects IS NULL GROUP BY item ORDER BY 2 DESC LIMIT %s",
            (receptacle, _LOADED, LOADED_LOOKED_AT_MAX + 1),
            binary=True,
        )
        loaded = cur.fetchall()
    more, loaded = len(loaded) > LOADED_LOOKED_AT_MAX, loaded[:LOADED_LOOKED_AT_MAX]
    if not loaded:
        return [], False
    oldest = min(at for _, at in loaded)
    its_events = _events_of({item for item, _ in loaded}, [Stay(receptacle, oldest, FOREVER)])
    last = [(item, number, own[-1]) for item, (number, events) in its_events.items() if (own := stays(events))]
    kept = _until_emptied([stay for _, _, stay in last if stay.receptacle == receptacle])
    still = {stay for stay in kept if stay.until == FOREVER}
    found = [(item, number, stay.since) for item, number, stay in last if stay in still]
    found.sort(key=lambda one: (one[2], one[0]), reverse=True)
    return found[:INSIDE_MAX], more or len(found) > INSIDE_MAX


def _until_emptied(open_stays: Sequence[Stay]) -> list[Stay]:
    """Return the stays, ended where the receptacle was said to be emptied: an EPCIS DELETE that names no children.

    Such an event makes no scan of what came out, because nobody said what that was (EPCIS 2.0 section 7.4.3).
    """
    emptied = _emptied({stay.receptacle for stay in open_stays}, open_stays)
    return [
        stay._replace(until=min((stay.until, *(at for at in emptied.get(stay.receptacle, ()) if at > stay.since))))
        for stay in open_stays
    ]


def _emptied(receptacles: set[UUID], within: Sequence[Stay]) -> dict[UUID, list[dt.datetime]]:
    """Return when each receptacle was emptied during the stays.

    What its sender has declared wrong does not count, nor what somebody has who may correct anybody's event. Names are
    each sender's own, so which event the latter means is told by what the declaration repeats (EPCIS 2.0 section
    7.4.1.4).
    """
    if not receptacles:
        return {}
    with db.cursor(binary=True) as cur:
        cur.execute(
            "SELECT item, %s || number FROM parcels_itemalias WHERE item = ANY(%s)",
            (NUMBER_PREFIX, list(receptacles)),
            binary=True,
        )
        item_of = {key: item for item, key in cur}
        cur.execute(
            "SELECT e.event_time, e.epcs, e.source, ARRAY(SELECT d.source FROM parcels_epcis_event d "
            "WHERE d.name = e.name AND d.declares AND (d.source = e.source OR d.event_time = e.event_time "
            "AND d.epcs @> e.epcs AND d.epcs <@ e.epcs)) FROM parcels_epcis_event e WHERE e.epcs && %s::text[] "
            "AND e.event_time BETWEEN %s AND %s AND e.type = 'AggregationEvent' AND e.action = 'DELETE' "
            "AND NOT e.declares AND cardinality(e.epcs) <= 2 AND cardinality(e.classes) = 0",  # the parent, twice
            (list(item_of), min(stay.since for stay in within), max(stay.until for stay in within)),
            binary=True,
        )
        rows = cur.fetchall()
    strangers = {one for _, _, source, declared_by in rows for one in declared_by if one != source}
    may_correct = people.sources_that_may(Task.CORRECT, strangers) if strangers else frozenset()
    found: dict[UUID, list[dt.datetime]] = {}
    for at, epcs, source, declared_by in rows:
        if source in declared_by or not may_correct.isdisjoint(declared_by):
            continue
        for key in epcs:
            if key in item_of:
                found.setdefault(item_of[key], []).append(at)
    return found


def _events_of(receptacles: set[UUID], within: Sequence[Stay]) -> dict[UUID, tuple[str, list[Seen]]]:
    """Return each receptacle's number and events up to the end of the stays, without corrections and what they void."""
    latest = max(stay.until for stay in within)
    earliest = min(stay.since for stay in within) - dt.timedelta(days=30)  # it may have been loaded before the item was
    with db.cursor(binary=True) as cur:
        cur.execute(
            "SELECT e.item, coalesce(a.number, ''), e.event_time, e.source, e.sequence, e.position, e.event_id, "
            "e.step, e.facility, e.flags, e.receptacle, e.corrects FROM parcels_scan_event e "
            "LEFT JOIN parcels_itemalias a ON a.item = e.item AND a.valid_to IS NULL "
            "WHERE e.item = ANY(%s) AND e.event_time BETWEEN %s AND %s "
            "ORDER BY e.event_time, e.source, e.sequence, e.position, e.event_id",
            (list(receptacles), earliest, FOREVER if latest == FOREVER else latest + CORRECTED_WITHIN),
            binary=True,
        )
        rows: dict[UUID, tuple[str, list[Seen]]] = {}
        for row in cur:
            rows.setdefault(row[0], (row[1], []))[1].append(Seen._make((*row[2:], None)))
    found = {}
    for receptacle, (number, events) in rows.items():
        void = voided(events)
        found[receptacle] = number, [s for s in events if s.corrects is None and s[:5] not in void]
    return found
