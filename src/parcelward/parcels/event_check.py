"""One stored event against its commitment: the body opened, every clear column compared with what was committed to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag

from parcelward.base import db
from parcelward.base.standards import identify, steps
from parcelward.base.standards.errors import BadItemNumber
from parcelward.custody import queries as custody
from parcelward.custody.wire import NOTHING_BEFORE, ItemKeys, open_body
from parcelward.network import queries as network
from parcelward.parcels import canon
from parcelward.parcels.rules import Mark
from parcelward.parcels.wire import CorrectsIn

COLUMNS = (
    "batch, leaf, item, event_time, event_id, step, facility, source, sequence, position, item_seq, flags, "
    "receptacle, corrects, body"
)
_WORDS = {int(step): step.word for step in steps.Step}


class Row(NamedTuple):
    """A row of the event table, in the order of COLUMNS."""

    batch: int
    leaf: int
    item: UUID
    event_time: dt.datetime
    event_id: UUID
    step: int
    facility: int
    source: int
    sequence: int
    position: int
    item_seq: int
    flags: int
    receptacle: UUID | None
    corrects: UUID | None
    body: bytes


class _Public(msgspec.Struct, frozen=True, gc=False):
    at: str
    event: int
    id: str
    item: str
    place: str
    previous: str
    step: str
    corrects: str | None = None


class _Details(msgspec.Struct, frozen=True, gc=False):
    corrects: CorrectsIn | None = None
    handover: msgspec.Raw = msgspec.Raw()
    receptacle: str | None = None
    seal: msgspec.Raw = msgspec.Raw()
    step: str = ""


class _Operations(msgspec.Struct, frozen=True, gc=False):
    position: int
    recorded: str
    sequence: int
    source: int
    details: _Details = _Details()
    authorised: bool = False


_PUBLIC = msgspec.json.Decoder(_Public).decode
_OPERATIONS = msgspec.json.Decoder(_Operations).decode


class Differs(Exception):
    """A stored event is not what was committed to; `differs` names the column or part."""

    def __init__(self, message: str, *, differs: str) -> None:
        super().__init__(message)
        self.differs = differs


@dataclass(frozen=True, slots=True)
class Context:
    """What the events of one read need: keys, tombstones, the codes of places, the items behind numbers."""

    keys: Mapping[UUID, ItemKeys]
    tombstones: frozenset[UUID]
    codes: Mapping[int, str]
    numbers: Mapping[UUID, frozenset[str]]  # item or receptacle -> every number that it has ever carried


def context(rows: Iterable[Row]) -> Context:
    """Read what these events need, a few statements for all of them."""
    items: set[UUID] = set()
    receptacles: set[UUID] = set()
    for row in rows:
        items.add(row.item)
        if row.receptacle is not None:
            receptacles.add(row.receptacle)
    keys = custody.item_keys(items)
    codes = {0: "", **{p.number: p.code for p in network.facilities().by_number.values()}}
    return Context(keys, custody.erased_among(items - keys.keys()), codes, _numbers(items | receptacles))


def _numbers(items: Iterable[UUID]) -> dict[UUID, frozenset[str]]:
    found: dict[UUID, set[str]] = {item: {identify.item_id(item)} for item in items}
    if found:
        with db.cursor(binary=True) as cur:
            cur.execute("SELECT item, number FROM parcels_itemalias WHERE item = ANY(%s)", (list(found),), binary=True)
            for item, number in cur:
                found[item].add(number)
    return {item: frozenset(numbers) for item, numbers in found.items()}


def previous_of(keys: ItemKeys, event_id: UUID, body: bytes) -> bytes:
    """Return the commitment that an event names as the one before it; empty bytes when it cannot be read."""
    try:
        return bytes.fromhex(_PUBLIC(open_body(keys, event_id.bytes, body).groups["public"]).previous)
    except (InvalidTag, msgspec.DecodeError, ValueError):
        return b""


def require_same(row: Row, keys: ItemKeys, known: Context, *, commitment: bytes, recorded: dt.datetime) -> bytes:
    """Return the commitment of the item's event before; raise Differs unless everything stored is as committed to."""
    try:
        opened = open_body(keys, row.event_id.bytes, bytes(row.body))
    except (InvalidTag, ValueError):
        raise Differs("The encrypted body, its item or its event id was changed.", differs="body") from None
    if opened.commitment != commitment:
        raise Differs("The event's commitment is not the one in the log.", differs="commitment")
    try:
        public, operations = _PUBLIC(opened.groups["public"]), _OPERATIONS(opened.groups["operations"])
        previous = bytes.fromhex(public.previous)
    except (msgspec.DecodeError, ValueError):
        raise Differs("What was committed to cannot be read.", differs="body") from None
    made = canon.public(
        event_us=db.pg_micros(row.event_time),
        item_seq=row.item_seq,
        event_id=row.event_id.bytes,
        item=public.item,
        place=known.codes.get(row.facility, "?"),
        previous=previous,
        step=_WORDS.get(row.step, "?"),
        correction=None if row.corrects is None else (row.corrects.bytes, bool(row.flags & Mark.AUTHORISED)),
    )
    if made != opened.groups["public"]:
        raise _changed(_public_pairs(row, public, known))
    details = operations.details
    for name, stored, said in (
        ("source", row.source, operations.source),
        ("sequence", row.sequence, operations.sequence),
        ("position", row.position, operations.position),
        ("corrects", row.corrects, None if details.corrects is None else details.corrects.event_id),
        ("flags", row.flags, _marks(operations, row.step)),
        ("record_time", canon.instant(recorded), operations.recorded),
    ):
        if stored != said:
            raise _changed([(name, stored, said)])
    _require_numbers(row, public, operations, known)
    if row.item_seq == 1 and previous != NOTHING_BEFORE:
        raise Differs("The item's first event names one before it.", differs="chain")
    return previous


def _marks(operations: _Operations, step: int) -> int:
    """Return the flags that the committed groups stand for."""
    flags = Mark.NONE
    if operations.details.seal:
        flags |= Mark.SEAL
    if operations.details.handover:
        flags |= Mark.HANDOVER
    if operations.authorised:
        flags |= Mark.AUTHORISED
    if step == 0:
        flags |= Mark.UNKNOWN_STEP
    return int(flags)


def _require_numbers(row: Row, public: _Public, operations: _Operations, known: Context) -> None:
    """Raise Differs unless the item and its receptacle carry, or carried, the numbers that were scanned."""
    if public.item not in known.numbers.get(row.item, frozenset()):
        raise Differs("The item does not carry, and never carried, the number that was scanned.", differs="number")
    said = operations.details.receptacle or ""
    try:
        number = identify.canonical(said) if said else ""
    except BadItemNumber:
        number = said
    known_numbers = frozenset({""}) if row.receptacle is None else known.numbers.get(row.receptacle, frozenset())
    if number not in known_numbers:
        raise Differs("Column receptacle is not what was committed to.", differs="receptacle")


def _public_pairs(row: Row, public: _Public, known: Context) -> list[tuple[str, Any, Any]]:
    return [
        ("event_time", canon.instant(row.event_time), public.at),
        ("item_seq", row.item_seq, public.event),
        ("event_id", row.event_id.hex, public.id),
        ("facility", known.codes.get(row.facility, "?"), public.place),
        ("step", _WORDS.get(row.step, "?"), public.step),
        ("corrects", None if row.corrects is None else row.corrects.hex, public.corrects),
    ]


def _changed(pairs: list[tuple[str, Any, Any]]) -> Differs:
    for name, stored, said in pairs:
        if stored != said:
            return Differs(f"Column {name} says {stored!s}, the log commits to {said!s}.", differs=name)
    return Differs("The public part is not in its one form.", differs="public")
