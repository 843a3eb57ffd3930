"""What somebody has proven: levels with evidence, and the one question that guards an address."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from parcelward.base.errors import Invalid
from parcelward.base.vault import VaultToken
from parcelward.people import proofing_rules as rules
from parcelward.people.errors import MayNot
from parcelward.people.models import CounterProof, Evidence, Letter, User
from parcelward.people.proofing import entries
from parcelward.people.roles import require
from parcelward.people.wire import CounterState, LetterState, Level, Method, Person, Task

BY_MESSAGE: Final = frozenset({Method.EMAIL_CODE, Method.PHONE_CODE})


@transaction.atomic
def confirm_message(token: VaultToken, method: Method, *, by: Person, now: dt.datetime) -> None:
    """Note that `by` typed a code that was sent to the e-mail address or phone in `token` (`codes.spend` came first).

    Again within a month changes nothing.
    """
    require(by, Task.PROVE_SELF)
    if method not in BY_MESSAGE:
        raise Invalid("A code comes by e-mail or to a phone", code="bad_method")
    _locked(by)
    held = Evidence.objects.filter(user=by.id, token=token, level=Level.MESSAGE, ended_at=None, until__gt=now)
    if held.filter(since__gt=now - rules.MESSAGE_RENEWED_AFTER).exists():
        return
    prove(by.id, Level.MESSAGE, method, token, by=by, since=now, until=now + rules.MESSAGE_PROVES)


def prove(
    user: UUID,
    level: Level,
    method: Method,
    token: UUID,
    *,
    by: Person,
    since: dt.datetime,
    until: dt.datetime,
    proof: UUID | None = None,
) -> None:
    """Add evidence, in the caller's transaction."""
    row = Evidence(
        id=uuid.uuid4(),
        user_id=user,
        level=int(level),
        method=method.value,
        token=token,
        source_id=by.source,
        proof=proof,
        since=since,
        until=until,
    )
    row.save(force_insert=True)
    entries.record(entries.LEVEL_PROVEN, row, by=by)


def withdraw(proof: UUID, *, by: Person, now: dt.datetime) -> None:
    """End the evidence that came from a letter or a check, in the caller's transaction."""
    for row in Evidence.objects.select_for_update().filter(proof=proof, ended_at=None).order_by("id"):
        _end(row, by=by, now=now)


def _end(row: Evidence, *, by: Person, now: dt.datetime) -> None:
    row.ended_at = now
    row.save(update_fields=["ended_at"])
    entries.record(entries.LEVEL_ENDED, row, by=by)


def _locked(person: Person) -> None:
    """Let one request of a person's go after another."""
    User.objects.select_for_update(no_key=True).get(pk=person.id)


@transaction.atomic
def end_proofs(tokens: Collection[UUID], levels: Collection[Level], *, by: Person, now: dt.datetime) -> None:
    """End what was proven of these levels, or is being proven, about `tokens`: what was proven changed, or is gone.

    For `privacy` alone, in the transaction that changes or shreds the entries: else somebody would prove their own
    address and write a stranger's over it. It only takes away, so it asks nobody.
    """
    if Level.ADDRESS in levels:
        for each in Letter.objects.select_for_update().filter(token__in=tokens, ended_at=None).order_by("id"):
            each.state, each.ended_at = LetterState.CANCELLED.value, now
            each.save(update_fields=["state", "ended_at"])
            entries.record(entries.LETTER_CANCELLED, each, by=by)
    if Level.IDENTITY in levels:
        checks = CounterProof.objects.select_for_update().filter(untold(now), token__in=tokens, ended_at=None)
        for one in checks.order_by("id"):
            one.state, one.ended_at = CounterState.CANCELLED.value, now
            one.save(update_fields=["state", "ended_at"])
            entries.record(entries.CHECK_CANCELLED, one, by=by)
    about = Evidence.objects.select_for_update().filter(token__in=tokens, level__in=levels, ended_at=None)
    for row in about.order_by("id"):
        _end(row, by=by, now=now)


def untold(now: dt.datetime) -> Q:
    """Return what holds of a check whose result nobody was told yet."""
    waits = [CounterState.PENDING.value, CounterState.IN_FRAUD_REVIEW.value]
    return Q(state__in=waits) | Q(told_from__gt=now)


def valid(now: dt.datetime) -> QuerySet[Evidence]:
    """Return the evidence that counts at this moment."""
    return Evidence.objects.filter(since__lte=now, until__gt=now, ended_at=None)


def require_address_level(person: Person, token: VaultToken, *, now: dt.datetime) -> None:
    """Raise MayNot unless `person` has proven the address in `token`, by letter or at the counter.

    Whoever does something for an address (mail information, a change of delivery, a key to its items) asks this first.
    Another token of the same address does not do, nor does somebody else's proof.
    """
    if not valid(now).filter(user=person.id, token=token, level__gte=Level.ADDRESS).exists():
        raise MayNot("Prove this address first: by a letter with a code, or at the counter.", code="address_not_proven")


def others_proven(tokens: Collection[UUID], *, than: UUID, now: dt.datetime) -> list[UUID]:
    """Return who else has proven one of these addresses."""
    found = valid(now).filter(token__in=tokens, level__gte=Level.ADDRESS).exclude(user=than)
    return sorted(set(found.values_list("user_id", flat=True)))
