"""Signing in, or up, with a code by e-mail: for addressees and small senders.

What happens before the code is typed is the same for an address that has an account and one that has none: it is not
even looked up. Only whoever reads the mailbox learns which.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, Final
from uuid import UUID

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from parcelward.base import db
from parcelward.base.errors import Invalid, ParcelwardError
from parcelward.base.vault import VaultToken
from parcelward.doors import refusals
from parcelward.doors.portals.accounts import guard, sign_in
from parcelward.doors.portals.accounts.gate import few_at_once
from parcelward.doors.throttle import allow, client_network
from parcelward.people import actions as people
from parcelward.people import codes, proofing, queries
from parcelward.people.wire import Method, Task
from parcelward.privacy import actions as privacy
from parcelward.privacy.wire import Field, Kind, Purpose

PURPOSE: Final = "sign_in"
ASKED: Final = "code_asked"
"""Session key: what the code was asked for; no address, only where in the vault it is."""
EMAIL_MAX: Final = 254  # RFC 5321 section 4.5.3.1, less the angle brackets
MINUTES: Final = 10
KEPT_FOR: Final = dt.timedelta(hours=1)


@never_cache
@require_POST
@few_at_once
def ask(request: HttpRequest) -> HttpResponse:
    """Send a code to an address, whoever it belongs to."""
    allow(request, "code", sign_in.TRIES_PER_MINUTE)
    email = request.POST.get("email", "")[: EMAIL_MAX + 1].strip()
    try:
        _require_email(email)
        _send(request, email)
    except ParcelwardError as refused:
        problem = _(refused.message)
        return sign_in.page(request, problem=problem, status=refused.status, email_problem=True, email=email)
    return HttpResponseRedirect(reverse("code_typed"))


def _require_email(email: str) -> None:
    try:
        validate_email(email)
    except ValidationError:
        words = "Enter an e-mail address in full, such as name@example.com."
        raise Invalid(words, code="bad_email") from None
    if len(email) > EMAIL_MAX:
        raise Invalid("This e-mail address is too long to be one.", code="bad_email")


def _send(request: HttpRequest, email: str) -> None:
    """Keep the address for an hour under a key of its own, and queue the code to it.

    The code is bound to the browser's own cookie, which is the same when it asks again: or a stranger's requests would
    make each of the owner's the first of a new browser, which waits.
    """
    now = timezone.now()
    by = people.machinery()
    network = client_network(request).encode()
    recipient = codes.recipient(email)
    code = codes.issue(PURPOSE, recipient, guard.known_browser(request), now=now, network=network)
    account = uuid.uuid4()
    kept = {"kind": Kind.PENDING, "expires_at": now + KEPT_FOR, "account": account}
    token = privacy.put({Field.EMAIL: email}, by=by, **kept)  # type: ignore[arg-type]  # as named
    values = {"code": code, "minutes": str(MINUTES), "language": get_language() or "en"}
    privacy.send(token, "code", values, by=by, now=now)
    request.session[ASKED] = {
        "token": str(token),
        "account": str(account),
        "recipient": recipient.hex(),
        "next": sign_in.wanted(request),
    }


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@few_at_once
def typed(request: HttpRequest) -> HttpResponse:
    """Ask for the code; with it somebody is in, with a new account where they had none."""
    asked = request.session.get(ASKED)
    if request.user.is_authenticated or not isinstance(asked, dict):
        return HttpResponseRedirect(reverse("account_login"))
    problem, status = "", 200
    if request.method == "POST":
        allow(request, "code", sign_in.TRIES_PER_MINUTE)
        try:
            user = _spent(asked, request.POST.get("code", "")[:40], browser=guard.known_browser(request))
        except ParcelwardError as refused:
            refusals.saw(request, refused.code)
            problem, status = _(refused.message), refused.status
        else:
            del request.session[ASKED]
            return sign_in.finish(request, user, method="code", to=asked["next"])
    context = {"problem": problem, "minutes": MINUTES}
    return render(request, "accounts/code.html", context, status=status)


def _spent(asked: dict[str, str], code: str, *, browser: bytes) -> Any:
    """Return whose mailbox it is. Raises BadCode."""
    recipient = bytes.fromhex(asked["recipient"])
    codes.spend(PURPOSE, recipient, browser, code, now=timezone.now())
    by, token = people.machinery(), VaultToken(UUID(asked["token"]))
    with privacy.reveal(token, [Field.EMAIL], purpose=Purpose.SIGN_IN, by=by) as kept:
        email = kept[Field.EMAIL].text
    with transaction.atomic():
        # Two browsers of one mailbox that sign up at the same moment are one account.
        with db.cursor() as cur:
            lock = int.from_bytes(recipient[:8], "big", signed=True)
            cur.execute("SELECT pg_advisory_xact_lock(%s)", (lock,))
        tokens = privacy.find(Field.EMAIL, email, purpose=Purpose.SIGN_IN, by=by, lasting=True)
        known = get_user_model().objects.filter(token__in=tokens).order_by("created_at").first()
        if known is None:
            privacy.settle(token, kind=Kind.ADDRESSEE, by=by)
            known = people.sign_up(UUID(asked["account"]), token=token)
        _proven(known)
        return known


def _proven(user: Any) -> None:
    """Note that who reads this mailbox has typed what was sent to it."""
    person = queries.person_of(user)
    if queries.may(person, Task.PROVE_SELF) and user.token is not None:
        proofing.confirm_message(VaultToken(user.token), Method.EMAIL_CODE, by=person, now=timezone.now())
