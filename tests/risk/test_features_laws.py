"""The store against a slow and obvious model: in any order, twice, and too much."""

from __future__ import annotations

import datetime as dt
import random
import time
from uuid import UUID

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parcelward.risk.features import series, store
from parcelward.risk.features.store import LATE_MAX, Store
from parcelward.risk.features.table import DAY, HOUR, MONTH, OUTCOMES_AFTER, TABLE, WEEK, Feature, What
from parcelward.risk.wire import Key, Kind, Observation, Outcome

START = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
# Few moments, many of them exactly a window apart, so that edges and ties are met all the time.
MOMENTS = [
    START + days * DAY + hours * HOUR + dt.timedelta(microseconds=micro)
    for days in (0, 1, 2, 7, 8, 14, 30, 37, 38)
    for hours in (0, 1)
    for micro in (0, 1)
]
FEATURES = (
    *TABLE,
    Feature(Kind.ORDER, Key.PRINTER, What.COUNT, WEEK, delay=OUTCOMES_AFTER),
    Feature(Kind.ORDER, Key.PRINTER, What.SUM, MONTH, delay=OUTCOMES_AFTER),
    Feature(Kind.ORDER, Key.PRINTER, What.DISTINCT, DAY, Key.CARD, delay=OUTCOMES_AFTER),
)


def key(which: Key, nth: int) -> bytes:
    return which.value.encode()[:7].ljust(7, b"-") + bytes([nth + 1]) + bytes(8)


@st.composite
def observations(draw: st.DrawFn) -> Observation:
    keys = {which: key(which, draw(st.integers(0, 1))) for which in Key if draw(st.integers(0, 4))}
    return Observation(
        UUID(int=draw(st.integers(0, 2**63))),
        draw(st.sampled_from([*Kind, Kind.ORDER, Kind.ORDER])),
        draw(st.sampled_from(MOMENTS)),
        keys or {Key.ACCOUNT: key(Key.ACCOUNT, 0)},
        draw(st.integers(0, 10**15)),
    )


seen_of = st.lists(observations(), min_size=1, max_size=40, unique_by=lambda one: one.id)
outcomes_of = st.lists(st.tuples(st.integers(0, 39), st.sampled_from(MOMENTS), st.booleans()), max_size=20)


def found_out(seen: list[Observation], drawn: list[tuple[int, dt.datetime, bool]]) -> list[Outcome]:
    return [
        Outcome(UUID(int=nth), seen[which % len(seen)].id, at, fraud) for nth, (which, at, fraud) in enumerate(drawn)
    ]


def counts(seen: Observation, feature: Feature) -> bool:
    """Return whether an observation is of a feature's kind: a further parcel is an order where it goes to."""
    if seen.kind is Kind.PARCEL and feature.key in {Key.ADDRESS, Key.ADDRESSEE}:
        return feature.kind is Kind.ORDER
    return seen.kind is feature.kind


def slow(
    seen: list[Observation],
    outcomes: list[Outcome],
    of: Observation,
    kept_max: int = series.KEPT_MAX,
    *,
    itself: bool = True,
) -> dict[str, float | None]:
    """Return what the features of an observation are, by looking at everything for each."""

    def position(one: Observation) -> tuple[dt.datetime, UUID]:
        return one.at, one.id

    def fraud(one: Observation) -> bool:
        known = sorted(
            (each.at, each.id, each.fraud) for each in outcomes if each.observation == one.id and each.at <= of.at
        )
        return known[-1][2] if known else False

    everything = {one.id: one for one in (*seen, *([of] if itself else []))}.values()
    found: dict[str, float | None] = {}
    for one in FEATURES:
        if one.key not in of.keys or (of.kind is Kind.PARCEL and one.key not in {Key.ADDRESS, Key.ADDRESSEE}):
            found[one.name] = None
            continue
        same = [each for each in everything if counts(each, one) and each.keys.get(one.key) == of.keys[one.key]]
        newest = {each.id for each in sorted(same, key=position)[-kept_max:]}
        same = [each for each in same if each.id in newest or (itself and each.id == of.id)]
        end = of.at - one.delay
        some = [each for each in same if end - one.window < each.at <= end and position(each) <= position(of)]
        match one.what:
            case What.COUNT:
                found[one.name] = len(some)
            case What.SUM:
                found[one.name] = sum(each.amount_minor for each in some)
            case What.MEAN:
                found[one.name] = sum(each.amount_minor for each in some) / len(some) if some else None
            case What.DISTINCT:
                assert one.value
                found[one.name] = len({each.keys[one.value] for each in some if one.value in each.keys})
            case What.RISK:
                found[one.name] = sum(map(fraud, some)) / len(some) if some else 0.0
    return found


def filled(seen: list[Observation], outcomes: list[Outcome]) -> Store:
    made = Store(FEATURES)
    by_id = {one.id: one for one in seen}
    for one in seen:
        made.observe(one)
    for outcome in outcomes:
        made.learn(outcome, by_id[outcome.observation])
    return made


@given(seen_of, outcomes_of, st.randoms(use_true_random=False))
def test_replay_answers_as_was_answered_then_and_the_order_of_arrival_does_not_matter(seen, drawn, shuffle):
    outcomes = found_out(seen, drawn)
    online, answers = Store(FEATURES), {}
    by_id = {one.id: one for one in seen}
    happened = sorted(
        [(outcome.at, 0, outcome.id, outcome) for outcome in outcomes] + [(one.at, 1, one.id, one) for one in seen]
    )
    for at, _, _, what in happened:
        if isinstance(what, Outcome):
            if by_id[what.observation].at <= at:  # nothing is learnt of what has not happened
                online.learn(what, by_id[what.observation])
            continue
        answers[what.id] = online.read_for(what)
        online.observe(what)
    outcomes = [outcome for outcome in outcomes if by_id[outcome.observation].at <= outcome.at]
    mixed = [*seen, *seen[::2]]
    shuffle.shuffle(mixed)
    shuffle.shuffle(outcomes)
    replayed = filled(mixed, [*outcomes, *outcomes[::2]])
    for one in seen:
        expected = slow(seen, outcomes, one)
        assert answers[one.id] == expected
        assert replayed.read_for(one) == expected
        assert list(expected) == list(answers[one.id])


@given(seen_of, outcomes_of, observations())
def test_an_observation_is_judged_the_same_before_and_after_it_is_remembered(seen, drawn, new):
    hypothesis.assume(new.id not in {one.id for one in seen})
    made = filled(seen, found_out(seen, drawn))
    before = made.read_for(new)
    made.observe(new)
    assert made.read_for(new) == before == slow(seen, found_out(seen, drawn), new)


@given(seen_of, st.randoms(use_true_random=False), st.integers(1, 6), st.integers(0, 3), st.integers(1, 4))
def test_of_a_key_the_newest_few_are_kept_in_whatever_order_they_came(seen, shuffle, kept_max, spare, long):
    patch = pytest.MonkeyPatch()
    try:
        patch.setattr(store, "KEPT_MAX", kept_max)
        patch.setattr(store, "SPARE", spare)
        patch.setattr(store, "LONG", long)
        mixed = list(seen)
        shuffle.shuffle(mixed)
        outcomes = [Outcome(one.id, one.id, one.at, fraud=True) for one in seen[::3]]
        made = filled(mixed, outcomes)
        for one in sorted(seen, key=lambda each: each.at)[-3:]:
            assert made.read_for(one) == slow(seen, outcomes, one, kept_max)
    finally:
        patch.undo()


@given(seen_of, st.randoms(use_true_random=False))
def test_forgetting_changes_no_answer_that_is_still_asked_for(seen, shuffle):
    """And forgets: nothing is left of what is older than any feature looks back."""
    outcomes = [Outcome(one.id, one.id, one.at, fraud=True) for one in seen[::3]]
    now = max(one.at for one in seen)
    made = filled(seen, outcomes)
    for _ in range(shuffle.randint(1, 3)):
        made.forget(now, keys_max=shuffle.randint(1, 400))
    for one in seen:
        if one.at > now - LATE_MAX:
            assert made.read_for(one) == slow(seen, outcomes, one)
    made.forget(now + made.look_back, keys_max=10_000)
    made.forget(now + made.look_back, keys_max=10_000)
    assert made.keys == 0


def test_long_series_count_apart_exactly(monkeypatch):
    """Past where values are no longer counted one by one, and past where a key is cut."""
    monkeypatch.setattr(store, "KEPT_MAX", 700)
    monkeypatch.setattr(store, "SPARE", 100)
    draw = random.Random(7)
    seen, made = [], Store(FEATURES)
    few = dict.fromkeys(Key, b"k" * 16)
    for nth in range(1_000):
        late = dt.timedelta(minutes=draw.choice([0, 0, 0, 90]))
        keys = {**few, **{which: key(which, draw.randrange(200)) for which in (Key.CARD, Key.ADDRESSEE)}}
        at = START + nth * dt.timedelta(minutes=3) - late
        one = Observation(UUID(int=draw.getrandbits(63)), Kind.ORDER, at, keys, nth)
        before = made.read_for(one)
        made.observe(one)
        seen.append(one)
        if nth % 50 == 49:
            assert before == made.read_for(one) == slow(seen, [], one, 700)
            later = Observation(UUID(int=2**64 - 1), one.kind, one.at + HOUR, one.keys)
            assert made.read(one.keys, later.at) == slow(seen, [], later, 700, itself=False)


def test_a_late_outcome_counts_from_when_it_was_learnt():
    made = Store()
    one = Observation(UUID(int=1), Kind.ORDER, START, {Key.CARD: key(Key.CARD, 0)})
    made.observe(one)
    made.learn(Outcome(UUID(int=1), one.id, START + 9 * DAY, fraud=True), one)
    made.learn(Outcome(UUID(int=2), one.id, START + 20 * DAY, fraud=False), one)  # the dispute was won
    risks = [made.read(one.keys, START + days * DAY)["card_order_risk_30d"] for days in (6, 7, 8, 9, 19, 20, 36, 37)]
    assert risks == [0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0]


def test_what_comes_late_under_a_busy_key_costs_a_few_times_what_comes_in_order():
    """Thousands of running sums grow with it: one by one, it cost forty times as much."""
    draw, busy = random.Random(5), {which: key(which, 0) for which in Key}
    of = {seconds: _at(draw, busy, START + dt.timedelta(seconds=seconds)) for seconds in range(8_000)}
    made, spent = Store(), []
    late = [_at(draw, busy, one.at + dt.timedelta(milliseconds=500)) for one in draw.sample(list(of.values()), 400)]
    for some in (list(of.values()), late):
        began = time.thread_time()
        for one in some:
            made.observe(one)
        spent.append((time.thread_time() - began) / len(some))
    assert spent[1] < 15 * spent[0]


def _at(draw: random.Random, keys: dict[Key, bytes], at: dt.datetime) -> Observation:
    return Observation(UUID(int=draw.getrandbits(128)), Kind.ORDER, at, keys, 500)
