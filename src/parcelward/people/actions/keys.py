"""Make, rotate and revoke API keys. Each is an entry in the log; a token is returned once and never stored."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from parcelward.base.errors import Conflict, Invalid, NotFound
from parcelward.custody import actions as custody
from parcelward.people import reach, roles, tokens, two
from parcelward.people.errors import MayNot
from parcelward.people.key_check import KEY_MADE, KEY_REVOKED, KEY_ROTATED
from parcelward.people.models import ApiKey, Membership, Organisation, Source
from parcelward.people.roles import require
from parcelward.people.wire import OrganisationKind, Person, Role, Task

NAME_MAX: Final = 80
KEY_LIFETIME: Final = dt.timedelta(days=365)
KEY_LIFETIME_MAX: Final = dt.timedelta(days=3 * 365)
OVERLAP_MAX: Final = dt.timedelta(days=30)
GIVING: Final = frozenset({Task.MANAGE_KEYS, Task.GRANT_SPENDING, Task.MANAGE_MEMBERS})
"""What a key that another key made never may: whoever finds a key would go on with those that they made by it."""
FOR_GOOD: Final = dt.timedelta.max
"""A lifetime without an end. Only an administrator can say it: everywhere else a key ends some day."""


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A key and its token, which is shown this once."""

    id: UUID
    token: str


def make_key(
    name: str,
    role: Role,
    *,
    by: Person,
    mode: str,
    simulated: bool = False,
    scopes: Iterable[Task] | None = None,
) -> str:
    """Return the token of a new key of the maker's own organisation, with the usual lifetime."""
    return new_key(name, role, by=by, mode=mode, simulated=simulated, scopes=scopes).token


@transaction.atomic
def new_key(  # noqa: PLR0913 -- all of it is what a key is
    name: str,
    role: Role,
    *,
    by: Person,
    mode: str,
    simulated: bool = False,
    scopes: Iterable[Task] | None = None,
    organisation: UUID | None = None,
    lifetime: dt.timedelta = KEY_LIFETIME,
    key_id: UUID | None = None,
) -> MadeKey:
    """Make a key; its token is returned this once, and only the token's hash is stored.

    `scopes` limits it to some of its role's tasks; None: all. `organisation` None means the maker's own. A key that
    another key makes gives no rights away, ends no later than it, and is revoked with it. Raises Conflict where
    `key_id`, which makes a retry harmless, was used before: a token is not shown twice.
    """
    require(by, Task.MANAGE_KEYS)
    if not name.strip() or len(name) > NAME_MAX or not name.isprintable():
        raise Invalid(f"A key needs a name of at most {NAME_MAX} characters", code="bad_name")
    tenant = _tenant(role, organisation, by=by)
    limited = _scopes(role, scopes, by=by)
    maker = _maker(role, limited, by=by)
    now = timezone.now()
    expires_at = _no_later(_end(now, lifetime, by=by), maker)
    token = tokens.new(production=mode == "production")
    source = Source.objects.create(kind="api_key", name=name, simulated=simulated)
    try:
        with transaction.atomic():
            key = ApiKey.objects.create(
                id=key_id or uuid.uuid4(),
                source=source,
                prefix=token[: tokens.PREFIX_LENGTH],
                digest=tokens.digest(token),
                role=role.value,
                scopes=limited,
                organisation_id=tenant,
                maker=maker,
                expires_at=expires_at,
            )
    except IntegrityError:
        raise Conflict("This key was made already. Its token was shown then, and is not shown again.") from None
    custody.record_fact(
        KEY_MADE,
        {
            "by": by.source,
            "key": str(key.id),
            "role": role.value,
            "source": source.number,
            "digest": key.digest.hex(),
            "expires_at": None if expires_at is None else expires_at.isoformat(),
            "maker": None if maker is None else str(maker.id),
            "name": name,
            "organisation": None if tenant is None else str(tenant),
            "prefix": key.prefix,
            "scopes": limited,
            "simulated": simulated,
        },
    )
    return MadeKey(key.id, token)


def _tenant(role: Role, organisation: UUID | None, *, by: Person) -> UUID | None:
    """Return the organisation that a new key belongs to. Raises NotFound, Invalid."""
    if role not in roles.KEY_ROLES:
        raise roles.bad_role()
    tenant = reach.own(by) if organisation is None else organisation
    if by.role is not Role.ADMINISTRATOR and (tenant is None or tenant != reach.own(by)):
        raise NotFound("No such organisation")
    if tenant is None:
        if role in roles.TENANTS:
            raise Invalid("A key with this role belongs to an organisation: say to which", code="bad_organisation")
        return None
    row = Organisation.objects.filter(pk=tenant, suspended_at=None).first()
    if row is None:
        raise NotFound("No such organisation")
    require_theirs(row, by=by)
    if role not in roles.ROLES_OF[OrganisationKind(row.kind)]:
        raise Invalid("Nobody in this organisation can have that role", code="bad_role")
    return None if row.kind == OrganisationKind.OPERATOR else tenant


def require_theirs(tenant: Organisation, *, by: Person) -> None:
    """Raise MayNot for a key of a tenant that has people of its own who keep its keys, unless `by` is one of them."""
    if tenant.kind == OrganisationKind.OPERATOR or by.organisation == tenant.id or two.is_console(by.source):
        return
    keeping = [role.value for role in Role if Task.MANAGE_KEYS in roles.MAY[role]]
    if Membership.objects.filter(organisation=tenant, role__in=keeping, ended_at=None).exists():
        raise MayNot("This organisation makes its own keys: who has a token of it acts as it", code="not_theirs")


def _maker(role: Role, limited: list[str] | None, *, by: Person) -> ApiKey | None:
    """Return the key that makes another one, locked; None where a person does. Raises MayNot."""
    maker = ApiKey.objects.select_for_update().filter(source=by.source).first()
    if maker is None:
        return None
    if maker.revoked_at is not None:  # a moment ago
        raise MayNot("This key was revoked", code="revoked")
    if roles.rights_of(role, limited) & GIVING:
        words = "A key makes none that manages keys, members or spending: limit it by scopes, or sign in to make it"
        raise MayNot(words, code="scope")
    return maker


def _no_later(end: dt.datetime | None, maker: ApiKey | None) -> dt.datetime | None:
    """Return when a key ends: with its maker at the latest."""
    if maker is None or maker.expires_at is None:
        return end
    return maker.expires_at if end is None else min(end, maker.expires_at)


def _scopes(role: Role, scopes: Iterable[Task] | None, *, by: Person) -> list[str] | None:
    """Return the scopes as they are stored: of the role's own tasks, and never more than a limited maker has."""
    _require_guard(role, by=by)
    wanted = None if scopes is None else frozenset(scopes)
    if wanted is not None and not wanted <= roles.MAY[role]:
        raise roles.bad_scope()
    if by.scopes is not None and not roles.rights_of(role, wanted) <= by.scopes:
        raise MayNot("A limited key can give another no right that it has not itself", code="scope")
    return None if wanted is None else sorted(task.value for task in wanted)


def _require_guard(role: Role, *, by: Person) -> None:
    """Raise MayNot for a role that takes two people: a key, or a new token of one, would give one of them both."""
    if role in roles.NEED_SECOND and role is not by.role and not two.is_console(by.source):
        raise MayNot(
            "A key with this role is made and renewed at the console, by somebody who has the role, or by itself",
            code="guarded_role",
        )


def _end(now: dt.datetime, lifetime: dt.timedelta, *, by: Person) -> dt.datetime | None:
    if lifetime == FOR_GOOD:
        if by.role is not Role.ADMINISTRATOR:
            raise Invalid("A key ends some day: say after how many days", code="bad_lifetime")
        return None
    if not dt.timedelta() < lifetime <= KEY_LIFETIME_MAX:
        raise Invalid(f"A key is valid for 1 to {KEY_LIFETIME_MAX.days} days", code="bad_lifetime")
    return now + lifetime


def _locked(key_id: UUID, *, by: Person) -> ApiKey:
    """Return the key's row, locked. Raises NotFound where there is none, and where it is somebody else's."""
    key = ApiKey.objects.select_for_update(of=("self",)).filter(reach.within(by), pk=key_id).first()
    if key is None:
        raise NotFound("No such key")
    return key


@transaction.atomic
def rotate_key(key_id: UUID, overlap: dt.timedelta, *, by: Person, mode: str) -> MadeKey:
    """Give a key a new token with the usual lifetime; the one it had ends after `overlap`, at most OVERLAP_MAX.

    A key renews itself and what it made. Raises Conflict for a key that is no longer valid, and while the token before
    still counts, unless `overlap` is zero: a form that is sent twice would end a token that systems still use. With
    zero both older tokens end at once.
    """
    require(by, Task.MANAGE_KEYS)
    if not dt.timedelta() <= overlap <= OVERLAP_MAX:
        raise Invalid(f"The old token may go on for 0 to {OVERLAP_MAX.days} days", code="bad_overlap")
    key, now = _locked(key_id, by=by), timezone.now()
    _require_may_renew(key, by=by)
    if key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= now):
        raise Conflict("This key is no longer valid: make a new one", code="key_ended")
    if overlap and key.previous_ends_at is not None and key.previous_ends_at > now:
        raise Conflict("This key was rotated before, and the token of then is still valid", code="overlap_running")
    token = tokens.new(production=mode == "production")
    ends_at = now + overlap if key.expires_at is None else min(now + overlap, key.expires_at)
    key.previous_prefix, key.previous_digest, key.previous_ends_at = key.prefix, bytes(key.digest), ends_at
    key.prefix, key.digest = token[: tokens.PREFIX_LENGTH], tokens.digest(token)
    if key.expires_at is not None:
        key.expires_at = _no_later(now + KEY_LIFETIME, key.maker)
    key.save()
    said = {
        "by": by.source,
        "digest": key.digest.hex(),
        "expires_at": None if key.expires_at is None else key.expires_at.isoformat(),
        "prefix": key.prefix,
        "previous_ends_at": ends_at.isoformat(),
        "source": key.source_id,
    }
    custody.record_fact(KEY_ROTATED, said)
    return MadeKey(key.id, token)


def _require_may_renew(key: ApiKey, *, by: Person) -> None:
    """Raise MayNot where a new token would be worth more to `by` than what they have."""
    if key.organisation is not None:
        require_theirs(key.organisation, by=by)
    _require_guard(Role(key.role), by=by)
    if by.scopes is not None and not roles.rights_of(Role(key.role), key.scopes) <= by.scopes:
        raise MayNot("A limited key can renew none with rights that it has not itself", code="scope")
    asking = ApiKey.objects.filter(source=by.source).first()
    if asking is not None and asking.id not in {key.id, key.maker_id}:
        raise MayNot("A key renews itself and what it made: sign in to renew another", code="scope")


@transaction.atomic
def revoke_key(key_id: UUID, *, by: Person) -> None:
    """Refuse both of a key's tokens from now on. Doing it twice changes nothing."""
    require(by, Task.MANAGE_KEYS)
    key = _locked(key_id, by=by)
    if key.revoked_at is None:
        end_key(key, by=by)


def end_key(key: ApiKey, *, by: Person) -> None:
    """Revoke a key, and what it made, in the caller's transaction, which holds its row and asked whether it may."""
    for made in ApiKey.objects.select_for_update().filter(maker=key, revoked_at=None).order_by("id"):
        end_key(made, by=by)
    key.revoked_at = timezone.now()
    key.save(update_fields=["revoked_at"])
    said = {"by": by.source, "revoked_at": key.revoked_at.isoformat(), "source": key.source_id}
    custody.record_fact(KEY_REVOKED, said)
