"""What people decide about an order that stopped: let it go on, or refuse it; and the sender's appeal to a person."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from parcelward.base.errors import Invalid, NotFound
from parcelward.base.vault import Personal, VaultToken
from parcelward.custody import actions as custody
from parcelward.parcels.hazmat.wire import Declaration
from parcelward.payments import actions as payments
from parcelward.payments.queries import owner_of
from parcelward.people import actions as people
from parcelward.people.queries import require
from parcelward.people.wire import Person, Task
from parcelward.privacy import actions as privacy
from parcelward.privacy.wire import Field, Purpose
from parcelward.shipping import party_text
from parcelward.shipping.actions import judging, orders
from parcelward.shipping.customs.wire import Goods
from parcelward.shipping.errors import NotNow
from parcelward.shipping.models import Order, OrderItem
from parcelward.shipping.wire import State

APPEALS_MAX: Final = 1
LOOKED: Final = "shipping.contents_looked_at"


class Because(enum.StrEnum):
    """Why somebody decided so: from a list, for a sentence could hold a name."""

    HARMLESS = "harmless"  # what is in it was misread
    KNOWN_SENDER = "known_sender"
    PROVEN = "proven"  # the sender showed who they are, or what is in it
    DANGEROUS = "dangerous"
    NOT_SHOWN = "not_shown"  # what was asked for did not come
    FRAUD = "fraud"


def appeal(order_id: UUID, *, by: Person) -> State:
    """Ask that a person looks at an order that was refused, once. Raises NotFound, NotNow."""
    require(by, Task.ORDER)
    with transaction.atomic():
        row = Order.objects.select_for_update().filter(pk=order_id, owner=owner_of(by)).first()
        if row is None:
            raise NotFound("No such order")
        appealed = sum(each["code"] == "appealed" for each in row.reasons)
        if row.state == State.REVIEW and appealed:
            return State.REVIEW
        if row.state != State.REFUSED:
            raise NotNow("Only an order that was refused can be appealed against")
        if appealed >= APPEALS_MAX:
            raise NotNow("A person has looked at this order already, and refused it", code="appealed_before")
        row.reasons = [*row.reasons, {"code": "appealed", "place": None, "details": {}}]
        orders.turn(row, State.REVIEW, by=by)
    return State.REVIEW


@dataclass(frozen=True, slots=True, repr=False)
class Inside:
    """What is said to be in a parcel: with the order (None where that was forgotten), and to customs."""

    declared: Declaration | None
    for_customs: tuple[Goods, ...]


def contents(order_id: UUID, *, by: Person) -> tuple[Inside, ...]:
    """Return what was declared to be in each parcel of an order in review.

    Who is to decide has to see it. It lies with the addressee in the vault: each look leaves a row there, and an entry
    here says who looked. No name and no address is given. Raises NotFound.
    """
    require(by, Task.REVIEW_ORDER)
    if not Order.objects.filter(pk=order_id, state=State.REVIEW.value).exists():
        raise NotFound("This order does not wait for a person")
    tokens = [
        VaultToken(one)
        for one in OrderItem.objects.filter(order=order_id).order_by("place").values_list("addressee", flat=True)
    ]
    custody.record_fact(LOOKED, {"by": by.source, "order": str(order_id)})
    house, about = people.machinery(), f"order/{order_id}"
    with privacy.reveal_many(tokens, [Field.BODY], purpose=Purpose.LABEL, by=house, about=about) as found:
        return tuple(_inside(found.get(token, {})) for token in tokens)


def _inside(opened: Mapping[Field, Personal]) -> Inside:
    customs = party_text.customs_of(opened)
    return Inside(party_text.declaration_of(opened), () if customs is None else customs.goods)


def review(order_id: UUID, *, allow: bool, because: Because, by: Person) -> State:
    """Let an order in review go on, or refuse it; return how it stands then.

    What is dangerous, or was taken for it, is decided by who holds a certificate for dangerous goods. Raises NotFound,
    NotNow where it is not in review, NotEnough where its balance no longer holds so much: it stays in review then.
    """
    require(by, Task.REVIEW_ORDER)
    row = Order.objects.filter(pk=order_id).first()
    if row is None:
        raise NotFound("No such order")
    if any(each["code"].startswith("hazmat_") for each in row.reasons):
        require(by, Task.ACCEPT_HAZMAT, on=timezone.now().date())
    if row.source == by.source:
        raise Invalid("Nobody reviews an order of their own", code="own_order")
    items = OrderItem.objects.filter(order=row).order_by("place")
    parties = orders.opened([one.addressee for one in items], by=people.machinery()) if allow else []
    with transaction.atomic():
        row = Order.objects.select_for_update().get(pk=order_id)
        if row.state != State.REVIEW:
            raise NotNow("This order is not in review any more")
        row.reasons = [
            *row.reasons,
            {"code": "allowed" if allow else "refused_by_person", "place": None, "details": {"because": because.value}},
        ]
        row.look = False
        fraud = because is Because.FRAUD and not allow
        judging.person_said(row, allow=allow, fraud=fraud, because=because.value, by=by)
        if allow:
            orders.let_go_on(row, parties, by=by)
        else:
            if row.intent is not None:
                payments.void_within(row.intent, by=people.machinery())
            people.cancel_spent(row.id)
            orders.turn(row, State.REFUSED, by=by)
    return orders.go_on(order_id, by=people.machinery())
