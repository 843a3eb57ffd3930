"""Cancel what was bought, as long as nobody has handed it in: labels are void, and the money goes back whole."""

from __future__ import annotations

import uuid
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from parcelward.base.errors import NotFound
from parcelward.parcels import actions as parcels
from parcelward.payments import actions as payments
from parcelward.payments.queries import owner_of
from parcelward.people import actions as people
from parcelward.people.queries import require
from parcelward.people.wire import Person, Task
from parcelward.shipping.actions import judging, orders
from parcelward.shipping.errors import NotNow
from parcelward.shipping.models import Order, OrderItem
from parcelward.shipping.wire import PaidBy, State


def cancel(order_id: UUID, *, by: Person) -> State:
    """Cancel a bought order: nothing of it may have been handed in. Doing it twice changes nothing.

    The money goes back to where it came from; a card's bank may take days to show it. Raises NotFound, NotNow.
    """
    require(by, Task.ORDER)
    refund = uuid.uuid5(order_id, "cancelled")
    with transaction.atomic():
        row = Order.objects.select_for_update().filter(pk=order_id, owner=owner_of(by)).first()
        if row is None:
            raise NotFound("No such order")
        if row.state == State.CANCELLED:
            return State.CANCELLED
        if row.state != State.BOUGHT:
            raise NotNow("Only an order that was bought can be cancelled")
        house, now = people.machinery(), timezone.now()
        items = list(OrderItem.objects.filter(order=row).order_by("place"))
        parcels.cancel_sold_within([one.item for one in items if one.item is not None], by=house, now=now)
        price = orders.price_of(row)
        if row.paid_by == PaidBy.BALANCE:
            payments.give_back_to_balance(
                refund, row.id, price, row.total_minor, refunded_minor=0, owner=row.owner, by=by
            )
        elif row.intent is not None:
            payments.give_back_to_card(refund, row.intent, row.total_minor, by=by)
        row.refunded_minor = row.total_minor
        judging.given_back_within(row, now=now)
        orders.turn(row, State.CANCELLED, by=by, items=items)
    if row.paid_by == PaidBy.CARD:
        payments.drive_refund(refund)
    return State.CANCELLED
