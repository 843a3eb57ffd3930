"""The desk for what people ask of their data: the queue with the days that are left, and the answer with its reason."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from parcelward.base.errors import ParcelwardError
from parcelward.doors.portals import mydata_words as words
from parcelward.doors.portals.accounts.guard import fresh_proof, who_finds
from parcelward.people.wire import Person, Task
from parcelward.privacy import actions as privacy
from parcelward.privacy import queries
from parcelward.privacy.wire import Asked, Reason, RequestState, Right

HOME: Final = "/app/desk/rights"
SAID: Final = "rights_said"
REFUSALS: Final[dict[Right, tuple[Reason, ...]]] = dict(queries.REFUSES)


@login_required
@never_cache
@require_safe
def queue(request: HttpRequest) -> HttpResponse:
    """Show what waits for an answer, the most urgent first."""
    person, now = who_finds(request, Task.ANSWER_RIGHTS), timezone.now()
    lines = [words.request_line(one, now=now) for one in queries.requests_open(by=person)]
    context = {
        "said": request.session.pop(SAID, ""),
        "open": [line for line in lines if line.asked.state is RequestState.OPEN],
        "waiting": [line for line in lines if line.asked.state is RequestState.WAITING],
    }
    return render(request, "mydata/queue.html", context)


@fresh_proof
@require_http_methods(["GET", "HEAD", "POST"])
def answer(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Show one request; grant it, refuse it or take more time, asked once more before it is done."""
    person, now, post = who_finds(request, Task.ANSWER_RIGHTS), timezone.now(), request.POST
    asked = queries.request(request_id, by=person)
    deed, reason = post.get("deed", ""), post.get("reason", "")
    problem, status = "", 200
    if request.method == "POST":
        problem = _problem(asked, deed, reason)
        if not problem and post.get("sure"):
            try:
                _do(asked, deed, reason, person)
            except ParcelwardError as refused:
                problem, status = _(refused.message), refused.status
            else:
                request.session[SAID] = _("Noted. The person reads it on their own page.")
                return HttpResponseRedirect(HOME)
        status = status if status != 200 else 422 if problem else 200  # noqa: PLR2004 -- HTTP's own
    line = words.request_line(asked, now=now)
    context: dict[str, Any] = {
        "line": line,
        "asked": asked,
        "problem": problem,
        "deed": deed,
        "reason": reason,
        "reason_words": words.reason_says(Reason(reason)) if reason and not problem else "",
        "sure": request.method == "POST" and not problem,
        "own": asked.account == person.id,
        "first_is_me": asked.first_by == person.source,
        "holds": queries.holds_on(asked.account, by=person),
        "refusals": [(one.value, words.reason_says(one)) for one in REFUSALS.get(asked.right, ())],
        "extensions": [(one.value, words.reason_says(one)) for one in queries.EXTENDS],
        "is_open": asked.state is RequestState.OPEN,
    }
    return render(request, "mydata/answer.html", context, status=status)


def _problem(asked: Asked, deed: str, reason: str) -> str:
    if deed not in {"uphold", "refuse", "extend"}:
        return _("Say what you decide.")
    if deed == "refuse" and reason not in {one.value for one in REFUSALS.get(asked.right, ())}:
        return _("Choose the reason for refusing.")
    if deed == "extend" and reason not in {one.value for one in queries.EXTENDS}:
        return _("Choose the reason for taking more time.")
    return ""


def _do(asked: Asked, deed: str, reason: str, person: Person) -> None:
    if deed == "uphold":
        privacy.uphold(asked.request_id, by=person)
    elif deed == "refuse":
        privacy.refuse(asked.request_id, Reason(reason), by=person)
    else:
        privacy.extend(asked.request_id, Reason(reason), by=person)


urlpatterns = [
    path("app/desk/rights", queue, name="rights_queue"),
    path("app/desk/rights/<uuid:request_id>", answer, name="rights_answer"),
]
