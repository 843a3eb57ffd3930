"""Enrol and revoke devices and API keys, let people in and lock them out. Each is an entry in the log."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from dataclasses import dataclass
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from parcelward.base import db, ed25519
from parcelward.base.errors import Conflict, Invalid, NotFound
from parcelward.custody import actions as custody
from parcelward.people import once as answers
from parcelward.people import rules
from parcelward.people.account_check import KEY_MADE, KEY_REVOKED, LOCKED, MACHINERY, UNLOCKED
from parcelward.people.actions import history
from parcelward.people.actions.organisations import require_another_administrator
from parcelward.people.device_check import ENROLLED, REVOKED
from parcelward.people.models import ApiKey, Device, Membership, Source, User
from parcelward.people.roles import require
from parcelward.people.sessions_of import end_where
from parcelward.people.wire import Person, Role, Task

once = answers.once
forget_answers = answers.forget_answers

NAME_MAX = 80


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What the device keeps of its enrolment."""

    device_id: UUID
    key_id: str


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


@transaction.atomic
def enrol_device(name: str, public_key: bytes, *, by: Person, facility: str = "", simulated: bool = False) -> Enrolled:
    """Let a device sign batches with the key pair it made. Raises Conflict when the key is known already."""
    require(by, Task.ENROL_DEVICE)
    if not name.strip() or len(name) > NAME_MAX or not name.isprintable():
        raise Invalid(f"A device needs a name of at most {NAME_MAX} characters", code="bad_name")
    if len(public_key) != ed25519.KEY_BYTES:
        raise Invalid("An Ed25519 public key has 32 bytes", code="bad_key")
    try:
        ed25519.PublicKey(public_key)
    except ValueError:
        raise Invalid("This is no key of a device: nobody could sign with it, or anybody", code="bad_key") from None
    key_id = rules.key_id_of(public_key)
    source = Source.objects.create(kind="device", name=name, simulated=simulated)
    try:
        with transaction.atomic():
            device = Device.objects.create(source=source, key_id=key_id, public_key=public_key, facility=facility)
    except IntegrityError:
        raise Conflict("A device with this key is enrolled already", code="key_known") from None
    custody.record_fact(
        ENROLLED,
        {
            "by": by.source,
            "device": str(device.id),
            "key": public_key.hex(),
            "source": source.number,
            "facility": facility,
            "name": name,
            "signatures": "kept",
            "simulated": simulated,
        },
    )
    return Enrolled(device.id, key_id)


@transaction.atomic
def revoke_device(device_id: UUID, *, by: Person) -> None:
    """Refuse the device's batches from the next one on. Doing it twice changes nothing."""
    require(by, Task.ENROL_DEVICE)
    device = Device.objects.select_for_update().filter(pk=device_id).first()
    if device is None:
        raise NotFound("No such device")
    if device.revoked_at is None:
        device.revoked_at = timezone.now()
        device.save(update_fields=["revoked_at"])
        said = {"by": by.source, "device": str(device.id), "revoked_at": device.revoked_at.isoformat()}
        custody.record_fact(REVOKED, said)


@transaction.atomic
def make_key(name: str, role: Role, *, by: Person, mode: str, simulated: bool = False) -> str:
    """Return a new API key. It is shown this once; only its hash is stored."""
    require(by, Task.MANAGE_KEYS)
    if role is Role.DEVICE:
        raise Invalid("A device signs with a key pair; it has no API key", code="bad_role")
    token = f"pw_{'live' if mode == 'production' else 'test'}_{secrets.token_urlsafe(32)}"
    source = Source.objects.create(kind="api_key", name=name, simulated=simulated)
    digest = hashlib.sha256(token.encode()).digest()
    key = ApiKey.objects.create(source=source, prefix=token[:14], digest=digest, role=role.value)
    custody.record_fact(
        KEY_MADE,
        {
            "by": by.source,
            "key": str(key.id),
            "role": role.value,
            "source": source.number,
            "digest": digest.hex(),
            "expires_at": None,
            "name": name,
            "prefix": key.prefix,
            "simulated": simulated,
        },
    )
    return token


@transaction.atomic
def revoke_key(key_id: UUID, *, by: Person) -> None:
    """Refuse the key from now on. Doing it twice changes nothing."""
    require(by, Task.MANAGE_KEYS)
    key = ApiKey.objects.select_for_update().filter(pk=key_id).first()
    if key is None:
        raise NotFound("No such key")
    if key.revoked_at is None:
        key.revoked_at = timezone.now()
        key.save(update_fields=["revoked_at"])
        said = {"by": by.source, "revoked_at": key.revoked_at.isoformat(), "source": key.source_id}
        custody.record_fact(KEY_REVOKED, said)


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
