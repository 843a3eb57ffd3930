"""`/epcis/`: capture and query of EPCIS 2.0 events over HTTP, as GS1's OpenAPI description says.

Subscriptions (webhooks, WebSockets) and XML are not offered and say so: 501 and 415.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from typing import Any
from urllib.parse import quote
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone

from parcelward.base import config
from parcelward.base.errors import Busy, NotFound, Problem
from parcelward.base.standards.epcis import identifiers, parse, vocabulary, write
from parcelward.base.standards.epcis.event import Event, Refused
from parcelward.base.standards.epcis.query import read_query
from parcelward.doors.api import epcis_queries
from parcelward.doors.api.epcis_http import (
    address,
    as_json,
    body_of,
    collection,
    link,
    paging,
    parameters,
)
from parcelward.parcels import captured, captured_lists
from parcelward.parcels.actions import capture as capturing
from parcelward.parcels.actions import capture_jobs
from parcelward.people.wire import Person

AT_ONCE_MAX = 500  # events that are captured before the answer, unless `Prefer: respond-async` (RFC 7240)
TOP_LEVEL = ["capture", "events", "queries", "eventTypes", *captured_lists.LISTS]


def top(_request: HttpRequest, _by: Person) -> HttpResponse:
    """Return what there is."""
    return as_json(collection(TOP_LEVEL))


def capture(request: HttpRequest, by: Person) -> HttpResponse:
    """Receive a document; small ones are captured before the answer."""
    behaviour = request.headers.get("GS1-Capture-Error-Behaviour", "rollback")
    if behaviour not in {"rollback", "proceed"}:
        raise Refused("GS1-Capture-Error-Behaviour is rollback or proceed", code="bad_behaviour")
    document = body_of(request)
    job_id, size = capture_jobs.open_job(
        document, "proceed" if behaviour == "proceed" else "rollback", by=by, now=timezone.now()
    )
    if size <= AT_ONCE_MAX and "respond-async" not in request.headers.get("Prefer", ""):
        with contextlib.suppress(Busy):  # the document is stored: the worker captures it
            capture_jobs.run_job(job_id)
    answer = HttpResponse(status=202)
    answer["Location"] = f"{config.get().public_url}/epcis/capture/{job_id}"
    answer["GS1-Capture-Error-Behaviour"] = behaviour
    return answer


def jobs(request: HttpRequest, by: Person) -> HttpResponse:
    """Return the caller's capture jobs, the newest first."""
    after, size = paging(request)
    found = captured_lists.jobs(by=by, after=after, limit=size + 1)
    page = found[:size]
    answer = as_json([_job(job) for job in page])
    return link(request, answer, str(page[-1].id) if len(found) > len(page) else "")


def job(_request: HttpRequest, by: Person, capture_id: str) -> HttpResponse:
    """Return one capture job."""
    try:
        job_id = UUID(capture_id)
    except ValueError:
        raise NotFound("No such capture job") from None
    return as_json(_job(captured_lists.job(job_id, by=by)))


def _job(job: captured_lists.JobRow) -> dict[str, Any]:
    said: dict[str, Any] = {
        "captureID": str(job.id),
        "createdAt": write.time_text(job.created_at),
        "running": job.finished_at is None,
        "success": job.success,
        "captureErrorBehaviour": job.behaviour,
        "errors": [
            {
                "type": "epcisException:ValidationException",
                "title": "This event was not captured",
                "code": error["code"],
                "detail": error["message"],
                "pointer": error["pointer"],
                "suggestion": error.get("suggestion", ""),
            }
            for error in job.errors
        ],
        "parcelward:captured": job.captured,
        "parcelward:duplicates": job.duplicates,
    }
    if job.finished_at is not None:
        said["finishedAt"] = write.time_text(job.finished_at)
    return said


def capture_one(request: HttpRequest, by: Person) -> HttpResponse:
    """Capture a single event before the answer: 201, also when it was captured before."""
    document = parse.read_document(body_of(request))
    if document.type not in vocabulary.EVENT_TYPES:
        problem = Problem("/type", "one_event", "One event is expected here.", "Send documents to /epcis/capture.")
        raise Refused("Not a single event", code="one_event", problems=(problem,))
    now = timezone.now()
    done = capturing.capture([capturing.Incoming("", document.events[0])], by=by, now=now)
    answer = as_json(
        {"@context": list(document.context.raw), **document.events[0].raw, "eventID": done.names[0]}, status=201
    )
    answer["Location"] = f"{config.get().public_url}/epcis/events/{quote(done.names[0], safe='')}"
    return answer


def events(request: HttpRequest, by: Person, **extra: str) -> HttpResponse:
    """Return events that answer the query in the address."""
    page = captured.events(read_query({**parameters(request), **extra}), by=by)
    return link(request, _document(request, page.events), page.next_page_token)


def event(request: HttpRequest, by: Person, event_id: str) -> HttpResponse:
    """Return one event, with the declarations that it was wrong."""
    page = captured.events(read_query({"EQ_eventID": [event_id], "perPage": 1000}), by=by)
    if not page.events:
        raise NotFound("No event of yours has this id")
    return _document(request, page.events)


def _document(request: HttpRequest, found: tuple[Event, ...], *, name: str = "SimpleEventQuery") -> HttpResponse:
    document = write.query_document(found, created=dt.datetime.now(dt.UTC), query_name=name)
    if request.headers.get("GS1-EPC-Format") == "Always_GS1_Digital_Link":
        for one in document["epcisBody"]["queryResults"]["resultsBody"]["eventList"]:
            _as_links(one)
    return as_json(document)


def _as_links(raw: dict[str, Any]) -> None:
    """Write an event's EPCs as GS1 Digital Links where they have one."""
    for field in vocabulary.EPC_FIELDS:
        if field in raw:
            raw[field] = [identifiers.canonical(epc) for epc in raw[field]]
    if "parentID" in raw:
        raw["parentID"] = identifiers.canonical(raw["parentID"])
    for field in vocabulary.QUANTITY_FIELDS:
        for quantity in raw.get(field, []):
            quantity["epcClass"] = identifiers.canonical(quantity["epcClass"])


def named_events(request: HttpRequest, by: Person, name: str) -> HttpResponse:
    """Return events that answer a kept question."""
    epcis_queries.refuse_subscription(request)
    given = {key: value for key, value in parameters(request).items() if key in {"perPage", "nextPageToken"}}
    page = captured.events(captured_lists.query_of(name, given, by=by), by=by)
    return link(request, _document(request, page.events, name=name), page.next_page_token)


def event_types(_request: HttpRequest, _by: Person) -> HttpResponse:
    """Return the five types."""
    return as_json(collection(sorted(vocabulary.EVENT_TYPES)))


def event_type(_request: HttpRequest, _by: Person, value: str) -> HttpResponse:
    """Return what there is of one type."""
    if value not in vocabulary.EVENT_TYPES:
        raise NotFound("EPCIS 2.0 has no such event type")
    return as_json(collection(["events"]))


def events_of_type(request: HttpRequest, by: Person, value: str) -> HttpResponse:
    """Return events of one type."""
    if value not in vocabulary.EVENT_TYPES:
        raise NotFound("EPCIS 2.0 has no such event type")
    return events(request, by, eventType=value)


def _events_by(parameter: str) -> Any:
    def view(request: HttpRequest, by: Person, value: str) -> HttpResponse:
        return events(request, by, **{parameter: value})

    return view


PARAMETERS = {
    "epcs": "MATCH_anyEPC",
    "bizSteps": "EQ_bizStep",
    "bizLocations": "EQ_bizLocation",
    "readPoints": "EQ_readPoint",
    "dispositions": "EQ_disposition",
}
assert PARAMETERS.keys() == set(captured_lists.LISTS), "every list has its events"  # noqa: S101 -- a hole in the table must stop the start


def _lists() -> list[URLPattern]:
    found = []
    for kind, parameter in PARAMETERS.items():
        found += [
            path(kind, address(GET=epcis_queries.values_of(kind))),
            path(f"{kind}/<path:value>/events", address(GET=_events_by(parameter))),
            path(f"{kind}/<path:value>", address(GET=epcis_queries.value_of(kind))),
        ]
    return found


urlpatterns = [
    path("", address(GET=top)),
    path("capture", address(GET=jobs, POST=capture)),
    path("capture/<str:capture_id>", address(GET=job)),
    path("events", address(GET=events, POST=capture_one)),
    path("events/<path:event_id>", address(GET=event)),
    path("eventTypes", address(GET=event_types)),
    path("eventTypes/<str:value>/events", address(GET=events_of_type)),
    path("eventTypes/<str:value>", address(GET=event_type)),
    *_lists(),
    path("queries", address(GET=epcis_queries.kept, POST=epcis_queries.keep)),
    path("queries/<str:name>", address(GET=epcis_queries.one, DELETE=epcis_queries.forget)),
    path("queries/<str:name>/events", address(GET=named_events)),
    path(
        "queries/<str:name>/subscriptions",
        address(GET=epcis_queries.no_subscriptions, POST=epcis_queries.no_subscriptions),
    ),
    path(
        "queries/<str:name>/subscriptions/<str:subscription_id>",
        address(GET=epcis_queries.no_subscriptions, DELETE=epcis_queries.no_subscriptions),
    ),
    path("nextPageToken/<str:token>", address(DELETE=epcis_queries.no_release)),
]
