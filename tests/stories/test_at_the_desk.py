"""What people do at the desk: a hold stops an item wherever it is next seen, a correction takes a wrong event back."""

from __future__ import annotations

import datetime as dt
import html
import re
import uuid

import httpx
import pytest
from django.utils import translation
from tests.scanner import event, new_number

from parcelward.parcels import queries
from parcelward.parcels.actions.came_again import CAME_AGAIN
from parcelward.parcels.models import Alert, Quarantine
from parcelward.people import actions as people
from parcelward.people.wire import Role


@pytest.fixture(scope="module")
def desk(installation, staff):
    """Return a client that is signed in as an inspector, and sends forms as a browser does."""
    with httpx.Client(base_url=installation.url, timeout=30, follow_redirects=True) as client:
        client.cookies.update(staff("inspector").http.cookies)
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
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid.uuid4())}
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


@pytest.fixture
def flood():
    """Leave 130 open alerts that only counts know of, the oldest first."""
    now = dt.datetime.now(dt.UTC)
    mark = uuid.uuid4().hex[:8]
    made = Alert.objects.bulk_create(
        Alert(kind="over", about=f"HO-{mark}-{n:03}", opened_at=now - dt.timedelta(minutes=200 - n)) for n in range(130)
    )
    yield made
    Alert.objects.filter(id__in=[alert.id for alert in made]).delete()


def rows_of(page):
    return [int(row) for row in re.findall(r'id="row-(\d+)"', page)]


def turn(page, way):
    found = re.search(rf'href="([^"]+)" rel="{way}"', page)
    return found and html.unescape(found[1])


def test_every_open_alert_is_reached_from_part_to_part_and_back(desk, flood):
    page = desk.get("/app/desk/", params={"queue": "alerts", "kind": "over"}).text
    newest, seen, words = rows_of(page), [], []
    assert turn(page, "prev") is None
    while True:
        seen += rows_of(page)
        words += re.findall(r"(\d+ to \d+) of", page)
        if not (older := turn(page, "next")):
            break
        page = desk.get(older).text
    made = [alert.id for alert in reversed(flood)]
    assert [row for row in seen if row in set(made)] == made, "each once, the newest first"
    assert len(seen) == len(set(seen))
    assert words[:2] == ["1 to 50", "51 to 100"]
    for _ in range(len(words) - 1):
        page = desk.get(turn(page, "prev")).text
    assert rows_of(page) == newest
    assert turn(page, "prev") is None


def test_alerts_of_handovers_are_told_apart_by_the_handover(desk, flood):
    page = desk.get("/app/desk/", params={"queue": "alerts", "kind": "over"}).text
    titles = re.findall(r'pw-row__title pw-number" dir="auto">([^<]+)', page)
    assert flood[-1].about in titles
    assert len(set(titles)) == len(titles)
    opened = desk.get("/app/desk/", params={"kind": "over", "row": flood[0].id}).text
    assert re.search(rf"Handover <span[^>]+>{flood[0].about}</span>", opened)


def test_an_old_alert_is_opened_by_its_address_and_closed_where_it_stands(desk, flood):
    oldest = flood[0]
    page = desk.get("/app/desk/", params={"queue": "alerts", "kind": "over", "row": oldest.id}).text
    assert f'action="/app/desk/alerts/{oldest.id}/close"' in page
    assert rows_of(page)[0] == oldest.id
    assert turn(page, "prev") is not None
    at = f"/app/desk/?kind=over&row={oldest.id}"
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert found is not None
    said = {"csrfmiddlewaretoken": found[1], "kind": "over", "from": str(oldest.id)}
    desk.post(f"/app/desk/alerts/{oldest.id}/close", data=said, headers={"Referer": str(desk.base_url)})
    again = desk.get(at).text
    assert oldest.id not in rows_of(again)
    assert ">closed<" in again, "an address that was kept still tells what it was"


def test_with_very_many_alerts_the_page_stays_light(desk, flood):
    page = desk.get("/app/desk/", params={"queue": "alerts", "kind": "over", "row": flood[-1].id})
    assert len(page.content) < 60_000
    assert 'aria-current="true"' in page.text


@pytest.mark.asvs("1.1.2", "1.2.1")
def test_a_quarantined_event_is_opened_whatever_its_age_and_state(desk):
    now = dt.datetime.now(dt.UTC)
    made = Quarantine.objects.bulk_create(
        Quarantine(
            received_at=now - dt.timedelta(minutes=200 - n),
            source=1,
            sequence=1,
            position=n,
            code="bad_event",
            message="x",
            raw=b"{}",
            digest=uuid.uuid4().bytes * 2,
        )
        for n in range(120)
    )
    try:
        oldest = made[0].id
        page = desk.get("/app/desk/", params={"queue": "quarantine", "row": oldest}).text
        assert f'action="/app/desk/quarantine/{oldest}/dismiss"' in page
        assert rows_of(page)[0] == oldest
        Quarantine.objects.filter(id=oldest).update(state="dismissed")
        page = desk.get("/app/desk/", params={"queue": "quarantine", "row": oldest}).text
        assert ">dismissed<" in page
        assert f'action="/app/desk/quarantine/{oldest}/dismiss"' not in page
        Quarantine.objects.filter(id=oldest).update(closing_note="<b>test</b> & more", closed_by=1)
        page = desk.get("/app/desk/", params={"queue": "quarantine", "row": oldest}).text
        assert '>dismissed: <span dir="auto">&lt;b&gt;test&lt;/b&gt; &amp; more</span>' in page, "and why"
        Quarantine.objects.filter(id=oldest).update(closing_note=CAME_AGAIN, closed_by=None, state="resubmitted")
        page = desk.get("/app/desk/", params={"queue": "quarantine", "row": oldest}).text
        assert f'>resubmitted: <span dir="auto">{CAME_AGAIN}</span>' in page
        with translation.override("es"):
            told = queries.quarantined_event(oldest, by=people.installer())
        assert told is not None
        assert told.closing_note not in {"", CAME_AGAIN}, "the product's own words are in the reader's language"
    finally:
        Quarantine.objects.filter(id__in=[one.id for one in made]).delete()
