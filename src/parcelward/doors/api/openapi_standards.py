"""What the OpenAPI description says of the addresses that standards fix: the log (C2SP tlog-tiles) and EPCIS 2.0.

Subscriptions and the release of page tokens are not offered (501) and not described.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from parcelward.base.standards.epcis.query import PER_PAGE, PER_PAGE_MAX
from parcelward.doors.api import problems
from parcelward.parcels import captured_lists

_PROBLEM: Final = {problems.TYPE: {"schema": {"$ref": "#/components/schemas/ProblemSchema"}}}
_JSON: Final = "application/json"
_WHY: Final = {
    400: "What was sent or asked is not right; the errors say where",
    401: "No key, or one that does not hold",
    403: "This key may not do that",
    404: "There is no such thing, or none of yours",
    405: "The address has other methods",
    406: "Not offered in this version or format",
    409: "The name is taken",
    413: "Too large, or too much to ask at once",
    415: "Only JSON is read here, uncompressed",
    429: "Too many requests",
    503: "Ask again after Retry-After",
}
_READING: Final = (400, 401, 403, 404, 405, 406, 413, 429, 503)
_WRITING: Final = (*_READING, 409, 415)
_COLLECTION: Final = {
    "type": "object",
    "required": ["@context", "type", "member"],
    "properties": {"type": {"const": "Collection"}, "member": {"type": "array", "items": {"type": "string"}}},
}
_DOCUMENT: Final = {
    "type": "object",
    "required": ["@context", "type", "schemaVersion", "creationDate", "epcisBody"],
    "properties": {"type": {"const": "EPCISQueryDocument"}},
}
_JOB: Final = {
    "type": "object",
    "required": ["captureID", "createdAt", "running", "success", "captureErrorBehaviour", "errors"],
    "properties": {
        "captureID": {"type": "string", "format": "uuid"},
        "running": {"type": "boolean"},
        "success": {"type": "boolean"},
        "captureErrorBehaviour": {"enum": ["rollback", "proceed"]},
        "errors": {"type": "array", "items": {"type": "object"}},
    },
}
_QUERY: Final = {"type": "object", "required": ["name", "query"]}
_EVENT: Final = {
    "type": "ObjectEvent",
    "eventTime": "2026-01-05T09:00:00-06:00",
    "eventTimeZoneOffset": "-06:00",
    "action": "OBSERVE",
    "bizStep": "accepting",
    "epcList": ["urn:epc:id:sscc:9521234.0000000001"],
}
_CONTEXT: Final = ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"]
_EXAMPLES: Final[Mapping[str, dict[str, Any]]] = {
    "/epcis/capture": {
        "@context": _CONTEXT,
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-01-05T09:00:00-06:00",
        "epcisBody": {"eventList": [_EVENT]},
    },
    "/epcis/events": {"@context": _CONTEXT, **_EVENT},
    "/epcis/queries": {"name": "accepted", "query": {"EQ_bizStep": ["accepting"]}},
}
_PAGED: Final = ("perPage", "nextPageToken")


def _part(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}


def _parameter(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    if name == "perPage":
        schema = {"type": "integer", "minimum": 1, "maximum": PER_PAGE_MAX, "default": PER_PAGE}
    return {"name": name, "in": "query", "required": False, "schema": schema}


def _operation(
    summary: str, path: str, *, gives: Mapping[int, Mapping[str, Any]], refusals: Sequence[int]
) -> dict[str, Any]:
    parts = [_part(text.partition("}")[0]) for text in path.split("{")[1:]]
    refused = {str(s): {"description": _WHY[s], "content": _PROBLEM} for s in sorted(refusals)}
    given = {str(status): {"description": summary, **answer} for status, answer in gives.items()}
    return {"summary": summary, "parameters": parts, "responses": {**given, **refused}}


def _log() -> dict[str, Any]:
    text, binary = {"type": "string"}, {"type": "string", "format": "binary"}
    proven = {"type": "object", "required": ["object", "origin", "vkeys", "body", "salt", "proof"]}
    chain = {"type": "object", "required": ["object", "origin", "entries"]}
    days = {"type": "object", "required": ["object", "data"]}
    found = {}
    for path, summary, kind, schema in (
        ("/log/checkpoint", "The newest signed checkpoint (C2SP tlog-checkpoint)", "text/plain", text),
        ("/log/checkpoint/witnessed", "The newest checkpoint with enough cosignatures", "text/plain", text),
        ("/log/vkey", "The log's verifier keys, one a line", "text/plain", text),
        ("/log/verifier", "The entry that names verify.html's hash, opened and proven", _JSON, proven),
        ("/log/succession", "Which key followed which: each entry, opened and proven", _JSON, chain),
        ("/log/archive", "The days that have an archive checkpoint, newest first", _JSON, days),
        ("/log/archive/{day}", "A day's archive checkpoint, signed with ML-DSA-44 as well", "text/plain", text),
        ("/log/archive/{day}.tsr", "Its RFC 3161 timestamp, where it has one", "application/timestamp-reply", binary),
        ("/log/tile/{path}", "A tile or an entry bundle (C2SP tlog-tiles)", "application/octet-stream", binary),
    ):
        gives: Mapping[int, Mapping[str, Any]] = {200: {"content": {kind: {"schema": schema}}}}
        found[path] = {"get": _operation(summary, path, gives=gives, refusals=(400, 404, 405, 503))}
    return found


def _epcis() -> dict[str, Any]:
    reads: list[tuple[str, str, dict[str, Any], tuple[str, ...]]] = [
        ("/epcis/", "What there is", _COLLECTION, ()),
        ("/epcis/capture", "Your capture jobs, the newest first", {"type": "array", "items": _JOB}, _PAGED),
        ("/epcis/capture/{capture_id}", "One capture job", _JOB, ()),
        ("/epcis/events", "Events that answer the query in the address", _DOCUMENT, (*_PAGED, *_ASKED)),
        ("/epcis/events/{event_id}", "One event, with the declarations that it was wrong", _DOCUMENT, ()),
        ("/epcis/eventTypes", "The five types", _COLLECTION, ()),
        ("/epcis/eventTypes/{value}", "What there is of one type", _COLLECTION, ()),
        ("/epcis/eventTypes/{value}/events", "Events of one type", _DOCUMENT, _PAGED),
        ("/epcis/queries", "Your kept questions", {"type": "array"}, _PAGED),
        ("/epcis/queries/{name}", "One kept question", {"type": "object"}, ()),
        ("/epcis/queries/{name}/events", "Events that answer a kept question", _DOCUMENT, _PAGED),
    ]
    for kind in captured_lists.LISTS:
        reads += [
            (f"/epcis/{kind}", f"The {kind} of your events", _COLLECTION, _PAGED),
            (f"/epcis/{kind}/{{value}}", "What there is of it", _COLLECTION, ()),
            (f"/epcis/{kind}/{{value}}/events", "Events with it", _DOCUMENT, _PAGED),
        ]
    found: dict[str, Any] = {}
    for path, summary, schema, asked in reads:
        gives = {200: {"content": {_JSON: {"schema": schema}}}}
        operation = _operation(summary, path, gives=gives, refusals=_READING)
        operation["parameters"] += [_parameter(name) for name in asked]
        found[path] = {"get": operation}
    kept = {"content": {_JSON: {"schema": {"type": "object"}}}}
    writes: list[tuple[str, str, Mapping[int, Mapping[str, Any]]]] = [
        ("/epcis/capture", "Capture a document; the job says what became of it", {202: {}}),
        ("/epcis/events", "Capture one event before the answer", {201: kept}),
        ("/epcis/queries", "Keep a question; its address is in Location", {201: {}}),
    ]
    for path, summary, made in writes:
        schema = _QUERY if path == "/epcis/queries" else {"type": "object"}
        said = {"schema": schema, "example": _EXAMPLES[path]}
        operation = _operation(summary, path, gives=made, refusals=_WRITING)
        operation["requestBody"] = {"required": True, "content": {_JSON: said}}
        found[path]["post"] = operation
    path = "/epcis/queries/{name}"
    found[path]["delete"] = _operation("Forget a question", path, gives={204: {}}, refusals=_READING)
    for operations in found.values():
        for operation in operations.values():
            operation["security"] = [{"Bearer": []}]
    return found


_ASKED: Final = ("EQ_bizStep", "EQ_disposition", "MATCH_epc", "GE_eventTime", "LT_eventTime", "eventType", "EQ_action")


def paths() -> dict[str, Any]:
    """Return the description of every address under /log/ and /epcis/ that is offered."""
    return {**_log(), **_epcis()}
