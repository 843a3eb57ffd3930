"""What strangers sent and this room keeps sealed: events in quarantine, documents that wait, captured events, queries.

The log is told a hash of the bytes as they came, so what is sealed can still be compared with it (quarantine_check).
Private to the room.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from parcelward.base import db
from parcelward.parcels.models import CaptureJob, NamedQuery, Quarantine
from parcelward.privacy import actions as privacy
from parcelward.privacy import queries
from parcelward.privacy.errors import BodyGone, NotAuthentic
from parcelward.privacy.wire import BodyColumn, SealedBody

QUARANTINED: Final = BodyColumn("parcels_quarantine", "raw")
DOCUMENT: Final = BodyColumn("parcels_capturejob", "document")
EVENT: Final = BodyColumn("parcels_epcis_event", "body")
QUERY: Final = BodyColumn("parcels_namedquery", "sealed")
KEY_COLUMNS: Final = {QUARANTINED: "body_key", DOCUMENT: "document_key", EVENT: "body_key", QUERY: "query_key"}
AT_ONCE: Final = 500
OLD_AT_ONCE: Final = 20 * AT_ONCE  # sealed in one round of housekeeping: an old installation may have millions
_ROW: Final = {QUARANTINED: ("id",), DOCUMENT: ("id",), EVENT: ("event_time", "id")}

BodyId = tuple[int, bytes]
"""Source and SHA-256 of a bad event: the same bytes from the same source are one."""


def quarantined(rows: Iterable[Quarantine]) -> dict[int, bytes]:
    """Return {id: bytes as they came}, without those that were forgotten or changed (verify-log says which)."""
    found, opened = list(rows), {}
    opener = queries.opener(QUARANTINED, [row.body_key for row in found])
    for row in found:
        with contextlib.suppress(BodyGone, NotAuthentic):
            raw = opener.open(row.body_key, bytes(row.raw))
            if hashlib.sha256(raw).digest() == bytes(row.digest):  # else it was moved here with its key
                opened[row.id] = raw
    return opened


def document(job: CaptureJob) -> bytes | None:
    """Return a job's document, or None when its key is gone. Raises NotAuthentic where it was changed or moved."""
    try:
        return queries.opener(DOCUMENT, [job.document_key]).open(job.document_key, bytes(job.document))
    except BodyGone:
        return None


def forget_after_commit(keys: Collection[UUID | None]) -> None:
    """Let the keys go with the bodies that the caller's transaction removes, once it has."""
    transaction.on_commit(lambda: privacy.forget_bodies(keys))


def events(stored: Sequence[tuple[UUID | None, bytes]]) -> list[bytes | None]:
    """Return captured EPCIS events as they were committed to; None for what does not open any more."""
    opener = queries.opener(EVENT, [key for key, _ in stored])
    opened: list[bytes | None] = []
    for key, body in stored:
        try:
            opened.append(opener.open(key, body) if body else b"")
        except (BodyGone, NotAuthentic):
            opened.append(None)
    return opened


def seal_old() -> int:
    """Seal what was stored before bodies were sealed; return how many. Safe to repeat, and cheap when none is left."""
    done = 0
    for where in _ROW:
        while done < OLD_AT_ONCE and (some := _seal_some(where)):
            done += some
    return done + _seal_queries()


@transaction.atomic
def _seal_some(where: BodyColumn) -> int:
    table, column, key, row = *where, KEY_COLUMNS[where], ", ".join(_ROW[where])
    with db.cursor() as cur:
        cur.execute(
            f"SELECT {column}, {row} FROM {table} WHERE {key} IS NULL AND {column} <> '' "  # noqa: S608 -- our own names
            f"ORDER BY id LIMIT {AT_ONCE} FOR UPDATE SKIP LOCKED"
        )
        found = cur.fetchall()
        sealed = privacy.seal_bodies(where, [bytes(body) for body, *_ in found], now=timezone.now())
        which = " AND ".join(f"{name} = %s" for name in _ROW[where])
        cur.executemany(
            f"UPDATE {table} SET {column} = %s, {key} = %s WHERE {which}",  # noqa: S608 -- our own names
            [(one.sealed, one.key, *name) for (_, *name), one in zip(found, sealed, strict=True)],
        )
    return len(found)


def seal_query(query: Mapping[str, Any]) -> SealedBody:
    """Return a kept question as it is stored."""
    [sealed] = privacy.seal_bodies(QUERY, [json.dumps(query).encode()], now=timezone.now())
    return sealed


def asked(rows: Iterable[NamedQuery]) -> list[tuple[str, dict[str, Any]]]:
    """Return (name, question) of kept questions, without those that do not open any more."""
    found, opened = list(rows), []
    opener = queries.opener(QUERY, [row.query_key for row in found])
    for row in found:
        with contextlib.suppress(BodyGone, NotAuthentic):
            stored = opener.open(row.query_key, bytes(row.sealed))
            opened.append((row.name, json.loads(stored) if row.query_key else row.query))
    return opened


@transaction.atomic
def _seal_queries() -> int:
    found = list(NamedQuery.objects.select_for_update(skip_locked=True).filter(query_key=None)[:AT_ONCE])
    for row in found:
        sealed = seal_query(row.query)
        row.query, row.sealed, row.query_key = {}, sealed.sealed, sealed.key
        row.save(update_fields=["query", "sealed", "query_key"])
    return len(found)


def sweep(*, made_before: dt.datetime, also: Callable[[Collection[UUID]], Collection[UUID]]) -> int:
    """Delete keys that no stored body names, here or in `also`; return how many. As `privacy.sweep_bodies`."""
    return privacy.sweep_bodies(lambda keys: {*_in_use(keys), *also(keys)}, made_before=made_before)


def _in_use(keys: Collection[UUID]) -> set[UUID]:
    found: set[Any] = set()
    wanted = db.uuid_array([key.bytes for key in keys])
    with db.cursor() as cur:
        for where, column in KEY_COLUMNS.items():
            cur.execute(f"SELECT {column} FROM {where.table} WHERE {column} = ANY(%s::uuid[])", (wanted,))  # noqa: S608 -- our own names
            found |= {row[0] for row in cur.fetchall()}
    return found
