"""Organisations, their people and what each role may do, for those who may look. Part of the room's queries."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db.models import Count, Q
from django.utils import timezone

from parcelward.base.errors import NotFound
from parcelward.people.models import Certificate, FacilityGrant, Invitation, Membership, Organisation, User
from parcelward.people.roles import MAY, ROLES_OF, require
from parcelward.people.wire import CERTIFIED, TWO_PEOPLE, OrganisationKind, Person, Role, Task

LISTED_MAX: Final = 500


def known_since(owners: Collection[UUID]) -> dict[UUID, dt.datetime]:
    """Return since when organisations, and people who act for nobody else, are known; without those who are not."""
    found = dict(Organisation.objects.filter(pk__in=owners).values_list("pk", "made_at"))
    others = set(owners) - found.keys()
    return found | dict(User.objects.filter(pk__in=others).values_list("pk", "created_at") if others else ())


@dataclass(frozen=True, slots=True)
class OrganisationRow:
    """A tenant in the list."""

    id: UUID
    kind: OrganisationKind
    name: str
    simulated: bool
    made_at: dt.datetime
    suspended_at: dt.datetime | None
    members: int


@dataclass(frozen=True, slots=True)
class MemberRow:
    """One person's role in one organisation; known by their id, as all staff are."""

    id: UUID
    organisation_id: UUID
    organisation: str
    kind: OrganisationKind
    person: UUID
    login: str
    role: Role
    owner: bool
    since: dt.datetime
    active: bool


@dataclass(frozen=True, slots=True)
class InvitationRow:
    """An invitation that is open. `waits`: a second person has yet to agree to it."""

    id: UUID
    role: Role
    login: str
    owner: bool
    expires_at: dt.datetime
    waits: bool


@dataclass(frozen=True, slots=True)
class OrganisationShown:
    """A tenant with its people and its open invitations."""

    row: OrganisationRow
    members: tuple[MemberRow, ...]
    invitations: tuple[InvitationRow, ...]
    roles: tuple[Role, ...]  # that its people may have


@dataclass(frozen=True, slots=True)
class CertificateRow:
    """One training of one person."""

    id: UUID
    training: str
    valid_from: dt.date
    valid_until: dt.date
    revoked: bool
    valid: bool  # today


@dataclass(frozen=True, slots=True)
class RoleRow:
    """One role of the table, and each of its tasks: whether it needs two people, and which training."""

    role: Role
    kinds: tuple[OrganisationKind, ...]
    tasks: tuple[tuple[Task, bool, str], ...]


def organisations(*, by: Person) -> list[OrganisationRow]:
    """Return all tenants, the operator first."""
    require(by, Task.MANAGE_ORGANISATIONS)
    counted = Organisation.objects.annotate(n=Count("membership", filter=Q(membership__ended_at=None)))
    rows = [_row(row, row.n) for row in counted.order_by("name", "id")[:LISTED_MAX]]
    return sorted(rows, key=lambda row: row.kind is not OrganisationKind.OPERATOR)


def _row(row: Organisation, members: int) -> OrganisationRow:
    kind = OrganisationKind(row.kind)
    return OrganisationRow(row.id, kind, row.name, row.simulated, row.made_at, row.suspended_at, members)


def organisation(organisation_id: UUID | None, *, by: Person) -> OrganisationShown:
    """Return a tenant, or the one that one acts for (None). Raises NotFound for somebody else's as for none."""
    from parcelward.people.actions import joining  # noqa: PLC0415 -- its table of roles; it names nothing of this file

    require(by, Task.MANAGE_MEMBERS)
    wanted = organisation_id or by.organisation
    if wanted is None or (by.role is not Role.ADMINISTRATOR and wanted != by.organisation):
        raise NotFound("No such organisation")
    found = Organisation.objects.filter(id=wanted).first()
    if found is None:
        raise NotFound("No such organisation")
    held = Membership.objects.filter(organisation=found, ended_at=None).select_related("user", "organisation")
    members = tuple(_member(row) for row in held.order_by("-owner", "since", "id")[:LISTED_MAX])
    asked = Invitation.objects.filter(organisation=found, taken_at=None, withdrawn_at=None, re_enrols=False)
    open_ones = tuple(
        InvitationRow(row.id, Role(row.role), row.login, row.owner, row.expires_at, joining.waits(row))
        for row in asked.filter(expires_at__gt=timezone.now()).order_by("-made_at")[:LISTED_MAX]
    )
    kind = OrganisationKind(found.kind)
    roles = tuple(role for role in Role if role in ROLES_OF[kind])
    return OrganisationShown(_row(found, len(members)), members, open_ones, roles)


def reached_for(organisation_id: UUID, task: Task) -> list[UUID]:
    """Return the vault's tokens of those who may do a task for an organisation, where something is kept of them."""
    able = [role.value for role in Role if task in MAY[role]]
    held = Membership.objects.filter(organisation=organisation_id, role__in=able, ended_at=None, user__is_active=True)
    found = held.exclude(user__token=None).order_by("since").values_list("user__token", flat=True)
    return [token for token in found[:LISTED_MAX] if token is not None]


def places_of(organisation_id: UUID, *, by: Person) -> list[tuple[UUID, str]]:
    """Return the places that a contractor was given, with the id of each gift."""
    require(by, Task.MANAGE_ORGANISATIONS)
    held = FacilityGrant.objects.filter(organisation=organisation_id, ended_at=None).order_by("facility")
    return list(held.values_list("id", "facility")[:LISTED_MAX])


def _member(row: Membership) -> MemberRow:
    of, user = row.organisation, row.user
    return MemberRow(
        id=row.id,
        organisation_id=of.id,
        organisation=of.name,
        kind=OrganisationKind(of.kind),
        person=user.id,
        login=user.login,
        role=Role(row.role),
        owner=row.owner,
        since=row.since,
        active=user.is_active,
    )


def member(membership: UUID, *, by: Person) -> MemberRow:
    """Return a role that stands. Raises NotFound for one of somebody else's organisation as for none."""
    require(by, Task.MANAGE_MEMBERS)
    held = Membership.objects.filter(id=membership, ended_at=None).select_related("user", "organisation")
    row = held.first()
    if row is None or (by.role is not Role.ADMINISTRATOR and row.organisation_id != by.organisation):
        raise NotFound("No such member")
    return _member(row)


def certificates_of(person: UUID, *, by: Person, today: dt.date) -> list[CertificateRow]:
    """Return what somebody was trained in, the newest first."""
    require(by, Task.CERTIFY)
    rows = Certificate.objects.filter(user=person).order_by("-valid_until", "id")[:LISTED_MAX]
    return [
        CertificateRow(
            id=row.id,
            training=row.training,
            valid_from=row.valid_from,
            valid_until=row.valid_until,
            revoked=row.revoked_at is not None,
            valid=row.revoked_at is None and row.valid_from <= today <= row.valid_until,
        )
        for row in rows
    ]


def table_of_roles() -> list[RoleRow]:
    """Return the table itself, as it is asked: each role that a person can have, and all that it may do."""
    return [
        RoleRow(
            role=role,
            kinds=tuple(kind for kind in OrganisationKind if role in ROLES_OF[kind]),
            tasks=tuple((task, task in TWO_PEOPLE, CERTIFIED.get(task, "")) for task in Task if task in MAY[role]),
        )
        for role in Role
        if role not in {Role.DEVICE, Role.MACHINERY}
    ]


def has_simulated() -> bool:
    """Return whether a sample organisation was ever made here."""
    return Organisation.objects.filter(simulated=True).exists()


def names_of_senders(ids: Collection[UUID]) -> dict[UUID, str]:
    """Return what senders' organisations are called: it stands on each of their parcels. Of no other kind."""
    found = Organisation.objects.filter(id__in=set(ids), kind=OrganisationKind.SENDER)
    return dict(found.values_list("id", "name"))
