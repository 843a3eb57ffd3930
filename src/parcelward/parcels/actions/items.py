"""Make items, end numbers, and fold an item's events again."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping, Sequence
from typing import Protocol
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag

from parcelward.base import db
from parcelward.custody.wire import ItemKeys, open_group
from parcelward.parcels import rows, rules
from parcelward.parcels.rules import Mark, Observed, PackedSeen, PackedStatus, Seal, Seen, State, Status

_SEAL_M = int(Mark.SEAL)
_new = tuple.__new__  # see record.py


class _Seal(msgspec.Struct):
    did: str
    number: str
    replaces: str = ""


class _Details(msgspec.Struct):
    seal: _Seal


class _Operations(msgspec.Struct):
    """What a fold reads of an event's operations group."""

    details: _Details


_OPERATIONS = msgspec.json.Decoder(_Operations)


class NewItem(Protocol):
    """An item that is about to be stored."""

    number: str
    item: bytes
    kind: int
    simulated: bool
    touched: bool
    status: PackedStatus


def new_item_id(now: dt.datetime) -> UUID:
    """Return a version 7 UUID (RFC 9562 section 5.7): items made together lie together in every index."""
    return UUID(bytes=new_item_ids(1, now=now)[0])


def first_id_of(when: dt.datetime) -> UUID:
    """Return the smallest id that an item made at `when` may have."""
    return UUID(int=int(when.timestamp() * 1000) << 80)


def new_item_ids(count: int, *, now: dt.datetime) -> list[bytes]:
    """Return version 7 UUIDs as their 16 bytes."""
    millis, chance = int(now.timestamp() * 1000) << 80 | 0x7 << 76, os.urandom(10 * count)
    keep = (1 << 76) - 1 & ~(0x3 << 62)
    return [
        (millis | int.from_bytes(chance[at : at + 10], "big") & keep | 0x2 << 62).to_bytes(16, "big")
        for at in range(0, 10 * count, 10)
    ]


def insert_items(things: Sequence[NewItem], *, now: dt.datetime) -> None:
    """Store new items and their numbers in the caller's transaction.

    Raises psycopg.errors.UniqueViolation when another transaction made one of the numbers meanwhile.
    """
    ordered = sorted(things, key=lambda t: t.number)
    with db.cursor() as cur:
        cur.execute(
            "INSERT INTO parcels_itemalias (number, valid_from, item) SELECT n, %s, i "
            "FROM unnest(%s::text[], %s::uuid[]) AS u(n, i)",
            (now, db.text_array([t.number for t in ordered]), ids := db.uuid_array([t.item for t in ordered])),
            binary=True,
        )
        cur.execute(
            "INSERT INTO parcels_item (item, kind, simulated, made_at) SELECT i, k, s, %s "
            "FROM unnest(%s::uuid[], %s::smallint[], %s::bool[]) AS u(i, k, s)",
            (now, ids, [t.kind for t in ordered], [t.simulated for t in ordered]),
        )


def unmake(things: Sequence[NewItem]) -> None:
    """Take back what `insert_items` stored in this transaction. Their secrets stay behind, and open nothing."""
    made = db.uuid_array([t.item for t in things])
    with db.cursor() as cur:
        cur.execute("DELETE FROM parcels_itemalias WHERE item = ANY(%s::uuid[])", (made,))
        cur.execute("DELETE FROM parcels_item WHERE item = ANY(%s::uuid[])", (made,))


def insert_blank_statuses(things: Sequence[NewItem]) -> None:
    """Give items that were only named, not seen, a status that says so."""
    with db.cursor() as cur:
        cur.execute(
            "INSERT INTO parcels_item_status (item, kind, flags) SELECT * "
            "FROM unnest(%s::uuid[], %s::smallint[], %s::int[])",
            (db.uuid_array([t.item for t in things]), [t.kind for t in things], [t.status.flags for t in things]),
        )


def end_alias(number: str, item: bytes, *, at: dt.datetime, seen: int) -> bool:
    """End a number's validity: it has come back on another item. Its item's status says so from now on.

    Return False, and change nothing, when the item itself took the number over later than that.

    Raises db.LostRace unless the number still names this item, with `seen` events: else it is not known to have come
    back.
    """
    with db.cursor() as cur:
        cur.execute("SELECT FROM parcels_itemalias WHERE number = %s AND valid_to >= %s LIMIT 1", (number, at))
        if cur.fetchone() is not None:
            return False
        cur.execute(
            "WITH ended AS (UPDATE parcels_itemalias SET valid_to = %s WHERE number = %s AND item = %s::uuid "
            "AND valid_to IS NULL RETURNING item) UPDATE parcels_item_status s SET flags = flags | %s FROM ended "
            "WHERE s.item = ended.item AND s.item_seq = %s",
            (at, number, item.hex(), int(State.LET_GO), seen),
        )
        if cur.rowcount != 1:
            raise db.LostRace
    return True


def _seal(event_id: bytes, flags: int, body: bytes | None, keys: ItemKeys | None) -> Seal | None:
    """Return an event's seal from its encrypted body, which rows.EVENTS_OF gives where there is a seal."""
    if not flags & _SEAL_M or keys is None or body is None:
        return None
    try:
        said = _OPERATIONS.decode(open_group(keys, event_id, body, "operations")).details.seal
        return Seal(said.did, said.number, said.replaces)
    except (InvalidTag, msgspec.DecodeError):
        return None  # a tampered body is verify-log's finding; the journey goes on without the seal


def fold_all(items: Mapping[UUID, ItemKeys | None]) -> dict[UUID, Status[dt.datetime, UUID]]:
    """Return what all recorded events of each item add up to; `item_seq` and `head` are left to the caller."""
    return {item: rules.fold(events) for item, events in all_events(items).items()}


def all_events(items: Mapping[UUID, ItemKeys | None]) -> dict[UUID, list[Seen]]:
    """Return all recorded events of each item, in no order, with their seals opened."""
    by_item: dict[UUID, list[Seen]] = {item: [] for item in items}
    with db.cursor(binary=True) as cur:
        cur.execute(rows.EVENTS_OF, (list(items),), binary=True)
        for row in cur:
            item, body = row[0], row[11]
            by_item[item].append(Seen._make((*row[1:11], _seal(row[5].bytes, row[8], body, items[item]))))
    return by_item


def packed_events(items: Mapping[bytes, ItemKeys | None]) -> dict[bytes, list[PackedSeen]]:
    """Return the same as the scan path has it."""
    by_item: dict[bytes, list[PackedSeen]] = {item: [] for item in items}
    with db.cursor(binary=True) as cur:
        cur.execute(rows.PACKED_EVENTS_OF, (db.uuid_array(list(items)),), binary=True)
        for row in cur.fetchall():
            item, when, source, sequence, position, event_id, step, facility, flags, receptacle, corrects, body = row
            seal = None if body is None else _seal(event_id, flags, body, items[item])
            order = int.from_bytes(when, "big", signed=True), source, sequence, position, event_id
            by_item[item].append(_new(Observed, (*order, step, facility, flags, receptacle, corrects, seal)))
    return by_item
