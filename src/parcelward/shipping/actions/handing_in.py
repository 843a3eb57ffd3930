"""What a shop says that it handed in: a manifest of shipments that it bought, assumed until somebody scans them."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from typing import Final
from uuid import UUID

from django.utils import timezone

from parcelward.base.errors import Invalid, Problem
from parcelward.network import queries as network
from parcelward.parcels import actions as parcels
from parcelward.payments.queries import owner_of
from parcelward.people import actions as people
from parcelward.people.queries import require
from parcelward.people.wire import Person, Task
from parcelward.shipping.actions.orders import opened
from parcelward.shipping.actions.remembered import remember_once
from parcelward.shipping.models import Order, OrderItem
from parcelward.shipping.wire import Memory, MemoryKind, State, ToRemember

SHIPMENTS_MAX: Final = 1_000


def hand_in(order_ids: Collection[UUID], *, by: Person) -> Memory:
    """Note that these shipments were handed in at the office of their sender; the same again is the same manifest.

    The house accepts it: a shop's key has no right to say where just any item is, and these are its own. Raises Invalid
    for none, for too many, for one that is not bought or somebody else's, and where no office serves the sender.
    """
    require(by, Task.ORDER)
    ids = sorted(set(order_ids))
    if not 1 <= len(ids) <= SHIPMENTS_MAX:
        raise Invalid(f"A manifest has 1 to {SHIPMENTS_MAX} shipments", code="bad_count")
    bought = dict(
        Order.objects.filter(pk__in=ids, owner=owner_of(by), state=State.BOUGHT.value).values_list("pk", "sender")
    )
    missing = [
        Problem(f"/shipments/{nth}", "not_bought", "Only what was bought can be handed in")
        for nth, one in enumerate(ids)
        if one not in bought
    ]
    if missing:
        raise Invalid("Not all of these shipments are bought", code="not_bought", problems=tuple(missing))
    office = _office({bought[one] for one in ids})
    numbers = list(OrderItem.objects.filter(order__in=ids).order_by("number").values_list("number", flat=True))
    mark = hashlib.sha256("".join(one.hex for one in ids).encode()).hexdigest()
    facts = {"shipments": [one.hex for one in ids], "numbers": numbers, "office": office}
    memory = remember_once(ToRemember(MemoryKind.SCAN_FORM, facts, mark=mark), by=by)
    parcels.accept_manifest(
        f"sf_{memory.id.hex}",
        facility=office,
        event_time=memory.made_at,
        numbers=numbers,
        by=people.machinery(),
        now=timezone.now(),
    )
    return memory


def _office(senders: Collection[UUID]) -> str:
    """Return the office where all of these senders hand in what they send."""
    routes = {
        None if route is None else route.office
        for party in opened(list(senders), by=people.machinery())
        for route in (network.route_to(party.address.country, party.address.postcode),)
    }
    if len(routes) != 1 or None in routes:
        raise Invalid("These shipments have no one office where their sender hands them in", code="no_office")
    return str(routes.pop())
