"""Say what a delivery would cost, and keep that word for a time."""

from __future__ import annotations

import datetime as dt
import uuid
from uuid import UUID

from django.utils import timezone

from parcelward.base.standards.addresses import checking
from parcelward.base.standards.addresses.address import Address
from parcelward.network import queries as network
from parcelward.payments.queries import owner_of
from parcelward.people.queries import require
from parcelward.people.wire import Person, Task
from parcelward.shipping import order_rules, pricing
from parcelward.shipping.errors import BadOrder
from parcelward.shipping.models import Quote
from parcelward.shipping.pricing import Parcel
from parcelward.shipping.queries.tariffs import tariff_in_force
from parcelward.shipping.wire import Quoted


def quote(
    to: Address, weight_g: int, sides_mm: tuple[int, int, int], extras: tuple[str, ...] = (), *, by: Person
) -> Quoted:
    """Return what can be bought for a parcel and when it would come. The prices hold until the quote expires.

    Of the address nothing is kept but its country and zone. Raises NoTariff and BadOrder.
    """
    require(by, Task.ORDER)
    now = timezone.now()
    looked = checking.check(to)
    wrong = [one.problem() for one in looked.findings if one.code in order_rules.NEVER_SENT]
    if wrong:
        problems = tuple(order_rules.replace_pointer(one, "/to") for one in wrong)
        raise BadOrder("Nothing can be sent to this address", problems=problems)
    number, tariff = tariff_in_force(now)
    postcode = "".join(looked.address.postcode.split()).replace("-", "")
    parcel = Parcel(weight_g, sides_mm, looked.address.country, postcode, extras)
    found, unsold = pricing.offers(tariff, parcel)
    expires = now + dt.timedelta(hours=tariff.quote_hours)
    row = Quote.objects.create(
        id=uuid.uuid4(),
        owner=owner_of(by),
        tariff_id=number,
        weight_g=weight_g,
        sides_mm=list(sides_mm),
        country=looked.address.country,
        zone=pricing.placed(tariff.zones, parcel),
        extras=list(extras),
        made_at=now,
        expires_at=expires,
    )
    closed = network.closed_days(0)
    days = [(offer, *order_rules.promised(offer, now.date(), closed)) for offer in found]
    return Quoted(row.id, pricing.currency_of(tariff), tuple(days), unsold, looked.findings, expires)


def held(quote_id: UUID, *, by: Person) -> Quote | None:
    """Return a quote of one's own; None for an unknown one, and somebody else's."""
    return Quote.objects.filter(pk=quote_id, owner=owner_of(by)).first()
