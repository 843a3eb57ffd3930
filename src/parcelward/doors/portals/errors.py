"""Errors as pages: what happened, that nothing was lost, what to do, and the request's id."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from parcelward.base.errors import NotKnown, ParcelwardError
from parcelward.doors import refusals
from parcelward.doors.api import problems

PAGES: Final = {
    400: (
        gettext_lazy("We could not read that request"),
        gettext_lazy("Nothing was changed. Go back, reload the page and try again."),
    ),
    403: (
        gettext_lazy("You may not do this"),
        gettext_lazy("Nothing was changed. If you should be able to, ask an administrator."),
    ),
    404: (
        gettext_lazy("There is nothing here to show"),
        gettext_lazy("The address may be mistyped, or there is no parcel with this number that we may show."),
    ),
    405: (
        gettext_lazy("This page cannot be opened by itself"),
        gettext_lazy("It only takes what a form sends. Nothing was changed. Go back and use the button there."),
    ),
    409: (
        gettext_lazy("Somebody was quicker"),
        gettext_lazy("It changed while you were looking at it, so nothing was done. Reload and look again."),
    ),
    413: (
        gettext_lazy("That is more than we can take at once"),
        gettext_lazy("Nothing was stored. Send it in smaller parts."),
    ),
    422: (gettext_lazy("Something in that was not right"), gettext_lazy("Nothing was changed.")),
    429: (
        gettext_lazy("Too many questions in a short time"),
        gettext_lazy("Nothing is wrong with your parcel."),
    ),
    500: (
        gettext_lazy("Something went wrong on our side"),
        gettext_lazy("What you had sent before is safe. Try again in a minute."),
    ),
    503: (
        gettext_lazy("We are busy just now"),
        gettext_lazy("Nothing was stored, so nothing is half done."),
    ),
}
_INSIDE: Final = {
    403: gettext_lazy("Nothing was changed. Your role has no right to it; who gave you the role can give you another."),
    404: gettext_lazy("The address may be mistyped, or it is nothing that your role shows you."),
}
"""What is said instead to whoever is behind the sign-in, on a page that keeps the way on."""
RETRY_AFTER_S_DEFAULT: Final = 60
_PASSING: Final = frozenset({429, 503})  # says when to come back
_AGAIN: Final = frozenset({429, 500, 503})
_OWN_WORDS: Final = frozenset({403, 404, 429, 500, 503})
"""Never more exact than the page's own sentence: unknown and forbidden must look alike, and what these errors say is
written for programs, or says the title again."""


def for_programs(request: HttpRequest) -> bool:
    """Tell whether a program asks: at one of its doors, or a page for JSON."""
    return problems.is_for_programs(request) or request.GET.get("format") == "json"


def in_words(error: ParcelwardError, *, otherwise: str) -> str:
    """Return the error's sentence in the reader's language; `otherwise` where it has only been written in English."""
    said = _(error.message)
    english = (get_language() or "en").startswith("en")
    return said if english or said != error.message else otherwise


def page(
    request: HttpRequest, status: int, *, detail: str = "", code: str = "", retry_after_s: int | None = None
) -> HttpResponse:
    """Return the page for `status`; `detail` is a sentence that is safe to show, more exact than the usual one."""
    if status in _PASSING and retry_after_s is None:
        retry_after_s = RETRY_AFTER_S_DEFAULT
    if status in refusals.STATUSES and code:
        refusals.saw(request, code)
    title, words = PAGES.get(status, PAGES[500])
    inside = status in _INSIDE and request.path.startswith("/app/")
    if inside:
        words = _INSIDE[status]
    context = {
        "base": "base_app.html" if inside else "base_public.html",
        "home": "/app/" if inside else "/",
        "title": title,
        "words": detail or words,
        "status": status,
        "code": code,
        "retry_after_s": retry_after_s,
        # A form is not sent again by following a link: only what was looked at is offered again.
        "again": request.get_full_path() if status in _AGAIN and request.method in {"GET", "HEAD"} else "",
        "with_search": status == 404 and not inside,  # noqa: PLR2004 -- the HTTP status is the name
    }
    response = render(request, "error.html", context, status=status)
    if retry_after_s is not None:
        response["Retry-After"] = str(retry_after_s)
    response["Cache-Control"] = "no-store"
    return response


def _page_or_problem(request: HttpRequest, status: int) -> HttpResponse:
    return problems.of_status(request, status) if problems.is_for_programs(request) else page(request, status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001 -- Django's signature
    """Answer 400."""
    return _page_or_problem(request, 400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001 -- Django's signature
    """Answer 403."""
    return _page_or_problem(request, 403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001 -- Django's signature
    """Answer 404: unknown and forbidden look alike."""
    return _page_or_problem(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500."""
    return _page_or_problem(request, 500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 -- the reason helps an attacker more than a reader
    """Answer a form that was not sent from our own page, or from one that was open for too long."""
    if problems.is_for_programs(request):  # no form leads there: what changes something asks for a key, not a cookie
        answer = problems.of_status(request, 405)
        answer["Allow"] = "GET, HEAD"
        return answer
    refusals.saw(request, "csrf")
    return page(
        request,
        403,
        detail=_("This page was open for too long. Nothing was changed. Go back, reload and send it again."),
    )


class ErrorPages:
    """Shows a ParcelwardError that a screen raised as a page; programs' doors are left to their own answers.

    The last middleware in the list, so that it sees what the screens raise.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Return a page for one of our own errors; None lets Django go on with any other."""
        if not isinstance(exception, ParcelwardError) or problems.is_for_programs(request):
            return None
        if for_programs(request):
            return problems.response(request, exception)
        status = 403 if isinstance(exception, NotKnown) else exception.status
        detail = "" if status in _OWN_WORDS else in_words(exception, otherwise="")
        return page(request, status, detail=detail, code=exception.code, retry_after_s=exception.retry_after_s)
