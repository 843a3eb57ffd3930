"""What events add up to: pure decisions, no clock, no I/O.

`advance` is the one definition of an item's status. Events that come in order are folded one by one; when one comes
late, or a correction comes, the item's events are folded again from the first. Both give the same (tests/laws).
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Generic, NamedTuple, TypeVar
from uuid import UUID

from parcelward.base.standards.steps import CODES, Step

TimeT = TypeVar("TimeT", dt.datetime, int)
IdT = TypeVar("IdT", UUID, bytes)
# Readers see times and ids as Python has them. The scan path keeps both as PostgreSQL does, microseconds since 2000 and
# 16 bytes: they order the same way, and making the objects cost a third of a scan. Every rule holds for either.

CLOCK_AHEAD_MAX = dt.timedelta(minutes=5)
EVENT_TIME_MIN = dt.datetime(
    2000, 1, 1, tzinfo=dt.UTC
)  # before it, a device's clock is wrong, and each month would cost a partition
HANDOVER_PATIENCE = dt.timedelta(minutes=30)  # after this, what only one side has seen is short or unexpected
STUCK_AFTER = dt.timedelta(hours=48)  # an item on its way that nobody has seen for so long needs a person
WATCHED_FOR = dt.timedelta(days=60)  # an item that is older and still not delivered is a case already
RECYCLED_AFTER = dt.timedelta(
    days=365
)  # a number seen again so long after delivery is another item (UPU S10: 12 months)
FOLDED_EVENTS_MAX = 20_000  # of one item: from there on what would fold them all again, while others wait, is set aside
SEQUENCE_WINDOW = 1_024  # how far behind its newest a source's late batch may be


class State(enum.IntFlag):
    """What is true of an item now; stored in item_status.flags."""

    NONE = 0
    HELD = 1
    DELIVERED = 2
    AFTER_DELIVERY = 4  # something was recorded after delivery: a person looks at it
    UNKNOWN_STEP = 8
    CORRECTED = 16
    DAMAGED = 32
    LOST = 64
    SIMULATED = 128  # made by the simulator; given at birth, not by events
    SHREDDED = 256  # its secret was destroyed: nothing more can be recorded of it
    REUSED = 512  # its number was another item's before: late events are told apart by their time
    SECURED = 1024  # held by somebody with an inspector's rights, or for security: no device or key releases it
    LET_GO = 2048  # a number of its is another item's now
    REBUILT = 4096  # turned over each time that a rebuild puts the row right
    LABELLED = 8192  # labels were issued for it: a scan's label code is compared with them


SECURITY: Final = "security"
GOODS: Final = "hazmat_"
"""What the reason of a hold for security begins with: `security_hold`, or what somebody at the desk wrote."""


def for_goods(reason: str) -> bool:
    """Return whether a hold's reason is dangerous goods: who holds the certificate lets the item go on."""
    return reason.startswith(GOODS)


def for_security(reason: str) -> bool:
    """Return whether this reason of a hold is one of security."""
    return reason.strip().casefold().startswith(SECURITY)


NOT_BY_EVENTS = int(State.SIMULATED | State.SHREDDED | State.REUSED | State.LET_GO | State.REBUILT | State.LABELLED)
"""The flags that no event gives or takes. Whoever changes a status without an event changes one of these, so that
who read the row before, or remembers it, finds that out when writing (rows.UPDATE_STATUS)."""


class Mark(enum.IntFlag):
    """What an event row says beside its columns; stored in scan_event.flags."""

    NONE = 0
    SEAL = 1  # its body carries a seal
    HANDOVER = 2
    AUTHORISED = (
        4  # somebody with an inspector's rights did it at the desk; or it is a hold for security, whoever placed it
    )
    UNKNOWN_STEP = 8


class Seal(NamedTuple):
    """What was done to a seal."""

    did: str  # applied, checked, removed (opened by whoever may), broken, replaced
    number: str
    replaces: str


class Observed(NamedTuple, Generic[TimeT, IdT]):
    """One event as the fold sees it. The first five fields are the order of the world; arrival decides nothing."""

    event_time: TimeT
    source: int
    sequence: int
    position: int
    event_id: IdT
    step: int
    facility: int
    flags: int
    receptacle: IdT | None
    corrects: IdT | None
    seal: Seal | None


Seen = Observed[dt.datetime, UUID]
"""An event as readers see it."""
PackedSeen = Observed[int, bytes]
"""An event on the scan path."""


@dataclass(slots=True)
class Status(Generic[TimeT, IdT]):
    """What the events so far add up to. `advance` changes it in place: it runs on every scan."""

    step: int = 0
    step_time: TimeT | None = None
    step_facility: int = 0
    last: tuple[TimeT, int, int, int, IdT] | None = None
    first_time: TimeT | None = None
    facility: int = 0
    flags: int = 0
    receptacle: IdT | None = None
    seal: str = ""
    item_seq: int = 0
    head: bytes = bytes(32)


AT_THE_DESK: Final = (int(Step.HELD), int(Step.RELEASED))
"""Steps that are recorded of an item which nobody has in hand yet: it is held before it comes."""
_MOVES = frozenset(int(step) for step, codes in CODES.items() if codes.moves)
_LOADED, _UNLOADED, _HELD, _RELEASED = (int(s) for s in (Step.LOADED, Step.UNLOADED, Step.HELD, Step.RELEASED))
_DELIVERED, _DAMAGED, _LOST = (int(s) for s in (Step.DELIVERED, Step.DAMAGED, Step.LOST))
_AUTHORISED_M = int(Mark.AUTHORISED)
_HELD_F, _DELIVERED_F, _AFTER_F, _UNKNOWN_F, _CORRECTED_F, _DAMAGED_F, _LOST_F, _SECURED_F = (
    int(f)
    for f in (
        State.HELD,
        State.DELIVERED,
        State.AFTER_DELIVERY,
        State.UNKNOWN_STEP,
        State.CORRECTED,
        State.DAMAGED,
        State.LOST,
        State.SECURED,
    )
)


_SETS = {_DAMAGED: _DAMAGED_F, _LOST: _LOST_F}
PackedStatus = Status[int, bytes]
"""A status on the scan path."""

_RECYCLED_AFTER_US = RECYCLED_AFTER // dt.timedelta(microseconds=1)
_ACCEPTED = int(Step.ACCEPTED)


def is_recycled(status: PackedStatus, *, step: int, event_us: int) -> bool:
    """Return whether a number that is accepted again belongs to another item: the last one ended a year ago."""
    if step != _ACCEPTED or status.last is None or not status.flags & _DELIVERED_F:
        return False
    return event_us - status.last[0] > _RECYCLED_AFTER_US


def _order(seen: Observed[TimeT, IdT]) -> tuple[TimeT, int, int, int, IdT]:
    return seen[:5]


def in_order(status: Status[TimeT, IdT], seen: Observed[TimeT, IdT]) -> bool:
    """Return whether `seen` comes after everything folded so far and voids nothing before it."""
    return seen.corrects is None and not status.flags & _CORRECTED_F and (status.last is None or seen[:5] > status.last)


def advance(status: Status[TimeT, IdT], seen: Observed[TimeT, IdT]) -> None:
    """Add the next event in order to `status`. Delivered stays delivered: only a correction takes it back.

    A hold set with an inspector's rights is released only with them.
    """
    when, step = seen.event_time, seen.step
    if status.first_time is None:
        status.first_time = when
    status.last = seen[:5]
    if status.flags & _DELIVERED_F:
        status.flags = _after_delivery(status.flags, seen)
        return
    if seen.facility:
        status.facility = seen.facility
    if step == _RELEASED and not _may_release(status.flags, seen):
        return  # recorded, and changes nothing
    if step in _MOVES:
        status.step, status.step_time, status.step_facility = step, when, seen.facility
        if step == _DELIVERED:
            status.flags |= _DELIVERED_F
            status.receptacle = None
        elif step == _HELD:
            status.flags |= _HELD_F | (_SECURED_F if seen.flags & _AUTHORISED_M else 0)
        elif step == _RELEASED:
            status.flags &= ~(_HELD_F | _SECURED_F)
        else:
            status.flags |= _SETS.get(step, 0)
    elif step == _LOADED:
        status.receptacle = seen.receptacle
    elif step == _UNLOADED:
        status.receptacle = None
    elif step == 0:
        status.flags |= _UNKNOWN_F
    if seen.seal is not None:
        status.seal = seal_after(status.seal, seen.seal)


def _may_release(flags: int, seen: Observed[TimeT, IdT]) -> bool:
    return bool(seen.flags & _AUTHORISED_M) or not flags & _SECURED_F


def _after_delivery(flags: int, seen: Observed[TimeT, IdT]) -> int:
    """Return the flags of a delivered item after one more scan; what was handed out on hold may still be released."""
    if seen.step != _RELEASED or not flags & _HELD_F:
        return flags | _AFTER_F
    return flags & ~(_HELD_F | _SECURED_F) if _may_release(flags, seen) else flags


def seal_after(current: str, seal: Seal) -> str:
    """Return the number of the seal that is on after `seal` was done."""
    if seal.did in {"applied", "replaced"}:
        return seal.number
    return "" if seal.did in {"broken", "removed"} else current


def seal_problems(events: Iterable[Observed[TimeT, IdT]]) -> dict[IdT, str]:
    """Return, by event id, why what was seen of a seal does not fit what was there before; all events of one thing."""
    events = list(events)
    void = voided(events)
    found: dict[IdT, str] = {}
    current = ""
    for seen in sorted(events, key=_order):
        if seen.seal is None or seen.corrects is not None or seen[:5] in void:
            continue
        why = seal_problem(current, seen.seal)
        if why:
            found[seen.event_id] = why
        current = seal_after(current, seen.seal)
    return found


def _(text: str) -> str:
    """Mark a text for translation; it is kept as it is and translated where an alert is shown."""
    return text


def seal_problem(current: str, seal: Seal) -> str:
    """Return why what was seen does not fit the seal that should be there, or nothing."""
    if seal.did in {"checked", "removed"} and current and seal.number != current:
        return _("The seal's number is not the one that was put on.")
    if seal.did == "replaced" and current and seal.replaces != current:
        return _("The seal that was taken off is not the one that was put on.")
    if seal.did == "applied" and current and seal.number != current:
        return _("A second seal was put on while the first was never broken or replaced.")
    if seal.did == "broken":
        return _("The seal was found broken.")
    return ""


def voided(events: Iterable[Observed[TimeT, IdT]]) -> frozenset[tuple[TimeT, int, int, int, IdT]]:
    """Return the events that corrections declare wrong, each by its first five fields.

    A correction counts for an event that its own source made, unless that is a hold that secures the item, and for
    anybody's when its actor may correct those; one that was itself corrected does not count. Newest first, so that a
    correction of a correction is known before the correction is used. An id alone does not name an event: somebody
    else may have used it again, at another time.
    """
    events = list(events)
    named: dict[IdT, list[Observed[TimeT, IdT]]] = {seen.corrects: [] for seen in events if seen.corrects is not None}
    if not named:
        return frozenset()
    for seen in events:
        if seen.event_id in named:
            named[seen.event_id].append(seen)
    void: set[tuple[TimeT, int, int, int, IdT]] = set()
    for seen in sorted((seen for seen in events if seen.corrects is not None), key=_order, reverse=True):
        if seen.corrects is not None and seen[:5] not in void:
            void.update(of[:5] for of in named[seen.corrects] if _takes_back(seen, of))
    return frozenset(void)


def _takes_back(seen: Observed[TimeT, IdT], of: Observed[TimeT, IdT]) -> bool:
    """Return whether a correction counts for an event: a secured hold's says that it is of a hold, which no key may."""
    if of.step == _HELD and of.flags & _AUTHORISED_M:
        return seen.step == _HELD and bool(seen.flags & _AUTHORISED_M)
    return bool(seen.flags & _AUTHORISED_M) or of.source == seen.source


def fold(events: Iterable[Observed[TimeT, IdT]]) -> Status[TimeT, IdT]:
    """Return the status that a set of events adds up to, whatever order they are given in.

    `item_seq` and `head` are about recording, not about the journey; the caller keeps them.
    """
    events = list(events)
    void = voided(events)
    status: Status[TimeT, IdT] = Status()
    corrections = False
    for seen in sorted(events, key=_order):
        if status.first_time is None:
            status.first_time = seen.event_time  # of any event, also a voided one: readers look from here on
        status.last = seen[:5]
        if seen.corrects is not None:
            corrections = True
        elif seen[:5] not in void:
            advance(status, seen)
    if corrections:
        status.flags |= _CORRECTED_F  # from now on every new event folds from the first
    return status


class Sight(NamedTuple):
    """One side of a handover saw one item."""

    side: str  # giver or receiver
    item: UUID
    facility: int
    counted: int  # how many that side says there are; 0: not said
    record_time: dt.datetime  # when we learnt of it
    source: int = 0
    speaker: str = ""  # who signs for that side: parties, or a key's holder by itself


@dataclass(frozen=True, slots=True)
class Verdict:
    """What does not match between the two sides of a handover."""

    short: tuple[UUID, ...]  # given, not received
    unexpected: tuple[UUID, ...]  # received, not given
    over: bool  # the receiver counts more than the giver gave
    facility: int  # where the receiver is; the giver's place when nobody received


def judge_handover(sights: Iterable[Sight], *, now: dt.datetime) -> Verdict | None:
    """Compare both sides; None while they may still be scanning.

    Both are done when each has scanned as many as it counted, or when the last scan is HANDOVER_PATIENCE ago.
    """
    by_side: dict[str, list[Sight]] = {"giver": [], "receiver": []}
    for sight in sights:
        by_side[sight.side].append(sight)
    given, received = by_side["giver"], by_side["receiver"]
    if not given and not received:
        return None
    counted = [max((s.counted for s in side), default=0) for side in (given, received)]
    gave, got = {s.item for s in given}, {s.item for s in received}
    complete = all(count and len(side) >= count for count, side in zip(counted, (gave, got), strict=True))
    waited = now - max(s.record_time for s in (*given, *received)) > HANDOVER_PATIENCE
    if not complete and not waited:
        return None
    return Verdict(
        short=tuple(sorted(gave - got)),
        unexpected=tuple(sorted(got - gave)),
        over=counted[1] > max(counted[0], len(gave)),
        facility=(received or given)[0].facility,
    )
