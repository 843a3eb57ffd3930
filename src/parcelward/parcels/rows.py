"""Rows in PostgreSQL's binary forms, and the few set-based statements of the scan path.

Private to the room. A row is packed and unpacked by one `struct` call: psycopg's general adapters cost four times as
much. Times are microseconds since 2000, ids are 16 bytes. Tests read every column back.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Sequence
from typing import Any, Final
from weakref import WeakKeyDictionary

import psycopg

from parcelward.base import db
from parcelward.parcels.rules import NOT_BY_EVENTS, Mark, PackedSeen, PackedStatus, Status

# Events, by COPY ------------------------------------------------------------------------------------------------------

_EVENT_COLUMNS: Final = (
    "batch, step, facility, source, sequence, item, event_time, event_id, leaf, position, item_seq, flags, "
    "receptacle, corrects, body"
)
# The field count, then each field behind its length; first what the events of one request, step and place share.
_EVENT_SHARED: Final = struct.Struct(">h iq ih ii ii iq")
_EVENT_OWN: Final = struct.Struct(">i16s iq i16s ih ih ii ih")
_NULL: Final = struct.pack(">i", -1)
_NEITHER: Final = _NULL + _NULL
_LENGTH_16: Final = struct.pack(">i", 16)

_SEALED_BODY: Final = f"CASE WHEN flags & {int(Mark.SEAL)} <> 0 THEN body END"
"""A fold asks bodies for their seals alone, and few events have one: an item may have tens of thousands of events."""
EVENTS_OF: Final = (
    "SELECT item, event_time, source, sequence, position, event_id, step, facility, flags, receptacle, corrects, "  # noqa: S608 -- our own column names
    f"{_SEALED_BODY} FROM parcels_scan_event WHERE item = ANY(%s)"
)
PACKED_EVENTS_OF: Final = (
    "SELECT uuid_send(item), timestamptz_send(event_time), source, sequence, position, uuid_send(event_id), step, "  # noqa: S608 -- our own column names
    f"facility, flags, uuid_send(receptacle), uuid_send(corrects), {_SEALED_BODY} "
    "FROM parcels_scan_event WHERE item = ANY(%s::uuid[])"
)
"""The same as the scan path has it."""
KNOWN_EVENTS: Final = (
    "SELECT uuid_send(e.item), uuid_send(e.event_id), e.step, e.facility "
    "FROM unnest(%s::uuid[], %s::timestamptz[], %s::uuid[]) AS u(item, event_time, event_id) "
    "JOIN parcels_scan_event e ON e.item = u.item AND e.event_time = u.event_time AND e.event_id = u.event_id"
)


@functools.lru_cache(maxsize=64)
def event_shared(batch: int, step: int, facility: int, source: int, sequence: int) -> bytes:
    """Return the beginning of the COPY rows of events that share all this."""
    return _EVENT_SHARED.pack(15, 8, batch, 2, step, 4, facility, 4, source, 8, sequence)


def event_row(item: bytes, seen: PackedSeen, *, batch: int, leaf: int, item_seq: int, body: bytes) -> bytes:
    """Return one scan event as a binary COPY row."""
    when, source, sequence, position, event_id, step, facility, flags, receptacle, corrects, _ = seen
    if receptacle is None and corrects is None:
        rare = _NEITHER
    else:
        rare = (_NULL if receptacle is None else _LENGTH_16 + receptacle) + (
            _NULL if corrects is None else _LENGTH_16 + corrects
        )
    return (
        event_shared(batch, step, facility, source, sequence)
        + _EVENT_OWN.pack(16, item, 8, when, 16, event_id, 2, leaf, 2, position, 4, item_seq, 2, flags)
        + rare
        + len(body).to_bytes(4, "big")
        + body
    )


def copy_events(conn: psycopg.Connection[Any], packed: Sequence[bytes]) -> None:
    """Store packed events. Raises psycopg.errors.UniqueViolation when one is known already."""
    db.copy_binary(conn, "parcels_scan_event", _EVENT_COLUMNS, packed)


# Statuses, as whole rows ----------------------------------------------------------------------------------------------

STATUS_COLUMNS: Final = (
    "item, step_time, last_time, last_sequence, first_time, step_facility, last_source, facility, flags, item_seq, "
    "kind, step, last_position, last_event, receptacle, seal, head"
)
"""In the order of the table: a whole row travels as one value of its composite type."""

NEW: Final = -1
"""`seq_before` of an item that has no status row yet."""

# A composite value: the number of fields, then each behind its type (pg_type.dat) and its length.
_FIELDS: Final = struct.pack(">i", 17)
_UUID, _TIME, _INT8 = struct.pack(">ii", 2950, 16), struct.pack(">ii", 1184, 8), struct.pack(">ii", 20, 8)
_INT4, _INT2, _HASH = struct.pack(">ii", 23, 4), struct.pack(">ii", 21, 2), struct.pack(">ii", 17, 32)
_NO_UUID, _NO_TIME = struct.pack(">ii", 2950, -1), struct.pack(">ii", 1184, -1)
_VARCHAR: Final = struct.pack(">i", 1043)
_NUMBERS = "8sq 8sq 8sq 8si 8si 8si 8si 8si 8sh 8sh 8sh 8s16s"  # last_time ... last_event
_WRITE: Final = struct.Struct(">4s8s16s 8sq " + _NUMBERS)
_WRITE_NO_STEP: Final = struct.Struct(">4s8s16s 8s " + _NUMBERS)  # step_time is null
_READ: Final = struct.Struct(_WRITE.format.replace("4s", "4x").replace("8s", "8x"))
_FIELD: Final = struct.Struct(">ii")
_STEP_TIME_LENGTH = slice(32, 36)
_AFTER_NUMBERS: Final = _READ.size
_HEAD_SIZE: Final = 32

FIND: Final = (
    "SELECT a.number, s FROM parcels_itemalias a JOIN parcels_item_status s ON s.item = a.item "
    "WHERE a.number = ANY(%s::text[]) AND a.valid_to IS NULL"
)
FIND_BY_ITEM: Final = (
    "SELECT 'itm_' || replace(s.item::text, '-', ''), s FROM parcels_item_status s WHERE s.item = ANY(%s::uuid[])"
)
LOCKED: Final = " ORDER BY s.item FOR UPDATE OF s"
"""Added to FIND when a race was lost: in key order, so that two transactions queue instead of meeting again."""

_SET = ", ".join(f"{name} = f.{name}" for name in STATUS_COLUMNS.split(", ")[1:] if name != "kind")
UPDATE_STATUS: Final = (
    f"UPDATE parcels_item_status s SET {_SET} "  # noqa: S608 -- our own column names
    f"FROM unnest(%s::parcels_item_status[], %s::int[]) AS f({STATUS_COLUMNS}, seq_before) "
    "WHERE s.item = f.item AND s.item_seq = f.seq_before "
    # Erased, rebuilt, or its number given to another item meanwhile: the transaction is done again, and sees it.
    f"AND (s.flags # f.flags) & {NOT_BY_EVENTS} = 0"
)
INSERT_STATUS: Final = "INSERT INTO parcels_item_status SELECT * FROM unnest(%s::parcels_item_status[])"

_row_types: WeakKeyDictionary[psycopg.Connection[Any], int] = WeakKeyDictionary()


def status_row(item: bytes, kind: int, status: PackedStatus) -> bytes:
    """Return one item's status as a value of the table's row type; the item has at least one event."""
    if status.last is None or status.first_time is None:
        raise ValueError("a status is written with its first event")  # a caller's bug, not input
    last_time, last_source, last_sequence, last_position, last_event = status.last
    numbers = (
        *(_TIME, last_time, _INT8, last_sequence, _TIME, status.first_time, _INT4, status.step_facility),
        *(_INT4, last_source, _INT4, status.facility, _INT4, status.flags, _INT4, status.item_seq),
        *(_INT2, kind, _INT2, status.step, _INT2, last_position, _UUID, last_event),
    )
    if status.step_time is None:
        begin = _WRITE_NO_STEP.pack(_FIELDS, _UUID, item, _NO_TIME, *numbers)
    else:
        begin = _WRITE.pack(_FIELDS, _UUID, item, _TIME, status.step_time, *numbers)
    inside, seal = status.receptacle, status.seal.encode()
    return (
        begin
        + (_NO_UUID if inside is None else _UUID + inside)
        + _VARCHAR
        + len(seal).to_bytes(4, "big")
        + seal
        + _HASH
        + status.head
    )


def status_from(row: bytes) -> tuple[bytes, int, PackedStatus]:
    """Return (item, kind, status) of a status row as one value."""
    if row[_STEP_TIME_LENGTH] != _TIME[4:]:
        return _status_from_fields(row)
    (item, step_time, last_time, last_sequence, first_time, step_facility, last_source, facility, flags, item_seq,
     kind, step, last_position, last_event) = _READ.unpack_from(row)  # fmt: skip
    at = _AFTER_NUMBERS + 8
    receptacle = None
    if row[_AFTER_NUMBERS:at] == _UUID:
        receptacle = row[at : at + 16]
        at += 16
    seal = row[at + 8 : -_HEAD_SIZE - 8]
    last = last_time, last_source, last_sequence, last_position, last_event
    return (
        item,
        kind,
        Status(
            *(step, step_time, step_facility, last, first_time, facility, flags, receptacle),
            *(seal.decode() if seal else "", item_seq, row[-_HEAD_SIZE:]),
        ),
    )


def _status_from_fields(row: bytes) -> tuple[bytes, int, PackedStatus]:
    """Return the same of a row with nulls where few have them, field by field."""
    fields: list[bytes | None] = []
    at = 4
    for _ in range(17):
        _, length = _FIELD.unpack_from(row, at)
        at += _FIELD.size
        fields.append(None if length < 0 else row[at : at + length])
        at += max(length, 0)
    of = dict(zip(STATUS_COLUMNS.split(", "), fields, strict=True))

    def number(name: str) -> int:
        return int.from_bytes(of[name] or b"", "big", signed=True)

    def time(name: str) -> int | None:
        return None if of[name] is None else number(name)

    last_time, last_event = time("last_time"), of["last_event"]
    last = None
    if last_time is not None and last_event is not None:
        last = last_time, number("last_source"), number("last_sequence"), number("last_position"), last_event
    return (
        of["item"] or b"",
        number("kind"),
        Status(
            *(number("step"), time("step_time"), number("step_facility"), last, time("first_time")),
            *(number("facility"), number("flags"), of["receptacle"], (of["seal"] or b"").decode()),
            *(number("item_seq"), of["head"] or b""),
        ),
    )


def _row_type(conn: psycopg.Connection[Any]) -> int:
    """Return the number of the status table's row type in this connection's database."""
    known = _row_types.get(conn)
    if known is None:
        found = conn.execute("SELECT 'parcels_item_status'::regtype::oid::int").fetchone()
        known = _row_types[conn] = int(found[0]) if found else 0
    return known


def insert_statuses(conn: psycopg.Connection[Any], packed: Sequence[bytes]) -> None:
    """Store the first statuses of new items."""
    with psycopg.Cursor(conn) as cur:
        cur.execute(INSERT_STATUS, (db.record_array(_row_type(conn), packed),))


def update_statuses(conn: psycopg.Connection[Any], packed: Sequence[bytes], seq_before: Sequence[int]) -> None:
    """Write new statuses over those that had `seq_before` events.

    Raises db.LostRace when an item's events were recorded by somebody else meanwhile, or its row was changed otherwise.
    """
    with psycopg.Cursor(conn) as cur:
        cur.execute(UPDATE_STATUS, (db.record_array(_row_type(conn), packed), db.int_array(seq_before)))
        if cur.rowcount != len(packed):
            raise db.LostRace
