"""When a place works and how long a lane usually takes: pure decisions."""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Collection, Mapping, Sequence
from zoneinfo import ZoneInfo, available_timezones

from parcelward.base.errors import Problem
from parcelward.network.wire import ANY_COUNTRY, FACILITY_KINDS, Hours, Opening, RouteRow

CODE = re.compile(r"[A-Z0-9][A-Z0-9._-]{1,19}")
MODE = re.compile(r"[a-z_]{1,10}")
DEPARTURE = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
TEXT_MAX = 80
SEARCH_DAYS_MAX = 60
CLOSED_DAYS_MAX = 366
PROBLEMS_MAX = 50


@functools.cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())  # reads a hundred folders: once is enough


def _is_zone(name: str) -> bool:
    return name in _zones()


def facility_problems(
    *,
    code: str,
    kind: str,
    country: str,
    time_zone: str,
    position: tuple[float, float] | None,
    texts: Mapping[str, str],
) -> tuple[Problem, ...]:
    """Return everything that is wrong with a place's description, each with its JSON Pointer."""
    found = []
    if not CODE.fullmatch(code):
        found.append(Problem("/code", "bad_code", "A code has 2 to 20 capital letters, digits, dots or hyphens"))
    if kind not in FACILITY_KINDS:
        found.append(Problem("/kind", "bad_kind", f"A kind is one of {', '.join(FACILITY_KINDS)}"))
    if not re.fullmatch(r"[A-Z]{2}", country):
        found.append(Problem("/country", "bad_country", "A country is its two-letter ISO 3166-1 code"))
    if not _is_zone(time_zone):
        found.append(Problem("/time_zone", "bad_time_zone", "A time zone is an IANA name such as America/Chicago"))
    if position is not None and not (-180 <= position[0] <= 180 and -90 <= position[1] <= 90):  # noqa: PLR2004 -- degrees
        found.append(Problem("/position", "bad_position", "A position is [longitude, latitude] in degrees"))
    found += [
        Problem(f"/{name}", "bad_text", f"Give 1 to {TEXT_MAX} characters that can be printed")
        for name, text in texts.items()
        if not (1 <= len(text) <= TEXT_MAX and text.isprintable())
    ]
    return tuple(found)


Routes = Mapping[tuple[str, str], RouteRow]
_COUNTRY = re.compile(r"[A-Z]{2}|\*")
_PREFIX = re.compile(r"[A-Z0-9]{0,10}")
_ROUND = re.compile(r"[A-Za-z0-9][A-Za-z0-9 /-]{0,19}")


def routed(routes: Routes, country: str, postcode: str) -> RouteRow | None:
    """Return the route with the longest beginning of a postcode; where its country has none, that of all others."""
    text = re.sub(r"[\s-]+", "", postcode).upper()
    for length in range(len(text), -1, -1):
        found = routes.get((country, text[:length]))
        if found is not None:
            return found
    return routes.get((ANY_COUNTRY, ""))


def route_problems(rows: Sequence[RouteRow], known: Collection[str]) -> tuple[Problem, ...]:
    """Return everything that is wrong with a table of routes; `known` are the codes of facilities."""
    found, seen = [], set()
    for at, row in enumerate(rows):
        where = f"/routes/{at}"
        if not _COUNTRY.fullmatch(row.country) or (row.country == ANY_COUNTRY and row.prefix):
            found.append(Problem(f"{where}/country", "bad_country", "Give a country's two letters, or * for the rest"))
        if not _PREFIX.fullmatch(row.prefix):
            words = "Write how postcodes begin, in capitals and digits without spaces"
            found.append(Problem(f"{where}/prefix", "bad_prefix", words))
        if (row.country, row.prefix) in seen:
            found.append(Problem(f"{where}/prefix", "twice", "This area stands in the table twice"))
        seen.add((row.country, row.prefix))
        if not _ROUND.fullmatch(row.round_code):
            words = "A round's code has 1 to 20 letters, digits, spaces, / and -"
            found.append(Problem(f"{where}/round_code", "bad_round", words))
        found += [
            Problem(f"{where}/{name}", "unknown_facility", "There is no such facility. Describe it first")
            for name, code in (("office", row.office), ("hub", row.hub))
            if code not in known
        ]
    return tuple(found[:PROBLEMS_MAX])


def next_departure(
    departures: Sequence[str], *, after: dt.datetime, time_zone: str, closed: Collection[dt.date]
) -> dt.datetime | None:
    """Return the next departure (HH:MM, local) at or after `after`, skipping closed days; None when there is none."""
    zone = ZoneInfo(time_zone)
    local = after.astimezone(zone)
    for days in range(SEARCH_DAYS_MAX):
        day = local.date() + dt.timedelta(days=days)
        if day in closed:
            continue
        for text in sorted(departures):
            leaves = dt.datetime.combine(day, dt.time.fromisoformat(text), zone)
            if leaves >= after:
                return leaves.astimezone(dt.UTC)
    return None


def calendar_problems(hours: Sequence[Hours], closed_days: Sequence[dt.date]) -> tuple[Problem, ...]:
    """Return everything that is wrong with a calendar, each with its JSON Pointer."""
    found = []
    for i, one in enumerate(hours):
        at = f"/opening_hours/{i}"
        if not 1 <= one.weekday <= 7:  # noqa: PLR2004 -- ISO 8601
            found.append(Problem(f"{at}/weekday", "bad_weekday", "A weekday is 1 (Monday) to 7 (Sunday)"))
        times = (("opens", one.opens), ("closes", one.closes))
        wrong = [name for name, text in times if not DEPARTURE.fullmatch(text)]
        found += [Problem(f"{at}/{name}", "bad_time", "Write HH:MM, 00:00 to 23:59") for name in wrong]
        if not wrong and one.opens >= one.closes:
            found.append(Problem(f"{at}/closes", "closes_early", "It closes later than it opens, on the same day"))
        if one.weekday in {other.weekday for other in hours[:i]}:
            found.append(Problem(f"{at}/weekday", "repeated", "Each weekday is named once"))
    if len(closed_days) > CLOSED_DAYS_MAX:
        found.append(Problem("/closed_days", "too_many", f"At most {CLOSED_DAYS_MAX} closed days are kept"))
    return tuple(found)


def next_opening(
    hours: Sequence[Hours], *, after: dt.datetime, time_zone: str, closed: Collection[dt.date]
) -> Opening | None:
    """Return when a place is open at or after `after`, which may lie inside; None when it is not for SEARCH_DAYS_MAX.

    The hours are what the clock on the wall shows, whatever the clocks did in the night before.
    """
    zone = ZoneInfo(time_zone)
    of_weekday = {one.weekday: one for one in hours}
    first = after.astimezone(zone).date()
    for days in range(SEARCH_DAYS_MAX):
        day = first + dt.timedelta(days=days)
        one = of_weekday.get(day.isoweekday())
        if one is None or day in closed:
            continue
        opens, closes = (dt.datetime.combine(day, dt.time.fromisoformat(t), zone) for t in (one.opens, one.closes))
        if closes.astimezone(dt.UTC) > after:
            return Opening(opens, closes)
    return None
