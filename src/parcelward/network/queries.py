"""Places and lanes. Facilities are few and asked for on every scan, so each process keeps them for seconds."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q

from parcelward.network import rules
from parcelward.network.models import ClosedDay, Facility, Lane
from parcelward.network.wire import FacilityRow, LaneRow

KEPT_S = 5.0  # how long another process may go on with the old name of a place


@dataclass(frozen=True, slots=True)
class Known:
    """All facilities, by code and by number."""

    by_code: dict[str, FacilityRow]
    by_number: dict[int, FacilityRow]
    read_at: float


_known = Known({}, {}, 0.0)


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
    global _known  # noqa: PLW0603 -- one process-wide copy, replaced whole
    _known = Known({}, {}, 0.0)


def expected_arrival(origin: int, destination: int, *, after: dt.datetime) -> dt.datetime | None:
    """Return when what leaves `origin` next usually arrives at `destination`, or None where no lane goes."""
    lane = Lane.objects.filter(origin_id=origin, destination_id=destination).first()
    place = facilities().by_number.get(origin)
    if lane is None or place is None:
        return None
    here = Q(facility_id=origin) | Q(facility_id__isnull=True)  # an empty facility is the whole network
    closed = set(ClosedDay.objects.filter(here).values_list("day", flat=True))
    leaves = (
        rules.next_departure(lane.departures, after=after, time_zone=place.time_zone, closed=closed)
        if lane.departures
        else after
    )
    return None if leaves is None else leaves + dt.timedelta(seconds=lane.usual_duration_s)
