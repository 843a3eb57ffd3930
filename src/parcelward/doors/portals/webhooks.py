"""Webhooks at a screen: where one's systems are told, their secrets (once, with a program that checks), how it went."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from typing import Any, Final
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from parcelward.base.errors import Invalid, NotFound, ParcelwardError
from parcelward.doors.portals import confirming
from parcelward.doors.portals.accounts.guard import fresh_proof, who_finds
from parcelward.people.wire import Person, Task
from parcelward.shipping.actions import webhooks as actions
from parcelward.shipping.queries import webhooks as queries

HOME: Final = "/app/webhooks"
SHOWN: Final = 25
URL_MAX: Final = 500
OVERLAPS_H: Final = (24, 72, 0)
SINCE_H: Final = (1, 24, 7 * 24, 30 * 24)

EXAMPLE: Final = """\
# Save it as receive.py and start it with: python3 receive.py
import base64, hashlib, hmac, http.server, time

SECRET = "whsec_"

class Receive(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        head = self.headers
        body = self.rfile.read(int(head["content-length"]))
        ident, at = head["webhook-id"], head["webhook-timestamp"]
        key = base64.b64decode(SECRET.removeprefix("whsec_"))
        signed = f"{ident}.{at}.".encode() + body
        mac = hmac.digest(key, signed, hashlib.sha256)
        right = "v1," + base64.b64encode(mac).decode()
        given = head["webhook-signature"].split()
        ours = any(hmac.compare_digest(right, each) for each in given)
        ours = ours and abs(time.time() - int(at)) < 300  # seconds
        print("from us:" if ours else "NOT from us:", ident, flush=True)
        print(body.decode(), flush=True)
        self.send_response(204 if ours else 400)
        self.end_headers()

http.server.HTTPServer(("", 8080), Receive).serve_forever()
"""
"""A program that checks what comes, with nothing but what Python brings. A test runs it as the page shows it."""


def _state(row: queries.EndpointShown) -> str:
    if row.paused_why:
        return {
            "owner": _("Paused by your organisation"),
            "failing": _("Paused: nothing arrived for five days"),
            "gone": _("Paused: it answered that it is gone (410)"),
        }[row.paused_why]
    return _("On") if row.failing_since is None else _("On, but the last message did not arrive")


@login_required
@never_cache
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """List one's endpoints."""
    rows = queries.endpoints(by=who_finds(request, Task.MANAGE_WEBHOOKS))
    context = {
        "lines": [{"one": row, "state": _state(row)} for row in rows],
        "may_add": len(rows) < queries.ENDPOINTS_MAX,
        "said": confirming.said_once(request),
    }
    return render(request, "webhooks/overview.html", context)


@fresh_proof
@require_http_methods(["GET", "HEAD", "POST"])
def make(request: HttpRequest) -> HttpResponse:
    """Ask for the address; then show the secret, this once. The form's own id makes a second click harmless."""
    person, post = who_finds(request, Task.MANAGE_WEBHOOKS), request.POST
    url, name = post.get("url", "").strip()[: URL_MAX + 1], post.get("name", "").strip()[: queries.NAME_MAX + 1]
    context: dict[str, Any] = {"url": url, "name": name, "once": post.get("once", "")[:40] or str(uuid.uuid4())}
    if request.method != "POST":
        return render(request, "webhooks/form.html", context)
    try:
        made = actions.make(url, name=name, by=person, endpoint_id=_id(context["once"]))
    except ParcelwardError as refused:
        return _form_again(request, context, refused)
    return _secret_once(request, made, person)


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return uuid.uuid4()


def _form_again(request: HttpRequest, context: dict[str, Any], refused: ParcelwardError) -> HttpResponse:
    """Show the form with what is wrong beside its field."""
    first = refused.problems[0] if refused.problems else None
    context["problem"] = _(first.message if first else refused.message)
    context["at"] = "name" if first and first.pointer == "/name" else "url"
    if context["at"] == "name":
        context["problem"] = _("Give a shorter name, of letters, digits and spaces.")
    return render(request, "webhooks/form.html", context, status=refused.status)


def _secret_once(request: HttpRequest, made: actions.Secret, person: Person) -> HttpResponse:
    context = {
        "one": queries.endpoint(made.endpoint, by=person),
        "secret": made.secret,
        "example": EXAMPLE.replace('"whsec_"\n', f'"{made.secret}"\n', 1),
    }
    return render(request, "webhooks/secret.html", context)


@login_required
@never_cache
@require_safe
def one(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    """Show an endpoint, and what it was told: newest first, all or those in one state."""
    return _one(request, endpoint_id, who_finds(request, Task.MANAGE_WEBHOOKS))


def _one(
    request: HttpRequest, endpoint_id: UUID, person: Person, *, problem: str = "", status: int = 200
) -> HttpResponse:
    row = queries.endpoint(endpoint_id, by=person)
    state = request.GET.get("state", "")
    state = state if state in queries.STATES else ""
    after = request.GET.get("after", "")
    found = queries.deliveries(
        endpoint_id, by=person, state=state, limit=SHOWN + 1, after=_id(after) if after else None
    )
    filters = {"": _("All"), "waiting": _("Waiting"), "delivered": _("Arrived"), "parked": _("Given up")}
    context = {
        "one": row,
        "state": _state(row),
        "filters": [{"key": key, "words": words, "current": key == state} for key, words in filters.items()],
        "chosen": state,
        "lines": [_line(each) for each in found[:SHOWN]],
        "older": found[SHOWN - 1].id if len(found) > SHOWN else None,
        "later": bool(after),
        "since": [{"hours": hours, "words": words} for hours, words in _since_words().items()],
        "problem": problem,
        "said": confirming.said_once(request),
    }
    return render(request, "webhooks/one.html", context, status=status)


def _since_words() -> dict[int, str]:
    words = (_("the last hour"), _("the last day"), _("the last seven days"), _("the last thirty days"))
    return dict(zip(SINCE_H, words, strict=True))


def _line(row: queries.DeliveryShown) -> dict[str, Any]:
    """Return a delivery with its words."""
    data = json.loads(row.body).get("data", {})
    states = {"waiting": _("Waiting"), "delivered": _("Arrived"), "parked": _("Given up")}
    return {
        "one": row,
        "what": _("Test") if row.type == "webhook.test" else _status(str(data.get("status", ""))),
        "number": str(data.get("number", "")),
        "state": states[row.state],
        "last": _went(row.attempts[0]) if row.attempts else "",
    }


def _status(tracker: str) -> str:
    """Return one of the ten tracker statuses in words."""
    words = {
        "pre_transit": _("Announced"),
        "in_transit": _("On its way"),
        "out_for_delivery": _("Out for delivery today"),
        "delivered": _("Delivered"),
        "available_for_pickup": _("Ready to collect"),
        "return_to_sender": _("On its way back to the sender"),
        "failure": _("Not delivered"),
        "cancelled": _("Cancelled by the sender"),
        "error": _("Lost or damaged"),
    }
    return words.get(tracker) or _("Not known")


def _went(attempt: queries.AttemptShown) -> str:
    words = {
        "timeout": _("no answer in time"),
        "tls": _("its certificate does not hold"),
        "no_address": _("its name leads nowhere"),
        "forbidden_address": _("its address is not on the public internet"),
        "no_connection": _("nobody listens there"),
        "no_answer": _("the connection ended without an answer"),
    }
    if attempt.status:
        return _("answered %(status)s in %(ms)s ms") % {"status": attempt.status, "ms": attempt.duration_ms}
    return words.get(attempt.error) or _("a fault of ours")


@login_required
@never_cache
@require_safe
def delivery(request: HttpRequest, endpoint_id: UUID, delivery_id: UUID) -> HttpResponse:
    """Show one message, with every try."""
    row = queries.delivery(endpoint_id, delivery_id, by=who_finds(request, Task.MANAGE_WEBHOOKS))
    context = {
        "line": _line(row),
        "endpoint": endpoint_id,
        "tries": [{"one": each, "words": _went(each)} for each in row.attempts],
        "body": json.dumps(json.loads(row.body), indent=2, ensure_ascii=False),
        "said": confirming.said_once(request),
    }
    return render(request, "webhooks/delivery.html", context)


@fresh_proof
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    """Ask for another address or name. What somebody else changed meanwhile is not overwritten."""
    person, post = who_finds(request, Task.MANAGE_WEBHOOKS), request.POST
    row = queries.endpoint(endpoint_id, by=person)
    context: dict[str, Any] = {"one": row, "url": row.url, "name": row.name, "version": row.version}
    if request.method != "POST":
        return render(request, "webhooks/form.html", context)
    context |= {"url": post.get("url", "").strip()[: URL_MAX + 1], "version": post.get("version", "")[:12]}
    context["name"] = post.get("name", "").strip()[: queries.NAME_MAX + 1]
    try:
        actions.change(
            endpoint_id, url=context["url"], name=context["name"], if_match=context["version"] or "0", by=person
        )
    except ParcelwardError as refused:
        return _form_again(request, context, refused)
    return confirming.done(request, _("It is changed."), f"{HOME}/{endpoint_id}")


@fresh_proof
@require_http_methods(["GET", "HEAD", "POST"])
def rotate(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    """Ask how long the old secret signs as well; then show the new one, this once."""
    person = who_finds(request, Task.MANAGE_WEBHOOKS)
    row, problem, status = queries.endpoint(endpoint_id, by=person), "", 200
    if request.method == "POST":
        hours = request.POST.get("hours", "")
        try:
            overlap = dt.timedelta(hours=int(hours) if hours in {str(each) for each in OVERLAPS_H} else -1)
            return _secret_once(request, actions.rotate(endpoint_id, overlap, by=person), person)
        except Invalid as refused:
            problem, status = _("Choose how long the old secret signs as well."), refused.status
    words = (_("one day"), _("three days"), _("not at all: it may be in wrong hands"))
    choices = dict(zip(OVERLAPS_H, words, strict=True))
    context = {"one": row, "choices": choices.items(), "problem": problem}
    return render(request, "webhooks/rotate.html", context, status=status)


@fresh_proof
@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    """Remove an endpoint, once it was confirmed."""
    person = who_finds(request, Task.MANAGE_WEBHOOKS)
    row = queries.endpoint(endpoint_id, by=person)
    question = confirming.Question(
        title=_("Remove this endpoint?"),
        words=(row.url, _("It is told nothing more, what waits for it is given up, and its secret is forgotten.")),
        button=_("Remove it"),
        back=f"{HOME}/{endpoint_id}",
        warns=True,
    )
    return confirming.confirmed(
        request, question, lambda _reason: actions.remove(endpoint_id, by=person), said=_("It is removed."), to=HOME
    )


@login_required
@never_cache
@require_POST
def test(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    """Send a test, and show it in the list."""
    person = who_finds(request, Task.MANAGE_WEBHOOKS)
    try:
        actions.send_test(endpoint_id, by=person)
    except ParcelwardError as refused:
        return _refused(request, endpoint_id, person, refused)
    words = _("A test is on its way. Load this page again in a moment to see how it went.")
    return confirming.done(request, words, f"{HOME}/{endpoint_id}")


def _refused(request: HttpRequest, endpoint_id: UUID, person: Person, refused: ParcelwardError) -> HttpResponse:
    if isinstance(refused, NotFound):
        raise refused
    return _one(request, endpoint_id, person, problem=_(refused.message), status=refused.status)


@login_required
@never_cache
@require_POST
def pause(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    """Pause an endpoint, or turn it on again."""
    paused = request.POST.get("paused") == "yes"
    actions.change(endpoint_id, paused=paused, by=who_finds(request, Task.MANAGE_WEBHOOKS))
    said = _("It is paused: what happens waits.") if paused else _("It is on again, and told what waited.")
    return confirming.done(request, said, f"{HOME}/{endpoint_id}")


@login_required
@never_cache
@require_POST
def replay(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    """Send again what was given up in the last hours or days."""
    person, hours = who_finds(request, Task.MANAGE_WEBHOOKS), request.POST.get("hours", "")
    if hours not in {str(each) for each in SINCE_H}:
        refused = Invalid(_("Choose from when on."))
        return _refused(request, endpoint_id, person, refused)
    n = actions.replay_since(endpoint_id, timezone.now() - dt.timedelta(hours=int(hours)), by=person)
    said = _("%(n)s are sent again.") % {"n": n} if n else _("Nothing was given up in that time.")
    return confirming.done(request, said, f"{HOME}/{endpoint_id}")


@login_required
@never_cache
@require_POST
def replay_one(request: HttpRequest, endpoint_id: UUID, delivery_id: UUID) -> HttpResponse:
    """Send one message once more."""
    actions.replay(endpoint_id, delivery_id, by=who_finds(request, Task.MANAGE_WEBHOOKS))
    words = _("It is sent again. Load this page again in a moment to see how it went.")
    return confirming.done(request, words, f"{HOME}/{endpoint_id}/deliveries/{delivery_id}")


urlpatterns = [
    path("app/webhooks", overview, name="webhooks"),
    path("app/webhooks/new", make, name="make_webhook"),
    path("app/webhooks/<uuid:endpoint_id>", one, name="webhook"),
    path("app/webhooks/<uuid:endpoint_id>/change", change, name="change_webhook"),
    path("app/webhooks/<uuid:endpoint_id>/pause", pause, name="pause_webhook"),
    path("app/webhooks/<uuid:endpoint_id>/remove", remove, name="remove_webhook"),
    path("app/webhooks/<uuid:endpoint_id>/replay", replay, name="replay_webhooks"),
    path("app/webhooks/<uuid:endpoint_id>/rotate", rotate, name="rotate_webhook"),
    path("app/webhooks/<uuid:endpoint_id>/test", test, name="test_webhook"),
    path("app/webhooks/<uuid:endpoint_id>/deliveries/<uuid:delivery_id>", delivery, name="webhook_delivery"),
    path("app/webhooks/<uuid:endpoint_id>/deliveries/<uuid:delivery_id>/replay", replay_one, name="replay_webhook"),
]
