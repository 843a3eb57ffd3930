"""What is declared to customs of parcels that leave: noted when they are ordered, completed later, opened for forms.

A parcel of which something is missing is sold and held: whoever scans it is told so. Once all is there, it goes on.
What is inside lies with the addressee in the vault; a row here says how it stands, and the log is told the same.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from parcelward.base import config
from parcelward.base.errors import NotFound, Problem
from parcelward.base.standards import identify
from parcelward.base.standards.addresses.labels import label_lines
from parcelward.base.standards.money import Currency, decimal
from parcelward.base.vault import Personal, VaultToken
from parcelward.custody import actions as custody
from parcelward.parcels import actions as parcels
from parcelward.parcels import queries as seen
from parcelward.parcels.hazmat.wire import Answer, Declaration, Mode
from parcelward.payments.queries import owner_of
from parcelward.people import actions as people
from parcelward.people.queries import require
from parcelward.people.wire import Person, Task
from parcelward.privacy import actions as privacy
from parcelward.privacy.wire import Field, Purpose
from parcelward.shipping import order_rules, party_text
from parcelward.shipping.actions.drafting import Good
from parcelward.shipping.customs import advance, rules, screening
from parcelward.shipping.customs.paper import Paper
from parcelward.shipping.customs.wire import CN23, Completeness, Customs
from parcelward.shipping.errors import BadCustoms, NotNow
from parcelward.shipping.models import CustomsData, Order, OrderItem
from parcelward.shipping.order_check import CUSTOMS, customs_said_of
from parcelward.shipping.queries import tariffs
from parcelward.shipping.wire import Party, State

Opened = Mapping[Field, Personal]
OVER: Final = frozenset({State.REFUSED, State.UNDONE, State.CANCELLED})


def note_within(good: Sequence[Good], items: Sequence[Sequence[OrderItem]], *, now: dt.datetime) -> None:
    """Note of each parcel that leaves whether its customs data are complete, in the caller's transaction.

    Their rows are stored. What was made already, and is not complete, is held. Where none leaves nothing is asked and
    nothing is written.
    """
    here = config.get().country
    leaving = [
        (one, place, item)
        for one, of_order in zip(good, items, strict=True)
        for place, item in enumerate(of_order)
        if rules.needed(here, item.country)
    ]
    if leaving:
        _know_again([item for _one, _place, item in leaving])
        rows = [(_noted(one, place, item, now), one.asked.by) for one, place, item in leaving]
        CustomsData.objects.bulk_create([row for row, _by in rows])
        custody.record_facts(CUSTOMS, [customs_said_of(row, row.item) | {"by": by.source} for row, by in rows])
        hold_within([row.item for row, _by in rows], by=people.machinery())


def _know_again(items: Sequence[OrderItem]) -> None:
    """Give rows that were stored without being read back the keys that the database gave them."""
    stored = OrderItem.objects.filter(order__in={item.order_id for item in items})
    keys = {(order, place): key for key, order, place in stored.values_list("pk", "order_id", "place")}
    for item in items:
        item.pk = keys[item.order_id, item.place]


def _noted(good: Good, place: int, item: OrderItem, now: dt.datetime) -> CustomsData:
    wanted = good.looked.items[place].wanted
    row = CustomsData(item=item)
    _stand(row, item, wanted.customs, (good.asked.wanted.sender, wanted.to), tariff=good.number, now=now)
    return row


def _stand(
    row: CustomsData,
    item: OrderItem,
    said: Customs | None,
    parties: tuple[Party, Party],
    *,
    tariff: int,
    now: dt.datetime,
) -> tuple[Problem, ...]:
    """Write into a row how it stands, and return what is missing. `parties` are sender and addressee."""
    sender, addressee = ((bool(one.email or one.phone)) for one in parties)
    missing = rules.problems(
        said, to=item.country, weight_g=item.weight_g, sender_reached=sender, addressee_reached=addressee
    )
    row.standing = (Completeness.MISSING if missing else Completeness.COMPLETE).value
    row.missing = [[one.pointer, one.code] for one in missing]
    row.form = CN23 if missing else _form(said, item, tariff)
    row.changed_at = now
    return missing


def _form(said: Customs | None, item: OrderItem, number: int) -> str:
    worth = tariffs.tariff(number).sdr_minor
    return rules.form_of(said, weight_g=item.weight_g, s10_mark=item.s10_mark, sdr_minor=worth)


def hold_within(rows: Sequence[OrderItem], *, by: Person) -> None:
    """Have those items held whose customs data are not complete, in the caller's transaction.

    Rows that are not stored yet are passed over: `note_within` comes to them.
    """
    here = config.get().country
    stored = [row for row in rows if row.pk is not None]
    leaving = {row.pk: row.item for row in stored if row.item is not None and rules.needed(here, row.country)}
    if not leaving:
        return
    waiting = CustomsData.objects.filter(pk__in=leaving, standing=Completeness.MISSING.value)
    held = list(waiting.values_list("pk", flat=True))
    if held:
        parcels.hold_for_customs_within([leaving[one] for one in held], by=by)
        CustomsData.objects.filter(pk__in=held).update(held=True)


def mark_of(item: OrderItem) -> str:
    """Return which form goes with a parcel, as its label says it; nothing for one that stays."""
    if not rules.needed(config.get().country, item.country):
        return ""
    return CustomsData.objects.filter(pk=item.pk).values_list("form", flat=True).first() or CN23


@dataclass(frozen=True, slots=True, repr=False)
class Declared:
    """Everything that stands on a parcel's forms, and in its advance data."""

    order: Order
    item: OrderItem
    standing: Completeness
    form: str
    customs: Customs
    sender: Party
    addressee: Party
    contents: str  # what the order says is in it


def declared(order_id: UUID, place: int, *, by: Person) -> Declared:
    """Return what is declared of one's own parcel, opened; each look leaves a trace. Outside any transaction.

    Raises NotFound, NotNow where nothing is declared of it, or a person of it was forgotten.
    """
    require(by, Task.ORDER)
    row, item, data = _theirs(order_id, place, by=by)
    sender, to = _opened(row, item)
    customs = party_text.customs_of(to) or Customs()
    standing = Completeness(data.standing)
    parties, contents = (party_text.party_of(sender), party_text.party_of(to)), party_text.declaration_of(to)
    words = "" if contents is None else contents.description
    return Declared(row, item, standing, data.form, customs, *parties, words)


def declared_of_item(item_id: UUID, *, by: Person) -> Declared:
    """Return the same of one's own item."""
    require(by, Task.ORDER)
    found = OrderItem.objects.filter(item=item_id, order__owner=owner_of(by)).values_list("order_id", "place").first()
    if found is None:
        raise NotFound("No such item")
    return declared(*found, by=by)


def customs_paper(order_id: UUID, place: int, *, by: Person) -> Paper:
    """Return what stands on a parcel's CN 22 or CN 23. Raises NotNow where it is not bought, or not all is declared."""
    return _paper(_complete(declared(order_id, place, by=by)))


def _complete(one: Declared) -> Declared:
    if one.item.item is None or one.order.state != State.BOUGHT:
        raise NotNow("A customs form is given out once its order is bought")
    if one.standing is not Completeness.COMPLETE:
        raise NotNow("Say first what customs needs: its form would not be complete", code="customs_data")
    return one


def _paper(one: Declared) -> Paper:
    settings, said = config.get(), one.customs

    def reach(party: Party, contact: str) -> Personal:
        return Personal(party.phone or party.email or contact)

    def lines(party: Party, other: str) -> tuple[Personal, ...]:
        return tuple(map(Personal, label_lines(party.address, from_country=other)))

    return Paper(
        form=one.form,
        operator=settings.operator,
        number=one.item.number,
        weight_g=one.item.weight_g,
        postage=f"{decimal(one.item.total_minor, Currency(one.order.currency))} {one.order.currency}",
        posted=one.order.created_at.date(),
        customs=said,
        sender=lines(one.sender, one.item.country),
        sender_reach=reach(one.sender, said.sender_contact),
        addressee=lines(one.addressee, settings.country),
        addressee_reach=reach(one.addressee, said.addressee_contact),
        marked="SIMULATED" if one.order.simulated else "",
    )


def advance_data(item_id: UUID, *, by: Person) -> dict[str, Any]:
    """Return the advance data of one's own item. Raises NotFound, NotNow as `customs_paper` does."""
    one = _complete(declared_of_item(item_id, by=by))
    said, item = one.customs, one.item
    sender, addressee = one.sender, one.addressee
    return {
        "profile": advance.PROFILE,
        "created_at": CustomsData.objects.values_list("changed_at", flat=True).get(pk=item.pk).isoformat(),
        "item": identify.item_id(item_id),
        "item_identifier": item.number,
        "mail_class": item.s10_mark[:1],
        "origin_country": config.get().country,
        "destination_country": item.country,
        "gross_weight_g": item.weight_g,
        "posted_on": one.order.created_at.date().isoformat(),
        "postage_minor": item.total_minor,
        "postage_currency": one.order.currency,
        "customs_form": one.form,
        "nature_of_transaction": said.reason,
        "nature_explanation": said.explanation,
        "sender": advance.party(sender.address, sender.email, sender.phone, said.sender_contact, said.sender_reference),
        "addressee": advance.party(
            addressee.address, addressee.email, addressee.phone, said.addressee_contact, said.importer_reference
        ),
        "content_pieces": advance.contents(said),
    }


def give_customs(order_id: UUID, place: int, said: Customs, *, by: Person) -> None:
    """Declare to customs what is in a parcel, all of it; a parcel that is held for that goes on, if for nothing else.

    Raises BadCustoms with everything that is missing, NotFound, NotNow where nothing is to be declared of it, or it was
    handed in with what had been declared. Doing it twice changes nothing more.
    """
    require(by, Task.ORDER)
    row, item, data = _theirs(order_id, place, by=by)
    sender, to = _opened(row, item)
    if party_text.customs_of(to) == said and data.standing == Completeness.COMPLETE:
        return
    parties = party_text.party_of(sender), party_text.party_of(to)
    missing = _stand(data, item, said, parties, tariff=row.tariff_id, now=timezone.now())
    if missing:
        raise BadCustoms("Customs needs more than this; nothing was changed", problems=missing)
    house = people.machinery()
    with transaction.atomic():
        row = Order.objects.select_for_update().get(pk=row.pk)
        stood = CustomsData.objects.select_for_update().select_related("item").get(pk=item.pk)
        item = stood.item
        if State(row.state) in OVER:
            raise NotNow("This order ended: nothing of it is sent")
        if stood.standing == Completeness.COMPLETE and item.item is not None and seen.handed_in(item.item):
            raise NotNow("This parcel was handed in with what you had declared", code="tendered")
        privacy.change(VaultToken(item.addressee), party_text.with_customs(to, said), by=house)
        data.held = False
        data.save()
        custody.record_fact(CUSTOMS, customs_said_of(data, item) | {"by": by.source})
        if _dangerous(said, item, party_text.declaration_of(to), row.tariff_id):
            if item.item is None:  # it is held once it is made
                item.screened = Answer.INSPECT
                item.save(update_fields=["screened"])
            else:
                parcels.inspect_sold_within([item.item], reason=order_rules.INSPECT, by=house)
        if stood.held and item.item is not None:
            parcels.customs_given_within(item.item, by=house)


def _dangerous(said: Customs, item: OrderItem, contents: Declaration | None, number: int) -> bool:
    """Return whether what is declared needs a look that the order did not."""
    modes = {one.code: Mode(one.mode) for one in tariffs.tariff(number).products}
    mode = modes.get(item.product, Mode.AIR)
    found = screening.worst(said, contents or Declaration(""), mode, seen.operator_rules())
    return screening.stops(found, mode, Answer(item.screened))


def _theirs(order_id: UUID, place: int, *, by: Person) -> tuple[Order, OrderItem, CustomsData]:
    item = OrderItem.objects.select_related("order").filter(order=order_id, order__owner=owner_of(by), place=place)
    found = item.first()
    if found is None:
        raise NotFound("No such parcel")
    data = CustomsData.objects.filter(pk=found.pk).first()
    if data is None:
        raise NotNow("Nothing is declared to customs of this parcel", code="no_customs")
    return found.order, found, data


def _opened(row: Order, item: OrderItem) -> tuple[Opened, Opened]:
    """Open sender and addressee as the house does for a label; the trail says so."""
    sender, addressee = VaultToken(row.sender), VaultToken(item.addressee)
    with privacy.reveal_many(
        {sender, addressee}, party_text.KEPT, purpose=Purpose.LABEL, by=people.machinery()
    ) as found:
        if len(found) != len({sender, addressee}):
            raise NotNow("Somebody of this order was forgotten meanwhile", code="forgotten")
        return found[sender], found[addressee]
