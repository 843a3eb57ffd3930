"""Erase an item's record: who may, and what becomes of the item's own rows. The rest is custody's (shredding)."""

from __future__ import annotations

import datetime as dt
import logging
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from parcelward.base import config
from parcelward.base.errors import Conflict, NotFound
from parcelward.custody import shredding
from parcelward.parcels.epcis import erasing
from parcelward.parcels.models import Item, ItemStatus, ScanEvent
from parcelward.parcels.rules import State
from parcelward.people.actions import require_asker
from parcelward.people.queries import require
from parcelward.people.wire import Person, Task

log = logging.getLogger(__name__)


def _require_item(item: UUID) -> None:
    if not Item.objects.filter(item=item).exists():
        raise NotFound("No such item")


def request_erasure(item: UUID, reason: str, *, by: Person) -> int:
    """Ask for an item's erasure; return the request's number. Another person must approve it."""
    require(by, Task.SHRED)
    _require_item(item)
    return shredding.request(item, reason, by=by.source, now=timezone.now())


@transaction.atomic
def approve_erasure(erasure_id: int, *, by: Person) -> None:
    """Agree to an erasure that somebody else asked for, and still may; it is done once the wait is over."""
    require(by, Task.SHRED)
    require_asker(shredding.asked_by(erasure_id), Task.SHRED, by=by)
    wait = dt.timedelta(days=config.get().erasure_wait_days)
    shredding.approve(erasure_id, by=by.source, now=timezone.now(), wait=wait)


def withdraw_erasure(erasure_id: int, *, by: Person) -> None:
    """Call a request off, as long as nothing was erased."""
    require(by, Task.SHRED)
    shredding.withdraw(erasure_id, by=by.source, now=timezone.now())


def place_legal_hold(item: UUID, reason: str, *, by: Person) -> None:
    """Keep an item's record whatever is asked."""
    require(by, Task.SHRED)
    _require_item(item)
    shredding.place_hold(item, reason, by=by.source, now=timezone.now())


def lift_legal_hold(item: UUID, *, by: Person) -> None:
    """End a legal hold."""
    require(by, Task.SHRED)
    shredding.lift_hold(item, by=by.source, now=timezone.now())


def erase(erasure_id: int, *, by: Person) -> None:
    """Do an approved erasure whose wait is over. Doing it twice changes nothing; after a crash it goes on.

    Raises Conflict and says why when it cannot be done now.
    """
    require(by, Task.SHRED)
    _erase(erasure_id, now=timezone.now())


def erase_due(now: dt.datetime) -> int:
    """Finish what was begun and do what is due: the worker's housekeeping. Returns how many items were erased."""
    begun = shredding.unfinished()
    for erasure_id in begun:
        shredding.finish(erasure_id, now=now)
    done = len(begun)
    for erasure_id in shredding.due(now):
        try:
            _erase(erasure_id, now=now)
        except Conflict as err:  # held meanwhile, or withdrawn: the others still have their turn
            log.info("erasure %d waits: %s", erasure_id, err)
        else:
            done += 1
    return done


def erase_again() -> int:
    """Erase what a restored keys database brought back: the worker, at its start and once a day. Returns how many."""
    found = shredding.delete_again()
    if found:
        log.warning("secrets of erased items were there again, as after a restore, and are deleted: %d", found)
    return found


def _erase(erasure_id: int, *, now: dt.datetime) -> None:
    item = shredding.item_of(erasure_id)
    with transaction.atomic():
        # Whoever records a scan of this item at the same moment waits here or, having read before, loses the race.
        status = ItemStatus.objects.select_for_update().get(item=item)
        if status.flags & State.HELD and not status.flags & State.SHREDDED:
            raise Conflict("This item is on hold. Release it first, or withdraw the request.", code="held")
        events = ScanEvent.objects.filter(item=item).count()
        shredding.begin(erasure_id, events=events, now=now)
        erasing.erase_naming(item, erasure=erasure_id)
        status.flags |= State.SHREDDED
        status.seal = ""  # it was read from a body that nobody can open any more
        status.save(update_fields=["flags", "seal"])
    shredding.finish(erasure_id, now=now)
