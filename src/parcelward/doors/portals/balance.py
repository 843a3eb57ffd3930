"""One's own postage balance: what is in it, what moved, pay in, and come back from the provider's page."""

from __future__ import annotations

import uuid
from typing import Any, Final
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from parcelward.base import config
from parcelward.base.errors import ParcelwardError
from parcelward.base.standards import money
from parcelward.doors.portals import amounts, confirming
from parcelward.doors.portals.accounts.guard import who_finds
from parcelward.payments import actions as payments
from parcelward.payments import queries
from parcelward.payments.wire import Entry, Intent, Standing
from parcelward.people import queries as who
from parcelward.people.wire import Person, Task

HOME: Final = "/app/balance"
SHOWN: Final = 50
NUMBER_DIGITS_MAX: Final = 18  # of a line of the statement
WAITING: Final = frozenset({Standing.CREATED, Standing.WAITS, Standing.AUTHORISED})


@login_required
@never_cache
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Show what is in the balance and what moved, the newest first."""
    return _overview(request, who_finds(request, Task.READ_BALANCE))


def _overview(
    request: HttpRequest, person: Person, *, problem: str = "", amount: str = "", key: str = "", status: int = 200
) -> HttpResponse:
    currency = money.currency(config.get().currency)
    request.forms_lead_to = queries.pages_at()  # type: ignore[attr-defined]  # read by the middleware
    balances = queries.balances(by=person)
    held = balances.get(currency)
    before = request.GET.get("before", "")
    newest = queries.statement(
        currency,
        by=person,
        before=int(before) if before.isascii() and before.isdigit() and len(before) <= NUMBER_DIGITS_MAX else None,
        limit=SHOWN + 1,
    )
    waiting = [one for one in queries.intents(by=person, limit=SHOWN) if one.standing in WAITING]
    context: dict[str, Any] = {
        "currency": currency,
        "available": amounts.shown(held.available_minor if held else 0, currency),
        "held": amounts.shown(held.held_minor, currency) if held and held.held_minor else "",
        "others": [amounts.shown(one.available_minor, code) for code, one in balances.items() if code != currency],
        "lines": [_line(one, currency) for one in newest[:SHOWN]],
        "older": newest[SHOWN - 1].number if len(newest) > SHOWN else None,
        "later": bool(before),
        "waiting": [{"one": one, "amount": amounts.shown(one.amount_minor, one.currency)} for one in waiting],
        "may_pay_in": who.may(person, Task.PAY_IN),
        "simulated": not config.get().production and not config.get().stripe_key,
        "problem": problem,
        "amount": amount,
        "key": key or str(uuid.uuid4()),
        "said": confirming.said_once(request),
    }
    return render(request, "money/balance.html", context, status=status)


def _line(entry: Entry, currency: money.Currency) -> dict[str, Any]:
    """Return a line of the statement with its words."""
    words = {
        "top_up": _("Paid in"),
        "purchase": _("Postage"),
        "refund": _("Given back"),
        "chargeback": _("Taken back by the card's bank"),
        "claim": _("Claim"),
    }
    return {
        "at": entry.at,
        "words": words.get(entry.reason, entry.reason.replace("_", " ")),
        "amount": amounts.shown(entry.amount_minor, currency),
        "in": entry.amount_minor > 0,
        "balance": amounts.shown(entry.balance_minor, currency),
    }


@login_required
@never_cache
@require_POST
def pay_in(request: HttpRequest) -> HttpResponse:
    """Begin to pay in, and send the payer to the provider's page. The form's own key makes a second click harmless."""
    person, post = who_finds(request, Task.READ_BALANCE), request.POST
    who.require(person, Task.PAY_IN)
    currency = money.currency(config.get().currency)
    amount, key = post.get("amount", "")[: amounts.TYPED_LENGTH_MAX], post.get("key", "")[:40]
    try:
        intent = uuid.UUID(key)
    except ValueError:
        intent = uuid.uuid4()
    back = config.get().public_url + reverse("payment", args=[intent])
    try:
        seen = payments.top_up(intent, amounts.typed(amount, currency), currency, back_url=back, by=person)
    except ParcelwardError as refused:
        # The words are the action's own; another amount under the same key would be another payment.
        return _overview(request, person, problem=_(refused.message), amount=amount, status=refused.status)
    if not seen.url:
        return HttpResponseRedirect(reverse("payment", args=[intent]))
    return HttpResponse(status=303, headers={"Location": seen.url})


@login_required
@never_cache
@require_safe
def payment(request: HttpRequest, payment_id: UUID) -> HttpResponse:
    """Show how a payment stands, having looked: this is where the provider's page leads back to."""
    person = who_finds(request, Task.READ_BALANCE)
    queries.intent(payment_id, by=person)
    seen = payments.came_back(payment_id, by=person)
    if seen.standing is Standing.CAPTURED:
        return confirming.done(request, _paid_words(seen), HOME)
    context = {
        "one": seen,
        "amount": amounts.shown(seen.amount_minor, seen.currency),
        "waits": seen.standing is Standing.WAITS,
        "ended": seen.standing in {Standing.DECLINED, Standing.VOIDED},
        "may_pay_in": who.may(person, Task.PAY_IN),
    }
    return render(request, "money/payment.html", context)


def _paid_words(seen: Intent) -> str:
    return _("%(amount)s was paid in.") % {"amount": amounts.shown(seen.captured_minor, seen.currency)}


@login_required
@never_cache
@require_POST
def give_up(request: HttpRequest, payment_id: UUID) -> HttpResponse:
    """Close a payment that nobody wants to make any more."""
    person = who_finds(request, Task.READ_BALANCE)
    seen = payments.give_up(payment_id, by=person)
    if seen.standing is Standing.CAPTURED:
        return confirming.done(request, _paid_words(seen), HOME)
    words = _("It is closed: nothing was paid.") if seen.standing is Standing.VOIDED else _("It is being closed.")
    return confirming.done(request, words, HOME)


urlpatterns = [
    path("app/balance", overview, name="balance"),
    path("app/balance/pay-in", pay_in, name="pay_in"),
    path("app/balance/payments/<uuid:payment_id>", payment, name="payment"),
    path("app/balance/payments/<uuid:payment_id>/give-up", give_up, name="give_up_payment"),
]
