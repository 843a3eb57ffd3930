"""What the OpenAPI description says beyond what the framework knows: scans, devices' signatures, problem documents."""

from __future__ import annotations

from typing import Any

import msgspec

from parcelward.doors.api import openapi_standards, problems, scans
from parcelward.doors.api.coalesce import SOURCE_WAITING_MAX
from parcelward.parcels.wire import BATCH_BYTES_MAX, BATCH_EVENTS_MAX, ScanIn

_REF = "#/components/schemas/{name}"
_PROBLEM = {problems.TYPE: {"schema": {"$ref": _REF.format(name="ProblemSchema")}}}
_SCAN_REFUSALS = {
    401: "The signature or key does not hold, or was revoked",
    403: "Who sends may not scan",
    409: "The sequence was used before for another batch, or lies too far behind",
    408: "The body did not come in time",
    411: "The body came in chunks, without its length",
    413: f"More than {BATCH_EVENTS_MAX} events or {BATCH_BYTES_MAX} bytes",
    422: "The body is not a batch at all; single bad events are quarantined instead",
    429: f"{SOURCE_WAITING_MAX} requests of the same sender wait already; send it again after Retry-After",
    503: "Not recorded; send the same batch again after Retry-After",
}
_ANSWER: dict[str, Any] = {
    "title": "ScanAnswer",
    "type": "object",
    "additionalProperties": False,
    "required": ["accepted", "duplicates", "quarantined", "instructions", "receipt"],
    "properties": {
        "accepted": {"type": "integer", "minimum": 0},
        "duplicates": {"type": "integer", "minimum": 0, "description": "recorded before: nothing was changed"},
        "quarantined": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["index", "code", "message"],
                "properties": {
                    "index": {"type": "integer", "minimum": 0, "description": "place in the batch, from 0"},
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                },
            },
        },
        "instructions": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["item_id", "do", "reason"],
                "properties": {
                    "item_id": {"type": "string"},
                    "do": {"type": "string", "description": "HOLD, STOP, SEAL_MISMATCH or LABEL_MISMATCH"},
                    "reason": {"type": "string"},
                },
            },
        },
        "receipt": {
            "type": "string",
            "description": (
                "signed note (C2SP): the promise to be in the log within 10 s; POST /api/v1/receipts proves it kept"
            ),
        },
    },
}


def _header(name: str, description: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": False, "schema": {"type": "string"}, "description": description}


_ONCE = (
    "a random UUID, the same when tried again; kept 30 days: the same key and body get the same answer, "
    "another body 422, in flight 409"
)
_UNCHANGED = "the ETag that was read; when it was changed meanwhile, 412"
_FORGED = "the csrf_token of GET /api/v1/me"
_OWN = (
    *((deed, "post") for deed in ("corrections", "restriction", "objections", "erasure", "export")),
    ("requests/{request_id}", "delete"),
)
_HOOK_DEEDS = ("rotate", "test", "replay")
_HEADERS = (
    ("/api/v1/devices", "post", "Idempotency-Key", _ONCE),
    ("/api/v1/manifests", "post", "Idempotency-Key", _ONCE),
    ("/api/v1/orders", "post", "Idempotency-Key", _ONCE),
    ("/api/v1/uploads", "post", "Idempotency-Key", _ONCE),
    ("/api/v1/addressbook", "post", "Idempotency-Key", _ONCE),
    ("/api/v1/keys", "post", "Idempotency-Key", _ONCE),
    ("/api/v1/keys/{key_id}/rotate", "post", "Idempotency-Key", _ONCE),
    ("/api/v1/keys/{key_id}/grants", "post", "Idempotency-Key", _ONCE),
    ("/api/v1/webhooks", "post", "Idempotency-Key", _ONCE),
    *((f"/api/v1/webhooks/{{endpoint_id}}/{deed}", "post", "Idempotency-Key", _ONCE) for deed in _HOOK_DEEDS),
    *(("/api/v1/webhooks/{endpoint_id}", method, "If-Match", _UNCHANGED) for method in ("patch", "delete")),
    ("/api/v1/me/corrections", "post", "Idempotency-Key", _ONCE),
    ("/api/v1/me/restriction", "post", "Idempotency-Key", _ONCE),
    ("/api/v1/me/objections", "post", "Idempotency-Key", _ONCE),
    ("/api/v1/me/erasure", "post", "Idempotency-Key", _ONCE),
    *(("/api/v1/me/" + path, method, "X-CSRFToken", _FORGED) for path, method in _OWN),
    ("/api/v1/facilities/{code}", "put", "If-Match", _UNCHANGED),
    ("/api/v1/facilities/{code}/calendar", "put", "If-Match", _UNCHANGED),
    ("/api/v1/lanes/{origin}/{destination}", "put", "If-Match", _UNCHANGED),
)


_LABEL = "/api/v1/orders/{order_id}/labels/{place}"
LABEL_KINDS = {"pdf": "application/pdf", "zpl": "application/zpl", "png": "image/png"}


def _scans() -> dict[str, Any]:
    event = {"$ref": _REF.format(name="ScanIn")}
    batch = {"type": "array", "minItems": 1, "maxItems": BATCH_EVENTS_MAX, "items": event}
    return {
        "post": {
            "operationId": "record_scans",
            "summary": "Record a batch of scan events",
            "description": (
                "Durable before it is answered; the same batch again gets the same answer. A device signs the request "
                '(RFC 9421, alg="ed25519", over "@method" "@path" "content-digest" "device-sequence"); a partner\'s '
                "system sends an API key."
            ),
            "parameters": [
                _header("Device-Sequence", "the batch's number, rising by one; signed by devices"),
                _header("Content-Digest", "RFC 9530, sha-256; with a signature"),
                _header("Signature-Input", "RFC 9421; one signature, named sig1"),
                _header("Signature", "RFC 9421"),
            ],
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {"schema": batch},
                    "application/x-ndjson": {"schema": {"type": "string", "description": "one event a line"}},
                },
            },
            "responses": {
                "200": {
                    "description": "Recorded",
                    "content": {"application/json": {"schema": {"$ref": _REF.format(name="ScanAnswer")}}},
                },
                **{str(status): {"description": why, "content": _PROBLEM} for status, why in _SCAN_REFUSALS.items()},
            },
            "security": [{"Bearer": []}, {"DeviceSignature": []}],
        }
    }


def complete(described: dict[str, Any]) -> dict[str, Any]:
    """Return the framework's description with what it does not know; problems get their own media type."""
    for operations in described["paths"].values():
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                if int(status) >= 400:  # noqa: PLR2004 -- the HTTP status class
                    answer["content"] = _PROBLEM
    for method in ("get", "post"):
        described["paths"][_LABEL][method]["responses"][200]["content"] = {
            kind: {"schema": {"type": "string", "format": "binary"}} for kind in LABEL_KINDS.values()
        }
    file = {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}
    described["paths"]["/api/v1/orders/{order_id}/customs"]["get"]["responses"][200]["content"] = file
    for path, method, header, words in _HEADERS:
        parameter = _header(header, words)
        if words is _ONCE:
            parameter |= {"required": True, "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"}}
        if words is _FORGED:
            parameter["required"] = True
        described["paths"][path][method].setdefault("parameters", []).append(parameter)
    described["paths"][scans.PATH] = _scans()
    described["paths"].update(openapi_standards.paths())
    _, schemas = msgspec.json.schema_components([ScanIn], ref_template=_REF)
    components = described["components"]
    components.setdefault("schemas", {}).update({**schemas, "ScanAnswer": _ANSWER})
    components.setdefault("securitySchemes", {})["DeviceSignature"] = {
        "type": "apiKey",
        "in": "header",
        "name": "Signature",
        "description": "HTTP Message Signature (RFC 9421) of an enrolled device's Ed25519 key",
    }
    return described
