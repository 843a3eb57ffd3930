"""Enrol and revoke devices and API keys, let people in and lock them out. Each is an entry in the log."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.password_validation import validate_password
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from parcelward.base import ed25519
from parcelward.base.errors import Conflict, Invalid, NotFound
from parcelward.custody import actions as custody
from parcelward.people import once as answers
from parcelward.people import rules
from parcelward.people.account_check import ADDED, KEY_MADE, KEY_REVOKED, LOCKED, UNLOCKED
from parcelward.people.device_check import ENROLLED, REVOKED
from parcelward.people.models import ApiKey, Device, Source, User
from parcelward.people.roles import require
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
    """Return the house's own machinery: what the worker does by itself, such as making and destroying keys."""
    source, _ = Source.objects.get_or_create(kind="person", name="machinery")
    return Person(id=uuid.UUID(int=source.number), role=Role.MACHINERY, source=source.number, name="machinery")


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
