"""A partner's manifest: what it says is assumed until somebody scans the item, and never called observed."""

from __future__ import annotations

import datetime as dt
import uuid

import httpx
import pytest
from django.db import connections
from tests.scanner import event, new_number, new_receptacle

from parcelward.parcels import actions
from parcelward.parcels.models import Manifest
from parcelward.parcels.queries import find
from parcelward.people import actions as people
from parcelward.people.wire import Role


def key(role: Role) -> dict[str, str]:
    token = people.make_key("test", role, by=people.installer(), mode="test", simulated=True)
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture(scope="module")
def partner(installation, facilities):
    return key(Role.PARTNER)


def send(installation, headers, numbers, **changed):
    body = {
        "manifest_id": f"M-{uuid.uuid4()}",
        "facility": "TEST-A",
        "event_time": (dt.datetime.now(dt.UTC) - dt.timedelta(hours=3)).isoformat(),
        "items": numbers,
        **changed,
    }
    return httpx.post(
        f"{installation.url}/api/v1/manifests",
        json=body,
        headers={**headers, "Idempotency-Key": str(uuid.uuid4())},
        timeout=30,
    )


def get(installation, number, what=""):
    return httpx.get(f"{installation.url}/api/v1/items/{number}{what}", timeout=30).json()


def test_the_journey_says_assumed_until_the_first_scan(installation, partner, scanner, number):
    said = send(installation, partner, [number])
    assert (said.status_code, said.json()["accepted"], said.json()["refused"]) == (200, 1, [])
    item = get(installation, number)
    assert (item["step"], item["events_total"], item["unannounced"]) == ("unknown", 0, False)
    assert item["headline"] == "The sender says that we have it; we have not scanned it yet"
    assert [(line["source"], line["id"]) for line in get(installation, number, "/events")] == [("assumed", None)]
    assert get(installation, number, "/proofs")["events"] == [], "nobody saw it, so there is nothing to prove"
    scanner.send(event(number, "accepted"))
    assert [line["source"] for line in get(installation, number, "/events")] == ["observed"]
    assert get(installation, number)["headline"] == "We have your parcel"


def test_the_same_manifest_twice_changes_nothing(installation, partner, number):
    body = {"manifest_id": f"M-{uuid.uuid4()}"}
    first, again = (send(installation, partner, [number], **body).json() for _ in range(2))
    assert (first["accepted"], first["duplicates"]) == (1, 0)
    assert (again["accepted"], again["duplicates"]) == (0, 1)
    item = find(number)
    assert item is not None
    assert Manifest.objects.filter(item=item).count() == 1


def test_each_bad_line_is_named_and_the_rest_goes_on(installation, partner, scanner, number):
    bag, delivered = new_receptacle(), new_number()
    scanner.send(event(None, "left_sorting", receptacle_id=bag), event(delivered, "delivered"))
    said = send(installation, partner, ["RR000000000US", number, bag, delivered, number]).json()
    assert (said["accepted"], said["duplicates"]) == (1, 1)
    assert [(r["index"], r["code"]) for r in said["refused"]] == [
        (0, "check_digit_wrong"),
        (2, "wrong_kind"),
        (3, "delivered"),
    ]


def test_an_item_that_was_scanned_before_becomes_announced(installation, partner, scanner, number):
    scanner.send(event(number, "left_sorting"))
    assert get(installation, number)["unannounced"] is True
    send(installation, partner, [number])
    assert get(installation, number)["unannounced"] is False
    assert get(installation, number)["step"] == "left_sorting"


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"facility": "NOWHERE"}, 422, "unknown_facility"),
        ({"event_time": "2999-01-01T00:00:00Z"}, 422, "clock_ahead"),
        ({"event_time": "2026-01-01T00:00:00"}, 422, "no_offset"),
        ({"event_time": "1999-12-31T23:59:59Z"}, 422, "too_old"),
        ({"items": []}, 422, "invalid"),
        ({"manifest_id": ""}, 422, "invalid"),
    ],
)
def test_a_manifest_that_cannot_be_is_refused_and_makes_nothing(installation, partner, number, changed, status, code):
    answer = send(installation, partner, [number], **changed)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert find(number) is None


@pytest.mark.parametrize("time", ["0001-01-01 00:00:00+00", "0001-12-31 10:00:00+00 BC"])
def test_a_line_of_a_time_that_cannot_be_keeps_nobody_from_the_item(installation, partner, number, time):
    """An older version took such lines, and what is recorded stays."""
    send(installation, partner, [number])
    item = find(number)
    with connections["default"].cursor() as cur:
        cur.execute("SELECT event_time FROM parcels_manifest WHERE item = %s", [item])
        (told,) = cur.fetchone()
        cur.execute("UPDATE parcels_manifest SET event_time = %s WHERE item = %s", [time, item])
        try:
            pages = [f"/track/{number}", f"/track/{number}/proof", f"/track/{number}?format=json"]
            pages += [f"/api/v1/items/{number}", f"/api/v1/items/{number}/events", f"/api/v1/items/{number}/proofs"]
            said = {page: httpx.get(installation.url + page, timeout=30).status_code for page in pages}
        finally:  # verify-log would find it in other tests
            cur.execute("UPDATE parcels_manifest SET event_time = %s WHERE item = %s", [told, item])
    assert said == dict.fromkeys(pages, 200)


def test_two_senders_may_use_the_same_id_and_neither_touches_the_others_manifest(installation, partner, number):
    body = {"manifest_id": f"M-{uuid.uuid4()}"}
    send(installation, partner, [number], **body)
    other, stranger = new_number(), key(Role.PARTNER)
    assert send(installation, stranger, [other, number], **body).json()["accepted"] == 2
    assert send(installation, stranger, [number], **body).json()["duplicates"] == 1
    assert send(installation, partner, [other], **body).json()["accepted"] == 1
    lines = Manifest.objects.filter(id=body["manifest_id"]).values_list("item", "source")
    assert len(lines) == len(set(lines)) == 4
    assert len({source for _, source in lines}) == 2


def test_who_may_not_capture_is_refused(installation, facilities, number):
    answer = send(installation, key(Role.INSPECTOR), [number])
    assert answer.status_code == 403
    assert send(installation, {}, [number]).status_code == 401
    assert find(number) is None


def test_a_number_that_comes_back_after_more_than_a_year_is_another_item(installation, partner, scanner, number):
    old = {**event(number, "delivered"), "event_time": "2020-05-04T10:00:00Z"}
    scanner.send({**event(number, "accepted"), "event_time": "2020-05-01T10:00:00Z"}, old)
    before = find(number)
    said = send(installation, partner, [number]).json()
    assert (said["accepted"], said["refused"]) == (1, [])
    after = find(number)
    assert before is not None
    assert after != before
    assert get(installation, number)["events_total"] == 0
    assert get(installation, f"itm_{before.hex}")["step"] == "delivered"
    assert send(installation, partner, [number]).json()["accepted"] == 1
    assert find(number) == after


def test_what_a_device_sends_late_belongs_to_the_item_before(installation, partner, scanner, number):
    scanner.send(
        {**event(number, "accepted"), "event_time": "2020-05-01T10:00:00Z"},
        {**event(number, "delivered"), "event_time": "2020-05-04T10:00:00Z"},
    )
    before = find(number)
    send(installation, partner, [number])
    scanner.send({**event(number, "left_sorting"), "event_time": "2020-05-03T10:00:00Z"})
    after = find(number)
    assert before is not None
    assert after is not None
    assert get(installation, f"itm_{before.hex}")["events_total"] == 3
    assert get(installation, number)["events_total"] == 0
    assert actions.rebuild([before, after]).changed == 0, "what verify-log --statuses compares"


def test_a_number_that_comes_back_within_a_year_is_refused(installation, partner, scanner, number):
    scanner.send(event(number, "delivered"))
    said = send(installation, partner, [number], event_time=dt.datetime.now(dt.UTC).isoformat()).json()
    assert [one["code"] for one in said["refused"]] == ["delivered"]
