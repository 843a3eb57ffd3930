"""What a browser or a court needs to check an item's events against the log. Part of the room's queries.

Timeline, proof page and proofs answer all show the same events: the item's newest EVENTS_AT_ONCE_MAX, by its own count.
"""

from __future__ import annotations

import base64
import datetime as dt
import os
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from parcelward.base import config, db
from parcelward.base.standards import identify
from parcelward.base.standards.steps import Step
from parcelward.custody import queries as custody
from parcelward.custody.wire import EVENTS_AT_ONCE_MAX, NONCE_SIZE, ItemKeys, Opened, open_body
from parcelward.network import queries as network
from parcelward.parcels import rules
from parcelward.parcels.errors import RecordChanged
from parcelward.parcels.models import Item, ItemAlias, ItemStatus
from parcelward.parcels.rules import Seen


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """One event as its clear columns have it, for the page on which a browser compares it with what was committed."""

    event_id: UUID
    event_time: dt.datetime
    step: Step
    place_code: str
    place_name: str
    corrected: bool  # a later event declares it wrong
    correction: bool  # it declares another one wrong


def first_number(item: UUID) -> str:
    """Return the number that an item was known by first; empty where it has none."""
    return ItemAlias.objects.filter(item=item).order_by("valid_from").values_list("number", flat=True).first() or ""


def shown_events(item: UUID, status: ItemStatus) -> list[tuple[Seen, int, int, int]]:
    """Return (event, batch, leaf, item_seq) of the item's newest events, in the order of the world.

    Only the partitions between its first and its last event are read.
    """
    if status.first_time is None or status.last_time is None:
        return []
    with db.cursor(binary=True) as cur:
        cur.execute(
            "SELECT event_time, source, sequence, position, event_id, step, facility, flags, receptacle, corrects, "
            "batch, leaf, item_seq FROM parcels_scan_event WHERE item = %s AND event_time BETWEEN %s AND %s "
            "AND item_seq > %s ORDER BY event_time, source, sequence, position, event_id",
            (item, status.first_time, status.last_time, status.item_seq - EVENTS_AT_ONCE_MAX),
            binary=True,
        )
        return [(Seen._make((*row[:10], None)), row[10], row[11], row[12]) for row in cur]


def proven_before(item: UUID, item_seq: int, size: int) -> int:
    """Return how many of the item's events up to that one a checkpoint of `size` entries covers."""
    if item_seq < 1:
        return 0
    with db.cursor() as cur:
        cur.execute(
            "SELECT count(*) FROM parcels_scan_event e JOIN custody_logbatch l ON l.batch = e.batch "
            "WHERE e.item = %s AND e.item_seq <= %s AND l.first_index + e.leaf < %s",
            (item, item_seq, size),
        )
        row = cur.fetchone()
    return int(row[0]) if row else 0


def recorded(item: UUID) -> tuple[RecordedEvent, ...]:
    """Return the events that `proofs` proves, newest first, corrections included."""
    events = [seen for seen, *_ in shown_events(item, ItemStatus.objects.get(item=item))]
    places, void = network.facilities().by_number, rules.voided(events)
    rows = []
    for seen in reversed(events):
        place = places.get(seen.facility)
        code, name = (place.code, place.name) if place else ("", "")
        corrected, correction = seen[:5] in void, seen.corrects is not None
        rows.append(RecordedEvent(seen.event_id, seen.event_time, Step(seen.step), code, name, corrected, correction))
    return tuple(rows)


def _sealed_for_addressee(keys: ItemKeys, event_id: bytes, opened: Opened) -> str:
    """Return the addressee's group with its salt, encrypted: only who holds the view key of the link can read it."""
    if not opened.groups["addressee"]:
        return ""
    nonce = os.urandom(NONCE_SIZE)
    said = opened.salts["addressee"] + opened.groups["addressee"]
    sealed = AESGCM(keys.link()).encrypt(nonce, said, event_id)
    return base64.b64encode(nonce + sealed).decode()


def proofs(item: UUID) -> dict[str, Any]:
    """Return the item's events opened as far as the public may see, with places in the log (docs: /proofs)."""
    settings = config.get()
    known = Item.objects.get(item=item)
    keys = custody.item_keys([item]).get(item)
    with db.cursor(binary=True) as cur:
        cur.execute(
            "SELECT event_id, batch, leaf, body, item_seq FROM parcels_scan_event WHERE item = %s "
            "ORDER BY item_seq DESC LIMIT %s",
            (item, EVENTS_AT_ONCE_MAX),
            binary=True,
        )
        rows = cur.fetchall()[::-1]
    at = custody.places(row[1] for row in rows)
    size = custody.published_size(settings)
    entries = custody.commitments(at.values()) if keys is None else {}
    events = []
    for event_id, batch, leaf, body, _ in rows:
        place = at.get(batch)
        index = None if place is None or place.first_index + leaf >= size else place.first_index + leaf
        if keys is None:
            events.append(_closed(event_id, index, None if place is None else entries[batch][leaf]))
        else:
            try:
                events.append(_opened(keys, event_id, bytes(body), index))
            except InvalidTag:
                raise RecordChanged(
                    "What was recorded about this item was changed afterwards, so its history cannot be proven"
                ) from None
    tombstone = custody.tombstone_entry(item) if keys is None else None
    return {
        "object": "proofs",
        "item_id": identify.item_id(item),
        "number": first_number(item),
        "mode": settings.mode,
        "simulated": known.simulated,
        "origin": settings.origin,
        "vkeys": list(custody.vkeys(settings)),
        "witness_vkeys": list(custody.witness_vkeys(settings)),
        "witness_quorum": settings.witness_quorum,
        "shredded": keys is None and bool(rows),
        "tombstone": None if tombstone is None else _entry(tombstone, size),
        "events_total": rows[-1][4] if rows else 0,
        "events": events,
    }


def _entry(entry: custody.Entry, size: int) -> dict[str, Any]:
    """Return an entry in clear, with its place once the published checkpoint covers it."""
    covered = entry.log_index is not None and entry.log_index < size
    return {
        "log_index": entry.log_index if covered else None,
        "body": entry.body.decode(),
        "salt": entry.salt.hex(),
        "commitment": entry.commitment.hex(),
    }


def _closed(event_id: UUID, index: int | None, commitment: bytes | None) -> dict[str, Any]:
    """Return what is left of an event whose secret was destroyed: that its commitment is in the log."""
    said = None if commitment is None else commitment.hex()
    return {"event_id": str(event_id), "log_index": index, "public": None, "commitment": said}


def _opened(keys: ItemKeys, event_id: UUID, body: bytes, index: int | None) -> dict[str, Any]:
    opened = open_body(keys, event_id.bytes, body)
    return {
        "event_id": str(event_id),
        "log_index": index,
        "public": {"canon": opened.groups["public"].decode(), "salt": opened.salts["public"].hex()},
        "groups": {name: opened.group_hashes[name].hex() for name in ("addressee", "operations", "restricted")},
        "body_hash": opened.body_hash.hex(),
        "commitment": opened.commitment.hex(),
        "addressee_sealed": _sealed_for_addressee(keys, event_id.bytes, opened),
    }
