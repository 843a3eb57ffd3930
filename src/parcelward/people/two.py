"""Requests that need a second person: asked, and closed once, by agreeing, refusing, withdrawing or the calendar.

What a request does is written by whoever carries it out: `people.actions.two` for roles and lost passkeys, other rooms
for their own tasks. They call `agree_within` first, in the same transaction, so that it happens once or not at all.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from parcelward.base.errors import Conflict, Invalid, NotFound
from parcelward.custody import actions as custody
from parcelward.people.errors import MayNot
from parcelward.people.models import Membership, Organisation, Source, TwoPeople, User
from parcelward.people.roles import MAY, require
from parcelward.people.two_check import AGREED, ASKED, LAPSED, REFUSED, WITHDRAWN, reason_hash
from parcelward.people.wire import TWO_PEOPLE, OrganisationKind, Person, Role, Task

OPEN_FOR: Final = dt.timedelta(days=7)
REASON_MAX: Final = 200
SUBJECT: Final = "person"
"""The key of `about` that names the account that a request is about: its holder is neither of the two."""


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for, as whoever carries it out needs it."""

    id: UUID
    task: Task
    about: Mapping[str, str]
    reason: str
    asked_by: int


def require_reason(reason: str) -> None:
    """Raise Invalid unless a reason was given that can be kept."""
    if not 1 <= len(reason.strip()) <= REASON_MAX or not reason.isprintable():
        raise Invalid(f"Give a reason of 1 to {REASON_MAX} characters", code="bad_reason")


@transaction.atomic
def ask(task: Task, subject: str, about: Mapping[str, str], reason: str, *, by: Person) -> UUID:
    """Ask for what needs a second person; return the request's id. Asking again gives the same open request."""
    require(by, task)
    if task not in TWO_PEOPLE:
        raise ValueError(f"{task} needs no second person")  # a caller's bug, not input
    require_reason(reason)
    _require_not_about(about, by)
    now = timezone.now()
    known = TwoPeople.objects.select_for_update().filter(task=task.value, subject=subject, closed_at=None).first()
    if known is not None and known.expires_at <= now:
        _close(known, "lapsed", LAPSED, by=by, now=now)
        known = None
    if known is None:
        made = TwoPeople(id=uuid.uuid4(), task=task.value, subject=subject, about=dict(about), reason=reason.strip())
        made.asked_by_id, made.asked_at, made.expires_at = by.source, now, now + OPEN_FOR
        try:
            with transaction.atomic():
                made.save(force_insert=True)
        except IntegrityError:  # somebody else asked at the same moment
            known = TwoPeople.objects.get(task=task.value, subject=subject, closed_at=None)
        else:
            said = {"request": str(made.id), "of_task": task.value, "subject": subject, "about": dict(about)}
            times = {"asked_at": now.isoformat(), "expires_at": made.expires_at.isoformat()}
            custody.record_fact(ASKED, {"by": by.source, "reason": reason_hash(made.id, made.reason), **said, **times})
            return made.id
    if dict(known.about) != dict(about):
        raise Conflict("Something else was asked for here already: settle that first", code="asked")
    return known.id


def _require_not_about(about: Mapping[str, str], by: Person) -> None:
    if about.get(SUBJECT) == str(by.id):
        raise Conflict("Whoever it is about is neither of the two people", code="two_people")


def _close(row: TwoPeople, outcome: str, kind: str, *, by: Person, now: dt.datetime) -> None:
    row.outcome, row.closed_by_id, row.closed_at = outcome, by.source, now
    row.save(update_fields=["outcome", "closed_by", "closed_at"])
    custody.record_fact(kind, {"by": by.source, "request": str(row.id), "closed_at": now.isoformat()})


def task_of(request_id: UUID) -> Task:
    """Return which task a request is of. Raises NotFound."""
    task = TwoPeople.objects.filter(id=request_id).values_list("task", flat=True).first()
    if task is None:
        raise NotFound("No such request")
    return Task(task)


def _locked(request_id: UUID) -> TwoPeople:
    row = TwoPeople.objects.select_for_update().filter(id=request_id).first()
    if row is None:
        raise NotFound("No such request")
    return row


def agree_within(request_id: UUID, task: Task, *, by: Person) -> Request | None:
    """Agree as a second person, in the caller's transaction, which then does what was asked; return what that is.

    None when the same person had agreed before: nothing is done twice. Raises Conflict for one's own request, for one
    that was closed or has expired, and where who asked may no longer; MayNot where who agrees may no longer.
    """
    require(by, task)
    row = _locked(request_id)
    if row.task != task:
        raise NotFound("No such request")
    if row.asked_by_id == by.source:
        raise Conflict("Whoever asked cannot agree: another person must", code="two_people")
    if row.outcome == "agreed" and row.closed_by_id == by.source:
        return None
    now = timezone.now()
    _require_open(row, now)
    _require_not_about(row.about, by)
    _lock_people(row.asked_by_id, by.source)
    if not still_may(by.source, task):
        raise MayNot("Your role ended a moment ago", code="may_not")
    if not still_may(row.asked_by_id, task):
        raise Conflict("Whoever asked may no longer do this. Refuse it, or ask for it yourself.", code="asker_may_not")
    _close(row, "agreed", AGREED, by=by, now=now)
    return Request(row.id, task, row.about, row.reason, row.asked_by_id)


def _require_open(row: TwoPeople, now: dt.datetime) -> None:
    if row.closed_at is not None:
        raise Conflict("Somebody has settled this request already", code="settled")
    if row.expires_at <= now:
        raise Conflict("This request has expired: it can be asked for again", code="expired")


def _lock_people(*sources: int) -> None:
    """Keep both people's accounts and roles as they are until the transaction ends."""
    operator = Organisation.objects.select_for_update().filter(kind=OrganisationKind.OPERATOR.value)
    list(operator)  # whoever ends a role of the operator holds this row
    list(User.objects.select_for_update().filter(source__in=sources).order_by("id"))


def still_may(source: int, task: Task) -> bool:
    """Return whether whoever has this source may do `task` now: active, in a role that stands, or at the console."""
    with_it = [role.value for role in Role if task in MAY[role]]
    held = Membership.objects.filter(user__source=source, user__is_active=True, role__in=with_it, ended_at=None)
    return held.filter(organisation__suspended_at=None).exists() or is_console(source)


def asker_stands(source: int, task: Task, *, by: Person) -> bool:
    """Return whether whoever asked for `task` still may; for what two people do by requests of another room.

    First of all in the caller's transaction: it keeps both people's accounts and roles as they are until its end.
    """
    _lock_people(source, by.source)
    return still_may(source, task) or not Source.objects.filter(number=source).exists()


def require_asker(source: int, task: Task, *, by: Person) -> None:
    """Raise Conflict where whoever asked for `task` lost the right since: what is agreed to then is one person's."""
    if not asker_stands(source, task, by=by):
        words = "Whoever asked may no longer do this. Withdraw it, or ask for it yourself."
        raise Conflict(words, code="asker_may_not")


def is_console(source: int) -> bool:
    """Return whether this source is who runs commands on the machine itself."""
    return Source.objects.filter(number=source, kind="person", name="console", user=None).exists()


@transaction.atomic
def refuse(request_id: UUID, *, by: Person) -> None:
    """Say no, as whoever could have agreed. Doing it twice changes nothing."""
    _settle(request_id, "refused", REFUSED, by=by, own=False)


@transaction.atomic
def withdraw(request_id: UUID, *, by: Person) -> None:
    """Call off one's own request. Doing it twice changes nothing."""
    _settle(request_id, "withdrawn", WITHDRAWN, by=by, own=True)


def _settle(request_id: UUID, outcome: str, kind: str, *, by: Person, own: bool) -> None:
    row = _locked(request_id)
    require(by, Task(row.task))
    if (row.asked_by_id == by.source) != own:
        words = "Only whoever asked can withdraw it" if own else "This is your own request: withdraw it instead"
        raise Conflict(words, code="two_people")
    if row.outcome == outcome:
        return
    if row.closed_at is not None:
        raise Conflict("Somebody has settled this request already", code="settled")
    _close(row, outcome, kind, by=by, now=timezone.now())
