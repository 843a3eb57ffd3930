"""Organisations and who acts for them. A role is never changed: its membership ends, and another one begins."""

from __future__ import annotations

import uuid
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from parcelward.base.errors import Conflict, Invalid, NotFound
from parcelward.custody import actions as custody
from parcelward.people import rules
from parcelward.people.actions import history
from parcelward.people.actions.keys import end_key
from parcelward.people.membership_check import (
    HANDED_OVER,
    INVITATION_WITHDRAWN,
    MEMBER_BEGAN,
    MEMBER_ENDED,
    ORGANISATION_MADE,
    RESUMED,
    SUSPENDED,
)
from parcelward.people.models import ApiKey, Invitation, Membership, Organisation, User
from parcelward.people.roles import ROLES_OF, require, rights_of
from parcelward.people.sessions_of import end_where
from parcelward.people.wire import OrganisationKind, Person, Role, Task

NAME_MAX = 80
OWNERS = frozenset({Task.MANAGE_KEYS, Task.GRANT_SPENDING, Task.MANAGE_MEMBERS})


def _require_name(name: str) -> None:
    if not name.strip() or len(name) > NAME_MAX or not name.isprintable():
        raise Invalid(f"An organisation needs a name of at most {NAME_MAX} characters", code="bad_name")


def ensure_operator(name: str, *, by: Person) -> UUID:
    """Return the operator's own organisation, making it once; its name follows the setting only when it is made."""
    require(by, Task.MANAGE_ORGANISATIONS)
    known = Organisation.objects.filter(kind=OrganisationKind.OPERATOR.value).first()
    return known.id if known is not None else make_organisation(OrganisationKind.OPERATOR, name, by=by)


@transaction.atomic
def make_organisation(kind: OrganisationKind, name: str, *, by: Person, simulated: bool = False) -> UUID:
    """Make a tenant. Raises Conflict for a second operator."""
    require(by, Task.MANAGE_ORGANISATIONS)
    _require_name(name)
    made = Organisation(id=uuid.uuid4(), kind=kind.value, name=name, simulated=simulated, made_at=timezone.now())
    made.made_by_id = by.source
    try:
        with transaction.atomic():
            made.save(force_insert=True)
    except IntegrityError:
        raise Conflict("There is an operator already: an installation has one", code="one_operator") from None
    said = {"of_kind": kind.value, "name": rules.login_hash(made.id, name), "simulated": simulated}
    custody.record_fact(ORGANISATION_MADE, {"by": by.source, "organisation": str(made.id), **said})
    return made.id


def _locked(organisation: UUID, *, by: Person) -> Organisation:
    """Return the organisation's row, locked. One of somebody else looks like none."""
    scoped = Organisation.objects.select_for_update()
    if by.organisation is not None and not _of_operator(by):
        scoped = scoped.filter(id=by.organisation)
    found = scoped.filter(id=organisation).first()
    if found is None:
        raise NotFound("No such organisation")
    return found


def _of_operator(by: Person) -> bool:
    return by.role is Role.ADMINISTRATOR


@transaction.atomic
def suspend_organisation(organisation: UUID, *, by: Person) -> None:
    """Let nobody act for it any more: sessions end, keys open nothing. Doing it twice changes nothing."""
    require(by, Task.MANAGE_ORGANISATIONS)
    row = _locked(organisation, by=by)
    if row.kind == OrganisationKind.OPERATOR:
        raise Conflict("The operator itself cannot be suspended", code="operator")
    if row.suspended_at is None:
        row.suspended_at = timezone.now()
        row.save(update_fields=["suspended_at"])
        end_where(membership__organisation=row)
        said = {"organisation": str(row.id), "suspended_at": row.suspended_at.isoformat()}
        custody.record_fact(SUSPENDED, {"by": by.source, **said})


@transaction.atomic
def resume_organisation(organisation: UUID, *, by: Person) -> None:
    """Let an organisation's people and keys act again. Doing it twice changes nothing."""
    require(by, Task.MANAGE_ORGANISATIONS)
    row = _locked(organisation, by=by)
    if row.suspended_at is not None:
        row.suspended_at = None
        row.save(update_fields=["suspended_at"])
        custody.record_fact(RESUMED, {"by": by.source, "organisation": str(row.id)})


def begin_membership(user: User, row: Organisation, role: Role, *, by: Person, owner: bool = False) -> Membership:
    """Give a person a role in the caller's transaction, which asked whether it may. One at a time in one place."""
    if role not in ROLES_OF[OrganisationKind(row.kind)]:
        raise Invalid("People of this kind of organisation cannot have this role", code="bad_role")
    if owner and Membership.objects.filter(organisation=row, owner=True, ended_at=None).exists():
        raise Conflict("This organisation has an owner, who can hand it over", code="one_owner")
    if Membership.objects.filter(organisation=row, user=user, ended_at=None).exists():
        raise Conflict("They have a role here already: end it first", code="member")
    now = timezone.now()
    made = Membership.objects.create(organisation=row, user=user, role=role.value, owner=owner, since=now)
    said = {"organisation": str(row.id), "person": str(user.id), "role": role.value, "owner": owner}
    custody.record_fact(MEMBER_BEGAN, {"by": by.source, "membership": str(made.id), "since": now.isoformat(), **said})
    history.note(user, "role_begun", by=by, detail=role.value)
    return made


@transaction.atomic
def end_membership(membership: UUID, *, by: Person) -> None:
    """End a role: at once, with the sessions in it. Doing it twice changes nothing.

    An owner hands over first; the operator keeps an administrator who can sign in. Whoever is not of this
    organisation finds nothing here.
    """
    require(by, Task.MANAGE_MEMBERS)
    found = Membership.objects.filter(id=membership).first()
    if found is None:
        raise NotFound("No such member")
    _locked(found.organisation_id, by=by)
    row = Membership.objects.select_for_update().select_related("user", "organisation").get(id=membership)
    if row.ended_at is not None:
        return
    if row.owner and row.organisation.kind != OrganisationKind.OPERATOR:
        raise Conflict("Whoever owns the organisation hands it over first", code="owner")
    require_another_administrator(row)
    end(row, by=by)


def require_another_administrator(row: Membership) -> None:
    """Raise Conflict for the last administrator of the operator who can sign in. The caller holds the organisation."""
    if row.role != Role.ADMINISTRATOR or not row.user.is_active:
        return
    others = Membership.objects.filter(
        organisation=row.organisation_id, role=Role.ADMINISTRATOR.value, ended_at=None, user__is_active=True
    ).exclude(id=row.id)
    if not others.exists():
        raise Conflict(
            "This is the last administrator who can sign in. Add another one first, then take this one out.",
            code="last_administrator",
        )


def end(row: Membership, *, by: Person) -> None:
    """End a membership in the caller's transaction, which holds its row.

    The open invitations that they made in it end with it, so that no way back stays open.
    """
    row.ended_at = timezone.now()
    row.save(update_fields=["ended_at"])
    end_where(membership=row)
    _withdraw_invitations(row, by=by)
    said = {"membership": str(row.id), "ended_at": row.ended_at.isoformat()}
    custody.record_fact(MEMBER_ENDED, {"by": by.source, **said})
    history.note(row.user, "role_ended", by=by, detail=row.role)


def _withdraw_invitations(row: Membership, *, by: Person) -> None:
    made = Invitation.objects.select_for_update().filter(made_by=row.user.source_id)
    if row.role != Role.ADMINISTRATOR:  # who invites everywhere; others where they are
        made = made.filter(organisation=row.organisation_id)
    for each in made.filter(taken_at=None, withdrawn_at=None).order_by("id"):
        each.withdrawn_at = row.ended_at
        each.save(update_fields=["withdrawn_at"])
        custody.record_fact(INVITATION_WITHDRAWN, {"by": by.source, "invitation": str(each.id)})


@transaction.atomic
def hand_over(membership: UUID, *, by: Person) -> None:
    """Make another member the owner, with the rights of one; what the old owner could do as one ends.

    Open invitations of the old owner are withdrawn, and API keys that give away rights revoked, so that no way back
    stays open. Twice changes nothing.
    """
    require(by, Task.MANAGE_MEMBERS)
    found = Membership.objects.filter(id=membership, ended_at=None).first()
    if found is None:
        raise NotFound("No such member")
    row = _locked(found.organisation_id, by=by)
    members = {m.id: m for m in Membership.objects.select_for_update().filter(organisation=row, ended_at=None)}
    heir = members.get(membership)
    if heir is None:  # it ended while we waited
        raise NotFound("No such member")
    if heir.owner:
        return
    if row.kind != OrganisationKind.SENDER:
        raise Conflict("Only a sender's organisation has an owner who hands it over", code="no_owner")
    old = next((m for m in members.values() if m.owner), None)
    if not _of_operator(by) and (old is None or old.user_id != by.id):
        raise NotFound("No such member")
    if old is not None:
        _step_down(old, row, by=by)
    _revoke_keys_of_an_owner(row, by=by)
    user = heir.user
    if not user.is_active:
        raise Conflict("This account is locked: it cannot own anything", code="locked")
    end(heir, by=by)
    begin_membership(user, row, Role.SENDER_ADMIN, by=by, owner=True)
    said = {"organisation": str(row.id), "from": None if old is None else str(old.user_id), "to": str(user.id)}
    custody.record_fact(HANDED_OVER, {"by": by.source, **said})


def _step_down(old: Membership, row: Organisation, *, by: Person) -> None:
    """End what an owner was and leave them a member."""
    user = old.user
    end(old, by=by)
    begin_membership(user, row, Role.SENDER_MEMBER, by=by)


def _revoke_keys_of_an_owner(row: Organisation, *, by: Person) -> None:
    """Revoke the keys that give away rights: whoever owned the organisation may have their tokens."""
    keys = ApiKey.objects.select_for_update().filter(organisation=row, revoked_at=None)
    for key in keys.order_by("id"):
        if rights_of(Role(key.role), key.scopes) & OWNERS:
            end_key(key, by=by)


@transaction.atomic
def settle_old_roles(*, by: Person) -> int:
    """Turn roles that an older version kept beside the person into memberships of the operator; return how many."""
    require(by, Task.MANAGE_ORGANISATIONS)
    old = list(User.objects.select_for_update().exclude(role="").order_by("id"))
    for user in old:
        row = Organisation.objects.select_for_update().get(kind=OrganisationKind.OPERATOR.value)
        role = Role(user.role)
        if role in ROLES_OF[OrganisationKind.OPERATOR]:
            begin_membership(user, row, role, by=by)
        user.role = ""
        user.set_unusable_password()
        user.save(update_fields=["role", "password"])
    return len(old)
