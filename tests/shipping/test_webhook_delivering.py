"""What happens when a sender's system does not answer, answers badly or slowly, or the worker is killed meanwhile."""

from __future__ import annotations

import datetime as dt
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone
from tests.scanner import event, new_number
from tests.shipping.hooked import Answers, Received, Receiver, endpoint, receiver, shop, watch

from parcelward.base.errors import Conflict
from parcelward.base.vault import VaultToken
from parcelward.custody.models import Fact
from parcelward.people import actions as people
from parcelward.people.models import User
from parcelward.people.wire import Person
from parcelward.privacy import actions as privacy
from parcelward.privacy.models import Message
from parcelward.privacy.wire import Field, Kind
from parcelward.shipping.actions import webhooks
from parcelward.shipping.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookMessage
from parcelward.shipping.queries import webhooks as queries
from parcelward.shipping.webhooks import delivering, rules

pytestmark = pytest.mark.usefixtures("installation")
DAY = dt.timedelta(days=1)


@pytest.fixture
def there() -> Iterator[Receiver]:
    with receiver() as one:
        yield one


@pytest.fixture
def seller() -> Person:
    return shop()


def seen(where: webhooks.Secret, by: Person, n: int = 0) -> queries.DeliveryShown:
    return queries.deliveries(where.endpoint, by=by)[n]


def until(what: Any, within_s: float = 30.0) -> Any:
    deadline = time.monotonic() + within_s
    while not (found := what()):
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.05)
    return found


def after(over: threading.Event, status: int) -> Answers:
    """Return an answer that comes when something has happened."""

    def answers(_: Received) -> tuple[int, dict[str, str]]:
        over.wait(60)
        return status, {}

    return answers


def now_due(delivery: Any, **more: Any) -> None:
    """Turn the clock of one delivery on, as if its pause was over."""
    WebhookDelivery.objects.filter(pk=delivery).update(try_at=timezone.now(), **more)


def test_what_fails_is_sent_again_after_five_seconds_under_the_same_id(there, seller):
    where = endpoint(there.url, seller)
    there.answers = lambda _: (500 if len(there.got) == 1 else 204, {})
    webhooks.send_test(where.endpoint, by=seller)
    first, second = there.wait(2)
    assert 4.5 < second.at - first.at < 15
    assert (first.id, first.body) == (second.id, second.body)
    assert int(second.headers["webhook-timestamp"]) > int(first.headers["webhook-timestamp"])
    told = until(lambda: seen(where, seller).state == "delivered" and seen(where, seller))
    assert [one.status for one in told.attempts] == [204, 500]
    assert told.next_try_at is None
    assert queries.endpoint(where.endpoint, by=seller).state == "on"


def test_after_the_tenth_failure_it_is_parked_and_a_replay_begins_again(there, seller):
    where = endpoint(there.url, seller)
    there.answers = lambda _: (500, {})
    delivery = webhooks.send_test(where.endpoint, by=seller)
    there.wait(1)
    told = until(lambda: seen(where, seller).attempts and seen(where, seller))
    assert 4 < (told.next_try_at - told.attempts[0].at).total_seconds() < 7
    now_due(delivery, tries=9)
    told = until(lambda: seen(where, seller).state == "parked" and seen(where, seller))
    assert (told.tries, told.next_try_at) == (10, None)
    assert queries.endpoint(where.endpoint, by=seller).state == "failing"
    there.answers = lambda _: (204, {})
    assert webhooks.replay_since(where.endpoint, timezone.now() - DAY, by=seller) == 1
    assert webhooks.replay_since(where.endpoint, timezone.now() - DAY, by=seller) == 0, "it is under way"
    told = until(lambda: seen(where, seller).state == "delivered" and seen(where, seller))
    assert told.tries == 1
    assert len({one.id for one in there.got}) == 1


def test_an_endpoint_that_asks_for_time_gets_it(there, seller):
    where = endpoint(there.url, seller)
    there.answers = lambda _: (503, {"retry-after": "3600"})
    webhooks.send_test(where.endpoint, by=seller)
    told = until(lambda: seen(where, seller).attempts and seen(where, seller))
    assert 3_500 < (told.next_try_at - timezone.now()).total_seconds() <= 3_600


def test_endpoints_that_hang_hold_up_neither_others_nor_the_log(scanner, there, seller):
    over = threading.Event()
    try:
        with receiver() as slow:
            slow.answers = after(over, 204)
            stuck = [shop() for _ in range(delivering.FAILING_AT_ONCE + 2)]
            for one in stuck:
                where = endpoint(slow.url, one)
                WebhookEndpoint.objects.filter(pk=where.endpoint).update(failing_since=timezone.now())
                for _ in range(3):
                    webhooks.send_test(where.endpoint, by=one)
            slow.wait(delivering.FAILING_AT_ONCE)
            number = new_number()
            scanner.send(event(number, "accepted"))
            watch(number, seller)
            endpoint(there.url, seller)
            began = time.monotonic()
            scanner.send(event(number, "out_for_delivery", minutes=1))
            there.wait(1)
            assert time.monotonic() - began < 8, "it had to wait for the slow ones"
            assert len(slow.got) == delivering.FAILING_AT_ONCE, "no more of those that fail at once"
            over.set()
            slow.wait(3 * len(stuck), within_s=60)
    finally:
        over.set()


def test_one_endpoint_gets_few_messages_at_once(there, seller):
    where = endpoint(there.url, seller)
    most, inside, lock, full = [0], [0], threading.Lock(), threading.Event()

    def answers(_: Any) -> tuple[int, dict[str, str]]:
        with lock:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        full.wait(0.3)
        with lock:
            inside[0] -= 1
        return 204, {}

    there.answers = answers
    for _ in range(12):
        webhooks.send_test(where.endpoint, by=seller)
    there.wait(12)
    assert 1 < most[0] <= delivering.OF_ONE


def test_two_workers_never_take_the_same_row(seller):
    """Both take what is due as fast as they can; the installation's own worker is a third."""
    where = endpoint("http://127.0.0.1:1/hooks", seller)
    WebhookEndpoint.objects.filter(pk=where.endpoint).update(paused_at=timezone.now(), paused_why="owner")
    now = timezone.now()
    for _ in range(60):
        ident = rules.time_ordered(os.urandom(10), now=now)
        message = WebhookMessage.objects.create(
            id=ident, organisation_id=seller.organisation, type="webhook.test", body=b"{}", made_at=now
        )
        WebhookDelivery.objects.create(id=ident, message=message, endpoint_id=where.endpoint, try_at=now, made_at=now)
    WebhookEndpoint.objects.filter(pk=where.endpoint).update(paused_at=None, paused_why="")

    def work() -> list[Any]:
        try:
            found: list[Any] = []
            for _ in range(20):
                found += [one.delivery for one in delivering.take(4, {}, failing=False)]
            return found
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        taken = [each for future in [pool.submit(work) for _ in range(2)] for each in future.result(60)]
    assert taken
    assert len(taken) == len(set(taken))


@pytest.mark.slow
def test_a_worker_that_is_killed_with_a_message_gives_it_back(installation, there, seller):
    where = endpoint(there.url, seller)
    hold = threading.Event()
    there.answers = after(hold, 204)
    delivery = webhooks.send_test(where.endpoint, by=seller)
    there.wait(1)
    installation.worker().kill()
    leased = seen(where, seller)
    assert (leased.state, leased.attempts) == ("waiting", ())
    assert (leased.next_try_at or timezone.now()) > timezone.now() + dt.timedelta(seconds=60), (
        "nobody else has it meanwhile"
    )
    now_due(delivery)  # as if the lease was over
    first, second = there.wait(2, within_s=60)
    hold.set()  # the first answer reaches nobody any more
    assert first.id == second.id
    assert until(lambda: seen(where, seller).state == "delivered")


@pytest.mark.slow
def test_kills_in_the_middle_lose_nothing_and_tell_nothing_twice_over(installation, scanner, there, seller):
    """Each event is one message with one number, however often the worker dies; it may arrive twice, under one id."""
    numbers = [new_number() for _ in range(5)]
    scanner.send(*(event(number, "accepted") for number in numbers))
    items = [watch(number, seller) for number in numbers]
    endpoint(there.url, seller)
    steps = ("left_sorting", "at_delivery_office", "out_for_delivery", "delivery_failed", "at_collection_point")
    for minutes, step in enumerate(steps, 1):
        scanner.send(*(event(number, step, minutes=minutes) for number in numbers))
        if minutes in {2, 4}:
            installation.worker().kill()
            until(lambda: _runs(installation), 60)
    until(lambda: WebhookMessage.objects.filter(item__in=items).count() == 25, 60)
    WebhookDelivery.objects.filter(message__item__in=items, state="waiting").update(try_at=timezone.now())
    until(lambda: len({one.id for one in there.got}) == 25, 60)
    for item in items:
        told = list(WebhookMessage.objects.filter(item=item).order_by("sequence").values_list("sequence", flat=True))
        assert told == [1, 2, 3, 4, 5]
    assert WebhookDelivery.objects.filter(message__item__in=items).count() == 25


def _runs(installation: Any) -> bool:
    try:
        return bool(installation.worker().is_running())
    except StopIteration:
        return False


@pytest.fixture
def token(seller):
    """Give the seller an address, past the way that the log is told of; afterwards the record must hold again."""
    kept = privacy.put({Field.EMAIL: "shopkeeper@example.com"}, kind=Kind.STAFF, by=people.machinery())
    whose = User.objects.filter(source=seller.source)
    (before,) = whose.values_list("token", flat=True)
    whose.update(token=kept)
    yield kept
    whose.update(token=before)


def test_after_days_without_an_arrival_it_is_paused_and_its_owner_told(there, seller, token):
    where = endpoint(there.url, seller)
    there.answers = lambda _: (500, {})
    WebhookEndpoint.objects.filter(pk=where.endpoint).update(failing_since=timezone.now() - 6 * DAY)
    webhooks.send_test(where.endpoint, by=seller)
    there.wait(1)
    paused = until(lambda: (one := queries.endpoint(where.endpoint, by=seller)).state == "paused" and one)
    assert paused.paused_why == "failing"
    bodies = [bytes(one.body) for one in Fact.objects.filter(kind="shipping.webhook_paused")]
    assert sum(str(where.endpoint).encode() in body for body in bodies) == 1
    assert Message.objects.filter(person=VaultToken(token), template="webhook_paused").count() == 1
    with pytest.raises(Conflict):
        webhooks.send_test(where.endpoint, by=seller)
    there.answers = lambda _: (204, {})
    webhooks.change(where.endpoint, paused=False, by=seller)
    now_due(seen(where, seller).id)
    assert until(lambda: seen(where, seller).state == "delivered")
    assert queries.endpoint(where.endpoint, by=seller).state == "on"


def test_an_endpoint_that_says_it_is_gone_is_paused_at_once(there, seller):
    where = endpoint(there.url, seller)
    there.answers = lambda _: (410, {})
    webhooks.send_test(where.endpoint, by=seller)
    paused = until(lambda: (one := queries.endpoint(where.endpoint, by=seller)).state == "paused" and one)
    assert paused.paused_why == "gone"


def test_what_is_removed_while_it_is_under_way_is_told_nothing_more(there, seller):
    where = endpoint(there.url, seller)
    hold = threading.Event()
    there.answers = after(hold, 500)
    delivery = webhooks.send_test(where.endpoint, by=seller)
    there.wait(1)
    webhooks.remove(where.endpoint, by=seller)
    hold.set()
    until(WebhookAttempt.objects.filter(delivery=delivery).exists)
    row = WebhookDelivery.objects.get(pk=delivery)
    assert (row.state, row.try_at) == ("parked", None)
