"""Enrol and revoke devices, at once or by a code that a device takes itself. Each is an entry in the log."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
import uuid
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from parcelward.base import ed25519
from parcelward.base.errors import Conflict, Invalid, NotFound
from parcelward.custody import actions as custody
from parcelward.people import reach, roles, rules
from parcelward.people.actions.facilities import require_given
from parcelward.people.device_check import ENROLLED, FACILITY, OPENED, REVOKED, WITHDRAWN
from parcelward.people.errors import MayNot
from parcelward.people.models import Device, Enrolment, Membership, Organisation, Source, User
from parcelward.people.queries import revoked_among
from parcelward.people.roles import require
from parcelward.people.wire import OrganisationKind, Person, Role, Task

NAME_MAX: Final = 80
CODE_BYTES: Final = 16
ENROLMENT_FOR: Final = dt.timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What the device keeps of its enrolment."""

    device_id: UUID
    key_id: str


@dataclass(frozen=True, slots=True)
class Taken:
    """What a device that took a code is told: who it is now, and where it belongs."""

    device_id: UUID
    key_id: str
    name: str
    facility: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A code, which is shown this once, and until when a device can take it."""

    id: UUID
    code: str
    expires_at: dt.datetime


def _named(name: str) -> str:
    if not name.strip() or len(name) > NAME_MAX or not name.isprintable():
        raise Invalid(f"A device needs a name of at most {NAME_MAX} characters", code="bad_name")
    return name


def _public_key(raw: bytes) -> ed25519.PublicKey:
    if len(raw) != ed25519.KEY_BYTES:
        raise Invalid("An Ed25519 public key has 32 bytes", code="bad_key")
    try:
        return ed25519.PublicKey(raw)
    except ValueError:
        raise Invalid("This is no key of a device: nobody could sign with it, or anybody", code="bad_key") from None


@transaction.atomic
def enrol_device(name: str, public_key: bytes, *, by: Person, facility: str = "", simulated: bool = False) -> Enrolled:
    """Let a device sign batches with the key pair it made. Raises Conflict when the key is known already.

    A contractor's is enrolled at a place that the operator gave it, or not at all.
    """
    require(by, Task.ENROL_DEVICE)
    _named(name)
    _public_key(public_key)
    tenant = reach.own(by)
    require_given(tenant, facility)
    device = _enrol(name, public_key, by=by.source, organisation=tenant, facility=facility, simulated=simulated)
    return Enrolled(device.id, device.key_id)


def _enrol(
    name: str,
    public_key: bytes,
    *,
    by: int,
    organisation: UUID | None,
    facility: str,
    simulated: bool = False,
    enrolment: UUID | None = None,
) -> Device:
    key_id = rules.key_id_of(public_key)
    source = Source.objects.create(kind="device", name=name, simulated=simulated)
    try:
        with transaction.atomic():
            device = Device.objects.create(
                source=source, key_id=key_id, public_key=public_key, facility=facility, organisation_id=organisation
            )
    except IntegrityError:
        raise Conflict("A device with this key is enrolled already", code="key_known") from None
    custody.record_fact(
        ENROLLED,
        {
            "by": by,
            "device": str(device.id),
            "enrolment": None if enrolment is None else str(enrolment),
            "key": public_key.hex(),
            "source": source.number,
            "facility": facility,
            "name": name,
            "organisation": None if organisation is None else str(organisation),
            "signatures": "kept",
            "simulated": simulated,
        },
    )
    return device


@transaction.atomic
def revoke_device(device_id: UUID, *, by: Person) -> None:
    """Refuse the device's batches from the next one on. Doing it twice changes nothing."""
    require(by, Task.ENROL_DEVICE)
    device = Device.objects.select_for_update(of=("self",)).filter(reach.within(by), pk=device_id).first()
    if device is None:
        raise NotFound("No such device")
    if device.revoked_at is None:
        device.revoked_at = timezone.now()
        device.save(update_fields=["revoked_at"])
        said = {"by": by.source, "device": str(device.id), "revoked_at": device.revoked_at.isoformat()}
        custody.record_fact(REVOKED, said)


@transaction.atomic
def open_enrolment(name: str, *, by: Person, facility: str = "", enrolment_id: UUID | None = None) -> Opened:
    """Return a code that one device can take within ENROLMENT_FOR, to be shown as a QR code this once.

    Raises Conflict where `enrolment_id`, which makes a retry harmless, was used before.
    """
    require(by, Task.ENROL_DEVICE)
    _named(name)
    if not FACILITY.fullmatch(facility):
        raise Invalid("A place's code has 2 to 20 capital letters, digits, dots or hyphens", code="bad_facility")
    tenant = reach.own(by)
    require_given(tenant, facility)
    now, code = timezone.now(), secrets.token_urlsafe(CODE_BYTES)
    try:
        with transaction.atomic():
            row = Enrolment.objects.create(
                id=enrolment_id or uuid.uuid4(),
                digest=_digest(code),
                name=name,
                facility=facility,
                organisation_id=tenant,
                made_by_id=by.source,
                made_at=now,
                expires_at=now + ENROLMENT_FOR,
            )
    except IntegrityError:
        raise Conflict("This code was made already, and is shown only once. Make another one.") from None
    said = {
        "by": by.source,
        "digest": row.digest.hex(),
        "enrolment": str(row.id),
        "expires_at": row.expires_at.isoformat(),
        "facility": facility,
        "name": name,
        "organisation": None if row.organisation_id is None else str(row.organisation_id),
    }
    custody.record_fact(OPENED, said)
    return Opened(row.id, code, row.expires_at)


@transaction.atomic
def withdraw_enrolment(enrolment_id: UUID, *, by: Person) -> None:
    """Let nobody take a code any more. Doing it twice changes nothing; raises Conflict when a device has taken it."""
    require(by, Task.ENROL_DEVICE)
    row = Enrolment.objects.select_for_update(of=("self",)).filter(reach.within(by), pk=enrolment_id).first()
    if row is None:
        raise NotFound("No such enrolment")
    if row.device_id is not None:
        raise Conflict("A device took this code meanwhile. Revoke the device if it should not have.", code="taken")
    if row.withdrawn_at is None:
        row.withdrawn_at = timezone.now()
        row.save(update_fields=["withdrawn_at"])
        custody.record_fact(WITHDRAWN, {"by": by.source, "enrolment": str(row.id)})


@transaction.atomic
def take_enrolment(code: str, public_key: bytes, signature: bytes) -> Taken:
    """Enrol the device that holds the code, and has signed it with the key pair it made.

    The right is the code's, and that of who made it, who must still have it. Of two devices one wins; the one that
    won may ask again. Raises NotFound for a code that is unknown, expired, withdrawn or another device's, all alike.
    """
    key = _public_key(public_key)
    try:
        key.verify(signature, rules.enrolment_message(code))
    except InvalidSignature:
        raise Invalid("The signature does not fit the code and the key", code="bad_signature") from None
    # Not joined to the device: who waited for the row's lock would see it as it was before, without one.
    row = Enrolment.objects.select_for_update().filter(digest=_digest(code)).first()
    if row is None or row.withdrawn_at is not None:
        raise _no_code()
    if row.device_id is None:
        if row.expires_at <= timezone.now() or not _may_still(row):
            raise _no_code()
        device = row.device = _enrol(
            row.name,
            public_key,
            by=row.made_by_id,
            organisation=row.organisation_id,
            facility=row.facility,
            enrolment=row.id,
        )
        row.save(update_fields=["device"])
    else:
        device = Device.objects.get(pk=row.device_id)
    if bytes(device.public_key) != public_key or device.revoked_at is not None:
        raise _no_code()
    return Taken(device.id, device.key_id, row.name, row.facility)


def _may_still(row: Enrolment) -> bool:
    """Return whether whoever made the code may still act, and their organisation, too."""
    if row.organisation_id is not None:
        tenant = Organisation.objects.get(pk=row.organisation_id)
        if tenant.suspended_at is not None:
            return False
        try:
            require_given(tenant.id, row.facility)
        except MayNot:  # it was taken back within the minutes
            return False
    if row.made_by_id in revoked_among([row.made_by_id]):
        return False
    person = User.objects.filter(source=row.made_by_id).first()
    if person is None:
        return True  # the console, or a key whose scopes never change
    # In the organisation that the code is of: who acts for another one, too, has no right there by it.
    here = Q(organisation__kind=OrganisationKind.OPERATOR.value)
    if row.organisation_id is not None:
        here = Q(organisation=row.organisation_id)
    held = Membership.objects.filter(here, user=person, ended_at=None, organisation__suspended_at=None)
    return any(Task.ENROL_DEVICE in roles.MAY[Role(role)] for role in held.values_list("role", flat=True))


def _no_code() -> NotFound:
    return NotFound("This code is not valid, or no longer. Ask for a new one at the desk.", code="bad_code")


def _digest(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()
