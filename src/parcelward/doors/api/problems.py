"""Errors as RFC 9457 problems: one shape for every program that asks."""

from __future__ import annotations

from typing import Final

import msgspec
from django.http import HttpRequest, HttpResponse

from parcelward.base.errors import ParcelwardError, Problem
from parcelward.doors import refusals
from parcelward.doors.easypost import errors as easypost

TYPE = "application/problem+json"
PATHS: Final = ("/api/", "/epcis/", easypost.FOLDER, "/payments/notices", "/log/", "/metrics", "/healthz", "/readyz")
"""Where programs ask: whatever goes wrong there is answered with a problem document, never with a page."""

_FRAMEWORK: Final = {
    400: ("bad_request", "The request is not valid", "The request cannot be read. Nothing was stored."),
    403: ("not_allowed", "Not allowed", "This cannot be done here."),
    404: ("not_found", "Not found", "There is nothing at this address. /api/v1/docs lists those there are."),
    405: ("method_not_allowed", "Method not allowed", "This address has other methods: see Allow."),
    500: (
        "internal",
        ParcelwardError.title,
        "Nothing that was acknowledged is lost. Tell the operator this request_id.",
    ),
}
"""What the framework refuses before one of our doors is asked, or cannot finish: (code, title, what to do)."""


_OF_READING: Final = {
    400: "The request cannot be read. Look at its address and its headers.",
    403: "This cannot be read here.",
}
"""What is said instead where nothing was sent: to a GET or HEAD."""


class ProblemOut(msgspec.Struct, omit_defaults=True):
    """One problem document (RFC 9457 section 3.1 with our stable `code`, `request_id` and `errors`)."""

    type: str
    title: str
    status: int
    code: str
    detail: str = ""
    request_id: str = ""
    errors: list[Problem] = []


def is_for_programs(request: HttpRequest) -> bool:
    """Return whether this address is one that programs ask."""
    return request.path.startswith(PATHS)


def of_status(request: HttpRequest, status: int) -> HttpResponse:
    """Return the problem document for a bare status of the framework; one that is not in the table is a 500."""
    status = status if status in _FRAMEWORK else 500
    code, title, detail = _FRAMEWORK[status]
    if request.method in {"GET", "HEAD"}:
        detail = _OF_READING.get(status, detail)
    if request.path.startswith(easypost.FOLDER):
        return easypost.of_status(status, detail)
    request_id = getattr(request, "request_id", "")
    out = ProblemOut(type="about:blank", title=title, status=status, code=code, detail=detail, request_id=request_id)
    answer = HttpResponse(msgspec.json.encode(out), content_type=TYPE, status=status)
    answer["Cache-Control"] = "no-store"
    return answer


def response(request: HttpRequest, err: ParcelwardError) -> HttpResponse:
    """Return the error as a problem document, or in the shape of those who ask for another."""
    if request.path.startswith(easypost.FOLDER):
        return easypost.response(request, err)
    if err.status in refusals.STATUSES:
        refusals.saw(request, err.code)
    out = ProblemOut(
        type="about:blank",
        title=err.title,
        status=err.status,
        code=err.code,
        detail=err.message,
        request_id=getattr(request, "request_id", ""),
        errors=list(err.problems),
    )
    answer = HttpResponse(msgspec.json.encode(out), content_type=TYPE, status=err.status)
    if err.status == 401:  # noqa: PLR2004 -- the HTTP status is the name
        answer["WWW-Authenticate"] = 'Signature realm="parcelward", Bearer realm="parcelward"'
    if err.retry_after_s is not None:
        answer["Retry-After"] = str(err.retry_after_s)
    answer["Cache-Control"] = "no-store"
    return answer
