"""The HTTP/JSON API beside scans: items and their proofs, the network, devices, keys. Described by OpenAPI."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal, cast
from urllib.parse import urlencode
from uuid import UUID

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from ninja import Field, NinjaAPI, Query, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema

from parcelward.base import config
from parcelward.base.errors import Invalid, NotFound, NotKnown, ParcelwardError, Problem, TooLarge
from parcelward.base.standards import identify
from parcelward.base.standards.steps import Step
from parcelward.doors import throttle
from parcelward.doors.api import (
    addressbook,
    customs,
    devices,
    keys,
    manifests,
    openapi,
    orders,
    own_data,
    places,
    problems,
    receipts,
    selling,
    uploads,
    webhooks,
)
from parcelward.doors.api.shapes import PROBLEMS, Bearer
from parcelward.parcels import actions
from parcelward.parcels import queries as parcels
from parcelward.parcels.wire import TimelineEntry
from parcelward.people import queries as who
from parcelward.people.wire import Task

LOOKS_PER_MINUTE = 120
PAGE_MAX = 1_000
CURSOR = re.compile(r"\d{8}T\d{6}\.\d{6}Z_[0-9a-f]{12}")
CURSOR_TIME = 23  # characters of a cursor that are its line's time


class Described(NinjaAPI):
    """The API with a complete description."""

    _made: ClassVar[dict[str, Any]] = {}

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        """Return the OpenAPI description, with the addresses that the framework does not serve; made once."""
        asked = repr(sorted(options.items()))
        if asked not in self._made:
            described = super().get_openapi_schema(**options)
            described["servers"] = [{"url": config.get().public_url}]
            openapi.complete(described)
            self._made[asked] = described
        return cast("OpenAPISchema", self._made[asked])


api = Described(
    title="Parcelward",
    version="1",
    description="The carrier's own side of e-commerce delivery: items, journeys, proofs, the network, devices, keys.",
    urls_namespace="api",
    docs_url=None,  # portals/reference.py shows it
)
api.add_router("", places.router)
api.add_router("", receipts.router)
api.add_router("", devices.router)
api.add_router("", keys.router)
api.add_router("", own_data.router)
api.add_router("", orders.router)
api.add_router("", customs.router)
api.add_router("", selling.router)
api.add_router("", webhooks.router)
api.add_router("", uploads.router)
api.add_router("", addressbook.router)


@api.exception_handler(ParcelwardError)
def _problem(request: HttpRequest, err: ParcelwardError) -> HttpResponse:
    return problems.response(request, err)


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, err: ValidationError) -> HttpResponse:
    found = tuple(
        Problem("/" + "/".join(str(part) for part in e["loc"][2:]), str(e["type"]), str(e["msg"])) for e in err.errors
    )
    return problems.response(request, Invalid("The request does not fit its description", problems=found))


@api.exception_handler(AuthenticationError)
def _not_known(request: HttpRequest, err: AuthenticationError) -> HttpResponse:  # noqa: ARG001 -- ninja's signature
    return problems.response(request, NotKnown("Send an API key as a bearer token"))


@api.exception_handler(HttpError)
def _unread(request: HttpRequest, err: HttpError) -> HttpResponse:
    # ninja reads the body, so a body beyond Django's limit comes as its error, too.
    if isinstance(err.__context__, RequestDataTooBig):
        return problems.response(request, TooLarge("The body has more than 2 MB"))
    return problems.response(request, Invalid("The body is not JSON", code="bad_request"))


@api.exception_handler(RequestDataTooBig)
def _too_big(request: HttpRequest, err: RequestDataTooBig) -> HttpResponse:  # noqa: ARG001 -- ninja's signature
    return problems.response(request, TooLarge("The body has more than 2 MB"))


class EventOut(Schema):
    """One line of a journey."""

    object: Literal["event"] = "event"
    id: str | None = Field(description="evt_..., or null for what was derived or assumed: those are not events")
    step: str
    event_time: str
    facility: str | None
    place: str | None
    source: Literal["observed", "derived", "assumed"]
    receptacle: str
    corrected: bool
    proven: bool


class ActionOut(Schema):
    """What somebody must do for the item to go on."""

    who: str
    what: str
    by: str | None


class ItemOut(Schema):
    """One item's public state."""

    object: Literal["item"] = "item"
    id: str
    mode: str
    number: str
    step: str
    status: str = Field(description="one of the ten tracker statuses that shops know")
    status_detail: str = Field(description="our step behind that status; empty before the first scan")
    headline: str
    reason: str = Field(
        description="why it does not go on, the party in front: carrier_, sender_, addressee_, customs_, "
        "weather_, security_; empty when it does, or when nobody said why"
    )
    action_required: ActionOut | None
    next_step: str
    unannounced: bool
    simulated: bool
    held: bool
    shredded: bool
    events_total: int
    events_proven: int
    created_at: str
    updated_at: str | None


def _find(request: HttpRequest, item_id: str) -> UUID:
    throttle.allow(request, "look", LOOKS_PER_MINUTE)
    item = parcels.find(item_id)
    if item is None:
        raise NotFound("There is no such item, or none that we may show")
    return item


@api.get("/items/{item_id}", response={200: ItemOut, **PROBLEMS}, summary="One item's public state")
def item(request: HttpRequest, item_id: str) -> dict[str, Any]:
    """Return where an item is; no personal data."""
    journey = parcels.journey(_find(request, item_id))
    required = journey.action_required
    by = None if required is None or required.by is None else required.by.isoformat()
    return {
        "id": journey.public_id,
        "mode": journey.mode,
        "number": journey.number,
        "step": journey.step.word,
        "status": journey.tracker,
        "status_detail": "" if journey.step is Step.UNKNOWN else journey.step.word,
        "headline": journey.headline,
        "reason": journey.reason,
        "action_required": None if required is None else {"who": required.who, "what": required.what, "by": by},
        "next_step": journey.next_step,
        "unannounced": journey.unannounced,
        "simulated": journey.simulated,
        "held": journey.held,
        "shredded": journey.shredded,
        "events_total": journey.events_total,
        "events_proven": journey.events_proven,
        "created_at": journey.created_at.isoformat(),
        "updated_at": None if journey.updated_at is None else journey.updated_at.isoformat(),
    }


@api.get("/items/{item_id}/events", response={200: list[EventOut], **PROBLEMS}, summary="One item's public journey")
def events(
    request: HttpRequest,
    response: HttpResponse,
    item_id: str,
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = PAGE_MAX,
    cursor: Annotated[str, Query(max_length=100)] = "",
) -> list[dict[str, Any]]:
    """Return the journey, newest first; where there is more, Link says where (rel="next")."""
    found = _find(request, item_id)
    lines = parcels.journey(found).timeline
    start = _after(lines, cursor) if cursor else 0
    page = lines[start : start + limit]
    if start + limit < len(lines):
        # Not as it was typed: a number may come with what no header can hold.
        where = f"{config.get().public_url}/api/v1/items/{identify.item_id(found)}/events"
        response["Link"] = f'<{where}?{urlencode({"limit": limit, "cursor": _cursor(page[-1])})}>; rel="next"'
    return [
        {
            "id": None if line.event_id is None else f"evt_{line.event_id.hex}",
            "step": Step(line.step).word,
            "event_time": line.event_time.isoformat(),
            "facility": line.place.code if line.place else None,
            "place": line.place.coarse if line.place else None,
            "source": line.source,
            "receptacle": line.receptacle,
            "corrected": line.corrected,
            "proven": line.proven,
        }
        for line in page
    ]


def _cursor(line: TimelineEntry) -> str:
    """Return what names a line whatever is recorded before or after it meanwhile."""
    known = line.event_id.hex if line.event_id else f"{line.step:d}{line.receptacle}"
    digest = hashlib.sha256(known.encode()).hexdigest()[:12]
    return f"{line.event_time.astimezone(dt.UTC):%Y%m%dT%H%M%S.%fZ}_{digest}"


def _after(lines: Sequence[TimelineEntry], cursor: str) -> int:
    """Return where to go on behind the line that `cursor` names, or behind its time where it is no longer there."""
    names = [_cursor(line) for line in lines]
    if cursor in names:
        return names.index(cursor) + 1
    if not CURSOR.fullmatch(cursor):
        raise Invalid("This cursor was not given out here. Ask for the first page again.", code="bad_cursor")
    return next((n for n, name in enumerate(names) if name[:CURSOR_TIME] < cursor[:CURSOR_TIME]), len(names))


@api.get("/items/{item_id}/proofs", response={200: dict[str, Any], **PROBLEMS}, summary="What proves a journey")
def proofs(request: HttpRequest, response: HttpResponse, item_id: str) -> dict[str, Any]:
    """Return each event's public bytes, salts and place in the log, so that anyone can recompute the proof."""
    response["Access-Control-Allow-Origin"] = "*"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return parcels.proofs(_find(request, item_id))


class LinkOut(Schema):
    """An address that opens the addressee's part of one item. Whoever has it sees that part: send it to them alone."""

    object: Literal["link"] = "link"
    item_id: str
    mode: str
    url: str = Field(description="the proof page with the view key behind #k=, which browsers never send")


@api.post("/items/{item_id}/links", auth=Bearer(), response={201: LinkOut, **PROBLEMS}, summary="An addressee's link")
def make_link(request: HttpRequest, response: HttpResponse, item_id: str) -> tuple[int, dict[str, Any]]:
    """Make the link with which an addressee opens and proves what only they may see; the log is told that it was."""
    who.require(request.auth, Task.MAKE_LINK)  # type: ignore[attr-defined]  # set by ninja; strangers learn of no item
    found = _find(request, item_id)
    url = actions.make_link(found, by=request.auth)  # type: ignore[attr-defined]  # set by ninja
    response["Cache-Control"] = "no-store"
    return 201, {"item_id": identify.item_id(found), "mode": config.get().mode, "url": url}


api.post(
    "/manifests",
    auth=Bearer(),
    response={200: manifests.ManifestOut, **PROBLEMS},
    summary="Say which items were handed in",
)(manifests.take)
