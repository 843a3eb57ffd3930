"""What every API object and list promises: ids, times, cursors, ETags, and one effect for one key."""

from __future__ import annotations

import base64
import datetime as dt
import re
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from tests.scanner import Scanner, event, new_number, public_key

from parcelward.people import actions as people
from parcelward.people import once
from parcelward.people.models import Device, GivenAnswer
from parcelward.people.wire import Role


@pytest.fixture
def administrator(installation, facilities):
    with httpx.Client(base_url=installation.url, headers=installation.headers, timeout=30) as client:
        yield client


@pytest.fixture
def partner(installation, facilities):
    token = people.make_key("test", Role.PARTNER, by=people.installer(), mode="test", simulated=True)
    with httpx.Client(base_url=installation.url, headers={"Authorization": f"Bearer {token}"}, timeout=30) as client:
        yield client


def device():
    public = base64.b64encode(public_key()).decode()
    return {"name": "tested", "public_key_ed25519_base64": public, "simulated": True}


def manifest(*numbers):
    return {
        "manifest_id": f"M-{uuid.uuid4()}",
        "facility": "TEST-A",
        "event_time": (dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)).isoformat(),
        "items": list(numbers),
    }


# Objects --------------------------------------------------------------------------------------------------------------


def test_objects_carry_their_kind_a_prefixed_id_the_mode_and_when_they_were_made(administrator, partner, number):
    made = [
        ("item", "itm_", None),
        ("manifest", "man_", partner.post("/api/v1/manifests", json=manifest(number), headers=key())),
        ("device", "dev_", administrator.post("/api/v1/devices", json=device(), headers=key())),
        ("facility", "fac_", administrator.get("/api/v1/facilities/TEST-A")),
    ]
    for kind, prefix, answer in made:
        said = (administrator.get(f"/api/v1/items/{number}") if answer is None else answer).json()
        assert (said["object"], said["mode"]) == (kind, "test")
        assert said["id"].startswith(prefix)
        assert dt.datetime.fromisoformat(said["created_at"]).utcoffset() == dt.timedelta()


def test_a_device_is_revoked_under_the_id_that_it_was_given(administrator):
    said = administrator.post("/api/v1/devices", json=device(), headers=key()).json()
    assert administrator.delete(f"/api/v1/devices/{said['id']}").status_code == 204
    assert Device.objects.get(pk=said["device_id"]).revoked_at is not None
    assert administrator.delete("/api/v1/devices/dev_nothing").status_code == 404


@pytest.mark.asvs("2.2.1", "15.3.3")
def test_a_manifest_with_a_field_that_we_do_not_know_is_refused(partner, number):
    answer = partner.post("/api/v1/manifests", json={**manifest(number), "addressee": "somebody"}, headers=key())
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/addressee")


# Lists ----------------------------------------------------------------------------------------------------------------


def test_a_journey_is_paged_by_cursor_also_while_it_grows(installation, facilities, number):
    scanner = Scanner(installation)
    scanner.send(*(event(number, "left_sorting", minutes=n) for n in range(7)))
    address: str | None = f"{installation.url}/api/v1/items/{number}/events?limit=3"
    times = []
    while address:
        answer = httpx.get(address, timeout=30)
        times.append([line["event_time"] for line in answer.json()])
        address = answer.links.get("next", {}).get("url")
        scanner.send(event(number, "left_sorting", minutes=20 + len(times)))
    assert [len(page) for page in times] == [3, 3, 1]
    seen = [time for page in times for time in page]
    assert seen == sorted(set(seen), reverse=True), "nothing twice, nothing left out, newest first"


@pytest.mark.asvs("1.2.2")
@pytest.mark.parametrize("typed", ["{}%0A", "%20{}", "{}%3E"])
def test_the_next_page_is_an_address_of_ours_whatever_was_typed(installation, facilities, number, typed):
    Scanner(installation).send(*(event(number, "left_sorting", minutes=n) for n in range(2)))
    answer = httpx.get(f"{installation.url}/api/v1/items/{typed.format(number)}/events?limit=1", timeout=30)
    assert answer.status_code in {200, 404, 422}, answer.text
    if answer.status_code == 200:
        where = answer.links["next"]["url"]
        assert re.fullmatch(rf"{installation.url}/api/v1/items/itm_[0-9a-f]{{32}}/events\?[A-Za-z0-9=&._]+", where)
        assert len(httpx.get(where, timeout=30).json()) == 1


@pytest.mark.parametrize(
    ("asked", "code"), [("limit=0", "invalid"), ("limit=1001", "invalid"), ("cursor=x", "bad_cursor")]
)
def test_a_page_that_cannot_be_given_is_refused(installation, facilities, number, asked, code):
    Scanner(installation).send(event(number, "accepted"))
    answer = httpx.get(f"{installation.url}/api/v1/items/{number}/events?{asked}", timeout=30)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


# Changes --------------------------------------------------------------------------------------------------------------


def test_a_facility_is_changed_only_by_who_has_seen_it_as_it_is(administrator):
    at = f"/api/v1/facilities/E-{uuid.uuid4().hex[:10].upper()}"
    body = {"name": "First", "kind": "hub", "country": "US", "time_zone": "UTC", "coarse_place": "Town"}
    assert administrator.put(at, json=body, headers={"If-Match": "*"}).status_code == 412, "it is not there yet"
    first = administrator.put(at, json=body)
    seen = administrator.get(at).headers["ETag"]
    assert first.headers["ETag"] == seen
    changed = administrator.put(at, json={**body, "name": "Second"}, headers={"If-Match": seen})
    assert (changed.status_code, changed.json()["name"]) == (200, "Second")
    late = administrator.put(at, json={**body, "name": "Third"}, headers={"If-Match": seen})
    assert (late.status_code, late.json()["code"]) == (412, "changed")
    assert administrator.get(at).json()["name"] == "Second"


def test_a_lane_is_changed_only_by_who_has_seen_it_as_it_is(administrator):
    at = "/api/v1/lanes/TEST-A/TEST-B"
    first = administrator.put(at, json={"usual_duration_s": 3600})
    assert administrator.get(at).headers["ETag"] == first.headers["ETag"]
    again = administrator.put(at, json={"usual_duration_s": 7200}, headers={"If-Match": '"another"'})
    assert (again.status_code, administrator.get(at).json()["usual_duration_s"]) == (412, 3600)
    assert administrator.put(at, json={"usual_duration_s": 7200}, headers={"If-Match": "*"}).status_code == 204


# One key, one effect --------------------------------------------------------------------------------------------------


def key():
    return {"Idempotency-Key": str(uuid.uuid4())}


def test_the_same_key_and_body_get_the_same_answer(administrator, partner, number):
    enrolled, taken, headers = device(), manifest(number), key()
    first = administrator.post("/api/v1/devices", json=enrolled, headers=headers)
    again = administrator.post("/api/v1/devices", json=enrolled, headers=headers)
    assert (first.status_code, again.status_code, again.content) == (201, 201, first.content)
    first = partner.post("/api/v1/manifests", json=taken, headers=headers)
    again = partner.post("/api/v1/manifests", json=taken, headers=headers)
    assert (first.json()["accepted"], again.content) == (1, first.content), "the same key of another caller is another"


def test_the_same_key_with_another_body_is_refused_and_changes_nothing(partner, number):
    headers, other = key(), new_number()
    partner.post("/api/v1/manifests", json=manifest(number), headers=headers).raise_for_status()
    answer = partner.post("/api/v1/manifests", json=manifest(other), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert partner.get(f"/api/v1/items/{other}").status_code == 404


def test_what_was_refused_may_be_tried_again_under_its_key(partner, number):
    headers, body = key(), manifest(number)
    wrong = partner.post("/api/v1/manifests", json={**body, "facility": "NOWHERE"}, headers=headers)
    assert wrong.status_code == 422
    assert partner.post("/api/v1/manifests", json=body, headers=headers).json()["accepted"] == 1


def test_a_write_without_a_key_is_refused_and_changes_nothing(administrator, partner, number):
    for answer in (
        partner.post("/api/v1/manifests", json=manifest(number)),
        administrator.post("/api/v1/devices", json=device()),
    ):
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_required")
    assert partner.get(f"/api/v1/items/{number}").status_code == 404


@pytest.mark.parametrize("bad", ["a key with spaces", "x" * 256])
def test_a_key_that_is_none_is_refused(partner, number, bad):
    answer = partner.post("/api/v1/manifests", json=manifest(number), headers={"Idempotency-Key": bad})
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_idempotency_key")


@pytest.mark.asvs("2.3.4")
def test_twenty_equal_requests_at_once_have_one_effect(administrator):
    body, headers = device(), key()

    def enrol(_):
        return administrator.post("/api/v1/devices", json=body, headers=headers)

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(enrol, range(20)))
    made = {answer.content for answer in answers if answer.status_code == 201}
    assert len(made) == 1
    others = {(a.status_code, a.json()["code"]) for a in answers if a.status_code != 201}
    assert others <= {(409, "in_flight"), (503, "busy")}
    assert Device.objects.filter(public_key=base64.b64decode(body["public_key_ed25519_base64"])).count() == 1


def test_a_request_in_flight_is_not_done_a_second_time(installation):
    from django.db import connections

    by, name, now = people.installer(), str(uuid.uuid4()), dt.datetime.now(dt.UTC)
    begun, go_on = threading.Event(), threading.Event()

    def slowly():
        begun.set()
        assert go_on.wait(20)
        return 200, b"first"

    def first():
        try:
            return once.once(name, b"d" * 32, slowly, by=by, now=now)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(first)
        assert begun.wait(20)
        with pytest.raises(once.InFlight):
            once.once(name, b"d" * 32, lambda: (200, b"second"), by=by, now=now)
        go_on.set()
        assert running.result() == (200, b"first")
    assert once.once(name, b"d" * 32, lambda: (200, b"second"), by=by, now=now) == (200, b"first")


def test_answers_are_kept_for_thirty_days(installation):
    by, name, now = people.installer(), str(uuid.uuid4()), dt.datetime.now(dt.UTC)
    answers = iter([(200, b"first"), (200, b"second")])
    for days, said in ((0, b"first"), (29, b"first"), (31, b"second")):
        later = now + dt.timedelta(days=days)
        assert once.once(name, b"d" * 32, lambda: next(answers), by=by, now=later) == (200, said)
    people.forget_answers(now + dt.timedelta(days=62))
    assert not GivenAnswer.objects.filter(key=name).exists()
