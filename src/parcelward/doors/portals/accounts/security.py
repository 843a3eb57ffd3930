"""Everybody's own account: passkeys, where they are signed in, what happened, and in which role they act."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from uuid import UUID

from allauth.mfa.webauthn.internal.auth import clear_state
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from parcelward.base.errors import NotFound, ParcelwardError
from parcelward.base.vault import VaultToken
from parcelward.doors.portals.accounts import ceremony, guard, words
from parcelward.doors.portals.desk_words import role_name, role_says
from parcelward.people import actions as people
from parcelward.people import queries as who
from parcelward.people.wire import Person
from parcelward.privacy import actions as privacy
from parcelward.privacy.wire import Field, Purpose

SAID = "account_said"
"""Session key: what was just done, said once on the next page."""


def _done(request: HttpRequest, said: str) -> HttpResponse:
    request.session[SAID] = said
    return HttpResponseRedirect(reverse("account"))


@login_required
@never_cache
@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """Show the whole account."""
    return _show(request)


def _show(request: HttpRequest, *, problem: str = "", status: int = 200) -> HttpResponse:
    by, here, now = guard.person(request), guard.session(request), timezone.now()
    mine = who.passkeys(by=by)
    called = words.passkeys(mine)
    context = {
        "said": request.session.pop(SAID, ""),
        "problem": problem,
        "passkeys": [(one, called[one.id]) for one in mine],
        "sessions": _sessions(by, here, now),
        "history": [words.history_row(row) for row in who.security_history(by=by)],
        "roles": [words.role_row(row, acting=here.membership) for row in who.memberships(by=by)],
        "acting": here.membership,
        "role": role_name(by.role),
        "role_says": role_says(by.role),
        "fresh": guard.is_fresh(request),
        "totp": who.has_app_codes(by=by),
        "new_browser": request.session.pop("new_browser", False),
    }
    return render(request, "accounts/account.html", context, status=status)


@guard.fresh_proof
@require_http_methods(["GET", "HEAD", "POST"])
def add_passkey(request: HttpRequest) -> HttpResponse:
    """Make another passkey: on this device, a telephone or a security key."""
    problem, status = "", 200
    if request.method == "POST":
        answer, name = request.POST.get("credential", ""), request.POST.get("name", "")
        try:
            with transaction.atomic():
                ceremony.registered(request, request.user, name=name, answer=answer)  # type: ignore[arg-type]  # as above
                guard.tell_changed(request.user, "passkey_added")
        except ParcelwardError as refused:
            problem, status = _(refused.message), refused.status
        else:
            return _done(request, _("The passkey was added."))
    options = ceremony.registration_options(request, request.user)  # type: ignore[arg-type]  # as above
    return render(request, "accounts/add_passkey.html", {"options": options, "problem": problem}, status=status)


@guard.fresh_proof
@require_http_methods(["GET", "HEAD", "POST"])
def rename_passkey(request: HttpRequest, passkey_id: int) -> HttpResponse:
    """Say on what a passkey is."""
    mine = _mine(request, passkey_id)
    if request.method == "POST":
        people.rename_passkey(passkey_id, request.POST.get("name", ""), by=guard.person(request))
        return _done(request, _("The passkey was changed."))
    return render(request, "accounts/rename_passkey.html", {"passkey": mine, "called": _called(request, mine)})


def _mine(request: HttpRequest, passkey_id: int) -> who.PasskeyRow:
    found = next((one for one in who.passkeys(by=guard.person(request)) if one.id == passkey_id), None)
    if found is None:
        raise NotFound("No such passkey")
    return found


def _called(request: HttpRequest, mine: who.PasskeyRow) -> str:
    return words.passkeys(who.passkeys(by=guard.person(request)))[mine.id]


@guard.fresh_proof
@require_http_methods(["GET", "HEAD", "POST"])
def remove_passkey(request: HttpRequest, passkey_id: int) -> HttpResponse:
    """Ask, then remove: whoever has that device can no longer sign in with it."""
    mine = _mine(request, passkey_id)
    if request.method == "POST":
        return _act(request, lambda: _remove(request, passkey_id), _("The passkey was removed."))
    return render(request, "accounts/remove_passkey.html", {"passkey": _called(request, mine)})


@transaction.atomic
def _remove(request: HttpRequest, passkey_id: int) -> None:
    people.remove_passkey(passkey_id, by=guard.person(request))
    guard.tell_changed(request.user, "passkey_removed")


def _act(request: HttpRequest, act: Callable[[], object], said: str) -> HttpResponse:
    try:
        act()
    except ParcelwardError as refused:
        return _show(request, problem=_(refused.message), status=refused.status)
    clear_state()
    return _done(request, said)


def _sessions(by: Person, here: who.Session, now: dt.datetime) -> list[words.Row]:
    """Return one's own sessions with the browser and the address of each, opened from the vault: one's own data."""
    rows = who.sessions(by=by, now=now)
    tokens = [VaultToken(row.token) for row in rows if row.token is not None]
    fields = [Field.WHERE, Field.AGENT]
    with privacy.reveal_many(tokens, fields, purpose=Purpose.OWN_DATA, by=by) as kept:
        seen = {
            token: words.seen_from(
                opened[Field.AGENT].text if Field.AGENT in opened else "",
                opened[Field.WHERE].text if Field.WHERE in opened else "",
            )
            for token, opened in kept.items()
        }
    return [
        words.session_row(row, here=here.id, seen_from=seen.get(VaultToken(row.token), "") if row.token else "")
        for row in rows
    ]


@login_required
@never_cache
@require_POST
def end_session(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """Sign out in another browser."""
    act = people.end_session
    return _act(request, lambda: act(session_id, by=guard.person(request)), _("Signed out there."))


@login_required
@never_cache
@require_POST
def end_others(request: HttpRequest) -> HttpResponse:
    """Sign out everywhere but here."""
    here = guard.session(request).id
    act = people.end_other_sessions
    return _act(request, lambda: act(here, by=guard.person(request)), _("Signed out everywhere else."))


@login_required
@never_cache
@require_POST
def act(request: HttpRequest) -> HttpResponse:
    """Act in another role from now on."""
    said = request.POST.get("membership", "")
    chosen = _uuid(said) if said else None
    here = guard.session(request).id
    act_for = people.act_for
    return _act(
        request, lambda: act_for(here, chosen, by=guard.person(request)), _("You act in this role from now on.")
    )


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("No such role") from None
