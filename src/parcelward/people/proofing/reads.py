"""Reads about proofs: one's own, and the queues of clerks and inspectors. Each is scoped by who asks."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from parcelward.base.errors import NotFound
from parcelward.base.vault import VaultToken
from parcelward.people import proofing_rules as rules
from parcelward.people.models import CounterProof, Letter, ProofNotice
from parcelward.people.proofing.counter import Check, seen
from parcelward.people.proofing.letters import UNDER_WAY
from parcelward.people.proofing.levels import untold, valid
from parcelward.people.roles import require
from parcelward.people.wire import CounterState, LetterKind, LetterState, Level, Method, Person, Task

NOTICES_SHOWN_MAX = 5


@dataclass(frozen=True, slots=True)
class Proven:
    """One thing that somebody has proven."""

    level: Level
    method: Method
    token: VaultToken
    since: dt.datetime
    until: dt.datetime


@dataclass(frozen=True, slots=True)
class LetterSeen:
    """A letter as its person, or the clerk who prints it, sees it."""

    letter_id: UUID
    kind: LetterKind
    state: LetterState
    token: VaultToken
    asked_at: dt.datetime
    expires_at: dt.datetime
    printed: int
    printed_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Mine:
    """Everything about one's own proofs."""

    level: Level
    proven: tuple[Proven, ...]
    letter: LetterSeen | None  # under way, or the newest
    check: Check | None  # as above
    told: tuple[dt.datetime, ...]  # when somebody else asked for an address that is proven as one's own


def level_of(person: Person, *, now: dt.datetime) -> Level:
    """Return the highest level that somebody has."""
    found = valid(now).filter(user=person.id).order_by("-level").values_list("level", flat=True).first()
    return Level(found or 0)


def mine(*, by: Person, now: dt.datetime) -> Mine:
    """Return what `by` has proven and what is under way."""
    require(by, Task.PROVE_SELF)
    rows = valid(now).filter(user=by.id).order_by("-level", "-since")
    proven = tuple(
        Proven(Level(row.level), Method(row.method), VaultToken(row.token), row.since, row.until) for row in rows
    )
    letters = Letter.objects.filter(user=by.id, kind=LetterKind.CODE)
    letter = letters.filter(state__in=UNDER_WAY).first() or letters.order_by("-asked_at", "-id").first()
    checks = CounterProof.objects.filter(user=by.id)
    check = checks.filter(untold(now), ended_at=None).first() or checks.order_by("-started_at", "-id").first()
    told = ProofNotice.objects.filter(user=by.id, at__gt=now - rules.LETTER_HOLDS).order_by("-at")
    return Mine(
        level=proven[0].level if proven else Level.NOTHING,
        proven=proven,
        letter=_letter(letter, now) if letter else None,
        check=seen(check, now=now) if check else None,
        told=tuple(told.values_list("at", flat=True)[:NOTICES_SHOWN_MAX]),
    )


def letters_to_print(*, by: Person, now: dt.datetime, limit: int) -> tuple[LetterSeen, ...]:
    """Return the letters that wait, the oldest first; not those of the clerk who asks."""
    require(by, Task.PROVE_OTHERS)
    rows = Letter.objects.filter(state=LetterState.REQUESTED, expires_at__gt=now).exclude(user=by.id)
    return tuple(_letter(row, now) for row in rows.order_by("asked_at", "id")[:limit])


def letters_printed(*, by: Person, now: dt.datetime, limit: int) -> tuple[LetterSeen, ...]:
    """Return what was printed and may be printed again, the newest first."""
    require(by, Task.PROVE_OTHERS)
    rows = Letter.objects.filter(state=LetterState.PRINTED, expires_at__gt=now, printed__lt=rules.PRINTED_MAX)
    return tuple(_letter(row, now) for row in rows.exclude(user=by.id).order_by("-printed_at", "id")[:limit])


def letter_to_print(letter_id: UUID, *, by: Person, now: dt.datetime) -> LetterSeen:
    """Return one letter that may be printed, or raise NotFound."""
    require(by, Task.PROVE_OTHERS)
    rows = Letter.objects.filter(pk=letter_id, state__in=UNDER_WAY, expires_at__gt=now, printed__lt=rules.PRINTED_MAX)
    row = rows.exclude(user=by.id).first()
    if row is None:
        raise NotFound("No such letter waits to be printed.")
    return _letter(row, now)


def checks_in_review(*, by: Person, now: dt.datetime, limit: int) -> tuple[Check, ...]:
    """Return the checks that an inspector has to decide, the oldest first; not their own."""
    require(by, Task.REVIEW_PROOFS)
    rows = CounterProof.objects.filter(state=CounterState.IN_FRAUD_REVIEW).exclude(user=by.id)
    return tuple(
        seen(row, now=now, staff=True) for row in rows.exclude(source=by.source).order_by("checked_at")[:limit]
    )


def check_in_review(check_id: UUID, *, by: Person, now: dt.datetime) -> Check:
    """Return one check in review, or raise NotFound."""
    require(by, Task.REVIEW_PROOFS)
    rows = CounterProof.objects.filter(pk=check_id, state=CounterState.IN_FRAUD_REVIEW)
    row = rows.exclude(user=by.id).exclude(source=by.source).first()
    if row is None:
        raise NotFound("No such check is in review.")
    return seen(row, now=now, staff=True)


def of_check(check_id: UUID, *, now: dt.datetime) -> VaultToken | None:
    """Return whose data an open check at the counter is about."""
    rows = CounterProof.objects.filter(pk=check_id, state=CounterState.PENDING, expires_at__gt=now)
    return _first_token(rows)


def of_review(check_id: UUID, *, now: dt.datetime) -> VaultToken | None:  # noqa: ARG001 -- asked as the others are
    """Return whose data a check in review is about."""
    return _first_token(CounterProof.objects.filter(pk=check_id, state=CounterState.IN_FRAUD_REVIEW))


def of_letter(letter_id: UUID, *, now: dt.datetime) -> VaultToken | None:
    """Return to whom a letter goes that is under way."""
    return _first_token(Letter.objects.filter(pk=letter_id, state__in=UNDER_WAY, expires_at__gt=now))


def _first_token(rows: QuerySet[Any]) -> VaultToken | None:
    token = rows.values_list("token", flat=True).first()
    return None if token is None else VaultToken(token)


def _letter(row: Letter, now: dt.datetime) -> LetterSeen:
    return LetterSeen(
        letter_id=row.id,
        kind=LetterKind(row.kind),
        state=rules.letter_state(LetterState(row.state), expires_at=row.expires_at, now=now),
        token=VaultToken(row.token),
        asked_at=row.asked_at,
        expires_at=row.expires_at,
        printed=row.printed,
        printed_at=row.printed_at,
    )
