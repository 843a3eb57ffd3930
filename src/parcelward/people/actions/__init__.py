"""Enrol and revoke devices and API keys, let people in and lock them out. Each is an entry in the log."""

from __future__ import annotations

import uuid
from uuid import UUID

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.password_validation import validate_password
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from parcelward.base.errors import Conflict, Invalid, NotFound
from parcelward.custody import actions as custody
from parcelward.people import once as answers
from parcelward.people import rules
from parcelward.people.account_check import ADDED, LOCKED, UNLOCKED
from parcelward.people.actions.bans import BAN_MAX, ban_address, end_ban, forget_bans
from parcelward.people.actions.devices import (
    ENROLMENT_FOR,
    Enrolled,
    Opened,
    Taken,
    enrol_device,
    open_enrolment,
    revoke_device,
    take_enrolment,
    withdraw_enrolment,
)
from parcelward.people.actions.keys import (
    FOR_GOOD,
    KEY_LIFETIME,
    KEY_LIFETIME_MAX,
    OVERLAP_MAX,
    MadeKey,
    make_key,
    new_key,
    revoke_key,
    rotate_key,
)
from parcelward.people.actions.spending import (
    GRANT_FOR_MAX,
    OverCap,
    cancel_spend,
    grant_spending,
    reserve_spend,
    settle_spend,
    withdraw_spending,
)
from parcelward.people.models import Source, User
from parcelward.people.roles import require
from parcelward.people.wire import Person, Role, Task

once = answers.once
forget_answers = answers.forget_answers

__all__ = [
    "BAN_MAX",
    "ENROLMENT_FOR",
    "FOR_GOOD",
    "GRANT_FOR_MAX",
    "KEY_LIFETIME",
    "KEY_LIFETIME_MAX",
    "OVERLAP_MAX",
    "Enrolled",
    "MadeKey",
    "Opened",
    "OverCap",
    "Taken",
    "ban_address",
    "cancel_spend",
    "end_ban",
    "enrol_device",
    "forget_bans",
    "grant_spending",
    "make_key",
    "new_key",
    "open_enrolment",
    "reserve_spend",
    "revoke_device",
    "revoke_key",
    "rotate_key",
    "settle_spend",
    "take_enrolment",
    "withdraw_enrolment",
    "withdraw_spending",
]


def installer() -> Person:
    """Return the person behind a command on the console of this machine: whoever can run it owns the data."""
    source, _ = Source.objects.get_or_create(kind="person", name="console")
    return Person(id=uuid.UUID(int=source.number), role=Role.ADMINISTRATOR, source=source.number, name="console")


@transaction.atomic
def add_person(login: str, passphrase: str, role: Role, *, by: Person) -> UUID:
    """Let somebody sign in under an opaque staff id."""
    require(by, Task.MANAGE_PEOPLE)
    try:
        validate_password(passphrase)
    except ValidationError as err:
        raise Invalid(" ".join(err.messages), code="weak_passphrase") from None
    if User.objects.filter(login=login).exists():
        raise Conflict("This staff id is taken", code="login_taken")
    user = User.objects.make(login, passphrase, role=role)
    said = {"by": by.source, "login": rules.login_hash(user.id, login), "role": role.value, "source": user.source_id}
    custody.record_fact(ADDED, {**said, "person": str(user.id)})
    return user.id


def lock_person(login: str, *, by: Person) -> None:
    """Let somebody sign in no more and end their sessions. Doing it twice changes nothing.

    Raises Conflict for the last administrator who can sign in.
    """
    require(by, Task.MANAGE_PEOPLE)
    _set_locked(login, locked=True, by=by)


def unlock_person(login: str, *, by: Person) -> None:
    """Let somebody who was locked out sign in again, with the passphrase they had. Doing it twice changes nothing."""
    require(by, Task.MANAGE_PEOPLE)
    _set_locked(login, locked=False, by=by)


@transaction.atomic
def _set_locked(login: str, *, locked: bool, by: Person) -> None:
    # All administrators' rows, in the order of their ids: two who lock each other out take turns.
    administrator = Role.ADMINISTRATOR.value
    rows = User.objects.select_for_update().filter(Q(login=login) | Q(role=administrator)).order_by("id")
    people = {row.login: row for row in rows}
    user = people.get(login)
    if user is None:
        raise NotFound("Nobody signs in under this staff id")
    if user.is_active != locked:
        return
    others = [each for each in people.values() if each is not user and each.role == administrator]
    if locked and user.role == administrator and not any(each.is_active for each in others):
        raise Conflict(
            "This is the last administrator who can sign in. Add another one first, then lock this one out.",
            code="last_administrator",
        )
    user.is_active = not locked
    user.save(update_fields=["is_active"])
    # After an unlock, too: a sign-in that was under way at the moment of the lock left a session that would come alive.
    _end_sessions(user)
    said = {"by": by.source, "person": str(user.id), "source": user.source_id}
    custody.record_fact(LOCKED if locked else UNLOCKED, said)


def _end_sessions(user: User) -> None:
    """Delete a person's sessions. A session's row does not say whose it is, so each that still holds is opened."""
    held = Session.objects.filter(expire_date__gt=timezone.now()).iterator()
    theirs = [each.session_key for each in held if each.get_decoded().get(SESSION_KEY) == str(user.id)]
    Session.objects.filter(session_key__in=theirs).delete()
