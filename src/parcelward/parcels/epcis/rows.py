"""Captured EPCIS events as rows: the bytes committed to, and the columns asked for. Private to the room."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import msgspec
import psycopg

from parcelward.base import db
from parcelward.base.standards.epcis import canonical, context, identifiers, parse, write
from parcelward.base.standards.epcis.event import Event
from parcelward.custody.wire import fact_commitment
from parcelward.parcels import bodies
from parcelward.parcels.canon import instant
from parcelward.parcels.epcis import numbers, rules
from parcelward.privacy import actions as privacy
from parcelward.privacy.wire import SealedBody

TABLE: Final = "parcels_epcis_event"
BATCH_KIND: Final = "parcels.epcis"  # of the custody batches that its events are entries of
LIVING: Final = "body <> ''"  # an erasure empties the row of every event that names the item (erasing.py)
NUMBER_PREFIX: Final = "nr:"  # before our own number in `epcs`, so that any spelling of it finds the event

_COLUMNS: Final = (
    *("event_time", "record_time", "batch", "id", "name", "leaf", "source", "declares", "type", "action", "biz_step"),
    *("disposition", "read_point", "biz_location", "epcs", "classes", "scans", "salt", "body", "body_key"),
)
_TYPES: Final = (
    *("timestamptz", "timestamptz", "int8", "uuid", "uuid", "int4", "int4", "bool", "text", "text", "text"),
    *("text", "text", "text", "text[]", "text[]", "uuid[]", "bytea", "bytea", "uuid"),
)


@dataclass(slots=True)
class Row:
    """One event on its way into the table."""

    event: Event
    pointer: str
    name: str
    key: UUID
    id: UUID
    salt: bytes
    body: bytes
    fingerprint: bytes
    scans: list[UUID] = field(default_factory=list)
    sealed: SealedBody | None = None  # its body as it is stored; kept over retries

    @property
    def commitment(self) -> bytes:
        """What the log says of it: 32 bytes that mean nothing without the salt."""
        return fact_commitment(self.salt, self.body)


def body(event: Event, name: str, *, source: int, now: dt.datetime) -> bytes:
    """Return the exact bytes that are committed to: the event as received, its whole context, and who sent it when.

    The hash id is unsalted and guessable (CBV 2.0 section 8.9), so it stands in here and nowhere in the log.
    """
    said = {
        "context": list(event.context.raw),
        "event": {name: value for name, value in event.raw.items() if name != "@context"},
        "name": name,
        "recorded": instant(now),
        "source": source,
    }
    return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def seal(rows: Sequence[Row], *, now: dt.datetime) -> None:
    """Seal the rows' bodies, each with a key of its own, durable before the rows are."""
    left = [row for row in rows if row.sealed is None]
    for row, sealed in zip(left, privacy.seal_bodies(bodies.EVENT, [row.body for row in left], now=now), strict=True):
        row.sealed = sealed


def columns(row: Row, *, batch: int, leaf: int, source: int, now: dt.datetime) -> tuple[Any, ...]:
    """Return the row's values in the order of the table's columns."""
    event, (key, body) = row.event, row.sealed or (None, row.body)
    return (
        *(event.event_time, now, batch, row.id, rules.name_id(row.name), leaf, source),
        *(event.error_declaration is not None, event.type, event.action, event.biz_step, event.disposition),
        *(identifiers.canonical(event.read_point), identifiers.canonical(event.biz_location)),
        *(keys_of(event.epcs), classes_of(event)),
        *(row.scans, row.salt, body, key),
    )


def keys_of(epcs: Iterable[str]) -> list[str]:
    """Return everything that these EPCs are found under: their canonical form, and our number where they are one."""
    found = set()
    for epc in epcs:
        found.add(identifiers.canonical(epc))
        if number := numbers.number_of(epc):
            found.add(NUMBER_PREFIX + number)
    return sorted(found)


def classes_of(event: Event) -> list[str]:
    """Return the classes that an event names, canonical."""
    return sorted({identifiers.canonical(quantity.epc_class) for quantity in event.quantities})


def copy_events(conn: psycopg.Connection[Any], rows: Sequence[tuple[Any, ...]]) -> None:
    """Store rows made by `columns`."""
    with (
        psycopg.Cursor(conn) as cur,
        cur.copy(f"COPY {TABLE} ({', '.join(_COLUMNS)}) FROM STDIN (FORMAT BINARY)") as copy,
    ):
        copy.set_types(_TYPES)
        for row in rows:
            copy.write_row(row)


def take_names(rows: Sequence[Row]) -> dict[UUID, bytes]:
    """Take the rows' names in the caller's transaction; return {key: fingerprint} of those that were taken before.

    Waits for another transaction that is taking the same name, and then sees what became of it.
    """
    ordered = sorted(rows, key=lambda r: r.key)
    with db.cursor(binary=True) as cur:
        cur.execute(
            "INSERT INTO parcels_epcisname (key, event_time, fingerprint) "
            "SELECT k, t, f FROM unnest(%s::uuid[], %s::timestamptz[], %s::bytea[]) AS u(k, t, f) "
            "ON CONFLICT DO NOTHING RETURNING key",
            ([r.key for r in ordered], [r.event.event_time for r in ordered], [r.fingerprint for r in ordered]),
            binary=True,
        )
        mine = {row[0] for row in cur}
        taken = [r.key for r in ordered if r.key not in mine]
        if not taken:
            return {}
        cur.execute("SELECT key, fingerprint FROM parcels_epcisname WHERE key = ANY(%s)", (taken,), binary=True)
        return {row[0]: bytes(row[1]) for row in cur}


def keep_values(rows: Sequence[Row], *, source: int) -> None:
    """Remember the values that the browsable lists show; one that is there already stays as it is."""
    found = set()
    for row in rows:
        event = row.event
        found |= {("epcs", epc) for epc in event.epcs}
        one = (("bizSteps", event.biz_step), ("dispositions", event.disposition))
        found |= {(kind, value) for kind, value in one if value}
        places = (("readPoints", event.read_point), ("bizLocations", event.biz_location))
        found |= {(kind, value) for kind, value in places if value}
    if found:
        ordered = sorted(found)
        with db.cursor() as cur:
            cur.execute(
                "INSERT INTO parcels_epcisvalue (kind, value, source) "
                "SELECT k, v, %s FROM unnest(%s::text[], %s::text[]) AS u(k, v) ON CONFLICT DO NOTHING",
                (source, [k for k, _ in ordered], [v for _, v in ordered]),
                binary=True,
            )


def originals(names: Iterable[UUID]) -> dict[UUID, list[tuple[Event, int]]]:
    """Return the captured events with these names that declare nothing wrong themselves, with their sources."""
    found: dict[UUID, list[tuple[Event, int]]] = {}
    with db.cursor(binary=True) as cur:
        cur.execute(
            f"SELECT name, source, body_key, body FROM {TABLE} "  # noqa: S608 -- our own table
            "WHERE name = ANY(%s) AND NOT declares ORDER BY record_time",
            (list(names),),
            binary=True,
        )
        rows = cur.fetchall()
    for (name, source, *_), body in zip(rows, bodies.events([row[2:] for row in rows]), strict=True):
        if body:
            found.setdefault(name, []).append((read(body), source))
    return found


def read(stored: bytes) -> Event:
    """Return a stored event as the value it was captured as."""
    said = msgspec.json.decode(stored)
    return parse.read_event(said["event"], context.of(said["context"]))


def read_with_name(stored: bytes) -> tuple[Event, str]:
    """Return a stored event, and what it is called here."""
    return read(stored), str(msgspec.json.decode(stored)["name"])


def as_given_out(stored: bytes, record_time: dt.datetime) -> Event:
    """Return a stored event as a repository gives it out: with our record time, and a name where it came without."""
    said = msgspec.json.decode(stored)
    event = parse.read_event(said["event"], context.of(said["context"]))
    return write.stored(event, record_time=record_time, event_id=said["name"])


def fingerprint(event: Event) -> bytes:
    """Return 32 bytes that are equal for two events exactly when they mean the same."""
    return bytes.fromhex(canonical.fingerprint(event))
