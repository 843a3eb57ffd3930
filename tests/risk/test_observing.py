"""What is observed is in the tables with its caller's work, and every process's copy comes to the same features."""

from __future__ import annotations

import datetime as dt
import itertools
import os
import random
import threading
import time
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from tests.at_once import at_once

from parcelward.base import db
from parcelward.base.errors import Busy
from parcelward.people.actions import machinery
from parcelward.privacy import queries
from parcelward.risk.actions import learn_within, observe_within, retention
from parcelward.risk.errors import ObservationReused, ObservationUnknown
from parcelward.risk.features.store import LATE_MAX, Store
from parcelward.risk.follows import Copy
from parcelward.risk.models import Observation as Row
from parcelward.risk.models import Outcome as Found
from parcelward.risk.wire import Key, Kind, Observation, Outcome

pytestmark = pytest.mark.usefixtures("installation")
NOW = timezone.now()
_ticks = itertools.count()


def new(
    keys: Mapping[Key, bytes] | None = None,
    *,
    ago: dt.timedelta = dt.timedelta(0),
    kind: Kind = Kind.ORDER,
    amount: int = 500,
) -> Observation:
    """Return an observation, a microsecond after the one that was made before it."""
    at = NOW - ago + dt.timedelta(microseconds=next(_ticks))
    return Observation(uuid.uuid4(), kind, at, keys or {Key.CARD: os.urandom(16)}, amount)


def caught_up() -> Copy:
    made = Copy()
    made.catch_up(timezone.now())
    return made


def test_the_same_again_changes_nothing_and_another_thing_under_its_id_is_refused():
    one, other = new(), new()
    observe_within([one, other])
    observe_within([other, one])
    outcome = Outcome(uuid.uuid4(), one.id, NOW, fraud=True)
    learn_within([outcome])
    learn_within([outcome])
    assert caught_up().read_for(one)["card_order_count_1d"] == 1
    for wrong in (
        Observation(one.id, one.kind, one.at, one.keys, 501),
        Observation(one.id, Kind.DECLINED, one.at, one.keys, 500),
        Observation(one.id, one.kind, one.at, {Key.CARD: other.keys[Key.CARD]}, 500),
    ):
        fresh = new()
        with pytest.raises(ObservationReused):
            observe_within([fresh, wrong])
        assert not Row.objects.filter(pk=fresh.id).exists()
    with pytest.raises(ObservationReused):
        learn_within([Outcome(outcome.id, one.id, NOW, fraud=False)])


def test_what_is_learnt_of_what_was_never_observed_is_refused_at_once_and_spoils_nothing_else():
    one, lost = new(), uuid.uuid4()
    observe_within([one])
    good, bad = (Outcome(uuid.uuid4(), about, NOW, fraud=True) for about in (one.id, lost))
    with transaction.atomic():
        observe_within([other := new()])
        with pytest.raises(ObservationUnknown, match=str(lost)):
            learn_within([good, bad])
        learn_within([good])
    assert list(Found.objects.filter(pk__in=[good.id, bad.id])) == [Found(pk=good.id)]
    assert Row.objects.filter(pk=other.id).exists()


def test_whoever_forgets_what_something_is_learnt_of_waits_and_gives_way():
    """Else the work of who learns it would be lost at its commit."""
    one, asked = new(), threading.Event()
    observe_within([one])

    def forget() -> int:
        try:
            asked.set()
            return Row.objects.filter(pk=one.id).delete()[0]
        finally:
            db.drop_connections()

    with ThreadPoolExecutor(1) as apart:
        with transaction.atomic():
            learn_within([Outcome(uuid.uuid4(), one.id, NOW, fraud=True)])
            gone = apart.submit(forget)
            asked.wait(30)
            time.sleep(0.3)
            assert not gone.done()
        with pytest.raises(IntegrityError):
            gone.result(30)
    assert Found.objects.filter(observation=one.id).exists()


def test_what_was_added_is_read_in_the_order_of_its_times(monkeypatch):
    copy, some = caught_up(), [new() for _ in range(50)]
    observe_within(some)  # written in the order of their ids
    learn_within([Outcome(uuid.uuid4(), one.id, NOW, fraud=True) for one in some])
    read: list[Observation] = []
    monkeypatch.setattr(copy._store, "observe", read.append)
    monkeypatch.setattr(copy._store, "learn", lambda _, seen: read.append(seen))
    copy.catch_up(timezone.now())
    mine = [one for one in read if one in some]
    assert mine == some + some


def test_a_copy_that_has_read_nothing_yet_answers_nothing():
    with pytest.raises(Busy):
        Copy().read_for(new())


def test_what_its_caller_rolled_back_was_never_seen():
    one = new()
    copy = caught_up()
    with transaction.atomic():
        observe_within([one])
        transaction.set_rollback(True)
    copy.catch_up(timezone.now())
    assert copy.read_for(new(one.keys))["card_order_count_1d"] == 1  # itself alone


@pytest.mark.parametrize("change", ["UPDATE {} SET at = now()", "TRUNCATE {} CASCADE"])
@pytest.mark.parametrize("table", ["risk_observation", "risk_outcome"])
def test_the_database_refuses_to_change_what_was_observed(change, table):
    observe_within([one := new()])
    learn_within([Outcome(uuid.uuid4(), one.id, NOW, fraud=True)])
    with pytest.raises(psycopg.errors.RestrictViolation), transaction.atomic(), db.cursor() as cur:
        cur.execute(change.format(table))


def test_what_this_process_committed_counts_at_once():
    copy, one = caught_up(), new()
    copy.observed(one)
    assert copy.read_for(new(one.keys))["card_order_count_1h"] == 2


def test_after_a_crash_a_new_copy_answers_as_the_old_one():
    """Observed in any order, outcomes later, in many transactions; the copy that grew and one made anew agree."""
    draw = random.Random(11)
    few = {key: [draw.randbytes(16) for _ in range(3)] for key in Key}
    grew, plain, seen = caught_up(), Store(), []
    for _ in range(30):
        some = [
            new(
                {key: draw.choice(values) for key, values in few.items() if draw.random() < 0.9},
                ago=dt.timedelta(hours=draw.choice([draw.randrange(24), draw.randrange(900)])),
                kind=draw.choice(list(Kind)),
                amount=draw.randrange(10_000),
            )
            for _ in range(draw.randrange(1, 20))
        ]
        some += [Observation(uuid.uuid4(), Kind.ORDER, some[0].at, some[0].keys, 7)]  # in the same microsecond
        observe_within(some)
        seen += some
        about = draw.choice(seen)
        outcome = Outcome(
            uuid.uuid4(), about.id, about.at + dt.timedelta(hours=draw.randrange(400)), draw.random() < 0.8
        )
        learn_within([outcome])
        grew.catch_up(NOW)
        for one in some:
            plain.observe(one)
        plain.learn(outcome, about)
    rebuilt = caught_up()
    asked = [one for one in seen if one.at > NOW - LATE_MAX]
    assert len(asked) > 100
    for one in (*asked, new({key: values[0] for key, values in few.items()})):
        assert grew.read_for(one) == rebuilt.read_for(one) == plain.read_for(one)


def test_a_copy_misses_nothing_that_commits_out_of_order():
    """A row written first and committed last is seen, though younger ones were read before it."""
    card = os.urandom(16)
    copy = caught_up()
    asked = new({Key.CARD: card}, ago=-dt.timedelta(minutes=1))

    def count() -> float | None:
        copy.catch_up(timezone.now())
        return copy.read_for(asked)["card_order_count_1h"]

    def younger() -> None:
        try:
            observe_within([new({Key.CARD: card})])
        finally:
            db.drop_connections()

    with transaction.atomic():
        observe_within([new({Key.CARD: card})])
        with ThreadPoolExecutor(1) as apart:
            apart.submit(younger).result(30)
            reads = [apart.submit(count).result(30) for _ in range(2)]
            apart.submit(db.drop_connections).result(30)
    assert reads == [2, 2]  # the younger one, and what is asked about
    assert count() == 3


def test_a_database_restored_from_a_dump_counts_anew_and_nothing_is_missed():
    """Old rows then have numbers of transactions that are still to come."""
    card = os.urandom(16)
    old = [new({Key.CARD: card}) for _ in range(150)]
    observe_within(old)
    with db.cursor() as cur:
        cur.execute("ALTER TABLE risk_observation DISABLE TRIGGER observation_never_changed")
        cur.execute(
            "UPDATE risk_observation SET writer = writer + 1000000000 WHERE card = %s", (uuid.UUID(bytes=card),)
        )
        cur.execute("ALTER TABLE risk_observation ENABLE TRIGGER observation_never_changed")
    copy = caught_up()
    observe_within([new({Key.CARD: card})])
    assert copy.catch_up(timezone.now()) >= 1
    assert copy.read_for(new({Key.CARD: card}))["card_order_count_1h"] == 152
    assert copy.catch_up(timezone.now()) < 100  # what was read at the start is not read again each time


def test_two_processes_that_write_at_once_come_to_the_same():
    draw = random.Random(3)
    few = [draw.randbytes(16) for _ in range(3)]
    copies = [caught_up(), caught_up()]
    mine = [[new({Key.CARD: draw.choice(few), Key.ACCOUNT: draw.choice(few)}) for _ in range(40)] for _ in copies]

    def work(nth: int) -> None:
        for one in mine[nth]:
            with transaction.atomic():
                observe_within([one])
            copies[nth].observed(one)
            copies[nth].catch_up(timezone.now())

    at_once(*(lambda nth=nth: work(nth) for nth in range(2)))
    for copy in copies:
        copy.catch_up(timezone.now())
    plain = Store()
    for one in (*mine[0], *mine[1]):
        plain.observe(one)
    for one in (*mine[0], *mine[1]):
        assert copies[0].read_for(one) == copies[1].read_for(one) == plain.read_for(one)


def test_what_is_old_goes_with_what_was_found_out_and_not_a_day_earlier():
    old, young = new(ago=dt.timedelta(days=401)), new(ago=dt.timedelta(days=399))
    observe_within([old, young])
    learn_within([Outcome(one.id, one.id, NOW, fraud=True) for one in (old, young)])
    before = queries.kept_until("observations", "US", now=NOW)
    assert retention.forget_old("observations", before, by=machinery()) >= 1
    assert list(Row.objects.filter(pk__in=[old.id, young.id])) == [Row(pk=young.id)]
    assert list(Found.objects.filter(pk__in=[old.id, young.id])) == [Found(pk=young.id)]
