"""Destroy an item's secret, so that nothing of it opens again: two people, a wait, and never under legal hold.

The order makes a crash harmless. First one transaction: tombstone, entry in the log, and whatever the caller does to
its own rows. From then on the item counts as erased everywhere. Then the secret is deleted from its own database, which
cannot be in the same transaction; whoever comes next (`unfinished`) deletes it if nobody did.

Custody asks nobody: the callers authorise. People are the numbers of their sources.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from django.db import IntegrityError, transaction

from parcelward.base.errors import Conflict, Invalid, NotAllowed, NotFound
from parcelward.custody.actions import record_fact
from parcelward.custody.erasure_check import APPROVED, REQUESTED, WITHDRAWN
from parcelward.custody.hold_check import LIFTED, PLACED
from parcelward.custody.models import Erasure, ItemSecret, LegalHold, Tombstone
from parcelward.custody.queries import TOMBSTONE_KIND, forget_keys

REASON_MAX = 200
DELETED_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class ErasureRow:
    """A request and how far it has come."""

    erasure_id: int
    item: UUID
    reason: str
    requested_by: int
    approved_by: int | None
    not_before: dt.datetime | None
    state: str  # requested, approved, held, begun, done, withdrawn
    held_for: str  # why a legal hold keeps it; empty: none does


def _require_reason(reason: str) -> None:
    if not 1 <= len(reason) <= REASON_MAX:
        raise Invalid(f"Give a reason of 1 to {REASON_MAX} characters", code="bad_reason")


def _require_no_hold(item: UUID) -> None:
    hold = LegalHold.objects.filter(item=item, lifted_at=None).first()
    if hold is not None:
        raise Conflict(
            f"A legal hold of {hold.placed_at:%Y-%m-%d} keeps this item's record ({hold.reason}). "
            "It can be erased once whoever placed the hold has lifted it.",
            code="legal_hold",
        )


def request(item: UUID, reason: str, *, by: int, now: dt.datetime) -> int:
    """Ask for an item's erasure; return the request's number. Asking again gives the same open request."""
    _require_reason(reason)
    with transaction.atomic():
        if Tombstone.objects.filter(item=item).exists():
            raise Conflict("This item was erased already", code="shredded")
        _require_no_hold(item)
        known = Erasure.objects.filter(item=item, done_at=None).first()
        if known is not None:
            return known.id
        try:
            with transaction.atomic():
                made = Erasure.objects.create(item=item, reason=reason, requested_by=by, requested_at=now)
        except IntegrityError:  # somebody else asked at the same moment
            return Erasure.objects.get(item=item, done_at=None).id
        said = {"item": str(item), "reason": reason, "requested_at": now.isoformat()}
        record_fact(REQUESTED, {"by": by, "erasure": made.id, **said})
        return made.id


def _locked(erasure_id: int) -> Erasure:
    row = Erasure.objects.select_for_update().filter(pk=erasure_id).first()
    if row is None:
        raise NotFound("No such request for erasure")
    return row


@transaction.atomic
def approve(erasure_id: int, *, by: int, now: dt.datetime, wait: dt.timedelta) -> None:
    """Agree, as a second person, to an erasure after `wait`. Doing it twice changes nothing; never one's own."""
    row = _locked(erasure_id)
    if row.requested_by == by:
        raise NotAllowed("Whoever asked for an erasure cannot approve it: another person must", code="two_people")
    if row.approved_by is not None:
        return
    if row.done_at is not None:
        raise Conflict("This request was withdrawn", code="withdrawn")
    _require_no_hold(row.item)
    row.approved_by, row.approved_at, row.not_before = by, now, now + wait
    row.save(update_fields=["approved_by", "approved_at", "not_before"])
    said = {"approved_at": now.isoformat(), "not_before": row.not_before.isoformat()}
    record_fact(APPROVED, {"by": by, "erasure": row.id, **said})


def asked_by(erasure_id: int) -> int:
    """Return the source of whoever asked for an erasure. Raises NotFound."""
    source = Erasure.objects.filter(pk=erasure_id).values_list("requested_by", flat=True).first()
    if source is None:
        raise NotFound("No such erasure")
    return source


@transaction.atomic
def withdraw(erasure_id: int, *, by: int, now: dt.datetime) -> None:
    """Call a request off, as long as nothing was erased. Doing it twice changes nothing."""
    row = _locked(erasure_id)
    if row.begun_at is not None:
        raise Conflict("The erasure has begun and cannot be called off", code="begun")
    if row.done_at is None:
        row.done_at = now
        row.save(update_fields=["done_at"])
        record_fact(WITHDRAWN, {"by": by, "erasure": row.id, "withdrawn_at": now.isoformat()})


def begin(erasure_id: int, *, events: int, now: dt.datetime) -> UUID:
    """Write tombstone and entry, in the caller's transaction, which holds the item; return the item.

    Raises Conflict when it was not approved, the wait is not over, or a legal hold stands. Doing it twice changes
    nothing.
    """
    row = _locked(erasure_id)
    if row.begun_at is not None:
        return row.item
    if row.done_at is not None:
        raise Conflict("This request was withdrawn", code="withdrawn")
    if row.approved_by is None or row.not_before is None:
        raise Conflict("A second person must approve this erasure first", code="not_approved")
    if now < row.not_before:
        raise Conflict(f"The wait ends on {row.not_before:%Y-%m-%d %H:%M} UTC", code="too_early")
    _require_no_hold(row.item)
    row.begun_at = now
    row.save(update_fields=["begun_at"])
    Tombstone.objects.create(item=row.item, shredded_at=now, events=events)
    record_fact(
        TOMBSTONE_KIND,
        {
            "approved_by": row.approved_by,
            "erasure": row.id,
            "events": events,
            "item": str(row.item),
            "requested_by": row.requested_by,
            "shredded_at": now.isoformat(),
        },
    )
    return row.item


def finish(erasure_id: int, *, now: dt.datetime) -> None:
    """Delete the secret of an erasure that has begun, outside any transaction. Doing it twice changes nothing."""
    row = Erasure.objects.filter(pk=erasure_id).first()
    if row is None or row.begun_at is None:
        raise Conflict("This erasure has not begun", code="not_begun")
    ItemSecret.objects.filter(item=row.item).delete()
    forget_keys([row.item])
    Erasure.objects.filter(pk=erasure_id, done_at=None).update(done_at=now)


def delete_again() -> int:
    """Delete the secrets of erased items that are there all the same, as in a keys database restored from a backup.

    Return how many there were. Reads every tombstone, so it is not for each round of housekeeping.
    """
    deleted, after = 0, UUID(int=0)
    while True:
        tombstones = Tombstone.objects.filter(item__gt=after).order_by("item")
        erased = list(tombstones.values_list("item", flat=True)[:DELETED_AT_ONCE])
        if not erased:
            return deleted
        deleted += ItemSecret.objects.filter(item__in=erased).delete()[0]
        forget_keys(erased)
        after = erased[-1]


def item_of(erasure_id: int) -> UUID:
    """Return which item a request is about, or raise NotFound."""
    row = Erasure.objects.filter(pk=erasure_id).first()
    if row is None:
        raise NotFound("No such request for erasure")
    return row.item


def unfinished() -> list[int]:
    """Return the erasures that began and whose secret may still be there."""
    return list(Erasure.objects.exclude(begun_at=None).filter(done_at=None).values_list("id", flat=True))


def due(now: dt.datetime) -> list[int]:
    """Return the approved erasures whose wait is over and that no legal hold keeps."""
    held = LegalHold.objects.filter(lifted_at=None).values("item")
    ready = Erasure.objects.filter(done_at=None, begun_at=None, not_before__lte=now).exclude(item__in=held)
    return list(ready.order_by("not_before").values_list("id", flat=True))


@transaction.atomic
def place_hold(item: UUID, reason: str, *, by: int, now: dt.datetime) -> None:
    """Keep an item's record whatever is asked. Doing it twice changes nothing."""
    _require_reason(reason)
    # Whoever is about to erase it holds this row: wait for them, or let them find the hold.
    list(Erasure.objects.select_for_update().filter(item=item, done_at=None))
    if Tombstone.objects.filter(item=item).exists():
        raise Conflict("This item was erased already: there is nothing left to hold", code="shredded")
    _, made = LegalHold.objects.get_or_create(
        item=item, lifted_at=None, defaults={"reason": reason, "placed_by": by, "placed_at": now}
    )
    if made:
        said = {"by": by, "item": str(item), "placed_at": now.isoformat(), "reason": reason}
        record_fact(PLACED, said)


@transaction.atomic
def lift_hold(item: UUID, *, by: int, now: dt.datetime) -> None:
    """End a legal hold. Doing it twice changes nothing."""
    if LegalHold.objects.filter(item=item, lifted_at=None).update(lifted_by=by, lifted_at=now):
        record_fact(LIFTED, {"by": by, "item": str(item), "lifted_at": now.isoformat()})


@dataclass(frozen=True, slots=True)
class HoldRow:
    """A legal hold that stands."""

    item: UUID
    reason: str
    placed_by: int
    placed_at: dt.datetime


def holds(item: UUID | None = None, *, limit: int = 200) -> tuple[HoldRow, ...]:
    """Return the legal holds that stand, of one item or the newest of all."""
    rows = LegalHold.objects.filter(lifted_at=None)
    rows = rows if item is None else rows.filter(item=item)
    return tuple(HoldRow(r.item, r.reason, r.placed_by, r.placed_at) for r in rows.order_by("-placed_at")[:limit])


def listed(*, limit: int = 200, open_only: bool = False) -> tuple[ErasureRow, ...]:
    """Return the newest requests, or of these only the ones that wait for somebody or something."""
    found = Erasure.objects.filter(done_at=None) if open_only else Erasure.objects.all()
    rows = list(found.order_by("-id")[:limit])
    holds = dict(
        LegalHold.objects.filter(item__in=[r.item for r in rows], lifted_at=None).values_list("item", "reason"),
    )
    return tuple(
        ErasureRow(
            erasure_id=r.id,
            item=r.item,
            reason=r.reason,
            requested_by=r.requested_by,
            approved_by=r.approved_by,
            not_before=r.not_before,
            state=_state(r, held=r.item in holds),
            held_for=holds.get(r.item, ""),
        )
        for r in rows
    )


def _state(row: Erasure, *, held: bool) -> str:
    if row.done_at is not None:
        return "done" if row.begun_at is not None else "withdrawn"
    if row.begun_at is not None:
        return "begun"
    if held:
        return "held"
    return "requested" if row.approved_by is None else "approved"
