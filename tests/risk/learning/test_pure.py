"""Thresholds, drift, measures, surprises and alerts: the pure parts beside the model."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parcelward.risk.learning import anomaly, drift, measuring
from parcelward.risk.learning.alerts import By, Candidate, chosen
from parcelward.risk.learning.thresholds import Cost, cheapest
from parcelward.risk.wire import Answer

COSTS = {
    Answer.ALLOW: Cost(0, 10_000),
    Answer.REVIEW: Cost(300, 3_000),
    Answer.HOLD: Cost(600, 500),
    Answer.REFUSE: Cost(2_500, 0),
}


@st.composite
def costs(draw: st.DrawFn) -> dict[Answer, Cost]:
    answers = [Answer.ALLOW, *draw(st.sets(st.sampled_from([one for one in Answer if one is not Answer.ALLOW])))]
    answers.sort(key=lambda one: one.severity)
    numbers = st.lists(st.integers(0, 10_000), min_size=len(answers), max_size=len(answers), unique=True)
    goods, frauds = sorted(draw(numbers)), sorted(draw(numbers), reverse=True)
    return {one: Cost(good, fraud) for one, good, fraud in zip(answers, goods, frauds, strict=True)}


@given(costs(), st.floats(0, 1))
def test_no_other_answer_is_cheaper(said: dict[Answer, Cost], probability: float) -> None:
    found = cheapest(said)
    chosen_cost = said[found.answer(probability)].at(probability)
    assert chosen_cost <= min(cost.at(probability) for cost in said.values()) + 1e-6
    assert [since for _, since in found.steps] == sorted(since for _, since in found.steps)
    assert [one.severity for one, _ in found.steps] == sorted(one.severity for one, _ in found.steps)


def test_thresholds_of_stated_costs() -> None:
    steps = cheapest(COSTS).steps
    assert [answer for answer, _ in steps] == [Answer.ALLOW, Answer.REVIEW, Answer.HOLD, Answer.REFUSE]
    assert [round(since, 4) for _, since in steps] == [0.0, 0.0411, 0.1071, 0.7917]
    assert cheapest(COSTS).answer(0.1071) is Answer.REVIEW
    assert cheapest(COSTS).answer(0.11) is Answer.HOLD


def test_an_answer_that_is_never_the_cheapest_is_left_out() -> None:
    dear = COSTS | {Answer.REVIEW: Cost(590, 9_000)}
    assert Answer.REVIEW not in dict(cheapest(dear).steps)


def test_costs_that_make_no_sense_are_refused() -> None:
    for bad in (
        {Answer.HOLD: Cost(1, 1)},
        COSTS | {Answer.HOLD: Cost(200, 500)},
        COSTS | {Answer.REFUSE: Cost(2_500, 500)},
    ):
        with pytest.raises(ValueError, match="cost"):
            cheapest(bad)
    with pytest.raises(ValueError, match="less than nothing"):
        cheapest(COSTS | {Answer.ALLOW: Cost(-1, 10_000)})


def test_drift_is_seen_where_it_is() -> None:
    draw = np.random.default_rng(2)
    then = np.column_stack([draw.normal(size=20_000), draw.poisson(0.2, 20_000), draw.normal(size=20_000)])
    then[draw.random(20_000) < 0.1, 2] = np.nan
    before = drift.shapes(("moved", "counts", "unknown"), then)
    same = np.column_stack([draw.normal(size=5_000), draw.poisson(0.2, 5_000), draw.normal(size=5_000)])
    same[draw.random(5_000) < 0.1, 2] = np.nan
    assert all(one.psi < drift.MOVED for one in drift.moved(before, same))
    same[:, 0] += 1
    assert drift.moved(before, same)[0].name == "moved"
    assert drift.moved(before, same)[0].psi > drift.ANOTHER
    same[:, 0] -= 1
    same[:2_500, 2] = np.nan
    first = drift.moved(before, same)[0]
    assert (first.name, first.psi > drift.ANOTHER) == ("unknown", True)


def test_psi_is_what_the_formula_says() -> None:
    before = drift.shapes(("halves",), np.array([[0.0], [1.0]] * 500))
    found = drift.moved(before, np.array([[0.0]] * 600 + [[1.0]] * 200))
    assert found[0].psi == pytest.approx(
        (0.75 - 0.5) * math.log(0.75 / 0.5) + (0.25 - 0.5) * math.log(0.25 / 0.5), abs=0.01
    )
    before = drift.shapes(("unknown",), np.array([[0.0], [math.nan]] * 500))
    found = drift.moved(before, np.array([[0.0]] * 200 + [[math.nan]] * 800))
    assert found[0].psi == pytest.approx(-0.3 * math.log(0.2 / 0.5) + 0.3 * math.log(0.8 / 0.5), abs=0.01)
    with pytest.raises(ValueError, match="100 orders"):
        drift.moved(before, np.zeros((99, 1)))


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=2, max_size=30))
def test_auc_and_average_precision_are_what_they_are_called(some: list[tuple[bool, int]]) -> None:
    fraud, scores = np.array([one for one, _ in some]), np.array([float(two) for _, two in some])
    if not fraud.any() or fraud.all():
        with pytest.raises(ValueError, match="both kinds"):
            measuring.auc(fraud, scores)
        return
    pairs = [(a > b) + (a == b) / 2 for a in scores[fraud] for b in scores[~fraud]]
    assert measuring.auc(fraud, scores) == pytest.approx(sum(pairs) / len(pairs))
    area, before = 0.0, 0.0
    for limit in sorted(set(scores), reverse=True):
        recall, precision = fraud[scores >= limit].sum() / fraud.sum(), fraud[scores >= limit].mean()
        area, before = area + (recall - before) * precision, recall
    assert measuring.average_precision(fraud, scores) == pytest.approx(area)


def test_a_challenger_is_better_only_if_it_is_not_by_chance() -> None:
    draw = np.random.default_rng(4)
    fraud, whose = draw.random(4_000) < 0.1, draw.integers(0, 800, 4_000)
    good = fraud + draw.normal(0, 0.8, 4_000)
    some = (good + draw.normal(0, 0.01, 4_000) for _ in range(50))
    noise = next(one for one in some if measuring.auc(fraud, one) > measuring.auc(fraud, good))  # by luck
    better = fraud + draw.normal(0, 0.5, 4_000)
    assert not measuring.compare(fraud, good, noise, whose, measuring.auc, seed=1).better
    found = measuring.compare(fraud, good, better, whose, measuring.auc, seed=1)
    assert found.better
    assert found.low < found.challenger - found.champion < found.high
    assert not measuring.compare(fraud, better, good, whose, measuring.auc, seed=1).better


def usual() -> anomaly.Usual:
    draw = np.random.default_rng(5)
    return anomaly.learn(
        ("amount", "ratio", "unknown"),
        np.column_stack([draw.normal(50, 20, 10_000), draw.lognormal(0, 0.3, 10_000), np.full(10_000, np.nan)]),
    )


def test_the_farther_out_the_more_surprising_and_the_reasons_say_by_what() -> None:
    known = usual()
    said = [known.surprise({"amount": amount, "ratio": 1.0, "unknown": None}).amount for amount in (50, 110, 200, 300)]
    assert said[0] == 0
    assert said == sorted(said)
    assert len(set(said)) == 4
    found = known.surprise({"amount": 150.0, "ratio": 9.0, "unknown": 3.0})
    assert [why.feature for why in found.reasons] == ["ratio", "amount"]
    assert found.amount == pytest.approx(sum(why.effect for why in found.reasons))
    assert known.surprise({}).amount == 0
    assert known.surprise({"amount": -1e9}).amount == 0
    assert known.surprise({"amount": 1e9}).amount == anomaly.EACH_MAX


def test_many_rows_surprise_as_each_does() -> None:
    known = usual()
    rows = np.array([[50.0, 1.0, 0.0], [150.0, np.nan, 0.0], [-80.0, 9.0, np.nan], [1e9, 1e9, 1e9]])
    each = [
        known.surprise(
            dict(zip(("amount", "ratio", "unknown"), (None if np.isnan(x) else float(x) for x in row), strict=True))
        )
        for row in rows
    ]
    assert known.surprises(rows).tolist() == pytest.approx([one.amount for one in each])
    with pytest.raises(ValueError, match="1000 orders"):
        anomaly.learn(("a",), np.zeros((999, 1)))


@given(
    st.lists(st.tuples(st.integers(-3, 3), st.integers(0, 3)), max_size=20),
    st.integers(0, 12),
    st.sampled_from([0, 0.2, 0.5, 1]),
)
def test_the_budget_is_spent_and_part_of_it_on_what_only_surprises(
    some: list[tuple[int, int]], budget: int, share: float
) -> None:
    candidates = [Candidate(f"{nth:02}", margin, surprise) for nth, (margin, surprise) in enumerate(some)]
    found = chosen(candidates, budget, share)
    ids = [one for one, _ in found]
    assert len(set(ids)) == len(ids) == min(budget, len(some))
    surprising = [one for one, by in found if by is By.SURPRISE]
    assert len(surprising) <= budget * share
    best = sorted(candidates, key=lambda one: (-one.margin, one.id))[: budget - math.floor(budget * share)]
    assert {one.id for one in best} <= set(ids)
    left = [one for one in candidates if one.id not in ids and one.surprise > 0]
    if left and len(surprising) < math.floor(budget * share):
        raise AssertionError("a place that was kept was given away while somebody was unusual")
