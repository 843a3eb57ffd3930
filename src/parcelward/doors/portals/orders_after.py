"""After an order was made: cancel what was bought, and have a person look at what was refused."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from parcelward.base.errors import NotFound
from parcelward.doors.portals import amounts, confirming, orders_new
from parcelward.doors.portals.confirming import Question
from parcelward.shipping import actions, queries
from parcelward.shipping.wire import State

ORDERS: Final = "/app/orders"


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Ask, and cancel an order that nobody has handed in: the money goes back whole."""
    person = orders_new.orderer(request)
    order = queries.order(order_id, by=person)
    if order.state is not State.BOUGHT:
        raise NotFound("No such order")
    here = f"{ORDERS}/{order_id}"
    total = amounts.shown(order.total_minor, order.currency)
    question = Question(
        title=_("Cancel this order?"),
        words=(
            _("Its labels are void from then on: a parcel that carries one is stopped."),
            _("%(total)s goes back to where it came from.") % {"total": total},
        ),
        button=_("Cancel the order"),
        back=here,
        warns=True,
    )

    def act(_reason: str) -> None:
        actions.cancel(order_id, by=person)

    return confirming.confirmed(request, question, act, said=_("It is cancelled, and the money goes back."), to=here)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def appeal(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Ask, and have a person look at an order that was refused."""
    person = orders_new.orderer(request)
    order = queries.order(order_id, by=person)
    if order.state is not State.REFUSED:
        raise NotFound("No such order")
    here = f"{ORDERS}/{order_id}"
    question = Question(
        title=_("Have a person look at it?"),
        words=(
            _("Somebody who may decide reads what you wrote of it, and lets it go on or refuses it again."),
            _("Nothing is paid until then."),
        ),
        button=_("Have a person look"),
        back=here,
    )

    def act(_reason: str) -> None:
        actions.appeal(order_id, by=person)

    return confirming.confirmed(request, question, act, said=_("A person will look at it."), to=here)


urlpatterns = [
    path("app/orders/<uuid:order_id>/cancel", cancel, name="cancel_order"),
    path("app/orders/<uuid:order_id>/appeal", appeal, name="appeal_order"),
]
