"""Taking an invitation: what it offers, then a passkey made on one's own device, and one is in.

The code stands in the link's fragment, which browsers never send: no log of any proxy holds it. What two people agreed
to asks for a second code, which is typed and tried before anything else is offered, and once more when it is taken.
"""

from __future__ import annotations

import uuid
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from parcelward.base.errors import NotFound, ParcelwardError
from parcelward.doors import refusals
from parcelward.doors.portals.accounts import ceremony, guard, sign_in
from parcelward.doors.portals.accounts.gate import few_at_once
from parcelward.doors.portals.desk_words import role_name, role_says
from parcelward.doors.throttle import allow
from parcelward.people import actions as people
from parcelward.people.errors import BadCode

CODE_MAX: Final = 100
SECOND_MAX: Final = 40
JOINING: Final = "joining"
"""Session key: the id that the new person will have, if they finish; or that the account has, which stays."""
RE_ENROLS: Final = "re_enrols"
"""Session key: whether the link replaces a lost passkey."""


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest) -> HttpResponse:
    """Show what a link offers. Without its code, how to find it; with it, the button that makes the passkey."""
    if request.user.is_authenticated:
        return _signed_in(request)
    if request.method != "POST":
        return render(request, "accounts/join.html", {})
    allow(request, "join", sign_in.TRIES_PER_MINUTE)
    return _offer(request, *_typed(request))


def _typed(request: HttpRequest) -> tuple[str, str]:
    """Return the code of the link, and the second one, which is empty where none was typed."""
    return request.POST.get("code", "")[:CODE_MAX], request.POST.get("second", "")[:SECOND_MAX].strip()


def _ask_second(request: HttpRequest, code: str, *, problem: str = "", status: int = 200) -> HttpResponse:
    context = {"asks_second": True, "code": code, "problem": problem, "second_max": SECOND_MAX}
    return render(request, "accounts/join.html", context, status=status)


def _signed_in(request: HttpRequest, *, problem: str = "", status: int = 200) -> HttpResponse:
    """Say whose account is signed in, and let them join with it once they have proven it is they; or sign out."""
    context: dict[str, Any] = {"signed_in": True, "login": guard.person(request).name, "problem": problem}
    if not guard.is_fresh(request):
        return render(request, "accounts/join.html", context | {"stale": True}, status=status)
    if request.method == "POST" and not problem:
        allow(request, "join", sign_in.TRIES_PER_MINUTE)
        code, second = _typed(request)
        try:
            offered = people.invitation(code)
            if offered.needs_code and not second:
                return _ask_second(request, code)
            people.try_code(code, second)
        except BadCode as refused:
            refusals.saw(request, refused.code)
            return _ask_second(request, code, problem=_(refused.message), status=refused.status)
        except ParcelwardError as refused:
            return render(
                request, "accounts/join.html", context | {"problem": _(refused.message)}, status=refused.status
            )
        if offered.re_enrols is None:
            role = {"role": role_name(offered.role), "role_says": role_says(offered.role)}
            context |= {"offered": offered, "code": code, "second": second} | role
    return render(request, "accounts/join.html", context, status=status)


@guard.fresh_proof
@require_POST
def with_account(request: HttpRequest) -> HttpResponse:
    """Take an invitation with the account that is signed in, and act in the new role from now on."""
    allow(request, "join", sign_in.TRIES_PER_MINUTE)
    by, here = guard.person(request), guard.session(request).id
    try:
        code, second = _typed(request)
        proof = people.try_code(code, second)
        with transaction.atomic():
            made = people.accept(code, here, by=by, now=timezone.now(), proof=proof)
            people.act_for(here, made.id, by=by)
    except ParcelwardError as refused:
        return _signed_in(request, problem=_(refused.message), status=refused.status)
    return HttpResponseRedirect("/app/account")


def _offer(request: HttpRequest, code: str, second: str, *, problem: str = "", status: int = 200) -> HttpResponse:
    try:
        offered = people.invitation(code)
        if offered.needs_code and not second:
            return _ask_second(request, code, problem=problem, status=status)
        people.try_code(code, second)
    except BadCode as refused:
        refusals.saw(request, refused.code)
        return _ask_second(request, code, problem=_(refused.message), status=refused.status)
    except ParcelwardError as refused:
        refusals.saw(request, refused.code)
        return render(request, "accounts/join.html", {"problem": _(refused.message)}, status=refused.status)
    person = offered.re_enrols or uuid.uuid4()
    request.session[JOINING], request.session[RE_ENROLS] = str(person), offered.re_enrols is not None
    user = get_user_model()(id=person, login=offered.login)
    context = {
        "offered": offered,
        "re_enrols": offered.re_enrols is not None,
        "role": role_name(offered.role),
        "role_says": role_says(offered.role),
        "code": code,
        "second": second,
        "options": ceremony.registration_options(request, user),
        "problem": problem,
    }
    return render(request, "accounts/join.html", context, status=status)


@never_cache
@require_POST
@few_at_once
def finish(request: HttpRequest) -> HttpResponse:
    """Make the account with its passkey, or give it another for the lost one, in one transaction, and sign in."""
    allow(request, "join", sign_in.TRIES_PER_MINUTE)
    code, second = _typed(request)
    person = request.session.get(JOINING)
    if person is None or request.user.is_authenticated:
        return HttpResponseRedirect("/accounts/join")
    try:
        proof = people.try_code(code, second)
        with transaction.atomic():
            user = _let_in(request, code, uuid.UUID(person), proof)
            name = request.POST.get("name", "")
            made = ceremony.registered(request, user, name=name, answer=request.POST.get("credential", ""))
            if request.session.get(RE_ENROLS):
                guard.tell_changed(user, "re_enrolled")
    except ParcelwardError as refused:
        refusals.saw(request, refused.code)
        again = "" if isinstance(refused, BadCode) else second  # one wrong code is one try
        return _offer(request, code, again, problem=_(refused.message), status=refused.status)
    del request.session[JOINING], request.session[RE_ENROLS]
    return sign_in.finish(request, user, method="passkey", authenticator=made)


def _let_in(request: HttpRequest, code: str, person: uuid.UUID, proof: people.Proof) -> Any:
    """Return who takes the link. What its page had offered and what it is must be the same."""
    if not request.session.get(RE_ENROLS):
        return people.join(code, user_id=person, now=timezone.now(), proof=proof)[0]
    user = people.re_enrol(code, now=timezone.now())
    if user.id != person:  # another link than the one that was looked at
        raise NotFound("This link opens nothing")
    return user
