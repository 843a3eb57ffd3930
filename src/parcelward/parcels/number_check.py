"""Compare which item a number means, and since when, with what was recorded: part of `verify-log`.

A number that means another item shows another history under a true label. Which numbers were scanned, the log commits
to (`event_check`); here, that each item has one number since it was made, that a number passed on only where the log
has the acceptance that took it over or names the manifest that did, and that what was announced was on such a
manifest.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable
from typing import Final
from uuid import UUID

from parcelward.base import db
from parcelward.base.standards.steps import Step
from parcelward.custody import queries as custody
from parcelward.custody.queries import Findings
from parcelward.parcels.models import ItemKind

MANIFEST_KIND: Final = "parcels.manifest"
SOLD_KIND: Final = "parcels.sold"

# What is wrong -> the statement that finds one item of which it is so.
_PROBLEMS: Final = {
    "A number of the item begins or ends at another moment than the log's events say.": (
        # Each owner lets go later than the one before it; when each was made is by clocks that may differ.
        "WITH known AS (SELECT item, valid_to, lead(item) OVER (PARTITION BY number ORDER BY valid_to) AS next "
        "FROM parcels_itemalias) SELECT item FROM known k WHERE (valid_to IS NULL) <> (next IS NULL) "
        "OR (valid_to IS NOT NULL AND NOT EXISTS (SELECT FROM parcels_scan_event e "
        "WHERE e.item = k.next AND e.event_time = k.valid_to AND e.step = %(accepted)s) "
        "AND NOT EXISTS (SELECT FROM parcels_manifest m WHERE m.item = k.next AND m.event_time = k.valid_to)) LIMIT 1"
    ),
    "The item has no number, or no row of its own, or they are not of one moment.": (
        "SELECT coalesce(i.item, a.item) FROM parcels_item i FULL JOIN parcels_itemalias a ON a.item = i.item "
        "WHERE i.item IS NULL OR a.item IS NULL OR a.valid_from <> i.made_at LIMIT 1"
    ),
    "The item has more than one number.": (
        "SELECT item FROM parcels_itemalias GROUP BY item HAVING count(*) > 1 LIMIT 1"
    ),
    "The item was made at another moment than its first event or manifest was recorded.": (
        "SELECT i.item FROM parcels_scan_event e JOIN custody_logbatch l ON l.batch = e.batch "
        "JOIN parcels_item i ON i.item = e.item WHERE e.item_seq = 1 AND "
        # A clock that stepped back may have recorded it before the manifest, or the load, that had made it.
        "((i.kind = %(item)s AND i.announced_at IS NULL AND i.made_at <> l.record_time) OR (i.made_at > l.record_time "
        "AND i.made_at IS DISTINCT FROM i.announced_at AND NOT EXISTS (SELECT FROM parcels_scan_event o "
        "JOIN custody_logbatch p ON p.batch = o.batch WHERE o.receptacle = i.item AND p.record_time = i.made_at))) "
        "LIMIT 1"
    ),
    "The item was announced at another moment than it was sold or its first manifest came, or without either.": (
        "SELECT coalesce(i.item, m.item) FROM (SELECT item, announced_at FROM parcels_item "
        "WHERE announced_at IS NOT NULL) i FULL JOIN (SELECT item, min(record_time) AS at FROM "
        "(SELECT item, record_time FROM parcels_manifest UNION ALL SELECT item, sold_at FROM parcels_solditem) told "
        "GROUP BY item) m ON m.item = i.item WHERE i.announced_at IS DISTINCT FROM m.at LIMIT 1"
    ),
}


def check_numbers(findings: Findings) -> None:
    """Note one item for each way in which a number can have been turned; none of these has a place in the log."""
    with db.cursor() as cur:
        for what, statement in _PROBLEMS.items():
            cur.execute(statement, {"accepted": int(Step.ACCEPTED), "item": int(ItemKind.ITEM)})
            row = cur.fetchone()
            if row is not None:
                findings.note(what, differs="number", item=row[0])
    _check_manifests(findings)
    _check_sold(findings)


_SINCE_2000: Final = "(extract(epoch FROM {} - timestamptz '2000-01-01 00:00:00+00') * 1000000)::bigint"
_LINES: Final = (  # each manifest's lines as they came together: how many, and their `lines_hash`
    f"SELECT m.id, m.source, {_SINCE_2000.format('m.record_time')}, count(DISTINCT m.item), "  # noqa: S608 -- our own words
    "encode(sha256(convert_to(string_agg(m.item || ' ' || coalesce(a.number, '') || ' ' || m.facility || ' ' || "
    f"{_SINCE_2000.format('m.event_time')}, E'\n' ORDER BY m.item), 'UTF8')), 'hex') "
    "FROM parcels_manifest m LEFT JOIN parcels_itemalias a ON a.item = m.item GROUP BY m.id, m.source, m.record_time"
)


def lines_hash(lines: Iterable[tuple[UUID, str]], *, facility: int, event_time: dt.datetime) -> str:
    """Return the hash of (item, number) of lines of a manifest that came together, as the log is told.

    Nothing else commits to which number an item has that nobody has scanned yet.
    """
    told = (f"{item} {number} {facility} {db.pg_micros(event_time)}" for item, number in sorted(lines))
    return hashlib.sha256("\n".join(told).encode()).hexdigest()


def numbers_hash(found: Iterable[tuple[UUID, str]]) -> str:
    """Return the hash of (item, number) of items that were sold together, as the log is told."""
    return hashlib.sha256("\n".join(f"{item} {number}" for item, number in sorted(found)).encode()).hexdigest()


_SOLD: Final = (
    f"SELECT s.item, s.source, {_SINCE_2000.format('s.sold_at')}, coalesce(a.number, '') FROM parcels_solditem s "  # noqa: S608 -- our own words
    "LEFT JOIN LATERAL (SELECT number FROM parcels_itemalias WHERE item = s.item ORDER BY number LIMIT 1) a ON true"
)


def _check_sold(findings: Findings) -> None:
    """See that what was sold together has the numbers that the log's entry says, and nothing else was sold."""
    with db.cursor() as cur:
        cur.execute(_SOLD)
        rows = {str(item): (item, number, source, at) for item, source, at, number in cur.fetchall()}
    for _, said, index in custody.told(SOLD_KIND):
        mine = [rows.pop(item) for item in said["items"] if item in rows]
        same = {row[2:] for row in mine} == {(said["by"], said["recorded_us"])}
        if not same or numbers_hash(row[:2] for row in mine) != said["numbers"]:
            findings.note("Items that were sold together have other numbers than logged.", differs="sold", index=index)
    for item, *_ in rows.values():
        findings.note("An item is in the table of what was sold, and no entry says so.", differs="sold", item=item)


def _check_manifests(findings: Findings) -> None:
    """See that each manifest has the lines that the log's entries about it say: how many, and which."""
    with db.cursor() as cur:
        cur.execute(_LINES)
        rows = cur.fetchall()
    stored = {(manifest, source, at): lines for manifest, source, at, _, lines in rows}
    counted: dict[tuple[str, int], int] = {}
    for manifest, source, _, n, _ in rows:
        counted[manifest, source] = counted.get((manifest, source), 0) + int(n)
    for _, said, index in custody.told(MANIFEST_KIND):
        key = said["manifest"], said["by"]
        counted[key] = counted.get(key, 0) - said["items"]
        # An entry of an older version says only how many.
        if "lines" in said and stored.get((*key, said["recorded_us"])) != said["lines"]:
            what = f"Manifest {said['manifest']} has other items, numbers, places or times than logged."
            findings.note(what, differs="manifest", index=index)
    for (manifest, _), difference in counted.items():
        if difference:
            what = (
                f"Manifest {manifest} has {abs(difference)} items {'more' if difference > 0 else 'fewer'} than logged."
            )
            findings.note(what, differs="manifest")
