"""The second factor of those who have one, and turning it on and off: codes of an app, recovery codes shown once."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from allauth.account.internal.decorators import login_stage_required
from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.stages import AuthenticateStage
from allauth.mfa.totp.internal import auth as totp
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from parcelward.base.errors import ParcelwardError, TooMany
from parcelward.doors import refusals
from parcelward.doors.portals.accounts import ceremony, guard, second_factor, sign_in
from parcelward.doors.portals.accounts.security import SAID
from parcelward.doors.throttle import allow, take
from parcelward.people import actions as people
from parcelward.people.errors import BadProof

log = logging.getLogger(__name__)

TRIES_PER_MINUTE: Final = 5
CODE_MAX: Final = 40
SHOWN: Final = "app_codes_shown"
TYPES = Authenticator.Type
_View = Callable[[HttpRequest], HttpResponse]
_STAGE: Callable[[_View], _View] = login_stage_required(stage=AuthenticateStage.key, redirect_urlname="account_login")


def _wrong() -> BadProof:
    return BadProof("This code is not right, or it was used before. Wait for the next one.", code="bad_code")


def check_code(user: Any, code: str) -> str:
    """Return what kind of code it was, or raise BadProof. Each code of the app opens once, whoever sends it when.

    The library forgives spaces and dashes, so they are taken out before a code is noted as used.
    """
    take("second", user.pk.bytes, TRIES_PER_MINUTE)
    plain = "".join(c for c in code[:CODE_MAX] if c.isalnum()).upper()
    if not plain:
        raise _wrong()
    with transaction.atomic():
        for row in Authenticator.objects.select_for_update().filter(user=user).exclude(type=TYPES.WEBAUTHN):
            if not _fits(row, plain):
                continue
            if row.type == TYPES.TOTP:
                people.take_once(b"totp", user.pk.bytes, plain.encode())
                row.record_usage()
                return "totp"
            row.refresh_from_db()
            row.record_usage()
            people.note_recovery_used(user.pk)
            return "recovery"
    raise _wrong()


def _fits(row: Authenticator, plain: str) -> bool:
    """Return whether a code is one of this row's. A row that was moved here from another account opens nothing."""
    try:
        with second_factor.of(row.user_id, row.type):
            if row.type == TYPES.TOTP:
                return bool(totp.validate_totp_code(get_adapter().decrypt(row.data["secret"]), plain))
            return bool(RecoveryCodes(row).validate_code(plain))
    except second_factor.Shut:
        log.warning("the second factor in row %s does not open: it was moved or changed", row.pk)
        return False


@_STAGE
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def second(request: HttpRequest) -> HttpResponse:
    """Ask for the second factor; then the sign-in goes on."""
    stage = request._login_stage  # type: ignore[attr-defined]  # noqa: SLF001 -- the library's own way
    user, problem, status = stage.login.user, "", 200
    if request.method == "POST":
        try:
            if request.POST.get("credential"):
                _user, used = ceremony.signed(request, answer=request.POST["credential"], user=user)
                kind, method = used.type, "passkey"
            else:
                kind, method = check_code(user, request.POST.get("code", "")), "second"
        except ParcelwardError as refused:
            refusals.saw(request, refused.code, person=user.pk)
            problem, status = _(refused.message), refused.status
            if isinstance(refused, TooMany):
                raise
        else:
            request.session[guard.METHOD] = method
            record_authentication(request, user, "mfa", type=kind)
            answer: HttpResponse = stage.exit()
            return answer
    held = set(Authenticator.objects.filter(user=user).values_list("type", flat=True))
    context = {"problem": problem, "passkey": TYPES.WEBAUTHN in held, "codes": bool(held - {TYPES.WEBAUTHN.value})}
    return render(request, "accounts/second.html", context, status=status)


@_STAGE
@require_POST
def options(request: HttpRequest) -> HttpResponse:
    """Answer with a challenge for one of the passkeys of whoever is signing in."""
    allow(request, "passkey_options", sign_in.TRIES_PER_MINUTE)
    stage = request._login_stage  # type: ignore[attr-defined]  # noqa: SLF001 -- as above
    return JsonResponse(ceremony.sign_in_options(request, stage.login.user))


@guard.fresh_proof
@require_http_methods(["GET", "HEAD", "POST"])
def app_codes(request: HttpRequest) -> HttpResponse:
    """Turn codes of an authenticator app on: scan the picture, type one code."""
    user, by = request.user, guard.person(request)
    if Authenticator.objects.filter(user=user, type=TYPES.TOTP).exists():
        return HttpResponseRedirect(reverse("account"))
    secret = _shown_secret(request, by.id)
    problem, status = "", 200
    if request.method == "POST":
        plain = "".join(c for c in request.POST.get("code", "")[:CODE_MAX] if c.isdigit())
        if totp.validate_totp_code(secret, plain):
            with transaction.atomic():
                people.take_once(b"totp", by.id.bytes, plain.encode())
                with second_factor.of(by.id, TYPES.TOTP):
                    totp.TOTP.activate(user, secret)
                people.note("totp_on", by=by)
                guard.tell_changed(user, "totp_on")
            request.session.pop(SHOWN, None)
            return HttpResponseRedirect(reverse("recovery_codes"))
        problem, status = _("This code does not fit. Is the clock of your device right? Type the newest one."), 422
    address = get_adapter().build_totp_url(user, secret)
    context = {"secret": secret, "picture": get_adapter().build_totp_svg(address), "problem": problem}
    return render(request, "accounts/app_codes.html", context, status=status)


def _shown_secret(request: HttpRequest, person: UUID) -> str:
    """Return the secret that this person's app is being shown: kept in the session, sealed, until it is turned on."""
    owner = second_factor.Whose(person, SHOWN)
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    with contextlib.suppress(second_factor.Shut):
        return second_factor.opened(request.session.get(SHOWN, ""), secrets, owner)
    made: str = totp.generate_totp_secret()
    request.session[SHOWN] = second_factor.seal(made, settings.SECRET_KEY, owner)
    return made


@guard.fresh_proof
@require_http_methods(["GET", "HEAD", "POST"])
def app_codes_off(request: HttpRequest) -> HttpResponse:
    """Ask, then turn codes of the app off."""
    if request.method != "POST":
        return render(request, "accounts/app_codes_off.html", {})
    with transaction.atomic():
        mine = Authenticator.objects.select_for_update().filter(user=request.user, type=TYPES.TOTP)
        if mine.exists():
            mine.delete()
            people.note("totp_off", by=guard.person(request))
            guard.tell_changed(request.user, "totp_off")
    request.session[SAID] = _("Codes from the app are off.")
    return HttpResponseRedirect(reverse("account"))


@guard.fresh_proof
@require_http_methods(["GET", "HEAD", "POST"])
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """Make new recovery codes and show them this once; older ones open nothing from then on."""
    if request.method != "POST":
        left = _left(request)
        return render(request, "accounts/recovery_codes.html", {"left": left})
    by = guard.person(request)
    with transaction.atomic(), second_factor.of(by.id, TYPES.RECOVERY_CODES):
        Authenticator.objects.select_for_update().filter(user=request.user, type=TYPES.RECOVERY_CODES).delete()
        made = RecoveryCodes.activate(request.user)
        made.mark_as_viewed()
        people.note("recovery_made", by=by)
        guard.tell_changed(request.user, "recovery_made")
        grouped = [f"{code[:4]} {code[4:8]} {code[8:]}" for code in made.get_unused_codes()]
    return render(request, "accounts/recovery_codes.html", {"codes": grouped})


def _left(request: HttpRequest) -> int:
    row = Authenticator.objects.filter(user=request.user, type=TYPES.RECOVERY_CODES).first()
    if row is None:
        return 0
    try:
        with second_factor.of(row.user_id, row.type):
            return len(row.wrap().get_unused_codes())
    except second_factor.Shut:  # then none opens anything, and the page offers new ones
        return 0
