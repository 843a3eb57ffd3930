"""Proving again who one is, before what is sensitive: with what one has, and with nothing weaker."""

from __future__ import annotations

from typing import Final

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from parcelward.base.errors import ParcelwardError
from parcelward.base.vault import VaultToken
from parcelward.doors import refusals
from parcelward.doors.portals.accounts import by_code, ceremony, guard, second, sign_in
from parcelward.doors.throttle import allow, client_network
from parcelward.people import actions as people
from parcelward.people import codes
from parcelward.people import queries as who
from parcelward.people.errors import BadProof
from parcelward.privacy import actions as privacy

PURPOSE: Final = "prove_again"
PASSKEY: Final = "passkey"


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def prove(request: HttpRequest) -> HttpResponse:
    """Ask for a proof, and go on to what was wanted. By e-mail only where there is nothing stronger."""
    held = who.proofs_of(by=guard.person(request))
    problem, status, sent = "", 200, False
    if request.method == "POST":
        allow(request, "passkey", sign_in.TRIES_PER_MINUTE)
        try:
            if "send" in request.POST:
                sent = _send(request, held)
            else:
                _check(request, held)
        except ParcelwardError as refused:
            refusals.saw(request, refused.code)
            problem, status = _(refused.message), refused.status
        else:
            if not sent:
                guard.renew(request)
                return HttpResponseRedirect(sign_in.wanted(request))
    context = {
        "next": sign_in.wanted(request),
        "problem": problem,
        "held": held,
        "app_codes": held.app_codes and not _needs_passkey(request, held),
        "sent": sent or bool(problem),
    }
    return render(request, "accounts/prove.html", context, status=status)


def _check(request: HttpRequest, held: who.Proofs) -> None:
    """Raise BadProof unless what was sent proves who it is."""
    code = request.POST.get("code", "")
    if request.POST.get("credential"):
        ceremony.signed(request, answer=request.POST["credential"], user=request.user)  # type: ignore[arg-type]  # signed in
    elif held.app_codes and not _needs_passkey(request, held):
        second.check_code(request.user, code)
    elif held.token is not None and not held.passkey:
        binding = guard.session(request).id.bytes
        codes.spend(PURPOSE, _recipient(held), binding, code[: second.CODE_MAX], now=timezone.now())
    else:
        raise BadProof("Use your passkey.", code="passkey_needed")


def _needs_passkey(request: HttpRequest, held: who.Proofs) -> bool:
    """Return whether nothing weaker will do: a passkey's session is not renewed by a code that can be read out."""
    return held.passkey and guard.session(request).method == PASSKEY


def _recipient(held: who.Proofs) -> bytes:
    return codes.recipient(str(held.token))


def _send(request: HttpRequest, held: who.Proofs) -> bool:
    if held.token is None or held.passkey or held.app_codes:
        raise BadProof("Use your passkey, or your app.", code="passkey_needed")
    now, network = timezone.now(), client_network(request).encode()
    binding = guard.session(request).id.bytes
    code = codes.issue(PURPOSE, _recipient(held), binding, now=now, network=network)
    values = {"code": code, "minutes": str(by_code.MINUTES), "language": get_language() or "en"}
    privacy.send(VaultToken(held.token), "code", values, by=people.machinery(), now=now)
    return True


@login_required
@never_cache
@require_POST
def options(request: HttpRequest) -> HttpResponse:
    """Answer with a challenge for one of their own passkeys."""
    allow(request, "passkey_options", sign_in.TRIES_PER_MINUTE)
    return JsonResponse(ceremony.sign_in_options(request, request.user))  # type: ignore[arg-type]  # signed in
