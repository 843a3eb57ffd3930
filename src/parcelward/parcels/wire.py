"""Frozen values that the room shows to others: a journey as people read it, and what its proof needs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Generic, Literal, NamedTuple, TypeVar
from uuid import UUID

import msgspec

from parcelward.base.standards.steps import Step
from parcelward.people.wire import Person

Source = Literal["observed", "derived", "assumed"]
"""observed: somebody scanned this very item. derived: computed on read from the receptacle it was in.
assumed: an accepted manifest says so and nobody has seen it yet."""

PRINTINGS_MAX: Final = 4  # of a label: the first and three reprints

RowT = TypeVar("RowT")


@dataclass(frozen=True, slots=True)
class Place:
    """Where, as coarsely as the public may know."""

    code: str  # facility code
    name: str  # "Leeds North post office"
    coarse: str  # "Leeds"
    time_zone: str  # IANA name; the timeline shows this place's local time
    position: tuple[float, float] | None  # longitude, latitude, rounded to 2 decimals (about 1 km)
    simulated: bool


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One line of a journey."""

    event_id: UUID | None  # None for derived and assumed entries: they are not events
    step: Step
    event_time: dt.datetime  # aware, UTC
    place: Place | None
    source: Source
    receptacle: str  # number of the receptacle that was scanned, for derived entries; else empty
    corrected: bool  # declared wrong by a later correction: shown struck through, never removed
    proven: bool  # covered by a published checkpoint


@dataclass(frozen=True, slots=True)
class ActionRequired:
    """What somebody must do for the item to go on."""

    who: Literal["addressee", "sender", "carrier", "customs"]
    what: str
    by: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Told:
    """How an item stands, as programs outside are told."""

    status: str  # one of the ten tracker statuses
    status_detail: str  # our step behind it; empty before the first one
    reason: str  # party in front; empty when it goes on
    action_required: ActionRequired | None


@dataclass(frozen=True, slots=True)
class ToldAfter:
    """What may be told of an item after one of its events."""

    item: UUID
    number: str  # the number it is best known by
    simulated: bool
    event_id: UUID
    step: Step  # of this event; a correction repeats that of what it declares wrong
    event_time: dt.datetime
    corrects: UUID | None
    told: Told


@dataclass(frozen=True, slots=True)
class Journey:
    """Everything the public tracking page and its JSON show about one item; no personal data."""

    item: UUID
    public_id: str  # itm_...
    number: str  # the number it is best known by
    step: Step  # Step.UNKNOWN when nothing has been observed
    tracker: str  # one of the ten tracker statuses
    headline: str  # translated: "Out for delivery today"
    next_step: str  # translated: what usually comes next; empty at the end
    reason: str  # "security_hold"; party in front; empty when none, or when no scan said why
    stage: int  # 0 nothing yet, 1 posted, 2 sorted, 3 at the delivery office, 4 out for delivery, 5 delivered
    action_required: ActionRequired | None
    timeline: tuple[TimelineEntry, ...]  # newest first
    unannounced: bool  # we saw it before anybody told us about it
    simulated: bool
    receptacle: bool  # a bag, cage or container: it has no addressee
    mode: str  # test or production
    held: bool  # on hold, wherever it has been seen since
    shredded: bool  # the secret was destroyed: entries can no longer be opened
    events_total: int  # observed events, corrected ones included
    events_proven: int
    created_at: dt.datetime  # when we first heard of it
    updated_at: dt.datetime | None  # event time of the newest observation


@dataclass(frozen=True, slots=True)
class EventStory:
    """One event as staff see it: its source, its device, its place in the log."""

    entry: TimelineEntry
    device_name: str
    device_sequence: int
    position: int
    record_time: dt.datetime
    log_index: int | None
    corrects: UUID | None  # the event of this item that it declares wrong; its step is only repeated
    operations: str  # the operations group, canonical JSON, as stored
    commitment_hex: str


@dataclass(frozen=True, slots=True)
class Held:
    """One thing that is inside a receptacle now."""

    number: str
    since: dt.datetime


@dataclass(frozen=True, slots=True)
class Contents:
    """What is directly inside a receptacle now: derived, nobody has looked inside."""

    held: tuple[Held, ...]  # newest first
    more: bool  # there may be others that are not listed


@dataclass(frozen=True, slots=True)
class AlertRow:
    """One thing that needs a person."""

    alert_id: int
    kind: str  # quarantine, short, over, unexpected, seal_mismatch, unknown_step, after_delivery, stuck ...
    opened_at: dt.datetime
    facility: str
    time_zone: str  # IANA name of the facility's; empty where it is about none
    item_number: str
    handover: str  # id of the handover that does not add up; empty for other kinds
    event_id: UUID | None  # the event at which it was noticed; None where it is about no single one
    words: str  # what happened and what to do
    closed: bool


@dataclass(frozen=True, slots=True)
class QuarantinedRow:
    """A bad event, kept with its bytes and reason until somebody repairs or dismisses it."""

    quarantine_id: int
    received_at: dt.datetime
    source_name: str
    code: str
    message: str
    raw: str  # as received; empty in a list, and once it was forgotten
    state: Literal["open", "resubmitted", "dismissed"]
    closing_note: str  # why it was closed; empty while it is open, and for what a person repaired


@dataclass(frozen=True, slots=True)
class Part(Generic[RowT]):
    """Some of a list that is too long to be shown at once."""

    rows: tuple[RowT, ...]
    before: int  # how many stand ahead of them
    newer: int | None  # id that the part ahead starts with; 0: the list's beginning; None: this is the beginning
    older: int | None  # id that the part behind starts with; None: this is the end


@dataclass(frozen=True, slots=True)
class Throughput:
    """Live figures of the desk."""

    events_per_second: tuple[float, ...]  # one value per 10 s, oldest first, 60 values
    events_today: int
    log_size: int
    log_behind: int  # committed entries not yet in a published checkpoint
    checkpoint_age_s: float
    witnessed_size: int
    open_by_kind: dict[str, int]


# What comes in --------------------------------------------------------------------------------------------------------

BATCH_EVENTS_MAX = 2_000
BATCH_BYTES_MAX = 2_000_000
SENSORS_MAX = 50
DEPTH_MAX = 16  # lists and objects within each other in sensor readings
TOO_DEEP = f"Sensor readings nest at most {DEPTH_MAX} deep."

Word = Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
Code = Annotated[str, msgspec.Meta(max_length=20)]
NumberText = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
Instant = Annotated[dt.datetime, msgspec.Meta(tz=True)]
Millimetres = Annotated[int, msgspec.Meta(ge=0, le=100_000)]
Degrees = Annotated[float, msgspec.Meta(ge=-180, le=180)]


class SealIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """What was done to a numbered seal."""

    number: Word
    did: Literal["applied", "checked", "removed", "broken", "replaced"]
    replaces: Annotated[str, msgspec.Meta(max_length=40)] = ""


class HandoverIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """One side's part in a handover: both sides name the same `id`.

    `party` is who this side is: all devices of one side name the same. A key signs for its holder, whatever it names.
    """

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    side: Literal["giver", "receiver"]
    count: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 0
    party: Annotated[str, msgspec.Meta(max_length=64)] = ""


class CorrectsIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """Which earlier event of the same item is declared wrong, and why (EPCIS errorDeclaration)."""

    event_id: UUID
    declares: Literal["did_not_occur", "incorrect_data"]
    reason: Word


class ScanIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """One scan event as it is sent. No names, no free text about people: there is no field for them."""

    event_id: UUID
    event_time: Instant
    step: Word
    facility: Code
    item_id: NumberText | None = None
    receptacle_id: NumberText | None = None
    position: tuple[Degrees, Annotated[float, msgspec.Meta(ge=-90, le=90)]] | None = None
    receptacle: NumberText | None = None
    seal: SealIn | None = None
    handover: HandoverIn | None = None
    corrects: CorrectsIn | None = None
    label_code: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    weight_g: Annotated[int, msgspec.Meta(ge=1, le=2_000_000)] | None = None
    size_mm: tuple[Millimetres, Millimetres, Millimetres] | None = None
    reason: Word | None = None
    note_code: Word | None = None
    sensors: Annotated[list[dict[str, Any]], msgspec.Meta(max_length=SENSORS_MAX)] | None = None


def too_deep(value: Any) -> bool:
    """Return whether lists and objects nest more than DEPTH_MAX deep; without recursion, whatever comes."""
    layer = [value]
    for _ in range(DEPTH_MAX + 1):
        layer = [
            inner
            for one in layer
            if isinstance(one, list | dict)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if not layer:
            return False
    return True


_RAWS = msgspec.json.Decoder(list[msgspec.Raw])
RAW_KEPT_MAX = 65_536  # bytes of one bad event that are kept


def split_events(body: bytes, *, ndjson: bool) -> list[bytes]:
    """Return each event's bytes as they came. Raises msgspec.DecodeError when an array is none."""
    if ndjson:
        return [line for line in body.splitlines() if line.strip()]
    return [bytes(raw) for raw in _RAWS.decode(body)]


class BadScan(NamedTuple):
    """An event that cannot be recorded as it is: kept with its bytes."""

    position: int
    code: str
    message: str
    raw: bytes


class Submission(NamedTuple):
    """One request's worth of events, parsed, and who sent it."""

    by: Person
    sequence: int  # 0: the source numbers nothing (API keys, the console)
    digest: bytes
    events: Sequence[tuple[int, ScanIn]]  # position in the request, event
    bad: Sequence[BadScan]
    body: bytes = b""  # as received; empty where there is none, as for what a person does
    ndjson: bool = False
    created_s: int = 0  # when a device signed it, Unix seconds, as the signature says
    signature: bytes = b""  # of the device; empty: who sent it signs nothing


@dataclass(frozen=True, slots=True)
class LabelWanted:
    """A label that was sealed for an item and is to be issued."""

    item: UUID
    raw: bytes = field(repr=False)  # as `privacy.sealing` sealed it
    destination: str  # facility code of the delivery office
    weight_g: int
    reason: str = ""  # why, in the house's own words: asked of an item that was handed in


@dataclass(frozen=True, slots=True)
class IssuedLabel:
    """A label that was issued: `raw` is what its QR code says, in `privacy.sealing.wire.to_base45`."""

    item: UUID
    serial: int
    printing: int  # 1 for the first
    raw: bytes = field(repr=False)
    code: str = field(repr=False)  # 16 hex digits, for people to type


class Instruction(msgspec.Struct, frozen=True):
    """What the hand that scanned should do now."""

    item_id: str
    do: str  # HOLD, STOP, SEAL_MISMATCH or LABEL_MISMATCH
    reason: str


class Answer(msgspec.Struct, frozen=True):
    """The answer to one request: durable before it is given, and the same when the request comes again."""

    body: bytes  # JSON
    status: int = 200
