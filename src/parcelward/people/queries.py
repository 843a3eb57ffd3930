"""Who is this, and may they? Reads only."""

from __future__ import annotations

import datetime as dt
import hashlib
import time
from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID

from allauth.mfa.models import Authenticator
from cryptography.exceptions import InvalidSignature
from django.utils import timezone

from parcelward.base import db
from parcelward.base.ed25519 import PublicKey
from parcelward.people import (
    account_check,
    acting,
    addresses,
    authority_check,
    device_check,
    held,
    keyring,
    membership_check,
    proofing,
    reach,
    roles,
    rules,
    seen,
    standing,
    tenancy,
    two_check,
    waiting,
)
from parcelward.people.errors import BadSignature
from parcelward.people.models import ApiKey, Device, Membership, Passkey, SecurityEvent, SignedIn, Source, User
from parcelward.people.rules import Signed, is_fresh, key_id_in, parse_signature, require_fresh
from parcelward.people.wire import Person, Role, Task

may = roles.may
acting_again = acting.acting_again
passkey_name = rules.passkey_name
require = roles.require
NEED_SECOND = roles.NEED_SECOND
key_holder, key_is_valid, key_scopes = keyring.key_holder, keyring.key_is_valid, keyring.key_scopes
check_accounts = account_check.check_accounts
check_memberships = membership_check.check_memberships
check_two_people, check_authority = two_check.check_two_people, authority_check.check_authority
TWO_ASKED, TWO_AGREED = two_check.ASKED, two_check.AGREED  # kinds of entries
check_devices = device_check.check_devices
check_proofs = proofing.check_proofs
enrolled_keys = device_check.enrolled_keys
EnrolledKey = device_check.EnrolledKey
StandingDevice = standing.StandingDevice
standing_device = standing.standing_device
standing_device_by_key = standing.standing_device_by_key
standing_devices = standing.standing_devices
organisation, organisations, places_of = tenancy.organisation, tenancy.organisations, tenancy.places_of
names_of_senders, member = tenancy.names_of_senders, tenancy.member
certificates_of, reached_for = tenancy.certificates_of, tenancy.reached_for
table_of_roles, known_since = tenancy.table_of_roles, tenancy.known_since
WaitingRow = waiting.WaitingRow
WaitingInvitation = waiting.WaitingInvitation
MemberRow = tenancy.MemberRow
waiting_requests = waiting.requests
waiting_invitations = waiting.invitations
waiting_request = waiting.request
waiting_invitation = waiting.invitation
waiting_count = waiting.count

write_seen, look_for_bans = seen.write, addresses.look
is_banned, network_of = addresses.is_banned, addresses.network
tenant_of, within = reach.own, reach.within
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


def key_of(source: int) -> UUID | None:
    """Return the API key that a source is, or None for one that is none."""
    return ApiKey.objects.filter(source=source).values_list("pk", flat=True).first()


def person_of(user: Any) -> Person:
    """Return who is signed in, in the role that their session chose, or raise BadSignature when nobody is.

    A role that ended, or whose organisation is suspended, is none: they act for themselves.
    """
    if not isinstance(user, User) or not user.is_active:
        raise BadSignature("Sign in first", code="not_signed_in")
    role, organisation = Role.ADDRESSEE, None
    if user.acting is not None:
        acting = Membership.objects.filter(id=user.acting, user=user, ended_at=None, organisation__suspended_at=None)
        row = acting.values_list("role", "organisation").first()
        if row is not None:
            role, organisation = Role(row[0]), row[1]
    return Person(id=user.id, role=role, source=user.source_id, name=user.login, organisation=organisation)


class Session(NamedTuple):
    """A session that holds: whose, how proven, in which role, since and until when."""

    id: UUID
    user: UUID
    method: str
    membership: UUID | None
    began_at: dt.datetime
    seen_at: dt.datetime
    proved_at: dt.datetime
    ends_at: dt.datetime  # if it is not used again


def session_of(session_key: str, now: dt.datetime) -> Session | None:
    """Return the session under this key; None where it ended, was idle too long, is too old, or is not known."""
    row = SignedIn.objects.filter(session_key=session_key, ended_at=None).select_related("membership").first()
    if row is None:
        return None
    ends_at = rules.session_ends(row.began_at, row.seen_at, staff=_as_staff(row))
    since = row.began_at, row.seen_at, row.proved_at
    return Session(row.id, row.user_id, row.method, row.membership_id, *since, ends_at) if now <= ends_at else None


def note_seen(session_id: UUID, now: dt.datetime) -> None:
    """Note that a session is in use: no more than once a minute, and nothing that anybody may need to know."""
    SignedIn.objects.filter(id=session_id).update(seen_at=now)


class PasskeyRow(NamedTuple):
    """One of somebody's own passkeys."""

    id: int
    name: str
    made_at: dt.datetime
    used_at: dt.datetime | None


def passkeys(*, by: Person) -> list[PasskeyRow]:
    """Return one's own passkeys, the newest first."""
    require(by, Task.OWN_DATA)
    mine = Passkey.objects.filter(user=by.id).select_related("authenticator").order_by("-authenticator__created_at")
    return [
        PasskeyRow(a.id, str(a.data.get("name", "")), a.created_at, a.last_used_at)
        for a in (key.authenticator for key in mine)
    ]


def passkey_of(person: UUID, credential_id: bytes) -> Authenticator | None:
    """Return the passkey with this id of a person who may sign in; None where there is no such person or passkey."""
    digest = hashlib.sha256(credential_id).digest()
    rows = Passkey.objects.select_related("authenticator__user")
    row = rows.filter(credential=digest, user=person, authenticator__user=person, user__is_active=True).first()
    return None if row is None else row.authenticator


class Proofs(NamedTuple):
    """With what somebody can prove who they are."""

    passkey: bool
    app_codes: bool
    token: UUID | None  # where a code by e-mail goes


def proofs_of(*, by: Person) -> Proofs:
    """Return with what one can prove who one is."""
    require(by, Task.OWN_DATA)
    kinds = set(Authenticator.objects.filter(user=by.id).values_list("type", flat=True))
    token = User.objects.values_list("token", flat=True).get(id=by.id)
    return Proofs(Authenticator.Type.WEBAUTHN in kinds, Authenticator.Type.TOTP in kinds, token)


def has_app_codes(*, by: Person) -> bool:
    """Return whether one's own account asks for codes of an app."""
    require(by, Task.OWN_DATA)
    return bool(Authenticator.objects.filter(user=by.id, type=Authenticator.Type.TOTP).exists())


class SessionRow(NamedTuple):
    """One of somebody's own sessions; `token` is where the vault keeps from where."""

    id: UUID
    method: str
    began_at: dt.datetime
    seen_at: dt.datetime
    token: UUID | None


def sessions(*, by: Person, now: dt.datetime) -> list[SessionRow]:
    """Return one's own sessions that hold, the one used last first."""
    require(by, Task.OWN_DATA)
    rows = SignedIn.objects.filter(user=by.id, ended_at=None).select_related("membership").order_by("-seen_at")[:100]
    held = (row for row in rows if rules.session_holds(row.began_at, row.seen_at, now=now, staff=_as_staff(row)))
    return [SessionRow(row.id, row.method, row.began_at, row.seen_at, row.seen_from) for row in held]


def _as_staff(row: SignedIn) -> bool:
    return row.membership is not None and Role(row.membership.role) in roles.STAFF


class HistoryLine(NamedTuple):
    """One line of somebody's own security history."""

    kind: str
    at: dt.datetime
    by_self: bool
    detail: str


def security_history(*, by: Person, limit: int = 100) -> list[HistoryLine]:
    """Return one's own security history, newest first."""
    require(by, Task.OWN_DATA)
    rows = SecurityEvent.objects.filter(user=by.id).order_by("-at", "-id")[:limit]
    return [HistoryLine(row.kind, row.at, row.by_self, row.detail) for row in rows]


class MembershipRow(NamedTuple):
    """A role in an organisation."""

    id: UUID
    organisation_id: UUID
    organisation: str
    role: Role
    owner: bool
    since: dt.datetime


def memberships(*, by: Person) -> list[MembershipRow]:
    """Return one's own roles that stand."""
    require(by, Task.OWN_DATA)
    rows = Membership.objects.filter(user=by.id, ended_at=None, organisation__suspended_at=None)
    return [
        MembershipRow(row.id, row.organisation_id, row.organisation.name, Role(row.role), row.owner, row.since)
        for row in rows.select_related("organisation").order_by("since")
    ]


def source_names(numbers: Iterable[int]) -> dict[int, str]:
    """Return what staff call each source."""
    return dict(Source.objects.filter(number__in=set(numbers)).values_list("number", "name"))


def key_sources(numbers: Iterable[int]) -> frozenset[int]:
    """Return which of these sources are API keys: somebody else's system, where a device is ours."""
    return frozenset(Source.objects.filter(number__in=set(numbers), kind="api_key").values_list("number", flat=True))


def sources_that_may(task: Task, numbers: Iterable[int]) -> frozenset[int]:
    """Return which of these sources have, or had, a role that may do `task`."""
    wanted = set(numbers)
    found = ApiKey.objects.filter(source__in=wanted).values_list("source", "role", "scopes")
    may_do = {number for number, role, scopes in found if task in roles.rights_of(Role(role), scopes)}
    with_it = [role.value for role in Role if task in roles.MAY[role]]
    members = Membership.objects.filter(user__source__in=wanted, role__in=with_it)
    return frozenset(may_do | set(members.values_list("user__source", flat=True)))


def administrators() -> int:
    """Return how many administrators of the operator can sign in."""
    held = Membership.objects.filter(role=Role.ADMINISTRATOR.value, ended_at=None, user__is_active=True)
    return held.values("user").distinct().count()


def login_taken(login: str) -> bool:
    """Return whether a staff id is in use."""
    return User.objects.filter(login=login).exists()


def has_simulated_sources() -> bool:
    """Return whether sample or simulated devices, keys and organisations were ever made here."""
    return Source.objects.filter(simulated=True).exists() or tenancy.has_simulated()
