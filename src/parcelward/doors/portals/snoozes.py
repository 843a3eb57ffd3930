"""Rules that do not count for one customer for a time: which there are, making one from an order, ending one."""

from __future__ import annotations

import datetime as dt
from typing import Final
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from parcelward.base.errors import Conflict, Invalid, NotFound
from parcelward.doors.portals import confirming
from parcelward.doors.portals.accounts.guard import fresh_proof, who_may
from parcelward.people import queries as who
from parcelward.people.wire import Person, Task
from parcelward.risk import actions, queries

HOME: Final = "/app/rules/snoozes"
DAYS: Final = (1, 7, 30, queries.SNOOZE_DAYS_MAX)
TYPED_MAX: Final = 80


@login_required
@never_cache
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """List what stands, that which ends first before the others."""
    person = who_may(request, Task.READ_DECISIONS)
    rows = queries.snoozes(by=person)
    names = who.source_names({row.by for row in rows})
    context = {
        "lines": [{"one": row, "by": names.get(row.by, "")} for row in rows],
        "may_snooze": who.may(person, Task.SNOOZE_RULE),
        "said": confirming.said_once(request),
    }
    return render(request, "rules/snoozes.html", context)


@fresh_proof
@require_http_methods(["GET", "HEAD", "POST"])
def make(request: HttpRequest) -> HttpResponse:
    """Ask which rule, for whoever made which order, for how long and why; then let it not count for them."""
    person = who_may(request, Task.SNOOZE_RULE)
    given = request.POST if request.method == "POST" else request.GET
    typed = {name: given.get(name, "").strip()[:TYPED_MAX] for name in ("rule", "order", "days")}
    typed["reason"] = given.get("reason", "").strip()[: queries.REASON_MAX + 1]
    problem, at, status = "", "", 200
    if request.method == "POST":
        try:
            _make(typed, person)
        except (Invalid, Conflict, NotFound) as refused:
            problem, at = _(refused.message), _at(typed, refused)
            status = Invalid.status if isinstance(refused, NotFound) else refused.status
        else:
            return confirming.done(request, _("The rule does not count for this customer until then."), HOME)
    context = {
        "typed": typed,
        "rules": sorted({row.rule for row in queries.rules(by=person) if row.stage == "active"}),
        "days": [(n, ngettext("%(n)d day", "%(n)d days", n) % {"n": n}) for n in DAYS],
        "reason_max": queries.REASON_MAX,
        "problem": problem,
        "at": at,
    }
    return render(request, "rules/snooze.html", context, status=status)


def _make(typed: dict[str, str], person: Person) -> None:
    if typed["days"] not in {str(n) for n in DAYS}:
        raise Invalid(_("Choose for how long."))
    until = timezone.now() + dt.timedelta(days=int(typed["days"]))
    actions.snooze_rule(typed["rule"], _order(typed["order"]), until=until, reason=typed["reason"], by=person)


def _order(text: str) -> UUID:
    """Return the order that is named as people and programs write it. Raises NotFound."""
    try:
        return UUID(text.removeprefix("ord_"))
    except ValueError:
        raise NotFound("No such order") from None


def _at(typed: dict[str, str], refused: Exception) -> str:
    """Return which field is wrong."""
    if isinstance(refused, NotFound | Conflict):
        return "order"
    return "reason" if typed["days"] in {str(n) for n in DAYS} else "days"


@login_required
@never_cache
@require_POST
def end(request: HttpRequest, snooze_id: UUID) -> HttpResponse:
    """Let the rule count again: stricter, so nothing is asked first."""
    actions.end_snooze(snooze_id, by=who_may(request, Task.SNOOZE_RULE))
    return confirming.done(request, _("The rule counts again."), HOME)


urlpatterns = [
    path("app/rules/snoozes", overview, name="snoozes"),
    path("app/rules/snoozes/new", make, name="snooze_rule"),
    path("app/rules/snoozes/<uuid:snooze_id>/end", end, name="end_snooze"),
]
