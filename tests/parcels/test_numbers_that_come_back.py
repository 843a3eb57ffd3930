"""A number that comes back long after delivery is another item's, exactly when its acceptance is recorded."""

from __future__ import annotations

import datetime as dt
import hashlib
import threading
import uuid
from typing import Any

import msgspec
import pytest
from django.db import connections, transaction
from tests.laws.tampering import sequenced
from tests.scanner import event, new_receptacle

from parcelward.base import config, db
from parcelward.parcels import actions as parcels
from parcelward.parcels import queries, rules
from parcelward.parcels.actions import desk, kept, manifests, repeats, statuses
from parcelward.parcels.actions.record import record_by_person
from parcelward.parcels.models import Alert, ItemStatus, ScanEvent
from parcelward.parcels.wire import Answer, ScanIn, Submission
from parcelward.people.actions import make_key
from parcelward.people.queries import key_holder
from parcelward.people.wire import Person, Role

AGO = {"event_time": (dt.datetime.now(dt.UTC) - dt.timedelta(days=500)).isoformat()}


@pytest.fixture(scope="module")
def admin(installation, facilities) -> Person:
    return key_holder(installation.api_key)


@pytest.fixture(scope="module")
def partner(admin) -> Person:
    """One who need not sign, and whom this process records for."""
    return key_holder(make_key("partner with old numbers", Role.PARTNER, by=admin, mode="test"))


@pytest.fixture(autouse=True)
def nothing_is_doubted(installation, monkeypatch):
    monkeypatch.setattr(kept.of(db.raw()), "_doubted_until", 0.0)
    repeats._until.clear()


def said(answer: Any) -> dict[str, Any]:
    assert isinstance(answer, Answer), answer
    return dict(msgspec.json.decode(answer.body))


def submission(by: Person, *events: dict[str, Any]) -> Submission:
    digest = hashlib.sha256(uuid.uuid4().bytes).digest()
    return Submission(by, 0, digest, [(n, msgspec.convert(one, ScanIn)) for n, one in enumerate(events)], [])


@pytest.fixture
def send(partner):
    def record(*events: dict[str, Any]) -> dict[str, Any]:
        (answer,) = parcels.record_scans([submission(partner, *events)], now=dt.datetime.now(dt.UTC))
        return said(answer)

    return record


@pytest.fixture
def by_hand(admin):
    """Recorded as an import, an EPCIS document or the desk does: not remembered."""

    def record(*events: dict[str, Any]) -> dict[str, Any]:
        return said(record_by_person(submission(admin, *events), now=dt.datetime.now(dt.UTC)))

    return record


@pytest.fixture
def old(send, number) -> uuid.UUID:
    """An item that was delivered long ago."""
    send(event(number, "accepted") | AGO, event(number, "delivered") | AGO)
    return found(number)


def found(number: str) -> uuid.UUID:
    item = queries.find(number)
    assert item is not None
    return item


def hand_in(number: str, *, by: Person, now: dt.datetime | None = None, days_ago: int = 1) -> None:
    now = now or dt.datetime.now(dt.UTC)
    when = now - dt.timedelta(days=days_ago)
    manifests.accept_manifest(uuid.uuid4().hex, facility="TEST-A", event_time=when, numbers=[number], by=by, now=now)


def holds(*items: uuid.UUID) -> None:
    """Nothing is found that does not fit."""
    assert not statuses.differing(items)
    sequenced()
    queries.verify_log(config.get())


def test_an_item_by_its_own_id_is_never_another_one(send, number, old):
    assert send(event(f"itm_{old.hex}", "accepted"))["accepted"] == 1
    assert found(number) == old
    assert ItemStatus.objects.get(item=old).flags & rules.State.AFTER_DELIVERY
    holds(old)


def test_the_desk_corrects_an_acceptance_of_long_ago(number, old, admin):
    accepted = ScanEvent.objects.get(item=old, item_seq=1)
    desk.correct(old, accepted.event_id, "did_not_occur", "wrong_item", by=admin)
    assert ItemStatus.objects.get(item=old).flags & rules.State.CORRECTED
    holds(old)


def test_a_correction_of_an_acceptance_takes_no_number(send, number, old):
    accepted = ScanEvent.objects.get(item=old, item_seq=1)
    corrects = {"event_id": str(accepted.event_id), "declares": "did_not_occur", "reason": "wrong_item"}
    assert send(event(number, "accepted", corrects=corrects))["accepted"] == 1
    assert found(number) == old
    assert ItemStatus.objects.get(item=old).item_seq == 3
    holds(old)


def test_a_refused_acceptance_takes_no_number(send, number, old):
    cage = new_receptacle()
    send(event(cage, "accepted"))  # scanned as if it were an item
    (bad,) = send(event(number, "accepted", receptacle=cage))["quarantined"]
    assert bad["code"] == "not_a_receptacle"
    assert queries.find(number) == old
    holds(old)


def test_an_acceptance_under_a_used_id_takes_no_number(send, number, old):
    first = event(number, "left_sorting")
    again = event(number, "accepted") | {"event_id": first["event_id"]}
    assert [bad["code"] for bad in send(first, again)["quarantined"]] == ["event_id_reused"]
    assert queries.find(number) == old
    holds(old)


def test_who_takes_a_number_over_says_what_it_is(send, number, old):
    """Somebody who names it as the other kind in the same batch is refused, and the acceptance is not."""
    wrong = event(None, "left_sorting", receptacle_id=number)
    answer = send(wrong, event(number, "accepted"))
    assert (answer["accepted"], [bad["code"] for bad in answer["quarantined"]]) == (1, ["wrong_kind"])
    assert found(number) != old
    holds(old, found(number))


def test_a_number_that_is_another_items_already_is_not_taken_from_that_one(send, by_hand, number, old, admin):
    """What is remembered of the first item ended a year ago; the second has as many events as that one had."""
    hand_in(number, by=admin)
    second = found(number)
    by_hand(event(number, "accepted"), event(number, "left_sorting", minutes=1))
    assert second != old
    send(event(number, "accepted", minutes=2))
    assert found(number) == second
    assert ItemStatus.objects.get(item=second).item_seq == 3
    holds(old, second)


@pytest.mark.parametrize("careful", [False, True])
def test_a_number_that_is_taken_over_while_a_scan_waits(partner, number, old, admin, careful):
    answers: list[Any] = []

    def scan() -> None:
        try:
            if careful:
                repeats.note([partner.source])
            one = submission(partner, event(number, "left_sorting"))
            answers.extend(parcels.record_scans([one], now=dt.datetime.now(dt.UTC)))
        finally:
            connections.close_all()

    thread = threading.Thread(target=scan, daemon=True)
    with transaction.atomic():
        hand_in(number, by=admin)
        thread.start()
        thread.join(1.0)
        assert thread.is_alive()
    thread.join(30)
    assert said(answers[0])["accepted"] == 1
    second = found(number)
    assert ItemStatus.objects.get(item=second).item_seq == 1
    assert ItemStatus.objects.get(item=old).item_seq == 2
    holds(old, second)


def test_a_number_that_had_three_items(send, number, admin):
    """What is remembered of the second, and what a late scan reads of it, are one: the third's scan is the third's."""
    days = {n: {"event_time": (dt.datetime.now(dt.UTC) - dt.timedelta(days=n)).isoformat()} for n in (1500, 900, 890)}
    send(event(number, "accepted") | days[1500], event(number, "delivered") | days[1500])
    first = found(number)
    send(event(number, "accepted") | days[900], event(number, "delivered") | days[900])
    second = found(number)
    hand_in(number, by=admin)
    third = found(number)
    assert len({first, second, third}) == 3
    assert send(event(number, "damaged") | days[890], event(number, "left_sorting"))["accepted"] == 2
    assert [ItemStatus.objects.get(item=each).item_seq for each in (first, second, third)] == [2, 3, 1]
    holds(first, second, third)


def test_a_late_scan_comes_with_the_acceptance_that_takes_the_number_over(send, number, old):
    then = {"event_time": (dt.datetime.now(dt.UTC) - dt.timedelta(days=400)).isoformat()}
    assert send(event(number, "accepted"), event(number, "damaged") | then)["accepted"] == 2
    assert [ItemStatus.objects.get(item=each).item_seq for each in (old, found(number))] == [3, 1]
    holds(old, found(number))


def test_who_takes_a_number_over_may_have_begun_before_it_was_first_used(send, number, admin):
    """Or its clock stepped back: which item came after which, the moments say at which they let the number go."""
    early = dt.datetime.now(dt.UTC)
    send(event(number, "accepted") | AGO, event(number, "delivered") | AGO)
    first = found(number)
    hand_in(number, by=admin, now=early)
    second = found(number)
    assert second != first
    send(event(number, "accepted"))
    holds(first, second)


def test_nobody_takes_a_number_over_before_its_item_did(send, number, old, admin):
    """By its own id, an item may be told of days before it was handed in; its number was the first one's then."""
    hand_in(number, by=admin)
    second = found(number)
    send(event(f"itm_{second.hex}", "accepted") | AGO, event(f"itm_{second.hex}", "delivered") | AGO)
    then = {"event_time": (dt.datetime.now(dt.UTC) - dt.timedelta(days=100)).isoformat()}
    send(event(number, "accepted") | then)
    assert found(number) == second
    hand_in(number, by=admin, days_ago=99)
    assert found(number) == second
    assert ItemStatus.objects.get(item=old).item_seq == 3
    holds(old, second)


def test_what_is_loaded_goes_into_the_receptacle_that_has_the_number_now(send, by_hand, number):
    cage = new_receptacle()
    for step in ("accepted", "delivered"):
        send(event(None, step, receptacle_id=cage) | AGO)
    first = found(cage)
    by_hand(event(None, "accepted", receptacle_id=cage))
    second = found(cage)
    assert second != first
    send(event(number, "loaded", minutes=1, receptacle=cage))
    assert ItemStatus.objects.get(item=found(number)).receptacle == second
    holds(first, second, found(number))


def test_a_ring_of_receptacles_shows_whoever_recorded_the_first_loading(send, by_hand):
    inner, outer = new_receptacle(), new_receptacle()
    send(event(None, "accepted", receptacle_id=inner), event(None, "accepted", receptacle_id=outer))
    by_hand(event(None, "loaded", minutes=1, receptacle_id=inner, receptacle=outer))
    send(event(None, "loaded", minutes=2, receptacle_id=outer, receptacle=inner))
    assert Alert.objects.filter(kind="containment_cycle", item=found(outer)).exists()
