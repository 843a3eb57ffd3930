"""The server's clock steps back between what belongs together: `verify-log` finds nothing, for nothing is wrong."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from django.db import transaction
from django.utils import timezone
from tests.laws.tampering import sequenced
from tests.quarantined import of_bytes
from tests.scanner import event, new_receptacle

from parcelward.base import config
from parcelward.parcels import actions, queries
from parcelward.parcels.queries import verify_log
from parcelward.parcels.wire import Answer, BadScan, ScanIn, Submission
from parcelward.people.actions import make_key
from parcelward.people.queries import key_holder
from parcelward.people.wire import Person, Role

ANNA = Person(uuid.uuid4(), Role.INSPECTOR, 900_041, "inspector-41")
BACK = dt.timedelta(minutes=3)


@pytest.fixture
def partner(installation, facilities) -> Person:
    """One who need not sign."""
    admin = key_holder(installation.api_key)
    return key_holder(make_key("partner whose clock is ours", Role.PARTNER, by=admin, mode="test"))


@pytest.fixture
def step_back(monkeypatch) -> Callable[[], dt.datetime]:
    """Set this process's clock back, each time by as much again; return what it shows."""
    really, off = timezone.now, [dt.timedelta()]

    def step() -> dt.datetime:
        off[0] += BACK
        monkeypatch.setattr(timezone, "now", lambda: really() - off[0])
        return timezone.now()

    return step


def record(by: Person, *events: dict[str, Any], now: dt.datetime, bad: tuple[BadScan, ...] = ()) -> None:
    digest = hashlib.sha256(uuid.uuid4().bytes).digest()
    scans = [(n, msgspec.convert(one, ScanIn)) for n, one in enumerate(events)]
    (answer,) = actions.record_scans([Submission(by, 0, digest, scans, list(bad))], now=now)
    assert isinstance(answer, Answer)


def holds() -> None:
    sequenced()
    verify_log(config.get())


def test_what_was_quarantined_is_dismissed_before(partner, step_back):
    raw = uuid.uuid4().bytes
    with transaction.atomic():  # so that both wait for their places together
        record(partner, now=timezone.now(), bad=(BadScan(0, "not_json", "This is not one JSON object.", raw),))
        step_back()
        actions.dismiss(of_bytes(raw).id, "not ours", by=ANNA)
    holds()


def test_a_legal_hold_is_lifted_before_it_was_placed_and_placed_again_before_that(partner, step_back, number):
    record(partner, event(number, "accepted"), now=timezone.now())
    item = queries.find(number)
    assert item is not None
    with transaction.atomic():
        actions.place_legal_hold(item, "court order 21", by=ANNA)
        step_back()
        actions.lift_legal_hold(item, by=ANNA)
        step_back()
        actions.place_legal_hold(item, "court order 22", by=ANNA)
        step_back()
        actions.lift_legal_hold(item, by=ANNA)
    holds()


def test_what_a_manifest_announced_is_accepted_before(partner, step_back, number):
    now = timezone.now()
    actions.accept_manifest(
        f"M-{number}", facility="TEST-A", event_time=now - dt.timedelta(hours=1), numbers=[number], by=partner, now=now
    )
    record(partner, event(number, "accepted"), now=step_back())
    holds()


def test_a_cage_is_seen_before_what_was_loaded_into_it(partner, step_back, number):
    cage = new_receptacle()
    record(partner, event(number, "loaded", receptacle=cage), now=timezone.now())
    record(partner, event(None, "left_sorting", receptacle_id=cage), now=step_back())
    holds()
