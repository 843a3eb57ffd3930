"""Group commit: whoever arrives together is recorded together, and everybody gets the right answer."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import httpx
import msgspec
import pytest
from tests.scanner import Scanner, event, new_number, until

from parcelward.base.errors import Busy, Conflict, TooMany
from parcelward.custody import notes
from parcelward.custody.keys import parse_vkey, vkeys_in
from parcelward.custody.models import Batch
from parcelward.doors.api import coalesce
from parcelward.doors.api.coalesce import Coalescer
from parcelward.parcels.errors import Contended
from parcelward.parcels.wire import Answer, BadScan, ScanIn, Submission
from parcelward.people.wire import Person, Role

SCAN = msgspec.convert(event(new_number(), "accepted"), ScanIn)
SOMEBODY = Person(uuid.uuid4(), Role.DEVICE, 1, "device")


def submission(n: int) -> Submission:
    return Submission(SOMEBODY, n, hashlib.sha256(b"%d" % n).digest(), [(0, SCAN)], [])


class _Asked:
    """A coalescer in an event loop of its own, asked from threads."""

    def __init__(self, record):
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        self.coalescer = Coalescer(record)

    def submit(self, one, *, patience_s=60):
        waited = asyncio.wait_for(self.coalescer.submit(one), patience_s)
        return asyncio.run_coroutine_threadsafe(waited, self.loop).result()

    def stop(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()


@pytest.fixture
def coalescing():
    """Give a function that makes an `_Asked` from what records."""
    made = []

    def make(record):
        made.append(_Asked(record))
        return made[-1]

    yield make
    for one in made:
        one.stop()


def test_a_hundred_requests_of_ten_devices_are_few_transactions(installation, facilities, monkeypatch):
    scanners = [Scanner(installation, name=f"group {n}") for n in range(10)]
    jobs = [
        (scanner, sequence, scanner.body([event(new_number(), "accepted")]))
        for scanner in scanners
        for sequence in range(1, 11)
    ]
    bad = {3, 50, 77}  # three of the requests are not signed by their device
    before = Batch.objects.count()

    def send(nth):
        scanner, sequence, body = jobs[nth]
        changed = {"Content-Digest": "sha-256=:" + "A" * 43 + "=:"} if nth in bad else {}
        return scanner.post(body, sequence=sequence, **changed)

    # One client for all: to make one for each request takes longer than a group waits for company.
    with httpx.Client() as client, ThreadPoolExecutor(40) as pool, monkeypatch.context() as patch:
        patch.setattr(httpx, "post", client.post)
        answers = list(pool.map(send, range(100)))
    vkey = vkeys_in(httpx.get(f"{installation.url}/log/vkey", timeout=30).text)[0]
    for nth, answer in enumerate(answers):
        scanner, sequence, body = jobs[nth]
        if nth in bad:
            assert answer.status_code == 401
            continue
        said = answer.json()
        assert (answer.status_code, said["accepted"], said["quarantined"]) == (200, 1, [])
        receipt = notes.open_note(said["receipt"].encode(), [parse_vkey(vkey)]).text.splitlines()
        assert f"source {scanner.device_id}" in receipt
        assert f"sequence {sequence}" in receipt
        assert f"body {hashlib.sha256(body).hexdigest()}" in receipt
        assert "count 1" in receipt
    assert Batch.objects.count() - before <= 75, "they were hardly recorded together"


@pytest.mark.parametrize(
    ("first", "coming", "pauses"),
    [
        (1, [2, 2, 1, 9], 3),  # as long as they keep coming
        (1, [2] * 50, coalesce.PAUSES_MAX),  # and no longer than that
        (coalesce.FEW_EVENTS, [2, 9], 1),  # not when many events have come: they are worth their statements
        (1, [0, 9], 1),
    ],
)
def test_small_requests_wait_for_company_while_it_keeps_coming(monkeypatch, first, coming, pauses):
    coalescer, numbers, slept = Coalescer(lambda _: []), itertools.count(1), []

    def arrive(events=1):
        coalescer._line_up(coalesce._Ticket(submission(next(numbers))._replace(events=[(0, SCAN)] * events)))

    async def pause(seconds):
        slept.append(seconds)
        for _ in range(coming[len(slept) - 1]):
            arrive()

    async def gather():
        arrive(first)
        await coalescer._company()
        return coalescer._take()

    faked = SimpleNamespace(sleep=pause, get_running_loop=asyncio.get_running_loop)
    monkeypatch.setattr(coalesce, "asyncio", faked)
    taken = asyncio.run(gather())
    assert slept == [coalesce.GATHER_S] * pauses
    assert len(taken) == 1 + sum(coming[:pauses])


def test_who_comes_while_others_are_recorded_is_recorded_with_the_next(coalescing):
    groups, first = [], threading.Event()

    def record(submissions):
        groups.append([s.sequence for s in submissions])
        first.set()
        until(lambda: len(groups) > 1 or coalescer.coalescer._of_source[1] == 11)  # all others wait
        return [Answer(b"%d" % s.sequence) for s in submissions]

    coalescer = coalescing(record)
    with ThreadPoolExecutor(12) as pool:
        alone = pool.submit(coalescer.submit, submission(0))
        assert first.wait(30)
        others = [pool.submit(coalescer.submit, submission(n)) for n in range(1, 11)]
        assert alone.result(30).body == b"0"
        assert [other.result(30).body for other in others] == [b"%d" % n for n in range(1, 11)]
    assert groups[0] == [0]
    assert len(groups) == 2
    assert sorted(groups[1]) == list(range(1, 11))


@pytest.mark.asvs("16.5.3")
def test_one_that_makes_the_group_fail_fails_alone(coalescing):
    def record(submissions):
        if any(s.sequence == 3 for s in submissions):
            raise ValueError("poisoned")
        return [Conflict("reused") if s.sequence == 5 else Answer(b"ok") for s in submissions]

    coalescer = coalescing(record)
    coalesce_all = threading.Barrier(8)

    def send(n):
        coalesce_all.wait()
        try:
            return coalescer.submit(submission(n)).body
        except (ValueError, Conflict) as err:
            return type(err)

    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(send, range(8)))
    assert said == [b"ok", b"ok", b"ok", ValueError, b"ok", Conflict, b"ok", b"ok"]
    assert coalescer.submit(submission(9)).body == b"ok", "the next one is recorded as ever"


@pytest.mark.asvs("16.5.2")
def test_while_the_database_is_away_nobody_waits_for_the_others_turns(coalescing):
    calls, begin = [], threading.Barrier(8)

    def record(submissions):
        calls.append(len(submissions))
        time.sleep(0.5)  # as long as it takes to notice
        raise Busy("away", retry_after_s=1)

    coalescer = coalescing(record)

    def send(n):
        begin.wait()
        with pytest.raises(Busy):
            coalescer.submit(submission(n))

    began = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(send, range(8)))
    assert time.monotonic() - began < 2, f"they were tried one after another: {calls}"
    assert sum(calls) == 8, "each was tried once"


def test_a_group_has_at_most_two_thousand_events(coalescing):
    groups, gate = [], threading.Event()

    def record(submissions):
        groups.append(sum(len(s.events) for s in submissions))
        gate.wait(5)
        return [Answer(b"ok") for _ in submissions]

    coalescer = coalescing(record)
    big = [submission(n)._replace(events=[(0, SCAN)] * 499) for n in range(12)]
    with ThreadPoolExecutor(12) as pool:
        sent = [pool.submit(coalescer.submit, one) for one in big]
        time.sleep(0.3)
        gate.set()
        assert all(one.result(10).body == b"ok" for one in sent)
    assert max(groups) <= coalesce.EVENTS_MAX
    assert sum(groups) == 12 * 499


def send_all(coalescer, submissions, *, behind=None, patience_s=60):
    """Send these at once, while `behind`, if any, is being recorded; return what each got, and after how long."""

    def send(one):
        began = time.monotonic()
        try:
            said = coalescer.submit(one, patience_s=patience_s).body
        except Exception as err:  # noqa: BLE001 -- what it is, the test looks at
            said = type(err)
        return said, time.monotonic() - began

    with ThreadPoolExecutor(len(submissions) + 1) as pool:
        if behind is not None:
            pool.submit(send, behind)
            time.sleep(0.1)
        sent = []
        for one in submissions:
            sent.append(pool.submit(send, one))
            time.sleep(0.005)
        return [each.result(60) for each in sent]


def test_bad_events_count_they_become_rows_too(coalescing):
    groups = []

    def record(submissions):
        groups.append(sum(len(s.events) + len(s.bad) for s in submissions))
        time.sleep(0.3)
        return [Answer(b"ok") for _ in submissions]

    bad = [BadScan(n, "not_json", "", b"x") for n in range(1_500)]
    send_all(coalescing(record), [submission(n)._replace(events=[], bad=bad) for n in range(6)], behind=submission(9))
    assert max(groups) <= coalesce.EVENTS_MAX


def test_a_sender_of_much_does_not_keep_another_waiting(coalescing):
    turns = []

    def record(submissions):
        turns.append({one.by.source for one in submissions})
        until(lambda: len(turns) > 1 or coalescer.coalescer._of_source[2])  # the other comes last of all
        return [Answer(b"ok") for _ in submissions]

    big = [submission(n)._replace(events=[(0, SCAN)] * coalesce.EVENTS_MAX) for n in range(20)]
    other = submission(0)._replace(by=Person(uuid.uuid4(), Role.DEVICE, 2, "another device"))
    coalescer = coalescing(record)
    *_, (said, _seconds) = send_all(coalescer, [*big, other], behind=submission(99))
    assert said == b"ok"
    assert next(nth for nth, turn in enumerate(turns) if 2 in turn) <= 2 < len(turns) - 5, turns


def test_who_waits_for_a_held_item_waits_alone(coalescing):
    def record(submissions):
        if any(s.by.source == 1 for s in submissions):
            time.sleep(0.3)
            raise Contended("held", retry_after_s=1)
        return [Answer(b"ok") for _ in submissions]

    another = Person(uuid.uuid4(), Role.DEVICE, 2, "another device")
    mixed = [submission(n) if n % 2 else submission(n)._replace(by=another) for n in range(20)]
    said = send_all(coalescing(record), mixed, behind=submission(99))
    assert [what for what, _ in said] == [b"ok", Contended] * 10
    assert max(seconds for _, seconds in said) < 2, "a sender's other requests waited for the same again"


def test_when_the_database_goes_away_while_each_is_tried_alone_nobody_waits_for_all(coalescing):
    calls = []

    def record(submissions):
        calls.append(len(submissions))
        if len(submissions) > 1:
            raise ValueError("poisoned")
        time.sleep(0.3)
        raise Busy("away", retry_after_s=1)

    said = send_all(coalescing(record), [submission(n) for n in range(12)], behind=submission(99))
    assert {what for what, _ in said} == {Busy}
    assert max(seconds for _, seconds in said) < 2, calls


def test_what_everybody_gave_up_is_not_recorded_one_by_one(coalescing):
    alone = []

    def record(submissions):
        time.sleep(0.2)
        if len(submissions) > 1:
            raise ValueError("poisoned")
        alone.append(submissions[0].sequence)
        return [Answer(b"ok")]

    coalescer = coalescing(record)
    send_all(coalescer, [submission(n) for n in range(20)], behind=submission(99), patience_s=0.5)
    time.sleep(2)
    assert len(alone) < 6
    assert coalescer.submit(submission(50)).body == b"ok"


@pytest.mark.asvs("15.2.2")
def test_too_many_that_wait_are_told_to_come_back(coalescing, monkeypatch):
    monkeypatch.setattr(coalesce, "WAITING_MAX", 2)
    gate = threading.Event()

    def record(submissions):
        gate.wait(5)
        return [Answer(b"ok") for _ in submissions]

    coalescer = coalescing(record)
    with ThreadPoolExecutor(4) as pool:
        sent = [pool.submit(coalescer.submit, submission(0))]
        time.sleep(0.2)
        sent += [pool.submit(coalescer.submit, submission(n)) for n in (1, 2)]
        time.sleep(0.2)
        with pytest.raises(Busy) as caught:
            coalescer.submit(submission(3))
        assert caught.value.retry_after_s
        gate.set()
        assert [one.result(10).body for one in sent] == [b"ok"] * 3


@pytest.mark.asvs("15.2.2")
def test_one_sender_cannot_fill_the_line(coalescing):
    gate, other = threading.Event(), Person(uuid.uuid4(), Role.DEVICE, 2, "another device")

    def record(submissions):
        gate.wait(10)
        return [Answer(b"ok") for _ in submissions]

    coalescer = coalescing(record)

    def flood(n):
        began = time.monotonic()
        try:
            return coalescer.submit(submission(n)).body, time.monotonic() - began
        except TooMany as err:
            return err.retry_after_s, time.monotonic() - began

    with ThreadPoolExecutor(64) as threads:
        sent = [threads.submit(flood, n) for n in range(60)]
        time.sleep(0.5)
        said = threads.submit(coalescer.submit, submission(0)._replace(by=other))
        time.sleep(0.5)
        refused = [one.result() for one in sent if one.done()]
        gate.set()
        assert said.result(10).body == b"ok"
        answers = [one.result(10)[0] for one in sent]
    assert refused == [(1, pytest.approx(0, abs=1))] * (60 - coalesce.SOURCE_WAITING_MAX), "told at once, with when"
    assert answers.count(b"ok") == coalesce.SOURCE_WAITING_MAX
    with ThreadPoolExecutor(coalesce.SOURCE_WAITING_MAX) as threads:
        again = [threads.submit(flood, n) for n in range(coalesce.SOURCE_WAITING_MAX)]
        assert {one.result(10)[0] for one in again} == {b"ok"}, "who was answered counts no more"
    assert not coalescer.coalescer._of_source, "it is forgotten"
