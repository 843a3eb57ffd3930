"""Errors in EasyPost's shape: {"error": {"code", "message", "errors": [{"field", "message", ...}]}}."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec
from django.http import HttpRequest, HttpResponse

from parcelward.base.errors import Invalid, ParcelwardError, Problem
from parcelward.doors import refusals

FOLDER: Final = "/easypost/"
"""Whatever goes wrong below it is answered in this shape."""


class BadRequest(Invalid):
    """The body cannot be read at all."""

    status = 400
    default_code = "BAD_REQUEST"
    title = "The request cannot be read"


class NoSuchMethod(ParcelwardError):
    """The address exists; this method does not."""

    status = 405
    default_code = "METHOD_NOT_ALLOWED"
    title = "Method not allowed"


class NotOffered(ParcelwardError):
    """A part of EasyPost's API that is not offered here; nothing was done, and nothing was charged."""

    status = 501
    default_code = "NOT_IMPLEMENTED"
    title = "This is not offered here"


_CODES: Final = {
    401: "UNAUTHORIZED",
    402: "PAYMENT_REQUIRED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    413: "REQUEST.TOO_LARGE",
    429: "RATE_LIMITED",
    500: "INTERNAL_SERVER_ERROR",
    503: "SERVICE_UNAVAILABLE",
}
_STATUSES: Final = {409: 422, 412: 422, 413: 422}
"""Our status -> what their clients have an exception for."""
_BY_CODE: Final = {
    "not_enough": (402, "PAYMENT.INSUFFICIENT_FUNDS"),
    "over_cap": (402, "PAYMENT.OVER_LIMIT"),
    "quote_over": (422, "SHIPMENT.RATES.EXPIRED"),
    "tendered": (422, "SHIPMENT.REFUND.UNAVAILABLE"),
    "bad_order": (422, "SHIPMENT.POSTAGE.FAILURE"),
}
_PARTS: Final = {
    "addressee": "name",
    "organisation": "company",
    "street_lines": "street1",
    "street_lines/0": "street1",
    "street_lines/1": "street2",
    "locality": "city",
    "administrative_area": "state",
    "postcode": "zip",
}
_ELSEWHERE: Final = {
    "weight_g": "parcel.weight",
    "size_mm": "parcel",
    "product": "rate",
    "contents/description": "customs_info.customs_items",
    "to": "to_address",
    "to/note": "to_address",
}


def field_of(pointer: str) -> str:
    """Return what EasyPost calls the place that a JSON Pointer of ours names: `to_address.zip`."""
    path = re.sub(r"^/items/\d+/", "/", pointer).strip("/")
    if path in _ELSEWHERE:
        return _ELSEWHERE[path]
    for ours, theirs in (
        ("sender/address", "from_address"),
        ("to/address", "to_address"),
        ("sender", "from_address"),
        ("to", "to_address"),
    ):
        if path == ours or path.startswith(f"{ours}/"):
            part = path.removeprefix(ours).strip("/")
            return f"{theirs}.{_PARTS.get(part, part)}".rstrip(".")
    return _PARTS.get(path, path.replace("/", "."))


def said_of(problem: Problem) -> dict[str, Any]:
    """Return one thing that is wrong, as EasyPost's field error."""
    return {
        "code": problem.code.upper(),
        "field": field_of(problem.pointer),
        "message": str(problem.message),
        "suggestion": problem.suggestion or None,
    }


def response(request: HttpRequest, err: ParcelwardError) -> HttpResponse:
    """Return an error in their shape, with a status that their clients know."""
    if err.status in refusals.STATUSES:
        refusals.saw(request, err.code)
    status, code = _BY_CODE.get(err.code, (_STATUSES.get(err.status, err.status), ""))
    code = code or (err.code if err.code.isupper() else _CODES.get(err.status, err.code.upper()))
    answer = _answer(status, code, err.message, [said_of(one) for one in err.problems])
    if status == 401:  # noqa: PLR2004 -- the HTTP status is the name
        answer["WWW-Authenticate"] = 'Basic realm="parcelward", Bearer realm="parcelward"'
    if err.retry_after_s is not None:
        answer["Retry-After"] = str(err.retry_after_s)
    return answer


def of_status(status: int, message: str) -> HttpResponse:
    """Return a bare status of the framework in their shape."""
    return _answer(status, _CODES.get(status, "BAD_REQUEST"), message, [])


def _answer(status: int, code: str, message: str, found: list[dict[str, Any]]) -> HttpResponse:
    body = msgspec.json.encode({"error": {"code": code, "message": message, "errors": found}})
    answer = HttpResponse(body, content_type="application/json; charset=utf-8", status=status)
    answer["Cache-Control"] = "no-store"
    return answer
