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
from parcelward.people.models import ApiKey, Organisation, Source
from parcelward.people.roles import require
from parcelward.people.wire import OrganisationKind, Person, Role, Task

NAME_MAX: Final = 80
KEY_LIFETIME: Final = dt.timedelta(days=365)
KEY_LIFETIME_MAX: Final = dt.timedelta(days=3 * 365)
OVERLAP_MAX: Final = dt.timedelta(days=30)
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

    `scopes` limits it to some of its role's tasks; None: all. `organisation` None means the maker's own. Raises
    Conflict where `key_id`, which makes a retry harmless, was used before: a token is not shown twice.
    """
    require(by, Task.MANAGE_KEYS)
    if not name.strip() or len(name) > NAME_MAX or not name.isprintable():
        raise Invalid(f"A key needs a name of at most {NAME_MAX} characters", code="bad_name")
    tenant = _tenant(role, organisation, by=by)
    limited = _scopes(role, scopes, by=by)
    now = timezone.now()
    expires_at = _end(now, lifetime, by=by)
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
    if role not in roles.ROLES_OF[OrganisationKind(row.kind)]:
        raise Invalid("Nobody in this organisation can have that role", code="bad_role")
    return None if row.kind == OrganisationKind.OPERATOR else tenant


def _scopes(role: Role, scopes: Iterable[Task] | None, *, by: Person) -> list[str] | None:
    """Return the scopes as they are stored: of the role's own tasks, and never more than a limited maker has."""
    if role in roles.NEED_SECOND and role is not by.role and not two.is_console(by.source):
        # An invitation to such a role takes two people; a key would give one of them both roles.
        raise MayNot(
            "A key with this role is made at the console, or by somebody who has the role", code="guarded_role"
        )
    wanted = None if scopes is None else frozenset(scopes)
    if wanted is not None and not wanted <= roles.MAY[role]:
        raise roles.bad_scope()
    if by.scopes is not None and not roles.rights_of(role, wanted) <= by.scopes:
        raise MayNot("A limited key can give another no right that it has not itself", code="scope")
    return None if wanted is None else sorted(task.value for task in wanted)


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
    key = ApiKey.objects.select_for_update().filter(reach.within(by), pk=key_id).first()
    if key is None:
        raise NotFound("No such key")
    return key


@transaction.atomic
def rotate_key(key_id: UUID, overlap: dt.timedelta, *, by: Person, mode: str) -> MadeKey:
    """Give a key a new token with the usual lifetime; the one it had ends after `overlap`, at most OVERLAP_MAX.

    Raises Conflict for a key that is no longer valid, and while the token before still counts, unless `overlap` is
    zero: a form that is sent twice would end a token that systems still use. With zero both older tokens end at once.
    """
    require(by, Task.MANAGE_KEYS)
    if not dt.timedelta() <= overlap <= OVERLAP_MAX:
        raise Invalid(f"The old token may go on for 0 to {OVERLAP_MAX.days} days", code="bad_overlap")
    key, now = _locked(key_id, by=by), timezone.now()
    if by.scopes is not None and not roles.rights_of(Role(key.role), key.scopes) <= by.scopes:
        raise MayNot("A limited key can renew none with rights that it has not itself", code="scope")
    if key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= now):
        raise Conflict("This key is no longer valid: make a new one", code="key_ended")
    if overlap and key.previous_ends_at is not None and key.previous_ends_at > now:
        raise Conflict("This key was rotated before, and the token of then is still valid", code="overlap_running")
    token = tokens.new(production=mode == "production")
    ends_at = now + overlap if key.expires_at is None else min(now + overlap, key.expires_at)
    key.previous_prefix, key.previous_digest, key.previous_ends_at = key.prefix, bytes(key.digest), ends_at
    key.prefix, key.digest = token[: tokens.PREFIX_LENGTH], tokens.digest(token)
    if key.expires_at is not None:
        key.expires_at = now + KEY_LIFETIME
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


@transaction.atomic
def revoke_key(key_id: UUID, *, by: Person) -> None:
    """Refuse both of a key's tokens from now on. Doing it twice changes nothing."""
    require(by, Task.MANAGE_KEYS)
    key = _locked(key_id, by=by)
    if key.revoked_at is None:
        end_key(key, by=by)


def end_key(key: ApiKey, *, by: Person) -> None:
    """Revoke a key in the caller's transaction, which holds its row and asked whether it may."""
    key.revoked_at = timezone.now()
    key.save(update_fields=["revoked_at"])
    said = {"by": by.source, "revoked_at": key.revoked_at.isoformat(), "source": key.source_id}
    custody.record_fact(KEY_REVOKED, said)
