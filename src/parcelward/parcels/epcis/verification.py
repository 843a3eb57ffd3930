"""Compare every captured EPCIS event with what the log commits to: the room's part of `verify-log` for them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from typing import Any

from parcelward.base import db
from parcelward.base.errors import Invalid
from parcelward.base.standards.epcis import identifiers
from parcelward.custody.queries import Findings, Logged, Span
from parcelward.custody.wire import fact_commitment
from parcelward.parcels import bodies
from parcelward.parcels.epcis import erasing, rows, rules

_COLUMNS = (
    "batch, leaf, salt, body, event_time, record_time, source, name, declares, type, action, biz_step, disposition, "
    "read_point, biz_location, epcs, classes, body_key"
)
_CHANGED = b"?"  # for a body that does not open: nothing that anybody committed to


class EpcisChecker:
    """Entries of kind parcels.epcis: one row an entry, with its salt."""

    def __init__(self) -> None:
        self.emptied = 0  # that named an erased item: counted, not opened
        self._erased: frozenset[tuple[int, int]] | None = None

    def check(self, batches: Sequence[Logged], findings: Findings) -> int:
        """Recompute each event's commitment, and compare what queries go by with the committed bytes."""
        found: dict[int, list[tuple[Any, ...]]] = {}
        with db.cursor(binary=True) as cur:
            cur.execute(
                f"SELECT {_COLUMNS} FROM {rows.TABLE} WHERE batch = ANY(%s) ORDER BY batch, leaf",  # noqa: S608 -- our own names
                ([one.batch for one in batches],),
                binary=True,
            )
            stored = cur.fetchall()
        opened = bodies.events([(row[-1], bytes(row[3])) for row in stored])
        for row, body in zip(stored, opened, strict=True):
            found.setdefault(row[0], []).append((*row[:3], _CHANGED if body is None else body, *row[4:-1]))
        for one in batches:
            self._check(one, found.get(one.batch, []), findings)
        return sum(one.n for one in batches)

    def _check(self, one: Logged, stored: Sequence[tuple[Any, ...]], findings: Findings) -> None:
        if [row[1] for row in stored] != list(range(one.n)):
            words = f"Batch {one.batch} has {one.n} EPCIS events, the table {len(stored)}."
            findings.note(words, differs="epcis", index=one.first_index)
            return
        for row in stored:
            wrong = self._problem(one, row)
            if wrong:
                words = f"The EPCIS event differs from what was committed: {wrong}."
                findings.note(words, differs="epcis", index=one.place(row[1]))

    def _problem(self, one: Logged, row: tuple[Any, ...]) -> str:
        if self._erased is None:
            self._erased = erasing.emptied()
        is_erased = (one.batch, row[1]) in self._erased
        if bytes(row[3]):
            return "it was erased and is there again" if is_erased else _problem(one, row)
        if not is_erased:
            return "it is empty, and no erasure says so"
        self.emptied += 1
        left = (row[7], row[8], *row[9:])
        return "" if not bytes(row[2]) and left == erasing.EMPTY else "something is left of it, and it was erased"

    def finish(self, span: Span, findings: Findings) -> None:
        """Find events that no batch knows."""
        if not span.whole:
            return
        with db.cursor() as cur:
            cur.execute(
                f"SELECT e.batch FROM {rows.TABLE} e "  # noqa: S608 -- our own names
                "WHERE NOT EXISTS (SELECT FROM custody_logbatch l WHERE l.batch = e.batch AND l.kind = %s) "
                "AND NOT EXISTS (SELECT FROM custody_pendingbatch p WHERE p.batch = e.batch AND p.kind = %s) LIMIT 1",
                (rows.BATCH_KIND, rows.BATCH_KIND),
            )
            row = cur.fetchone()
        if row:
            words = f"An EPCIS event belongs to batch {row[0]}, which the log does not have."
            findings.note(words, differs="epcis")


def _epcs(keys: Sequence[str]) -> list[str]:
    """Return the EPCs among a row's keys. Our own numbers stand beside them as they were read when the event came."""
    return [key for key in keys if not key.startswith(rows.NUMBER_PREFIX)]


def _problem(one: Logged, row: tuple[Any, ...]) -> str:
    """Return what of a row is not what was committed to, or nothing."""
    _, leaf, salt, body, event_time, record_time, source, name, *rest = row
    if fact_commitment(bytes(salt), bytes(body)) != one.commitment(leaf):
        return "its body or salt"
    try:
        said = json.loads(bytes(body))
        event = rows.read(bytes(body))
        recorded = dt.datetime.fromisoformat(said["recorded"])
        told = (event.event_time, recorded, said["source"], rules.name_id(said["name"]))
    except (ValueError, KeyError, TypeError, Invalid):
        return "its form"
    clear = [
        *(event.error_declaration is not None, event.type, event.action, event.biz_step, event.disposition),
        *(identifiers.canonical(event.read_point), identifiers.canonical(event.biz_location)),
        *(_epcs(rows.keys_of(event.epcs)), rows.classes_of(event)),
    ]
    rest[7] = _epcs(rest[7])
    if (event_time, record_time, source, name) != told or list(rest) != clear:
        return "a column that is searched by"
    return "" if record_time == one.record_time else "its time"
