"""One page that asks before something is done, with a reason where one is kept; and what is said once afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _

from parcelward.base.errors import Conflict, Invalid, NotAllowed
from parcelward.doors import refusals
from parcelward.doors.portals.desk_shown import SAID

TYPED_LENGTH_MAX: Final = 512


@dataclass(frozen=True, slots=True)
class Question:
    """What the page asks. With `reason_max` it asks why, too."""

    title: str
    words: tuple[str, ...]
    button: str
    back: str
    warns: bool = False
    reason_max: int = 0
    about: tuple[tuple[str, str], ...] = ()


def confirmed(
    request: HttpRequest, question: Question, act: Callable[[str], HttpResponse | None], *, said: str, to: str
) -> HttpResponse:
    """Show the question; do it when its form is sent, and go on. What cannot be done now is said on the page."""
    reason, problem, status = "", "", 200
    if request.method == "POST":
        reason = request.POST.get("reason", "")[:TYPED_LENGTH_MAX].strip()
        try:
            answer = act(_given(reason, question.reason_max) if question.reason_max else "")
        except (Invalid, Conflict, NotAllowed) as refused:
            if isinstance(refused, NotAllowed):
                refusals.saw(request, refused.code)
            problem, status = _(refused.message), refused.status
        else:
            return answer or done(request, said, to)
    context = {"ask": question, "reason": reason, "problem": problem}
    return render(request, "tenants/confirm.html", context, status=status)


def _given(reason: str, length_max: int) -> str:
    if not reason:
        raise Invalid(_("Give a reason: it is kept for good."))
    if len(reason) > length_max:
        raise Invalid(_("Give a shorter reason: at most %(n)s characters.") % {"n": length_max})
    return reason


def done(request: HttpRequest, said: str, to: str) -> HttpResponse:
    """Go on to a page of ours, which says once what was done; those whose own session it ended sign in again first."""
    if not request.session.exists(request.session.session_key or ""):
        logout(request)
        return HttpResponseRedirect(settings.LOGIN_URL)
    request.session[SAID] = said
    return HttpResponseRedirect(to)


def said_once(request: HttpRequest) -> str:
    """Return what was just done, and forget it."""
    words: str = request.session.pop(SAID, "")
    return words
