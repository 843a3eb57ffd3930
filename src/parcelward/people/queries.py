"""Who is this, and may they? Reads only."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from django.utils import timezone

from parcelward.base import db
from parcelward.base.ed25519 import PublicKey
from parcelward.people import account_check, device_check, roles
from parcelward.people.errors import BadSignature
from parcelward.people.models import ApiKey, Device, Source, User
from parcelward.people.rules import Signed, key_id_in, parse_signature, require_fresh
from parcelward.people.wire import Person, Role, Task

may = roles.may
require = roles.require
check_accounts = account_check.check_accounts
check_devices = device_check.check_devices
enrolled_keys = device_check.enrolled_keys
EnrolledKey = device_check.EnrolledKey

KNOWN_DEVICES_MAX = 20_000


class EnrolledDevice(NamedTuple):
    """A device that may sign: the id and the key that it signs with, and who it is."""

    key_id: str
    key: PublicKey
    person: Person


_devices: dict[str, EnrolledDevice] = {}


def remembered_device(signature_input: str) -> EnrolledDevice | None:
    """Return the device that a Signature-Input names if it is in memory; the database is not asked.

    Raises BadSignature when the field is not of our profile.
    """
    return _devices.get(key_id_in(signature_input))


def enrolled_device(signature_input: str) -> EnrolledDevice:
    """Return the device that a Signature-Input names, or raise BadSignature.

    A device's key never changes, so it is kept in memory; whether it was revoked is asked of the database with every
    batch (`revoked_among`).
    """
    key_id = key_id_in(signature_input)
    known = _devices.get(key_id)
    if known is None:
        row = Device.objects.select_related("source").filter(key_id=key_id, revoked_at=None).first()
        if row is None:
            raise BadSignature("No device with this key is enrolled here", code="unknown_device")
        person = Person(
            id=row.id,
            role=Role.DEVICE,
            source=row.source_id,
            name=row.source.name,
            simulated=row.source.simulated,
        )
        try:
            known = EnrolledDevice(key_id, PublicKey(bytes(row.public_key)), person)
        except ValueError:
            raise BadSignature("This device's key is none. Enrol it with a new one", code="bad_key") from None
        if len(_devices) >= KNOWN_DEVICES_MAX:
            _devices.clear()
        _devices[key_id] = known
    return known


def signed_by(device: EnrolledDevice, *, method: str, path: str, headers: dict[str, str], body: bytes) -> Signed:
    """Return what the device signed.

    Raises BadSignature when any part does not hold. The caller asks `revoked_among` in its own transaction.
    """
    signed = parse_signature(method=method, path=path, headers=headers, body=body)
    require_fresh(signed, now_s=time.time())
    if signed.key_id != device.key_id:  # a caller's bug: it looked for another device than the one that signed
        raise ValueError("this device is not named in Signature-Input")
    try:
        device.key.verify(signed.signature, signed.base)
    except InvalidSignature:
        raise BadSignature("The signature does not fit the request and the device's key") from None
    return signed


def revoked() -> BadSignature:
    """Return the refusal that a revoked or expired source gets."""
    return BadSignature("This device or key was revoked. Enrol it again.", code="revoked")


def revoked_among(sources: Iterable[int]) -> frozenset[int]:
    """Return which of `sources` may no longer send."""
    with db.cursor() as cur:
        cur.execute(
            "SELECT s.number FROM people_source s LEFT JOIN people_device d ON d.source_id = s.number "
            "LEFT JOIN people_apikey k ON k.source_id = s.number LEFT JOIN people_user u ON u.source_id = s.number "
            "WHERE s.number = ANY(%s::int[]) AND (d.revoked_at IS NOT NULL OR k.revoked_at IS NOT NULL "
            "OR k.expires_at <= %s OR NOT u.is_active)",
            (db.int_array(list(sources)), timezone.now()),
        )
        return frozenset(row[0] for row in cur)


def key_holder(token: str) -> Person:
    """Return who holds an API key, or raise BadSignature; unknown, revoked and expired look alike."""
    digest = hashlib.sha256(token.encode()).digest()
    row = ApiKey.objects.select_related("source").filter(digest=digest, revoked_at=None).first()
    if row is None or (row.expires_at and row.expires_at <= timezone.now()):
        raise BadSignature("This API key is not valid", code="bad_api_key")
    return Person(
        id=row.id,
        role=Role(row.role),
        source=row.source_id,
        name=row.source.name,
        simulated=row.source.simulated,
    )


def person_of(user: Any) -> Person:
    """Return the person who is signed in, or raise BadSignature when nobody is."""
    if not isinstance(user, User) or not user.is_active:
        raise BadSignature("Sign in first", code="not_signed_in")
    return Person(id=user.id, role=Role(user.role), source=user.source_id, name=user.login)


def source_names(numbers: Iterable[int]) -> dict[int, str]:
    """Return what staff call each source."""
    return dict(Source.objects.filter(number__in=set(numbers)).values_list("number", "name"))


def key_sources(numbers: Iterable[int]) -> frozenset[int]:
    """Return which of these sources are API keys: somebody else's system, where a device is ours."""
    return frozenset(Source.objects.filter(number__in=set(numbers), kind="api_key").values_list("number", flat=True))


def sources_that_may(task: Task, numbers: Iterable[int]) -> frozenset[int]:
    """Return which of these sources have a role that may do `task`; a revoked key had it all the same."""
    wanted = set(numbers)
    found: dict[int, str] = dict(ApiKey.objects.filter(source__in=wanted).values_list("source", "role"))
    found |= dict(User.objects.filter(source__in=wanted).values_list("source", "role"))
    return frozenset(number for number, role in found.items() if task in roles.MAY[Role(role)])


def key_is_valid(token: str) -> bool:
    """Return whether an API key opens anything."""
    try:
        key_holder(token)
    except BadSignature:
        return False
    return True


def login_taken(login: str) -> bool:
    """Return whether a staff id is in use."""
    return User.objects.filter(login=login).exists()


def has_simulated_sources() -> bool:
    """Return whether sample or simulated devices and keys were ever made here."""
    return Source.objects.filter(simulated=True).exists()


def administrators() -> int:
    """Return how many administrators can sign in."""
    return User.objects.filter(role=Role.ADMINISTRATOR, is_active=True).count()
