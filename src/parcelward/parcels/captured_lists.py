"""Read what EPCIS capture keeps beside events: values to browse, capture jobs, kept questions. Part of the queries."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from parcelward.base import config
from parcelward.base.errors import NotFound
from parcelward.base.standards.epcis import vocabulary
from parcelward.base.standards.epcis.event import Refused
from parcelward.base.standards.epcis.query import Query, read_query
from parcelward.network import queries as network
from parcelward.parcels import bodies, scanned_epcs
from parcelward.parcels.captured import events, sees_all
from parcelward.parcels.epcis import numbers
from parcelward.parcels.models import CaptureJob, EpcisValue, NamedQuery
from parcelward.people import queries as people
from parcelward.people.wire import Person, Task

LISTS: Final = ("epcs", "bizSteps", "bizLocations", "readPoints", "dispositions")
_OF_SCANS: Final = "/"  # what the token of a page of our own scans' EPCs begins with: no URI does
_WORDS: Final = {"bizSteps": vocabulary.BIZ_STEPS.words, "dispositions": vocabulary.DISPOSITIONS.words}


@dataclass(frozen=True, slots=True)
class Values:
    """One page of a browsable list; an empty token: there is nothing more."""

    members: list[str]
    next_page_token: str


def values(kind: str, *, by: Person, after: str, limit: int) -> Values:
    """Return the values of one kind that the caller's events carry, in order, and among words and places all we know.

    `after` is the token of the page before. Who sees every source's events sees our own scans too: their EPCs follow
    those of captured events.
    """
    people.require(by, Task.READ_EVENTS)
    ours = kind == "epcs" and sees_all(by)
    if ours and after.startswith(_OF_SCANS):
        return _scanned([], after.removeprefix(_OF_SCANS), limit)
    found = EpcisValue.objects.filter(kind=kind, value__gt=after)
    if not sees_all(by):
        found = found.filter(source=by.source)
    known = set(_WORDS.get(kind, ()))
    if kind in {"bizLocations", "readPoints"}:
        public_url = config.get().public_url
        known = {numbers.place_uri(place, public_url) for place in network.facilities().by_code.values()}
    stored = found.order_by("value").values_list("value", flat=True).distinct()[: limit + 1]
    members = sorted({*stored, *(value for value in known if value > after)})
    if len(members) > limit:
        return Values(members[:limit], members[limit - 1])
    return _scanned(members, "", limit) if ours else Values(members, "")


def _scanned(members: list[str], after: str, limit: int) -> Values:
    """Return the page filled up with EPCs that only our own scans carry."""
    more, last = scanned_epcs.page(after, limit - len(members), public_url=config.get().public_url)
    return Values(members + more, "" if last is None else _OF_SCANS + last)


def is_known(kind: str, value: str, *, by: Person) -> bool:
    """Return whether a browsable list holds `value` for this caller."""
    people.require(by, Task.READ_EVENTS)
    if value in _WORDS.get(kind, ()):
        return True
    found = EpcisValue.objects.filter(kind=kind, value=value)
    if not sees_all(by):
        found = found.filter(source=by.source)
    if found.exists() or (kind == "epcs" and _is_carried(value, by=by)):
        return True
    return kind in {"bizLocations", "readPoints"} and value in {
        numbers.place_uri(p, config.get().public_url) for p in network.facilities().by_code.values()
    }


def _is_carried(epc: str, *, by: Person) -> bool:
    """Return whether an event that the caller sees carries the number that this EPC, in any spelling, stands for."""
    if not numbers.number_of(epc):
        return False
    return bool(events(read_query({"MATCH_anyEPC": [epc], "perPage": 1}), by=by).events)


@dataclass(frozen=True, slots=True)
class JobRow:
    """A document that was received, and what became of its events."""

    id: UUID
    created_at: dt.datetime
    finished_at: dt.datetime | None  # None: it runs or waits
    behaviour: str  # rollback or proceed
    success: bool
    captured: int
    duplicates: int
    errors: tuple[Mapping[str, str], ...]  # as base.errors.Problem


def _row(job: CaptureJob) -> JobRow:
    return JobRow(
        id=job.id,
        created_at=job.created_at,
        finished_at=job.finished_at,
        behaviour=job.behaviour,
        success=job.success,
        captured=job.captured,
        duplicates=job.duplicates,
        errors=tuple(job.errors),
    )


def jobs(*, by: Person, after: str, limit: int) -> list[JobRow]:
    """Return capture jobs, the newest first; `after` is the id of the last one given."""
    people.require(by, Task.CAPTURE)
    found = CaptureJob.objects.defer("document").order_by("-id")  # ids are made in the order of time
    if not sees_all(by):
        found = found.filter(source=by.source)
    if after:
        try:
            found = found.filter(id__lt=UUID(after))
        except ValueError:
            raise Refused("Ask for the first page again.", code="bad_token") from None
    return [_row(job) for job in found[:limit]]


def job(job_id: UUID, *, by: Person) -> JobRow:
    """Return one capture job, or raise NotFound when there is none that the caller may see."""
    people.require(by, Task.CAPTURE)
    found = CaptureJob.objects.defer("document").filter(pk=job_id)
    if not sees_all(by):
        found = found.filter(source=by.source)
    one = found.first()
    if one is None:
        raise NotFound("No such capture job")
    return _row(one)


def kept_queries(*, by: Person, after: str, limit: int) -> list[tuple[str, Mapping[str, Any]]]:
    """Return the caller's own questions as (name, query), in the order of their names."""
    people.require(by, Task.READ_EVENTS)
    found = NamedQuery.objects.filter(source=by.source, name__gt=after).order_by("name")
    return list(bodies.asked(found[:limit]))


def kept_query(name: str, *, by: Person) -> Mapping[str, Any]:
    """Return one of the caller's own questions, or raise NotFound."""
    people.require(by, Task.READ_EVENTS)
    found = bodies.asked(NamedQuery.objects.filter(source=by.source, name=name))
    if not found:
        raise NotFound("You have no query of this name")
    return found[0][1]


def query_of(name: str, parameters: Mapping[str, Any], *, by: Person) -> Query:
    """Return a kept question with the paging that is asked for now."""
    return read_query({**kept_query(name, by=by), **parameters})
