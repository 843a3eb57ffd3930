"""What a process remembers of items is a guess: whoever changed them meanwhile, what is recorded next is right."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from typing import Any

import msgspec
import pytest
from tests.laws.tampering import sequenced
from tests.scanner import Scanner, event, new_number, new_receptacle

from parcelward.base import config, db
from parcelward.parcels import actions as parcels
from parcelward.parcels import queries, rules
from parcelward.parcels.actions import kept, statuses
from parcelward.parcels.actions.work import Work
from parcelward.parcels.models import ItemStatus
from parcelward.parcels.wire import Answer, ScanIn, Submission
from parcelward.people.actions import make_key
from parcelward.people.queries import key_holder
from parcelward.people.wire import Person, Role

LONG_AGO = {"event_time": (dt.datetime.now(dt.UTC) - dt.timedelta(days=500)).isoformat()}


@pytest.fixture(scope="module")
def partner(installation, facilities) -> Person:
    """One who need not sign, and whom this process records for."""
    admin = key_holder(installation.api_key)
    return key_holder(make_key("partner who is remembered", Role.PARTNER, by=admin, mode="test"))


@pytest.fixture(autouse=True)
def nothing_is_doubted(installation, monkeypatch):
    monkeypatch.setattr(kept.of(db.raw()), "_doubted_until", 0.0)


@pytest.fixture
def send(partner):
    def record(*events: dict[str, Any]) -> dict[str, Any]:
        digest = hashlib.sha256(uuid.uuid4().bytes).digest()
        scans = [(n, msgspec.convert(one, ScanIn)) for n, one in enumerate(events)]
        (answer,) = parcels.record_scans([Submission(partner, 0, digest, scans, [])], now=dt.datetime.now(dt.UTC))
        assert isinstance(answer, Answer)
        return dict(msgspec.json.decode(answer.body))

    return record


def status(number: str) -> ItemStatus:
    item = queries.find(number)
    assert item is not None
    return ItemStatus.objects.get(item=item)


def holds(*numbers: str) -> None:
    """Nothing is found that does not fit."""
    assert not statuses.differing([status(number).item for number in numbers])
    sequenced()
    queries.verify_log(config.get())


@pytest.fixture
def reads(monkeypatch):
    """Numbers that were read from the database."""
    from parcelward.parcels.actions import reading

    seen: list[str] = []
    really = reading._read_things

    def told(work: Work, numbers: list[str], *rest: Any, **more: Any) -> None:
        seen.extend(numbers)
        really(work, numbers, *rest, **more)

    monkeypatch.setattr(reading, "_read_things", told)
    return seen


def test_a_second_scan_reads_nothing(send, number, reads):
    cage = new_receptacle()
    send(event(number, "accepted"))
    send(event(number, "loaded", minutes=1, receptacle=cage))
    assert reads == [number, cage]
    send(event(number, "left_sorting", minutes=2), event(None, "arrived", minutes=2, receptacle_id=cage))
    assert reads == [number, cage]
    assert status(number).item_seq == 3
    holds(number, cage)


def test_another_process_recorded_meanwhile(send, number, installation, facilities):
    send(event(number, "accepted"))
    Scanner(installation).send(event(number, "left_sorting", minutes=1))
    said = send(event(number, "out_for_delivery", minutes=2))
    assert said["accepted"] == 1
    assert status(number).item_seq == 3
    holds(number)


def test_where_others_record_too_nothing_is_remembered_for_a_while(send, number, installation, facilities, reads):
    send(event(number, "accepted"))
    Scanner(installation).send(event(number, "left_sorting", minutes=1))
    send(event(number, "held", minutes=2))
    reads.clear()
    send(event(number, "released", minutes=3))
    assert reads == [number]
    holds(number)


def test_an_item_of_two_numbers(send, number, reads):
    """It may be remembered under both, once from before."""
    other = "itm_" + status_after(send, number).item.hex
    send(event(other, "left_sorting", minutes=1))
    send(event(number, "held", minutes=2), event(other, "released", minutes=3))
    assert status(number).item_seq == 4
    holds(number)


def status_after(send, number: str) -> ItemStatus:
    send(event(number, "accepted"))
    return status(number)


def test_the_number_is_another_items_meanwhile(send, number, installation):
    """A manifest, which another process takes, gives it to a new item; the scan is that one's."""
    import httpx

    send(event(number, "accepted") | LONG_AGO, event(number, "delivered") | LONG_AGO)
    old = status(number).item
    answer = httpx.post(
        f"{installation.url}/api/v1/manifests",
        headers={"Authorization": f"Bearer {installation.api_key}", "Idempotency-Key": uuid.uuid4().hex},
        json={
            "manifest_id": uuid.uuid4().hex,
            "facility": event(number, "accepted")["facility"],
            "event_time": dt.datetime.now(dt.UTC).isoformat(),
            "items": [number],
        },
        timeout=30,
    )
    assert answer.status_code in {200, 201}, answer.text
    send(
        event(number, "left_sorting") | {"event_time": (dt.datetime.now(dt.UTC) + dt.timedelta(seconds=1)).isoformat()}
    )
    assert status(number).item != old
    assert status(number).item_seq == 1
    assert ItemStatus.objects.get(item=old).flags & rules.State.LET_GO
    assert not statuses.differing([old])
    holds(number)


def test_a_wrong_status_was_put_right_meanwhile(send, number):
    send(event(number, "accepted"), event(number, "left_sorting", minutes=1))
    right = status(number)
    kept_thing = kept.of(db.raw()).take(number)
    assert kept_thing is not None
    kept_thing.status.step_facility, kept_thing.status.step = 0, 0  # as it was read from a row that somebody turned
    kept_thing.keys = object()  # type: ignore[assignment]  # `keep` asks only whether there are any
    kept.of(db.raw()).keep([kept_thing])
    ItemStatus.objects.filter(item=right.item).update(step=0)
    assert statuses.rebuild([right.item]).changed == 1
    send(event(number, "weighed_nowhere", minutes=2))
    assert (status(number).step, status(number).step_facility) == (right.step, right.step_facility)
    holds(number)


def test_what_failed_is_not_remembered(send, number, monkeypatch):
    from parcelward.parcels.actions import record

    send(event(number, "accepted"))
    monkeypatch.setattr(record, "_answer", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        send(event(number, "left_sorting", minutes=1))
    monkeypatch.undo()
    send(event(number, "held", minutes=2))
    assert status(number).item_seq == 2
    holds(number)


def test_within_a_callers_transaction_nothing_is_remembered(send, number):
    from django.db import transaction

    with transaction.atomic():
        send(event(number, "accepted"))
        assert kept.of(db.raw()).take(number) is None


def test_the_longest_unused_is_forgotten(send, monkeypatch):
    monkeypatch.setattr(kept, "THINGS_MAX", 2)
    numbers = [new_number() for _ in range(3)]
    for number in numbers:
        send(event(number, "accepted"))
    assert kept.of(db.raw()).take(numbers[0]) is None
    assert kept.of(db.raw()).take(numbers[2]) is not None


def test_what_was_only_named_in_vain_was_never_there(send, number):
    """A number that stands in a refused event alone is nobody's: its first scan is its beginning."""
    cage = new_receptacle()
    send(event(cage, "accepted"))  # scanned as if it were an item
    assert [bad["code"] for bad in send(event(number, "loaded", receptacle=cage))["quarantined"]] == [
        "not_a_receptacle"
    ]
    assert queries.find(number) is None
    send(event(number, "accepted", minutes=1))
    holds(number)
