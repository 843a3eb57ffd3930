"""A sender's start: what needs attention, what was spent, and the ways on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from parcelward.base import config
from parcelward.base.standards import money
from parcelward.base.standards.money import Currency
from parcelward.doors.portals import amounts, moments
from parcelward.payments import queries as payments
from parcelward.people import queries as who
from parcelward.people.wire import Person, Task
from parcelward.shipping import queries
from parcelward.shipping.wire import Day, State

DAYS: Final = 30
LOW_DAYS: Final = 7  # a balance is low when it holds less than was spent in so many days
HELD_SHOWN: Final = 5
_WIDTH: Final = 600
_HEIGHT: Final = 120


@login_required
@never_cache
@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    """Show what needs attention, and a chart of what was spent."""
    person = who.person_of(request.user)
    who.require(person, Task.READ_ORDERS)
    currency = money.currency(config.get().currency)
    now = timezone.now()
    start = (now - dt.timedelta(days=DAYS - 1)).replace(hour=0, minute=0, second=0, microsecond=0)
    spent = queries.spent_by_day(start, currency, by=person)
    standing = queries.standing(by=person)
    available = _available(person, currency)
    held = queries.held_parcels(by=person)
    context = {
        "attention": _attention(standing, queries.standing(by=person, since=start)),
        "held": [{"order": order, "number": number} for order, number in held[:HELD_SHOWN]],
        "held_more": max(0, len(held) - HELD_SHOWN),
        "low": _low(available, spent, now.date()),
        "balance": None if available is None else amounts.shown(available, currency),
        "any": bool(standing),
        "may_order": who.may(person, Task.ORDER),
        "may_pay_in": who.may(person, Task.PAY_IN),
        "may_keys": who.may(person, Task.MANAGE_KEYS),
        "chart": chart(spent, start.date(), currency) if spent else None,
    }
    return render(request, "orders/start.html", context)


def _available(person: Person, currency: Currency) -> int | None:
    """Return what can be spent; None where that is not shown to them."""
    if not who.may(person, Task.READ_BALANCE):
        return None
    held = payments.balances(by=person).get(currency)
    return held.available_minor if held else 0


def _low(available: int | None, spent: tuple[Day, ...], today: dt.date) -> bool:
    """Return whether a balance holds less than was spent in the last days."""
    recent = sum(one.spent_minor for one in spent if one.day > today - dt.timedelta(days=LOW_DAYS))
    return available is not None and available < recent


def _attention(standing: Mapping[State, int], lately: Mapping[State, int]) -> list[dict[str, Any]]:
    """Return what waits for somebody, with how many: no line where there is none. Old refusals wait for nobody."""
    found = []
    if n := standing.get(State.PAYING, 0):
        words = ngettext("%(n)s order is not paid yet", "%(n)s orders are not paid yet", n) % {"n": n}
        found.append({"state": State.PAYING.value, "words": words})
    if n := standing.get(State.REVIEW, 0):
        words = ngettext("A person looks at %(n)s order", "A person looks at %(n)s orders", n) % {"n": n}
        found.append({"state": State.REVIEW.value, "words": words})
    if n := lately.get(State.REFUSED, 0):
        words = ngettext("%(n)s order was refused", "%(n)s orders were refused", n) % {"n": n}
        found.append({"state": State.REFUSED.value, "words": words})
    return found


def chart(spent: tuple[Day, ...], start: dt.date, currency: Currency) -> dict[str, Any]:
    """Return a bar for each day, the amount axis from zero, and what a table says of the same days."""
    by_day = {one.day: one.spent_minor for one in spent}
    days = [start + dt.timedelta(days=n) for n in range(DAYS)]
    most = max(by_day.values())
    step = _WIDTH / DAYS
    bars = [
        {
            "x": round(n * step + 2, 1),
            "y": round(_HEIGHT - _HEIGHT * by_day.get(day, 0) / most, 1),
            "height": round(_HEIGHT * by_day.get(day, 0) / most, 1),
            "width": round(step - 4, 1),
        }
        for n, day in enumerate(days)
    ]
    total = amounts.shown(sum(by_day.values()), currency)
    return {
        "title": _("%(total)s of postage in the last 30 days") % {"total": total},
        "bars": bars,
        "most": amounts.shown(most, currency),
        "first": moments.day_name(days[0], days[-1]),
        "last": moments.day_name(days[-1], days[-1]),
        "rows": [(day, amounts.shown(by_day[day], currency)) for day in reversed(days) if day in by_day],
    }
