"""What waits for a second person, for those who may be one. Part of the room's queries."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from parcelward.base.errors import NotFound
from parcelward.people.models import Invitation, Membership, TwoPeople, User
from parcelward.people.roles import MAY, NEED_SECOND, may, require
from parcelward.people.wire import TWO_PEOPLE, Person, Role, Task

LISTED_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """A request that is open, or was. `mine`: whoever looks asked for it."""

    id: UUID
    task: Task
    about: Mapping[str, str]
    who: str  # the id of whom it is about; empty where it is about no account
    reason: str
    asked_by: str
    asked_at: dt.datetime
    expires_at: dt.datetime
    mine: bool
    concerns_me: bool
    outcome: str


@dataclass(frozen=True, slots=True)
class WaitingInvitation:
    """An invitation to a role that takes two people. `agreed`: whoever looks agreed to it, and nobody has come yet."""

    id: UUID
    organisation: str
    role: Role
    login: str
    made_by: str
    made_at: dt.datetime
    expires_at: dt.datetime
    mine: bool
    agreed: bool


def _rows(found: QuerySet[TwoPeople], by: Person) -> list[WaitingRow]:
    rows = list(found.select_related("asked_by")[:LISTED_MAX])
    people = {row.about.get("person") for row in rows} - {None}
    names: dict[Any, str] = dict(User.objects.filter(id__in=people).values_list("id", "login"))
    return [
        WaitingRow(
            id=row.id,
            task=Task(row.task),
            about=row.about,
            who=names.get(UUID(row.about["person"]), "") if "person" in row.about else "",
            reason=row.reason,
            asked_by=row.asked_by.name,
            asked_at=row.asked_at,
            expires_at=row.expires_at,
            mine=row.asked_by_id == by.source,
            concerns_me=row.about.get("person") == str(by.id),
            outcome=row.outcome,
        )
        for row in rows
    ]


def requests(*, by: Person) -> list[WaitingRow]:
    """Return the open requests of the tasks that one may do oneself, the oldest first; nothing for who may none."""
    mine = [task.value for task in TWO_PEOPLE if may(by, task)]
    found = TwoPeople.objects.filter(task__in=mine, closed_at=None, expires_at__gt=timezone.now())
    return _rows(found.order_by("asked_at", "id"), by)


def request(request_id: UUID, *, by: Person) -> WaitingRow:
    """Return one request, settled or not. Raises NotFound for one of a task that one may not do."""
    rows = _rows(TwoPeople.objects.filter(id=request_id), by)
    if not rows or not may(by, rows[0].task):
        raise NotFound("No such request")
    return rows[0]


def without_a_second() -> QuerySet[Invitation]:
    """Return the invitations that a second person has to agree to, and none has.

    Those to roles that take two people to give, and those of a person of the operator into somebody else's organisation
    that has, or had, people: the first one they invite alone, whom they invite afterwards could act as the tenant.
    """
    here = Membership.objects.filter(organisation=OuterRef("organisation"))
    inviting = [role.value for role in Role if Task.MANAGE_MEMBERS in MAY[role]]
    theirs = here.filter(user__source=OuterRef("made_by"), role__in=inviting, ended_at=None)
    needed = Q(role__in=[role.value for role in NEED_SECOND]) | (Exists(here) & ~Exists(theirs))
    # What was made at the console needs nobody: whoever can run it owns the data.
    console = Q(made_by__kind="person", made_by__name="console", made_by__user=None)
    return Invitation.objects.filter(needed & ~console, agreed_by=None)


def _waiting_invitations(by: Person) -> QuerySet[Invitation]:
    """Return those that wait, and those that one agreed to oneself: their code can be made afresh."""
    mine = Q(pk__in=without_a_second().values("pk")) | Q(agreed_by=by.source)
    open_ones = Invitation.objects.filter(mine, taken_at=None, withdrawn_at=None, re_enrols=False)
    return open_ones.filter(expires_at__gt=timezone.now(), organisation__suspended_at=None)


def _invitations(found: QuerySet[Invitation], by: Person) -> list[WaitingInvitation]:
    rows = found.select_related("organisation", "made_by")[:LISTED_MAX]
    return [
        WaitingInvitation(
            id=row.id,
            organisation=row.organisation.name,
            role=Role(row.role),
            login=row.login,
            made_by=row.made_by.name,
            made_at=row.made_at,
            expires_at=row.expires_at,
            mine=row.made_by_id == by.source,
            agreed=row.agreed_by_id is not None,
        )
        for row in rows
    ]


def invitations(*, by: Person) -> list[WaitingInvitation]:
    """Return the invitations that a second person has yet to agree to, or one has oneself, the oldest first."""
    require(by, Task.CHANGE_ROLES)
    return _invitations(_waiting_invitations(by).order_by("made_at", "id"), by)


def invitation(invitation_id: UUID, *, by: Person) -> WaitingInvitation:
    """Return one of them. Raises NotFound."""
    require(by, Task.CHANGE_ROLES)
    rows = _invitations(_waiting_invitations(by).filter(id=invitation_id), by)
    if not rows:
        raise NotFound("No such invitation")
    return rows[0]


def count(*, by: Person) -> int:
    """Return how many of these wait for this very person."""
    asked = sum(1 for row in requests(by=by) if not row.mine and not row.concerns_me)
    invited = invitations(by=by) if may(by, Task.CHANGE_ROLES) else []
    return asked + sum(1 for row in invited if not row.mine and not row.agreed)
