"""What is made of an order before it is stored: looked at, its people kept, its rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from parcelward.base.errors import Problem
from parcelward.base.standards.addresses.address import Address
from parcelward.base.vault import VaultToken
from parcelward.network import queries as network
from parcelward.network.wire import RouteRow
from parcelward.parcels.queries import operator_rules
from parcelward.payments.queries import owner_of
from parcelward.people.wire import Person
from parcelward.privacy import actions as privacy
from parcelward.privacy import queries as vault
from parcelward.privacy.wire import Field, Kind
from parcelward.shipping import order_rules, party_text
from parcelward.shipping.actions import quotes
from parcelward.shipping.errors import BadOrder, QuoteOver
from parcelward.shipping.models import Order, OrderItem, SenderAddress
from parcelward.shipping.order_rules import Checked, Sold
from parcelward.shipping.queries import tariffs
from parcelward.shipping.wire import OrderWanted, Party, State, Whence, Why

NOWHERE: Final = Whence()


@dataclass(frozen=True, slots=True, repr=False)
class Asked:
    """An order that somebody asks for, under an id of theirs."""

    id: UUID
    wanted: OrderWanted
    by: Person
    whence: Whence = NOWHERE


@dataclass(frozen=True, slots=True, repr=False)
class Good:
    """An order that can be sold: by which tariff, what was found, and who delivers each of its parcels."""

    asked: Asked
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
    looked = order_rules.checked(wanted, tariff, operator_rules())
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


def order_row(one: Good, *, now: dt.datetime) -> Order:
    """Return an order's row as it is before anybody has decided about it."""
    number, wanted, looked, by, whence = one.number, one.asked.wanted, one.looked, one.asked.by, one.asked.whence
    return Order(
        id=one.asked.id,
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


def kept(good: Sequence[Good]) -> list[tuple[VaultToken, ...]]:
    """Put the addressees of orders into the vault, with what is in their parcels; those of one buyer together."""
    of: dict[Person, list[Good]] = {}
    for one in good:
        of.setdefault(one.asked.by, []).append(one)
    groups = [(by, [_as_kept(sold) for one in some for sold in one.looked.items]) for by, some in of.items()]
    tokens = dict(zip(of, map(iter, privacy.put_for_many(groups, kind=Kind.ADDRESSEE)), strict=True))
    return [tuple(next(tokens[one.asked.by]) for _ in one.looked.items) for one in good]


def _as_kept(sold: Sold) -> dict[Field, str]:
    return party_text.kept(sold.wanted.to, sold.to, sold.wanted.declaration, sold.wanted.customs)


def senders_kept(good: Sequence[Good]) -> list[VaultToken]:
    """Return the tokens of the senders' own addresses."""
    wanted = [(one.asked.wanted.sender, one.looked.sender, owner_of(one.asked.by), one.asked.by) for one in good]
    return _senders_kept(wanted)


def sender_kept(sender: Party, address: Address, *, owner: UUID, by: Person) -> VaultToken:
    """Return the token of a sender's own address, which is in its usual form: the same one is kept once."""
    return _senders_kept([(sender, address, owner, by)])[0]


def _senders_kept(wanted: Sequence[tuple[Party, Address, UUID, Person]]) -> list[VaultToken]:
    fields = [party_text.kept(sender, address) for sender, address, _, _ in wanted]
    marks = [vault.link_mark("sender", *(f"{name}={text}" for name, text in sorted(each.items()))) for each in fields]
    owners = {owner for _, _, owner, _ in wanted}
    rows = SenderAddress.objects.filter(owner__in=owners, mark__in=set(marks)).values_list("owner", "mark", "token")
    known = {(owner, bytes(mark)): VaultToken(token) for owner, mark, token in rows}
    here = vault.kept_among(known.values())
    new = {
        (owner, mark): (each, by)
        for (_, _, owner, by), each, mark in zip(wanted, fields, marks, strict=True)
        if known.get((owner, mark)) not in here
    }
    for owner, mark in sorted(new):  # in one order for everybody: two who write the same wait in no ring
        each, by = new[owner, mark]
        known[owner, mark] = token = privacy.put(each, kind=Kind.SENDER, by=by)
        SenderAddress.objects.update_or_create(owner=owner, mark=mark, defaults={"token": token})
    return [known[owner, mark] for (_, _, owner, _), mark in zip(wanted, marks, strict=True)]


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
