"""Orders that come together are bought together, and each of them as if it had come alone."""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, connections, transaction
from tests.shipping import shop as shops

from parcelward.custody.models import Fact
from parcelward.doors.api.order_shapes import OrderIn
from parcelward.payments.errors import NotEnough
from parcelward.people.once import KeyReused
from parcelward.people.wire import Person
from parcelward.shipping import actions
from parcelward.shipping.actions import together
from parcelward.shipping.errors import BadOrder
from parcelward.shipping.models import Order
from parcelward.shipping.wire import OrderSeen, State


@pytest.fixture(autouse=True)
def _shop(installation: Any) -> None:
    shops.open_shop()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a group wait for as long as a test holds it up."""
    monkeypatch.setattr(together, "WAIT_MS", 60_000)


def buy(by: Person, body: dict[str, Any] | None = None, key: str = "") -> OrderSeen:
    body = body or shops.order()
    asked = actions.Asked(uuid.uuid4(), OrderIn.model_validate(body).value(), by)
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).digest()
    try:
        return actions.buy_once(asked, key or str(uuid.uuid4()), digest)
    finally:
        connections.close_all()


@contextmanager
def behind_a_slow_one() -> Iterator[Callable[..., Future[OrderSeen]]]:
    """Have one buyer wait for their balance; whoever buys within waits behind them, and is bought when it ends."""
    slow = shops.shopkeeper()
    buy_alone(slow)
    with ThreadPoolExecutor(16) as pool:
        with transaction.atomic(), connection.cursor() as cur:
            cur.execute(
                "SELECT FROM payments_balance b JOIN payments_account a ON a.number = b.account_id "
                "WHERE a.owner = %s FOR UPDATE OF b",
                (slow.organisation,),
            )
            waits = pool.submit(buy, slow)
            until_locked()
            yield lambda *asked, **named: pool.submit(buy, *asked, **named)
            time.sleep(0.5)  # all of them have come
        assert waits.result(60).state is State.BOUGHT


def buy_alone(by: Person) -> OrderSeen:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(buy, by).result(60)


def until_locked() -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(_until_locked).result(60)


def _until_locked() -> None:
    try:
        for _ in range(600):
            with connection.cursor() as cur:
                cur.execute(
                    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE "
                    "'SELECT account_id%%'"
                )
                if cur.fetchone()[0]:
                    return
            time.sleep(0.05)
        raise AssertionError("nobody waits for a balance")
    finally:
        connections.close_all()


def batches(orders: list[OrderSeen]) -> Counter[int]:
    """Return how many of these orders each batch of the log tells of."""
    wanted = {str(one.id) for one in orders}
    facts = Fact.objects.filter(kind="shipping.order").order_by("-batch")[:200]
    return Counter(fact.batch for fact in facts if json.loads(bytes(fact.body))["order"] in wanted)


@pytest.mark.usefixtures("patient")
def test_those_who_come_together_are_bought_together() -> None:
    buyers = [shops.shopkeeper() for _ in range(3)]
    with behind_a_slow_one() as later:
        waiting = [later(by) for by in buyers * 2]
    bought = [one.result(60) for one in waiting]
    assert {one.state for one in bought} == {State.BOUGHT}
    assert {one.owner for one in bought} == {by.organisation for by in buyers}
    assert len({item.number for one in bought for item in one.items}) == 6
    (at_once,) = batches(bought).values()
    assert at_once == 6
    kinds = Counter(Fact.objects.filter(batch__in=batches(bought)).values_list("kind", flat=True))
    assert kinds["shipping.order"] == kinds["risk.decision"] == kinds["payments.posted"] == 6
    assert kinds["parcels.sold"] == len({by.source for by in buyers})
    assert kinds["privacy.kept"] == 2 * len(buyers)  # each buyer's addressees, and their own address
    assert [one.state for one in map(again, bought)] == [State.BOUGHT] * 6


def again(seen: OrderSeen) -> OrderSeen:
    from parcelward.shipping.queries.orders import seen as shown

    row = Order.objects.get(pk=seen.id)
    stored = shown(row, row.items.order_by("place"), "")
    assert stored == seen  # what is answered is what is stored
    return stored


@pytest.mark.usefixtures("patient")
def test_who_cannot_pay_stops_nobody() -> None:
    poor, rich = shops.shopkeeper(0), shops.shopkeeper()
    with behind_a_slow_one() as later:
        waiting = [later(poor), later(rich), later(rich)]
    with pytest.raises(NotEnough):
        waiting[0].result(60)
    assert {one.result(60).state for one in waiting[1:]} == {State.BOUGHT}
    assert not Order.objects.filter(owner=poor.organisation or poor.id).exists()


@pytest.mark.usefixtures("patient")
def test_what_cannot_be_sold_leaves_its_key_free() -> None:
    by, key = shops.shopkeeper(), str(uuid.uuid4())
    with behind_a_slow_one() as later:
        bad, good = later(by, shops.order(item_product="nothing"), key=key), later(by)
    with pytest.raises(BadOrder):
        bad.result(60)
    assert good.result(60).state is State.BOUGHT
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(buy, by, shops.order(), key).result(60).state is State.BOUGHT


@pytest.mark.usefixtures("patient")
def test_the_same_key_at_once_is_one_order() -> None:
    by, key, body = shops.shopkeeper(), str(uuid.uuid4()), shops.order()
    with behind_a_slow_one() as later:
        waiting = [later(by, body, key=key) for _ in range(4)]
        other = later(by, shops.order(), key=key)
    settled = [one for one in [*waiting, other] if one.exception(60) is None]
    refused = [one.exception(60) for one in [*waiting, other] if one.exception(60) is not None]
    assert len({one.result().id for one in settled}) == 1
    assert all(isinstance(one, KeyReused) for one in refused)
    assert refused
    assert Order.objects.filter(owner=by.organisation or by.id).count() == 1


def test_nobody_waits_for_the_balance_of_another() -> None:
    rich = shops.shopkeeper()
    with behind_a_slow_one() as later:
        assert later(rich).result(30).state is State.BOUGHT  # while the slow one waits still
