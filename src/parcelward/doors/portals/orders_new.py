"""A new order: one page to write it, one with what it costs, and then it is bought.

form ── prices ─> offers ── Pay ─> the order with its label, or the provider's page
  ^ what is wrong, what was meant, what is asked about its contents
"""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import uuid
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from parcelward.base import config
from parcelward.base.errors import Invalid
from parcelward.doors import throttle
from parcelward.doors.portals import amounts, orders_form, orders_shown
from parcelward.doors.portals.accounts import guard
from parcelward.doors.portals.orders_form import Flaw, Typed
from parcelward.parcels import queries as parcels
from parcelward.parcels.hazmat import questions
from parcelward.parcels.hazmat.queries import screen
from parcelward.parcels.hazmat.wire import Answer, Asked, Mode, Screened
from parcelward.payments import queries as payments
from parcelward.payments.errors import NoProvider, NotEnough
from parcelward.people import actions as people
from parcelward.people import queries as who
from parcelward.people.wire import Person, Task
from parcelward.shipping import actions, queries
from parcelward.shipping.errors import BadOrder, NoTariff, QuoteOver
from parcelward.shipping.wire import Looked, OrderWanted, PaidBy, Quoted, State, Whence

KEY_MAX: Final = 40
REUSED: Final = "idempotency_key_reused"


def orderer(request: HttpRequest) -> Person:
    """Return who asks, who may order. Raises NotAllowed."""
    person = who.person_of(request.user)
    who.require(person, Task.ORDER)
    return person


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Show the form; look at what it sends, and show what it costs once nothing is wrong with it."""
    person, here = orderer(request), config.get().country
    try:
        queries.tariff_in_force(timezone.now())
    except NoTariff as closed:
        return render(request, "orders/closed.html", status=closed.status)
    if request.method != "POST":
        return _form(request, orders_form.first(actions.sender_of(person), here=here))
    typed, do = orders_form.typed(request.POST), request.POST.get("do", "")[:KEY_MAX]
    if do == "change":
        return _form(request, typed)
    if do.startswith("take:"):
        typed = _taken(typed, do.removeprefix("take:"), by=person)
    if do == "ask:air":
        typed = typed.changed(air="1")
    if do == "appeal":
        typed = typed.changed(appeal="1")
    return _prices(request, person, typed, sure=do == "sure")


def _taken(typed: Typed, name: str, *, by: Person) -> Typed:
    wanted, _flaws = _read(typed)
    looked = queries.looked_at(wanted, by=by)
    return orders_form.taken(typed, name, (*looked.problems, *looked.advice))


def _read(typed: Typed) -> tuple[OrderWanted, list[Flaw]]:
    _number, tariff = queries.tariff_in_force(timezone.now())
    return orders_form.order_of(typed, currency=orders_shown.currency_of(tariff), here=config.get().country)


def _areas_filled(typed: Typed, looked: Looked) -> Typed:
    """Return the form with each state that its postcode alone says."""
    said = {orders_form.field_of(one.pointer): one.suggestion for one in looked.advice if one.code == "missing"}
    return typed.changed(**{name: text for name, text in said.items() if name.endswith("_area") and text})


def _prices(request: HttpRequest, person: Person, typed: Typed, *, sure: bool = False, said: str = "") -> HttpResponse:
    """Show what it costs, or what is wrong, or what is to be asked about its contents."""
    wanted, flaws = _read(typed)
    filled = _areas_filled(typed, queries.looked_at(wanted, by=person))
    if filled != typed:
        typed, (wanted, flaws) = filled, _read(filled)
    looked = queries.looked_at(wanted, by=person)
    told = {flaw.field for flaw in flaws}
    wrong = [flaw for flaw in orders_form.at_fields(looked.problems) if flaw.field not in told | _twice(told)]
    told |= {name for name in ("from_area", "to_area") if not typed.values[name] and not _postcode(typed, name)}
    doubts = [] if sure else [one for one in orders_form.at_fields(looked.advice) if one.field not in told]
    if flaws or wrong or doubts:
        return _form(request, typed, [*flaws, *wrong, *doubts], may_insist=not (flaws or wrong))
    item = wanted.items[0]
    quoted = actions.quote(looked.to[0], item.weight_g, item.sides_mm, item.extras, by=person)
    rules = parcels.operator_rules()
    screened = {mode: screen(item.declaration, mode, rules) for mode in Mode}
    question = _question(typed, screened, quoted)
    if question is not None:
        asked, why = question
        return _form(request, _asking(typed, asked), asked=asked, why=why)
    modes = {Mode(offer.mode) for offer, _first, _last in quoted.offers}
    if modes and not typed.values["appeal"] and all(screened[mode].answer is Answer.REFUSE for mode in modes):
        worst = screened[next(iter(modes))]
        return _form(request, typed, [Flaw("contents", f"{worst.words} {worst.what_to_change}")], refused=worst)
    return _offers(request, person, typed, quoted, said=said)


def _postcode(typed: Typed, area: str) -> str:
    """Return the postcode that stands with a state: it mostly says which one, so it is asked for first."""
    return typed.values[area.replace("_area", "_postcode")]


def _twice(told: set[str]) -> set[str]:
    """Return what is said already where a number could not be read."""
    return told | ({"size"} if "sides" in told else set())


def _question(typed: Typed, screened: dict[Mode, Screened], quoted: Quoted) -> tuple[Asked, Screened] | None:
    """Return the next question about what is in it, where its answer could still change something, and why."""
    if typed.values["battery"] == orders_form.OTHER_KIND and "battery" not in typed.answers:
        return Asked("battery", questions.CHOICES["battery"]), screened[Mode.GROUND]
    modes = {Mode(offer.mode) for offer, _first, _last in quoted.offers}
    if not modes or orders_form.SKIPPED in typed.answers.values():
        return None
    easiest = min((screened[mode] for mode in modes), key=lambda one: one.answer)
    wanted = screened[Mode.AIR] if typed.values["air"] else easiest
    if wanted.ask is None or wanted.ask.field in typed.answers:
        return None
    return wanted.ask, wanted


def _asking(typed: Typed, asked: Asked) -> Typed:
    """Return the form with one more question at its end."""
    return dataclasses.replace(typed, answers={**typed.answers, asked.field: ""})


def _form(
    request: HttpRequest,
    typed: Typed,
    flaws: Sequence[Flaw] = (),
    *,
    asked: Asked | None = None,
    why: Screened | None = None,
    refused: Screened | None = None,
    may_insist: bool = False,
) -> HttpResponse:
    _number, tariff = queries.tariff_in_force(timezone.now())
    context = orders_shown.form(typed, orders_form.in_order(flaws), tariff=tariff)
    context |= {
        "asked": asked.field if asked else "",
        "why": why.words if why and why.answer > Answer.ACCEPT else "",
        "refused": refused,
        "may_insist": may_insist,
    }
    return render(request, "orders/new.html", context, status=422 if flaws else 200)


def _offers(
    request: HttpRequest,
    person: Person,
    typed: Typed,
    quoted: Quoted,
    *,
    said: str = "",
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    request.forms_lead_to = payments.pages_at()  # type: ignore[attr-defined]  # read by the middleware
    may_see = who.may(person, Task.READ_BALANCE)
    held = payments.balances(by=person).get(quoted.currency) if may_see else None
    available = held.available_minor if held else 0
    _number, tariff = queries.tariff_in_force(timezone.now())
    wanted, _flaws = _read(typed)
    looked, appealing = queries.looked_at(wanted, by=person), bool(typed.values["appeal"])
    context = orders_shown.offers(wanted, looked, quoted, tariff=tariff, appealing=appealing)
    context |= {
        "hidden": typed.hidden(),
        "quote": quoted.id.hex,
        "key": uuid.uuid4(),
        "balance": amounts.shown(available, quoted.currency),
        "enough": any(offer.total_minor <= available for offer, _first, _last in quoted.offers),
        "by_card": bool(payments.pages_at()),
        "simulated": not config.get().production and not config.get().stripe_key,
        "said": said,
        "problem": problem,
    }
    return render(request, "orders/offers.html", context, status=status)


@login_required
@never_cache
@require_POST
def buy(request: HttpRequest) -> HttpResponse:
    """Buy what was chosen. The form's own key is the order's id, so a second click is the same order."""
    person, post = orderer(request), request.POST
    typed = orders_form.typed(post)
    key, quote = _uuid(post.get("key", "")), _uuid(post.get("quote", ""))
    wanted, flaws = _read(typed)
    if key is None or quote is None or flaws:
        return _prices(request, person, typed)
    (item,) = wanted.items
    wanted = dataclasses.replace(
        wanted,
        items=(dataclasses.replace(item, product=post.get("product", "")[:KEY_MAX]),),
        paid_by=PaidBy.CARD if post.get("paid_by") == PaidBy.CARD else PaidBy.BALANCE,
        quote=quote,
        back_url=config.get().public_url + reverse("order", args=[key]),
    )
    try:
        people.once(str(key), _digest(request), lambda: _placed(request, key, wanted), by=person, now=timezone.now())
    except (NotEnough, NoProvider) as refused:
        return _not_paid(request, person, typed, wanted, refused.code)
    except QuoteOver:
        words = _("The prices have changed since, so nothing was bought. These hold now.")
        return _prices(request, person, typed, sure=True, said=words)
    except BadOrder as bad:
        return _form(request, typed, orders_form.at_fields(bad.problems))
    except Invalid as other:
        if other.code != REUSED:
            raise
        # Bought, and then another button of the same page was used: what was bought stands.
        return HttpResponseRedirect(reverse("order", args=[key]))
    actions.go_on(key, by=person)
    order = queries.order(key, by=person)
    if order.state is State.REFUSED and typed.values["appeal"]:
        actions.appeal(key, by=person)
    return HttpResponse(status=303, headers={"Location": order.pay_url or reverse("order", args=[key])})


def _placed(request: HttpRequest, key: UUID, wanted: OrderWanted) -> tuple[int, bytes]:
    whence = Whence(
        network=throttle.client_address(request),
        device=guard.known_browser(request).decode("ascii"),
        proven=guard.is_fresh(request),
    )
    return 200, actions.place_within(key, wanted, by=orderer(request), whence=whence).bytes


def _not_paid(request: HttpRequest, person: Person, typed: Typed, wanted: OrderWanted, code: str) -> HttpResponse:
    """Show the offers again, and why it could not be paid so."""
    item, looked = wanted.items[0], queries.looked_at(wanted, by=person)
    quoted = actions.quote(looked.to[0], item.weight_g, item.sides_mm, item.extras, by=person)
    words = _("Your balance does not hold enough for this. Pay by card, or pay in first. Nothing was bought.")
    if code != NotEnough.default_code:
        words = _("Nobody takes cards here at the moment. Pay from your balance. Nothing was bought.")
    return _offers(request, person, typed, quoted, problem=words, status=409)


def _digest(request: HttpRequest) -> bytes:
    """Return what stands for this form: the same one again is the same order. Of what was typed it tells nothing."""
    said = sorted(
        (name, text) for name, texts in request.POST.lists() for text in texts if name != "csrfmiddlewaretoken"
    )
    return hmac.digest(settings.SECRET_KEY.encode(), repr(said).encode(), hashlib.sha256)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text[:KEY_MAX])
    except ValueError:
        return None


urlpatterns = [
    path("app/orders/new", new, name="new_order"),
    path("app/orders/buy", buy, name="buy"),
]
