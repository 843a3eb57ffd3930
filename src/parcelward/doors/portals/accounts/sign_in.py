"""Signing in and out. What failed is never told apart, so that nobody learns who has an account."""

from __future__ import annotations

from typing import Final

from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from parcelward.base.errors import ParcelwardError
from parcelward.doors import refusals
from parcelward.doors.portals.accounts import ceremony, guard
from parcelward.doors.portals.accounts.gate import few_at_once
from parcelward.doors.throttle import allow
from parcelward.people import actions as people

TRIES_PER_MINUTE: Final = 20
NEXT_MAX: Final = 500


def wanted(request: HttpRequest) -> str:
    """Return where whoever signs in was going: an address of ours, or the start."""
    said = (request.POST.get("next") or request.GET.get("next") or "")[:NEXT_MAX]
    ours = url_has_allowed_host_and_scheme(said, {request.get_host()}, require_https=settings.SECURE)
    return said if said and ours else settings.LOGIN_REDIRECT_URL


def page(
    request: HttpRequest, *, problem: str = "", status: int = 200, email_problem: bool = False, email: str = ""
) -> HttpResponse:
    """Show the sign-in page, with what went wrong; what was typed is still there."""
    context = {"next": wanted(request), "problem": problem, "email_problem": email_problem, "email": email}
    return render(request, "accounts/sign_in.html", context, status=status)


@never_cache
@require_http_methods(["GET", "HEAD"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Show how to sign in; those who are signed in go on."""
    if request.user.is_authenticated:
        return HttpResponseRedirect(wanted(request))
    again = _("You are not signed in. Try again.") if "again" in request.GET else ""
    return page(request, problem=again)


@never_cache
@require_POST
@few_at_once
def passkey_options(request: HttpRequest) -> HttpResponse:
    """Answer with a challenge for whichever passkey of ours is on the device."""
    allow(request, "passkey_options", TRIES_PER_MINUTE)
    return JsonResponse(ceremony.sign_in_options(request))


@never_cache
@require_POST
@few_at_once
def with_passkey(request: HttpRequest) -> HttpResponse:
    """Sign in whoever's passkey signed the challenge."""
    allow(request, "passkey", TRIES_PER_MINUTE)
    try:
        user, authenticator = ceremony.signed(request, answer=request.POST.get("credential", ""))
    except ParcelwardError as refused:
        refusals.saw(request, refused.code)
        return page(request, problem=_(refused.message), status=refused.status)
    return finish(request, user, method="passkey", authenticator=authenticator)


def finish(
    request: HttpRequest, user: object, *, method: str, authenticator: object = None, to: str = ""
) -> HttpResponse:
    """Go on to the next stage of the sign-in, or be signed in. The library keeps the stages."""
    request.session[guard.METHOD] = method
    extra = {"type": "webauthn", "passwordless": True} if method == "passkey" else {}
    record_authentication(request, user, "mfa" if authenticator else "code", **extra)
    login = Login(user=user, redirect_url=to or wanted(request))
    answer: HttpResponse = perform_login(request, login)
    return answer


@never_cache
@require_safe
def lives(request: HttpRequest) -> JsonResponse:
    """Answer a page that asks whether its session still lives, and for how long; asking does not prolong it."""
    row = guard.shown(request)
    return JsonResponse({"session": row and row.id, "left_s": row.left_s if row else 0})


@never_cache
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session; by POST only, so that no link can do it."""
    if request.user.is_authenticated:
        people.end_session(guard.session(request).id, by=guard.person(request))
    logout(request)
    answer = HttpResponseRedirect(settings.LOGOUT_REDIRECT_URL)
    answer["Clear-Site-Data"] = '"cache"'  # not storage: what a courier's device holds outlives a session
    return answer
