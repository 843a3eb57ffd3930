"""The keys, grants, devices and enrolments that somebody may see: each query is scoped by who asks."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db.models import F, Q, QuerySet, Sum
from django.utils import timezone

from parcelward.base.errors import NotFound
from parcelward.people import reach
from parcelward.people.models import ApiKey, Device, Enrolment, Organisation, SpendGrant, Spending
from parcelward.people.roles import KEY_ROLES, ROLES_OF, TENANTS, require
from parcelward.people.wire import OrganisationKind, Person, Role, Task

PAGE_MAX: Final = 100
TENANTS_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class KeyShown:
    """An API key without its token: only a hash of that is stored."""

    id: UUID
    name: str
    prefix: str
    role: Role
    scopes: tuple[str, ...] | None  # None: all that the role may do
    organisation: UUID | None
    organisation_name: str  # empty: the operator's
    suspended: bool
    simulated: bool
    created_at: dt.datetime
    expires_at: dt.datetime | None
    revoked_at: dt.datetime | None
    last_used_at: dt.datetime | None  # to the minute
    previous_prefix: str  # of the token that it was rotated from; empty: none
    previous_ends_at: dt.datetime | None

    def state(self, now: dt.datetime) -> str:
        """Return `valid`, or why it opens nothing: `revoked`, `expired`, `suspended`."""
        if self.revoked_at is not None:
            return "revoked"
        if self.expires_at is not None and self.expires_at <= now:
            return "expired"
        return "suspended" if self.suspended else "valid"


@dataclass(frozen=True, slots=True)
class GrantShown:
    """What a key may spend in one currency, and what it has."""

    id: UUID
    currency: str
    cap_payment_minor: int
    cap_day_minor: int | None
    cap_month_minor: int | None
    used_day_minor: int
    used_month_minor: int
    granted_by: str
    granted_at: dt.datetime
    expires_at: dt.datetime
    withdrawn_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class DeviceShown:
    """A device."""

    id: UUID
    name: str
    key_id: str
    facility: str
    organisation: UUID | None
    organisation_name: str
    simulated: bool
    enrolled_at: dt.datetime
    revoked_at: dt.datetime | None
    last_seen_at: dt.datetime | None  # to the minute
    clock_ahead_s: int | None  # its clock minus ours when it last signed


@dataclass(frozen=True, slots=True)
class EnrolmentShown:
    """A code that was made for a device, without the code."""

    id: UUID
    name: str
    facility: str
    expires_at: dt.datetime
    device: UUID | None  # that took it
    withdrawn: bool


def keys(*, by: Person, limit: int = PAGE_MAX, after: UUID | None = None) -> list[KeyShown]:
    """Return the keys that `by` may manage, newest first, at most `limit` of those behind the key `after`."""
    require(by, Task.MANAGE_KEYS)
    return [_key_shown(row) for row in _behind(_keys(by), after, "created_at")[:limit]]


def key(key_id: UUID, *, by: Person) -> KeyShown:
    """Return one key. Raises NotFound where there is none, and where it is somebody else's."""
    require(by, Task.MANAGE_KEYS)
    row = _keys(by).filter(pk=key_id).first()
    if row is None:
        raise NotFound("No such key")
    return _key_shown(row)


def _keys(by: Person) -> QuerySet[ApiKey]:
    rows = ApiKey.objects.select_related("source", "organisation")
    return rows.annotate(seen_at=F("source__lastseen__seen_at")).filter(reach.within(by))


def _behind(rows: QuerySet, after: UUID | None, moment: str) -> QuerySet:  # type: ignore[type-arg]  # of either table
    """Return the rows, newest first, behind one that the asker may see, too."""
    if after is not None:
        at = rows.filter(pk=after).values_list(moment, flat=True).first()
        if at is None:
            raise NotFound("This cursor was not given out here. Ask for the first page again.", code="bad_cursor")
        rows = rows.filter(Q(**{f"{moment}__lt": at}) | Q(**{moment: at}, pk__lt=after))
    return rows.order_by(f"-{moment}", "-pk")


def _key_shown(row: ApiKey) -> KeyShown:
    return KeyShown(
        id=row.id,
        name=row.source.name,
        prefix=row.prefix,
        role=Role(row.role),
        scopes=None if row.scopes is None else tuple(row.scopes),
        organisation=row.organisation_id,
        organisation_name=row.organisation.name if row.organisation else "",
        suspended=row.organisation is not None and row.organisation.suspended_at is not None,
        simulated=row.source.simulated,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.seen_at,  # type: ignore[attr-defined]  # the annotation
        previous_prefix=row.previous_prefix,
        previous_ends_at=row.previous_ends_at,
    )


def grants(key_id: UUID, *, by: Person) -> list[GrantShown]:
    """Return what a key may spend and might have spent, newest first. Raises NotFound as `key` does."""
    key(key_id, by=by)
    today = timezone.now().astimezone(dt.UTC).date()
    found = []
    for row in SpendGrant.objects.select_related("granted_by").filter(key=key_id).order_by("-granted_at", "-pk"):
        used = Spending.objects.filter(grant=row, day__gte=today.replace(day=1)).aggregate(
            day=Sum("amount_minor", filter=Q(day=today)), month=Sum("amount_minor")
        )
        found.append(
            GrantShown(
                id=row.id,
                currency=row.currency,
                cap_payment_minor=row.cap_payment_minor,
                cap_day_minor=row.cap_day_minor,
                cap_month_minor=row.cap_month_minor,
                used_day_minor=used["day"] or 0,
                used_month_minor=used["month"] or 0,
                granted_by=row.granted_by.name,
                granted_at=row.granted_at,
                expires_at=row.expires_at,
                withdrawn_at=row.withdrawn_at,
            )
        )
    return found


def devices(*, by: Person, limit: int = PAGE_MAX, after: UUID | None = None, named: str = "") -> list[DeviceShown]:
    """Return the devices that `by` may enrol and revoke, newest first, at most `limit` of those behind `after`.

    With `named`, only those whose name holds it or whose place's code begins with it, in capitals or not.
    """
    require(by, Task.ENROL_DEVICE)
    rows = _devices(by)
    if named:
        rows = rows.filter(Q(source__name__icontains=named) | Q(facility__istartswith=named))
    return [_device_shown(row) for row in _behind(rows, after, "enrolled_at")[:limit]]


def device(device_id: UUID, *, by: Person) -> DeviceShown:
    """Return one device. Raises NotFound where there is none, and where it is somebody else's."""
    require(by, Task.ENROL_DEVICE)
    row = _devices(by).filter(pk=device_id).first()
    if row is None:
        raise NotFound("No such device")
    return _device_shown(row)


def _devices(by: Person) -> QuerySet[Device]:
    rows = Device.objects.select_related("source", "organisation")
    seen = {"seen_at": F("source__lastseen__seen_at"), "clock_ahead_s": F("source__lastseen__clock_ahead_s")}
    return rows.annotate(**seen).filter(reach.within(by))


def _device_shown(row: Device) -> DeviceShown:
    return DeviceShown(
        id=row.id,
        name=row.source.name,
        key_id=row.key_id,
        facility=row.facility,
        organisation=row.organisation_id,
        organisation_name=row.organisation.name if row.organisation else "",
        simulated=row.source.simulated,
        enrolled_at=row.enrolled_at,
        revoked_at=row.revoked_at,
        last_seen_at=row.seen_at,  # type: ignore[attr-defined]  # the annotation
        clock_ahead_s=row.clock_ahead_s,  # type: ignore[attr-defined]  # the annotation
    )


def enrolment(enrolment_id: UUID, *, by: Person) -> EnrolmentShown:
    """Return a code's state. Raises NotFound where there is none, and where it is somebody else's."""
    require(by, Task.ENROL_DEVICE)
    row = Enrolment.objects.filter(reach.within(by), pk=enrolment_id).first()
    if row is None:
        raise NotFound("No such enrolment")
    return EnrolmentShown(row.id, row.name, row.facility, row.expires_at, row.device_id, row.withdrawn_at is not None)


@dataclass(frozen=True, slots=True)
class Tenant:
    """An organisation that `by` may make keys for, and the roles that these can have."""

    id: UUID | None  # None: the operator
    name: str  # empty: the operator
    roles: tuple[Role, ...]

    @property
    def ident(self) -> str:
        """What a form sends for it."""
        return "operator" if self.id is None else str(self.id)


def tenants(*, by: Person) -> list[Tenant]:
    """Return the organisations that `by` may make keys for, the operator first."""
    require(by, Task.MANAGE_KEYS)
    rows = Organisation.objects.filter(suspended_at=None).exclude(kind=OrganisationKind.OPERATOR.value)
    operator = []
    if by.role is Role.ADMINISTRATOR:
        operator = [Tenant(None, "", tuple(sorted(KEY_ROLES - TENANTS)))]
    else:
        organisation = reach.own(by)
        rows = rows.filter(pk=organisation) if organisation else rows.none()
    kinds = {
        kind.value: tuple(role for role in Role if role in ROLES_OF[kind] & KEY_ROLES) for kind in OrganisationKind
    }
    return operator + [Tenant(row.id, row.name, kinds[row.kind]) for row in rows.order_by("name", "id")[:TENANTS_MAX]]
