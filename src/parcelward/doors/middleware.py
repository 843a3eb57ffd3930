"""Around every request: an id, one log line when something went wrong, and the security headers."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from parcelward.base import config, disk
from parcelward.base.errors import Invalid, NotFound, ParcelwardError, TooMany
from parcelward.doors import intake, outage, refusals, requests, secret_key, throttle
from parcelward.doors.api import epcis_http, problems
from parcelward.doors.portals import errors as pages

Handler = Callable[[HttpRequest], HttpResponse]
_READ_LATER = epcis_http.FOLDER  # this door looks at who sends before it reads
_SAME_FOR_ALL = "/log/"  # no language and no cookie changes it: a cache keeps one copy
_FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})
_LISTS = frozenset({"scopes"})  # each box that is ticked is one
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})  # RFC 9110 section 9.2.1


class Repeated(Invalid):
    """A parameter comes twice where it counts once."""

    status = 400
    default_code = "repeated"


class Requests:
    """Gives each request an id, and says in one line what failed or was slow; never what was typed.

    The outermost middleware but for the headers.
    """

    def __init__(self, get_response: Handler) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer; what could not be stored or even looked up is refused before anything else happens."""
        request.request_id = request_id = requests.new_id()  # type: ignore[attr-defined]  # read by problems and pages
        start = time.monotonic()
        secret_key.refresh(config.get().home)
        try:
            if getattr(request, "unreadable", False):
                response = pages.bad_request(request)
            else:
                _require_possible(request)
                response = self._get_response(request)
        except ParcelwardError as err:
            response = _refused(request, err)
        if response.status_code == 405 and response["Content-Type"] != problems.TYPE:  # noqa: PLR2004 -- the HTTP status is the name
            response = _refused_method(request, response)
        route = request.resolver_match.route if request.resolver_match else "-"
        requests.note(request.method or "-", route, response.status_code, time.monotonic() - start, request_id)
        refusals.answered(request, response.status_code, route, request_id)
        requests.complete(response, request_id)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Say 503 where the database is away; None lets Django go on with any other error."""
        if not isinstance(exception, outage.ERRORS):
            return None
        outage.drop_connections()
        busy = outage.busy()
        if pages.for_programs(request):
            return problems.response(request, busy)
        return pages.page(request, busy.status, retry_after_s=busy.retry_after_s)


def _refused(request: HttpRequest, err: ParcelwardError) -> HttpResponse:
    """Return an error that no screen and no call raised, in the form of whoever asks."""
    if pages.for_programs(request):
        return problems.response(request, err)
    return pages.page(request, err.status, code=err.code, retry_after_s=err.retry_after_s)


def _refused_method(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Return the framework's bare 405 as a problem document where programs ask, and as a page where people do."""
    if problems.is_for_programs(request):
        answer = problems.of_status(request, response.status_code)
    else:
        answer = pages.page(request, response.status_code)
    answer["Allow"] = response["Allow"]
    return answer


def _require_possible(request: HttpRequest) -> None:
    """Raise what makes the request impossible: who is banned, a NUL in the address, a full disk, a body that cannot be.

    Which parameter of an EPCIS query holds a NUL, its own door says, as the standard wants it.
    """
    throttle.require_heard(throttle.client_address(request))
    asked = "" if request.path.startswith(epcis_http.FOLDER) else request.META.get("QUERY_STRING", "")
    if "\0" in request.path or "%00" in asked:
        raise NotFound("There is nothing here")
    if request.method not in _SAFE:
        disk.require_space()
        if not request.path.startswith(_READ_LATER) and request.META.get("CONTENT_LENGTH", "0") not in {"", "0"}:
            intake.read(request)  # whoever needs it finds it read


def once_each(get_response: Handler) -> Handler:
    """Refuse a parameter that comes twice where it counts once: which of the two was meant, nobody can say."""

    def handle(request: HttpRequest) -> HttpResponse:
        if request.path.startswith(epcis_http.FOLDER):  # this door says it as the standard wants it
            return get_response(request)
        sent = [request.GET]
        if request.method not in _SAFE and request.content_type in _FORMS:
            sent.append(request.POST)
        if all(len(values) == 1 or name in _LISTS for fields in sent for name, values in fields.lists()):
            return get_response(request)
        return _refused_twice(request)

    return handle


def _refused_twice(request: HttpRequest) -> HttpResponse:
    err = Repeated("A parameter stands here more than once; send it once")
    refusals.saw(request, err.code)
    if pages.for_programs(request):
        return problems.response(request, err)
    said = _("Something came twice that counts once. Nothing was changed. Go back, reload the page and try again.")
    return pages.page(request, err.status, detail=said, code=err.code)


def limit_people(get_response: Handler) -> Handler:
    """Take no more forms from one person than hands can send."""

    def handle(request: HttpRequest) -> HttpResponse:
        if request.method not in _SAFE and isinstance(source := getattr(request.user, "source_id", None), int):
            try:
                throttle.allow_person(source)
            except TooMany as err:  # nothing around here would catch it: it would be a fault of ours
                return _refused(request, err)
        return get_response(request)

    return handle


def _leads_to(request: HttpRequest) -> str:
    """Return where else a form of this page may end: on the page of who takes payments, where its view said so."""
    origin = getattr(request, "forms_lead_to", "")
    return f" {origin}" if origin else ""


def security_headers(get_response: Handler) -> Handler:
    """Set every security header on every answer; pages get a fresh nonce for their scripts and styles."""

    def handle(request: HttpRequest) -> HttpResponse:
        nonce = secrets.token_urlsafe(16)
        request.csp_nonce = nonce  # type: ignore[attr-defined]  # read by the templates
        response = get_response(request)
        headers = response.headers
        if request.path.startswith(_SAME_FOR_ALL):
            for name in ("Vary", "Content-Language"):
                headers.pop(name, None)
        policy = (
            f"default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self'; "
            "img-src 'self' data:; font-src 'self'; connect-src 'self'; worker-src 'self'; "
            f"manifest-src 'self'; form-action 'self'{_leads_to(request)}; base-uri 'none'; frame-ancestors 'none'"
        )
        for name, value in requests.security_headers(policy).items():
            headers.setdefault(name, value)
        return response

    return handle
