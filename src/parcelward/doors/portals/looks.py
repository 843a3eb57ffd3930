"""What the operator states (what answers cost, how many orders people look at), and the orders that are looked at."""

from __future__ import annotations

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

from parcelward.base import config
from parcelward.base.errors import Invalid
from parcelward.base.standards import money
from parcelward.doors.portals import amounts, confirming, rules_words
from parcelward.doors.portals.accounts.guard import who_may
from parcelward.people import queries as who
from parcelward.people.wire import Task
from parcelward.risk import actions, queries
from parcelward.risk.wire import Answer

HOME: Final = "/app/rules/looks"
COSTS: Final = (Answer.ALLOW, Answer.REVIEW, Answer.HOLD, Answer.REFUSE)
"""Answers whose costs are stated: more proof is asked for by rules that need no score."""
KINDS: Final = ("good", "fraud")
LOOKS_TYPED_MAX: Final = 6


@login_required
@never_cache
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """List what is to be looked at, the newest first."""
    person = who_may(request, Task.READ_DECISIONS)
    stated = queries.stated(by=person)
    context = {
        "lines": queries.picks(by=person),
        "looks": 0 if stated is None else stated.looks_a_day,
        "may_say": who.may(person, Task.LEARN_OUTCOME),
        "may_state": who.may(person, Task.WRITE_RULES),
        "said": confirming.said_once(request),
    }
    return render(request, "rules/looks.html", context)


@login_required
@never_cache
@require_POST
def say(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Take what somebody says of an order: it was fraud, or it was not."""
    person = who_may(request, Task.LEARN_OUTCOME)
    fraud = request.POST.get("fraud")
    if fraud not in {"yes", "no"}:
        raise Invalid("Say whether it was fraud", code="no_answer")
    actions.outcome_of_order(order_id, fraud=fraud == "yes", at=timezone.now(), by=person)
    return confirming.done(request, _("It is noted, and the next model learns from it."), HOME)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def costs(request: HttpRequest) -> HttpResponse:
    """Ask what each answer costs; show from which score on each is the cheapest."""
    person, currency = who_may(request, Task.WRITE_RULES), money.currency(config.get().currency)
    stated, problem, status = queries.stated(by=person), "", 200
    typed = {f"{answer}-{kind}": "" for answer in COSTS for kind in KINDS} | {"looks": ""}
    if request.method == "POST":
        typed = {name: request.POST.get(name, "")[: amounts.TYPED_LENGTH_MAX].strip() for name in typed}
        try:
            said = {one: tuple(amounts.typed(typed[f"{one}-{kind}"], currency) for kind in KINDS) for one in COSTS}
            actions.state_costs({one: (two[0], two[1]) for one, two in said.items()}, _looks(typed["looks"]), by=person)
        except Invalid as refused:
            problem, status = _(refused.message), refused.status
        else:
            return confirming.done(request, _("It is noted."), f"{HOME}/costs")
    elif stated is not None:
        for answer, two in stated.costs.items():
            for kind, minor in zip(KINDS, two, strict=True):
                typed[f"{answer}-{kind}"] = str(money.decimal(minor, currency))
        typed["looks"] = str(stated.looks_a_day)
    context: dict[str, Any] = {
        "rows": [
            (rules_words.ANSWERS[one], one.value, *((kind, typed[f"{one}-{kind}"]) for kind in KINDS)) for one in COSTS
        ],
        "looks": typed["looks"],
        "looks_max": queries.LOOKS_MAX,
        "currency": currency,
        "steps": [] if stated is None else [_step(*step) for step in stated.steps if step[0] is not Answer.ALLOW],
        "problem": problem,
        "said": confirming.said_once(request),
    }
    return render(request, "rules/costs.html", context, status=status)


def _looks(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= LOOKS_TYPED_MAX):
        raise Invalid(_("Say how many orders a day people can look at: a whole number, 0 for none."))
    return int(text)


def _step(answer: Answer, since: float) -> dict[str, str]:
    return {"words": rules_words.ANSWERS[answer], "answer": answer.value, "since": f"{since:.3f}"}


urlpatterns = [
    path("app/rules/looks", overview, name="looks"),
    path("app/rules/looks/costs", costs, name="stated_costs"),
    path("app/rules/looks/<uuid:order_id>/say", say, name="say_of_order"),
]
