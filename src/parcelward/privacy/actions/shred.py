"""Make a person's data unreadable for good: two people, a wait, never under a hold; and forget whom nobody knew.

The order makes a crash harmless. First one transaction of the main database: tombstone, entry in the log, and the
sealed values go. Then the wrapped key is deleted from its own database, which cannot be in the same transaction;
whoever comes next deletes it if nobody did. A backup of the main database that still has sealed values opens nothing.

A person's row is locked before a request's, everywhere.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from parcelward.base import config, db
from parcelward.base.errors import Conflict, Invalid, NotAllowed, NotFound
from parcelward.base.vault import VaultToken
from parcelward.custody import actions as custody
from parcelward.people import proofing
from parcelward.people.actions import machinery, require_asker
from parcelward.people.queries import key_sources, require
from parcelward.people.wire import Level, Person, Task
from parcelward.privacy import facts, keys, rows
from parcelward.privacy.models import BlindIndex, KeptPerson, Message, PersonHold, PersonTombstone, ShredRequest

log = logging.getLogger(__name__)

REASON_MAX: Final = 200
AT_ONCE: Final = 500
TOMBSTONES_AT_ONCE: Final = 5_000


def _require_person(by: Person, task: Task) -> None:
    """Raise NotAllowed unless `by` may, and is somebody: a key is in the hands of whoever has copied it."""
    require(by, task)
    if key_sources([by.source]):
        raise NotAllowed("This needs two people, and a key is none: sign in", code="two_people")


def _require_reason(reason: str) -> None:
    if not 1 <= len(reason.strip()) <= REASON_MAX or not reason.isprintable():
        raise Invalid(f"Give a reason of 1 to {REASON_MAX} characters, without anybody's name", code="bad_reason")


def _locked(token: VaultToken) -> rows.PersonRow:
    row = rows.read([token], (), lock="FOR UPDATE").get(token)
    if row is None:
        raise rows.absent(token)
    return row


def _require_no_hold(token: UUID) -> None:
    held = PersonHold.objects.filter(person=token, lifted_at=None).first()
    if held is not None:
        raise Conflict(
            f"A legal hold of {held.placed_at:%Y-%m-%d} keeps this person's data ({held.reason}). "
            "It can be shredded once the hold is lifted.",
            code="legal_hold",
        )


@transaction.atomic
def ask_to_shred(token: VaultToken, reason: str, *, by: Person) -> int:
    """Ask that a person's data be shredded; return the request's number. Asking again gives the same open request."""
    _require_person(by, Task.SHRED_PERSON)
    _require_reason(reason)
    _locked(token)
    _require_no_hold(token)
    known = ShredRequest.objects.filter(person=token, done_at=None, withdrawn_at=None).first()
    if known is not None:
        return known.id
    now = timezone.now()
    made = ShredRequest.objects.create(person=token, reason=reason, requested_by=by.source, requested_at=now)
    custody.record_fact(
        facts.SHRED_ASKED,
        {"by": by.source, "person": token.hex, "request": made.id, "requested_at": now.isoformat()},
    )
    return made.id


def _request(number: int) -> ShredRequest:
    """Return an open request, its person's row and its own locked."""
    known = ShredRequest.objects.filter(pk=number).first()
    if known is None:
        raise NotFound("No such request for shredding")
    rows.read([known.person], (), lock="FOR UPDATE")
    row = ShredRequest.objects.select_for_update().get(pk=number)
    if row.done_at is not None:
        raise Conflict("This person's data was shredded", code="shredded")
    return row


def _require_asker(number: int, by: Person) -> None:
    known = ShredRequest.objects.filter(pk=number, agreed_by=None).values_list("requested_by", flat=True).first()
    if known is not None:
        require_asker(known, Task.SHRED_PERSON, by=by)


@transaction.atomic
def agree_to_shred(request: int, *, by: Person) -> dt.datetime:
    """Agree, as a second person; return when the wait ends. Doing it twice changes nothing; never one's own.

    Raises Conflict (`asker_may_not`) where whoever asked lost the right meanwhile.
    """
    _require_person(by, Task.SHRED_PERSON)
    _require_asker(request, by)
    row = _request(request)
    if row.requested_by == by.source:
        raise NotAllowed("Whoever asked for it cannot agree to it: another person must", code="two_people")
    if row.withdrawn_at is not None:
        raise Conflict("This request was withdrawn", code="withdrawn")
    if row.not_before is not None:
        return row.not_before
    _require_no_hold(row.person)
    now = timezone.now()
    row.agreed_by, row.agreed_at = by.source, now
    row.not_before = now + dt.timedelta(days=config.get().erasure_wait_days)
    row.save(update_fields=["agreed_by", "agreed_at", "not_before"])
    custody.record_fact(
        facts.SHRED_AGREED,
        {
            "agreed_at": now.isoformat(),
            "by": by.source,
            "not_before": row.not_before.isoformat(),
            "person": row.person.hex,
            "request": row.id,
        },
    )
    return row.not_before


@transaction.atomic
def withdraw_shred(request: int, *, by: Person) -> None:
    """Call a request off, as long as nothing was shredded. Doing it twice changes nothing."""
    require(by, Task.SHRED_PERSON)
    row = _request(request)
    if row.withdrawn_at is None:
        _withdraw(row, by, timezone.now())


def _withdraw(row: ShredRequest, by: Person, now: dt.datetime) -> None:
    row.withdrawn_at = now
    row.save(update_fields=["withdrawn_at"])
    said = {"by": by.source, "person": row.person.hex, "request": row.id, "withdrawn_at": now.isoformat()}
    custody.record_fact(facts.SHRED_WITHDRAWN, said)


@transaction.atomic
def hold(token: VaultToken, reason: str, *, by: Person) -> None:
    """Keep a person's data whatever is asked, and whatever expires. Doing it twice changes nothing."""
    _require_person(by, Task.SHRED_PERSON)
    _require_reason(reason)
    _locked(token)  # whoever is about to shred holds this row: wait for them, or let them find the hold
    now = timezone.now()
    _, made = PersonHold.objects.get_or_create(
        person=token, lifted_at=None, defaults={"reason": reason, "placed_by": by.source, "placed_at": now}
    )
    if made:
        custody.record_fact(facts.HELD, {"by": by.source, "person": token.hex, "placed_at": now.isoformat()})


@transaction.atomic
def lift(token: VaultToken, *, by: Person) -> None:
    """End a hold. Doing it twice changes nothing."""
    _require_person(by, Task.SHRED_PERSON)
    now = timezone.now()
    if PersonHold.objects.filter(person=token, lifted_at=None).update(lifted_by=by.source, lifted_at=now):
        custody.record_fact(facts.LIFTED, {"by": by.source, "lifted_at": now.isoformat(), "person": token.hex})


def shred_due(now: dt.datetime) -> int:
    """Shred whom two people agreed on, the wait being over and no hold standing; return how many. Safe to repeat."""
    by = machinery()
    require(by, Task.SHRED_PERSON)
    held = PersonHold.objects.filter(lifted_at=None).values("person")
    ready = ShredRequest.objects.filter(done_at=None, withdrawn_at=None, not_before__lte=now).exclude(person__in=held)
    done = 0
    for number in ready.order_by("not_before", "id").values_list("id", flat=True)[:AT_ONCE]:
        done += _shred(number, by, now)
    _delete_keys_left(now)
    return done


@transaction.atomic
def _shred(number: int, by: Person, now: dt.datetime) -> bool:
    row = ShredRequest.objects.get(pk=number)
    here = rows.read([row.person], (), lock="FOR UPDATE")
    row = ShredRequest.objects.select_for_update().get(pk=number)
    if row.done_at is not None or row.withdrawn_at is not None:
        return False
    if not here:  # forgotten meanwhile: nothing is left to shred
        _withdraw(row, by, now)
        return False
    if PersonHold.objects.filter(person=row.person, lifted_at=None).exists():
        return False
    row.done_at = now
    row.save(update_fields=["done_at"])
    _bury([row.person], why="asked", request=row.id, by=by, now=now)
    custody.record_fact(
        facts.SHREDDED,
        {
            "agreed_by": row.agreed_by,
            "person": row.person.hex,
            "request": row.id,
            "requested_by": row.requested_by,
            "shredded_at": now.isoformat(),
        },
    )
    return True


def _bury(persons: Sequence[UUID], *, why: str, request: int | None, by: Person, now: dt.datetime) -> None:
    """Write tombstones and remove what was sealed, in the caller's transaction, which holds the people's rows."""
    PersonTombstone.objects.bulk_create(
        [PersonTombstone(person=person, shredded_at=now, why=why, request=request) for person in persons]
    )
    proofing.end_proofs(persons, list(Level), by=by, now=now)
    KeptPerson.objects.filter(token__in=persons).delete()
    BlindIndex.objects.filter(person__in=persons).delete()
    Message.objects.filter(person__in=persons, due_at__isnull=False).update(due_at=None, parked_at=now, why="shredded")
    Message.objects.filter(person__in=persons).update(sealed=None)


def bury_of_account(account: UUID, *, by: Person, now: dt.datetime) -> bool:
    """Forget what is left of an account that is being closed, in the caller's transaction; False under a hold."""
    require(by, Task.SHRED_PERSON)
    left = KeptPerson.objects.select_for_update().filter(account=account).order_by("token")
    persons = list(left.values_list("token", flat=True))
    if PersonHold.objects.filter(person__in=persons, lifted_at=None).exists():
        return False
    if persons:
        forget(persons, by=by, now=now)
    return True


def forget(persons: Sequence[UUID], *, by: Person, now: dt.datetime) -> None:
    """Bury people whose time is over, in the caller's transaction, which holds their rows and asked for holds."""
    require(by, Task.SHRED_PERSON)
    _bury(persons, why="expired", request=None, by=by, now=now)
    named = [person.hex for person in persons]
    custody.record_fact(facts.FORGOTTEN, {"by": by.source, "persons": named, "shredded_at": now.isoformat()})


def delete_keys_left(now: dt.datetime) -> None:
    """Delete the keys of those who have a tombstone and may still have a key."""
    require(machinery(), Task.SHRED_PERSON)
    _delete_keys_left(now)


def forget_expired(now: dt.datetime) -> int:
    """Forget pending people whose time is over, but for those under a hold or restricted (GDPR article 18(1)(b)).

    Return how many. Safe to repeat.
    """
    by = machinery()
    require(by, Task.SHRED_PERSON)
    done = 0
    while some := _forget_some(by, now):
        done += some
    _delete_keys_left(now)
    _sweep_keys(now)
    return done


@transaction.atomic
def _forget_some(by: Person, now: dt.datetime) -> int:
    with db.cursor() as cur:
        cur.execute(
            "SELECT p.token FROM privacy_person p WHERE p.expires_at <= %s AND NOT EXISTS "
            "(SELECT FROM privacy_hold h WHERE h.person = p.token AND h.lifted_at IS NULL) AND NOT EXISTS "
            "(SELECT FROM privacy_rights_request r WHERE r.account = p.account AND r.\"right\" = 'restrict' "
            "AND r.state = 'in_force') ORDER BY p.token LIMIT %s FOR UPDATE OF p SKIP LOCKED",
            (now, AT_ONCE),
        )
        locked = [row[0] for row in cur.fetchall()]
    # Asked again now that the rows are ours: a hold that was placed meanwhile locked its row and changed nothing in it.
    held = set(PersonHold.objects.filter(person__in=locked, lifted_at=None).values_list("person", flat=True))
    persons = [person for person in locked if person not in held]
    if persons:
        forget(persons, by=by, now=now)
    return len(persons)


def _delete_keys_left(now: dt.datetime) -> None:
    """Delete the keys of those who have a tombstone and may still have a key."""
    while True:
        left = PersonTombstone.objects.filter(key_gone_at=None)
        persons = list(left.order_by("person").values_list("person", flat=True)[:TOMBSTONES_AT_ONCE])
        if not persons:
            return
        keys.delete(persons)
        PersonTombstone.objects.filter(person__in=persons).update(key_gone_at=now)


def _sweep_keys(now: dt.datetime) -> None:
    """Settle the keys whose time is over though they are not whom the main database forgot.

    Somebody who was settled keeps theirs, whatever a restored keys database says; whom the main database never knew,
    because their putting was rolled back, loses it.
    """
    with db.cursor("keys") as cur:
        cur.execute("SELECT person FROM privacy_personkey WHERE expires_at <= %s LIMIT %s", (now, TOMBSTONES_AT_ONCE))
        over = [row[0] for row in cur.fetchall()]
    here = rows.read(over, ()) if over else {}
    for token, row in here.items():
        if row.expires_at is None:
            keys.keep_without_end(token)
    keys.delete([person for person in over if person not in here])


def delete_again() -> int:
    """Delete the keys of shredded people that are there all the same, as in a keys database restored from a backup.

    Return how many there were. Reads every tombstone, so it is not for each round of housekeeping.
    """
    require(machinery(), Task.SHRED_PERSON)
    deleted, after = 0, UUID(int=0)
    while True:
        tombstones = PersonTombstone.objects.filter(person__gt=after).order_by("person")
        persons: Collection[UUID] = list(tombstones.values_list("person", flat=True)[:TOMBSTONES_AT_ONCE])
        if not persons:
            break
        deleted += keys.delete(list(persons))
        after = max(persons)
    if deleted:
        log.warning("%d keys of shredded people were there again, and were deleted again", deleted)
    return deleted
