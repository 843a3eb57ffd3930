"""Read EPCIS events, those that were captured and our own scans as one stream. Part of the room's queries."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import datetime as dt
import heapq
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec
import psycopg
from django.db import transaction

from parcelward.base import config, db
from parcelward.base.errors import Problem, TooLarge
from parcelward.base.standards.epcis import identifiers, match
from parcelward.base.standards.epcis.event import Event, Refused
from parcelward.base.standards.epcis.query import Condition, Query
from parcelward.parcels import bodies
from parcelward.parcels.epcis import native, numbers, rows, rules
from parcelward.people import queries as people
from parcelward.people.wire import Person, Task

EXAMINED_MAX: Final = 5_000  # rows looked at for one page; a page may be short and still have a next one
ORDERED_MAX: Final = 5_000  # events that are put in an order which no index keeps
CHUNK_MAX: Final = 500
PATIENCE_MS: Final = 10_000  # for one statement of a query that no index answers
COMPARING_S: Final = 5.0  # for looking at events, all in all; a page may be short here, too

_INSTANCES: Final = frozenset({"epc", "anyEPC", "parentID", "inputEPC", "outputEPC"})
_COLUMNS: Final = {
    "eventType": "type",
    "action": "action",
    "bizStep": "biz_step",
    "disposition": "disposition",
    "readPoint": "read_point",
    "bizLocation": "biz_location",
}
_SIGNS: Final = {"GE": ">=", "LT": "<"}
_NIL: Final = UUID(int=0)
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND: Final = dt.timedelta(microseconds=1)

Place = tuple[dt.datetime, UUID, UUID]
"""Where an event stands in an answer: its time, its id, and for a scan its item."""


class QueryTooLarge(TooLarge):
    """More events answer than the caller's maxEventCount."""

    default_code = "query_too_large"


class QueryTooComplex(TooLarge):
    """The question cannot be answered in reasonable time; name an EPC or a narrower time."""

    default_code = "query_too_complex"


class Token(msgspec.Struct, frozen=True, forbid_unknown_fields=True, array_like=True):
    """Where the next page begins. It opens nothing: every page is scoped by who asks."""

    micros: int
    id: str
    item: str
    given: int  # events on the pages before


@dataclass(frozen=True, slots=True)
class Page:
    """One page of events; an empty token: there is nothing more."""

    events: tuple[Event, ...]
    next_page_token: str


class _Found(NamedTuple):
    place: Place
    event: Event


def sees_all(by: Person) -> bool:
    """Return whether somebody sees every source's events; others see what they sent themselves."""
    return people.may(by, Task.READ_DESK)


def events(query: Query, *, by: Person) -> Page:
    """Return the page of a query's answer that its token names.

    Raises Refused for a bad token, QueryTooLarge and QueryTooComplex as EPCIS 2.0 section 8.2.5 says.
    """
    people.require(by, Task.READ_EVENTS)
    search = _Search(query, None if sees_all(by) else by.source)
    try:
        with transaction.atomic():
            with db.cursor() as cur:
                cur.execute(f"SET LOCAL statement_timeout = {PATIENCE_MS}")
            if query.max_event_count is not None:
                search.count(query.max_event_count)
            if query.order_by in {"", "eventTime"}:
                return search.page()
            return search.ordered_page()
    except psycopg.errors.QueryCanceled:
        raise QueryTooComplex("This takes too long to find. Name an EPC, or a narrower time.") from None


class _Search:
    """One query for one caller."""

    def __init__(self, query: Query, source: int | None) -> None:
        self._until = time.monotonic() + COMPARING_S
        settings = config.get()
        self._public_url, self._origin = settings.public_url, settings.origin
        self._query, self._source = query, source
        self._descending = query.descending
        self._speaks_of_epcs = any(c.operator == "MATCH" and c.field in _INSTANCES for c in query.conditions)
        spelt = dataclasses.replace(query, conditions=tuple(map(self._any_spelling, query.conditions)))
        self._prepared = match.Prepared(spelt, tick=self._require_time)
        self._examined = 0

    def count(self, most: int) -> None:
        """Raise QueryTooLarge when more than `most` events answer."""
        found = sum(1 for _ in islice(self._answers(None), most + 1))
        if found > most:
            raise QueryTooLarge(f"More than {most} events answer this query.")
        if self._examined > EXAMINED_MAX:
            raise QueryTooComplex("This cannot be counted. Name an EPC, or a narrower time.")
        self._examined = 0

    def page(self) -> Page:
        """Return the next page in the order of time."""
        token = _token(self._query.next_page_token)
        given = 0 if token is None else token.given
        limit = self._query.event_count_limit
        room = self._query.per_page if limit is None else min(self._query.per_page, limit - given)
        found: list[Event] = []
        place: Place | None = None
        try:
            for one in self._stream(None if token is None else _place(token)):
                if len(found) >= room or self._examined > EXAMINED_MAX:
                    break
                if self._answers_query(one.event):
                    found.append(one.event)
                place = one.place
                self._examined += 1
            else:
                return Page(tuple(found), "")
        except QueryTooComplex:
            if place is None:
                raise
        last = given + len(found)
        more = place is not None and (limit is None or last < limit)
        return Page(tuple(found), _text(place, last) if more and place is not None else "")

    def ordered_page(self) -> Page:
        """Return the next page in an order that is made in memory: record time, or an extension."""
        token = _token(self._query.next_page_token)
        start = 0 if token is None else token.given
        everything = list(islice(self._answers(None), ORDERED_MAX + 1))
        if len(everything) > ORDERED_MAX or self._examined > EXAMINED_MAX:
            raise QueryTooComplex(f"At most {ORDERED_MAX} events are put in this order. Ask for fewer.")
        sortable = [(match.order_value(self._query, event), event) for event in everything]
        with_value = sorted(
            (pair for pair in sortable if pair[0] is not None),
            key=lambda pair: (isinstance(pair[0], str), pair[0]),
            reverse=self._descending,
        )
        ordered = [event for _, event in with_value] + [event for value, event in sortable if value is None]
        ordered = ordered[: self._query.event_count_limit]
        end = start + self._query.per_page
        return Page(tuple(ordered[start:end]), _text((_EPOCH, _NIL, _NIL), end) if end < len(ordered) else "")

    def _answers(self, after: Place | None) -> Iterator[Event]:
        for one in self._stream(after):
            self._examined += 1
            if self._examined > EXAMINED_MAX:
                return
            if self._answers_query(one.event):
                yield one.event

    def _answers_query(self, event: Event) -> bool:
        return self._prepared.meets(self._spelt(event))

    def _require_time(self) -> None:
        if time.monotonic() > self._until:
            raise QueryTooComplex("This takes too long to compare. Ask with fewer values, or for a narrower time.")

    def _stream(self, after: Place | None) -> Iterator[_Found]:
        both = (self._captured(after), self._native(after))
        return heapq.merge(*both, key=lambda one: one.place, reverse=self._descending)

    # The same number may be written as a Digital Link, an EPC URI, an address: a question in any spelling finds it.

    def _any_spelling(self, condition: Condition) -> Condition:
        if condition.operator != "MATCH" or condition.field not in _INSTANCES:
            return condition
        return dataclasses.replace(condition, values=self._with_spellings(condition.values))

    def _spelt(self, event: Event) -> Event:
        if not self._speaks_of_epcs:
            return event
        return dataclasses.replace(
            event,
            epc_list=self._with_spellings(event.epc_list),
            child_epcs=self._with_spellings(event.child_epcs),
            input_epc_list=self._with_spellings(event.input_epc_list),
            output_epc_list=self._with_spellings(event.output_epc_list),
            parent_id=self._one_spelling(event.parent_id),
        )

    def _with_spellings(self, epcs: tuple[Any, ...]) -> tuple[Any, ...]:
        known = filter(None, map(numbers.number_of, epcs))
        return epcs + tuple(numbers.epc_of(number, self._public_url) for number in known)

    def _one_spelling(self, epc: str) -> str:
        number = numbers.number_of(epc) if epc else ""
        return numbers.epc_of(number, self._public_url) if number else epc

    def _captured(self, after: Place | None) -> Iterator[_Found]:
        where, values = _narrow(self._query)
        where.append(rows.LIVING)
        if self._source is not None:
            where.append("source = %s")
            values.append(self._source)
        way, sign = ("DESC", "<") if self._descending else ("ASC", ">")
        limit = min(CHUNK_MAX, self._query.per_page + 1)
        while True:
            here, given = list(where), list(values)
            if after is not None:
                # A scan at the same time with a smaller id may be the last that was given.
                here.append(f"(event_time, id) {sign} (%s, %s)")
                given += after[:2]
            with db.cursor(binary=True) as cur:
                cur.execute(
                    f"SELECT event_time, id, record_time, body_key, body FROM {rows.TABLE} WHERE {' AND '.join(here)} "  # noqa: S608 -- our own names; values are parameters
                    f"ORDER BY event_time {way}, id {way} LIMIT {limit}",
                    given,
                    binary=True,
                )
                found = cur.fetchall()
            for (event_time, row_id, record_time, *_), body in zip(
                found, bodies.events([row[3:] for row in found]), strict=True
            ):
                after = (event_time, row_id, _NIL)
                if body:  # what does not open any more is verify-log's finding
                    yield _Found(after, rows.as_given_out(body, record_time))
            if len(found) < limit:
                return
            limit = CHUNK_MAX

    def _native(self, after: Place | None) -> Iterator[_Found]:
        narrowed = native.narrow(self._query, self._source, public_url=self._public_url)
        limit = min(CHUNK_MAX, self._query.per_page + 1)
        while narrowed.possible:
            found = native.read(narrowed, after=after, descending=self._descending, limit=limit)
            derived = native.derived(found)
            told = native.tell(found, public_url=self._public_url, origin=self._origin)
            for scan in found:
                after = native.key(scan, narrowed)
                if scan.event_id not in derived:
                    yield _Found(after, native.event(scan, told))
            if len(found) < limit:
                return
            limit = CHUNK_MAX


def _narrow(query: Query) -> tuple[list[str], list[Any]]:
    """Return SQL conditions that no captured event which answers the query fails."""
    where: list[str] = []
    values: list[Any] = []
    for condition in query.conditions:
        found = _column(condition)
        if found is not None:
            where.append(found[0])
            values.append(found[1])
    return where, values


def _column(condition: Condition) -> tuple[str, Any] | None:
    if condition.area:
        return None
    field, wanted = condition.field, list(condition.values)
    if condition.operator in _SIGNS and field in {"eventTime", "recordTime"}:
        return f"{'event_time' if field == 'eventTime' else 'record_time'} {_SIGNS[condition.operator]} %s", wanted[0]
    if condition.operator in {"EQ", "WD"} and field in _COLUMNS:
        return f"{_COLUMNS[field]} = ANY(%s)", wanted
    if condition.name == "EQ_eventID":
        return "name = ANY(%s)", [rules.name_id(name) for name in wanted]
    if condition.name == "EXISTS_errorDeclaration" and wanted[0]:
        return "declares = %s", True
    if condition.operator == "MATCH" and not any(text[:14].lower() == "urn:epc:idpat:" for text in wanted):
        if field in _INSTANCES:
            return "epcs && %s", rows.keys_of(wanted)
        return "classes && %s", [identifiers.canonical(text) for text in wanted]
    return None


def _place(token: Token) -> Place:
    return _EPOCH + token.micros * _MICROSECOND, UUID(hex=token.id), UUID(hex=token.item)


def _text(place: Place, given: int) -> str:
    token = Token((place[0] - _EPOCH) // _MICROSECOND, place[1].hex, place[2].hex, given)
    return base64.urlsafe_b64encode(msgspec.json.encode(token)).decode().rstrip("=")


def _token(text: str) -> Token | None:
    if not text:
        return None
    try:
        token = msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=Token)
        _place(token)
    except (binascii.Error, ValueError, OverflowError, msgspec.DecodeError):
        problem = Problem("/nextPageToken", "bad_token", "This token was not given out here.")
        raise Refused("Ask for the first page again.", code="bad_token", problems=(problem,)) from None
    if token.given < 0:
        raise Refused("Ask for the first page again.", code="bad_token")
    return token
