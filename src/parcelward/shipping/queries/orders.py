"""Orders, for whoever may see them: one's own organisation's, and the house's people with the right any."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from django.db.models import Q

from parcelward.base import config
from parcelward.base.errors import NotFound
from parcelward.base.standards.money import Currency
from parcelward.parcels.hazmat.wire import Answer
from parcelward.parcels.wire import PRINTINGS_MAX
from parcelward.payments import queries as payments
from parcelward.payments.wire import Standing
from parcelward.people.queries import may, require
from parcelward.people.wire import Person, Task
from parcelward.shipping.customs import rules
from parcelward.shipping.customs.wire import Completeness, CustomsSeen
from parcelward.shipping.models import CustomsData, Order, OrderItem
from parcelward.shipping.pricing import Part
from parcelward.shipping.wire import LABEL_OPEN_FOR, ItemSeen, OrderSeen, PaidBy, State, Why

PAGE_MAX = 100


def theirs(by: Person) -> Q:
    """Return the condition of the orders that somebody may see."""
    if may(by, Task.READ_MONEY):
        return Q()
    require(by, Task.READ_ORDERS)
    return Q(owner=payments.owner_of(by))


def order(order_id: UUID, *, by: Person) -> OrderSeen:
    """Return an order. Raises NotFound: unknown and somebody else's look alike."""
    row = Order.objects.filter(theirs(by), pk=order_id).first()
    if row is None:
        raise NotFound("No such order")
    url = ""
    if row.intent is not None and row.state == State.PAYING and row.owner == payments.owner_of(by):
        paid = payments.intent(row.intent, by=by)
        url = paid.url if paid.standing is Standing.WAITS else ""
    items = list(OrderItem.objects.filter(order=row).order_by("place"))
    return seen(row, items, url, declared(items))


def orders(
    *, by: Person, limit: int = PAGE_MAX, after: UUID | None = None, state: State | None = None
) -> tuple[OrderSeen, ...]:
    """Return orders, newest first; `after` is the last one of the page before."""
    rows = Order.objects.filter(theirs(by))
    if state is not None:
        rows = rows.filter(state=state.value)
    if after is not None:
        last = rows.filter(pk=after).values_list("created_at", flat=True).first()
        if last is None:
            raise NotFound("No such order")
        rows = rows.filter(Q(created_at__lt=last) | Q(created_at=last, pk__lt=after))
    page = list(rows.order_by("-created_at", "-pk").prefetch_related("items")[:limit])
    found = declared([item for row in page for item in row.items.all()])
    return tuple(seen(row, sorted(row.items.all(), key=lambda one: one.place), "", found) for row in page)


def declared(items: Iterable[OrderItem]) -> dict[int, CustomsSeen]:
    """Return, by row, how the customs data of parcels stand that leave; where none does, nobody is asked."""
    here = config.get().country
    leaving = [one.pk for one in items if rules.needed(here, one.country)]
    rows = CustomsData.objects.filter(pk__in=leaving) if leaving else ()
    return {
        row.pk: CustomsSeen(
            Completeness(row.standing),
            row.form,
            tuple(rules.problem(where, code) for where, code in row.missing),
            row.changed_at,
        )
        for row in rows
    }


def seen(
    row: Order, items: Iterable[OrderItem], url: str, customs: Mapping[int, CustomsSeen] | None = None
) -> OrderSeen:
    """Return a row as others see it."""
    return OrderSeen(
        id=row.id,
        owner=row.owner,
        state=State(row.state),
        reasons=tuple(Why(each["code"], each.get("place"), each.get("details", {})) for each in row.reasons),
        paid_by=PaidBy(row.paid_by),
        pay_url=url,
        currency=Currency(row.currency),
        total_minor=row.total_minor,
        tax_minor=row.tax_minor,
        refunded_minor=row.refunded_minor,
        items=tuple(_item(one, (customs or {}).get(one.pk)) for one in items),
        reference=row.reference,
        simulated=row.simulated,
        created_at=row.created_at,
    )


def _item(row: OrderItem, customs: CustomsSeen | None) -> ItemSeen:
    a, b, c = row.sides_mm
    return ItemSeen(
        place=row.place,
        addressee=row.addressee,
        item=row.item,
        number=row.number,
        product=row.product,
        service=row.service,
        weight_g=row.weight_g,
        sides_mm=(a, b, c),
        country=row.country,
        parts=tuple(Part(*part) for part in row.parts),
        tax_minor=row.tax_minor,
        total_minor=row.total_minor,
        promised_from=row.promised_from,
        promised_to=row.promised_to,
        screened=Answer(row.screened),
        hazmat_rule=row.hazmat_rule,
        service_code=row.service_code,
        reference=row.reference,
        printing=row.printing,
        printings_left=max(0, PRINTINGS_MAX - row.printing),
        label_until=None if row.printed_at is None else row.printed_at + LABEL_OPEN_FOR,
        customs=customs,
    )
