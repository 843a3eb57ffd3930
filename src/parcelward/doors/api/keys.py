"""API keys over HTTP: make, see, rotate, revoke, and say what each may spend. A token is in one answer, once."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Field, Query, Router, Schema

from parcelward.base import config
from parcelward.base.errors import NotFound
from parcelward.doors.api.shapes import PROBLEMS, Bearer, Strict, Text80, id_in, next_page, once
from parcelward.people import actions as people
from parcelward.people import queries as who
from parcelward.people.wire import Person, Task

KEY_PREFIX, ORGANISATION_PREFIX, GRANT_PREFIX = "key_", "org_", "grt_"
PAGE_MAX = 100
CAP_MAX = 10**15
_HOURS_MAX = int(people.OVERLAP_MAX / dt.timedelta(hours=1))
_DAYS_MAX = people.KEY_LIFETIME_MAX.days
_GRANT_DAYS_MAX = people.GRANT_FOR_MAX.days
_SCOPES: dict[str, Any] = {"enum": sorted(task.value for task in Task)}
_ROLES: dict[str, Any] = {"enum": sorted(role.value for role in who.KEY_ROLES)}
_SHOWN_ONCE = "in the first answer alone; null when the same request is sent again: rotate the key where it was lost"

router = Router()


class KeyIn(Strict):
    """A key for a system of yours."""

    name: Text80 = Field(description="of the system, never of a person", examples=["shop checkout"])
    role: str = Field(json_schema_extra=_ROLES, examples=["partner"])
    scopes: list[Annotated[str, Field(json_schema_extra=_SCOPES)]] | None = Field(
        None, max_length=len(Task), description="the tasks of its role that it is limited to; null: all of them"
    )
    organisation: str | None = Field(None, max_length=100, description="org_...; null: the asking key's own")
    expires_in_days: int = Field(people.KEY_LIFETIME.days, ge=1, le=_DAYS_MAX)
    never_expires: bool = Field(default=False, description="for the operator's administrators alone")
    simulated: bool = False


class FormerToken(Schema):
    """The token that a rotated key had before, while it still counts and after."""

    prefix: str
    ends_at: str


class KeyOut(Schema):
    """An API key without its token."""

    object: Literal["key"] = "key"
    id: str
    mode: str
    created_at: str
    name: str
    prefix: str = Field(description="how its token begins")
    role: str
    scopes: list[str] | None
    organisation: str | None = Field(description="null: the operator's")
    state: Literal["valid", "revoked", "expired", "suspended"]
    simulated: bool
    expires_at: str | None
    revoked_at: str | None
    last_used_at: str | None = Field(description="to the minute")
    previous: FormerToken | None


class KeyMadeOut(KeyOut):
    """An API key with its token, in the first answer alone."""

    token: str | None = Field(description=_SHOWN_ONCE)


class RotateIn(Strict):
    """How long the token that the key has now goes on."""

    overlap_hours: int = Field(24, ge=0, le=_HOURS_MAX, description="0: it ends at once")


class GrantIn(Strict):
    """What a key may spend in one currency: each payment, and each day or month or both (UTC)."""

    currency: str = Field(pattern="^[A-Z]{3}$", examples=["EUR"])
    cap_payment_minor: int = Field(ge=1, le=CAP_MAX, description="in the currency's minor unit, such as cents")
    cap_day_minor: int | None = Field(None, ge=1, le=CAP_MAX)
    cap_month_minor: int | None = Field(None, ge=1, le=CAP_MAX, examples=[100_000])
    expires_in_days: int = Field(30, ge=1, le=_GRANT_DAYS_MAX)


class GrantOut(Schema):
    """What a key may spend, and what it has or might have: reservations count until they are given back."""

    object: Literal["spend_grant"] = "spend_grant"
    id: str
    mode: str
    created_at: str
    currency: str
    cap_payment_minor: int
    cap_day_minor: int | None
    cap_month_minor: int | None
    used_day_minor: int
    used_month_minor: int
    expires_at: str
    withdrawn_at: str | None


def _by(request: HttpRequest) -> Person:
    return request.auth  # type: ignore[attr-defined, no-any-return]  # set by ninja


def _key(text: str) -> UUID:
    found = id_in(KEY_PREFIX, text)
    if found is None:
        raise NotFound("No such key")
    return found


def _time(moment: dt.datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _shown(key: who.KeyShown) -> dict[str, Any]:
    former = None
    if key.previous_ends_at is not None:
        former = FormerToken(prefix=key.previous_prefix, ends_at=key.previous_ends_at.isoformat())
    return {
        "id": f"{KEY_PREFIX}{key.id.hex}",
        "mode": config.get().mode,
        "created_at": key.created_at.isoformat(),
        "name": key.name,
        "prefix": key.prefix,
        "role": key.role.value,
        "scopes": None if key.scopes is None else list(key.scopes),
        "organisation": None if key.organisation is None else f"{ORGANISATION_PREFIX}{key.organisation.hex}",
        "state": key.state(dt.datetime.now(dt.UTC)),
        "simulated": key.simulated,
        "expires_at": _time(key.expires_at),
        "revoked_at": _time(key.revoked_at),
        "last_used_at": _time(key.last_used_at),
        "previous": former,
    }


def _made(made: people.MadeKey, *, by: Person) -> KeyMadeOut:
    return KeyMadeOut(**_shown(who.key(made.id, by=by)), token=made.token)


@router.get("/keys", auth=Bearer(), response={200: list[KeyOut], **PROBLEMS}, summary="Your API keys")
def keys(
    request: HttpRequest,
    response: HttpResponse,
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = PAGE_MAX,
    cursor: Annotated[str, Query(max_length=100)] = "",
) -> list[dict[str, Any]]:
    """Return the keys of your organisation, newest first; where there is more, Link says where (rel="next")."""
    rows = who.keys(by=_by(request), limit=limit + 1, after=id_in(KEY_PREFIX, cursor) if cursor else None)
    if len(rows) > limit:
        response["Link"] = next_page("/api/v1/keys", limit, f"{KEY_PREFIX}{rows[limit - 1].id.hex}")
    return [_shown(row) for row in rows[:limit]]


@router.post("/keys", auth=Bearer(), response={201: KeyMadeOut, **PROBLEMS}, summary="Make an API key")
def make_key(request: HttpRequest, body: KeyIn) -> HttpResponse:
    """Make a key. Its token is in this answer alone: we store a hash of it.

    It gives no rights away (`manage_keys`, `grant_spending`, `manage_members`: limit it by scopes where its role has
    them), ends no later than the key that asks, and is revoked with it.
    """
    by = _by(request)
    role, scopes = (
        who.key_role(body.role),
        None if body.scopes is None else [who.key_scope(scope) for scope in body.scopes],
    )
    lifetime = people.FOR_GOOD if body.never_expires else dt.timedelta(days=body.expires_in_days)
    organisation = None if body.organisation is None else id_in(ORGANISATION_PREFIX, body.organisation)
    if body.organisation is not None and organisation is None:
        raise NotFound("No such organisation")

    def make() -> KeyMadeOut:
        made = people.new_key(
            body.name,
            role,
            by=by,
            mode=config.get().mode,
            simulated=body.simulated,
            scopes=scopes,
            organisation=organisation,
            lifetime=lifetime,
        )
        return _made(made, by=by)

    return once(request, 201, make, shown_once="token")


@router.get("/keys/{key_id}", auth=Bearer(), response={200: KeyOut, **PROBLEMS}, summary="One API key")
def key(request: HttpRequest, key_id: str) -> dict[str, Any]:
    """Return one key; somebody else's looks like none."""
    return _shown(who.key(_key(key_id), by=_by(request)))


@router.delete("/keys/{key_id}", auth=Bearer(), response={204: None, **PROBLEMS}, summary="Revoke an API key")
def revoke_key(request: HttpRequest, key_id: str) -> tuple[int, None]:
    """Refuse the key, the token it had before, and every key that was made by it, from the next request on."""
    people.revoke_key(_key(key_id), by=_by(request))
    return 204, None


@router.post(
    "/keys/{key_id}/rotate", auth=Bearer(), response={201: KeyMadeOut, **PROBLEMS}, summary="Give a key a new token"
)
def rotate_key(request: HttpRequest, key_id: str, body: RotateIn) -> HttpResponse:
    """Give the key a new token, valid for a year; the one it has now goes on for the overlap.

    A key renews itself and what it made.
    """
    found, overlap, by = _key(key_id), dt.timedelta(hours=body.overlap_hours), _by(request)

    def rotate() -> KeyMadeOut:
        return _made(people.rotate_key(found, overlap, by=by, mode=config.get().mode), by=by)

    return once(request, 201, rotate, shown_once="token")


def _grant_shown(grant: who.GrantShown) -> dict[str, Any]:
    return {
        "id": f"{GRANT_PREFIX}{grant.id.hex}",
        "mode": config.get().mode,
        "created_at": grant.granted_at.isoformat(),
        "currency": grant.currency,
        "cap_payment_minor": grant.cap_payment_minor,
        "cap_day_minor": grant.cap_day_minor,
        "cap_month_minor": grant.cap_month_minor,
        "used_day_minor": grant.used_day_minor,
        "used_month_minor": grant.used_month_minor,
        "expires_at": grant.expires_at.isoformat(),
        "withdrawn_at": _time(grant.withdrawn_at),
    }


@router.get("/keys/{key_id}/grants", auth=Bearer(), response={200: list[GrantOut], **PROBLEMS}, summary="Spend grants")
def grants(request: HttpRequest, key_id: str) -> list[dict[str, Any]]:
    """Return what the key may spend, newest first."""
    return [_grant_shown(each) for each in who.grants(_key(key_id), by=_by(request))]


@router.post("/keys/{key_id}/grants", auth=Bearer(), response={201: GrantOut, **PROBLEMS}, summary="Let a key spend")
def grant_spending(request: HttpRequest, key_id: str, body: GrantIn) -> HttpResponse:
    """Let a key spend up to the caps. A key grants itself nothing, and has one grant a currency."""
    found, by = _key(key_id), _by(request)

    def grant() -> GrantOut:
        made = people.grant_spending(
            found,
            currency=body.currency,
            cap_payment_minor=body.cap_payment_minor,
            cap_day_minor=body.cap_day_minor,
            cap_month_minor=body.cap_month_minor,
            lifetime=dt.timedelta(days=body.expires_in_days),
            by=by,
        )
        return GrantOut(**next(_grant_shown(each) for each in who.grants(found, by=by) if each.id == made))

    return once(request, 201, grant)


@router.delete(
    "/keys/{key_id}/grants/{grant_id}", auth=Bearer(), response={204: None, **PROBLEMS}, summary="End a spend grant"
)
def withdraw_spending(request: HttpRequest, key_id: str, grant_id: str) -> tuple[int, None]:
    """Let the key spend nothing more under this grant."""
    found = id_in(GRANT_PREFIX, grant_id)
    if found is None:
        raise NotFound("No such grant")
    people.withdraw_spending(found, key_id=_key(key_id), by=_by(request))
    return 204, None
