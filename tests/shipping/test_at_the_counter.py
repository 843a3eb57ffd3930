"""What is dangerous is taken in by who holds the certificate; marks on a photo that were not declared stop a parcel."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from tests.parcels.photos.pictures import parcel
from tests.people.staffing import facts, somebody, trained
from tests.scanner import Scanner, event
from tests.shipping import shop as shops
from tests.shipping.shop import Shop, order

from parcelward.base.errors import Invalid, NotAllowed, NotFound
from parcelward.base.standards.steps import Step
from parcelward.parcels import actions as parcels
from parcelward.parcels import queries as items
from parcelward.parcels.models import ItemStatus, ScanEvent
from parcelward.parcels.rules import State as Flag
from parcelward.people.queries import key_holder
from parcelward.people.wire import Role
from parcelward.shipping import actions as shipping
from parcelward.shipping.models import OrderItem

PERFUME = {"description": "Eau de toilette", "language": "en", "volume_ml": 50, "answers": {"flash_point_c": 17}}
PHONE = {
    "description": "Smartphone",
    "language": "en",
    "answers": {
        "battery": "lithium_ion",
        "battery_place": "in_device",
        "battery_is": "battery",
        "battery_number": 1,
        "watt_hours": 15,
        "condition": "new",
    },
}


@pytest.fixture(scope="module")
def mine(installation: Any) -> Shop:
    shops.open_shop()
    return shops.shop(installation)


def bought(mine: Shop, **changed: Any) -> tuple[str, uuid.UUID]:
    """Return the number and the item of a parcel that was bought."""
    said = mine.buy(order(**changed)).json()
    assert said["state"] == "bought", said
    number = said["items"][0]["number"]
    found = items.find(number)
    assert found
    return number, found


def held(item: uuid.UUID) -> bool:
    return bool(ItemStatus.objects.get(item=item).flags & Flag.HELD)


def test_declared_goods_are_taken_in_by_who_holds_the_certificate(
    mine: Shop, installation: Any, facilities: Any
) -> None:
    number, item = bought(mine, item_contents=PERFUME)
    assert held(item)
    assert OrderItem.objects.get(item=item).service_code == "812"
    (told,) = Scanner(installation).send(event(number, "accepted"))["instructions"]
    assert told["do"] == "HOLD"
    for who in (somebody(Role.CLERK), somebody(Role.INSPECTOR), somebody(Role.ADMINISTRATOR)):
        with pytest.raises(NotAllowed):
            parcels.release(item, "looked at", by=who)
    assert held(item)
    parcels.release(item, "looked at", by=trained(Role.CLERK))
    assert not held(item)


def test_neither_a_machine_nor_a_correction_lets_dangerous_goods_go(
    mine: Shop, installation: Any, facilities: Any
) -> None:
    number, item = bought(mine, item_contents=PERFUME)
    scanner = Scanner(installation)
    scanner.send(event(number, "accepted", minutes=121), event(number, "released", minutes=122))
    assert held(item)
    standing = ScanEvent.objects.get(item=item, step=int(Step.HELD))
    with pytest.raises(NotAllowed):
        parcels.correct(item, standing.event_id, "did_not_occur", "mistaken", by=somebody(Role.INSPECTOR))
    assert held(item)
    parcels.hold(item, "looks damp", by=somebody(Role.INSPECTOR))
    with pytest.raises(NotAllowed):
        parcels.release(item, "looked at", by=trained(Role.CLERK))  # the certificate is none for other holds
    parcels.release(item, "looked at", by=trained(Role.INSPECTOR))
    assert not held(item)


def test_another_hold_is_released_as_before(mine: Shop) -> None:
    _, item = bought(mine)
    assert not held(item)
    parcels.hold(item, "address_query", by=somebody(Role.INSPECTOR))
    with pytest.raises(NotAllowed):
        parcels.release(item, "looked at", by=trained(Role.CLERK))
    parcels.release(item, "found", by=somebody(Role.INSPECTOR))
    assert not held(item)


def test_what_needs_no_mark_is_handed_in_as_ever(mine: Shop) -> None:
    _, item = bought(mine, item_contents=PHONE)
    assert OrderItem.objects.get(item=item).service_code == "820"
    assert not held(item)


def test_a_held_parcel_that_nobody_has_seen_is_printed_again(mine: Shop) -> None:
    said = mine.buy(order(item_contents=PERFUME)).json()
    item = items.find(said["items"][0]["number"])
    row = OrderItem.objects.select_related("order").get(item=item)
    shipping.print_anew(row.order_id, 0, by=key_holder(mine.token))
    assert OrderItem.objects.get(item=item).printing == 2


def test_a_mark_that_was_not_declared_stops_the_parcel(mine: Shop) -> None:
    number, item = bought(mine)
    clerk = somebody(Role.CLERK)
    seen = shipping.photograph(number, parcel("Baby blanket", "100 % cotton"), by=clerk)
    assert (seen.marks, held(item)) == ((), False)
    seen = shipping.photograph(number, parcel("UN3480", "LITHIUM ION BATTERIES", turned=8), by=clerk)
    assert set(seen.uncovered) == {"UN3480", "lithium"}
    assert held(item)
    with pytest.raises(NotAllowed):
        parcels.release(item, "looked at", by=somebody(Role.INSPECTOR))
    parcels.release(item, "looked at", by=trained(Role.INSPECTOR))
    entries = facts("shipping.photo_read", item=str(item))
    assert [one["uncovered"] for one in entries] == [[], ["UN3480", "lithium"]]
    assert set(entries[0]) == {"at", "by", "item", "kind", "marks", "uncovered"}  # nothing of the photo


def test_a_mark_that_was_declared_stops_nothing(mine: Shop) -> None:
    number, item = bought(mine, item_contents=PHONE)
    seen = shipping.photograph(number, parcel("UN3481", "LITHIUM ION BATTERIES"), by=somebody(Role.CLERK))
    assert (set(seen.marks), seen.uncovered, held(item)) == ({"UN3481", "lithium"}, (), False)


def test_who_may_not_and_what_is_none_changes_nothing(mine: Shop) -> None:
    number, item = bought(mine)
    for role in (Role.COURIER, Role.SORTER, Role.PLANNER):
        with pytest.raises(NotAllowed):
            shipping.photograph(number, parcel("UN3480"), by=somebody(role))
    with pytest.raises(NotFound):
        shipping.photograph("RR 000 000 005 US", parcel("UN3480"), by=somebody(Role.CLERK))
    with pytest.raises(Invalid):
        shipping.photograph(number, b"%PDF-1.7", by=somebody(Role.CLERK))
    assert (held(item), facts("shipping.photo_read", item=str(item))) == (False, [])
