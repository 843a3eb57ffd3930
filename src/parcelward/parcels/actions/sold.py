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
from parcelward.base.errors import Busy, Invalid
from parcelward.base.standards import identify, s10
from parcelward.custody import actions as custody
from parcelward.parcels.actions import items
from parcelward.parcels.models import ItemKind
from parcelward.parcels.number_check import SOLD_KIND, numbers_hash
from parcelward.parcels.rules import PackedStatus, State, Status
from parcelward.people.queries import require
from parcelward.people.wire import Person, Task

SOLD_AT_ONCE_MAX: Final = 500  # as many as get a label at once
_TRIES_MAX: Final = 20
_S10_SERIALS: Final = 10**8
_REST: Final = dt.timedelta(days=366)  # UPU S10: a number is not used again within 12 months
_TAKEN: Final = "SELECT number FROM parcels_itemalias WHERE number = ANY(%s) AND (valid_to IS NULL OR valid_to > %s)"
_INSERT: Final = "INSERT INTO parcels_solditem (item, sold_at, source) SELECT i, %s, %s FROM unnest(%s::uuid[]) AS u(i)"
_ANNOUNCED: Final = "UPDATE parcels_item SET announced_at = %s WHERE item = ANY(%s::uuid[])"


@dataclass(slots=True)
class _Sold:
    """An item that was sold (see items.NewItem)."""

    number: str
    item: bytes
    simulated: bool
    status: PackedStatus
    kind: int = int(ItemKind.ITEM)
    touched: bool = False


@transaction.atomic
def make_sold_within(s10_marks: Sequence[str], *, country: str, by: Person, now: dt.datetime) -> list[tuple[UUID, str]]:
    """Make one item for each mark, in the caller's transaction; return each with its number.

    A mark is the service indicator of an S10 number (two letters, such as LA), or empty for a number of our own.
    Numbers are drawn by chance: nobody learns from one how many there are, or what the next one is.
    Raises Invalid for too many or a mark that is none, Busy where no free number was found.
    """
    require(by, Task.ORDER)
    if not 1 <= len(s10_marks) <= SOLD_AT_ONCE_MAX:
        raise Invalid(f"An order has 1 to {SOLD_AT_ONCE_MAX} items", code="bad_count")
    numbers = _numbers(s10_marks, country, now)
    flags = int(State.SIMULATED if by.simulated else State.NONE)
    made = [
        _Sold(number, item, by.simulated, Status(flags=flags))
        for number, item in zip(numbers, items.new_item_ids(len(numbers), now=now), strict=True)
    ]
    custody.make_secrets(one.item for one in made)
    items.insert_items(made, now=now)
    items.insert_blank_statuses(made)
    with db.cursor() as cur:
        cur.execute(_ANNOUNCED, (now, ids := db.uuid_array([one.item for one in made])))
        cur.execute(_INSERT, (now, by.source, ids))
    found = [(UUID(bytes=one.item), one.number) for one in made]
    said = {"by": by.source, "items": [str(item) for item, _ in found], "numbers": numbers_hash(found)}
    custody.record_fact(SOLD_KIND, said | {"recorded_us": db.pg_micros(now)})
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
