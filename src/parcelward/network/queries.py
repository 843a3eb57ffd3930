"""Places and lanes. Facilities are few and asked for on every scan, so each process keeps them for seconds."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q

from parcelward.network import network_check, rules
from parcelward.network.models import ClosedDay, Facility, Lane, OpeningHours, Route
from parcelward.network.wire import CalendarRow, FacilityRow, Hours, LaneRow, Opening, RouteRow

check_network = network_check.check_network

KEPT_S = 5.0  # how long another process may go on with the old name of a place


@dataclass(frozen=True, slots=True)
class Known:
    """All facilities, by code and by number."""

    by_code: dict[str, FacilityRow]
    by_number: dict[int, FacilityRow]
    read_at: float


_known = Known({}, {}, 0.0)
_routed: tuple[rules.Routes, float] = ({}, 0.0)


def row_of(f: Facility) -> FacilityRow:
    """Return a place as other rooms see it."""
    return FacilityRow(
        number=f.number,
        code=f.code,
        name=f.name,
        kind=f.kind,
        country=f.country,
        time_zone=f.time_zone,
        coarse_place=f.coarse_place,
        position=None if f.longitude is None or f.latitude is None else (f.longitude, f.latitude),
        simulated=f.simulated,
        gln=f.gln,
        created_at=f.created_at,
    )


def facility(code: str) -> FacilityRow | None:
    """Return a place as it is described now."""
    found = Facility.objects.filter(code=code).first()
    return None if found is None else row_of(found)


def lane(origin: str, destination: str) -> LaneRow | None:
    """Return the usual way between two places."""
    found = Lane.objects.filter(origin__code=origin, destination__code=destination).first()
    if found is None:
        return None
    return LaneRow(origin, destination, found.mode, found.usual_duration_s, tuple(found.departures))


def _read() -> Known:
    rows = [row_of(f) for f in Facility.objects.all()]
    return Known({r.code: r for r in rows}, {r.number: r for r in rows}, time.monotonic())


def facilities(*, missing: str = "", numbers: Iterable[int] = ()) -> Known:
    """Return all facilities; when `missing` names a code, or `numbers` a number, not known here, look again at once.

    Number 0 stands for no place.
    """
    global _known  # noqa: PLW0603 -- one process-wide copy, replaced whole
    unknown = (missing and missing not in _known.by_code) or any(n and n not in _known.by_number for n in numbers)
    if unknown or time.monotonic() - _known.read_at > KEPT_S:
        _known = _read()
    return _known


def forget() -> None:
    """Read the facilities anew at the next question."""
    global _known, _routed
    _known, _routed = Known({}, {}, 0.0), ({}, 0.0)


def routes() -> tuple[RouteRow, ...]:
    """Return who delivers where, in order."""
    rows = Route.objects.select_related("office", "hub")
    return tuple(sorted(RouteRow(r.country, r.prefix, r.office.code, r.hub.code, r.round_code) for r in rows))


def route_to(country: str, postcode: str) -> RouteRow | None:
    """Return who delivers to a postcode; None where nobody has said. Each process keeps the table for seconds."""
    global _routed  # noqa: PLW0603 -- as above
    if time.monotonic() - _routed[1] > KEPT_S:
        _routed = {(row.country, row.prefix): row for row in routes()}, time.monotonic()
    return rules.routed(_routed[0], country, postcode)


def expected_arrival(origin: int, destination: int, *, after: dt.datetime) -> dt.datetime | None:
    """Return when what leaves `origin` next usually arrives at `destination`, or None where no lane goes."""
    lane = Lane.objects.filter(origin_id=origin, destination_id=destination).first()
    place = facilities().by_number.get(origin)
    if lane is None or place is None:
        return None
    closed = closed_days(origin)
    leaves = (
        rules.next_departure(lane.departures, after=after, time_zone=place.time_zone, closed=closed)
        if lane.departures
        else after
    )
    return None if leaves is None else leaves + dt.timedelta(seconds=lane.usual_duration_s)


def closed_days(number: int) -> frozenset[dt.date]:
    """Return on which days a place does not operate, those of the whole network among them."""
    mine = Q(facility=None) | Q(facility_id=number)
    return frozenset(ClosedDay.objects.filter(mine).values_list("day", flat=True))


def calendar(code: str) -> CalendarRow | None:
    """Return when a place works, or None for an unknown one."""
    found = Facility.objects.filter(code=code).first()
    if found is None:
        return None
    days = ClosedDay.objects.filter(facility=found).order_by("day").values_list("day", flat=True)
    return CalendarRow(_hours(found.number), tuple(days))


def network_calendar() -> CalendarRow:
    """Return on which days the whole network rests."""
    days = ClosedDay.objects.filter(facility=None).order_by("day").values_list("day", flat=True)
    return CalendarRow((), tuple(days))


def _hours(number: int) -> tuple[Hours, ...]:
    rows = OpeningHours.objects.filter(facility_id=number).order_by("weekday")
    return tuple(Hours(r.weekday, f"{r.opens:%H:%M}", f"{r.closes:%H:%M}") for r in rows)


def next_opening(code: str, *, after: dt.datetime) -> Opening | None:
    """Return when a place is open at or after a moment; None where it is not known, or nobody has said."""
    place = facilities().by_code.get(code)
    if place is None:
        return None
    hours = _hours(place.number)
    if not hours:
        return None
    return rules.next_opening(hours, after=after, time_zone=place.time_zone, closed=closed_days(place.number))
