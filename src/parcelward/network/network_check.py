"""Compare places, lanes and calendars with the entries that described them: part of `verify-log`.

Where a place is and what it is called, the public reads beside each event, also of places that no event names yet.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Final

from parcelward.base import db
from parcelward.custody import queries as custody
from parcelward.custody.queries import Findings
from parcelward.network.wire import RouteRow

FACILITY: Final = "network.facility"
LANE: Final = "network.lane"
CALENDAR: Final = "network.calendar"
ROUTES: Final = "network.routes"

# What is described -> (the entry's fields that name it, the rows as the entry spells them).
_TABLES: Final = {
    FACILITY: (
        ("code",),
        (
            "SELECT code, number, name, kind AS facility_kind, country, time_zone, coarse_place, longitude, latitude, "
            "gln, simulated FROM network_facility"
        ),
    ),
    LANE: (
        ("origin", "destination"),
        (
            "SELECT o.code AS origin, d.code AS destination, l.usual_duration_s, l.departures, l.mode "
            "FROM network_lane l JOIN network_facility o ON o.number = l.origin_id "
            "JOIN network_facility d ON d.number = l.destination_id"
        ),
    ),
}
_WORDS: Final = {FACILITY: "Facility", LANE: "Lane"}
_CLOSED_DAYS: Final = (
    "SELECT coalesce(f.code, '') AS code, c.day::text AS said FROM network_closedday c "
    "LEFT JOIN network_facility f ON f.number = c.facility_id"
)
_ROUTES: Final = (
    "SELECT r.country, r.prefix, o.code AS office, h.code AS hub, r.round_code FROM network_route r "
    "JOIN network_facility o ON o.number = r.office_id JOIN network_facility h ON h.number = r.hub_id"
)
_HOURS: Final = (
    "SELECT f.code, o.weekday || ' ' || to_char(o.opens, 'HH24:MI') || '-' || to_char(o.closes, 'HH24:MI') AS said "
    "FROM network_openinghours o JOIN network_facility f ON f.number = o.facility_id"
)
Named = tuple[str, ...]


def check_network(findings: Findings) -> None:
    """Note every place, lane, closed day and opening that is not as the newest entry about it says."""
    _check_calendars(findings)
    _check_routes(findings)
    for kind, (named_by, statement) in _TABLES.items():
        told = _from_entries(kind, named_by)
        for row in _rows(statement):
            name = tuple(row[field] for field in named_by)
            words = f"{_WORDS[kind]} {' '.join(name)}".strip()
            said, index = told.pop(name, (None, None))
            if said is None:
                findings.note(f"{words} is in the table and no entry described it.", differs="network")
                continue
            differing = [field for field, value in row.items() if field in said and said[field] != value]
            if differing:
                what = f"{words} is not as it was described: {', '.join(differing)}."
                findings.note(what, differs="network", index=index)
        for name, (_, index) in told.items():
            what = f"{_WORDS[kind]} {' '.join(name)} was described and is gone."
            findings.note(what, differs="network", index=index)


def _check_calendars(findings: Findings) -> None:
    """Compare closed days and hours: the newest entry says all those of a place, or of the whole network."""
    days: dict[Named, int | None] = {}
    hours: dict[Named, int | None] = {}
    for _, said, index in custody.told(CALENDAR):
        code = said["code"]
        for told, field in ((days, "closed_days"), (hours, "opening_hours")):
            for name in [name for name in told if name[0] == code]:
                del told[name]
            told.update({(code, one): index for one in said[field]})
    for words, told, statement in (("Closed day", days, _CLOSED_DAYS), ("Opening", hours, _HOURS)):
        for row in _rows(statement):
            name = row["code"], row["said"]
            if name not in told:
                what = f"{words} {' '.join(name)}".replace("  ", " ")
                findings.note(f"{what} is in the table and no entry described it.", differs="network")
            told.pop(name, None)
        for name, index in told.items():
            what = f"{words} {' '.join(name).strip()} was described and is gone."
            findings.note(what, differs="network", index=index)


def routes_hash(rows: Iterable[RouteRow]) -> str:
    """Return what stands for a whole table of routes, in order."""
    lines = (f"{r.country}\t{r.prefix}\t{r.office}\t{r.hub}\t{r.round_code}" for r in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _check_routes(findings: Findings) -> None:
    """Compare the table of routes with the newest entry of it: a changed row would send items elsewhere."""
    rows = tuple(sorted(RouteRow(**row) for row in _rows(_ROUTES)))
    told = [(said["table"], index) for _, said, index in custody.told(ROUTES)]
    if not told and rows:
        findings.note("Routes are in the table and no entry described them.", differs="network")
    elif told and told[-1][0] != routes_hash(rows):
        findings.note("The table of routes is not as it was described.", differs="network", index=told[-1][1])


def _from_entries(kind: str, named_by: Named) -> dict[Named, tuple[Mapping[str, Any], int | None]]:
    """Return the newest entry about each thing, and its place in the log."""
    return {tuple(said[field] for field in named_by): (said, index) for _, said, index in custody.told(kind)}


def _rows(statement: str) -> list[dict[str, Any]]:
    with db.cursor() as cur:
        cur.execute(statement)
        names = [column.name for column in cur.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cur.fetchall()]
