"""Compare places, lanes and closed days with the entries that described them: part of `verify-log`.

Where a place is and what it is called, the public reads beside each event, also of places that no event names yet.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from parcelward.base import db
from parcelward.custody.queries import Findings

FACILITY: Final = "network.facility"
LANE: Final = "network.lane"
CLOSED: Final = "network.closed_day"

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
    CLOSED: (
        ("code", "day"),
        (
            "SELECT coalesce(f.code, '') AS code, c.day::text AS day FROM network_closedday c "
            "LEFT JOIN network_facility f ON f.number = c.facility_id"
        ),
    ),
}
_WORDS: Final = {FACILITY: "Facility", LANE: "Lane", CLOSED: "Closed day"}


def check_network(findings: Findings) -> None:
    """Note every place, lane and closed day that is not as the newest entry about it says."""
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


def _from_entries(kind: str, named_by: tuple[str, ...]) -> dict[tuple[str, ...], tuple[Mapping[str, Any], int | None]]:
    """Return the newest entry about each thing, and its place in the log."""
    told: dict[tuple[str, ...], tuple[Mapping[str, Any], int | None]] = {}
    with db.cursor() as cur:
        cur.execute(
            "SELECT f.body, l.first_index + f.leaf FROM custody_fact f LEFT JOIN custody_logbatch l "
            "ON l.batch = f.batch WHERE f.kind = %s ORDER BY l.first_index NULLS LAST, f.batch, f.leaf",
            (kind,),
        )
        for packed, index in cur.fetchall():
            said = json.loads(bytes(packed))
            told[tuple(said[field] for field in named_by)] = said, index
    return told


def _rows(statement: str) -> list[dict[str, Any]]:
    with db.cursor() as cur:
        cur.execute(statement)
        names = [column.name for column in cur.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cur.fetchall()]
