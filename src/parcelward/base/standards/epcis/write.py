"""Writes EPCIS 2.0 JSON-LD from our own values. What is written has been read back by `parse`, so it is always valid.

Source: EPCIS 2.0 section 10.2. Extensions are named by full URI, or by a prefix that the given context declares.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypedDict, Unpack

from parcelward.base.standards.epcis import canonical, parse, vocabulary
from parcelward.base.standards.epcis.context import GS1_ONLY, Context
from parcelward.base.standards.epcis.event import (
    BizTransaction,
    ErrorDeclaration,
    Event,
    Party,
    Quantity,
    SensorElement,
)

SCHEMA_VERSION: Final = "2.0"


class Details(TypedDict, total=False):
    """What any event may carry beside what and when."""

    event_id: str
    offset: str  # eventTimeZoneOffset; without it the offset of event_time
    biz_step: str
    disposition: str
    read_point: str
    biz_location: str
    biz_transactions: Sequence[BizTransaction]
    sources: Sequence[Party]
    destinations: Sequence[Party]
    sensor_elements: Sequence[SensorElement]
    certification_info: Sequence[str]
    error_declaration: ErrorDeclaration
    persistent_set: Sequence[str]  # ObjectEvent and TransformationEvent only
    persistent_unset: Sequence[str]
    ilmd: Mapping[str, Any]  # ObjectEvent with ADD and TransformationEvent only
    extensions: Mapping[str, Any]
    context: Context


def object_event(
    *,
    event_time: dt.datetime,
    action: str,
    epcs: Sequence[str] = (),
    quantities: Sequence[Quantity] = (),
    **details: Unpack[Details],
) -> Event:
    """Return the ObjectEvent that says: these things were seen (OBSERVE), came to be (ADD), or ceased to be (DELETE).

    Raises Refused when the values do not make a valid event. The JSON object is the event's `raw`.
    """
    what: dict[str, Any] = {"action": action, "epcList": list(epcs), "quantityList": _quantities(quantities)}
    return _event("ObjectEvent", event_time, what, details)


def aggregation_event(
    *,
    event_time: dt.datetime,
    action: str,
    parent_id: str = "",
    child_epcs: Sequence[str] = (),
    child_quantities: Sequence[Quantity] = (),
    **details: Unpack[Details],
) -> Event:
    """Return the AggregationEvent that says: these went into the parent (ADD), came out (DELETE), or were seen in it.

    Raises Refused when the values do not make a valid event.
    """
    what: dict[str, Any] = {
        "action": action,
        "parentID": parent_id,
        "childEPCs": list(child_epcs),
        "childQuantityList": _quantities(child_quantities),
    }
    return _event("AggregationEvent", event_time, what, details)


def transaction_event(
    *,
    event_time: dt.datetime,
    action: str,
    parent_id: str = "",
    epcs: Sequence[str] = (),
    quantities: Sequence[Quantity] = (),
    **details: Unpack[Details],
) -> Event:
    """Return the TransactionEvent that says: these belong to a business document (ADD) or no longer do (DELETE).

    `biz_transactions` must name at least one. Raises Refused when the values do not make a valid event.
    """
    what: dict[str, Any] = {
        "action": action,
        "parentID": parent_id,
        "epcList": list(epcs),
        "quantityList": _quantities(quantities),
    }
    return _event("TransactionEvent", event_time, what, details)


def stored(event: Event, *, record_time: dt.datetime, event_id: str = "") -> Event:
    """Return an event as a repository gives it out: with its own recordTime, and an eventID where none came with it."""
    raw = {**event.raw, "recordTime": time_text(record_time)}
    if event_id and event.event_id is None:
        raw["eventID"] = event_id
    return dataclasses.replace(event, raw=raw, record_time=record_time, event_id=raw.get("eventID"))


def document(
    events: Iterable[Event], *, created: dt.datetime, document_id: str = "", sender: str = "", receiver: str = ""
) -> dict[str, Any]:
    """Return an EPCISDocument as JSON, ready for `json.dumps`."""
    context, event_list = _events(events)
    head = {"id": document_id, "sender": sender, "receiver": receiver}
    return {
        "@context": context,
        "type": "EPCISDocument",
        "schemaVersion": SCHEMA_VERSION,
        "creationDate": time_text(created),
        **{name: value for name, value in head.items() if value},
        "epcisBody": {"eventList": event_list},
    }


def query_document(
    events: Iterable[Event], *, created: dt.datetime, query_name: str = "SimpleEventQuery", subscription_id: str = ""
) -> dict[str, Any]:
    """Return an EPCISQueryDocument as JSON: the answer to a query or to a subscription."""
    context, event_list = _events(events)
    results: dict[str, Any] = {"queryName": query_name, "resultsBody": {"eventList": event_list}}
    if subscription_id:
        results["subscriptionID"] = subscription_id
    return {
        "@context": context,
        "type": "EPCISQueryDocument",
        "schemaVersion": SCHEMA_VERSION,
        "creationDate": time_text(created),
        "epcisBody": {"queryResults": results},
    }


def time_text(time: dt.datetime) -> str:
    """Return an aware datetime in RFC 3339 with milliseconds (microseconds where there are any) and its offset."""
    precision = "microseconds" if time.microsecond % 1000 else "milliseconds"
    return time.isoformat(timespec=precision)


def _events(events: Iterable[Event]) -> tuple[list[Any], list[dict[str, Any]]]:
    """Return the `@context` that all share and the events; an event with declarations of its own carries them."""
    all_events = list(events)
    contexts = {canonical.text(event.context.raw): event.context for event in all_events}
    shared = next(iter(contexts.values())) if len(contexts) == 1 else GS1_ONLY
    return list(shared.raw), [_json(event, shared) for event in all_events]


def _json(event: Event, shared: Context) -> dict[str, Any]:
    raw = {name: value for name, value in event.raw.items() if name != "@context"}
    if canonical.text(event.context.raw) != canonical.text(shared.raw):
        own = [entry for entry in event.context.raw if entry not in shared.raw]
        raw = {"@context": own, **raw} if own else raw
    return raw


def _event(kind: str, event_time: dt.datetime, what: dict[str, Any], details: Details) -> Event:
    if event_time.tzinfo is None:
        raise ValueError("event_time needs its offset: pass an aware datetime")
    context = details.get("context", GS1_ONLY)
    raw: dict[str, Any] = {
        "type": kind,
        "eventTime": time_text(event_time),
        "eventTimeZoneOffset": details.get("offset") or _offset(event_time),
        **what,
        **_where_and_why(details),
        **details.get("extensions", {}),
    }
    return parse.read_event({name: value for name, value in raw.items() if value not in ("", [], {})}, context)


def _where_and_why(details: Details) -> dict[str, Any]:
    found: dict[str, Any] = {
        "eventID": details.get("event_id", ""),
        "bizStep": vocabulary.short(details.get("biz_step", ""), vocabulary.BIZ_STEPS),
        "disposition": vocabulary.short(details.get("disposition", ""), vocabulary.DISPOSITIONS),
        "certificationInfo": list(details.get("certification_info", ())),
        "sourceList": [_party(item, "source") for item in details.get("sources", ())],
        "destinationList": [_party(item, "destination") for item in details.get("destinations", ())],
        "sensorElementList": [_sensor_element(item) for item in details.get("sensor_elements", ())],
        "ilmd": dict(details.get("ilmd", {})),
    }
    if "biz_transactions" in details:
        found["bizTransactionList"] = [_transaction(item) for item in details["biz_transactions"]]
    for name, place in (("readPoint", details.get("read_point")), ("bizLocation", details.get("biz_location"))):
        found[name] = {"id": place} if place else {}
    ways = (("set", details.get("persistent_set", ())), ("unset", details.get("persistent_unset", ())))
    found["persistentDisposition"] = {way: list(words) for way, words in ways if words}
    if "error_declaration" in details:
        found["errorDeclaration"] = _declaration(details["error_declaration"])
    return found


def _offset(time: dt.datetime) -> str:
    offset = time.utcoffset() or dt.timedelta()
    minutes = round(abs(offset).total_seconds() / 60)
    return f"{'-' if offset < dt.timedelta() else '+'}{minutes // 60:02d}:{minutes % 60:02d}"


def _quantities(quantities: Sequence[Quantity]) -> list[dict[str, Any]]:
    return [
        {"epcClass": item.epc_class}
        | ({} if item.quantity is None else {"quantity": item.quantity})
        | ({"uom": item.uom} if item.uom else {})
        for item in quantities
    ]


def _party(party: Party, member: str) -> dict[str, Any]:
    return {"type": vocabulary.short(party.type, vocabulary.PARTY_TYPES), member: party.id}


def _transaction(item: BizTransaction) -> dict[str, Any]:
    kind = vocabulary.short(item.type, vocabulary.BIZ_TRANSACTION_TYPES)
    return {"type": kind, "bizTransaction": item.id} if kind else {"bizTransaction": item.id}


def _declaration(item: ErrorDeclaration) -> dict[str, Any]:
    found: dict[str, Any] = {"declarationTime": time_text(item.declaration_time)}
    if item.reason:
        found["reason"] = vocabulary.short(item.reason, vocabulary.ERROR_REASONS)
    if item.corrective_event_ids:
        found["correctiveEventIDs"] = list(item.corrective_event_ids)
    return found


def _sensor_element(item: SensorElement) -> dict[str, Any]:
    times = {"time": item.time, "startTime": item.start_time, "endTime": item.end_time}
    metadata = {**item.metadata, **{name: time_text(time) for name, time in times.items() if time is not None}}
    reports = []
    for report in item.reports:
        plain = {"type": report.type, "exception": report.exception, "uom": report.uom}
        found: dict[str, Any] = {**report.raw, **{name: value for name, value in plain.items() if value}}
        if report.value is not None:
            found["value"] = report.value
        if report.time is not None:
            found["time"] = time_text(report.time)
        reports.append(found)
    return {"sensorMetadata": metadata, "sensorReport": reports} if metadata else {"sensorReport": reports}
