"""Stations' keys and loans, turned afterwards: `verify-log` finds each. All is rolled back."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import transaction
from tests.joined import apart
from tests.laws.tampering import change, difference, place, sequenced
from tests.privacy.label_desk import AGENT, NOW, OTHER, Reader, make_keys

from parcelward.base import config
from parcelward.parcels.queries import verify_log
from parcelward.people.actions import machinery
from parcelward.privacy.models import Loan, StationKey
from parcelward.privacy.sealing import actions, queries

pytestmark = pytest.mark.usefixtures("clean")
LONG_AGO = dt.datetime(2022, 3, 9, 12, tzinfo=dt.UTC)
THEN = queries.epoch_of(LONG_AGO)


@pytest.fixture(scope="module")
def known(installation):
    """A loan that runs, one that was ended, and a key that was destroyed."""
    make_keys()
    reader, other = Reader().enrol(), Reader(OTHER).enrol()
    (running,), (ended,) = reader.borrows(), other.borrows()
    actions.end_loan(ended.loan_id, by=AGENT, now=NOW)
    by = machinery()
    actions.make_station_keys([OTHER], [THEN], by=by, now=LONG_AGO)
    actions.destroy_due_keys(claim=dt.timedelta(days=90), by=by, now=NOW)
    sequenced()
    verify_log(config.get())
    return {"running": running.loan_id, "ended": ended.loan_id}


@pytest.mark.parametrize(
    ("loan", "turned"),
    [
        ("running", "expires_at = expires_at + interval '1 hour'"),
        ("running", "facility = 'LBL-SOUTH'"),
        ("running", "device = gen_random_uuid()"),
        ("running", "epoch = epoch - 1"),
        ("running", "round_name = 'R13'"),
        ("running", "lent_by = lent_by + 1"),
        ("running", "ended_at = now()"),
        ("ended", "ended_at = NULL"),
    ],
)
def test_a_loan_that_was_turned(known, loan, turned):
    change(f"UPDATE privacy_loan SET {turned} WHERE id = %s", known[loan])
    found = difference()
    assert (found.differs, str(known[loan]) in str(found)) == ("loan", True)
    if loan == "ended":
        assert found.first == place(actions.LOAN_ENDED, "loan", known[loan])


def test_a_loan_that_is_gone(known):
    Loan.objects.filter(pk=known["running"]).delete()
    assert difference().differs == "loan"


def test_a_loan_that_nobody_lent(known):
    row = Loan.objects.get(pk=known["ended"])
    row.pk = None
    row.id = Loan._meta.pk.get_default()
    row.save(force_insert=True)
    assert difference().differs == "loan"


@pytest.mark.parametrize(
    ("turned", "words"),
    [
        ({"public_key": bytes(32)}, "not one that the log says"),
        ({"wrapped": b"brought back from a backup"}, "is there again"),
        ({"epoch": 3}, "its row is gone"),
    ],
)
def test_a_stations_key_that_was_turned(known, turned, words):
    with transaction.atomic(using="keys"):
        StationKey.objects.filter(facility=OTHER, epoch=THEN).update(**turned)
        found = difference()
        transaction.set_rollback(True, using="keys")
    assert found.differs == "station_key"
    assert words in str(found)


def test_a_stations_key_that_was_emptied_with_no_entry(known):
    with transaction.atomic(using="keys"):
        StationKey.objects.filter(facility=OTHER, epoch=queries.epoch_of(NOW)).update(wrapped=b"", destroyed_at=NOW)
        found = difference()
        transaction.set_rollback(True, using="keys")
    assert (found.differs, "no entry destroyed it" in str(found)) == ("station_key", True)


def test_keys_that_come_and_go_while_the_log_is_read_are_no_difference(known):
    """The log is read as of one moment, and the keys, which are in another database, later."""
    verify_log(config.get())  # in this test's transaction: it sees from now on what there is now
    before = queries.epoch_of(LONG_AGO - dt.timedelta(days=70))

    def come_and_go() -> None:
        by = machinery()
        actions.make_station_keys([OTHER], [before, queries.epoch_of(NOW) + 40], by=by, now=LONG_AGO)
        actions.destroy_due_keys(claim=dt.timedelta(days=90), by=by, now=NOW)

    apart(come_and_go)
    verify_log(config.get())
