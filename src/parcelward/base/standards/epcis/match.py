"""Whether an event answers a query: a pure predicate over `query.Query` and `event.Event`.

Source: EPCIS 2.0 section 8.2.7.1 (SimpleEventQuery) and 8.2.7.1.1 (matching of EPC patterns). All conditions must hold;
within one condition any of its values, and any of the event's values, is enough. Units of measure are compared by their
code and never converted.
"""

from __future__ import annotations

import datetime as dt
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, Final, NamedTuple

from parcelward.base.standards.epcis import identifiers, vocabulary
from parcelward.base.standards.epcis.checks import read_time
from parcelward.base.standards.epcis.context import Context
from parcelward.base.standards.epcis.event import Event
from parcelward.base.standards.epcis.query import Condition, Query

_SERIALS: Final = {"sgtin": "/21/", "itip": "/21/", "upui": "/235/", "cpi": "/8011/"}  # before a Digital Link's serial
_ORDERS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "GT": operator.gt,
    "GE": operator.ge,
    "LT": operator.lt,
    "LE": operator.le,
}
_MEASURES: Final = frozenset({"value", "minValue", "maxValue", "meanValue", "sDev", "percValue", "percRank"})

Containers = Mapping[str, frozenset[str]]
"""From a canonical location to all locations that it lies within, directly or not (WD_ parameters)."""


class Prepared:
    """A query made ready to be compared with many events.

    `tick` is called again and again while that is done, and may raise: a query has up to 1,000 values in each of 50
    conditions, and an event 10,000 instances.
    """

    def __init__(self, query: Query, *, tick: Callable[[], None] = lambda: None) -> None:
        self._conditions = [(one, _wanted(one)) for one in query.conditions]
        self._tick = tick

    def meets(
        self, event: Event, *, record_time: dt.datetime | None = None, containers: Containers | None = None
    ) -> bool:
        """Whether `event` meets every condition, as `matches` says."""
        recorded = record_time or event.record_time
        met = _Meeting(event, recorded, containers or {}, _Canonical(), self._tick)
        self._tick()
        return all(_meets(condition, wanted, met) for condition, wanted in self._conditions)


def matches(
    query: Query, event: Event, *, record_time: dt.datetime | None = None, containers: Containers | None = None
) -> bool:
    """Whether `event` meets every condition of `query`.

    `record_time` is the repository's own; without it the one in the event counts. `containers` is master data.
    """
    return Prepared(query).meets(event, record_time=record_time, containers=containers)


def order_value(query: Query, event: Event, *, record_time: dt.datetime | None = None) -> Any:
    """Return what `query.order_by` puts this event in order by, or None where the event lacks it."""
    if query.order_by == "recordTime":
        return record_time or event.record_time
    if query.order_by == "eventTime" or not query.order_by:
        return event.event_time
    value = event.extensions.get(query.order_by)
    return value if isinstance(value, (str, int, float)) else None


class _Canonical(dict[str, str]):
    """The canonical form of each identifier of one event, made once however many conditions ask for it."""

    def __missing__(self, text: str) -> str:
        self[text] = found = identifiers.canonical(text)
        return found


class _Meeting(NamedTuple):
    """One event that is compared, with what goes with it."""

    event: Event
    recorded: dt.datetime | None
    containers: Containers
    canonical: _Canonical
    tick: Callable[[], None]


class _Wanted(NamedTuple):
    """What of a condition is looked up at once, and for MATCH what its EPC patterns take in."""

    values: frozenset[Any]
    patterns: _Patterns | None = None


def _wanted(condition: Condition) -> _Wanted:
    if condition.operator != "MATCH":
        return _Wanted(frozenset(condition.values))
    patterns = [text for text in condition.values if text[:14].lower() == "urn:epc:idpat:"]
    values = frozenset(map(identifiers.canonical, condition.values))
    return _Wanted(values, _Patterns(patterns) if patterns else None)


def _meets(condition: Condition, wanted: _Wanted, met: _Meeting) -> bool:
    met.tick()
    found = list(_found(condition, met.event, met.recorded))
    if condition.operator == "EXISTS":
        return bool(found) or not condition.values[0]
    if condition.operator == "MATCH":
        return _fit(wanted, found, met)
    if condition.operator == "WD":
        within = set(found).union(*(met.containers.get(place, frozenset()) for place in found))
        return not within.isdisjoint(wanted.values)
    if condition.operator == "EQ" and not condition.area:
        return not wanted.values.isdisjoint(found)
    if condition.operator == "EQ":
        return any(_is_among(found, value, met.tick) for value in condition.values)
    return any(_in_order(condition.operator, value, condition.values[0]) for value in found)


def _is_among(found: Iterable[Any], wanted: Any, tick: Callable[[], None]) -> bool:
    tick()
    return any(_equal(value, wanted) for value in found)


def _fit(wanted: _Wanted, epcs: list[str], met: _Meeting) -> bool:
    """Whether one of the identifiers is one asked for, or one that an EPC pattern (`urn:epc:idpat:...`) takes in."""
    if not wanted.values.isdisjoint(met.canonical[epc] for epc in epcs):
        return True
    return wanted.patterns is not None and any(wanted.patterns.take_in(epc, met) for epc in epcs)


def _found(condition: Condition, event: Event, recorded: dt.datetime | None) -> Iterable[Any]:
    """Return the event's values that a condition speaks of."""
    if condition.area:
        return _extensions(condition, event)
    if condition.field == "recordTime":
        return () if recorded is None else (recorded,)
    if condition.field == "quantity":
        wanted = (item for item in event.quantities if not condition.kind or item.uom == condition.kind)
        return (item.quantity for item in wanted if item.quantity is not None)
    if condition.field in _MEASURES:
        reports = (report.raw for element in event.sensor_element_list for report in element.reports)
        wanted_reports = (raw for raw in reports if not condition.kind or raw.get("uom") == condition.kind)
        return (raw[condition.field] for raw in wanted_reports if condition.field in raw)
    if condition.field in _TYPED:
        return _TYPED[condition.field](event, condition.kind)
    return _FIELDS[condition.field](event)


def _one(text: str) -> tuple[str, ...]:
    return (text,) if text else ()


def _canonical(texts: Iterable[str]) -> Iterator[str]:
    return (identifiers.canonical(text) for text in texts if text)


def _sensor(name: str, *, is_uri: bool = True) -> Callable[[Event], Iterator[Any]]:
    """Return a reader of a field that sensor metadata or reports may carry; URIs come canonical."""

    def read(event: Event) -> Iterator[Any]:
        for element in event.sensor_element_list:
            for raw in (element.metadata, *(report.raw for report in element.reports)):
                if name in raw:
                    yield identifiers.canonical(raw[name]) if is_uri else raw[name]

    return read


def _sensor_times(event: Event) -> Iterator[dt.datetime]:
    times = chain.from_iterable(
        (element.time, *(report.time for report in element.reports)) for element in event.sensor_element_list
    )
    return (time for time in times if time is not None)


def _declared(event: Event) -> Iterator[dt.datetime]:
    return (item.declaration_time for item in (event.error_declaration,) if item is not None)


_FIELDS: Final[Mapping[str, Callable[[Event], Iterable[Any]]]] = {
    "eventType": lambda event: (event.type,),
    "eventTime": lambda event: (event.event_time,),
    "action": lambda event: _one(event.action),
    "bizStep": lambda event: _one(event.biz_step),
    "disposition": lambda event: _one(event.disposition),
    "persistentDisposition_set": lambda event: event.persistent_set,
    "persistentDisposition_unset": lambda event: event.persistent_unset,
    "readPoint": lambda event: _canonical([event.read_point]),
    "bizLocation": lambda event: _canonical([event.biz_location]),
    "transformationID": lambda event: _canonical([event.transformation_id]),
    "eventID": lambda event: _canonical([event.event_id or ""]),
    "epc": lambda event: event.epc_list + event.child_epcs,
    "parentID": lambda event: _one(event.parent_id),
    "inputEPC": lambda event: event.input_epc_list,
    "outputEPC": lambda event: event.output_epc_list,
    "anyEPC": lambda event: event.epcs,
    "epcClass": lambda event: (item.epc_class for item in event.quantity_list + event.child_quantity_list),
    "inputEPCClass": lambda event: (item.epc_class for item in event.input_quantity_list),
    "outputEPCClass": lambda event: (item.epc_class for item in event.output_quantity_list),
    "anyEPCClass": lambda event: (item.epc_class for item in event.quantities),
    "errorDeclaration": _declared,
    "errorDeclarationTime": _declared,
    "errorReason": lambda event: _one(event.error_declaration.reason) if event.error_declaration else (),
    "correctiveEventID": lambda event: _canonical(
        event.error_declaration.corrective_event_ids if event.error_declaration else ()
    ),
    "sensorElementList": lambda event: event.sensor_element_list,
    "time": _sensor_times,
    "startTime": lambda event: (item.start_time for item in event.sensor_element_list if item.start_time),
    "endTime": lambda event: (item.end_time for item in event.sensor_element_list if item.end_time),
    "type": lambda event: (report.type for element in event.sensor_element_list for report in element.reports),
    "deviceID": _sensor("deviceID"),
    "dataProcessingMethod": _sensor("dataProcessingMethod"),
    "microorganism": _sensor("microorganism"),
    "chemicalSubstance": _sensor("chemicalSubstance"),
    "bizRules": _sensor("bizRules"),
    "uriValue": _sensor("uriValue"),
    "stringValue": _sensor("stringValue", is_uri=False),
    "hexBinaryValue": _sensor("hexBinaryValue", is_uri=False),
    "booleanValue": _sensor("booleanValue", is_uri=False),
}
_TYPED: Final[Mapping[str, Callable[[Event, str], Iterable[str]]]] = {
    "bizTransaction": lambda event, kind: _canonical(
        item.id for item in event.biz_transaction_list if item.type == kind
    ),
    "source": lambda event, kind: _canonical(item.id for item in event.source_list if item.type == kind),
    "destination": lambda event, kind: _canonical(item.id for item in event.destination_list if item.type == kind),
}


def _extensions(condition: Condition, event: Event) -> Iterator[Any]:
    """Return the plain values of an extension in the area that a condition names (any value for EXISTS)."""
    for area in _areas(condition.area, event):
        yield from _members(area, condition, event.context, inside=False)


def _areas(area: str, event: Event) -> list[Mapping[str, Any]]:
    elements = event.raw.get("sensorElementList", [])
    if area == "*":
        known = vocabulary.FIELDS_BY_EVENT[event.type]
        return [{name: value for name, value in event.raw.items() if name not in known}]
    if area == "SENSORELEMENT":
        return list(elements)
    if area == "SENSORMETADATA":
        return [element.get("sensorMetadata", {}) for element in elements]
    if area == "SENSORREPORT":
        return [report for element in elements for report in element.get("sensorReport", [])]
    name = {"ILMD": "ilmd", "ERROR_DECLARATION": "errorDeclaration"}.get(area, area)
    return [event.raw.get(name, {})]


def _members(raw: Any, condition: Condition, context: Context, *, inside: bool) -> Iterator[Any]:
    if isinstance(raw, list):
        for item in raw:
            yield from _members(item, condition, context, inside=inside)
    elif isinstance(raw, dict):
        for name, value in raw.items():
            if inside == condition.inner and context.expand(name) == condition.field:
                yield from (value if isinstance(value, list) else [value])
            if condition.inner and ":" in name:
                yield from _members(value, condition, context, inside=True)


def _equal(value: Any, wanted: Any) -> bool:
    """Whether an extension's value is the wanted one; a query's text may stand for a number, a time or a flag."""
    if isinstance(value, bool) or isinstance(wanted, bool):
        return str(value).lower() == str(wanted).lower()
    if isinstance(value, str) and isinstance(wanted, str) and value != wanted:
        times = read_time(value), read_time(wanted)
        return None not in times and times[0] == times[1]
    if isinstance(value, (int, float)) or isinstance(wanted, (int, float)):
        numbers = _as_number(value), _as_number(wanted)
        return None not in numbers and numbers[0] == numbers[1]
    return bool(value == wanted)


def _in_order(name: str, value: Any, limit: Any) -> bool:
    if isinstance(limit, dt.datetime):
        time = value if isinstance(value, dt.datetime) else read_time(value) if isinstance(value, str) else None
        return time is not None and _ORDERS[name](time, limit)
    number = _as_number(value)
    return number is not None and limit is not None and _ORDERS[name](number, limit)


def _as_number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        return float(value)
    except ValueError:
        return None


class _Patterns:
    """EPC patterns by their shape: which scheme, how many parts before the last, and which of these are named."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self._shapes: dict[str, dict[tuple[int, tuple[int, ...]], set[tuple[str, ...]]]] = {}
        links = []  # how Digital Links that fit begin, only where just the serial is open
        for pattern in patterns:
            scheme, _, value = pattern[14:].lower().partition(":")
            *parts, last = value.split(".")
            if last != "*":
                continue
            named = tuple(place for place, part in enumerate(parts) if part != "*")
            shapes = self._shapes.setdefault(scheme, {})
            shapes.setdefault((len(parts), named), set()).add(tuple(parts[place] for place in named))
            begins = identifiers.canonical(pattern)
            if begins != pattern:
                links.append(begins + _SERIALS.get(scheme, ""))
        self._links = tuple(links)

    def take_in(self, epc: str, met: _Meeting) -> bool:
        """Whether one of them takes in this identifier, an EPC URI or a Digital Link."""
        met.tick()
        if met.canonical[epc].startswith(self._links):
            return True
        text = epc.lower()
        scheme, _, value = text[11:].partition(":")
        if not text.startswith("urn:epc:id:") or scheme not in self._shapes:
            return False
        for (count, named), wanted in self._shapes[scheme].items():
            parts = value.split(".", count)
            is_whole = len(parts) == count + 1 and all(part or place in named for place, part in enumerate(parts))
            if is_whole and count and tuple(parts[place] for place in named) in wanted:
                return True
        return False
