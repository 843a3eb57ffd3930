"""Give out labels, once their order is bought: drawn from what was sealed and what the vault holds.

A label is given out as often as its sender likes for a short time, for printers jam. After that it is printed anew as
another label, at most three times and only until somebody has scanned the item (`parcels.actions.labels`).
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from parcelward.base import config
from parcelward.base.errors import NotFound
from parcelward.base.standards.addresses.labels import label_lines
from parcelward.base.vault import Personal
from parcelward.parcels import actions as parcels
from parcelward.payments.queries import owner_of
from parcelward.people import actions as people
from parcelward.people.queries import require
from parcelward.people.wire import Person, Task
from parcelward.privacy.sealing.wire import to_base45
from parcelward.shipping import order_rules
from parcelward.shipping.actions import customs
from parcelward.shipping.actions.making import label_of, sealed_anew
from parcelward.shipping.actions.orders import opened, record
from parcelward.shipping.errors import NotNow
from parcelward.shipping.labels import wire as drawn
from parcelward.shipping.labels.wire import LabelFacts
from parcelward.shipping.models import Order, OrderItem
from parcelward.shipping.wire import LABEL_OPEN_FOR, Party, State


def labels(order_id: UUID, places: Sequence[int] = (), *, by: Person) -> list[LabelFacts]:
    """Return the labels of a bought order, of all its parcels or those named, to be drawn.

    Raises NotFound, and NotNow where the order is not bought, or a label was given out before: it is then printed anew.
    """
    row, items = _theirs(order_id, places, by=by)
    now = timezone.now()
    if any(one.printed_at is not None and now - one.printed_at > LABEL_OPEN_FOR for one in items):
        raise NotNow("This label was given out before. Print it anew: the one before is void then", code="printed")
    house = people.machinery()
    parties = opened([row.sender, *(one.addressee for one in items)], by=house)
    OrderItem.objects.filter(pk__in=[one.pk for one in items], printed_at=None).update(printed_at=now)
    return [facts_of(row, one, parties[0], party) for one, party in zip(items, parties[1:], strict=True)]


def labels_of_many(order_ids: Sequence[UUID], *, by: Person) -> list[LabelFacts]:
    """Return the labels of those of several orders that are bought, in their order. Raises NotNow for none.

    Those that were given out before are left out, unless all were.
    """
    require(by, Task.ORDER)
    rows = Order.objects.filter(pk__in=order_ids, owner=owner_of(by), state=State.BOUGHT.value).in_bulk()
    items = sorted(OrderItem.objects.filter(order__in=rows), key=lambda one: (order_ids.index(one.order_id), one.place))
    if not items:
        raise NotNow("A label is given out once its order is bought")
    now = timezone.now()
    fresh = [one for one in items if one.printed_at is None or now - one.printed_at <= LABEL_OPEN_FOR]
    if not fresh:
        raise NotNow("These labels were given out before. Print each anew: the one before is void then", code="printed")
    tokens = list(dict.fromkeys([*(row.sender for row in rows.values()), *(one.addressee for one in fresh)]))
    people_of = dict(zip(tokens, opened(tokens, by=people.machinery()), strict=True))
    OrderItem.objects.filter(pk__in=[one.pk for one in fresh], printed_at=None).update(printed_at=now)
    found = [(rows[one.order_id], one) for one in fresh]
    return [facts_of(row, one, people_of[row.sender], people_of[one.addressee]) for row, one in found]


def print_anew(order_id: UUID, place: int, *, by: Person) -> LabelFacts:
    """Issue a parcel's label anew and return it; the one before is void, and is stopped at its next scan.

    Raises NotFound, NotNow, Conflict where the parcel was handed in, or printed as often as it may be.
    """
    row, (item,) = _theirs(order_id, (place,), by=by)
    house = people.machinery()
    sender, addressee = opened([row.sender, item.addressee], by=house)
    with transaction.atomic():
        now = timezone.now()
        row = Order.objects.select_for_update().get(pk=row.pk)
        item = OrderItem.objects.select_for_update().get(pk=item.pk)
        if row.state != State.BOUGHT or item.item is None:
            raise NotNow("This order is not bought: it has no labels")
        (sealed,) = sealed_anew([label_of(item, item.number, addressee)], by=house, now=now)
        made = parcels.reprint_label(item.item, sealed.raw, by=house, now=now)
        item.label, item.binding, item.printing, item.printed_at = made.raw, made.code, made.printing, now
        item.save(update_fields=["label", "binding", "printing", "printed_at"])
        record(row, list(OrderItem.objects.filter(order=row).order_by("place")), by=by)
    return facts_of(row, item, sender, addressee)


def _theirs(order_id: UUID, places: Sequence[int], *, by: Person) -> tuple[Order, list[OrderItem]]:
    require(by, Task.ORDER)
    row = Order.objects.filter(pk=order_id, owner=owner_of(by)).first()
    if row is None:
        raise NotFound("No such order")
    if row.state != State.BOUGHT:
        raise NotNow("A label is given out once its order is bought")
    items = list(OrderItem.objects.filter(order=row).order_by("place"))
    if places:
        items = [one for one in items if one.place in places]
    if not items or (places and len(items) != len(set(places))):
        raise NotFound("This order has no such parcel")
    return row, items


def facts_of(row: Order, item: OrderItem, sender: Party, addressee: Party) -> LabelFacts:
    """Return everything on a label. Of the addressee nothing in clear but initials and the area."""
    settings = config.get()
    back = drawn.fitted(label_lines(sender.address, from_country=item.country))[: drawn.RETURN_LINES_MAX]
    return LabelFacts(
        operator=settings.operator,
        service=item.service,
        number=item.number,
        weight_g=item.weight_g,
        routing_code=f"{item.office} {item.round_code}"[: order_rules.ROUTING_CODE_MAX].strip(),
        initials=order_rules.initials(order_rules.name_of(addressee.address)),
        postcode_area=order_rules.area_of(addressee.address.postcode),
        sealed=to_base45(bytes(item.label or b"")),
        binding=item.binding,
        return_lines=tuple(map(Personal, back)),
        country_lines=drawn.country_lines(here=settings.country, to=item.country),
        customs=customs.mark_of(item),
        printing=item.printing,
        marked="SIMULATED" if row.simulated else "",
    )
