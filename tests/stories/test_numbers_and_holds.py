"""What a scanner may and may not bring about: other items' numbers, receptacles that are none, holds, lost answers."""

from __future__ import annotations

import datetime as dt
import hashlib
import time
import uuid
from typing import Any

import pytest
from tests.quarantined import as_sent
from tests.scanner import Scanner, event, new_number, new_receptacle

from parcelward.parcels import actions, queries
from parcelward.parcels.actions.statuses import differing
from parcelward.parcels.models import Alert, Quarantine
from parcelward.people.wire import Person, Role


@pytest.fixture
def inspector(staff):
    staff("inspector")
    from parcelward.people.models import User

    user = User.objects.filter(membership__role="inspector", membership__ended_at=None).earliest("created_at")
    return Person(id=user.id, role=Role.INSPECTOR, source=user.source_id, name=user.login)


def found(number: str) -> uuid.UUID:
    item = queries.find(number)
    assert item is not None
    return item


def kinds_of_alerts(number):
    return set(Alert.objects.filter(item=found(number), closed_at=None).values_list("kind", flat=True))


def at(when: dt.datetime) -> dict[str, Any]:
    return {"event_time": when.isoformat()}


@pytest.mark.parametrize("receptacle", ["itm_" + "0" * 32, "parcel", "parcel by its id"])
def test_what_is_no_receptacle_is_set_aside_and_the_rest_goes_on(scanner, number, receptacle):
    other = new_number()
    scanner.send(event(other, "accepted"))
    if receptacle == "parcel":
        receptacle = other
    elif receptacle != "itm_" + "0" * 32:
        receptacle = "itm_" + found(other).hex
    said = scanner.send(event(number, "accepted"), event(number, "loaded", minutes=1, receptacle=receptacle))
    assert said["accepted"] == 1
    assert [(bad["index"], bad["code"]) for bad in said["quarantined"]] == [(1, "not_a_receptacle")]
    assert queries.journey(found(other)).step.word == "accepted"


def test_a_parcels_number_never_becomes_a_receptacles(scanner, number):
    unseen = new_number()
    said = scanner.send(event(number, "loaded", receptacle=unseen))
    assert [bad["code"] for bad in said["quarantined"]] == ["not_a_receptacle"]
    assert scanner.send(event(unseen, "accepted"))["accepted"] == 1


def test_an_item_under_two_names_in_one_batch_is_one_item(scanner, number):
    scanner.send(event(number, "accepted"))
    name = "itm_" + found(number).hex
    said = scanner.send(event(number, "left_sorting", minutes=1), event(name, "at_delivery_office", minutes=2))
    assert (said["accepted"], said["quarantined"]) == (2, [])
    assert queries.journey(found(number)).events_total == 3
    assert differing([found(number)]) == []


def test_a_number_that_came_back_leaves_old_events_with_the_old_item(scanner, number):
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    long_ago = now - dt.timedelta(days=800)
    late = event(number, "left_sorting", **at(long_ago + dt.timedelta(days=1)))
    scanner.send(event(number, "accepted", **at(long_ago)))
    scanner.send(event(number, "delivered", **at(long_ago + dt.timedelta(days=2))))
    old = found(number)
    scanner.send(event(number, "accepted", **at(now - dt.timedelta(hours=1))))
    new = found(number)
    assert new != old
    said = scanner.send(late, event(number, "left_sorting", **at(now)))
    assert (said["accepted"], said["quarantined"]) == (2, [])
    assert [queries.journey(item).events_total for item in (old, new)] == [3, 2]
    assert queries.journey(new).step.word == "left_sorting"
    assert scanner.send(late)["duplicates"] == 1, "also when its batch is sent anew"
    assert differing([old, new]) == []


def test_only_an_inspector_lets_go_what_an_inspector_holds(scanner, number, inspector):
    scanner.send(event(number, "accepted"))
    item = found(number)
    actions.hold(item, "suspicious", by=inspector)
    now = dt.datetime.now(dt.UTC)
    later = now + dt.timedelta(seconds=1)
    said = scanner.send(event(number, "released", **at(now)), event(number, "left_sorting", **at(later)))
    assert {one["do"] for one in said["instructions"]} == {"HOLD"}
    assert queries.journey(item).held
    assert "release_refused" in kinds_of_alerts(number)
    actions.release(item, "checked", by=inspector)
    assert not queries.journey(item).held
    assert differing([item]) == []


def test_a_hold_that_outlasted_the_delivery_is_let_go(scanner, number, inspector):
    """It was handed out in spite of the hold. The release makes no new work, and says nothing false."""
    scanner.send(event(number, "accepted"))
    item = found(number)
    actions.hold(item, "suspicious", by=inspector)
    now = dt.datetime.now(dt.UTC)
    scanner.send(event(number, "delivered", **at(now)))
    scanner.send(event(number, "released", **at(now + dt.timedelta(milliseconds=1))))
    assert queries.journey(item).held, "a device may not"
    alerts = kinds_of_alerts(number)
    time.sleep(0.01)
    actions.release(item, "checked", by=inspector)
    after = queries.journey(item)
    assert (after.held, after.step.word) == (False, "delivered")
    assert kinds_of_alerts(number) == alerts
    assert "after_delivery" not in alerts
    assert differing([item]) == []


def test_a_device_lets_go_what_a_device_holds(scanner, number):
    scanner.send(event(number, "held"))
    scanner.send(event(number, "released", minutes=1))
    assert not queries.journey(found(number)).held


def test_an_instruction_whose_answer_was_lost_is_given_again(scanner, number):
    scanner.send(event(number, "held"))
    one = event(number, "left_sorting", minutes=1)
    assert [i["do"] for i in scanner.send(one)["instructions"]] == ["HOLD"]
    again = scanner.send(one)
    assert (again["duplicates"], [i["do"] for i in again["instructions"]]) == (1, ["HOLD"])


@pytest.mark.parametrize("target", ["another's", "none"])
def test_a_correction_that_does_not_count_needs_a_person(installation, scanner, number, target):
    delivered = event(number, "delivered")
    scanner.send(delivered)
    wrong = {
        "event_id": delivered["event_id"] if target == "another's" else str(uuid.uuid4()),
        "declares": "did_not_occur",
        "reason": "mistake",
    }
    Scanner(installation).send(event(number, "delivered", minutes=1, corrects=wrong))
    assert queries.journey(found(number)).step.word == "delivered"
    assert "idle_correction" in kinds_of_alerts(number)


def test_a_correction_that_counts_raises_nothing(scanner, number):
    one = event(number, "delivered")
    scanner.send(one)
    right = {"event_id": one["event_id"], "declares": "did_not_occur", "reason": "mistake"}
    scanner.send(event(number, "delivered", minutes=1, corrects=right))
    assert kinds_of_alerts(number) == set()


@pytest.mark.parametrize("ndjson", [False, True])
def test_what_is_set_aside_is_kept_as_it_came(scanner, number, ndjson):
    unknown = new_receptacle()[:8]
    odd = (
        f'{{ "step":"accepted","facility":"X-{unknown}" ,"item_id":"{number}",'
        f'"event_id":"{uuid.uuid4()}","event_time":"2026-11-20T08:00:00+01:00"}}'
    )
    good = f'{{"step":"accepted","facility":"TEST-A","item_id":"{number}",' + odd[odd.index('"event_id"') :]
    body, kind = (f"{good}\n{odd}\n", "application/x-ndjson") if ndjson else (f"[{good},{odd}]", "application/json")
    said = scanner.post(body.encode(), **{"Content-Type": kind}).json()
    assert (said["accepted"], said["quarantined"][0]["code"]) == (1, "unknown_facility")
    kept = Quarantine.objects.filter(digest=hashlib.sha256(odd.encode()).digest())
    assert [as_sent(q).decode() for q in kept] == [odd]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (
            {"event_time": "2026-11-20T08:00:00"},
            "event_time: give a time with its offset, such as 2026-11-25T10:15:00Z.",
        ),
        ({"event_id": "1"}, "event_id: give a UUID, such as 0f8fad5b-d9cd-469f-a165-70867728950e."),
        ({"color": "red"}, "color is not a field of an event: leave it out."),
        ({"seal": {"number": "S1", "did": "kissed"}}, "seal.did: this word is not one of those allowed here."),
        ({"seal": {"did": "applied"}}, "seal.number is missing."),
    ],
)
def test_a_refusal_says_what_to_do(scanner, number, changed, words):
    said = scanner.send(event(number, "accepted") | changed)
    assert [bad["message"] for bad in said["quarantined"]] == [words]


def test_another_method_is_refused_in_one_voice(installation):
    import httpx

    answer = httpx.get(f"{installation.url}/api/v1/scans", timeout=30)
    assert (answer.status_code, answer.json()["status"], answer.headers["allow"]) == (405, 405, "POST")
