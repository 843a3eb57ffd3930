"""Enrol and revoke devices and API keys, let people in and lock them out. Each is an entry in the log."""

from __future__ import annotations

import uuid
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.db.models import Q

from parcelward.base import db
from parcelward.base.errors import NotFound
from parcelward.custody import actions as custody
from parcelward.people import once as answers
from parcelward.people.account_check import LOCKED, MACHINERY, UNLOCKED
from parcelward.people.actions import history
from parcelward.people.actions.organisations import require_another_administrator
from parcelward.people.membership_check import PASSKEY_REMOVED
from parcelward.people.models import (
    KnownBrowser,
    Membership,
    Passkey,
    ProofNotice,
    SecurityEvent,
    SignedIn,
    Source,
    User,
)
from parcelward.people.roles import require
from parcelward.people.sessions_of import end_where
from parcelward.people.wire import Person, Role, Task

OK, once, require_key = answers.OK, answers.once, answers.require_key
take_many_within, give_back_within = answers.take_many_within, answers.give_back_within
forget_answers = answers.forget_answers


def installer() -> Person:
    """Return the person behind a command on the console of this machine: whoever can run it owns the data."""
    source, _ = Source.objects.get_or_create(kind="person", name="console")
    return Person(id=uuid.UUID(int=source.number), role=Role.ADMINISTRATOR, source=source.number, name="console")


def machinery() -> Person:
    """Return who does the house's own work: sends, forgets, turns keys. It signs in nowhere."""
    kind, name, _ = MACHINERY
    number = Source.objects.filter(kind=kind, name=name).order_by("number").values_list("number", flat=True).first()
    if number is None:
        with transaction.atomic(), db.cursor() as cur:
            cur.execute("SELECT pg_advisory_xact_lock(hashtext('people.machinery'))")  # one source, whoever is first
            number = Source.objects.get_or_create(kind=kind, name=name)[0].number
    return Person(id=uuid.UUID(int=number), role=Role.MACHINERY, source=number, name=name)


def lock_person(login: str, *, by: Person) -> None:
    """Let somebody sign in no more and end their sessions. Doing it twice changes nothing.

    Raises Conflict for the last administrator who can sign in.
    """
    require(by, Task.MANAGE_PEOPLE)
    _set_locked(login, locked=True, by=by)


def unlock_person(login: str, *, by: Person) -> None:
    """Let somebody who was locked out sign in again, with the passkeys they had. Doing it twice changes nothing."""
    require(by, Task.MANAGE_PEOPLE)
    _set_locked(login, locked=False, by=by)


@transaction.atomic
def _set_locked(login: str, *, locked: bool, by: Person) -> None:
    # All administrators' rows, in the order of their ids: two who lock each other out take turns.
    administrators = Membership.objects.filter(role=Role.ADMINISTRATOR.value, ended_at=None).values("user")
    rows = User.objects.select_for_update().filter(Q(login=login) | Q(id__in=administrators)).order_by("id")
    user = next((row for row in rows if row.login == login), None)
    if user is None:
        raise NotFound("Nobody signs in under this staff id")
    if user.is_active != locked:
        return
    if locked:
        for membership in Membership.objects.filter(user=user, ended_at=None):
            require_another_administrator(membership)
    user.is_active = not locked
    user.save(update_fields=["is_active"])
    # After an unlock, too: a sign-in that was under way at the moment of the lock left a session that would come alive.
    end_where(user=user)
    said = {"by": by.source, "person": str(user.id), "source": user.source_id}
    custody.record_fact(LOCKED if locked else UNLOCKED, said)
    history.note(user, "locked" if locked else "unlocked", by=by)


@transaction.atomic
def close_account(user_id: UUID, *, by: Person) -> bool:
    """End an account for good, as its person asked: sign-in, sessions and history go. Doing it twice changes nothing.

    What stays is a row that nobody signs in with: its number stands in the events that were recorded. Return False,
    and change nothing, where a role stands.
    """
    require(by, Task.SHRED_PERSON)
    user = User.objects.select_for_update().filter(id=user_id).first()
    if user is None or Membership.objects.filter(user=user, ended_at=None).exists():
        return user is None
    end_where(user=user)
    for key in Passkey.objects.select_for_update().filter(user=user).order_by("credential"):
        said = {"by": by.source, "person": str(user.id), "credential": bytes(key.credential).hex()}
        custody.record_fact(PASSKEY_REMOVED, said)
    Authenticator.objects.filter(user=user).delete()
    for model in (SecurityEvent, SignedIn, KnownBrowser, ProofNotice):
        model.objects.filter(user=user).delete()
    if user.is_active:
        user.is_active, user.token = False, None
        user.save(update_fields=["is_active", "token"])
        custody.record_fact(LOCKED, {"by": by.source, "person": str(user.id), "source": user.source_id, "closed": True})
    return True
