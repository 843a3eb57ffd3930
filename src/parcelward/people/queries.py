"""Who is this, and may they? Reads only."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from django.db import connections
from django.utils import timezone

from parcelward.base import db
from parcelward.base.ed25519 import PublicKey
from parcelward.people import account_check, addresses, device_check, held, roles, seen, tokens
from parcelward.people.errors import BadSignature
from parcelward.people.models import ApiKey, Device, Source, User
from parcelward.people.rules import Signed, is_fresh, key_id_in, parse_signature, require_fresh
from parcelward.people.wire import Person, Role, Task

may = roles.may
require = roles.require
check_accounts = account_check.check_accounts
check_devices = device_check.check_devices
enrolled_keys = device_check.enrolled_keys
EnrolledKey = device_check.EnrolledKey

write_seen = seen.write
look_for_bans = addresses.look
is_banned = addresses.is_banned
keys, key, devices, device = held.keys, held.key, held.devices, held.device
grants, enrolment, tenants = held.grants, held.enrolment, held.tenants
KeyShown = held.KeyShown
GrantShown = held.GrantShown
DeviceShown = held.DeviceShown
EnrolmentShown = held.EnrolmentShown
KEY_ROLES = roles.KEY_ROLES
key_role, key_scope = roles.key_role, roles.key_scope
rights_of = roles.rights_of

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
            organisation=row.organisation_id,
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
    """Return what the device signed, and remember when, by whose clock.

    Raises BadSignature when any part does not hold. The caller asks `revoked_among` in its own transaction.
    """
    signed = parse_signature(method=method, path=path, headers=headers, body=body)
    now_s = time.time()
    stale = not is_fresh(signed, now_s=now_s)
    if signed.key_id != device.key_id:  # a caller's bug: it looked for another device than the one that signed
        raise ValueError("this device is not named in Signature-Input")
    try:
        device.key.verify(signed.signature, signed.base)
    except InvalidSignature:
        if stale:
            require_fresh(signed, now_s=now_s)
        raise BadSignature("The signature does not fit the request and the device's key") from None
    seen.note(device.person.source, now_s, signed.created_s - int(now_s))  # of a clock that is far off, too
    if stale:
        require_fresh(signed, now_s=now_s)
    return signed


def revoked() -> BadSignature:
    """Return the refusal that a revoked or expired source gets."""
    return BadSignature("This device or key was revoked. Enrol it again.", code="revoked")


def revoked_among(sources: Iterable[int]) -> frozenset[int]:
    """Return which of `sources` may no longer send: revoked, expired, locked out, or of a suspended organisation."""
    with db.cursor() as cur:
        cur.execute(
            "SELECT s.number FROM people_source s LEFT JOIN people_device d ON d.source_id = s.number "
            "LEFT JOIN people_apikey k ON k.source_id = s.number LEFT JOIN people_user u ON u.source_id = s.number "
            "LEFT JOIN people_organisation o ON o.id = coalesce(d.organisation_id, k.organisation_id) "
            "WHERE s.number = ANY(%s::int[]) AND (d.revoked_at IS NOT NULL OR k.revoked_at IS NOT NULL "
            "OR k.expires_at <= %s OR NOT u.is_active OR o.suspended_at IS NOT NULL)",
            (db.int_array(list(sources)), timezone.now()),
        )
        return frozenset(row[0] for row in cur)


_HOLDER = (
    "SELECT k.id, k.role, k.scopes, k.source_id, k.organisation_id, s.name, s.simulated FROM people_apikey k "
    "JOIN people_source s ON s.number = k.source_id LEFT JOIN people_organisation o ON o.id = k.organisation_id "
    "WHERE (k.digest = %(digest)s OR (k.previous_digest = %(digest)s AND k.previous_ends_at > %(now)s)) "
    "AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > %(now)s) AND o.suspended_at IS NULL"
)


def key_holder(token: str) -> Person:
    """Return who holds an API key, and remember when.

    Raises BadSignature; unknown, revoked, expired and suspended look alike. Nothing is kept in memory, so that each
    of these takes effect with the next request.
    """
    row = None
    if not tokens.mistyped(token):
        connections["default"].close_if_health_check_failed()  # whoever asks first in a request finds out
        with db.cursor() as cur:
            cur.execute(_HOLDER, {"digest": tokens.digest(token), "now": timezone.now()}, prepare=True)
            row = cur.fetchone()
    if row is None:
        raise BadSignature("This API key is not valid", code="bad_api_key")
    key, role, scopes, source, organisation, name, simulated = row
    seen.note(source, time.time())
    limited = None if scopes is None else roles.scopes_of(scopes)
    return Person(key, Role(role), source, name, simulated, organisation, limited)


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
    keys = ApiKey.objects.filter(source__in=wanted).values_list("source", "role", "scopes")
    found = {number: roles.rights_of(Role(role), scopes) for number, role, scopes in keys}
    people = User.objects.filter(source__in=wanted).values_list("source", "role")
    found |= {number: roles.MAY[Role(role)] for number, role in people}
    return frozenset(number for number, rights in found.items() if task in rights)


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
