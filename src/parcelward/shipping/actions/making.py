"""Make what was paid for: items with numbers of ours, each with a sealed label that is bound to it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from parcelward.base import config, db
from parcelward.base.standards.addresses.address import Address
from parcelward.base.vault import Personal
from parcelward.network import queries as network
from parcelward.parcels import actions as parcels
from parcelward.parcels.wire import LabelWanted
from parcelward.people import actions as people
from parcelward.people.wire import Person
from parcelward.privacy.sealing import actions as sealing
from parcelward.privacy.sealing import queries as stations
from parcelward.privacy.sealing.errors import KeyNotThere
from parcelward.privacy.sealing.wire import Doorstep, LabelIn, Sealed
from parcelward.shipping import order_rules
from parcelward.shipping.actions import customs, webhooks
from parcelward.shipping.models import OrderItem
from parcelward.shipping.wire import Party

MADE: Final = ("item", "number", "label", "binding", "printing")
"""What making a parcel changes in its row."""


def make_within(rows: Sequence[OrderItem], parties: Sequence[Party], *, now: dt.datetime) -> None:
    """Give parcels their items, numbers and labels, in the caller's transaction, which saves the rows (MADE).

    The house itself makes and seals: whoever orders has no right to seal for somebody else's number.
    """
    house = people.machinery()
    places = {hub: _handed_in_at(hub) for hub in {row.hub for row in rows}}
    sold = [parcels.SoldWanted(row.s10_mark, places[row.hub], row.order.source, row.order.simulated) for row in rows]
    made = parcels.make_sold_within(sold, country=config.get().country, by=house, now=now)
    wanted = [label_of(row, number, party) for row, (_, number), party in zip(rows, made, parties, strict=True)]
    sealed = sealed_anew(wanted, by=house, now=now)
    labels = parcels.issue_labels_within(
        [
            LabelWanted(item, label.raw, row.office, row.weight_g)
            for row, (item, _), label in zip(rows, made, sealed, strict=True)
        ],
        by=house,
        now=now,
    )
    for row, (item, number), label in zip(rows, made, labels, strict=True):
        row.item, row.number = item, number
        row.label, row.binding, row.printing = label.raw, label.code, label.printing
    webhooks.watch_within({item: row.order.owner for row, (item, _) in zip(rows, made, strict=True)}, now=now)
    for reason, held in order_rules.held_at_the_counter(rows).items():
        parcels.inspect_sold_within(held, reason=reason, by=house)
    customs.hold_within(rows, by=house)


def _handed_in_at(hub: str) -> int:
    """Return the place where items are expected, as an order knows it: the hub that serves where they go."""
    place = network.facilities(missing=hub).by_code.get(hub)
    return 0 if place is None else place.number


def sealed_anew(wanted: Sequence[LabelIn], *, by: Person, now: dt.datetime) -> Sequence[Sealed]:
    """Seal labels; a station that was described a moment ago gets its keys now, and not at the next round."""
    try:
        return sealing.seal_labels(wanted, by=by, now=now)
    except KeyNotThere as missing:
        if missing.code == "key_destroyed":
            raise
    places = {place for one in wanted for place in (one.hub, one.office)}
    # In a transaction of its own: their entry in the log must stand, whatever becomes of this order.
    with ThreadPoolExecutor(1, "station keys") as apart:
        apart.submit(_make_keys, places, by=by, now=now).result()
    return sealing.seal_labels(wanted, by=by, now=now)


def _make_keys(places: Collection[str], *, by: Person, now: dt.datetime) -> None:
    try:
        sealing.make_station_keys(places, [stations.epoch_of(now)], by=by, now=now)
    finally:
        db.drop_connections()


def label_of(row: OrderItem, number: str, party: Party) -> LabelIn:
    """Return what is sealed for the stations on the way."""
    address: Address = party.address
    return LabelIn(
        item=number,
        hub=row.hub,
        office=row.office,
        weight_g=row.weight_g,
        routing_code=f"{row.office} {row.round_code}"[: order_rules.ROUTING_CODE_MAX].strip(),
        round_code=row.round_code,
        street=order_rules.street_of(address, row.round_code),
        doorstep=Doorstep(
            Personal(order_rules.name_of(address)),
            tuple(Personal(line) for line in order_rules.door_lines(address)),
            Personal(party.note),
        ),
    )
