"""The network over HTTP: facilities, the lanes between them, and when they work."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Field, Router, Schema

from parcelward.base import config
from parcelward.base.errors import NotFound
from parcelward.doors import throttle
from parcelward.doors.api.shapes import PROBLEMS, Bearer, Strict, Text80
from parcelward.network import actions as network
from parcelward.network import queries as places
from parcelward.network.wire import (
    FACILITY_KINDS,
    LANE_DURATION_MAX_S,
    CalendarRow,
    FacilityRow,
    Hours,
    LaneRow,
    RouteRow,
)

LOOKS_PER_MINUTE = 120

router = Router()


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
    """A place as stored, as coarsely as the public may know it."""

    object: Literal["facility"] = "facility"
    id: str
    code: str
    mode: str
    name: str
    kind: str
    country: str
    time_zone: str
    coarse_place: str
    gln: str
    simulated: bool
    created_at: str | None


_TIME: dict[str, Any] = {"pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"}


class HoursIn(Strict):
    """When a place is open on one weekday, in its local time."""

    weekday: int = Field(description="1 Monday to 7 Sunday", json_schema_extra={"minimum": 1, "maximum": 7})
    opens: str = Field(examples=["09:00"], json_schema_extra=_TIME)
    closes: str = Field(examples=["17:30"], description="later on the same day", json_schema_extra=_TIME)


class CalendarIn(Strict):
    """When a place works: a weekday that is not named is closed; nothing named means that nobody has said."""

    opening_hours: list[HoursIn] = Field(default=[], max_length=7)
    closed_days: list[dt.date] = Field(default=[], max_length=366, description="dates in its local time")


class NetworkCalendarIn(Strict):
    """On which days the whole network rests: no place is open and nothing departs, by each place's own date."""

    closed_days: list[dt.date] = Field(default=[], max_length=366)


class CalendarOut(Schema):
    """A calendar as stored."""

    object: Literal["calendar"] = "calendar"
    id: str
    mode: str = Field(description="test or production")
    facility: str = Field(description="empty: the whole network")
    opening_hours: list[HoursIn]
    closed_days: list[dt.date]


class LaneIn(Strict):
    """The usual way between two places."""

    usual_duration_s: int = Field(json_schema_extra={"minimum": 1, "maximum": LANE_DURATION_MAX_S})
    departures: list[Annotated[str, Field(json_schema_extra=_TIME)]] = Field(default=[], max_length=200)
    mode: str = Field("road", pattern=r"^[a-z_]{1,10}$")


class LaneOut(Schema):
    """A lane as stored."""

    object: Literal["lane"] = "lane"
    id: str
    mode: str = Field(description="test or production")
    origin: str
    destination: str
    by: str = Field(description="road, air ...")
    usual_duration_s: int
    departures: list[str]


def _facility(row: FacilityRow | None, answer: HttpResponse) -> dict[str, Any]:
    if row is None:
        raise NotFound("No such facility")
    answer["ETag"] = f'"{row.version}"'
    return {
        "id": f"fac_{row.code}",
        "code": row.code,
        "mode": config.get().mode,
        "name": row.name,
        "kind": row.kind,
        "country": row.country,
        "time_zone": row.time_zone,
        "coarse_place": row.coarse_place,
        "gln": row.gln,
        "simulated": row.simulated,
        "created_at": None if row.created_at is None else row.created_at.isoformat(),
    }


@router.put("/facilities/{code}", auth=Bearer(), response={200: FacilityOut, **PROBLEMS}, summary="Describe a facility")
def put_facility(request: HttpRequest, response: HttpResponse, code: str, body: FacilityIn) -> dict[str, Any]:
    """Store or change a facility; the same again changes nothing. With If-Match only what is still as you read it."""
    by = request.auth  # type: ignore[attr-defined]  # set by ninja
    network.put_facility(code, **body.model_dump(), by=by, if_match=request.headers.get("If-Match", ""))
    return _facility(places.facility(code), response)


@router.get("/facilities/{code}", response={200: FacilityOut, **PROBLEMS}, summary="One facility")
def get_facility(request: HttpRequest, response: HttpResponse, code: str) -> dict[str, Any]:
    """Return a facility; its ETag goes into If-Match when you change it."""
    throttle.allow(request, "look", LOOKS_PER_MINUTE)
    return _facility(places.facility(code), response)


@router.put(
    "/facilities/{code}/calendar",
    auth=Bearer(),
    response={200: CalendarOut, **PROBLEMS},
    summary="Say when a facility is open",
)
def put_calendar(request: HttpRequest, response: HttpResponse, code: str, body: CalendarIn) -> dict[str, Any]:
    """Store or change the whole calendar; the same again changes nothing. With If-Match only what is as you read it."""
    network.put_calendar(
        code,
        hours=[Hours(one.weekday, one.opens, one.closes) for one in body.opening_hours],
        closed_days=body.closed_days,
        by=request.auth,  # type: ignore[attr-defined]  # set by ninja
        if_match=request.headers.get("If-Match", ""),
    )
    return _calendar(code, places.calendar(code), response)


@router.get("/facilities/{code}/calendar", response={200: CalendarOut, **PROBLEMS}, summary="When a facility is open")
def get_calendar(request: HttpRequest, response: HttpResponse, code: str) -> dict[str, Any]:
    """Return a facility's opening hours and closed days; the ETag goes into If-Match when you change them."""
    throttle.allow(request, "look", LOOKS_PER_MINUTE)
    return _calendar(code, places.calendar(code), response)


@router.put("/calendar", auth=Bearer(), response={200: CalendarOut, **PROBLEMS}, summary="Close the whole network")
def put_network_calendar(request: HttpRequest, response: HttpResponse, body: NetworkCalendarIn) -> dict[str, Any]:
    """Store or change the whole list; the same again changes nothing. With If-Match only what is as you read it."""
    network.put_network_calendar(
        closed_days=body.closed_days,
        by=request.auth,  # type: ignore[attr-defined]  # set by ninja
        if_match=request.headers.get("If-Match", ""),
    )
    return _calendar("", places.network_calendar(), response)


@router.get("/calendar", response={200: CalendarOut, **PROBLEMS}, summary="When the whole network rests")
def get_network_calendar(request: HttpRequest, response: HttpResponse) -> dict[str, Any]:
    """Return the days on which the whole network rests; the ETag goes into If-Match when you change them."""
    throttle.allow(request, "look", LOOKS_PER_MINUTE)
    return _calendar("", places.network_calendar(), response)


def _calendar(code: str, row: CalendarRow | None, answer: HttpResponse) -> dict[str, Any]:
    if row is None:
        raise NotFound("No such facility")
    answer["ETag"] = f'"{row.version}"'
    return {
        "id": f"cal_{code}" if code else "cal_network",
        "mode": config.get().mode,
        "facility": code,
        "opening_hours": [{"weekday": h.weekday, "opens": h.opens, "closes": h.closes} for h in row.hours],
        "closed_days": list(row.closed_days),
    }


@router.put("/lanes/{origin}/{destination}", auth=Bearer(), response={204: None, **PROBLEMS}, summary="Describe a lane")
def put_lane(
    request: HttpRequest, response: HttpResponse, origin: str, destination: str, body: LaneIn
) -> tuple[int, None]:
    """Store or change a lane; the same again changes nothing. With If-Match only what is still as you read it."""
    by = request.auth  # type: ignore[attr-defined]  # set by ninja
    network.put_lane(origin, destination, **body.model_dump(), by=by, if_match=request.headers.get("If-Match", ""))
    stored = places.lane(origin, destination)
    if stored is not None:
        response["ETag"] = f'"{stored.version}"'
    return 204, None


@router.get("/lanes/{origin}/{destination}", response={200: LaneOut, **PROBLEMS}, summary="One lane")
def get_lane(request: HttpRequest, response: HttpResponse, origin: str, destination: str) -> dict[str, Any]:
    """Return the usual way between two places."""
    throttle.allow(request, "look", LOOKS_PER_MINUTE)
    stored: LaneRow | None = places.lane(origin, destination)
    if stored is None:
        raise NotFound("No such lane")
    response["ETag"] = f'"{stored.version}"'
    return {
        "id": f"lan_{origin}_{destination}",
        "mode": config.get().mode,
        "origin": origin,
        "destination": destination,
        "by": stored.mode,
        "usual_duration_s": stored.usual_duration_s,
        "departures": list(stored.departures),
    }


class RouteIn(Strict):
    """Who delivers to an area. The longest beginning of a postcode counts."""

    country: str = Field(max_length=2, examples=["US"], description="two letters; * for every other country")
    prefix: str = Field("", max_length=10, examples=["627"], description="how its postcodes begin; empty: all of them")
    office: str = Field(max_length=20, description="code of the facility that delivers there")
    hub: str = Field(max_length=20, description="code of the facility that sorts for it")
    round_code: str = Field("R1", max_length=20)


class RoutesIn(Strict):
    """The whole table of routes."""

    routes: list[RouteIn] = Field(max_length=20_000)


class RoutesOut(Schema):
    """How many routes there are."""

    object: Literal["routes"] = "routes"
    id: str = "routes"
    mode: str
    count: int


@router.put("/routes", auth=Bearer(), response={200: RoutesOut, **PROBLEMS}, summary="Say who delivers where")
def put_routes(request: HttpRequest, body: RoutesIn) -> dict[str, Any]:
    """Store the whole table; the same again changes nothing. Items are sold only to where a route leads."""
    by = request.auth  # type: ignore[attr-defined]  # set by ninja
    network.put_routes([RouteRow(**one.model_dump()) for one in body.routes], by=by)
    return {"mode": config.get().mode, "count": len(body.routes)}
