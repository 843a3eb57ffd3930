"""Invitations: a link that lets one person take one role, once, with a passkey that they make on their own device."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
import uuid
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from parcelward.base.errors import Conflict, Invalid, NotFound
from parcelward.base.vault import VaultToken
from parcelward.custody import actions as custody
from parcelward.people import rules
from parcelward.people.account_check import ADDED
from parcelward.people.actions import history
from parcelward.people.actions.organisations import begin_membership
from parcelward.people.models import Invitation, Membership, Organisation, User
from parcelward.people.roles import ROLES_OF, STAFF, require
from parcelward.people.wire import OrganisationKind, Person, Role, Task

INVITED: Final = "people.invited"
AGREED: Final = "people.invitation_agreed"
WITHDRAWN: Final = "people.invitation_withdrawn"
HOURS_STAFF: Final = 72
HOURS_OTHERS: Final = 7 * 24
NEED_SECOND: Final = frozenset({Role.INSPECTOR, Role.AUDITOR, Role.ADMINISTRATOR})
"""Roles that look into others' affairs or give rights away: a second person agrees to the invitation."""


@dataclass(frozen=True, slots=True)
class Joining:
    """What an invitation offers to whoever holds its link."""

    invitation_id: UUID
    organisation: str
    kind: OrganisationKind
    role: Role
    login: str
    expires_at: dt.datetime
    re_enrols: UUID | None  # the person whose lost passkey it replaces


def _require_may_invite(row: Organisation, role: Role, *, by: Person) -> None:
    require(by, Task.MANAGE_MEMBERS)
    if by.organisation is not None and by.organisation != row.id and by.role is not Role.ADMINISTRATOR:
        raise NotFound("No such organisation")
    if role not in ROLES_OF[OrganisationKind(row.kind)]:
        raise Invalid("People of this kind of organisation cannot have this role", code="bad_role")


@transaction.atomic
def invite(organisation: UUID, role: Role, *, by: Person, owner: bool = False, login: str = "") -> tuple[UUID, str]:
    """Return (the invitation's id, the code that its link carries). The code is shown this once; a hash is kept.

    For roles that look into others' affairs it opens nothing until a second person agreed, unless it was made at the
    console.
    """
    require(by, Task.MANAGE_MEMBERS)
    row = Organisation.objects.select_for_update().filter(id=organisation, suspended_at=None).first()
    if row is None:
        raise NotFound("No such organisation")
    _require_may_invite(row, role, by=by)
    code, now = secrets.token_urlsafe(32), timezone.now()
    made = Invitation(
        id=uuid.uuid4(),
        digest=_digest(code),
        organisation=row,
        role=role.value,
        login=login or _new_login(role),
        owner=owner,
        made_by_id=by.source,
        made_at=now,
        expires_at=now + dt.timedelta(hours=HOURS_STAFF if role in STAFF else HOURS_OTHERS),
    )
    if User.objects.filter(login=made.login).exists():
        raise Conflict("This id is taken", code="login_taken")
    made.save(force_insert=True)
    said = {"organisation": str(row.id), "role": role.value, "owner": owner, "expires_at": made.expires_at.isoformat()}
    custody.record_fact(INVITED, {"by": by.source, "invitation": str(made.id), **said})
    return made.id, code


def _digest(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()  # of 256 random bits: it needs no salt


def _new_login(role: Role) -> str:
    return f"{role.value.replace('_', '-')}-{secrets.token_hex(3)}"


@transaction.atomic
def agree_to_invitation(invitation_id: UUID, *, by: Person) -> None:
    """Agree, as a second person, to an invitation. Doing it twice changes nothing; never to one's own."""
    require(by, Task.CHANGE_ROLES)
    row = Invitation.objects.select_for_update().filter(id=invitation_id, withdrawn_at=None).first()
    if row is None:
        raise NotFound("No such invitation")
    if row.made_by_id == by.source:
        raise Conflict("Whoever invites cannot agree to it: another person must", code="two_people")
    if row.agreed_by_id is None and row.taken_at is None:
        row.agreed_by_id = by.source
        row.save(update_fields=["agreed_by"])
        custody.record_fact(AGREED, {"by": by.source, "invitation": str(row.id)})


@transaction.atomic
def withdraw_invitation(invitation_id: UUID, *, by: Person) -> None:
    """Make an invitation's link open nothing. Doing it twice changes nothing."""
    require(by, Task.MANAGE_MEMBERS)
    scoped = Invitation.objects.select_for_update().filter(id=invitation_id)
    if by.organisation is not None and by.role is not Role.ADMINISTRATOR:
        scoped = scoped.filter(organisation=by.organisation)
    row = scoped.first()
    if row is None:
        raise NotFound("No such invitation")
    if row.taken_at is None and row.withdrawn_at is None:
        row.withdrawn_at = timezone.now()
        row.save(update_fields=["withdrawn_at"])
        custody.record_fact(WITHDRAWN, {"by": by.source, "invitation": str(row.id)})


def _closed() -> NotFound:
    """Return the one refusal: who guesses learns nothing of the link's state."""
    return NotFound("This link opens nothing: it was used, it has expired, or it is not complete. Ask for a new one.")


def _open(code: str) -> Invitation:
    row = Invitation.objects.select_related("organisation").filter(digest=_digest(code)).first()
    if row is None or row.taken_at is not None or row.withdrawn_at is not None or row.expires_at <= timezone.now():
        raise _closed()
    if row.organisation.suspended_at is not None:
        raise _closed()
    if Role(row.role) in NEED_SECOND and row.agreed_by_id is None and not _by_console(row):
        raise Conflict(
            "A second person has yet to agree to this invitation. The link will open then.", code="not_agreed"
        )
    return row


def _by_console(row: Invitation) -> bool:
    return row.made_by.kind == "person" and row.made_by.name == "console"


def invitation(code: str) -> Joining:
    """Return what a link offers, or raise NotFound: unknown, used, expired and withdrawn look alike."""
    row = _open(code)
    return Joining(
        invitation_id=row.id,
        organisation=row.organisation.name,
        kind=OrganisationKind(row.organisation.kind),
        role=Role(row.role),
        login=row.login,
        expires_at=row.expires_at,
        re_enrols=row.user_id if row.re_enrols else None,
    )


@transaction.atomic
def join(code: str, *, user_id: UUID, now: dt.datetime) -> tuple[User, Membership]:
    """Take an invitation as a new person with this id; who holds the code is who was meant. Once.

    The caller adds the passkey in the same transaction, so that nobody is let in without one.
    """
    Invitation.objects.select_for_update().filter(digest=_digest(code)).first()
    row = _open(code)
    # The role is given in the name of who invited.
    by = Person(uuid.UUID(int=row.made_by_id), Role.ADMINISTRATOR, source=row.made_by_id, name="")
    try:
        with transaction.atomic():
            user = User.objects.make(row.login, id=user_id)
    except IntegrityError:  # two who were invited under one id, or one page sent twice at once with two codes
        raise Conflict("This id is taken meanwhile. Ask for a new link.", code="login_taken") from None
    said = {"by": row.made_by_id, "login": rules.login_hash(user.id, row.login), "source": user.source_id}
    custody.record_fact(ADDED, {**said, "person": str(user.id), "invitation": str(row.id)})
    history.note(user, "joined")
    membership = begin_membership(user, row.organisation, Role(row.role), by=by, owner=row.owner)
    row.taken_at, row.user = now, user
    row.save(update_fields=["taken_at", "user"])
    return user, membership


@transaction.atomic
def sign_up(user_id: UUID, *, token: VaultToken) -> User:
    """Make an account for somebody who has just proven that an address is theirs. Twice gives the same account.

    They act for themselves; roles come by invitation.
    """
    known = User.objects.filter(token=token).first()
    if known is not None:
        return known
    login = f"{Role.ADDRESSEE.value}-{secrets.token_hex(4)}"
    user = User.objects.make(login, id=user_id)
    user.token = token
    user.save(update_fields=["token"])
    said = {"by": user.source_id, "login": rules.login_hash(user.id, login), "source": user.source_id}
    custody.record_fact(ADDED, {**said, "person": str(user.id), "invitation": None})
    history.note(user, "joined")
    return user
