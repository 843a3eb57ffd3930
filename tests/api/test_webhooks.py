"""Webhooks over HTTP, as a sender's own program manages them: with an API key of its organisation."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests.joined import tenant
from tests.shipping.hooked import Receiver, receiver, verified

from parcelward.custody.models import Fact
from parcelward.people import actions
from parcelward.people.wire import OrganisationKind, Role
from parcelward.shipping.models import WebhookSecret

OPEN = "http://127.0.0.1:1/hooks"


@pytest.fixture
def there() -> Iterator[Receiver]:
    with receiver() as one:
        yield one


def client(installation: Any, **more: Any) -> httpx.Client:
    of = tenant(OrganisationKind.SENDER)
    made = actions.new_key("shop", Role.SENDER_ADMIN, by=actions.installer(), mode="test", organisation=of, **more)
    return httpx.Client(
        base_url=f"{installation.url}/api/v1/", headers={"Authorization": f"Bearer {made.token}"}, timeout=30
    )


@pytest.fixture
def shop(installation: Any) -> Iterator[httpx.Client]:
    with client(installation) as one:
        yield one


def post(shop: httpx.Client, path: str, body: Any = None, key: str = "") -> httpx.Response:
    return shop.post(path, json=body, headers={"Idempotency-Key": key or str(uuid.uuid4())})


def test_an_endpoint_is_made_tested_changed_and_removed(shop, there):
    key = str(uuid.uuid4())
    made = post(shop, "webhooks", {"url": there.url, "name": "checkout"}, key)
    assert made.status_code == 201, made.text
    assert made.headers["cache-control"] == "no-store"
    secret, where = made.json()["secret"], f"webhooks/{made.json()['id']}"
    again = post(shop, "webhooks", {"url": there.url, "name": "checkout"}, key)
    assert (again.json()["id"], again.json()["secret"]) == (made.json()["id"], None), "a secret is shown once"
    assert [one["id"] for one in shop.get("webhooks").json()] == [made.json()["id"]]
    sent = post(shop, f"{where}/test")
    assert sent.status_code == 202
    (got,) = there.wait(1)
    assert verified(secret, got)
    assert (got.said["type"], got.id) == ("webhook.test", sent.json()["message_id"])
    read = shop.get(where)
    assert "secret" not in read.json()
    stale = shop.patch(where, json={"name": "till"}, headers={"If-Match": '"0"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "changed")
    changed = shop.patch(where, json={"name": "till"}, headers={"If-Match": read.headers["etag"]})
    assert (changed.json()["name"], changed.json()["url"]) == ("till", there.url)
    assert changed.headers["etag"] != read.headers["etag"]
    assert shop.delete(where, headers={"If-Match": read.headers["etag"]}).status_code == 412
    assert shop.delete(where).status_code == 204
    assert shop.get(where).status_code == 404
    assert not WebhookSecret.objects.filter(endpoint=uuid.UUID(made.json()["id"].removeprefix("whe_"))).exists()


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"url": "https://10.0.0.1/hooks"}, "/url"),
        ({"url": "https://169.254.169.254/latest/meta-data"}, "/url"),
        ({"url": "https://[::ffff:10.0.0.1]/"}, "/url"),
        ({"url": "https://me:word@shop.example/"}, "/url"),
        ({"url": "ftp://shop.example/"}, "/url"),
        ({"url": OPEN, "types": ["order.paid_in_full"]}, "/types/0"),
    ],
)
def test_what_cannot_be_an_endpoint_is_refused_with_its_place(shop, body, pointer):
    answer = post(shop, "webhooks", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_endpoint"), answer.text
    assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]


def test_a_new_secret_signs_beside_the_old_one_for_the_overlap(shop, there):
    made = post(shop, "webhooks", {"url": there.url}).json()
    where = f"webhooks/{made['id']}"
    turned = post(shop, f"{where}/rotate", {"overlap_hours": 1})
    assert turned.status_code == 201
    assert turned.json()["former_secret_ends_at"] is not None
    post(shop, f"{where}/test")
    (got,) = there.wait(1)
    assert verified(made["secret"], got)
    assert verified(turned.json()["secret"], got)
    assert len(got.headers["webhook-signature"].split()) == 2
    last = post(shop, f"{where}/rotate", {"overlap_hours": 0}).json()
    post(shop, f"{where}/test")
    got = there.wait(2)[1]
    assert verified(last["secret"], got)
    assert not verified(made["secret"], got)
    assert not verified(turned.json()["secret"], got)


def test_nobody_sees_or_changes_the_endpoints_of_another_sender(shop, installation, there):
    made = post(shop, "webhooks", {"url": there.url}).json()
    where = f"webhooks/{made['id']}"
    delivery = post(shop, f"{where}/test").json()["id"]
    there.wait(1)
    before = Fact.objects.filter(kind__startswith="shipping.webhook").count()
    with client(installation) as other:
        theirs = post(other, "webhooks", {"url": there.url}).json()["id"]
        assert [one["id"] for one in other.get("webhooks").json()] == [theirs]
        refused = [
            other.get(where),
            other.get(f"{where}/deliveries"),
            other.patch(where, json={"url": OPEN}),
            other.delete(where),
            post(other, f"{where}/test"),
            post(other, f"{where}/rotate", {}),
            post(other, f"{where}/replay", {"delivery": delivery}),
            post(other, f"webhooks/{theirs}/replay", {"delivery": delivery}),
        ]
    assert [one.status_code for one in refused] == [404] * 8
    assert Fact.objects.filter(kind__startswith="shipping.webhook").count() == before + 1, "their own alone was made"
    assert shop.get(where).json()["url"] == there.url


def test_a_key_that_is_limited_to_other_tasks_is_told_so(installation):
    from parcelward.people.wire import Task

    with client(installation, scopes=[Task.READ_BALANCE]) as narrow:
        answer = narrow.get("webhooks")
    assert (answer.status_code, answer.json()["code"]) == (403, "scope")


def test_deliveries_are_paged_filtered_and_replayed(shop, there):
    made = post(shop, "webhooks", {"url": there.url}).json()
    where = f"webhooks/{made['id']}"
    for _ in range(3):
        post(shop, f"{where}/test")
    there.wait(3)
    first = shop.get(f"{where}/deliveries", params={"limit": 2})
    assert len(first.json()) == 2
    rest = shop.get(first.links["next"]["url"])
    assert len(rest.json()) == 1
    assert "next" not in rest.links
    every = [*first.json(), *rest.json()]
    assert [one["created_at"] for one in every] == sorted((one["created_at"] for one in every), reverse=True)
    assert shop.get(f"{where}/deliveries", params={"state": "parked"}).json() == []
    again = post(shop, f"{where}/replay", {"delivery": every[0]["id"]})
    assert (again.status_code, again.json()["deliveries"]) == (202, 1)
    assert there.wait(4)[3].id == every[0]["message_id"], "the same message"
    since = {"since": (dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)).isoformat(), "delivered_too": True}
    there.wait(4)
    _settled(shop, where)
    assert post(shop, f"{where}/replay", since).json()["deliveries"] == 3
    assert len({one.id for one in there.wait(7)}) == 3
    for wrong in ({}, {**since, "delivery": every[0]["id"]}, {"since": "2026-11-27T08:00:00"}):
        assert post(shop, f"{where}/replay", wrong).json()["code"] == "bad_replay"


def _settled(shop: httpx.Client, where: str) -> None:
    import time

    deadline = time.monotonic() + 30
    while shop.get(f"{where}/deliveries", params={"state": "waiting"}).json():
        assert time.monotonic() < deadline
        time.sleep(0.1)
