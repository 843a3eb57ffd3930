"""Receptacles that are said to be inside each other: loadings that cannot all be true, so a person looks."""

from __future__ import annotations

from uuid import UUID

from parcelward.base import db
from parcelward.parcels.actions.work import Nested, Work
from parcelward.parcels.containment import NESTING_MAX

_AROUND = (  # from each receptacle outwards, until it comes back to itself or there is nothing more around it
    "WITH RECURSIVE around(start, path) AS (SELECT u.item, ARRAY[]::uuid[] FROM unnest(%s::uuid[]) AS u(item) "
    "UNION ALL SELECT a.start, a.path || s.receptacle FROM around a JOIN parcels_item_status s "
    "ON s.item = coalesce(a.path[cardinality(a.path)], a.start) WHERE s.receptacle IS NOT NULL "
    "AND cardinality(a.path) < %s AND NOT a.start = ANY(a.path)) "
    "SELECT uuid_send(start), path FROM around WHERE start = ANY(path)"
)


def note_cycles(work: Work) -> None:
    """Ask for a person where a receptacle was loaded into one that is inside it, at once or by way of others.

    Looks at the statuses as they are now, in the caller's transaction, which has written its own. Only loadings into
    what is itself inside something cost a statement, one for all of them; a ring is one alert, about its newest loading
    here. Two loadings that make a ring between them and are recorded in the same instant do not see each other.
    """
    loaded = {
        one.thing.item: one
        for one in sorted(work.nested, key=lambda one: (one.event_us, one.event_id))
        if one.outer.status.receptacle is not None and one.thing.status.receptacle == one.outer.item
    }
    if not loaded:
        return
    with db.cursor(binary=True) as cur:
        cur.execute(_AROUND, (db.uuid_array(sorted(loaded)), NESTING_MAX), binary=True)
        rings: dict[frozenset[UUID], list[Nested]] = {}
        for item, path in cur:
            rings.setdefault(frozenset(path), []).append(loaded[item])
    for ring in rings.values():
        newest = max(ring, key=lambda one: (one.event_us, one.event_id))
        said = {"into": newest.outer.number}
        work.after.alert("containment_cycle", newest.thing.item, newest.event_id, newest.facility, said)
