"""An event from a clock that was ahead comes again: its quarantine row closes by itself, and nothing is doubled."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import uuid

import pytest
from django.db import transaction
from tests.quarantined import as_sent
from tests.scanner import Scanner, event, until

from parcelward.base.errors import Conflict
from parcelward.custody import actions as custody
from parcelward.parcels.actions import came_again, desk, submissions
from parcelward.parcels.models import Quarantine, ScanEvent
from parcelward.parcels.quarantine_check import QUARANTINED
from parcelward.parcels.wire import BadScan, Submission
from parcelward.people.wire import Person, Role

INSPECTOR = Person(uuid.uuid4(), Role.INSPECTOR, 900_021, "inspector-21")


def ahead(number, minutes=60):
    when = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=minutes)
    return {**event(number, "left_sorting"), "event_time": when.isoformat()}


def row_of(sent):
    rows = [r for r in Quarantine.objects.order_by("-id")[:50] if sent["event_id"].encode() in as_sent(r)]
    assert len(rows) == 1
    return rows[0]


def test_sent_again_with_the_clock_set_it_closes_by_itself(installation, facilities, number):
    scanner, wrong = Scanner(installation), ahead(number)
    assert [q["code"] for q in scanner.send(event(number, "accepted"), wrong)["quarantined"]] == ["clock_ahead"]
    other = ahead(number)
    scanner.send(other)
    right = {**wrong, "event_time": dt.datetime.now(dt.UTC).isoformat()}
    assert scanner.send(right)["accepted"] == 1
    until(lambda: row_of(wrong).state == "resubmitted", seconds=30)
    row = row_of(wrong)
    assert (row.closing_note, row.closed_by) == (came_again.CAME_AGAIN, None)
    assert row.closed_at is not None
    assert row_of(other).state == "open", "what never came again waits for a person"


def test_sent_by_another_source_with_another_time_it_stays_open(installation, facilities, number):
    wrong = ahead(number)
    Scanner(installation).send(event(number, "accepted"), wrong)
    right = {**wrong, "event_time": dt.datetime.now(dt.UTC).isoformat()}
    assert Scanner(installation).send(right)["accepted"] == 1
    came_again.settle_one(row_of(wrong).id, now=dt.datetime.now(dt.UTC))
    assert row_of(wrong).state == "open"


def test_a_time_that_has_come_is_the_same_event_for_everybody(installation, facilities, number):
    scanner = Scanner(installation)
    sent = event(number, "accepted")
    scanner.send(sent)
    raw, somebody = json.dumps(sent).encode(), Person(uuid.uuid4(), Role.DEVICE, 1_999_999, "another device")
    batch = Submission(somebody, 1, hashlib.sha256(raw).digest(), [], [])
    with transaction.atomic():
        now = dt.datetime.now(dt.UTC)
        kept = submissions.quarantine([(batch, BadScan(0, "clock_ahead", "m", raw))], now=now, sealed={})
        custody.record_fact(QUARANTINED, {"rows": kept})
    until(lambda: row_of(sent).state == "resubmitted", seconds=30)


def test_a_person_cannot_record_it_a_second_time(installation, facilities, number):
    scanner, wrong = Scanner(installation), ahead(number)
    scanner.send(event(number, "accepted"), wrong)
    right = {**wrong, "event_time": dt.datetime.now(dt.UTC).isoformat()}
    scanner.send(right)
    later = {**wrong, "event_time": (dt.datetime.now(dt.UTC) - dt.timedelta(minutes=1)).isoformat()}
    with pytest.raises(Conflict):
        desk.resubmit(row_of(wrong).id, json.dumps(later), by=INSPECTOR)
    assert ScanEvent.objects.filter(event_id=wrong["event_id"]).count() == 1


def test_what_is_no_scan_is_passed_over(installation):
    for raw in (b"", b"{", b"<xml/>", b'{"event_id": 7}', b"\xff\x00"):
        assert came_again._asked((1, 1, dt.datetime.now(dt.UTC), raw)) is None
