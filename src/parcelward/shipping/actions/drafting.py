"""What is made of an order before it is stored: looked at, its people kept, its rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from parcelward.base.errors import Problem
from parcelward.base.standards.addresses.address import Address
from parcelward.base.vault import VaultToken
from parcelward.network import queries as network
from parcelward.network.wire import RouteRow
from parcelward.payments.queries import owner_of
from parcelward.people.wire import Person
from parcelward.privacy import actions as privacy
from parcelward.privacy import queries as vault
from parcelward.privacy.wire import Kind
from parcelward.shipping import order_rules, party_text
from parcelward.shipping.actions import quotes
from parcelward.shipping.errors import BadOrder, QuoteOver
from parcelward.shipping.models import Order, OrderItem, SenderAddress
from parcelward.shipping.order_rules import Checked, Sold
from parcelward.shipping.queries import tariffs
from parcelward.shipping.wire import OrderWanted, Party, State, Whence, Why


@dataclass(frozen=True, slots=True, repr=False)
class Good:
    """An order that can be sold: by which tariff, what was found, and who delivers each of its parcels."""

    id: UUID
    wanted: OrderWanted
    number: int
    looked: Checked
    routes: list[RouteRow]


def looked_at(wanted: OrderWanted, *, by: Person, now: dt.datetime) -> tuple[int, Checked, list[RouteRow]]:
    """Return by which tariff, what can be sold, and who delivers each. Raises BadOrder with all that is wrong."""
    number, tariff = tariffs.tariff_in_force(now)
    quoted = None if wanted.quote is None else quotes.held(wanted.quote, by=by)
    if wanted.quote is not None:
        if quoted is None or quoted.expires_at < now or len(wanted.items) != 1:
            raise QuoteOver("This quote holds no longer, or is of another parcel: ask for a new one")
        number, tariff = quoted.tariff_id, tariffs.tariff(quoted.tariff_id)
    looked = order_rules.checked(wanted, tariff, {})
    problems = list(looked.problems)
    routes = []
    for place, sold in enumerate(looked.items):
        route = network.route_to(sold.to.country, sold.to.postcode)
        if route is None:
            problems.append(Problem(f"/items/{place}/to/address", "no_route", "We do not deliver to there yet"))
        else:
            routes.append(route)
    if problems:
        raise BadOrder("This order cannot be sold as it is; nothing was bought", problems=tuple(problems))
    if quoted is not None:
        (sold,) = looked.items
        same = (sold.wanted.weight_g, list(sold.wanted.sides_mm), sold.to.country, sold.offer.zone)
        if same != (quoted.weight_g, quoted.sides_mm, quoted.country, quoted.zone) or set(sold.wanted.extras) != set(
            quoted.extras
        ):
            raise QuoteOver("This quote is of another parcel: ask for a new one")
    return number, looked, routes


def order_row(one: Good, whence: Whence, *, by: Person, now: dt.datetime) -> Order:
    """Return an order's row as it is before anybody has decided about it."""
    number, wanted, looked = one.number, one.wanted, one.looked
    return Order(
        id=one.id,
        owner=owner_of(by),
        source=by.source,
        paid_by=wanted.paid_by.value,
        tariff_id=number,
        currency=tariffs.tariff(number).currency,
        total_minor=looked.total_minor,
        tax_minor=looked.tax_minor,
        network=vault.link_mark("network", whence.network) if whence.network else None,
        device=vault.link_mark("device", whence.device) if whence.device else None,
        reference=wanted.reference,
        simulated=by.simulated,
        created_at=now,
        changed_at=now,
    )


def kept(sold: Sequence[Sold], *, by: Person) -> tuple[VaultToken, ...]:
    """Put the addressees into the vault, with what is in their parcels."""
    people_kept = [party_text.kept(one.wanted.to, one.to, one.wanted.declaration) for one in sold]
    return privacy.put_many(people_kept, kind=Kind.ADDRESSEE, by=by)


def sender_kept(sender: Party, address: Address, *, owner: UUID, by: Person) -> VaultToken:
    """Return the token of a sender's own address, which is in its usual form: the same one is kept once."""
    fields = party_text.kept(sender, address)
    mark = vault.link_mark("sender", *(f"{name}={text}" for name, text in sorted(fields.items())))
    known = SenderAddress.objects.filter(owner=owner, mark=mark).values_list("token", flat=True).first()
    if known is not None and vault.is_kept(VaultToken(known)):
        return VaultToken(known)
    token = privacy.put(fields, kind=Kind.SENDER, by=by)
    SenderAddress.objects.update_or_create(owner=owner, mark=mark, defaults={"token": token})
    return token


def decided(stopped: Sequence[Why]) -> tuple[str, list[dict[str, Any]]]:
    """Return how an order begins, by what was found in it."""
    reasons = [{"code": one.code, "place": one.place, "details": dict(one.details)} for one in stopped]
    if any(one.code in {"hazmat_refuse", "hazmat_accept_ground_only"} for one in stopped):
        return State.REFUSED.value, reasons
    return (State.REVIEW.value if stopped else State.PAYING.value), reasons


def item_row(
    row: Order,
    place: int,
    sold: Sold,
    token: VaultToken,
    route: RouteRow,
    posted: tuple[dt.date, Collection[dt.date]],
) -> OrderItem:
    """Return the row of one parcel; `posted` is on which day, and on which days nobody works."""
    offer, wanted = sold.offer, sold.wanted
    first, last = order_rules.promised(offer, *posted)
    return OrderItem(
        order=row,
        place=place,
        addressee=token,
        product=offer.product,
        service=offer.words,
        s10_mark=sold.product.s10,
        weight_g=wanted.weight_g,
        sides_mm=list(wanted.sides_mm),
        country=sold.to.country,
        zone=offer.zone,
        extras=list(wanted.extras),
        parts=[[part.code, part.words, part.amount_minor] for part in offer.parts],
        tax_minor=offer.tax_minor,
        total_minor=offer.total_minor,
        promised_from=first,
        promised_to=last,
        value_minor=wanted.value_minor,
        screened=int(sold.screened.answer),
        hazmat_rule=sold.screened.rule,
        service_code=sold.screened.service_code,
        reference=wanted.reference,
        office=route.office,
        hub=route.hub,
        round_code=route.round_code,
    )


def as_kept(sold: Sold) -> Party:
    """Return an addressee with the address in its usual form."""
    return Party(sold.to, sold.wanted.to.email, sold.wanted.to.phone, sold.wanted.to.note)
