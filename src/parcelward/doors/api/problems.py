"""Errors as RFC 9457 problems: one shape for every program that asks."""

from __future__ import annotations

import msgspec
from django.http import HttpRequest, HttpResponse

from parcelward.base.errors import ParcelwardError, Problem

TYPE = "application/problem+json"


class ProblemOut(msgspec.Struct, omit_defaults=True):
    """One problem document (RFC 9457 section 3.1 with our stable `code`, `request_id` and `errors`)."""

    type: str
    title: str
    status: int
    code: str
    detail: str = ""
    request_id: str = ""
    errors: list[Problem] = []


def response(request: HttpRequest, err: ParcelwardError) -> HttpResponse:
    """Return the error as a problem document."""
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
