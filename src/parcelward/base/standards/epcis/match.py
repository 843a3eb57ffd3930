"""Whether an event answers a query: a pure predicate over `query.Query` and `event.Event`.

Source: EPCIS 2.0 section 8.2.7.1 (SimpleEventQuery) and 8.2.7.1.1 (matching of EPC patterns). All conditions must hold;
within one condition any of its values, and any of the event's values, is enough. Units of measure are compared by their
code and never converted.
"""

from __future__ import annotations

import datetime as dt
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import chain
from typing import Any, Final

from parcelward.base.standards.epcis import identifiers, vocabulary
from parcelward.base.standards.epcis.checks import read_time
from parcelward.base.standards.epcis.context import Context
from parcelward.base.standards.epcis.event import Event
from parcelward.base.standards.epcis.query import Condition, Query

_PATTERNS_CACHED: Final = 4096
_ORDERS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "GT": operator.gt,
    "GE": operator.ge,
    "LT": operator.lt,
    "LE": operator.le,
}
_MEASURES: Final = frozenset({"value", "minValue", "maxValue", "meanValue", "sDev", "percValue", "percRank"})

Containers = Mapping[str, frozenset[str]]
"""From a canonical location to all locations that it lies within, directly or not (WD_ parameters)."""


def matches(
    query: Query, event: Event, *, record_time: dt.datetime | None = None, containers: Containers | None = None
) -> bool:
    """Whether `event` meets every condition of `query`.

    `record_time` is the repository's own; without it the one in the event counts. `containers` is master data.
    """
    recorded = record_time or event.record_time
    return all(_meets(condition, event, recorded, containers or {}) for condition in query.conditions)


def order_value(query: Query, event: Event, *, record_time: dt.datetime | None = None) -> Any:
    """Return what `query.order_by` puts this event in order by, or None where the event lacks it."""
    if query.order_by == "recordTime":
        return record_time or event.record_time
    if query.order_by == "eventTime" or not query.order_by:
        return event.event_time
    value = event.extensions.get(query.order_by)
    return value if isinstance(value, (str, int, float)) else None


def _meets(condition: Condition, event: Event, recorded: dt.datetime | None, containers: Containers) -> bool:
    found = list(_found(condition, event, recorded))
    if condition.operator == "EXISTS":
        return bool(found) or not condition.values[0]
    if condition.operator == "MATCH":
        return any(fits(pattern, epc) for pattern in condition.values for epc in found)
    if condition.operator == "WD":
        within = set(found).union(*(containers.get(place, frozenset()) for place in found))
        return not within.isdisjoint(condition.values)
    if condition.operator == "EQ":
        same = _equal if condition.area else operator.eq
        return any(same(value, wanted) for value in found for wanted in condition.values)
    return any(_in_order(condition.operator, value, condition.values[0]) for value in found)


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


def fits(pattern: str, epc: str) -> bool:
    """Whether an identifier is the one asked for, or one that an EPC pattern (`urn:epc:idpat:...`) takes in."""
    if pattern == epc or identifiers.canonical(pattern) == identifiers.canonical(epc):
        return True
    if pattern[:14].lower() != "urn:epc:idpat:":
        return False
    compiled = _compiled(pattern)
    if compiled is None:
        return False
    as_urn, as_link = compiled
    return as_urn.fullmatch(epc) is not None or (as_link is not None and identifiers.canonical(epc).startswith(as_link))


@lru_cache(_PATTERNS_CACHED)
def _compiled(pattern: str) -> tuple[re.Pattern[str], str | None] | None:
    """Return how EPC URIs that fit look, and how Digital Links that fit begin (only where just the serial is open)."""
    scheme, _, value = pattern[14:].partition(":")
    parts = value.split(".")
    if not value or parts[-1] != "*":
        return None
    shape = r"\.".join("[^.]+" if part == "*" else re.escape(part) for part in parts[:-1])
    begins = identifiers.canonical(pattern)
    qualifier = {"sgtin": "/21/", "itip": "/21/", "upui": "/235/", "cpi": "/8011/"}.get(scheme.lower(), "")
    as_link = begins + qualifier if begins != pattern else None
    return re.compile(rf"urn:epc:id:{re.escape(scheme)}:{shape}\..+", re.IGNORECASE), as_link
