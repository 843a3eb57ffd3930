"""A hold stops an item wherever it is next seen, and ends only when somebody ends it."""

from __future__ import annotations

import datetime as dt
import re
import uuid

import httpx
import pytest
from tests.scanner import Scanner, event, new_number

from parcelward.people import actions as people
from parcelward.people.wire import Role


@pytest.fixture(scope="module")
def scanner(installation, facilities):
    return Scanner(installation)


@pytest.fixture(scope="module")
def desk(installation):
    """Return a client that is signed in as an inspector, and sends forms as a browser does."""
    with httpx.Client(base_url=installation.url, timeout=30, follow_redirects=True) as client:
        name, passphrase = installation.people["inspector"]
        post(client, "/accounts/sign-in", username=name, password=passphrase)
        yield client


def post(client, path, **typed):
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', client.get(path).text)
    assert token is not None, path
    return client.post(path, data={"csrfmiddlewaretoken": token[1], **typed}, headers={"Referer": str(client.base_url)})


def offered(desk, number):
    page = desk.get("/app/desk/", params={"item": number}).text
    return [what for what in ("hold", "release") if re.search(rf'href="/app/desk/items/itm_\w+/{what}"', page)]


def instructed(scanner, number, step="left_sorting"):
    when = dt.datetime.now(dt.UTC).isoformat()
    said = scanner.send({**event(number, step), "event_time": when})
    return [one["do"] for one in said["instructions"]]


def test_a_held_item_that_was_moved_all_the_same_can_still_be_released(desk, scanner, number):
    scanner.send(event(number, "accepted"))
    assert offered(desk, number) == ["hold"]
    assert post(desk, f"/app/desk/items/{number}/hold", reason="suspicious").status_code == 200
    assert instructed(scanner, number) == ["HOLD"]
    assert offered(desk, number) == ["release"]
    assert post(desk, f"/app/desk/items/{number}/release", reason="checked").status_code == 200
    assert instructed(scanner, number, "at_delivery_office") == []
    assert offered(desk, number) == ["hold"]


def test_an_announced_item_can_be_held_before_anybody_has_seen_it(installation, desk, scanner):
    number = new_number()
    token = people.make_key("test", Role.PARTNER, by=people.installer(), mode="test", simulated=True)
    said = {
        "manifest_id": f"M-{uuid.uuid4()}",
        "facility": "TEST-A",
        "event_time": (dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)).isoformat(),
        "items": [number],
    }
    headers = {"Authorization": f"Bearer {token}"}
    httpx.post(f"{installation.url}/api/v1/manifests", json=said, headers=headers, timeout=30).raise_for_status()
    assert post(desk, f"/app/desk/items/{number}/hold", reason="suspicious").status_code == 200
    assert instructed(scanner, number, "accepted") == ["HOLD"]
