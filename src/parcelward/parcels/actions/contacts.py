"""Masked contacts of an item: opened while it travels, ended two weeks after it was delivered."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Final
from uuid import UUID

from django.db import transaction

from parcelward.base.errors import Conflict, NotFound
from parcelward.base.vault import VaultToken
from parcelward.parcels.models import ItemStatus
from parcelward.parcels.rules import State
from parcelward.people.actions import machinery
from parcelward.people.queries import require
from parcelward.people.wire import Person, Task
from parcelward.privacy import actions as privacy
from parcelward.privacy import queries as kept
from parcelward.privacy.wire import MaskedContact

AFTER_DELIVERY: Final = dt.timedelta(days=14)
ITEMS_AT_ONCE: Final = 1_000


@transaction.atomic
def open_contact(item: UUID, one: VaultToken, other: VaultToken, *, by: Person, now: dt.datetime) -> MaskedContact:
    """Let a sender and an addressee write to each other about an item that is on its way, or just was.

    Raises NotFound for an unknown item, Conflict for one that was delivered two weeks ago or erased, and what
    `privacy` raises for people who are not theirs.
    """
    require(by, Task.CONTACT)
    status = ItemStatus.objects.filter(item=item).first()
    if status is None:
        raise NotFound("No such item")
    end = _end(status, now)
    if status.flags & State.SHREDDED or (end is not None and end <= now):
        raise Conflict("This item's journey is over, and so is the time to write about it", code="over")
    opened = privacy.open_contact(item, one, other, by=by, now=now)
    if end is not None:
        privacy.end_contacts(item, end, by=machinery())
        opened = dataclasses.replace(opened, until=min(end, opened.until))
    return opened


def _end(status: ItemStatus, now: dt.datetime) -> dt.datetime | None:
    return (status.step_time or now) + AFTER_DELIVERY if status.flags & State.DELIVERED else None


def end_delivered(now: dt.datetime) -> int:
    """Let the contacts of delivered items end two weeks after; return how many. Safe to run any number of times."""
    done, after = 0, UUID(int=0)
    by = machinery()
    while items := kept.contact_items(after, ITEMS_AT_ONCE):
        after = items[-1]
        for status in ItemStatus.objects.filter(item__in=items).order_by("item"):
            end = now if status.flags & State.SHREDDED else _end(status, now)
            if end is not None:
                done += privacy.end_contacts(status.item, end, by=by)
    return done
