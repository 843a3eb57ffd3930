"""The HTTP/JSON API beside scans: items and their proofs, the network, devices. Described by OpenAPI."""

from __future__ import annotations

import base64
from typing import Annotated, Any, Literal
from uuid import UUID

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from ninja import Field, NinjaAPI, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema
from ninja.security import HttpBearer
from pydantic import ConfigDict

from parcelward.base import config
from parcelward.base.errors import Invalid, NotFound, NotKnown, ParcelwardError, Problem, TooLarge
from parcelward.base.standards.steps import Step
from parcelward.doors import throttle
from parcelward.doors.api import manifests, openapi, problems
from parcelward.network import actions as network
from parcelward.network import queries as places
from parcelward.network.wire import FACILITY_KINDS, LANE_DURATION_MAX_S
from parcelward.parcels import queries as parcels
from parcelward.people import actions as people
from parcelward.people import queries as who
from parcelward.people.wire import Person

LOOKS_PER_MINUTE = 120
Text80 = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+$")]


class ProblemSchema(Schema):
    """RFC 9457 problem document."""

    type: str
    title: str
    status: int
    code: str
    detail: str = ""
    request_id: str = ""
    errors: list[dict[str, Any]] = Field(default_factory=list)


class Bearer(HttpBearer):
    """An API key as a bearer token, or the session of somebody who is signed in at the desk."""

    def authenticate(self, request: HttpRequest, token: str) -> Person:  # noqa: ARG002 -- ninja's signature
        """Return who holds the key."""
        return who.key_holder(token)


class Described(NinjaAPI):
    """The API with a complete description."""

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        """Return the OpenAPI description, with the addresses that the framework does not serve."""
        described = super().get_openapi_schema(**options)
        openapi.complete(described)
        return described


api = Described(
    title="Parcelward",
    version="1",
    description="The carrier's own side of e-commerce delivery: items, journeys and proofs, the network, devices.",
    urls_namespace="api",
    docs_url="/docs",
)
_REFUSALS = frozenset({400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 503})
PROBLEMS: dict[frozenset[int], Any] = {_REFUSALS: ProblemSchema}


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


class ItemOut(Schema):
    """One item's public state."""

    object: Literal["item"] = "item"
    id: str
    mode: str
    number: str
    step: str
    status: str
    headline: str
    reason: str
    next_step: str
    unannounced: bool
    simulated: bool
    shredded: bool
    events_total: int
    events_proven: int
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
    return {
        "id": journey.public_id,
        "mode": journey.mode,
        "number": journey.number,
        "step": journey.step.word,
        "status": journey.tracker,
        "headline": journey.headline,
        "reason": journey.reason,
        "next_step": journey.next_step,
        "unannounced": journey.unannounced,
        "simulated": journey.simulated,
        "shredded": journey.shredded,
        "events_total": journey.events_total,
        "events_proven": journey.events_proven,
        "updated_at": None if journey.updated_at is None else journey.updated_at.isoformat(),
    }


@api.get("/items/{item_id}/events", response={200: list[EventOut], **PROBLEMS}, summary="One item's public journey")
def events(request: HttpRequest, item_id: str) -> list[dict[str, Any]]:
    """Return the journey, newest first."""
    journey = parcels.journey(_find(request, item_id))
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
        for line in journey.timeline
    ]


@api.get("/items/{item_id}/proofs", response={200: dict[str, Any], **PROBLEMS}, summary="What proves a journey")
def proofs(request: HttpRequest, response: HttpResponse, item_id: str) -> dict[str, Any]:
    """Return each event's public bytes, salts and place in the log, so that anyone can recompute the proof."""
    response["Access-Control-Allow-Origin"] = "*"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return parcels.proofs(_find(request, item_id))


class Strict(Schema):
    """What a caller sends: a field that we do not know is refused, not passed over."""

    model_config = ConfigDict(extra="forbid")


class FacilityIn(Strict):
    """A place's description."""

    name: Text80 = Field(examples=["Springfield office"])
    kind: str = Field(examples=["office"], json_schema_extra={"enum": list(FACILITY_KINDS)})
    country: str = Field(examples=["US"], json_schema_extra={"pattern": "^[A-Z]{2}$"})
    time_zone: str = Field(examples=["America/Chicago"], description="an IANA name")
    coarse_place: Text80 = Field(examples=["Springfield, IL"])
    position: tuple[float, float] | None = Field(None, description="longitude and latitude in degrees")
    gln: str = Field("", pattern=r"^([0-9]{13})?$")
    simulated: bool = False


class FacilityOut(Schema):
    """A place as stored."""

    object: Literal["facility"] = "facility"
    code: str
    mode: str


@api.put("/facilities/{code}", auth=Bearer(), response={200: FacilityOut, **PROBLEMS}, summary="Describe a facility")
def put_facility(request: HttpRequest, code: str, body: FacilityIn) -> dict[str, Any]:
    """Store or change a facility; the same again changes nothing."""
    network.put_facility(code, **body.dict(), by=request.auth)  # type: ignore[attr-defined]  # set by ninja
    return {"code": code, "mode": config.get().mode}


@api.get("/facilities/{code}", response={200: FacilityOut, **PROBLEMS}, summary="One facility")
def get_facility(request: HttpRequest, code: str) -> dict[str, Any]:
    """Return whether a facility is known."""
    throttle.allow(request, "look", LOOKS_PER_MINUTE)
    if code not in places.facilities(missing=code).by_code:
        raise NotFound("No such facility")
    return {"code": code, "mode": config.get().mode}


class LaneIn(Strict):
    """The usual way between two places."""

    usual_duration_s: int = Field(json_schema_extra={"minimum": 1, "maximum": LANE_DURATION_MAX_S})
    departures: list[Annotated[str, Field(json_schema_extra={"pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"})]] = Field(
        default=[], max_length=200
    )
    mode: str = Field("road", pattern=r"^[a-z_]{1,10}$")


@api.put("/lanes/{origin}/{destination}", auth=Bearer(), response={204: None, **PROBLEMS}, summary="Describe a lane")
def put_lane(request: HttpRequest, origin: str, destination: str, body: LaneIn) -> tuple[int, None]:
    """Store or change a lane; the same again changes nothing."""
    network.put_lane(origin, destination, **body.dict(), by=request.auth)  # type: ignore[attr-defined]  # set by ninja
    return 204, None


_KEY = "^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$"  # 32 bytes in base64: the last character carries four bits


class DeviceIn(Strict):
    """A device that made its own key pair."""

    name: Text80
    public_key_ed25519_base64: str = Field(
        description="32 bytes; the private half never leaves the device", json_schema_extra={"pattern": _KEY}
    )
    facility: str = Field("", pattern=r"^([A-Z0-9][A-Z0-9._-]{1,19})?$")
    simulated: bool = False


class DeviceOut(Schema):
    """What a device keeps of its enrolment."""

    object: Literal["device"] = "device"
    device_id: str
    key_id: str
    mode: str


@api.post("/devices", auth=Bearer(), response={201: DeviceOut, **PROBLEMS}, summary="Enrol a device")
def enrol_device(request: HttpRequest, body: DeviceIn) -> tuple[int, dict[str, Any]]:
    """Let a device sign batches. A key that is enrolled already is refused with 409."""
    try:
        key = base64.b64decode(body.public_key_ed25519_base64, validate=True)
    except ValueError:  # binascii.Error is one, and so is a character beyond ASCII
        raise Invalid("The public key is not base64", code="bad_key") from None
    enrolled = people.enrol_device(
        body.name,
        key,
        by=request.auth,  # type: ignore[attr-defined]  # set by ninja
        facility=body.facility,
        simulated=body.simulated,
    )
    return 201, {"device_id": str(enrolled.device_id), "key_id": enrolled.key_id, "mode": config.get().mode}


@api.delete("/devices/{device_id}", auth=Bearer(), response={204: None, **PROBLEMS}, summary="Revoke a device")
def revoke_device(request: HttpRequest, device_id: UUID) -> tuple[int, None]:
    """Refuse the device's batches from the next one on."""
    people.revoke_device(device_id, by=request.auth)  # type: ignore[attr-defined]  # set by ninja
    return 204, None


api.post(
    "/manifests",
    auth=Bearer(),
    response={200: manifests.ManifestOut, **PROBLEMS},
    summary="Say which items were handed in",
)(manifests.take)
