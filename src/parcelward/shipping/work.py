"""What is left to do for orders and lists, a piece at a time: run by the worker, by several at once without harm."""

from __future__ import annotations

import datetime as dt
import logging
from typing import Final

from django.db import transaction
from django.utils import timezone

from parcelward.base.errors import ParcelwardError
from parcelward.payments import actions as payments
from parcelward.people import actions as people
from parcelward.shipping import uploading
from parcelward.shipping.actions import orders
from parcelward.shipping.models import Order
from parcelward.shipping.wire import State

log = logging.getLogger("parcelward.orders")

AT_ONCE: Final = 50
TAKEN_FOR: Final = dt.timedelta(seconds=60)  # nobody else looks at an order meanwhile


lists_once = uploading.once


def once() -> int:
    """Go on with the orders by card that are due; return how many those were."""
    done = 0
    for row in _take():
        try:
            _go_on(row)
        except Exception:
            log.exception("an order failed to go on; it is tried again")
        done += 1
    return done


@transaction.atomic
def _take() -> list[Order]:
    now = timezone.now()
    due = Order.objects.filter(try_at__lte=now).order_by("try_at")
    some = list(due.select_for_update(skip_locked=True)[:AT_ONCE])
    Order.objects.filter(pk__in=[one.pk for one in some]).update(try_at=now + TAKEN_FOR)
    return some


def _go_on(row: Order) -> None:
    now = timezone.now()
    if row.state == State.PAYING and row.intent is not None and now - row.created_at > orders.GIVEN_UP_AFTER:
        try:
            payments.void_within(row.intent, by=people.machinery())
        except ParcelwardError as not_yet:
            log.info("an order waits for its payment: %s", not_yet.code)
    try:
        state = orders.go_on(row.id, by=people.machinery())
    except ParcelwardError as refused:
        state = State(row.state)
        log.warning("an order cannot go on: %s", refused.code)
        if refused.code == "forgotten" and row.intent is not None:
            payments.void_within(row.intent, by=people.machinery())
    if state.value == row.state:
        pause = orders.LOOK_AGAIN[min(row.tries, len(orders.LOOK_AGAIN) - 1)]
        later = now + dt.timedelta(seconds=pause)
        Order.objects.filter(pk=row.pk, state=row.state).update(try_at=later, tries=row.tries + 1)
