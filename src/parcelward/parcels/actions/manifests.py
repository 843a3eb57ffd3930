"""Accept a manifest: what a sender says was handed in. It is assumed, never observed, until somebody scans it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import psycopg
from django.db import transaction

from parcelward.base import db
from parcelward.base.errors import Busy, Invalid, TooLarge
from parcelward.base.standards import identify
from parcelward.base.standards.errors import BadItemNumber
from parcelward.base.standards.steps import Step
from parcelward.custody import actions as custody
from parcelward.network import queries as network
from parcelward.parcels import rules
from parcelward.parcels.actions import items
from parcelward.parcels.models import ItemKind
from parcelward.parcels.number_check import MANIFEST_KIND, lines_hash
from parcelward.parcels.rules import PackedStatus, State, Status
from parcelward.people.queries import require
from parcelward.people.wire import Person, Task

ITEMS_MAX = 10_000
ID_MAX = 64
TRIES_MAX = 5


@dataclass(frozen=True, slots=True)
class Refused:
    """One line of a manifest that was not accepted."""

    index: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of a manifest."""

    accepted: int  # newly assumed
    duplicates: int  # assumed by this manifest before
    refused: tuple[Refused, ...]


@dataclass(slots=True)
class _New:
    """An item that nobody has told us about (see items.NewItem)."""

    number: str
    item: bytes
    simulated: bool
    status: PackedStatus
    kind: int = int(ItemKind.ITEM)
    touched: bool = False


@dataclass(slots=True)
class _Lines:
    numbers: dict[str, int] = field(default_factory=dict)  # canonical number -> first line that names it
    refused: list[Refused] = field(default_factory=list)
    repeated: int = 0


def accept_manifest(
    manifest_id: str,
    *,
    facility: str,
    event_time: dt.datetime,
    numbers: Sequence[str],
    by: Person,
    now: dt.datetime,
) -> Accepted:
    """Assume that these items were handed in at `facility`; make those that are unknown, as announced.

    One transaction; the same manifest again changes nothing and counts duplicates, and more items may follow under the
    same id. Ids count per sender: nobody can take another's id, add to its manifest, or learn that it is taken.
    Numbers that are not item numbers are named by their line. Raises Invalid for an unknown facility, a time ahead
    of ours, or one before the year 2000.
    """
    require(by, Task.CAPTURE)
    if not 1 <= len(manifest_id) <= ID_MAX or not manifest_id.isprintable():
        raise Invalid(f"A manifest's id has 1 to {ID_MAX} printable characters", code="bad_manifest_id")
    if not 1 <= len(numbers) <= ITEMS_MAX:
        raise TooLarge(f"A manifest has 1 to {ITEMS_MAX} items; this one has {len(numbers)}")
    place = network.facilities(missing=facility).by_code.get(facility)
    if place is None:
        raise Invalid("This facility code is not known here. Describe it first.", code="unknown_facility")
    if event_time > now + rules.CLOCK_AHEAD_MAX:
        raise Invalid("The manifest's time is more than 5 minutes ahead", code="clock_ahead")
    if event_time < rules.EVENT_TIME_MIN:
        raise Invalid("The manifest's time is before the year 2000", code="too_old")
    lines = _read(numbers)
    for _ in range(TRIES_MAX):
        try:
            with transaction.atomic():
                known, refused = _find(lines, by=by, event_time=event_time, now=now)
                fresh = _insert(manifest_id, known, facility=place.number, event_time=event_time, by=by, now=now)
        except (psycopg.errors.UniqueViolation, db.LostRace):
            continue  # somebody else made one of the items meanwhile, or recorded a scan of it: now it is known
        refused.extend(lines.refused)
        return Accepted(fresh, len(known) - fresh + lines.repeated, tuple(sorted(refused, key=lambda r: r.index)))
    raise Busy("Too many others make the same items; send the manifest again", retry_after_s=1)


def _read(numbers: Sequence[str]) -> _Lines:
    lines = _Lines()
    for index, text in enumerate(numbers):
        try:
            number = identify.canonical(text)
        except BadItemNumber as err:
            lines.refused.append(Refused(index, err.code, err.message))
            continue
        if number in lines.numbers:
            lines.repeated += 1
        elif number.startswith(identify.ITEM_PREFIX):
            lines.refused.append(Refused(index, "not_a_number", "Send the number on the label, not an id of ours."))
        else:
            lines.numbers[number] = index
    return lines


def _find(
    lines: _Lines, *, by: Person, event_time: dt.datetime, now: dt.datetime
) -> tuple[dict[UUID, str], list[Refused]]:
    """Return the items behind the numbers, made where unknown, with them; and those that no longer may be handed in.

    A number that has come back long after its item's delivery stands for a new item from here on.
    """
    found: dict[str, UUID] = {}
    came_back: set[str] = set()
    refused: list[Refused] = []
    with db.cursor(binary=True) as cur:
        cur.execute(
            "SELECT a.number, s.item, s.kind, s.flags, s.last_time, s.item_seq FROM parcels_itemalias a "
            "JOIN parcels_item_status s ON s.item = a.item WHERE a.number = ANY(%s) AND a.valid_to IS NULL "
            "ORDER BY a.number",
            (list(lines.numbers),),
            binary=True,
        )
        rows = cur.fetchall()
    for number, item, kind, flags, last_time, item_seq in rows:
        back = kind == ItemKind.ITEM and _has_come_back(flags, last_time, event_time=event_time)
        if back and items.end_alias(number, item.bytes, at=event_time, seen=item_seq):
            came_back.add(number)
            continue
        found[number] = item
        problem = _problem(kind, flags)
        if problem:
            refused.append(Refused(lines.numbers[number], *problem))
    new = [n for n in lines.numbers if n not in found]
    made = [
        _New(n, item, by.simulated, Status(flags=_at_birth(simulated=by.simulated, reused=n in came_back)))
        for n, item in zip(new, items.new_item_ids(len(new), now=now), strict=True)
    ]
    if made:
        custody.make_secrets(one.item for one in made)
        items.insert_items(made, now=now)
        items.insert_blank_statuses(made)
        found.update((one.number, UUID(bytes=one.item)) for one in made)
    not_ours = {r.index for r in refused}
    wanted = {item: number for number, item in found.items() if lines.numbers[number] not in not_ours}
    with db.cursor() as cur:
        cur.execute(
            "UPDATE parcels_item SET announced_at = %s WHERE item IN "
            "(SELECT item FROM parcels_item WHERE item = ANY(%s) AND announced_at IS NULL ORDER BY item FOR UPDATE)",
            (now, list(wanted)),
        )
    return wanted, refused


def _at_birth(*, simulated: bool, reused: bool) -> int:
    return int((State.SIMULATED if simulated else State.NONE) | (State.REUSED if reused else State.NONE))


def _has_come_back(flags: int, last_time: dt.datetime | None, *, event_time: dt.datetime) -> bool:
    """Return whether a number that is handed in again belongs to another item (as rules.is_recycled of a scan)."""
    last = None if last_time is None else (db.pg_micros(last_time), 0, 0, 0, bytes(16))
    seen: PackedStatus = Status(flags=flags, last=last)
    return rules.is_recycled(seen, step=int(Step.ACCEPTED), event_us=db.pg_micros(event_time))


def _problem(kind: int, flags: int) -> tuple[str, str] | None:
    if kind != ItemKind.ITEM:
        return "wrong_kind", "This number is a receptacle's; a manifest lists items."
    if flags & State.SHREDDED:
        return "shredded", "This item's record was erased; nothing more can be recorded of it."
    if flags & State.DELIVERED:
        return "delivered", "This item was delivered already; what comes back needs a new number."
    return None


def _insert(
    manifest_id: str,
    wanted: Mapping[UUID, str],
    *,
    facility: int,
    event_time: dt.datetime,
    by: Person,
    now: dt.datetime,
) -> int:
    """Store the lines; return how many are new. A manifest with new lines is an entry in the log, which names each."""
    with db.cursor() as cur:
        cur.execute(
            "INSERT INTO parcels_manifest (id, item, source, facility, event_time, record_time) "
            "SELECT %s, i, %s, %s, %s, %s FROM unnest(%s::uuid[]) AS u(i) ORDER BY i ON CONFLICT DO NOTHING "
            "RETURNING item",
            (manifest_id, by.source, facility, event_time, now, list(wanted)),
        )
        fresh = [row[0] for row in cur.fetchall()]
    if fresh:
        lines = lines_hash(((item, wanted[item]) for item in fresh), facility=facility, event_time=event_time)
        said = {"by": by.source, "facility": facility, "items": len(fresh), "manifest": manifest_id}
        custody.record_fact(MANIFEST_KIND, said | {"lines": lines, "recorded_us": db.pg_micros(now)})
    return len(fresh)
