"""The session of whoever asks: when it ends, in which role they act in it, and how fresh their proof is."""

from __future__ import annotations

import datetime as dt
import functools
import secrets
from collections.abc import Callable
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME, SESSION_KEY, logout
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache

from parcelward.base.errors import NotFound
from parcelward.base.vault import VaultToken
from parcelward.doors import throttle
from parcelward.doors.portals import moments
from parcelward.people import actions as people
from parcelward.people import queries as who
from parcelward.people.queries import Session
from parcelward.people.wire import Person, Task
from parcelward.privacy import actions as privacy
from parcelward.privacy.wire import Field, Kind

Handler = Callable[[HttpRequest], HttpResponse]
METHOD: Final = "proven_by"
"""Session key: how somebody who is signing in has proven who they are."""
FRESH: Final = dt.timedelta(minutes=10)
SEEN_EVERY: Final = dt.timedelta(minutes=1)
BROWSER_DAYS: Final = 365
AGENT_MAX: Final = 300


def browser_cookie() -> str:
    """Return the name of the cookie that says: this browser has been here before."""
    return "__Host-browser" if settings.SECURE else "browser"


def known_browser(request: HttpRequest) -> bytes:
    """Return what the browser's own cookie says, or what it will say with this answer."""
    said = request.COOKIES.get(browser_cookie(), "")
    if 20 <= len(said) <= 64 and said.isascii():  # noqa: PLR2004 -- what token_urlsafe gives, with room
        return said.encode()
    made: str = getattr(request, "browser_made", "") or secrets.token_urlsafe(16)
    request.browser_made = made  # type: ignore[attr-defined]  # set as a cookie by `Guard`
    return made.encode()


class Guard:
    """Middleware: whoever's session has ended is nobody from this request on. After the framework's own."""

    def __init__(self, get_response: Handler) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Look at the session once, and let the browser keep what makes it known."""
        request.signed_in = None  # type: ignore[attr-defined]  # read by `session`
        if settings.SESSION_COOKIE_NAME in request.COOKIES and request.session.get(SESSION_KEY):
            self._look(request)
        response = self._get_response(request)
        made = getattr(request, "browser_made", "")
        if made:
            response.set_cookie(
                browser_cookie(),
                made,
                max_age=BROWSER_DAYS * 86_400,
                secure=settings.SECURE,
                httponly=True,
                samesite="Lax",
            )
        return response

    def _look(self, request: HttpRequest) -> None:
        now = timezone.now()
        row = who.session_of(_stored(request), now)
        if row is None:
            logout(request)
            return
        request.signed_in = row  # type: ignore[attr-defined]  # as above
        request.user.acting = row.membership  # type: ignore[union-attr]  # ours; read by `person_of`
        if now - row.seen_at > SEEN_EVERY and request.path != reverse("session_lives"):
            who.note_seen(row.id, now)


class Shown(NamedTuple):
    """What a page may know of the session that it was made in."""

    id: UUID
    left_s: int  # whole seconds until it ends, if nothing else is asked for


def shown(request: HttpRequest) -> Shown | None:
    """Return what a page may know of the session of whoever is signed in; None for nobody."""
    row: Session | None = getattr(request, "signed_in", None)
    if row is None or not request.user.is_authenticated:
        return None
    return Shown(row.id, max(0, int((row.ends_at - timezone.now()).total_seconds())))


def session(request: HttpRequest) -> Session:
    """Return the session of whoever is signed in."""
    row: Session = request.signed_in  # type: ignore[attr-defined]  # set by `Guard`
    return row


def person(request: HttpRequest) -> Person:
    """Return who asks, in the role that their session chose."""
    return who.person_of(request.user)


def who_may(request: HttpRequest, task: Task) -> Person:
    """Return who asks. Raises MayNot unless they may do this."""
    asking = person(request)
    who.require(asking, task)
    return asking


def who_finds(request: HttpRequest, task: Task) -> Person:
    """Return who asks. Raises NotFound for who may not: a page that they cannot use is none for them."""
    asking = person(request)
    if not who.may(asking, task):
        raise NotFound("There is nothing here to show.")
    return asking


def _stored(request: HttpRequest) -> str:
    return str(request.session.stored_key)  # type: ignore[attr-defined]  # `SESSION_ENGINE` of the settings has it


def begin(request: HttpRequest, user: Any, login: Callable[[], None]) -> None:
    """Begin the framework's session and ours together; the one that this browser had ends."""
    method = request.session.get(METHOD, "")
    before: Session | None = getattr(request, "signed_in", None)
    with transaction.atomic():
        if before is not None:
            request.session.cycle_key()  # the framework keeps the key of somebody who signs in again
            people.end_session(before.id, by=person(request))
        login()
        request.session.pop(METHOD, None)
        if not request.session.session_key:
            request.session.save()
        _session, new = people.begin_session(
            user,
            _stored(request),
            method=method,
            browser=known_browser(request),
            seen_from=_seen_from(request, user),
            now=timezone.now(),
        )
        if new and user.token is not None:
            _tell(user.token)
    request.session["new_browser"] = new


def renew(request: HttpRequest) -> None:
    """Note a fresh proof, under a new key: whoever had copied the old one is left outside."""
    with transaction.atomic():
        request.session.cycle_key()
        people.prove_again(session(request).id, _stored(request), by=person(request), now=timezone.now())


def _seen_from(request: HttpRequest, user: Any) -> VaultToken:
    """Keep where somebody signs in from under a key of its own, which is gone when the session can only be over."""
    fields = {
        Field.WHERE: throttle.client_address(request),
        Field.AGENT: request.headers.get("User-Agent", "")[:AGENT_MAX],
    }
    until = timezone.now() + dt.timedelta(seconds=settings.SESSION_COOKIE_AGE)
    by = people.machinery()
    return privacy.put(fields, kind=Kind.PENDING, by=by, expires_at=until, account=user.pk)


def _tell(token: VaultToken) -> None:
    """Tell somebody that their account was opened from a browser that is new to it."""
    _send(token, "new_device", {})


def tell_changed(user: Any, what: str) -> None:
    """Tell somebody, in the caller's transaction, that what opens their account was changed: a word of the history.

    Whoever has no mailbox with us is not told: staff who joined by an invitation gave none.
    """
    if user.token is not None:
        _send(user.token, "sign_in_changed", {"what": what})


def _send(token: VaultToken, template: str, values: dict[str, str]) -> None:
    """Queue a notice that says when, as people write it in the language of whoever acts."""
    now = timezone.now()
    said = {"at": moments.said(now), "language": get_language() or "en", **values}
    privacy.send(token, template, said, by=people.machinery(), now=now)


def is_fresh(request: HttpRequest) -> bool:
    """Return whether whoever asks has proven within minutes who they are."""
    row: Session | None = getattr(request, "signed_in", None)
    return row is not None and timezone.now() - row.proved_at <= FRESH


def fresh_proof(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Let a view be reached only by who has just proven who they are; others prove it first and come back."""

    @login_required
    @never_cache
    @functools.wraps(view)
    def handle(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if is_fresh(request):
            return view(request, *args, **kwargs)
        back = request.get_full_path() if request.method in {"GET", "HEAD"} else reverse("account")
        return HttpResponseRedirect(f"{reverse('prove_again')}?{urlencode({REDIRECT_FIELD_NAME: back})}")

    return handle
