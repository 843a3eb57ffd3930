"""The protocol of the Fraud Detection Handbook on its data: the same test set, and a model no worse than published.

What is measured in full is benchmarks/fraud.py; the test week of August is not looked at here.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from benchmarks import fraud as benchmark
from tests.shared_data import path

from parcelward.risk.learning.training import Settings

WEEK_OF_JULY = 108  # the 18th, in days since the beginning
HISTORY = dt.timedelta(days=28)
LONGEST = 37  # days that a window and its delay look back to


@pytest.fixture(scope="module")
def past() -> benchmark.Past:
    return benchmark.past(path(benchmark.FILE), dt.date(2018, 8, 15))


@pytest.mark.shared
@pytest.mark.slow
def test_the_published_test_week_is_the_same_transactions(past: benchmark.Past):
    start = (benchmark.TEST_WEEK - benchmark.FIRST_DAY.date()).days
    rows = benchmark.tested(past, start)
    assert len(rows) == 58_264
    assert set(past.day[rows].tolist()) == set(range(start, start + 7))


@pytest.mark.shared
@pytest.mark.slow
def test_four_weeks_teach_a_model_what_is_published(past: benchmark.Past):
    first = WEEK_OF_JULY - 7 - HISTORY.days
    some = np.flatnonzero((past.day >= first - LONGEST) & (past.day < WEEK_OF_JULY + 7))
    part = benchmark.Past(
        [past.at[nth] for nth in some],
        *(column[some] for column in (past.day, past.card, past.terminal, past.cents, past.kind)),
    )
    values = benchmark.values(part, benchmark.FEATURES, part.fraud, first, None)
    rows = benchmark.tested(part, WEEK_OF_JULY)
    one = benchmark.Ready(part, np.column_stack([part.cents.astype(float), values]), WEEK_OF_JULY, rows, None)
    model = one.learnt(part.fraud, Settings(history=HISTORY, rounds=100, rate=0.06), 1)
    assert model.learnt.rows == int(((part.day >= first) & (part.day < WEEK_OF_JULY - 7)).sum())
    found = benchmark.measured(part, rows, model.margins(one.values[rows]))
    assert found["auc"] > 0.86
    assert found["average_precision"] > 0.70
    assert found["card_precision_100"] > 0.25


def test_a_card_that_was_found_is_out_of_the_next_days():
    day, card = np.array([0, 0, 1, 1]), np.array([7, 8, 7, 8])
    fraud = np.array([True, False, True, True])
    found = benchmark.card_precision(day, card, fraud, np.array([0.9, 0.1, 0.9, 0.1]))
    assert found == pytest.approx((1 / 100 + 1 / 100) / 2)
