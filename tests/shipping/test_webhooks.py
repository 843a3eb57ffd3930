"""Senders are told over real HTTP, by a real worker: signed, a row for each event and endpoint, until it arrives."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator

import httpx
import pytest
from tests.scanner import event, new_number
from tests.shipping import shop as shops
from tests.shipping.hooked import Receiver, endpoint, followed, receiver, shop, verified, watch

from parcelward.parcels import queries as parcels
from parcelward.people.wire import Person
from parcelward.shipping.models import SenderItem
from parcelward.shipping.queries import webhooks as queries

pytestmark = pytest.mark.usefixtures("installation")


@pytest.fixture
def there() -> Iterator[Receiver]:
    with receiver() as one:
        yield one


@pytest.fixture
def seller() -> Person:
    return shop()


def test_a_sender_is_told_how_an_item_stands_signed_and_in_order(scanner, there, seller):
    number = new_number()
    scanner.send(event(number, "accepted", minutes=0))
    item = watch(number, seller)
    secret = endpoint(there.url, seller).secret
    for minutes, step in enumerate(("left_sorting", "loaded", "out_for_delivery", "delivered"), 1):
        scanner.send(event(number, step, minutes=minutes))
    got = sorted(there.wait(3), key=lambda one: one.said["data"]["sequence"])
    assert all(verified(secret, one) for one in got)
    told = [(one.said["data"]["status"], one.said["data"]["status_detail"]) for one in got]
    assert told == [
        ("in_transit", "left_sorting"),
        ("out_for_delivery", "out_for_delivery"),
        ("delivered", "delivered"),
    ]
    assert [one.said["data"]["sequence"] for one in got] == [1, 2, 3]
    first = got[0].said
    assert first["type"] == "item.status_changed"
    assert first["mode"] == "test"
    assert first["id"] == got[0].id
    assert first["data"]["id"] == f"itm_{item.hex}"
    assert first["data"]["number"] == number
    assert json.loads(got[0].body) == first


def test_what_a_shop_buys_it_is_told_of_from_the_first_scan_on(installation, scanner, there):
    """The whole way: an endpoint and an order through the API, scans from a device, a signed message to the shop."""
    shops.open_shop()
    mine = shops.shop(installation)
    made = httpx.post(
        f"{mine.url}/api/v1/webhooks",
        json={"url": there.url},
        headers=mine.headers | {"Idempotency-Key": str(uuid.uuid4())},
        timeout=30,
    ).json()
    (bought,) = mine.buy(shops.order()).json()["items"]
    scanner.send(event(bought["number"], "accepted"))
    (got,) = there.wait(1)
    assert verified(made["secret"], got)
    assert got.said["data"]["number"] == bought["number"]
    assert (got.said["data"]["sequence"], got.said["data"]["status"]) == (1, "in_transit")
    said = got.body.decode()
    assert not any(word in said for word in (shops.NAME, shops.STREET)), "no name and no address"


def test_a_correction_is_told_and_what_changes_nothing_is_not(scanner, there, seller):
    number = new_number()
    scanner.send(event(number, "accepted"))
    watch(number, seller)
    endpoint(there.url, seller)
    wrong = event(number, "delivered", minutes=10)
    scanner.send(wrong)
    there.wait(1)
    scanner.send(event(number, "left_sorting", minutes=5), event(number, "left_sorting", minutes=20))
    declared = {"event_id": wrong["event_id"], "declares": "did_not_occur", "reason": "wrong parcel"}
    scanner.send(event(number, "delivered", minutes=10, corrects=declared))
    first, second = there.wait(2)
    assert first.said["data"]["status"] == "delivered"
    assert first.said["data"]["event"]["id"] == f"evt_{uuid.UUID(wrong['event_id']).hex}"
    assert second.said["data"]["status"] == "in_transit"
    assert second.said["data"]["event"]["corrects"] == first.said["data"]["event"]["id"]
    assert [one.said["data"]["sequence"] for one in (first, second)] == [1, 2]


def test_what_holds_an_item_is_told_with_its_party_and_what_somebody_must_do(scanner, there, seller):
    number = new_number()
    scanner.send(event(number, "accepted"))
    watch(number, seller)
    endpoint(there.url, seller)
    scanner.send(event(number, "held", minutes=1, reason="customs_query"))
    scanner.send(event(number, "released", minutes=2))
    scanner.send(event(number, "at_collection_point", minutes=3))
    got = [one.said["data"] for one in sorted(there.wait(3), key=lambda one: one.said["data"]["sequence"])]
    assert [(one["status"], one["reason"]) for one in got] == [
        ("in_transit", "customs_hold"),
        ("in_transit", ""),
        ("available_for_pickup", ""),
    ]
    assert got[2]["action_required"]["who"] == "addressee"


def test_every_endpoint_of_the_sender_has_a_row_of_its_own_and_nobody_elses_has(scanner, seller):
    with receiver() as one, receiver() as two, receiver() as other:
        number = new_number()
        scanner.send(event(number, "accepted"))
        watch(number, seller)
        places = [endpoint(each.url, seller) for each in (one, two)]
        endpoint(other.url, shop())
        two.answers = lambda _: (500, {})
        scanner.send(event(number, "out_for_delivery", minutes=1))
        (first,), (second,) = one.wait(1), two.wait(1)
        assert first.id == second.id, "one message"
        assert verified(places[0].secret, first)
        assert not verified(places[1].secret, first), "each has a secret of its own"
        found = [queries.deliveries(each.endpoint, by=seller)[0] for each in places]
        assert found[0].id != found[1].id
        assert other.got == []


def test_what_is_told_is_what_the_public_journey_shows(scanner, there, seller):
    """After every event of a history with holds, late scans and corrections, each the last of its kind."""
    number = new_number()
    scanner.send(event(number, "accepted"))
    item = watch(number, seller)
    endpoint(there.url, seller)
    failed = event(number, "delivery_failed", minutes=40, reason="addressee_absent")
    declared = {"event_id": failed["event_id"], "declares": "incorrect_data", "reason": "wrong house"}
    for one in (
        event(number, "presented_to_customs", minutes=10),
        event(number, "held_by_customs", minutes=11),
        event(number, "left_inward_office", minutes=20),
        event(number, "out_for_delivery", minutes=30),
        failed,
        event(number, "delivery_failed", minutes=40, corrects=declared),
        event(number, "returning", minutes=50),
        event(number, "at_delivery_office", minutes=25),
        event(number, "returned", minutes=60),
    ):
        scanner.send(one)
        followed()
        journey = parcels.journey(item)
        said = SenderItem.objects.get(item=item).told
        assert (said["status"], said["reason"]) == (journey.tracker, journey.reason)
        assert said["status_detail"] == journey.step.word
