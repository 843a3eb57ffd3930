"""Reads EPCIS 2.0 JSON-LD: an EPCISDocument, an EPCISQueryDocument, or one event alone (as REST capture allows).

Everything the standard names is checked (EPCIS 2.0 sections 7.3, 7.4 and 10.2); what it leaves to others must carry a
namespace. Refusals are `Refused`: each problem has a JSON Pointer into what was sent, a stable code, and a sentence.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from parcelward.base.errors import Problem
from parcelward.base.standards.epcis import context as contexts
from parcelward.base.standards.epcis import fields, limits, vocabulary
from parcelward.base.standards.epcis.checks import Checker, escape, is_uri
from parcelward.base.standards.epcis.context import GS1_ONLY, Context
from parcelward.base.standards.epcis.event import Document, Event, Refused

DOCUMENT_PROBLEMS_MAX: Final = 200  # named in one refusal of a document

_DOCUMENT: Final = frozenset(
    {
        "@context",
        "id",
        "type",
        "schemaVersion",
        "creationDate",
        "instanceIdentifier",
        "sender",
        "receiver",
        "epcisHeader",
        "epcisBody",
    }
)
_QUERY_DOCUMENT: Final = frozenset({"@context", "id", "type", "schemaVersion", "creationDate", "epcisBody"})
_VERSION: Final = re.compile(r"2(\.\d{1,4}){0,3}", re.ASCII)
_REQUIRED: Final = {
    "ObjectEvent": ("action",),
    "AggregationEvent": ("action",),
    "AssociationEvent": ("action", "parentID"),
    "TransactionEvent": ("action", "bizTransactionList"),
    "TransformationEvent": (),
}


def read_document(data: bytes | dict[str, Any]) -> Document:
    """Return the whole message, or raise Refused with the problems of the envelope or of every bad event."""
    document, results = _read(limits.read_json(data))
    problems = [problem for result in results if isinstance(result, Refused) for problem in result.problems]
    if problems:
        bad = sum(isinstance(result, Refused) for result in results)
        message = f"{bad} of {len(results)} events are not valid EPCIS 2.0; each problem names its place."
        raise Refused(message, problems=tuple(problems[:DOCUMENT_PROBLEMS_MAX]))
    return document


def read_events(data: bytes | dict[str, Any]) -> list[Event | Refused]:
    """Return each event of a message, or its refusal, in order; raise Refused only if the envelope itself is wrong.

    A refusal's pointers start at the message (`/epcisBody/eventList/3/bizStep`), so a caller can quarantine that event.
    """
    return _read(limits.read_json(data))[1]


def read_event(raw: dict[str, Any], context: Context = GS1_ONLY) -> Event:
    """Return one event in a context that is already known (an event that we stored), or raise Refused."""
    result = _event(limits.read_json(raw), context, "")
    if isinstance(result, Refused):
        raise result
    return result


def _read(raw: dict[str, Any]) -> tuple[Document, list[Event | Refused]]:
    check = Checker(GS1_ONLY)
    kind = raw.get("type") if isinstance(raw.get("type"), str) else ""
    if "@context" not in raw:
        suggestion = f'Add "@context": ["{vocabulary.CONTEXT_URL}"].'
        check.add("/@context", "missing", "`@context` is required.", suggestion)
    else:
        check_context(check, raw["@context"], "/@context")
    _stop(check, "The message says not what its names mean.")
    context = contexts.of(raw["@context"])
    check.context = context
    if kind in vocabulary.EVENT_TYPES:
        results = [_event(raw, context, "")]
        return Document(kind, context, _good(results), raw), results
    if kind not in {"EPCISDocument", "EPCISQueryDocument"}:
        suggestion = "Send an EPCISDocument, an EPCISQueryDocument, or one of the five event types."
        limits.refuse("unknown_type", "`type` names no EPCIS 2.0 message.", at="/type", suggestion=suggestion)
    return _read_envelope(raw, check)


def _read_envelope(raw: dict[str, Any], check: Checker) -> tuple[Document, list[Event | Refused]]:
    version, created = _head(check, raw)
    body, at = check.object(raw.get("epcisBody", {}), "/epcisBody"), "/epcisBody"
    names = {"queryName": "", "subscriptionID": ""}
    if raw["type"] == "EPCISQueryDocument" and "epcisBody" in raw:
        body, at = _results_body(check, body, names)
    if "epcisBody" in raw and "eventList" not in body:
        check.add(f"{at}/eventList", "missing", "`eventList` is required here.")
    at = f"{at}/eventList"
    events = body.get("eventList", [])
    if not isinstance(events, list):
        check.add(at, "wrong_type", "A list of events is expected here.")
    elif len(events) > limits.EVENTS_MAX:
        check.add(at, "too_many", f"There are more than {limits.EVENTS_MAX} events.", "Send several documents.")
    _stop(check, "The envelope of this EPCIS message is not valid.")
    results = [_event(event, check.context, f"{at}/{index}") for index, event in enumerate(events)]
    document = Document(
        type=raw["type"],
        context=check.context,
        events=_good(results),
        raw=raw,
        schema_version=version,
        creation_date=created,
        query_name=names["queryName"],
        subscription_id=names["subscriptionID"],
    )
    return document, results


def _head(check: Checker, raw: dict[str, Any]) -> tuple[str, dt.datetime | None]:
    """Check what stands beside the body; return schemaVersion and creationDate."""
    query = raw["type"] == "EPCISQueryDocument"
    check.extensions(raw, _QUERY_DOCUMENT if query else _DOCUMENT, "")
    for name in ("epcisBody",) if query else ("schemaVersion", "creationDate", "epcisBody"):
        if name not in raw:
            check.add(f"/{name}", "missing", f"`{name}` is required here.")
    version = raw.get("schemaVersion", "")
    if "schemaVersion" in raw and not (isinstance(version, str) and _VERSION.fullmatch(version)):
        check.add("/schemaVersion", "unsupported_version", "Only EPCIS 2 is read here.", 'Write "2.0".')
    if "id" in raw:
        check.uri(raw["id"], "/id")
    for name in ("instanceIdentifier", "sender", "receiver"):
        if name in raw:
            check.text(raw[name], f"/{name}")
    if "epcisHeader" in raw:
        header = check.object(raw["epcisHeader"], "/epcisHeader")
        check.extensions(header, frozenset({"epcisMasterData"}), "/epcisHeader")
    return version, check.time(raw["creationDate"], "/creationDate") if "creationDate" in raw else None


def _results_body(check: Checker, body: Any, names: dict[str, str]) -> tuple[Any, str]:
    at = "/epcisBody"
    check.extensions(body, frozenset({"queryResults"}), at)
    for name in ("queryResults", "resultsBody"):
        if name not in body:
            check.add(f"{at}/{name}", "missing", f"`{name}` is required here.")
            return {"eventList": []}, at
        at = f"{at}/{name}"
        body = check.object(body[name], at)
        known = {"queryName", "subscriptionID", "resultsBody", "eventList", "vocabularyList"}
        check.extensions(body, frozenset(known), at)
        if name == "queryResults":
            if "queryName" not in body:
                check.add(f"{at}/queryName", "missing", "`queryName` is required here.")
            names |= {key: check.text(body[key], f"{at}/{key}") for key in names if key in body}
    return body, at


def check_context(check: Checker, raw: Any, at: str) -> None:
    """Note what is wrong with the shape of a `@context`: URLs and objects that map a name to a URI or a definition."""
    entries = contexts.parts(raw)
    if sum(len(entry) if isinstance(entry, dict) else 1 for entry in entries) > contexts.DECLARATIONS_MAX:
        check.add(at, "too_many", f"`@context` declares more than {contexts.DECLARATIONS_MAX} names.")
        return
    for index, entry in enumerate(entries):
        here = f"{at}/{index}" if isinstance(raw, list) else at
        if isinstance(entry, str):
            check.uri(entry, here)
        elif isinstance(entry, dict):
            for name, meaning in entry.items():
                _check_declaration(check, name, meaning, f"{here}/{escape(name)}")
        else:
            check.add(here, "wrong_type", "A URL or an object is expected here.")


def _check_declaration(check: Checker, name: str, meaning: Any, at: str) -> None:
    namespace = meaning.get("@id", "") if isinstance(meaning, dict) else meaning
    if name.startswith("@"):
        return
    if not isinstance(namespace, str):
        check.add(at, "wrong_type", "A URI or a definition is expected here.")
    elif len(namespace) > contexts.NAMESPACE_CHARS_MAX:
        check.add(at, "too_long", f"A namespace has at most {contexts.NAMESPACE_CHARS_MAX} characters.")
    elif isinstance(meaning, str) and ":" not in name and not is_uri(meaning):
        check.add(at, "not_a_uri", "A prefix must stand for an absolute URI.")


def _stop(check: Checker, message: str) -> None:
    if check.problems:
        raise Refused(message, code=check.problems[0].code, problems=tuple(check.problems))


def _good(results: Iterable[Event | Refused]) -> tuple[Event, ...]:
    return tuple(result for result in results if isinstance(result, Event))


def _refused(problems: list[Problem]) -> Refused:
    message = "This event is not valid EPCIS 2.0; each problem names its place."
    return Refused(message, code=problems[0].code, problems=tuple(problems))


def _event(raw: Any, context: Context, at: str) -> Event | Refused:
    """Return one event, or its refusal."""
    check = Checker(context)
    if not isinstance(raw, dict):
        check.object(raw, at)
        return _refused(check.problems)
    if at and "@context" in raw:
        check_context(check, raw["@context"], f"{at}/@context")
        if check.problems:
            return _refused(check.problems)
        check.context = context = context.and_event(raw["@context"])
    kind = raw.get("type")
    if not isinstance(kind, str) or kind not in vocabulary.EVENT_TYPES:
        suggestion = f"Use one of {', '.join(sorted(vocabulary.EVENT_TYPES))}."
        code = "missing" if kind is None else "unknown_event_type"
        check.add(f"{at}/type", code, "`type` must name one of the five event types of EPCIS 2.0.", suggestion)
        return _refused(check.problems)
    for name in ("eventTime", "eventTimeZoneOffset", *_REQUIRED[kind]):
        if name not in raw:
            check.add(f"{at}/{name}", "missing", f"An {kind} requires `{name}`.")
    values = _values(check, raw, kind, at)
    _WHOLE[kind](check, raw, at)
    if check.problems:
        return _refused(check.problems)
    return Event(type=kind, event_time_text=raw["eventTime"], raw=raw, context=context, **values)


def _values(check: Checker, raw: dict[str, Any], kind: str, at: str) -> dict[str, Any]:
    """Return the keyword arguments of an Event for the fields that are there."""
    readers: dict[str, tuple[str, Any]] = {
        "eventTime": ("event_time", check.time),
        "recordTime": ("record_time", check.time),
        "eventTimeZoneOffset": ("event_time_zone_offset", check.offset),
        "eventID": ("event_id", check.uri),
        "parentID": ("parent_id", check.uri),
        "transformationID": ("transformation_id", check.uri),
        "epcList": ("epc_list", lambda value, here: check.uris(value, here, unique=kind == "ObjectEvent")),
        "childEPCs": ("child_epcs", check.uris),
        "inputEPCList": ("input_epc_list", lambda value, here: check.uris(value, here, unique=True)),
        "outputEPCList": ("output_epc_list", lambda value, here: check.uris(value, here, unique=True)),
        "bizStep": ("biz_step", lambda value, here: check.word(value, here, vocabulary.BIZ_STEPS)),
        "disposition": ("disposition", lambda value, here: check.word(value, here, vocabulary.DISPOSITIONS)),
    }
    parts: dict[str, tuple[str, Any]] = {
        "quantityList": ("quantity_list", fields.quantities),
        "childQuantityList": ("child_quantity_list", fields.quantities),
        "inputQuantityList": ("input_quantity_list", fields.quantities),
        "outputQuantityList": ("output_quantity_list", fields.quantities),
        "readPoint": ("read_point", fields.place),
        "bizLocation": ("biz_location", fields.place),
        "bizTransactionList": ("biz_transaction_list", fields.biz_transactions),
        "sensorElementList": ("sensor_element_list", fields.sensor_elements),
        "certificationInfo": ("certification_info", fields.certification_info),
        "errorDeclaration": ("error_declaration", fields.error_declaration),
    }
    known = vocabulary.FIELDS_BY_EVENT[kind]
    values: dict[str, Any] = {"extensions": check.extensions(raw, known, at)}
    for name in (name for name in raw if name in known):
        here = f"{at}/{name}"
        if name in readers:
            values[readers[name][0]] = readers[name][1](raw[name], here)
        elif name in parts:
            values[parts[name][0]] = parts[name][1](check, raw[name], here)
    for name, member in (("sourceList", "source"), ("destinationList", "destination")):
        if name in raw:
            values[f"{member}_list"] = fields.parties(check, raw[name], f"{at}/{name}", member=member)
    if "action" in raw and "action" in known:
        values["action"] = _action(check, raw["action"], f"{at}/action")
    if "ilmd" in raw and "ilmd" in known:
        ilmd = check.object(raw["ilmd"], f"{at}/ilmd")
        values["ilmd"] = ilmd
        check.extensions(ilmd, frozenset(), f"{at}/ilmd")
    if "persistentDisposition" in raw and "persistentDisposition" in known:
        both = fields.persistent_disposition(check, raw["persistentDisposition"], f"{at}/persistentDisposition")
        values["persistent_set"], values["persistent_unset"] = both
    return values


def _action(check: Checker, value: Any, at: str) -> str:
    if isinstance(value, str) and value in vocabulary.ACTIONS:
        return value
    check.add(at, "unknown_action", "This is not an action of EPCIS.", "Write ADD, OBSERVE or DELETE.")
    return ""


def _some(raw: Mapping[str, Any], *names: str) -> bool:
    return any(raw.get(name) for name in names)


def _whole_object(check: Checker, raw: Mapping[str, Any], at: str) -> None:
    """ObjectEvent as a whole: EPCIS 2.0 section 7.4.2."""
    if not _some(raw, "epcList", "quantityList", "sensorElementList"):
        check.add(at, "nothing_observed", "An ObjectEvent names EPCs, quantities or sensor data.", "Fill epcList.")
    elif "epcList" not in raw and not _some(raw, "quantityList") and "readPoint" not in raw:
        check.add(f"{at}/readPoint", "missing", "Sensor data without objects requires `readPoint`.")
    if "ilmd" in raw and raw.get("action") != "ADD":
        check.add(f"{at}/ilmd", "ilmd_without_add", "`ilmd` goes only with the action ADD.", "Leave it out.")


def _whole_association(check: Checker, raw: Mapping[str, Any], at: str) -> None:
    """AssociationEvent as a whole: EPCIS 2.0 section 7.4.6. The parent is required before, whatever the action."""
    if raw.get("action") != "DELETE" and not _some(raw, "childEPCs", "childQuantityList"):
        check.add(f"{at}/childEPCs", "missing", "Children are required unless the action is DELETE.")


def _whole_aggregation(check: Checker, raw: Mapping[str, Any], at: str) -> None:
    """AggregationEvent as a whole: EPCIS 2.0 section 7.4.3."""
    if raw.get("action") in ("ADD", "DELETE") and "parentID" not in raw:
        check.add(f"{at}/parentID", "missing", "`parentID` is required with the actions ADD and DELETE.")
    _whole_association(check, raw, at)


def _whole_transaction(check: Checker, raw: Mapping[str, Any], at: str) -> None:
    """TransactionEvent as a whole: EPCIS 2.0 section 7.4.4."""
    if raw.get("bizTransactionList") == []:
        check.add(f"{at}/bizTransactionList", "empty", "This list must not be empty.")
    if raw.get("action") != "DELETE" and "epcList" not in raw and not _some(raw, "quantityList"):
        check.add(f"{at}/epcList", "missing", "EPCs or quantities are required unless the action is DELETE.")


def _whole_transformation(check: Checker, raw: Mapping[str, Any], at: str) -> None:
    """TransformationEvent as a whole: EPCIS 2.0 section 7.4.5."""
    before = _some(raw, "inputEPCList", "inputQuantityList")
    after = _some(raw, "outputEPCList", "outputQuantityList")
    if not (before and after) and not ("transformationID" in raw and (before or after)):
        message = "Inputs and outputs are required, or one of them with a transformationID."
        check.add(at, "missing", message, "Fill inputEPCList and outputEPCList.")


_WHOLE: Final[Mapping[str, Callable[[Checker, Mapping[str, Any], str], None]]] = {
    "ObjectEvent": _whole_object,
    "AggregationEvent": _whole_aggregation,
    "AssociationEvent": _whole_association,
    "TransactionEvent": _whole_transaction,
    "TransformationEvent": _whole_transformation,
}
