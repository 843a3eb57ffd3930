"""The EPCs that only our own scans carry, a page at a time. Private to the room."""

from __future__ import annotations

from typing import Final

from parcelward.base import db
from parcelward.parcels.epcis import numbers
from parcelward.parcels.epcis.rows import NUMBER_PREFIX

CHUNK_MIN: Final = 100
EXAMINED_MAX: Final = 5_000  # numbers looked at for one page; a page may be short and still have a next one

_NEXT: Final = (  # a scan is told under the first number of its item; a captured event brings its own spelling
    "SELECT n.number, EXISTS (SELECT FROM parcels_itemalias a WHERE a.number = n.number "
    "AND NOT EXISTS (SELECT FROM parcels_itemalias b WHERE b.item = a.item AND b.valid_from < a.valid_from) "
    "AND NOT EXISTS (SELECT FROM custody_tombstone t WHERE t.item = a.item) "
    "AND (EXISTS (SELECT FROM parcels_item_status s WHERE s.item = a.item AND s.item_seq > 0) "
    "OR EXISTS (SELECT FROM parcels_scan_event e WHERE e.receptacle = a.item))) "
    "AND NOT EXISTS (SELECT FROM parcels_epcis_event c WHERE c.epcs && ARRAY[%s || n.number]) "
    "FROM (SELECT DISTINCT number FROM parcels_itemalias WHERE number > %s ORDER BY number LIMIT %s) AS n "
    "ORDER BY n.number"
)


def page(after: str, limit: int, *, public_url: str) -> tuple[list[str], str | None]:
    """Return up to `limit` EPCs in the order of their numbers, and the number to go on after; None at the end."""
    found: list[str] = []
    examined, chunk = 0, max(limit + 1, CHUNK_MIN)
    while True:
        with db.cursor() as cur:
            cur.execute(_NEXT, (NUMBER_PREFIX, after, chunk))
            looked_at = cur.fetchall()
        for number, carried in looked_at:
            if carried and len(found) == limit:
                return found, after
            if carried:
                found.append(numbers.epc_of(number, public_url))
            after = number
        examined += len(looked_at)
        if len(looked_at) < chunk:
            return found, None
        if examined > EXAMINED_MAX:
            return found, after
