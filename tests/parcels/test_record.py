"""The recording path in one process: what a fold reads, and what who repeats costs the others."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from typing import Any

import msgspec
import pytest
from cryptography.exceptions import InvalidTag
from tests.scanner import event, new_number, new_receptacle

from parcelward.base import db
from parcelward.base.standards import steps
from parcelward.custody import queries as custody
from parcelward.custody.wire import open_body, open_group
from parcelward.parcels import actions as parcels
from parcelward.parcels import queries, rows, rules
from parcelward.parcels.actions import items, record, repeats
from parcelward.parcels.models import ItemStatus, ScanEvent
from parcelward.parcels.rules import Mark, Seal
from parcelward.parcels.wire import Answer, ScanIn, Submission
from parcelward.people.actions import make_key
from parcelward.people.queries import key_holder
from parcelward.people.wire import Person, Role


@pytest.fixture(scope="module")
def senders(installation, facilities) -> list[Person]:
    """Three partners, who need not sign."""
    admin = key_holder(installation.api_key)
    return [key_holder(make_key(f"partner {n}", Role.PARTNER, by=admin, mode="test")) for n in range(3)]


def submission(by: Person, *events: dict[str, Any]) -> Submission:
    digest = hashlib.sha256(uuid.uuid4().bytes).digest()
    return Submission(by, 0, digest, [(n, msgspec.convert(one, ScanIn)) for n, one in enumerate(events)], [])


def send(*submissions: Submission) -> list[dict[str, Any]]:
    answers = parcels.record_scans(submissions, now=dt.datetime.now(dt.UTC))
    assert all(isinstance(answer, Answer) for answer in answers), answers
    return [msgspec.json.decode(answer.body) for answer in answers if isinstance(answer, Answer)]


@pytest.fixture
def journey(senders, number) -> uuid.UUID:
    """An item with one event of each sort that a fold treats by itself."""
    cage, wrong = new_receptacle(), event(number, "left_sorting", minutes=3)
    corrects = {"event_id": wrong["event_id"], "declares": "did_not_occur", "reason": "wrong_item"}
    send(
        submission(
            senders[0],
            event(number, "accepted", seal={"did": "applied", "number": "S1"}),
            event(number, "loaded", minutes=1, receptacle=cage),
            event(number, "sealed", minutes=2, seal={"did": "replaced", "number": "S2", "replaces": "S1"}),
            wrong,
            event(number, "left_sorting", minutes=4, corrects=corrects),
            event(number, "held", minutes=5),
        )
    )
    item = queries.find(number)
    assert item is not None
    return item


@pytest.mark.parametrize("statement", [rows.EVENTS_OF, rows.PACKED_EVENTS_OF])
def test_a_fold_reads_the_bodies_of_sealed_events_alone(journey, statement):
    """An item may have tens of thousands of events, and one late event folds them all while everybody waits."""
    with db.cursor(binary=True) as cur:
        cur.execute(statement, ([journey],), binary=True)
        read = [(bool(row[8] & Mark.SEAL), row[11] is not None) for row in cur.fetchall()]
    assert sorted(read) == [(False, False)] * 4 + [(True, True)] * 2


def test_one_group_is_opened_as_with_all_of_them(journey):
    keys = custody.keys_of_living([journey.bytes])[journey.bytes]
    for sealed in ScanEvent.objects.filter(item=journey):
        event_id, body = sealed.event_id.bytes, bytes(sealed.body)
        for group, canon in open_body(keys, event_id, body).groups.items():
            assert open_group(keys, event_id, body, group) == canon
        with pytest.raises(InvalidTag):
            open_group(keys, event_id, body[:-1] + bytes([body[-1] ^ 1]), "public")


def test_readers_and_the_scan_path_fold_the_same(journey):
    keys = custody.keys_of_living([journey.bytes])
    packed = items.packed_events({journey.bytes: keys[journey.bytes]})[journey.bytes]
    seen = items.all_events({journey: keys[journey.bytes]})[journey]
    assert sorted(packed, key=lambda one: one[:5]) == sorted(
        (
            *(db.pg_micros(one.event_time), one.source, one.sequence, one.position, one.event_id.bytes, one.step),
            *(one.facility, one.flags, one.receptacle and one.receptacle.bytes, one.corrects and one.corrects.bytes),
            one.seal,
        )
        for one in seen
    )
    assert len(packed) == 6
    assert {one.seal for one in packed} == {None, Seal("applied", "S1", ""), Seal("replaced", "S2", "S1")}
    assert [one.receptacle for one in packed if one.receptacle]
    assert [one.corrects for one in packed if one.corrects]


@pytest.fixture
def tries(monkeypatch) -> list[bool]:
    """Whether each try of a transaction was a careful one."""
    made: list[bool] = []
    do = record._do

    def told(work, born, *, kept, careful):
        made.append(careful)
        do(work, born, kept=kept, careful=careful)

    monkeypatch.setattr(record, "_do", told)
    monkeypatch.setattr(repeats, "_until", {})
    return made


def test_who_repeats_makes_a_group_be_done_twice_once_and_then_no_more(senders, tries, monkeypatch):
    repeater, other, third = senders
    known = event(new_number(), "accepted")
    send(submission(repeater, known))
    assert [said["duplicates"] for said in send(submission(repeater, known), submission(other))] == [1, 0]
    assert tries == [False, False, True], "nobody could know"
    for _ in range(3):
        tries.clear()
        said = send(submission(other, event(new_number(), "accepted")), submission(repeater, known))
        assert [(one["accepted"], one["duplicates"]) for one in said] == [(1, 0), (0, 1)]
        assert tries == [True], "the others' events were recorded twice"
    tries.clear()
    send(submission(other, event(new_number(), "accepted")), submission(third, event(new_number(), "accepted")))
    assert tries == [False], "who only stood beside it is no repeater"
    monkeypatch.setattr(repeats, "REMEMBERED_FOR_S", -1.0)
    send(submission(repeater, known))
    tries.clear()
    send(submission(repeater, event(new_number(), "accepted")))
    assert tries == [False], "it is forgotten"


def test_a_known_id_with_other_words_counts_as_a_repeat(senders, tries):
    known = event(new_number(), "accepted")
    send(submission(senders[0], known))
    for _ in range(2):
        tries.clear()
        (said,) = send(submission(senders[0], {**known, "step": "delivered"}))
        assert [bad["code"] for bad in said["quarantined"]] == ["event_id_reused"]
    assert tries == [True]


def test_the_same_event_twice_in_one_group_is_no_reason_to_be_careful(senders, tries):
    one = event(new_number(), "accepted")
    (said,) = send(submission(senders[0], one, one))
    assert (said["accepted"], said["duplicates"]) == (1, 1)
    send(submission(senders[0], event(new_number(), "accepted")))
    assert tries == [False, False]


@pytest.fixture
def long(monkeypatch, senders, number) -> None:
    """The number whose item has as many events as are folded again for a late one."""
    monkeypatch.setattr(rules, "FOLDED_EVENTS_MAX", 4)
    send(submission(senders[0], *(event(number, "at_delivery_office", minutes=n) for n in range(4))))


def status(number: str) -> tuple[str, int]:
    item = queries.find(number)
    assert item is not None
    shown = ItemStatus.objects.get(item=item)
    return steps.Step(shown.step).word, shown.item_seq


@pytest.mark.usefixtures("long")
def test_what_comes_late_to_an_item_of_very_many_events_is_set_aside(senders, number):
    late, newer = event(number, "accepted", minutes=-1), event(number, "left_sorting", minutes=9)
    (said,) = send(submission(senders[0], late, newer, event(number, "held", minutes=8)))
    assert [(bad["index"], bad["code"]) for bad in said["quarantined"]] == [
        (0, "too_many_events"),
        (2, "too_many_events"),
    ]
    assert status(number) == ("left_sorting", 5), "what is in order is recorded as ever"
    (said,) = send(submission(senders[1], newer, event(number, "out_for_delivery", minutes=10)))
    assert (said["accepted"], said["duplicates"], said["quarantined"]) == (1, 1, []), "a repeat is no late event"


@pytest.mark.usefixtures("long")
def test_a_correction_there_is_an_inspectors_to_make(senders, number):
    wrong = event(number, "delivered", minutes=5)
    corrects = {"event_id": wrong["event_id"], "declares": "did_not_occur", "reason": "wrong_item"}
    send(submission(senders[0], wrong))
    (said,) = send(submission(senders[0], event(number, "delivered", minutes=6, corrects=corrects)))
    assert [bad["code"] for bad in said["quarantined"]] == ["too_many_events"]
    assert status(number) == ("delivered", 5)
    inspector, item = Person(uuid.uuid4(), Role.INSPECTOR, 900_051, "inspector-51"), queries.find(number)
    assert item is not None
    parcels.correct(item, uuid.UUID(wrong["event_id"]), "did_not_occur", "wrong_item", by=inspector)
    assert status(number) == ("at_delivery_office", 6)
    (said,) = send(submission(senders[0], event(number, "left_sorting", minutes=7)))
    assert [bad["code"] for bad in said["quarantined"]] == ["too_many_events"], "it would fold them all again"
