"""Everything that an attack must leave as it was, in one value."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from django.db import connections

_STATE = {
    "events": "SELECT count(*) FROM parcels_scan_event",
    "items": "SELECT count(*), max(made_at) FROM parcels_item",
    "statuses": "SELECT md5(string_agg(s::text, '|' ORDER BY item)) FROM parcels_item_status s",
    # What is, or is about to be, in the log; but for what the worker does of itself meanwhile, in its own name, and
    # what a payment provider says meanwhile, which is in nobody's.
    "log": (
        "SELECT count(*), sum(n) FROM custody_batch b WHERE NOT EXISTS (SELECT 1 FROM custody_fact f "
        "JOIN people_source s ON s.kind = 'house' WHERE f.batch = b.id "
        "AND (convert_from(f.body, 'UTF8')::jsonb ->> 'by' = s.number::text OR (f.kind LIKE 'payments.%' "
        "AND convert_from(f.body, 'UTF8')::jsonb ->> 'by' IS NULL)))"
    ),
    "answers": "SELECT count(*) FROM parcels_submission",
    "marks": "SELECT md5(string_agg(source || ':' || high_sequence, '|' ORDER BY source)) FROM parcels_sourcemark",
    "quarantine": "SELECT count(*) FROM parcels_quarantine",
    "facilities": "SELECT md5(string_agg(f::text, '|' ORDER BY number)) FROM network_facility f",
    "lanes": "SELECT count(*) FROM network_lane",
    "devices": "SELECT count(*), count(revoked_at) FROM people_device",
    "keys": "SELECT md5(string_agg(k::text, '|' ORDER BY id)) FROM people_apikey k",
    "grants": "SELECT md5(string_agg(g::text, '|' ORDER BY id)) FROM people_spendgrant g",
    "enrolments": "SELECT md5(string_agg(e::text, '|' ORDER BY id)) FROM people_enrolment e",
    "people": "SELECT md5(string_agg(u::text, '|' ORDER BY id)) FROM people_user u",
}


def state() -> dict[str, tuple[object, ...]]:
    """Return what is recorded now."""
    found = {}
    with connections["default"].cursor() as cur:
        for name, statement in _STATE.items():
            cur.execute(statement)
            found[name] = cur.fetchone()
    return found


@contextlib.contextmanager
def untouched(*except_for: str) -> Iterator[None]:
    """Fail when anything but what is named has changed at the end of the block."""
    before = state()
    yield
    after = state()
    changed = {name: (before[name], after[name]) for name in before if before[name] != after[name]}
    assert set(changed) <= set(except_for), changed
