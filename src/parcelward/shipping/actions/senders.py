"""Remember where somebody sends from, so that they type it once."""

from __future__ import annotations

from parcelward.base.vault import VaultToken
from parcelward.payments.queries import owner_of
from parcelward.people import actions as people
from parcelward.people.queries import require
from parcelward.people.wire import Person, Task
from parcelward.privacy import queries as vault
from parcelward.shipping.actions.orders import opened
from parcelward.shipping.errors import NotNow
from parcelward.shipping.models import Order
from parcelward.shipping.wire import Party


def sender_of(by: Person) -> Party | None:
    """Return the address that one's newest order was sent from; None before the first, and once it was forgotten.

    The house opens it, with a trace, and only ever for those whose own it is. Outside any transaction.
    """
    require(by, Task.ORDER)
    token = Order.objects.filter(owner=owner_of(by)).order_by("-created_at").values_list("sender", flat=True).first()
    if token is None or not vault.is_kept(VaultToken(token)):
        return None
    try:
        return opened([token], by=people.machinery())[0]
    except NotNow:  # forgotten in this very moment, or asked to be left alone
        return None
