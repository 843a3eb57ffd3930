"""Webhooks over HTTP: where a sender's systems are told, how each telling went, once more. A secret is shown once."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Field, Query, Router, Schema

from parcelward.base import config
from parcelward.base.errors import Invalid, NotFound
from parcelward.base.standards import identify
from parcelward.doors.api.shapes import PROBLEMS, Bearer, Strict, id_in, next_page, once
from parcelward.people.wire import Person
from parcelward.shipping.actions import webhooks as actions
from parcelward.shipping.queries import webhooks as queries

ENDPOINT_PREFIX, DELIVERY_PREFIX = "whe_", "dlv_"
PAGE_MAX = 100
_HOURS_MAX = int(queries.OVERLAP_MAX / dt.timedelta(hours=1))
_TYPES: dict[str, Any] = {"enum": sorted(queries.TYPES)}
_SHOWN_ONCE = "in the first answer alone; null when the same request is sent again: rotate it where it was lost"

router = Router()

Type = Annotated[str, Field(json_schema_extra=_TYPES)]
Name = Annotated[str, Field(max_length=queries.NAME_MAX, pattern=r"^[^\x00-\x1f\x7f]*$")]
Url = Annotated[str, Field(min_length=1, max_length=500, examples=["https://shop.example/webhooks"])]


class EndpointIn(Strict):
    """An address of a system of yours that wants to be told."""

    url: Url = Field(description="https, on the public internet; where it leads is checked each time it is asked")
    types: list[Type] = Field([], max_length=len(queries.TYPES), description="empty: every type of message")
    name: Name = Field("", description="of the system, never of a person", examples=["shop checkout"])


class EndpointChangeIn(Strict):
    """What changes; what is left out stays."""

    url: Url | None = None
    types: list[Type] | None = Field(None, max_length=len(queries.TYPES))
    name: Name | None = None
    paused: bool | None = Field(None, description="false: turned on again, and told what waited")


class EndpointOut(Schema):
    """An endpoint without its secret."""

    object: Literal["webhook_endpoint"] = "webhook_endpoint"
    id: str
    mode: str
    created_at: str
    name: str
    url: str
    types: list[str]
    state: Literal["on", "failing", "paused"]
    paused_why: Literal["", "owner", "failing", "gone"] = Field(description="empty while it is told")
    paused_at: str | None
    failing_since: str | None = Field(description="nothing has arrived since")
    former_secret_ends_at: str | None = Field(description="until then the secret before signs as well")


class EndpointSecretOut(EndpointOut):
    """An endpoint with its secret, in the first answer alone."""

    secret: str | None = Field(description=f"whsec_...; {_SHOWN_ONCE}")


class OverlapIn(Strict):
    """How long the secret that the endpoint has now signs as well."""

    overlap_hours: int = Field(24, ge=0, le=_HOURS_MAX, description="0: it ends at once")


class AttemptOut(Schema):
    """One time that a message was sent."""

    at: str
    status: int | None = Field(description="of the answer; null: none came")
    error: str = Field(description="a word such as timeout, tls, no_address, forbidden_address; empty for an answer")
    duration_ms: int


class DeliveryOut(Schema):
    """One message to one endpoint."""

    object: Literal["webhook_delivery"] = "webhook_delivery"
    id: str
    mode: str
    created_at: str
    message_id: str = Field(description="the webhook-id: the same each time that it is sent")
    type: str
    item_id: str | None
    sequence: int | None = Field(description="of the item's messages: 1, 2, 3 ...")
    state: Literal["waiting", "delivered", "parked"]
    tries: int = Field(description="since it was made, or replayed")
    next_try_at: str | None
    ended_at: str | None
    attempts: list[AttemptOut] = Field(description="newest first")


class ReplayIn(Strict):
    """One delivery, or all since a moment."""

    delivery: str | None = Field(None, max_length=100, description="dlv_...")
    since: dt.datetime | None = Field(None, description="what was parked since; give this or a delivery")
    delivered_too: bool = Field(default=False, description="with `since`: also what arrived")


class ReplayOut(Schema):
    """What is sent again."""

    object: Literal["webhook_replay"] = "webhook_replay"
    mode: str
    deliveries: int


def _by(request: HttpRequest) -> Person:
    return request.auth  # type: ignore[attr-defined, no-any-return]  # set by ninja


def _endpoint(text: str) -> UUID:
    found = id_in(ENDPOINT_PREFIX, text)
    if found is None:
        raise NotFound("No such endpoint")
    return found


def _time(moment: dt.datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _moment(given: dt.datetime) -> dt.datetime:
    """Return a moment in UTC. Raises Invalid for one without an offset, or of no year that we know."""
    if given.tzinfo is None or not 2000 < given.year < 2200:  # noqa: PLR2004 -- the years that a row can be of
        raise Invalid("A moment has an offset, such as 2026-11-27T08:00:00Z", code="bad_replay")
    return given.astimezone(dt.UTC)


def _shown(row: queries.EndpointShown) -> dict[str, Any]:
    return {
        "id": f"{ENDPOINT_PREFIX}{row.id.hex}",
        "mode": config.get().mode,
        "created_at": row.made_at.isoformat(),
        "name": row.name,
        "url": row.url,
        "types": list(row.types),
        "state": row.state,
        "paused_why": row.paused_why,
        "paused_at": _time(row.paused_at),
        "failing_since": _time(row.failing_since),
        "former_secret_ends_at": _time(row.former_secret_ends_at),
    }


def _with_secret(made: actions.Secret, *, by: Person) -> EndpointSecretOut:
    return EndpointSecretOut(**_shown(queries.endpoint(made.endpoint, by=by)), secret=made.secret)


def _delivery(row: queries.DeliveryShown) -> dict[str, Any]:
    return {
        "id": f"{DELIVERY_PREFIX}{row.id.hex}",
        "mode": config.get().mode,
        "created_at": row.made_at.isoformat(),
        "message_id": row.message_id,
        "type": row.type,
        "item_id": None if row.item is None else identify.item_id(row.item),
        "sequence": row.sequence or None,
        "state": row.state,
        "tries": row.tries,
        "next_try_at": _time(row.next_try_at),
        "ended_at": _time(row.ended_at),
        "attempts": [
            {
                "at": one.at.isoformat(),
                "status": one.status or None,
                "error": one.error,
                "duration_ms": one.duration_ms,
            }
            for one in row.attempts
        ],
    }


@router.get("/webhooks", auth=Bearer(), response={200: list[EndpointOut], **PROBLEMS}, summary="Your endpoints")
def endpoints(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the endpoints of your organisation, at most twenty, the oldest first."""
    return [_shown(row) for row in queries.endpoints(by=_by(request))]


@router.post("/webhooks", auth=Bearer(), response={201: EndpointSecretOut, **PROBLEMS}, summary="Make an endpoint")
def make_endpoint(request: HttpRequest, body: EndpointIn) -> HttpResponse:
    """Make an endpoint. Its secret, which its messages are signed with (Standard Webhooks), is in this answer alone."""
    by = _by(request)

    def make() -> EndpointSecretOut:
        return _with_secret(actions.make(body.url, types=body.types, name=body.name, by=by), by=by)

    return once(request, 201, make, shown_once="secret")


@router.get("/webhooks/{endpoint_id}", auth=Bearer(), response={200: EndpointOut, **PROBLEMS}, summary="One endpoint")
def endpoint(request: HttpRequest, response: HttpResponse, endpoint_id: str) -> dict[str, Any]:
    """Return one endpoint; its ETag goes into If-Match when you change it."""
    row = queries.endpoint(_endpoint(endpoint_id), by=_by(request))
    response["ETag"] = f'"{row.version}"'
    return _shown(row)


@router.patch(
    "/webhooks/{endpoint_id}", auth=Bearer(), response={200: EndpointOut, **PROBLEMS}, summary="Change an endpoint"
)
def change_endpoint(
    request: HttpRequest, response: HttpResponse, endpoint_id: str, body: EndpointChangeIn
) -> dict[str, Any]:
    """Change what is given, pause it, or turn it on again. With If-Match only what is still as you read it."""
    found, by = _endpoint(endpoint_id), _by(request)
    actions.change(found, **body.model_dump(), if_match=request.headers.get("If-Match", ""), by=by)
    return endpoint(request, response, endpoint_id)


@router.delete("/webhooks/{endpoint_id}", auth=Bearer(), response={204: None, **PROBLEMS}, summary="Remove an endpoint")
def remove_endpoint(request: HttpRequest, endpoint_id: str) -> tuple[int, None]:
    """Tell it nothing more; what waits for it is given up, and its secrets are forgotten."""
    actions.remove(_endpoint(endpoint_id), if_match=request.headers.get("If-Match", ""), by=_by(request))
    return 204, None


@router.post(
    "/webhooks/{endpoint_id}/rotate",
    auth=Bearer(),
    response={201: EndpointSecretOut, **PROBLEMS},
    summary="Give an endpoint a new secret",
)
def rotate_secret(request: HttpRequest, endpoint_id: str, body: OverlapIn) -> HttpResponse:
    """Give it a new secret. For the overlap each message is signed with both: two signatures in one header."""
    found, overlap, by = _endpoint(endpoint_id), dt.timedelta(hours=body.overlap_hours), _by(request)
    return once(request, 201, lambda: _with_secret(actions.rotate(found, overlap, by=by), by=by), shown_once="secret")


@router.post(
    "/webhooks/{endpoint_id}/test",
    auth=Bearer(),
    response={202: DeliveryOut, **PROBLEMS},
    summary="Send a test to an endpoint",
)
def send_test(request: HttpRequest, endpoint_id: str) -> HttpResponse:
    """Send a message of the type webhook.test, in the ordinary way; how it went is among its deliveries."""
    found, by = _endpoint(endpoint_id), _by(request)

    def send() -> DeliveryOut:
        return DeliveryOut(**_delivery(queries.delivery(found, actions.send_test(found, by=by), by=by)))

    return once(request, 202, send)


@router.get(
    "/webhooks/{endpoint_id}/deliveries",
    auth=Bearer(),
    response={200: list[DeliveryOut], **PROBLEMS},
    summary="What an endpoint was told",
)
def deliveries(
    request: HttpRequest,
    response: HttpResponse,
    endpoint_id: str,
    state: Annotated[Literal["", "waiting", "delivered", "parked"], Query()] = "",
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = PAGE_MAX,
    cursor: Annotated[str, Query(max_length=100)] = "",
) -> list[dict[str, Any]]:
    """Return the last 30 days' messages to an endpoint, newest first, each with how every try went."""
    found = _endpoint(endpoint_id)
    after = id_in(DELIVERY_PREFIX, cursor) if cursor else None
    rows = queries.deliveries(found, by=_by(request), state=state, limit=limit + 1, after=after)
    if len(rows) > limit:
        path, last = f"/api/v1/webhooks/{endpoint_id}/deliveries", f"{DELIVERY_PREFIX}{rows[limit - 1].id.hex}"
        response["Link"] = next_page(path, limit, last, **({"state": state} if state else {}))
    return [_delivery(row) for row in rows[:limit]]


@router.post(
    "/webhooks/{endpoint_id}/replay",
    auth=Bearer(),
    response={202: ReplayOut, **PROBLEMS},
    summary="Send again",
)
def replay(request: HttpRequest, endpoint_id: str, body: ReplayIn) -> HttpResponse:
    """Send one delivery once more, or all that were parked since a moment, under the same webhook-id."""
    found, by = _endpoint(endpoint_id), _by(request)
    if (body.delivery is None) == (body.since is None):
        raise Invalid("Give a delivery or a moment, one of the two", code="bad_replay")
    since = None if body.since is None else _moment(body.since)

    def again() -> ReplayOut:
        if since is not None:
            n = actions.replay_since(found, since, delivered_too=body.delivered_too, by=by)
            return ReplayOut(mode=config.get().mode, deliveries=n)
        delivery = id_in(DELIVERY_PREFIX, body.delivery or "")
        if delivery is None:
            raise NotFound("No such delivery")
        actions.replay(found, delivery, by=by)
        return ReplayOut(mode=config.get().mode, deliveries=1)

    return once(request, 202, again)
