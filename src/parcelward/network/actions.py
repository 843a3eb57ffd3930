"""Describe places, lanes and calendars. Sending the same description twice changes nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import transaction

from parcelward.base import db
from parcelward.base.errors import Invalid, NotFound, Problem
from parcelward.custody import actions as custody
from parcelward.network import queries, rules
from parcelward.network.errors import BadFacility, Changed
from parcelward.network.models import ClosedDay, Facility, Lane, OpeningHours, Route
from parcelward.network.network_check import CALENDAR, FACILITY, LANE, ROUTES, routes_hash
from parcelward.network.wire import LANE_DURATION_MAX_S, ROUTES_MAX, CalendarRow, Hours, RouteRow, version_of
from parcelward.people.queries import require
from parcelward.people.wire import Person, Task


@transaction.atomic
def put_facility(  # noqa: PLR0913 -- a place's description, all by name
    code: str,
    *,
    name: str,
    kind: str,
    country: str,
    time_zone: str,
    coarse_place: str,
    position: tuple[float, float] | None,
    simulated: bool,
    by: Person,
    gln: str = "",
    if_match: str = "",
) -> int:
    """Store or change a place; return its number. Raises BadFacility with every problem found.

    With `if_match` (versions as the wire gives them, or *) it is changed only where it is still as described there;
    else Changed is raised.
    """
    require(by, Task.EDIT_NETWORK)
    problems = rules.facility_problems(
        code=code,
        kind=kind,
        country=country,
        time_zone=time_zone,
        position=position,
        texts={"name": name, "coarse_place": coarse_place},
    )
    if problems:
        raise BadFacility("The facility cannot be as described", problems=problems)
    wanted = {
        "name": name,
        "kind": kind,
        "country": country,
        "time_zone": time_zone,
        "coarse_place": coarse_place,
        "longitude": None if position is None else position[0],
        "latitude": None if position is None else position[1],
        "gln": gln,
        "simulated": simulated,
    }
    known = Facility.objects.select_for_update().filter(code=code).first()
    _require_unchanged(if_match, None if known is None else queries.row_of(known).version)
    if known is not None and all(getattr(known, key) == value for key, value in wanted.items()):
        return known.number
    facility, _ = Facility.objects.update_or_create(code=code, defaults=wanted)
    said = {name: value for name, value in wanted.items() if name != "kind"}
    custody.record_fact(
        FACILITY, {"by": by.source, "code": code, "facility_kind": kind, "number": facility.number, **said}
    )
    queries.forget()
    return facility.number


@transaction.atomic
def put_lane(
    origin: str,
    destination: str,
    *,
    usual_duration_s: int,
    departures: Sequence[str],
    mode: str,
    by: Person,
    if_match: str = "",
) -> None:
    """Store or change the usual way between two places. Raises NotFound for an unknown place, Changed as above."""
    require(by, Task.EDIT_NETWORK)
    if not 0 < usual_duration_s <= LANE_DURATION_MAX_S:
        raise Invalid("A lane takes from 1 second to 60 days", code="bad_duration")
    if not rules.MODE.fullmatch(mode):
        raise Invalid("A mode is a word of small letters such as road or air", code="bad_mode")
    if not (rules.CODE.fullmatch(origin) and rules.CODE.fullmatch(destination)):
        raise NotFound("One of the lane's ends is not a known facility; describe it first")
    wrong = [i for i, text in enumerate(departures) if not rules.DEPARTURE.fullmatch(text)]
    if wrong:
        raise Invalid(
            "Departures are local times HH:MM",
            code="bad_departure",
            problems=tuple(Problem(f"/departures/{i}", "bad_departure", "Write HH:MM, 00:00 to 23:59") for i in wrong),
        )
    ends = {f.code: f for f in Facility.objects.filter(code__in=[origin, destination])}
    if len(ends) != len({origin, destination}):
        raise NotFound("One of the lane's ends is not a known facility; describe it first")
    wanted = {"usual_duration_s": usual_duration_s, "departures": list(departures), "mode": mode}
    known = Lane.objects.select_for_update().filter(origin=ends[origin], destination=ends[destination]).first()
    seen = None if known is None else version_of(known.mode, known.usual_duration_s, tuple(known.departures))
    _require_unchanged(if_match, seen)
    if known is not None and all(getattr(known, key) == value for key, value in wanted.items()):
        return
    Lane.objects.update_or_create(origin=ends[origin], destination=ends[destination], defaults=wanted)
    custody.record_fact(LANE, {"by": by.source, "origin": origin, "destination": destination, **wanted})


def _require_unchanged(if_match: str, version: str | None) -> None:
    """Raise Changed unless one of the versions in `if_match` is the present one; empty asks for nothing."""
    if not if_match:
        return
    wanted = {text.strip().removeprefix('"').removesuffix('"') for text in if_match.split(",")}
    if version is None or ("*" not in wanted and version not in wanted):
        raise Changed("This was changed since you read it, or is not there. Read it again, then change it.")


@transaction.atomic
def put_calendar(
    code: str, *, hours: Sequence[Hours], closed_days: Sequence[dt.date], by: Person, if_match: str = ""
) -> None:
    """Store or change when a place works, whole. Raises NotFound, Invalid with every problem, Changed as above."""
    require(by, Task.EDIT_NETWORK)
    _require_sound(hours, closed_days)
    place = Facility.objects.select_for_update().filter(code=code).first() if rules.CODE.fullmatch(code) else None
    known = None if place is None else queries.calendar(code)
    if place is None or known is None:
        raise NotFound("No such facility; describe it first")
    _store_calendar(place, known, hours=hours, closed_days=closed_days, by=by, if_match=if_match)


@transaction.atomic
def put_network_calendar(*, closed_days: Sequence[dt.date], by: Person, if_match: str = "") -> None:
    """Store or change on which days the whole network rests, whole. Raises Invalid, Changed as above."""
    require(by, Task.EDIT_NETWORK)
    _require_sound((), closed_days)
    with db.cursor() as cur:  # there is no row that stands for the network, so two at once wait for each other here
        cur.execute("LOCK TABLE network_closedday IN SHARE ROW EXCLUSIVE MODE")
    known = queries.network_calendar()
    _store_calendar(None, known, hours=(), closed_days=closed_days, by=by, if_match=if_match)


def _require_sound(hours: Sequence[Hours], closed_days: Sequence[dt.date]) -> None:
    problems = rules.calendar_problems(hours, closed_days)
    if problems:
        raise Invalid("The calendar cannot be as described", code="bad_calendar", problems=problems)


def _store_calendar(
    place: Facility | None,
    known: CalendarRow,
    *,
    hours: Sequence[Hours],
    closed_days: Sequence[dt.date],
    by: Person,
    if_match: str,
) -> None:
    """Put a calendar in the place of the known one; no place means the whole network. Its entry says all of it."""
    wanted = CalendarRow(tuple(sorted(hours, key=lambda h: h.weekday)), tuple(sorted(set(closed_days))))
    _require_unchanged(if_match, known.version)
    if wanted == known:
        return
    if place is not None:
        OpeningHours.objects.filter(facility=place).delete()
        OpeningHours.objects.bulk_create(
            OpeningHours(
                facility=place,
                weekday=one.weekday,
                opens=dt.time.fromisoformat(one.opens),
                closes=dt.time.fromisoformat(one.closes),
            )
            for one in wanted.hours
        )
    ClosedDay.objects.filter(facility=place).delete()
    ClosedDay.objects.bulk_create(ClosedDay(facility=place, day=day) for day in wanted.closed_days)
    custody.record_fact(
        CALENDAR,
        {
            "by": by.source,
            "code": "" if place is None else place.code,
            "closed_days": [day.isoformat() for day in wanted.closed_days],
            "opening_hours": [f"{one.weekday} {one.opens}-{one.closes}" for one in wanted.hours],
        },
    )


@transaction.atomic
def put_routes(rows: Sequence[RouteRow], *, by: Person) -> None:
    """Say who delivers where, as a whole. The same again changes nothing. Raises Invalid with every problem."""
    require(by, Task.EDIT_NETWORK)
    if len(rows) > ROUTES_MAX:
        raise Invalid(f"A table of routes has at most {ROUTES_MAX} rows", code="too_many")
    numbers = dict(Facility.objects.values_list("code", "number"))
    problems = rules.route_problems(rows, numbers)
    if problems:
        raise Invalid("The routes cannot be as described; nothing was changed", code="bad_routes", problems=problems)
    with db.cursor() as cur:  # two at once take turns, as with the network's calendar
        cur.execute("LOCK TABLE network_route IN SHARE ROW EXCLUSIVE MODE")
    wanted = tuple(sorted(rows))
    if wanted == queries.routes():
        return
    Route.objects.all().delete()
    Route.objects.bulk_create(
        [
            Route(
                country=row.country,
                prefix=row.prefix,
                office_id=numbers[row.office],
                hub_id=numbers[row.hub],
                round_code=row.round_code,
            )
            for row in wanted
        ],
        batch_size=5_000,
    )
    custody.record_fact(ROUTES, {"by": by.source, "routes": len(wanted), "table": routes_hash(wanted)})
    queries.forget()
