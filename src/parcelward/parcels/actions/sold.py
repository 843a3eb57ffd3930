"""Make items that were sold: each with a number of ours, announced, and not yet seen by anybody."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db import transaction

from parcelward.base import db
from parcelward.base.errors import Busy, Conflict, Invalid
from parcelward.base.standards import identify, s10
from parcelward.custody import actions as custody
from parcelward.parcels.actions import desk, items, labels
from parcelward.parcels.models import ItemKind, ItemStatus, ScanEvent
from parcelward.parcels.number_check import SOLD_KIND, numbers_hash
from parcelward.parcels.rules import AT_THE_DESK, PackedStatus, State, Status
from parcelward.people.queries import require
from parcelward.people.wire import Person, Task

SOLD_AT_ONCE_MAX: Final = 500  # as many as get a label at once

_TRIES_MAX: Final = 20
_S10_SERIALS: Final = 10**8
_REST: Final = dt.timedelta(days=366)  # UPU S10: a number is not used again within 12 months
_TAKEN: Final = "SELECT number FROM parcels_itemalias WHERE number = ANY(%s) AND (valid_to IS NULL OR valid_to > %s)"
_INSERT: Final = (
    "INSERT INTO parcels_solditem (item, sold_at, source, facility) "
    "SELECT i, %s, s, f FROM unnest(%s::uuid[], %s::int[], %s::int[]) AS u(i, s, f)"
)
_ANNOUNCED: Final = "UPDATE parcels_item SET announced_at = %s WHERE item = ANY(%s::uuid[])"


@dataclass(frozen=True, slots=True)
class SoldWanted:
    """An item that was sold and is to be made.

    `s10_mark` is the service indicator of an S10 number (two letters, such as LA), or empty for a number of our own;
    `facility` the number of the place where it is expected to be handed in; `buyer` the source of whoever bought it.
    """

    s10_mark: str
    facility: int
    buyer: int
    simulated: bool


@dataclass(slots=True)
class _Sold:
    """An item that was sold (see items.NewItem)."""

    number: str
    item: bytes
    simulated: bool
    status: PackedStatus
    kind: int = int(ItemKind.ITEM)
    touched: bool = False


def make_sold_within(
    wanted: Sequence[SoldWanted], *, country: str, by: Person, now: dt.datetime
) -> list[tuple[UUID, str]]:
    """Make the items that were sold, in the caller's transaction; return each with its number.

    Numbers are drawn by chance: nobody learns from one how many there are, or what the next one is. `by` is the house
    where several buyers' items are made at once, and else the buyer; the log has an entry for each buyer.
    Raises Invalid for too many or a mark that is none, Busy where no free number was found.
    """
    require(by, Task.ORDER)
    if not 1 <= len(wanted) <= SOLD_AT_ONCE_MAX:
        raise Invalid(f"An order has 1 to {SOLD_AT_ONCE_MAX} items", code="bad_count")
    numbers = _numbers([one.s10_mark for one in wanted], country, now)
    made = [
        _Sold(number, item, one.simulated, Status(flags=int(State.SIMULATED if one.simulated else State.NONE)))
        for one, number, item in zip(wanted, numbers, items.new_item_ids(len(numbers), now=now), strict=True)
    ]
    custody.make_secrets(one.item for one in made)
    items.insert_items(made, now=now)
    items.insert_blank_statuses(made)
    with db.cursor() as cur:
        cur.execute(_ANNOUNCED, (now, ids := db.uuid_array([one.item for one in made])))
        cur.execute(_INSERT, (now, ids, [one.buyer for one in wanted], [one.facility for one in wanted]))
    found = [(UUID(bytes=one.item), one.number) for one in made]
    of: dict[int, list[tuple[UUID, str]]] = {}
    for one, pair in zip(wanted, found, strict=True):
        of.setdefault(one.buyer, []).append(pair)
    recorded = {"recorded_us": db.pg_micros(now)}
    custody.record_facts(
        SOLD_KIND,
        [
            {"by": buyer, "items": [str(item) for item, _ in some], "numbers": numbers_hash(some)} | recorded
            for buyer, some in of.items()
        ],
    )
    return found


def _numbers(marks: Sequence[str], country: str, now: dt.datetime) -> list[str]:
    """Return a free number for each mark, all different. Two transactions that draw the same one collide at the end."""
    numbers = [_drawn(mark, country) for mark in marks]
    for _ in range(_TRIES_MAX):
        taken = _taken(numbers, now)
        again = [at for at, number in enumerate(numbers) if number in taken or number in numbers[:at]]
        if not again:
            return numbers
        for at in again:
            numbers[at] = _drawn(marks[at], country)
    raise Busy("No free number was found. Try again; if it stays so, numbers run out", retry_after_s=1)


def _drawn(mark: str, country: str) -> str:
    if not mark:
        own = identify.OWN_FORMATS[0]
        return own.make(secrets.randbelow(10**own.digits))
    return str(s10.make(mark, secrets.randbelow(_S10_SERIALS), country))


def _taken(numbers: Collection[str], now: dt.datetime) -> set[str]:
    with db.cursor() as cur:
        cur.execute(_TAKEN, (list(numbers), now - _REST))
        return {row[0] for row in cur.fetchall()}


def inspect_sold_within(sold: Sequence[UUID], *, reason: str, by: Person) -> None:
    """Have items held until somebody has looked into them, in the caller's transaction: whoever scans one is told."""
    require(by, Task.ORDER)
    for item in sorted(sold):
        desk.record_event(item, "held", reason, by=by)


@transaction.atomic
def cancel_sold_within(sold: Sequence[UUID], *, by: Person, now: dt.datetime) -> None:
    """Cancel items that were sold, in the caller's transaction: their labels are void, and their journeys say so.

    Raises Conflict where one of them was handed in.
    """
    require(by, Task.ORDER)
    list(ItemStatus.objects.select_for_update().filter(item__in=sold).order_by("item"))  # a scan waits, or comes first
    if ScanEvent.objects.filter(item__in=sold).exclude(step__in=AT_THE_DESK).exists():
        raise Conflict("This was handed in: it cannot be cancelled any more", code="tendered")
    for item in sorted(sold):
        labels.void_label(item, by=by, now=now)
        desk.record_event(item, "cancelled", "sender_cancelled", by=by)
