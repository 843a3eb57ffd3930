"""Orders that wait for a person, for who may decide about them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Q

from parcelward.base.errors import NotFound
from parcelward.people import queries as people
from parcelward.people.queries import require
from parcelward.people.wire import Person, Task
from parcelward.shipping.models import Order, OrderItem
from parcelward.shipping.queries.orders import seen
from parcelward.shipping.wire import OrderSeen, State

LISTED_MAX = 200


@dataclass(frozen=True, slots=True)
class Waiting:
    """An order in review, and what is known of who ordered it."""

    order: OrderSeen
    since: dt.datetime
    sender: str  # an organisation's name; empty for a person who acts for nobody else
    known_since: dt.datetime | None
    bought: int  # orders of the same sender that were bought
    refused: int
    dangerous: bool  # who decides needs a certificate


def to_review(*, by: Person) -> tuple[Waiting, ...]:
    """Return the orders that wait, the oldest first."""
    require(by, Task.REVIEW_ORDER)
    rows = Order.objects.filter(state=State.REVIEW.value).order_by("changed_at", "pk")[:LISTED_MAX]
    return tuple(_waiting(row) for row in rows)


def in_review(order_id: UUID, *, by: Person) -> Waiting:
    """Return one order that waits. Raises NotFound where it does not, or not any more."""
    require(by, Task.REVIEW_ORDER)
    row = Order.objects.filter(pk=order_id, state=State.REVIEW.value).first()
    if row is None:
        raise NotFound("This order does not wait for a person")
    return _waiting(row)


def _waiting(row: Order) -> Waiting:
    others = Order.objects.filter(owner=row.owner).exclude(pk=row.pk)
    counted = others.aggregate(
        bought=Count("pk", filter=Q(state=State.BOUGHT.value)), refused=Count("pk", filter=Q(state=State.REFUSED.value))
    )
    return Waiting(
        order=seen(row, OrderItem.objects.filter(order=row).order_by("place"), ""),
        since=row.changed_at,
        sender=people.names_of_senders([row.owner]).get(row.owner, ""),
        known_since=people.known_since([row.owner]).get(row.owner),
        bought=counted["bought"],
        refused=counted["refused"],
        dangerous=any(each["code"].startswith("hazmat_") for each in row.reasons),
    )
