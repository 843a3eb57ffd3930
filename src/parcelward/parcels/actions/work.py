"""One transaction's worth of requests, and what becomes of each, while it is being recorded."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from parcelward.base.errors import ParcelwardError
from parcelward.custody.wire import ItemKeys
from parcelward.parcels.actions import afterwards
from parcelward.parcels.bodies import BodyId
from parcelward.parcels.rules import PackedSeen, PackedStatus
from parcelward.parcels.wire import RAW_KEPT_MAX, Answer, BadScan, Instruction, ScanIn, Submission, split_events
from parcelward.privacy.wire import SealedBody


@dataclass(slots=True)
class Thing:
    """An item or receptacle that this transaction touches."""

    number: str
    item: bytes
    kind: int
    status: PackedStatus
    seq_before: int  # its event sequence when read: the compare-and-swap that nobody else recorded meanwhile
    simulated: bool
    keys: ItemKeys | None = None
    is_new: bool = False
    touched: bool = False
    refold: bool = False  # an event came late or voids another: fold all of its events again


class Wanted(NamedTuple):
    """An event that can be recorded: parsed, its place known, its numbers canonical."""

    submission: int
    position: int
    scan: ScanIn
    event_us: int  # event time, microseconds since 2000
    number: str
    receptacle: str  # empty: none named
    step: int
    facility: int


class Nested(NamedTuple):
    """A receptacle that is being loaded into another one."""

    thing: Thing
    outer: Thing
    event_us: int
    event_id: bytes
    facility: int


class LabelSeen(NamedTuple):
    """A label that a scan brought."""

    submission: int
    thing: Thing
    code: str
    event_us: int
    event_id: bytes
    facility: int
    was: tuple[int, int] | None = None  # where and when the item was seen before this, if that is known
    again: bool = False  # the event is recorded already


class Recorded(NamedTuple):
    """An event that is being recorded."""

    submission: int
    thing: Thing
    seen: PackedSeen
    item_seq: int
    body: bytes
    commitment: bytes


@dataclass(slots=True)
class Born:
    """New items' UUIDs and keys, kept over retries so that a lost race makes no orphans."""

    items: dict[str, bytes] = field(default_factory=dict)
    keys: dict[bytes, ItemKeys] = field(default_factory=dict)
    bodies: dict[BodyId, SealedBody] = field(default_factory=dict)  # of bad events, sealed
    staying: set[str] = field(default_factory=set)  # numbers whose items keep them: who came to take one was refused


@dataclass(slots=True)
class Work:
    """The requests and what became of them; thrown away when the transaction is tried again."""

    submissions: Sequence[Submission]
    now: dt.datetime
    keep_bad: bool = True
    with_rights: bool = False  # whether what their senders may release counts: at the desk, never by a device or a key
    things: dict[str, Thing] = field(default_factory=dict)
    ended: dict[str, Wanted] = field(default_factory=dict)  # numbers that come back, and the acceptance that says so
    answers: dict[int, Answer | ParcelwardError] = field(default_factory=dict)
    bad: list[tuple[int, BadScan]] = field(default_factory=list)  # (submission, what is wrong)
    events: list[Recorded] = field(default_factory=list)
    nested: list[Nested] = field(default_factory=list)
    labels: list[LabelSeen] = field(default_factory=list)
    named: dict[tuple[int, bytes], str] = field(default_factory=dict)  # what a request calls an item, if not `number`
    duplicates: dict[int, int] = field(default_factory=dict)
    instructions: dict[int, dict[tuple[str, str], Instruction]] = field(default_factory=dict)
    after: afterwards.Afterwards = field(default_factory=afterwards.Afterwards)
    raws: dict[int, list[bytes]] = field(default_factory=dict)  # of requests with something bad in them

    def refuse(self, i: int, position: int, scan: ScanIn, problem: tuple[str, str]) -> None:
        """Set an event aside as (code, message), with its bytes as they came."""
        submission = self.submissions[i]
        if i not in self.raws:
            self.raws[i] = split_events(submission.body, ndjson=submission.ndjson) if submission.body else []
        raws = self.raws[i]
        raw = raws[position] if position < len(raws) else msgspec.json.encode(scan)
        self.bad.append((i, BadScan(position, *problem, raw[:RAW_KEPT_MAX])))

    def instruct(self, submission: int, thing: Thing, do: str, reason: str) -> None:
        """Tell the hand that scanned what to do now; once per item and instruction, by the number that it scanned."""
        named = self.named.get((submission, thing.item), thing.number)
        self.instructions.setdefault(submission, {})[named, do] = Instruction(named, do, reason)
