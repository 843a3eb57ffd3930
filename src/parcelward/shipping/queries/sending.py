"""What a sender's own screens ask: how orders stand, what was spent, what is held, and what is wrong with a new one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Final
from uuid import UUID

from django.db.models import Count, F, Sum
from django.db.models.functions import TruncDate

from parcelward.base.errors import Problem
from parcelward.base.standards.money import Currency
from parcelward.network import queries as network
from parcelward.parcels import queries as parcels
from parcelward.payments import queries as payments
from parcelward.people.queries import require
from parcelward.people.wire import Person, Task
from parcelward.shipping import order_rules
from parcelward.shipping.models import Order, OrderItem
from parcelward.shipping.queries.orders import theirs
from parcelward.shipping.wire import Day, Looked, OrderWanted, State

NEWEST: Final = 1_000  # so many parcels back is looked for one that is held


def looked_at(wanted: OrderWanted, *, by: Person) -> Looked:
    """Return what is wrong with an order whose products are not chosen yet, and what to look at. Nothing is kept."""
    require(by, Task.ORDER)
    looked = order_rules.looked_at(wanted)
    unreached = tuple(
        Problem(f"/items/{place}/to/address", "no_route", "We do not deliver to there yet")
        for place, to in enumerate(looked.to)
        if to.country and network.route_to(to.country, to.postcode) is None
    )
    return Looked(looked.sender, looked.to, looked.problems + unreached, looked.advice)


def standing(*, by: Person, since: dt.datetime | None = None) -> Mapping[State, int]:
    """Return how many orders, of all or of those since then, stand how; what none is in is left out."""
    mine = Order.objects.filter(theirs(by))
    if since is not None:
        mine = mine.filter(created_at__gte=since)
    rows = mine.values_list("state").annotate(n=Count("id"))
    return {State(state): n for state, n in rows}


def spent_by_day(since: dt.datetime, currency: Currency, *, by: Person) -> tuple[Day, ...]:
    """Return what was spent on postage each day since then, less what was given back; days without are left out."""
    require(by, Task.READ_ORDERS)
    rows = (
        Order.objects.filter(
            owner=payments.owner_of(by), created_at__gte=since, currency=currency, state=State.BOUGHT.value
        )
        .annotate(day=TruncDate("created_at", tzinfo=dt.UTC))
        .values_list("day")
        .annotate(spent=Sum(F("total_minor") - F("refunded_minor")))
        .order_by("day")
    )
    return tuple(Day(day, int(spent)) for day, spent in rows)


def held_parcels(*, by: Person) -> tuple[tuple[UUID, str], ...]:
    """Return (order, number) of one's own parcels that are held now, among the newest NEWEST."""
    require(by, Task.READ_ORDERS)
    rows = OrderItem.objects.filter(order__owner=payments.owner_of(by), item__isnull=False).order_by("-id")
    newest = list(rows.values_list("item", "order_id", "number")[:NEWEST])
    held = parcels.on_hold([item for item, _, _ in newest if item is not None])
    return tuple((order, number) for item, order, number in newest if item in held)
