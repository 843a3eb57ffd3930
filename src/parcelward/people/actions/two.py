"""What two people of the operator do together about people: another role, and a new passkey for one that was lost."""

from __future__ import annotations

import datetime as dt
from typing import Final
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.db import transaction

from parcelward.base.errors import Conflict, Invalid, NotFound
from parcelward.custody import actions as custody
from parcelward.people import two
from parcelward.people.actions import history, joining
from parcelward.people.actions.organisations import begin_membership, end, require_another_administrator
from parcelward.people.errors import MayNot
from parcelward.people.membership_check import PASSKEY_REMOVED, RE_ENROLLED
from parcelward.people.models import Invitation, KnownBrowser, Membership, Organisation, Passkey, User
from parcelward.people.roles import GUARDED, ROLES_OF, STAFF, may, require
from parcelward.people.sessions_of import end_where
from parcelward.people.wire import OrganisationKind, Person, Role, Task

DOCUMENTS: Final = ("passport", "identity_card", "driving_licence", "staff_card")
"""What a colleague may have seen; its number is not kept."""


def refuse_request(request_id: UUID, *, by: Person) -> None:
    """Say no to what somebody else asked for. Doing it twice changes nothing."""
    require(by, two.task_of(request_id))
    two.refuse(request_id, by=by)


def withdraw_request(request_id: UUID, *, by: Person) -> None:
    """Call off what one asked for oneself. Doing it twice changes nothing."""
    require(by, two.task_of(request_id))
    two.withdraw(request_id, by=by)


def ask_for_role(membership: UUID, role: Role, reason: str, *, by: Person) -> UUID:
    """Ask for another role of one of the operator's people; return the request's id. Another person must agree."""
    require(by, Task.CHANGE_ROLES)
    row = _of_operator(membership)
    if role not in ROLES_OF[OrganisationKind.OPERATOR]:
        raise Invalid("People of this kind of organisation cannot have this role", code="bad_role")
    if row.role == role:
        raise Conflict("They have this role already", code="same_role")
    about = {"membership": str(row.id), "person": str(row.user_id), "from": row.role, "to": role.value}
    return two.ask(Task.CHANGE_ROLES, str(row.id), about, reason, by=by)


def _of_operator(membership: UUID) -> Membership:
    held = Membership.objects.filter(organisation__kind=OrganisationKind.OPERATOR.value, ended_at=None)
    row = held.select_related("user").filter(id=membership).first()
    if row is None:
        raise NotFound("No such member")
    return row


@transaction.atomic
def agree_to_role(request_id: UUID, *, by: Person) -> None:
    """Agree, as a second person, to another role: the old one ends, with its sessions, and the new one begins."""
    require(by, Task.CHANGE_ROLES)
    asked = two.agree_within(request_id, Task.CHANGE_ROLES, by=by)
    if asked is None:
        return
    operator = Organisation.objects.get(kind=OrganisationKind.OPERATOR.value)  # locked by `agree_within`
    held = Membership.objects.select_for_update(of=("self",)).select_related("user", "organisation")
    row = held.filter(id=UUID(asked.about["membership"]), ended_at=None).first()
    if row is None or row.role != asked.about["from"]:
        raise Conflict("They no longer have the role that was to be changed", code="ended")
    require_another_administrator(row)
    end(row, by=by)
    begin_membership(row.user, operator, Role(asked.about["to"]), by=by)


def ask_to_re_enrol(login: str, document: str, *, by: Person) -> UUID:
    """Ask for a new passkey for a colleague who stands at the counter and has lost theirs; return the request's id.

    `document` is what was seen of them, one of `DOCUMENTS`.
    """
    require(by, Task.RE_ENROL)
    if document not in DOCUMENTS:
        raise Invalid("Say which document you have seen", code="bad_document")
    user = User.objects.filter(login=login.strip(), is_active=True).first()
    if user is None or _staff_role(user) is None:
        raise NotFound("No colleague who can sign in has this id")
    return two.ask(Task.RE_ENROL, str(user.id), {"person": str(user.id), "document": document}, document, by=by)


def _staff_role(user: User) -> Membership | None:
    rows = Membership.objects.filter(user=user, ended_at=None, organisation__suspended_at=None).order_by("since")
    return next((row for row in rows if Role(row.role) in STAFF), None)


@transaction.atomic
def agree_to_re_enrol(request_id: UUID, *, by: Person) -> str | None:
    """Agree, as a second person who sees them too; return the code of a link that works once, within the hour.

    The code is given this once: None when the same person agrees again. Where the lost passkey opens a role that looks
    into others' affairs or gives rights away, whoever agrees is an administrator.
    """
    require(by, Task.RE_ENROL)
    asked = two.agree_within(request_id, Task.RE_ENROL, by=by)
    if asked is None:
        return None
    user = User.objects.select_for_update().get(id=UUID(asked.about["person"]))
    held = _staff_role(user)
    if held is None or not user.is_active:
        raise Conflict("This colleague can no longer sign in at all", code="ended")
    roles = Membership.objects.filter(user=user, ended_at=None).values_list("role", flat=True)
    if {Role(role) for role in roles} & GUARDED and not may(by, Task.CHANGE_ROLES):
        raise MayNot(
            "For this colleague's role an administrator must be the one who agrees", code="needs_administrator"
        )
    joining.withdraw_re_enrolments(user, by=by)
    return joining.offer_re_enrolment(user, held, asked_by=asked.asked_by, agreed_by=by.source)


@transaction.atomic
def re_enrol(code: str, *, now: dt.datetime) -> User:
    """Take a link that replaces a lost passkey, once: what the account had is removed, sessions end, roles stay.

    The caller adds the new passkey in the same transaction.
    """
    row = joining.taken(code, re_enrols=True, now=now)
    user = User.objects.select_for_update().get(id=row.user_id or joining.NOBODY)
    if _staff_role(user) is None:  # it ended within the hour
        raise joining.closed()
    for key in Passkey.objects.select_for_update().filter(user=user).order_by("credential"):
        said = {"by": row.agreed_by_id, "person": str(user.id), "credential": bytes(key.credential).hex()}
        custody.record_fact(PASSKEY_REMOVED, said)
    Authenticator.objects.filter(user=user).delete()  # and what else was on the lost device
    KnownBrowser.objects.filter(user=user).delete()
    end_where(user=user)
    said = {"by": row.made_by_id, "agreed_by": row.agreed_by_id, "invitation": str(row.id), "person": str(user.id)}
    custody.record_fact(RE_ENROLLED, said)
    history.note(user, "re_enrolled", by=_by(row))
    return user


def _by(row: Invitation) -> Person:
    return Person(UUID(int=row.made_by_id), Role.CLERK, source=row.made_by_id, name="")
