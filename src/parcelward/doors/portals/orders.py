"""A sender's own orders: the list, one order with its labels, print anew, give up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from parcelward.base.errors import Conflict, NotFound
from parcelward.base.standards.steps import NOTHING_SEEN_TRACKER
from parcelward.base.vault import VaultToken
from parcelward.doors.portals import amounts, confirming, order_words, orders_new, orders_shown, orders_start
from parcelward.doors.portals.confirming import Question
from parcelward.parcels import queries as parcels
from parcelward.people import queries as who
from parcelward.people.wire import Person, Task
from parcelward.privacy import actions as privacy
from parcelward.privacy.wire import Field
from parcelward.shipping import actions, queries
from parcelward.shipping.customs.wire import Completeness
from parcelward.shipping.errors import NotNow
from parcelward.shipping.labels import layout, pdf, png, zpl
from parcelward.shipping.wire import ItemSeen, OrderSeen, State

SHOWN: Final = 20
JOURNEYS_MAX: Final = 10  # of one order: what a parcel does now is asked for each
LIST: Final = "/app/orders"
PAPERS: Final = {"4x6": layout.INCH_4X6, "a6": layout.A6, "a4": layout.A4_OF_4}
FORMS: Final[Mapping[str, str]] = {
    **dict.fromkeys(PAPERS, "application/pdf"),
    "zpl": "application/zpl",
    "png": "image/png",
}
"""How a label is given out -> its type."""
CUSTOMS_ASKED: Final = frozenset({State.PAYING, State.MAKING, State.REVIEW, State.BOUGHT})
WAITING: Final = frozenset({State.PAYING, State.MAKING})


def _reader(request: HttpRequest) -> Person:
    person = who.person_of(request.user)
    who.require(person, Task.READ_ORDERS)
    return person


@login_required
@never_cache
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Show orders, the newest first; those in one state where the address names one."""
    person = _reader(request)
    state = next((one for one in State if one.value == request.GET.get("state")), None)
    found = queries.orders(by=person, limit=SHOWN + 1, after=_id_in(request.GET.get("after", "")), state=state)
    shown = found[:SHOWN]
    standing = queries.standing(by=person)
    context = {
        "rows": rows(shown, by=person),
        "states": [
            {"name": order_words.state_name(one), "value": one.value, "n": standing[one], "current": one is state}
            for one in State
            if one in standing
        ],
        "all": sum(standing.values()),
        "state": state,
        "older": shown[-1].id if len(found) > SHOWN else None,
        "later": bool(request.GET.get("after")),
        "may_order": who.may(person, Task.ORDER),
        "said": confirming.said_once(request),
    }
    return render(request, "orders/list.html", context)


def _id_in(text: str) -> UUID | None:
    try:
        return UUID(text[:40]) if text else None
    except ValueError:
        raise NotFound("No such order") from None


def rows(shown: Sequence[OrderSeen], *, by: Person) -> list[dict[str, Any]]:
    """Return orders as lists show them, with whom each goes to: masked."""
    tokens = [VaultToken(order.items[0].addressee) for order in shown if order.items]
    fields = (Field.NAME, Field.POSTCODE, Field.COUNTRY)
    masked = privacy.masked_many(tokens, fields, by=by) if tokens else {}
    return [
        {
            "order": order,
            "to": to_words(masked.get(VaultToken(order.items[0].addressee), {})),
            "more": len(order.items) - 1,
            "service": order.items[0].service,
            "state": order_words.state_name(order.state),
            "tone": order_words.TONES.get(order.state, ""),
            "total": amounts.shown(order.total_minor, order.currency),
        }
        for order in shown
    ]


def to_words(masked: Mapping[Field, str]) -> str:
    """Return what a list says of an addressee; words for one who was forgotten."""
    name, place = masked.get(Field.NAME, ""), (masked.get(Field.POSTCODE, ""), masked.get(Field.COUNTRY, ""))
    there = " ".join(part for part in place if part)
    return ", ".join(part for part in (name, there) if part) or _("forgotten")


@login_required
@never_cache
@require_safe
def one(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Show an order as it stands, having looked: this is where the provider's page leads back to."""
    person = _reader(request)
    order = queries.order(order_id, by=person)
    may_order = who.may(person, Task.ORDER)
    if order.state in WAITING and may_order:
        actions.go_on(order_id, by=person)
        order = queries.order(order_id, by=person)
    return _show(request, person, order)


def _show(
    request: HttpRequest, person: Person, order: OrderSeen, *, problem: str = "", status: int = 200
) -> HttpResponse:
    tokens = [VaultToken(item.addressee) for item in order.items]
    masked = privacy.masked_many(tokens, (Field.NAME, Field.POSTCODE, Field.COUNTRY), by=person)
    name, words = order_words.STATES[order.state]
    items = [_item(each, order, to_words(masked.get(VaultToken(each.addressee), {}))) for each in order.items]
    handed_in = order.state is State.BOUGHT and not any(each["unseen"] for each in items)
    context = {
        "order": order,
        "name": name,
        "words": "" if handed_in else words,
        "tone": order_words.TONES.get(order.state, ""),
        "reasons": [_reason(why, order) for why in order.reasons],
        "items": items,
        "total": amounts.shown(order.total_minor, order.currency),
        "tax": amounts.shown(order.tax_minor, order.currency) if order.tax_minor else "",
        "refunded": amounts.shown(order.refunded_minor, order.currency) if order.refunded_minor else "",
        "bought": order.state is State.BOUGHT,
        "ended": order.state in {State.REFUSED, State.UNDONE},
        "may_appeal": order.state is State.REFUSED and not any(why.code == "appealed" for why in order.reasons),
        "may_cancel": order.state is State.BOUGHT and not handed_in,
        "may_order": who.may(person, Task.ORDER),
        "may_give_up": order.state in {State.PAYING, State.REVIEW},
        "problem": problem,
        "said": confirming.said_once(request),
    }
    return render(request, "orders/one.html", context, status=status)


def _reason(why: Any, order: OrderSeen) -> dict[str, Any]:
    """Return one reason in words, with its clause, and the way to a person where a rule about contents stopped it."""
    hazmat = why.code.startswith("hazmat_")
    appealed = any(each.code == "appealed" for each in order.reasons)
    return {
        "words": order_words.reason(why),
        "clause": why.details.get("clause", ""),
        "meaning": orders_shown.rule_words(why.details.get("rule", "")) if hazmat else "",
        "appeal": orders_shown.appeal_words() if hazmat and not appealed else "",
        "item": why.place + 1 if why.place is not None and len(order.items) > 1 else 0,
    }


def _item(item: ItemSeen, order: OrderSeen, to: str) -> dict[str, Any]:
    now = timezone.now()
    journey = None
    if item.item is not None and order.state is State.BOUGHT and item.place < JOURNEYS_MAX:
        journey = parcels.journey(item.item)
    return {
        "item": item,
        "to": to,
        "parcel": orders_shown.parcel_words(item.weight_g, item.sides_mm),
        "total": amounts.shown(item.total_minor, order.currency),
        "number": " ".join(item.number[at : at + 4] for at in range(0, len(item.number), 4)),
        "days": orders_shown.days_words(item.promised_from, item.promised_to),
        "unseen": journey is None or journey.tracker == NOTHING_SEEN_TRACKER,
        "headline": journey.headline if journey else "",
        "held": journey.held if journey else False,
        "open": item.label_until is None or item.label_until > now,
        "fresh": item.label_until is None,
        "customs_missing": item.customs is not None
        and item.customs.standing is Completeness.MISSING
        and order.state in CUSTOMS_ASKED,
        "reprints": item.printings_left,
    }


@login_required
@never_cache
@require_safe
def label(request: HttpRequest, order_id: UUID, place: int, form: str) -> HttpResponse:
    """Give out a parcel's label, as a file of the kind that the address names."""
    person = orders_new.orderer(request)
    order = queries.order(order_id, by=person)
    if form not in FORMS:
        raise NotFound("No such label")
    try:
        (facts,) = actions.labels(order_id, (place,), by=person)
    except NotNow as refused:
        return _show(request, person, order, problem=_label_words(refused), status=refused.status)
    if form == "zpl":
        data = zpl.render(facts)
    else:
        data = png.render(facts) if form == "png" else pdf.render([facts], PAPERS[form])
    end = form if form in {"zpl", "png"} else "pdf"
    answer = HttpResponse(data, content_type=FORMS[form])
    how = "inline" if request.GET.get("show") and end == "pdf" else "attachment"
    answer["Content-Disposition"] = f'{how}; filename="{facts.number}.{end}"'
    return answer


def _label_words(refused: NotNow) -> str:
    words = {
        "printed": _("This label was given out before. Print it anew: the one before is void then."),
        "forgotten": _("The addressee's data were erased, so no label can be made."),
    }
    return words.get(refused.code, _("There is no label yet."))


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def anew(request: HttpRequest, order_id: UUID, place: int) -> HttpResponse:
    """Ask, and print a label anew: the one before is void then."""
    person = orders_new.orderer(request)
    order = queries.order(order_id, by=person)
    item = next((each for each in order.items if each.place == place), None)
    if item is None or order.state is not State.BOUGHT:
        raise NotFound("No such label")
    left = item.printings_left
    many = ngettext("It can be printed anew once more.", "It can be printed anew %(n)s times more.", left) % {"n": left}
    asked = Question(
        title=_("Print the label of %(number)s anew?") % {"number": item.number},
        words=(
            _("The label from before is void then. Do not use it: whoever scans it stops the parcel."),
            many if left else _("It was printed as often as it may be."),
        ),
        button=_("Print it anew"),
        back=reverse("order", args=[order_id]),
    )

    def act(_reason: str) -> None:
        try:
            actions.print_anew(order_id, place, by=person)
        except Conflict as refused:
            raise Conflict(_anew_words(refused)) from refused

    said = _("There is a new label: the one before is void.")
    return confirming.confirmed(request, asked, act, said=said, to=reverse("order", args=[order_id]))


def _anew_words(refused: Conflict) -> str:
    words = {
        "printed_out": _("It was printed as often as it may be."),
        "tendered": _("The parcel was handed in already: its label is not printed again."),
        "forgotten": _("The addressee's data were erased, so no label can be made."),
    }
    return words.get(refused.code, _("It cannot be printed now."))


@login_required
@never_cache
@require_POST
def give_up(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Close an order that is not paid. One that is paid meanwhile stays bought."""
    person = orders_new.orderer(request)
    here = reverse("order", args=[order_id])
    try:
        actions.give_up(order_id, by=person)
    except NotNow as refused:
        words = _("It is being paid at this moment, so it was not closed.")
        return _show(request, person, queries.order(order_id, by=person), problem=words, status=refused.status)
    return HttpResponseRedirect(here)  # which says how it stands


urlpatterns = [
    path("app/sender", orders_start.dashboard, name="sender"),
    path("app/orders", overview, name="orders"),
    *orders_new.urlpatterns,
    path("app/orders/<uuid:order_id>", one, name="order"),
    path("app/orders/<uuid:order_id>/give-up", give_up, name="give_up_order"),
    path("app/orders/<uuid:order_id>/labels/<int:place>/anew", anew, name="label_anew"),
    path("app/orders/<uuid:order_id>/labels/<int:place>/<str:form>", label, name="label"),
]
