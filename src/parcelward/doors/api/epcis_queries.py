"""The parts of `/epcis/` that list values and keep questions."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse

from parcelward.base import config
from parcelward.base.errors import NotFound
from parcelward.base.standards.epcis import limits
from parcelward.base.standards.epcis.event import Refused
from parcelward.doors.api.epcis_http import NotBuilt, as_json, body_of, collection, link, paging
from parcelward.parcels import captured_lists
from parcelward.parcels.actions import capture_jobs
from parcelward.people.wire import Person

_SCHEDULE = ("stream", "second", "minute", "hour", "dayOfMonth", "month", "dayOfWeek", "initialRecordTime")


def values_of(kind: str) -> Callable[..., HttpResponse]:
    """Return the view of one browsable list."""

    def view(request: HttpRequest, by: Person) -> HttpResponse:
        after, size = paging(request)
        page = captured_lists.values(kind, by=by, after=after, limit=size)
        return link(request, as_json(collection(page.members)), page.next_page_token)

    return view


def value_of(kind: str) -> Callable[..., HttpResponse]:
    """Return the view of one value of a browsable list."""

    def view(_request: HttpRequest, by: Person, value: str) -> HttpResponse:
        if not captured_lists.is_known(kind, value, by=by):
            raise NotFound("No event of yours carries this value")
        return as_json(collection(["events"]))

    return view


def kept(request: HttpRequest, by: Person) -> HttpResponse:
    """Return the caller's own questions."""
    after, size = paging(request)
    found = captured_lists.kept_queries(by=by, after=after, limit=size + 1)
    answer = as_json([{"name": name, "query": query} for name, query in found[:size]])
    return link(request, answer, found[size - 1][0] if len(found) > size else "")


def keep(request: HttpRequest, by: Person) -> HttpResponse:
    """Keep a question under a name."""
    said = limits.read_json(body_of(request))
    name, query = said.get("name"), said.get("query")
    if not isinstance(name, str) or not isinstance(query, dict) or said.keys() - {"name", "query", "@context"}:
        raise Refused('Send {"name": ..., "query": {...}}', code="bad_query")
    capture_jobs.keep_query(name, {**query, **{k: v for k, v in said.items() if k == "@context"}}, by=by)
    answer = HttpResponse(status=201)
    answer["Location"] = f"{config.get().public_url}/epcis/queries/{quote(name, safe='')}"
    return answer


def one(_request: HttpRequest, by: Person, name: str) -> HttpResponse:
    """Return a question."""
    return as_json({"name": name, "query": captured_lists.kept_query(name, by=by)})


def forget(_request: HttpRequest, by: Person, name: str) -> HttpResponse:
    """Delete a question."""
    capture_jobs.delete_query(name, by=by)
    return HttpResponse(status=204)


def refuse_subscription(request: HttpRequest) -> None:
    """Raise NotBuilt when the caller asks to be told of future events."""
    if request.headers.get("Upgrade", "") or any(name in request.GET for name in _SCHEDULE):
        no_subscriptions()


def no_subscriptions(*_: object, **__: object) -> NoReturn:
    """Say that nobody is told of future events here."""
    raise NotBuilt("Subscriptions are not offered: ask again with GE_recordTime, or follow the log")


def no_release(*_: object, **__: object) -> NoReturn:
    """Say that a page token holds nothing that could be released."""
    raise NotBuilt("A page token is a place in an order; nothing is kept for it")
