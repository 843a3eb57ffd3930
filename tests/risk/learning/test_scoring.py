"""One row, scored fast: it says what LightGBM says, adds up, and holds still under many threads."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from tests.risk.learning.past import COLUMNS, NAMES, model, past, row

from parcelward.risk.learning.fast import RAW_SCORE, SingleRow
from parcelward.risk.learning.model import REASONS_MAX, Model
from parcelward.risk.learning.rows import Columns, Ratio

SOME = range(0, 6_000, 29)


def test_the_fast_path_says_what_the_slow_one_says() -> None:
    margins = model().margins(past().values)
    for nth in SOME:
        assert model().score(row(nth)).margin == pytest.approx(margins[nth], abs=1e-12)
        raw = SingleRow(model().booster, RAW_SCORE).of(COLUMNS.read(row(nth)))
        assert raw[0] == margins[nth]


def test_effects_and_shares_begin_at_the_same_base_and_add_up_to_the_margin() -> None:
    agree = 0
    for nth in SOME:
        values = COLUMNS.read(row(nth))
        margin, found = model().effects.of(SingleRow(model().booster).of(values))
        effects = found.tolist()
        base, exact = model().shares(row(nth))
        assert model().effects.base == pytest.approx(base, abs=1e-9)
        assert base + sum(effects) == pytest.approx(margin, abs=1e-4)
        assert base + sum(why.effect for why in exact) == pytest.approx(margin, abs=1e-9)
        agree += COLUMNS.names[int(np.argmax(np.abs(effects)))] == exact[0].feature
    assert agree / len(SOME) > 0.8, "the quick reasons name what the exact ones name first"


def test_reasons_are_what_spoke_for_fraud_with_the_values_behind() -> None:
    dear = {"amount_minor": 90_000.0, "usual_minor": 3_000.0, "distance_km": 1_500.0, "cards_1h": 0.0, "noise": 0.0}
    score = model().score(dear)
    assert score.probability > 0.3
    assert 1 <= len(score.reasons) <= REASONS_MAX
    assert score.reasons[0].feature == "distance_km"
    assert score.reasons[0].value == 1_500.0
    effects = [why.effect for why in score.reasons]
    assert effects == sorted(effects, reverse=True)
    assert effects[-1] > 0
    ratio = next(why for why in score.reasons if why.feature == "amount_to_usual")
    assert ratio.value == 30.0


def test_the_unknown_is_none_and_an_absent_feature_is_refused() -> None:
    unknown: dict[str, float | None] = dict.fromkeys(NAMES)
    assert 0 < model().score(unknown).probability < 1
    del unknown["noise"]
    with pytest.raises(ValueError, match="lacks the feature noise"):
        model().score(unknown)


def test_a_ratio_of_nothing_is_unknown() -> None:
    columns = Columns(("a", "b"), (Ratio("c", "a", "b"),))
    assert columns.read({"a": 1.0, "b": 0.0})[-1] is None
    assert columns.read({"a": None, "b": 2.0})[-1] is None
    assert columns.read({"a": 0.0, "b": 2.0})[-1] == 0.0
    wide = columns.widened(np.array([[1.0, 0.0], [math.nan, 2.0], [3.0, 2.0]]))
    assert np.isnan(wide[:2, 2]).all()
    assert wide[2, 2] == 1.5


def test_columns_of_the_same_name_or_made_of_nothing_are_refused() -> None:
    for given, ratios in (
        (("a", "a"), ()),
        (("a", "b"), (Ratio("b", "a", "b"),)),
        (("a", "b"), (Ratio("c", "a", "x"),)),
    ):
        with pytest.raises(ValueError, match=r"name of its own|given features"):
            Columns(given, ratios)


def test_many_threads_get_what_one_gets() -> None:
    rows = [row(nth) for nth in SOME] * 4
    alone = [model().score(one) for one in rows]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(model().score, rows)) == alone


def test_trees_of_other_features_are_no_model() -> None:
    other = Columns(tuple(reversed(NAMES)), COLUMNS.ratios)
    with pytest.raises(ValueError, match="other features"):
        Model(model().booster, other, model().sigmoid, model().learnt)
