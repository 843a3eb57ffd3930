"""What a sender's screens ask: what is wrong before a product is chosen, how orders stand, where they sent from."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from django.utils import timezone
from tests.shipping import shop as shops
from tests.shipping.shop import order, shopkeeper

from parcelward.doors.api.order_shapes import OrderIn
from parcelward.parcels import actions as desk
from parcelward.parcels import queries as parcels
from parcelward.people import actions as people
from parcelward.people.wire import Person
from parcelward.shipping import actions, queries
from parcelward.shipping.models import OrderItem
from parcelward.shipping.wire import State


@pytest.fixture(scope="module", autouse=True)
def _open(installation: Any) -> None:
    shops.open_shop()


def placed(by: Person, **changed: Any) -> uuid.UUID:
    return actions.place_within(uuid.uuid4(), OrderIn.model_validate(order(**changed)).value(), by=by)


def test_what_is_wrong_is_said_before_a_product_is_chosen() -> None:
    by = shopkeeper()
    wrong = order(
        item_to={"address": shops.ADDRESS | {"administrative_area": "AK", "addressee": ""}},
        item_product="",
        item_contents={"description": " "},
    )
    looked = queries.looked_at(OrderIn.model_validate(wrong).value(), by=by)
    assert {(one.pointer, one.code) for one in looked.problems} == {
        ("/items/0/to/address/addressee", "missing"),
        ("/items/0/contents/description", "missing"),
    }
    assert [(one.pointer, one.code, one.suggestion) for one in looked.advice] == [
        ("/items/0/to/address/administrative_area", "postcode_not_in_area", "IL")
    ]
    good = queries.looked_at(OrderIn.model_validate(order(item_product="")).value(), by=by)
    assert (good.problems, good.advice) == ((), ())


def test_the_senders_address_is_remembered_for_its_own_people() -> None:
    by, other = shopkeeper(), shopkeeper()
    assert actions.sender_of(by) is None
    placed(by)
    party = actions.sender_of(by)
    assert party is not None
    assert (party.address.organisation, party.address.street_lines) == ("Marrow & Pith", ("5 Market Square",))
    assert actions.sender_of(other) is None


def test_how_orders_stand_and_what_was_spent_is_each_senders_own() -> None:
    by, other = shopkeeper(), shopkeeper()
    placed(by)
    placed(by)
    placed(by, item_contents={"description": "fireworks, 20 rockets"})
    placed(other)
    assert queries.standing(by=by) == {State.BOUGHT: 2, State.REFUSED: 1}
    assert queries.standing(by=by, since=timezone.now()) == {}
    since = timezone.now() - dt.timedelta(days=1)
    assert [one.spent_minor for one in queries.spent_by_day(since, shops.USD, by=by)] == [2 * 910]


def test_what_is_held_is_found_among_ones_own() -> None:
    by, other = shopkeeper(), shopkeeper()
    order_id = placed(by)
    row = OrderItem.objects.get(order=order_id)
    assert queries.held_parcels(by=by) == ()
    assert row.item
    desk.hold(row.item, "address_query", by=people.installer())
    assert queries.held_parcels(by=by) == ((order_id, row.number),)
    assert queries.held_parcels(by=other) == ()
    assert parcels.on_hold([row.item]) == {row.item}
