"""What every EPCIS 2.0 address shares: who asks, versions and formats, problems with the standard's types, links.

Source: GS1 EPCIS 2.0 section 12 (REST binding) and its OpenAPI description.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from parcelward import __version__
from parcelward.base import config
from parcelward.base.errors import NotKnown, ParcelwardError, Problem, TooLarge
from parcelward.base.standards.epcis.checks import escape
from parcelward.base.standards.epcis.event import Refused
from parcelward.base.standards.epcis.limits import DOCUMENT_BYTES_MAX, EVENTS_MAX
from parcelward.base.standards.epcis.query import PER_PAGE, PER_PAGE_MAX
from parcelward.base.standards.epcis.vocabulary import CONTEXT_URL
from parcelward.doors import intake, throttle
from parcelward.doors.api import problems
from parcelward.parcels.actions.capture import NotCaptured
from parcelward.parcels.captured import QueryTooComplex, QueryTooLarge
from parcelward.people.wire import Person

FOLDER: Final = "/epcis/"
VERSION: Final = "2.0.0"
CONTENT_TYPES: Final = frozenset({"application/json", "application/ld+json"})
EXTENSIONS: Final = "parcelward=https://parcelward.example/epcis/"
FORMATS: Final = frozenset({"No_Preference", "Never_Translates", "Always_GS1_Digital_Link"})

View = Callable[..., HttpResponse]


class WrongMedia(Refused):
    """What was sent is in a format that is not read here."""

    status = 415
    default_code = "unsupported_media_type"
    title = "Only JSON is read here"


class NotOffered(Refused):
    """What is asked for comes in no such version or format."""

    status = 406
    default_code = "not_acceptable"
    title = "Not offered in this version or format"


class NotBuilt(ParcelwardError):
    """A part of the standard that is not offered here."""

    status = 501
    default_code = "not_implemented"
    title = "This part of EPCIS is not offered here"


class NoSuchMethod(ParcelwardError):
    """The address exists; this method does not."""

    status = 405
    default_code = "method_not_allowed"
    title = "Method not allowed"


_EXCEPTIONS: Final[tuple[tuple[type[ParcelwardError], int, str], ...]] = (
    (WrongMedia, 415, "UnsupportedMediaTypeException"),
    (NotOffered, 406, "NotAcceptableException"),
    (NotBuilt, 501, "ImplementationException"),
    (QueryTooLarge, 413, "QueryTooLargeException"),
    (QueryTooComplex, 413, "QueryTooComplexException"),
    (NotCaptured, 400, "ValidationException"),
    (TooLarge, 413, "CaptureLimitExceededException"),
)
_BY_STATUS: Final = {
    401: "SecurityException",
    403: "SecurityException",
    404: "NoSuchResourceException",
    409: "ResourceAlreadyExistsException",
    501: "ImplementationException",
}


def problem(request: HttpRequest, err: ParcelwardError) -> HttpResponse:
    """Return an error as a problem document with the standard's exception as its type."""
    status, exception = err.status, _BY_STATUS.get(err.status, "ImplementationException")
    for kind, as_status, name in _EXCEPTIONS:
        if isinstance(err, kind):
            status, exception = as_status, name
            break
    else:
        if err.status == 422:  # noqa: PLR2004 -- ours for a bad request; the standard says 400
            status = 400
            exception = "QueryParameterException" if err.code == "query_parameter" else "ValidationException"
    if isinstance(err, Refused) and err.code == "too_large":
        status, exception = 413, "CaptureLimitExceededException"
    out = problems.ProblemOut(
        type=f"epcisException:{exception}",
        title=err.title,
        status=status,
        code=err.code,
        detail=err.message,
        request_id=getattr(request, "request_id", ""),
        errors=list(err.problems),
    )
    answer = problems.response(request, err)
    answer.content, answer.status_code = msgspec.json.encode(out), status
    if status == 413:  # noqa: PLR2004 -- the HTTP status is the name
        answer["GS1-EPCIS-Capture-Limit"] = str(EVENTS_MAX)
        answer["GS1-EPCIS-Capture-File-Size-Limit"] = str(DOCUMENT_BYTES_MAX)
    return answer


def address(**methods: View) -> View:
    """Return the view of one address: its methods, OPTIONS, and what every answer carries.

    Each method's view gets the request, who asks, and the address's parts.
    """
    allowed = ", ".join(["OPTIONS", *methods])

    @csrf_exempt  # a key is asked for, never a cookie
    def view(request: HttpRequest, **parts: str) -> HttpResponse:
        try:
            by = _caller(request)
            handler = methods.get(request.method or "")
            if request.method == "OPTIONS":
                answer = HttpResponse(status=204)
            elif handler is None:
                raise NoSuchMethod(f"This address has {allowed}")
            else:
                _negotiate(request)
                _require_storable(request)
                parameters(request)  # each once, also where an address takes none
                answer = handler(request, by, **parts)
        except ParcelwardError as err:
            answer = problem(request, err)
        answer["GS1-EPCIS-Version"] = answer["GS1-CBV-Version"] = VERSION
        answer["GS1-Extensions"] = EXTENSIONS
        answer["Cache-Control"] = "no-store"
        if request.method == "OPTIONS" or answer.status_code == 405:  # noqa: PLR2004 -- the HTTP status is the name
            answer["Allow"] = allowed
        if request.method == "OPTIONS":
            _discover(answer, captures="POST" in methods)
        return answer

    return view


def _caller(request: HttpRequest) -> Person:
    authorization = request.headers.get("Authorization", "")
    if not authorization.startswith("Bearer "):
        raise NotKnown("Send an API key as a bearer token")
    holder = throttle.key_holder(authorization[7:], throttle.client_address(request))
    request.auth = holder  # type: ignore[attr-defined]  # as the framework of the other calls keeps it; read by refusals
    return holder


def _discover(answer: HttpResponse, *, captures: bool) -> None:
    for name in ("EPCIS", "CBV"):
        answer[f"GS1-{name}-Min"] = answer[f"GS1-{name}-Max"] = VERSION
    answer["GS1-EPC-Format"] = "Never_Translates"  # events come back as they were captured
    answer["GS1-Vendor-Version"] = _vendor_version()
    if captures:
        answer["GS1-EPCIS-Capture-Limit"] = str(EVENTS_MAX)
        answer["GS1-EPCIS-Capture-File-Size-Limit"] = str(DOCUMENT_BYTES_MAX)
        answer["GS1-Capture-Error-Behaviour"] = "all"


@functools.cache
def _vendor_version() -> str:
    return f"parcelward-{__version__}"


def _negotiate(request: HttpRequest) -> None:
    """Raise NotOffered when the caller insists on a version or format that is not there."""
    for name in ("EPCIS", "CBV"):
        least, most = request.headers.get(f"GS1-{name}-Min", VERSION), request.headers.get(f"GS1-{name}-Max", VERSION)
        exact = request.headers.get(f"GS1-{name}-Version", VERSION)
        if not (_number(least) <= _number(VERSION) <= _number(most)) or _number(exact)[:2] != _number(VERSION)[:2]:
            raise NotOffered(f"{name} {VERSION} is what is spoken here")
    accepted = [part.partition(";")[0].strip() for part in request.headers.get("Accept", "*/*").split(",")]
    if not {"*/*", "application/*", "application/problem+json", *CONTENT_TYPES} & set(accepted):
        raise NotOffered("Answers are application/json")
    if request.headers.get("GS1-EPC-Format", "No_Preference") not in FORMATS:
        raise NotOffered("EPCs are given out as they were captured, or as GS1 Digital Links")


def _require_storable(request: HttpRequest) -> None:
    """Raise Refused for a NUL character in the query string: no database holds one, so nothing could answer."""
    words = "A NUL character (U+0000) stands here. Send it without."
    found = tuple(
        Problem(f"/{escape(name).replace(chr(0), '?')}", "bad_character", words)
        for name, values in request.GET.lists()
        if any("\0" in text for text in (name, *values))
    )
    if found:
        raise Refused("A parameter holds a NUL character.", code="query_parameter", problems=found[:10])


def _number(text: str) -> tuple[int, ...]:
    parts = text.split(".")
    if len(parts) > 4 or not all(part.isascii() and part.isdigit() and len(part) <= 4 for part in parts):  # noqa: PLR2004 -- more than any version has
        raise NotOffered("A version is numbers with dots, as 2.0.0")
    return (*map(int, parts), 0, 0, 0)[:3]


def body_of(request: HttpRequest) -> bytes:
    """Return what was sent, at most DOCUMENT_BYTES_MAX bytes of JSON."""
    kind = (request.content_type or "").lower()
    if kind not in CONTENT_TYPES:
        raise WrongMedia("Send application/json or application/ld+json; EPCIS XML is not read here")
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise WrongMedia("Send the body uncompressed")
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > DOCUMENT_BYTES_MAX:
        raise TooLarge(f"A document has at most {DOCUMENT_BYTES_MAX} bytes and {EVENTS_MAX} events; send it in parts")
    return intake.read(request, length=int(length))  # not `request.body`, which ends at the limit for scans


def as_json(value: Any, *, status: int = 200) -> HttpResponse:
    """Return `value` as an answer."""
    return HttpResponse(json.dumps(value, ensure_ascii=False), content_type="application/json", status=status)


def collection(members: list[str]) -> dict[str, Any]:
    """Return a list of resources in the standard's form."""
    return {"@context": CONTEXT_URL, "type": "Collection", "member": members}


def link(request: HttpRequest, answer: HttpResponse, token: str) -> HttpResponse:
    """Say where the next page is, if there is one."""
    if token:
        asked = {name: value for name, value in request.GET.items() if name != "nextPageToken"}
        where = f"{config.get().public_url}{request.get_full_path().partition('?')[0]}"
        answer["Link"] = f'<{where}?{urlencode({**asked, "nextPageToken": token})}>; rel="next"'
    return answer


def parameters(request: HttpRequest) -> Mapping[str, str]:
    """Return the query string, each name once."""
    repeated = [name for name in request.GET if len(request.GET.getlist(name)) > 1]
    if repeated:
        words = "Give it once, with its values separated by |."
        found = tuple(Problem(f"/{name}", "repeated", words) for name in repeated[:10])
        raise Refused("A parameter stands here more than once.", code="query_parameter", problems=found)
    return request.GET.dict()


def paging(request: HttpRequest) -> tuple[str, int]:
    """Return the token and the size of the page that a list is asked for."""
    text = request.GET.get("perPage", str(PER_PAGE))
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= PER_PAGE_MAX):  # noqa: PLR2004 -- digits of the limit
        found = Problem("/perPage", "bad_number", f"A whole number from 1 to {PER_PAGE_MAX} is expected here.")
        raise Refused("This page cannot be given.", code="query_parameter", problems=(found,))
    return request.GET.get("nextPageToken", ""), int(text)
