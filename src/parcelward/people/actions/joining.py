"""Invitations: a link that lets one person take one role, once, with a passkey that they make on their own device.

What a second person agreed to opens with two things, each in other hands: the link, which only whoever invited was
shown, and a short code, which only whoever agreed was shown. Neither can become the new person alone.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import secrets
import uuid
from dataclasses import dataclass
from typing import Final, NewType
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from parcelward.base.errors import Conflict, Invalid, NotFound
from parcelward.base.vault import VaultToken
from parcelward.custody import actions as custody
from parcelward.people import codes, proofing_rules, rules, two, waiting
from parcelward.people.account_check import ADDED
from parcelward.people.actions import history
from parcelward.people.actions.accounts import machinery
from parcelward.people.actions.organisations import begin_membership
from parcelward.people.actions.sessions import PASSKEY
from parcelward.people.errors import BadCode, MayNot
from parcelward.people.membership_check import INVITATION_TAKEN as TAKEN
from parcelward.people.membership_check import INVITATION_WITHDRAWN as WITHDRAWN
from parcelward.people.models import Invitation, Membership, Organisation, SignedIn, User
from parcelward.people.roles import ROLES_OF, STAFF, require
from parcelward.people.two_check import INVITATION_AGREED as AGREED
from parcelward.people.two_check import INVITATION_CODE, INVITED
from parcelward.people.wire import OrganisationKind, Person, Role, Task

NOBODY: Final = uuid.UUID(int=0)
HOURS_STAFF: Final = 72
HOURS_OTHERS: Final = 7 * 24
HOURS_RE_ENROL: Final = 1  # they stand at the counter

Proof = NewType("Proof", bytes)
"""That the second code of an invitation was typed: only `try_code`, which counts the tries, makes one."""
NO_PROOF: Final = Proof(b"")
SECOND_WORDS: Final = (
    "The second code is not right. Ask whoever agreed to say it again. Five wrong ones end the invitation."
)


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
    needs_code: bool  # the one that whoever agreed was shown


def _require_may_invite(row: Organisation, role: Role, *, by: Person) -> None:
    require(by, Task.MANAGE_MEMBERS)
    if by.organisation is not None and by.organisation != row.id and by.role is not Role.ADMINISTRATOR:
        raise NotFound("No such organisation")
    if role not in ROLES_OF[OrganisationKind(row.kind)]:
        raise Invalid("People of this kind of organisation cannot have this role", code="bad_role")


@transaction.atomic
def invite(
    organisation: UUID,
    role: Role,
    *,
    by: Person,
    owner: bool = False,
    login: str = "",
    invitation_id: UUID | None = None,
) -> tuple[UUID, str]:
    """Return (the invitation's id, the code that its link carries). The code is shown this once; a hash is kept.

    Raises Conflict where an invitation of this id was made before: its code cannot be shown again.
    For roles that look into others' affairs, and for somebody else's organisation that has people, it opens nothing
    until a second person agreed, unless it was made at the console.
    """
    require(by, Task.MANAGE_MEMBERS)
    row = Organisation.objects.select_for_update().filter(id=organisation, suspended_at=None).first()
    if row is None:
        raise NotFound("No such organisation")
    _require_may_invite(row, role, by=by)
    code, now = secrets.token_urlsafe(32), timezone.now()
    if owner:
        _require_no_owner(row, role, by=by)
    made = Invitation(
        id=invitation_id or uuid.uuid4(),
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
    try:
        with transaction.atomic():
            made.save(force_insert=True)
    except IntegrityError:
        words = "This invitation was made already, and its link was shown. Withdraw it if the link is lost."
        raise Conflict(words, code="made") from None
    _record_invited(made)
    return made.id, code


def _require_no_owner(row: Organisation, role: Role, *, by: Person) -> None:
    """Raise Conflict unless this invitation may make the first owner: later ones are handed over to."""
    owned = Membership.objects.filter(organisation=row, owner=True, ended_at=None).exists()
    if owned or role is not Role.SENDER_ADMIN or by.role is not Role.ADMINISTRATOR:
        raise Conflict("Only the first administrator of a sender is invited as its owner", code="one_owner")


def _record_invited(made: Invitation) -> None:
    said = {
        "organisation": str(made.organisation_id),
        "role": made.role,
        "owner": made.owner,
        "code": made.digest.hex(),
    }
    if made.re_enrols:
        said |= {"re_enrols": str(made.user_id), "agreed_by": made.agreed_by_id}
    times = {"expires_at": made.expires_at.isoformat()}
    custody.record_fact(INVITED, {"by": made.made_by_id, "invitation": str(made.id), **said, **times})


def offer_re_enrolment(user: User, held: Membership, *, asked_by: int, agreed_by: int) -> str:
    """Return the code of a link that replaces a lost passkey, in the transaction of who agreed to it."""
    code, now = secrets.token_urlsafe(32), timezone.now()
    made = Invitation(id=uuid.uuid4(), digest=_digest(code), organisation_id=held.organisation_id, role=held.role)
    made.login, made.user, made.re_enrols, made.made_at = user.login, user, True, now
    made.made_by_id, made.agreed_by_id, made.expires_at = asked_by, agreed_by, now + dt.timedelta(hours=HOURS_RE_ENROL)
    made.save(force_insert=True)
    _record_invited(made)
    return code


def withdraw_re_enrolments(user: User, *, by: Person) -> None:
    """Make earlier links of this kind open nothing, in the caller's transaction, which holds the person."""
    older = Invitation.objects.select_for_update().filter(user=user, re_enrols=True, taken_at=None, withdrawn_at=None)
    for row in older.order_by("id"):
        _withdraw(row, by=by)


def _withdraw(row: Invitation, *, by: Person) -> None:
    row.withdrawn_at = timezone.now()
    row.save(update_fields=["withdrawn_at"])
    custody.record_fact(WITHDRAWN, {"by": by.source, "invitation": str(row.id)})


def _digest(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()  # of 256 random bits: it needs no salt


def _new_login(role: Role) -> str:
    return f"{role.value.replace('_', '-')}-{secrets.token_hex(3)}"


@transaction.atomic
def agree_to_invitation(invitation_id: UUID, *, by: Person) -> str:
    """Agree, as a second person, to an invitation; return the code that whoever comes needs beside the link.

    It is shown this once, and to nobody else; a keyed hash is kept. Agreeing again, as the same person, makes a fresh
    one, which ends the one before. Never to one's own.
    """
    require(by, Task.CHANGE_ROLES)
    row = Invitation.objects.select_for_update().filter(id=invitation_id, withdrawn_at=None, re_enrols=False).first()
    if row is None:
        raise NotFound("No such invitation")
    if row.made_by_id == by.source:
        raise Conflict("Whoever invites cannot agree to it: another person must", code="two_people")
    if row.taken_at is not None or row.agreed_by_id not in {None, by.source}:
        raise Conflict("Somebody has settled this already.", code="settled")
    if row.expires_at <= timezone.now():
        raise Conflict("This invitation has expired: it can be made again", code="expired")
    if not two.still_may(row.made_by_id, Task.MANAGE_MEMBERS):
        raise Conflict("Whoever invited may no longer do this: withdraw it, and make another", code="asker_may_not")
    kind = AGREED if row.agreed_by_id is None else INVITATION_CODE
    second = "".join(secrets.choice(proofing_rules.ALPHABET) for _ in range(proofing_rules.INVITATION_CODE_CHARS))
    row.agreed_by_id, row.second_tries = by.source, 0
    row.second_digest = codes.keyed("invitation", *_parts(row, second))
    row.save(update_fields=["agreed_by", "second_digest", "second_tries"])
    custody.record_fact(kind, {"by": by.source, "invitation": str(row.id)})
    return second


def _parts(row: Invitation, second: str) -> tuple[bytes, ...]:
    return (row.id.bytes, proofing_rules.normal_code(second).encode())


def _needs_code(row: Invitation) -> bool:
    return row.agreed_by_id is not None and not row.re_enrols


def try_code(code: str, second: str) -> Proof:
    """Return the proof that a link's second code was typed, for `join` and `accept`; an empty one if it needs none.

    Raises BadCode for a wrong one; after five the invitation ends, and looks like any link that opens nothing. Only who
    has the link spends tries. Not inside another transaction: a wrong try counts although this raises.
    """
    with transaction.atomic(durable=True):
        Invitation.objects.select_for_update().filter(digest=_digest(code)).first()
        row = _open(code)
        if not _needs_code(row):
            return NO_PROOF
        stored = bytes(row.second_digest or b"")  # none where an older version let somebody agree
        if codes.is_keyed(stored, "invitation", *_parts(row, second)):
            return Proof(stored)
        row.second_tries += 1
        row.save(update_fields=["second_tries"])
        ended = row.second_tries >= proofing_rules.INVITATION_TRIES_MAX
        if ended:
            _withdraw(row, by=machinery())
    raise closed() if ended else _bad_code()


def _bad_code() -> BadCode:
    return BadCode(SECOND_WORDS)


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
        _withdraw(row, by=by)


def waits(row: Invitation) -> bool:
    """Return whether a second person has yet to agree to an invitation, as things are now."""
    return waiting.without_a_second().filter(pk=row.pk).exists()


def closed() -> NotFound:
    """Return the one refusal: who guesses learns nothing of the link's state."""
    return NotFound("This link opens nothing: it was used, it has expired, or it is not complete. Ask for a new one.")


def _open(code: str) -> Invitation:
    row = Invitation.objects.select_related("organisation").filter(digest=_digest(code)).first()
    if row is None or row.taken_at is not None or row.withdrawn_at is not None or row.expires_at <= timezone.now():
        raise closed()
    if row.organisation.suspended_at is not None or not _stands(row):
        raise closed()
    if waits(row):
        raise Conflict(
            "A second person has yet to agree to this invitation. The link will open then.", code="not_agreed"
        )
    return row


def _stands(row: Invitation) -> bool:
    """Return whether whoever invited and agreed may still, and nobody concerned has been locked out since."""
    locked = User.objects.filter(is_active=False)
    people = locked.filter(source__in=(row.made_by_id, row.agreed_by_id or 0))
    if people.exists() or (row.re_enrols and locked.filter(id=row.user_id or NOBODY).exists()):
        return False
    asked, agreed = (Task.RE_ENROL, Task.RE_ENROL) if row.re_enrols else (Task.MANAGE_MEMBERS, Task.CHANGE_ROLES)
    return two.still_may(row.made_by_id, asked) and (
        row.agreed_by_id is None or two.still_may(row.agreed_by_id, agreed)
    )


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
        needs_code=_needs_code(row),
    )


@transaction.atomic
def join(code: str, *, user_id: UUID, now: dt.datetime, proof: Proof = NO_PROOF) -> tuple[User, Membership]:
    """Take an invitation as a new person with this id; who holds the code is who was meant. Once.

    What two people agreed to needs the `proof` that its second code was typed (`try_code`); else this raises BadCode.
    The caller adds the passkey in the same transaction, so that nobody is let in without one.
    """
    row = taken(code, re_enrols=False, now=now, proof=proof)
    # The role is given in the name of who invited.
    by = Person(uuid.UUID(int=row.made_by_id), Role.ADMINISTRATOR, source=row.made_by_id, name="")
    try:
        with transaction.atomic():
            user = User.objects.make(row.login, id=user_id)
    except IntegrityError:  # two who were invited under one id, or one page sent twice at once with two codes
        raise Conflict("This id is taken meanwhile. Ask for a new link.", code="login_taken") from None
    said = {"by": row.made_by_id, "login": rules.login_hash(user.id, row.login), "source": user.source_id}
    custody.record_fact(ADDED, {**said, "person": str(user.id), "invitation": str(row.id), "token": None})
    history.note(user, "joined")
    membership = begin_membership(user, row.organisation, Role(row.role), by=by, owner=row.owner)
    row.user = user
    row.save(update_fields=["user"])
    return user, membership


@transaction.atomic
def accept(code: str, session_id: UUID, *, by: Person, now: dt.datetime, proof: Proof = NO_PROOF) -> Membership:
    """Take an invitation with the account that one has, in this session; once. It makes no account.

    The `proof` is as in `join`. Raises Conflict where one has a role in that organisation, or has a hand in the
    invitation oneself, and MayNot for a role of staff in a session that no passkey began.
    """
    require(by, Task.OWN_DATA)
    row = taken(code, re_enrols=False, now=now, proof=proof)
    user = User.objects.select_for_update().filter(id=by.id, is_active=True).first()
    if user is None:
        raise closed()
    if user.source_id in {row.made_by_id, row.agreed_by_id}:
        raise Conflict("Whoever invites, or agrees to it, is not who is invited", code="two_people")
    here = SignedIn.objects.filter(id=session_id, user=user, ended_at=None).first()
    if here is None or (Role(row.role) in STAFF and here.method != PASSKEY):
        raise MayNot(
            "This role needs a passkey: add one, sign in with it, and open the link again", code="passkey_needed"
        )
    custody.record_fact(TAKEN, {"by": user.source_id, "invitation": str(row.id), "person": str(user.id)})
    giving = Person(uuid.UUID(int=row.made_by_id), Role.ADMINISTRATOR, source=row.made_by_id, name="")
    membership = begin_membership(user, row.organisation, Role(row.role), by=giving, owner=row.owner)
    row.user = user
    row.save(update_fields=["user"])
    return membership


def taken(code: str, *, re_enrols: bool, now: dt.datetime, proof: Proof = NO_PROOF) -> Invitation:
    """Return the invitation of this code, used up in the caller's transaction; whoever comes second finds it closed."""
    found = Invitation.objects.filter(digest=_digest(code))
    # First the organisation, as whoever ends a role there does: two who wait for each other would both fail.
    list(Organisation.objects.select_for_update().filter(id__in=found.values("organisation")))
    found.select_for_update().first()
    row = _open(code)
    if row.re_enrols != re_enrols:
        raise closed()
    # A fresh code, made since, ended the one that was typed.
    if _needs_code(row) and not (proof and hmac.compare_digest(proof, bytes(row.second_digest or b""))):
        raise _bad_code()
    row.taken_at = now
    row.save(update_fields=["taken_at"])
    return row


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
    custody.record_fact(ADDED, {**said, "person": str(user.id), "invitation": None, "token": str(token)})
    history.note(user, "joined")
    return user
