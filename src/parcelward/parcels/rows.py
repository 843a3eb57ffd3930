"""Rows in PostgreSQL's binary COPY form, and the few set-based statements of the scan path.

Private to the room. A row is packed by one `struct` call: psycopg's generic dumpers cost four times as much per row.
The layout of each struct is the column list beside it; tests read every column back.
"""

from __future__ import annotations

import datetime as dt
import struct
from typing import Any
from uuid import UUID

import psycopg

from parcelward.base import db
from parcelward.parcels.rules import Seen, State, Status

_EVENT_COLUMNS = (
    "item, event_time, event_id, batch, leaf, step, facility, source, sequence, position, item_seq, flags, "
    "receptacle, corrects, body"
)
# field count, then each field behind its length in bytes
_EVENT = struct.Struct(">h i16s iq i16s iq ih ih ii ii iq ih ii ih")
_UUID = struct.Struct(">i16s")
_LENGTH = struct.Struct(">i")
_NULL = _LENGTH.pack(-1)

STATUS_COLUMNS = (
    "item, kind, step, step_time, step_facility, last_time, last_source, last_sequence, last_position, last_event, "
    "first_time, facility, flags, receptacle, seal, item_seq, head"
)
_KEY = "ii iq ii iq ih i16s iq ii ii"  # step_facility ... flags
_STATUS_STEP = struct.Struct(">h i16s ih ih iq " + _KEY)
_STATUS_NO_STEP = struct.Struct(">h i16s ih ih i " + _KEY)  # step_time is null
_STATUS_END = struct.Struct(">ii i32s ii")

NEW = -1
"""`seq_before` of an item that has no status row yet."""

TEMPORARY = (
    "CREATE TEMPORARY TABLE IF NOT EXISTS fresh_status (item uuid, kind smallint, step smallint, "
    "step_time timestamptz, step_facility int, last_time timestamptz, last_source int, last_sequence bigint, "
    "last_position smallint, last_event uuid, first_time timestamptz, facility int, flags int, receptacle uuid, "
    "seal text, item_seq int, head bytea, seq_before int) ON COMMIT DELETE ROWS"
)
_SET = ", ".join(f"{c.strip()} = f.{c.strip()}" for c in STATUS_COLUMNS.split(",")[2:])
UPDATE_STATUS = (
    f"UPDATE parcels_item_status s SET {_SET} FROM fresh_status f "  # noqa: S608 -- our own column names
    "WHERE s.item = f.item AND s.item_seq = f.seq_before AND f.seq_before >= 0 "
    f"AND s.flags & {int(State.SHREDDED)} = 0"  # erased meanwhile: the transaction is done again, and refuses
)
INSERT_STATUS = (
    f"INSERT INTO parcels_item_status ({STATUS_COLUMNS}) "  # noqa: S608 -- our own column names
    f"SELECT {STATUS_COLUMNS} FROM fresh_status WHERE seq_before < 0"
)
FIND = (
    "SELECT a.number, s.item, s.kind, s.step, s.step_time, s.step_facility, s.last_time, s.last_source, "
    "s.last_sequence, s.last_position, s.last_event, s.first_time, s.facility, s.flags, s.receptacle, s.seal, "
    "s.item_seq, s.head FROM parcels_itemalias a JOIN parcels_item_status s ON s.item = a.item "
    "WHERE a.number = ANY(%s) AND a.valid_to IS NULL"
)
LOCKED = " ORDER BY s.item FOR UPDATE OF s"
"""Added to FIND when a race was lost: in key order, so that two transactions queue instead of meeting again."""
FIND_BY_ITEM = (
    "SELECT 'itm_' || replace(s.item::text, '-', ''), s.item, s.kind, s.step, s.step_time, s.step_facility, "
    "s.last_time, s.last_source, s.last_sequence, s.last_position, s.last_event, s.first_time, s.facility, s.flags, "
    "s.receptacle, s.seal, s.item_seq, s.head FROM parcels_item_status s WHERE s.item = ANY(%s)"
)
EVENTS_OF = (
    "SELECT item, event_time, source, sequence, position, event_id, step, facility, flags, receptacle, corrects, body "
    "FROM parcels_scan_event WHERE item = ANY(%s)"
)
KNOWN_EVENTS = (
    "SELECT e.item, e.event_id FROM unnest(%s::uuid[], %s::timestamptz[], %s::uuid[]) AS u(item, event_time, event_id) "
    "JOIN parcels_scan_event e ON e.item = u.item AND e.event_time = u.event_time AND e.event_id = u.event_id"
)


def event_row(item: UUID, seen: Seen, *, batch: int, leaf: int, item_seq: int, body: bytes) -> bytes:
    """Return one scan event as a binary COPY row."""
    receptacle, corrects = seen.receptacle, seen.corrects
    return b"".join(
        (
            _EVENT.pack(
                *(15, 16, item.bytes, 8, db.pg_micros(seen.event_time), 16, seen.event_id.bytes, 8, batch, 2, leaf),
                *(2, seen.step, 4, seen.facility, 4, seen.source, 8, seen.sequence, 2, seen.position),
                *(4, item_seq, 2, seen.flags),
            ),
            _NULL if receptacle is None else _UUID.pack(16, receptacle.bytes),
            _NULL if corrects is None else _UUID.pack(16, corrects.bytes),
            _LENGTH.pack(len(body)),
            body,
        ),
    )


def copy_events(conn: psycopg.Connection[Any], packed: list[bytes]) -> None:
    """Store packed events. Raises psycopg.errors.UniqueViolation when one is known already."""
    db.copy_binary(conn, "parcels_scan_event", _EVENT_COLUMNS, packed)


def status_row(item: UUID, kind: int, status: Status, seq_before: int) -> bytes:
    """Return one item's new status as a binary COPY row of the temporary table; the item has at least one event."""
    if status.last is None or status.first_time is None:
        raise ValueError("a status is written with its first event")  # a caller's bug, not input
    last_time, last_source, last_sequence, last_position, last_event = status.last
    last_us = db.pg_micros(last_time)
    # The newest event is usually the headline too, and for a new item the first: the very same object.
    first_us = last_us if status.first_time is last_time else db.pg_micros(status.first_time)
    key = (
        *(4, status.step_facility, 8, last_us, 4, last_source, 8, last_sequence, 2, last_position),
        *(16, last_event.bytes, 8, first_us, 4, status.facility, 4, status.flags),
    )
    if status.step_time is None:
        head = _STATUS_NO_STEP.pack(18, 16, item.bytes, 2, kind, 2, status.step, -1, *key)
    else:
        step_us = last_us if status.step_time is last_time else db.pg_micros(status.step_time)
        head = _STATUS_STEP.pack(18, 16, item.bytes, 2, kind, 2, status.step, 8, step_us, *key)
    seal = status.seal.encode()
    return b"".join(
        (
            head,
            _NULL if status.receptacle is None else _UUID.pack(16, status.receptacle.bytes),
            _LENGTH.pack(len(seal)),
            seal,
            _STATUS_END.pack(4, status.item_seq, 32, status.head, 4, seq_before),
        ),
    )


def write_statuses(conn: psycopg.Connection[Any], packed: list[bytes], *, new: int, known: int) -> None:
    """Write new statuses; raise db.LostRace when an item's events were recorded by somebody else meanwhile."""
    with db.cursor() as cur:
        cur.execute(TEMPORARY)
        db.copy_binary(conn, "fresh_status", f"{STATUS_COLUMNS}, seq_before", packed)
        if new:
            cur.execute(INSERT_STATUS)
        if known:
            cur.execute(UPDATE_STATUS)
            if cur.rowcount != known:
                raise db.LostRace


def status_from(row: tuple[Any, ...]) -> tuple[str, UUID, int, Status]:
    """Return (number, item, kind, status) of a row of FIND."""
    last_time: dt.datetime | None = row[6]
    return (
        row[0],
        row[1],
        row[2],
        Status(
            row[3],
            row[4],
            row[5],
            None if last_time is None else (last_time, row[7], row[8], row[9], row[10]),
            row[11],
            row[12],
            row[13],
            row[14],
            row[15],
            row[16],
            bytes(row[17]),
        ),
    )
