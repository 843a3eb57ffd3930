"""A model knows what was known then, and nothing else; the same past makes the same model."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
from tests.risk.learning.past import BEGAN, COLUMNS, DAY, FEW, NOW, model, past

from parcelward.risk.learning import measuring
from parcelward.risk.learning.calibration import Sigmoid, fitted
from parcelward.risk.learning.training import NEVER, TooFew, learn
from parcelward.risk.wire import micros

THEN = BEGAN + dt.timedelta(days=50)


def trees(made: object) -> str:
    return made.booster.model_to_string()  # type: ignore[attr-defined, no-any-return]


def test_what_came_after_changes_nothing() -> None:
    examples = past()
    before = learn(examples, COLUMNS, THEN, FEW, seed=1)
    late = examples.at > micros(THEN) - 7 * DAY  # too young to be learnt from, or not there yet
    values = examples.values.copy()
    values[late] = 1e9
    found = np.where(late, examples.at, examples.found)
    found = np.where((found > micros(THEN)) & ~late, NEVER, found)  # and what was found out later never was
    after = learn(replace(examples, values=values, found=found), COLUMNS, THEN, FEW, seed=1)
    assert trees(before) == trees(after)
    assert before.sigmoid == after.sigmoid
    assert before.learnt == after.learnt
    assert before.learnt.last <= micros(THEN) - 7 * DAY
    assert before.learnt.first > micros(THEN) - 47 * DAY


def test_a_fraud_that_was_found_out_late_counts_as_good_until_then() -> None:
    examples = past()
    slow = replace(examples, found=np.where(examples.found == NEVER, NEVER, examples.found + 8 * DAY))
    assert (
        learn(slow, COLUMNS, THEN, FEW, seed=1).learnt.frauds
        < learn(examples, COLUMNS, THEN, FEW, seed=1).learnt.frauds
    )


def test_the_same_again_is_the_same_and_another_seed_is_not() -> None:
    assert trees(model()) == trees(learn(past(), COLUMNS, NOW, FEW, seed=1))
    assert trees(model()) != trees(model(2))


def test_too_little_is_refused() -> None:
    examples = past()
    with pytest.raises(TooFew):
        learn(replace(examples, found=np.full(len(examples.at), NEVER)), COLUMNS, NOW, FEW, seed=1)
    with pytest.raises(TooFew):
        learn(examples, COLUMNS, BEGAN + dt.timedelta(days=9), FEW, seed=1)
    few = np.full(len(examples.at), NEVER)
    some = np.flatnonzero(examples.found != NEVER)[::40]  # two or three a week
    few[some] = examples.found[some]
    with pytest.raises(TooFew, match="20 frauds"):
        learn(replace(examples, found=few), COLUMNS, NOW, FEW, seed=1)
    few = examples.found.copy()
    few[examples.at > micros(NOW) - 14 * DAY] = NEVER
    with pytest.raises(TooFew, match="calibrate"):
        learn(replace(examples, found=few), COLUMNS, NOW, FEW, seed=1)


def test_probabilities_are_right_on_a_past_that_was_not_learnt_from() -> None:
    other = past(8)
    fraud = other.found != NEVER
    margins = model().margins(other.values)
    said = np.array([model().sigmoid.of(margin) for margin in margins])
    assert measuring.auc(fraud, margins) > 0.8
    assert measuring.calibration_error(fraud, said) < 0.02
    assert said.mean() == pytest.approx(fraud.mean(), rel=0.25)


def test_good_orders_that_are_left_out_weigh_as_if_they_were_there() -> None:
    chances = 1 / (1 + np.exp(-model().margins(past().values)))
    assert chances.mean() == pytest.approx((past().found != NEVER).mean(), rel=0.3)


def test_a_sigmoid_is_found_again() -> None:
    draw = np.random.default_rng(3)
    margins = draw.normal(-3, 2, 200_000)
    fraud = draw.random(len(margins)) < 1 / (1 + np.exp(-(0.7 * margins - 0.5)))
    found = fitted(margins, fraud)
    assert found.slope == pytest.approx(0.7, abs=0.02)
    assert found.intercept == pytest.approx(-0.5, abs=0.05)


def test_a_sigmoid_keeps_the_order_and_its_bounds() -> None:
    found = Sigmoid(2.0, -1.0)
    said = [found.of(margin) for margin in (-1e9, -3.0, 0.0, 0.1, 3.0, 1e9)]
    assert said == sorted(said)
    assert 0.0 <= said[0] < 1e-300
    assert said[-1] == 1.0
    for bad in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="rises"):
            Sigmoid(bad)
    with pytest.raises(ValueError, match="rises"):  # margins that say the opposite
        fitted(np.array([0.0, 1.0, 2.0, 3.0] * 50), np.array([True, True, False, False] * 50))
