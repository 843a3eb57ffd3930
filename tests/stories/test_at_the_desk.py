"""What people do at the desk: a hold stops an item wherever it is next seen, a correction takes a wrong event back."""

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


def test_an_inspector_declares_an_event_wrong_and_the_item_is_no_longer_delivered(installation, desk, scanner, number):
    wrong = event(number, "delivered", minutes=2)
    scanner.send(event(number, "accepted"), event(number, "out_for_delivery", minutes=1), wrong)
    key = uuid.UUID(wrong["event_id"]).hex
    page = desk.get("/app/desk/", params={"item": number}).text
    found = re.search(rf'href="(/app/desk/items/itm_\w+/events/{key}/correct)"', page)
    assert found is not None
    unsaid = post(desk, found[1], reason="wrong_parcel")
    assert (unsaid.status_code, "Say what is wrong with it." in unsaid.text) == (422, True)
    unfounded = post(desk, found[1], declares="did_not_occur", reason="")
    assert (unfounded.status_code, "of 1 to 40 characters" in unfounded.text) == (422, True)
    assert post(desk, found[1], declares="something", reason="x").status_code == 422
    state = f"{installation.url}/api/v1/items/{number}"
    assert httpx.get(state, timeout=30).json()["step"] == "delivered"
    assert post(desk, found[1], declares="did_not_occur", reason="wrong_parcel").status_code == 200
    assert httpx.get(state, timeout=30).json()["step"] == "out_for_delivery"
    lines = httpx.get(f"{state}/events", timeout=30).json()
    assert [line["corrected"] for line in lines if line["step"] == "delivered"] == [True]
    page = desk.get("/app/desk/", params={"item": number}).text
    assert found[1] not in page, "what is struck through is not offered again"
    assert "correction of delivered" in page, "the correction is not mistaken for another delivery"


def test_only_an_event_of_this_item_can_be_declared_wrong(desk, scanner, number):
    elsewhere = event(new_number(), "accepted")
    scanner.send(event(number, "accepted"), elsewhere)
    at = f"/app/desk/items/{number}/events/{uuid.UUID(elsewhere['event_id']).hex}/correct"
    assert desk.get(at).status_code == 404
