"""Orders that stopped, for who decides: the queue, and everything about one on a page, with one key for each answer."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from parcelward.base.errors import Conflict, Invalid, NotAllowed, NotFound
from parcelward.doors.portals import amounts, confirming, order_words
from parcelward.doors.portals.accounts.guard import who_may
from parcelward.parcels.hazmat import queries as hazmat
from parcelward.people import queries as who
from parcelward.people.wire import Person, Task
from parcelward.risk import queries as risk
from parcelward.risk.wire import Share
from parcelward.shipping import actions, queries
from parcelward.shipping.actions import Because, Inside
from parcelward.shipping.queries import Waiting
from parcelward.shipping.wire import State, Why

QUEUE: Final = "/app/reviews/orders"
DAY: Final = dt.timedelta(days=1)
ALLOWS: Final = {
    Because.HARMLESS: gettext_lazy("It is harmless: the words were misread"),
    Because.PROVEN: gettext_lazy("The sender has shown what we asked for"),
    Because.KNOWN_SENDER: gettext_lazy("We know this sender"),
}
REFUSES: Final = {
    Because.DANGEROUS: gettext_lazy("It is dangerous, and may not be posted so"),
    Because.NOT_SHOWN: gettext_lazy("What we asked for was not shown"),
    Because.FRAUD: gettext_lazy("It is fraud"),
}
assert ALLOWS.keys() | REFUSES.keys() == set(Because), "every ground has its answer"  # noqa: S101 -- a hole must stop the start


@login_required
@never_cache
@require_safe
def queue(request: HttpRequest) -> HttpResponse:
    """Show what waits, the oldest first."""
    person = who_may(request, Task.REVIEW_ORDER)
    waiting = queries.to_review(by=person)
    rows = [
        {
            "one": one,
            "total": amounts.shown(one.order.total_minor, one.order.currency),
            "why": _why(one.order.reasons[0]) if one.order.reasons else "",
            "late": timezone.now() - one.since > DAY,
        }
        for one in waiting
    ]
    return render(request, "orders/queue.html", {"rows": rows, "said": confirming.said_once(request)})


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Show an order in review, whole; take the answer, and go on to the next one."""
    person = who_may(request, Task.REVIEW_ORDER)
    problem, status = "", 200
    if request.method == "POST":
        try:
            return _decided(request, order_id, person)
        except (Conflict, Invalid, NotAllowed) as refused:
            problem, status = _(refused.message), refused.status
    waiting = queries.in_review(order_id, by=person)
    contents = actions.contents(order_id, by=person)
    context = {
        "waiting": waiting,
        "total": amounts.shown(waiting.order.total_minor, waiting.order.currency),
        "reasons": [_why(why) for why in waiting.order.reasons],
        "grounds": [(why.details.get("clause", ""), *_sentences(why)) for why in waiting.order.reasons],
        "parcels": [_parcel(waiting, at, said) for at, said in enumerate(contents)],
        "snoozable": _snoozable(waiting.order.reasons) if who.may(person, Task.SNOOZE_RULE) else (),
        "shares": _shares(order_id, person),
        "allows": ALLOWS.items(),
        "refuses": REFUSES.items(),
        "certified": not waiting.dangerous or _certified(person),
        "problem": problem,
    }
    return render(request, "orders/review.html", context, status=status)


def _decided(request: HttpRequest, order_id: UUID, person: Person) -> HttpResponse:
    chosen = next((one for one in Because if one.value == request.POST.get("because")), None)
    if chosen is None:
        raise Invalid("Say what you decide", code="no_answer")
    allow = chosen in ALLOWS
    state = actions.review(order_id, allow=allow, because=chosen, by=person)
    words = _("It goes on.") if allow else _("It was refused, and its sender can read why.")
    if allow and state is not State.BOUGHT:
        words = _("It goes on, once it is paid.")
    rest = queries.to_review(by=person)
    return confirming.done(request, words, f"{QUEUE}/{rest[0].order.id}" if rest else QUEUE)


def _certified(person: Person) -> bool:
    try:
        who.require(person, Task.ACCEPT_HAZMAT, on=timezone.now().date())
    except NotAllowed:
        return False
    return True


def _why(why: Why) -> str:
    if why.code == "appealed":
        return _("The sender asks that a person looks at it.")
    return order_words.reason(why)


def _sentences(why: Why) -> tuple[str, ...]:
    return tuple(_(rule["words"]) for rule in why.details.get("rules", ()))


def _shares(order_id: UUID, person: Person) -> tuple[Share, ...]:
    """Return what spoke for and against fraud in the model's score, for who may read decisions."""
    if not who.may(person, Task.READ_DECISIONS):
        return ()
    try:
        return risk.shares(order_id, by=person)
    except NotFound:  # nobody asked risk about it: what is in it stopped it
        return ()


def _snoozable(reasons: Sequence[Why]) -> list[tuple[str, str]]:
    """Return the rules that stopped an order, each with its sentence: one may be let not count for its sender."""
    return [(rule["code"], _(rule["words"])) for why in reasons for rule in why.details.get("rules", ())]


def _parcel(waiting: Waiting, at: int, inside: Inside) -> dict[str, Any]:
    item, said = waiting.order.items[at], inside.declared
    answers = {} if said is None else dataclasses.asdict(said.answers)
    return {
        "item": item,
        "size": " \u00d7 ".join(str(side) for side in item.sides_mm),
        "said": said,
        "for_customs": inside.for_customs,
        "answers": [(hazmat.question(name), value) for name, value in answers.items() if value is not None],
    }


urlpatterns = [
    path("app/reviews/orders", queue, name="order_reviews"),
    path("app/reviews/orders/<uuid:order_id>", one, name="order_review"),
]
