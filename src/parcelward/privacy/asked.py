"""Reads about what people ask of their own data."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from uuid import UUID

from parcelward.base.errors import NotFound
from parcelward.base.vault import VaultToken
from parcelward.people.queries import may, require
from parcelward.people.wire import Person, Task
from parcelward.privacy import rights_rules, rows
from parcelward.privacy.models import KeptPerson, PersonHold, RightsRequest
from parcelward.privacy.wire import Asked, Purpose, Reason, RequestState, Right, Subject

SHOWN_MAX: Final = 200


def seen(row: RightsRequest) -> Asked:
    """Return a row as a value."""
    return Asked(
        request_id=row.id,
        account=row.account,
        right=Right(row.right),
        state=RequestState(row.state),
        subject=Subject(row.subject),
        asked_at=row.asked_at,
        due_at=row.due_at,
        extended_at=row.extended_at,
        reason=Reason(row.reason) if row.reason else None,
        first_by=row.first_by,
        first_at=row.first_at,
        decided_at=row.decided_at,
        not_before=row.not_before,
        ended_at=row.ended_at,
    )


def requests_of(*, by: Person) -> tuple[Asked, ...]:
    """Return one's own requests, newest first."""
    require(by, Task.OWN_DATA)
    rows = RightsRequest.objects.filter(account=by.id).order_by("-asked_at", "-id")[:SHOWN_MAX]
    return tuple(seen(row) for row in rows)


def requests_open(*, by: Person) -> tuple[Asked, ...]:
    """Return what waits for an answer or for the end of its wait, the most urgent first."""
    require(by, Task.ANSWER_RIGHTS)
    rows = RightsRequest.objects.filter(state__in=[RequestState.OPEN, RequestState.WAITING])
    return tuple(seen(row) for row in rows.order_by("due_at", "id")[:SHOWN_MAX])


def request(request_id: UUID, *, by: Person) -> Asked:
    """Return one request: one's own, or for whoever answers them. Raises NotFound."""
    row = RightsRequest.objects.filter(pk=request_id).first()
    if row is None or (row.account != by.id and not may(by, Task.ANSWER_RIGHTS)):
        raise NotFound("No such request")  # of somebody else and of nobody look alike
    return seen(row)


def what_is_left(request_id: UUID) -> Asked:
    """Return an erasure by its number, which nobody can guess: who erased their account signs in no more."""
    row = RightsRequest.objects.filter(pk=request_id, right=Right.ERASE).first()
    if row is None:
        raise NotFound("No such request")
    return seen(row)


def holds_on(account: UUID, *, by: Person) -> int:
    """Return how many entries of an account stand under a legal hold."""
    if account != by.id:
        require(by, Task.ANSWER_RIGHTS)
    tokens = KeptPerson.objects.filter(account=account).values("token")
    return PersonHold.objects.filter(person__in=tokens, lifted_at=None).count()


def closed_for(accounts: Collection[UUID]) -> dict[UUID, frozenset[Purpose]]:
    """Return which purposes are closed for which of these accounts.

    A statement of its own, after the entries' rows are locked: what was closed before the lock was given is seen.
    """
    if not accounts:
        return {}
    found: dict[UUID, list[tuple[Right, Subject]]] = {}
    rows = RightsRequest.objects.filter(account__in=set(accounts), state=RequestState.IN_FORCE)
    for account, right, subject in rows.values_list("account", "right", "subject"):
        found.setdefault(account, []).append((Right(right), Subject(subject)))
    return {account: rights_rules.closed(each) for account, each in found.items()}


def left_alone(found: Collection[rows.PersonRow], purpose: Purpose) -> frozenset[VaultToken]:
    """Return which of these people's entries are not opened for this purpose, because they asked for it."""
    closed = closed_for([row.account for row in found if row.account is not None])
    return frozenset(
        row.token for row in found if row.account is not None and purpose in closed.get(row.account, frozenset())
    )


def require_own(tokens: Collection[VaultToken], *, by: Person) -> None:
    """Raise NotFound unless all of these entries are one's own."""
    require(by, Task.OWN_DATA)
    if KeptPerson.objects.filter(token__in=set(tokens), account=by.id).count() != len(set(tokens)):
        raise NotFound("No such entry")
