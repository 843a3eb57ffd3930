"""Requests to erase an item's record, and the legal holds that keep one, for the desk. Part of the room's queries."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from parcelward.base.errors import NotFound
from parcelward.base.standards import identify
from parcelward.custody import shredding
from parcelward.parcels.proofs import first_number
from parcelward.people import queries as people
from parcelward.people.wire import Person, Task


@dataclass(frozen=True, slots=True)
class WaitingErasure:
    """One request that is open. `mine`: whoever looks asked for it."""

    id: int
    item: UUID
    number: str
    reason: str
    asked_by: str
    agreed_by: str
    not_before: dt.datetime | None
    held_for: str  # why a legal hold keeps it; empty: none does
    mine: bool


@dataclass(frozen=True, slots=True)
class StandingHold:
    """A legal hold: this item's record is kept whatever is asked."""

    item: UUID
    number: str
    reason: str
    placed_by: str
    placed_at: dt.datetime


def number_of(item: UUID) -> str:
    """Return what an item is called: its first number."""
    return first_number(item) or identify.item_id(item)


def erasures(*, by: Person) -> list[WaitingErasure]:
    """Return the requests that are open, the oldest first."""
    people.require(by, Task.SHRED)
    rows = shredding.listed(open_only=True)
    names = people.source_names(number for row in rows for number in (row.requested_by, row.approved_by or 0))
    return [
        WaitingErasure(
            id=row.erasure_id,
            item=row.item,
            number=number_of(row.item),
            reason=row.reason,
            asked_by=names.get(row.requested_by, ""),
            agreed_by=names.get(row.approved_by or 0, ""),
            not_before=row.not_before,
            held_for=row.held_for,
            mine=row.requested_by == by.source,
        )
        for row in reversed(rows)
    ]


def erasure(erasure_id: int, *, by: Person) -> WaitingErasure:
    """Return one of them. Raises NotFound."""
    found = next((row for row in erasures(by=by) if row.id == erasure_id), None)
    if found is None:
        raise NotFound("No such request for erasure")
    return found


def legal_holds(*, by: Person) -> list[StandingHold]:
    """Return the legal holds that stand, the newest first."""
    people.require(by, Task.SHRED)
    rows = shredding.holds()
    names = people.source_names(row.placed_by for row in rows)
    return [
        StandingHold(row.item, number_of(row.item), row.reason, names.get(row.placed_by, ""), row.placed_at)
        for row in rows
    ]


def legal_hold(item: UUID, *, by: Person) -> str:
    """Return why a legal hold keeps an item's record; empty where none does."""
    people.require(by, Task.SHRED)
    return next((row.reason for row in shredding.holds(item)), "")
