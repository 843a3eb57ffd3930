"""A stored model takes the place that the room has for one."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

import numpy as np
import pytest

from parcelward.risk import scoring
from parcelward.risk.features.store import Store
from parcelward.risk.features.table import TABLE
from parcelward.risk.learning.replay import replayed
from parcelward.risk.learning.rows import Columns, Ratio
from parcelward.risk.learning.scorer import StoredScorer
from parcelward.risk.learning.stored import BadModel, digest, written
from parcelward.risk.learning.training import NEVER, Examples, Settings, learn, matrix
from parcelward.risk.wire import Key, Kind, Observation, Outcome, micros

BEGAN = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
ORDERS = 4_000
HALF_HOUR = dt.timedelta(minutes=30)
NAMES = tuple(one.name for one in TABLE)
COLUMNS = Columns(NAMES, (Ratio("day_to_month", "account_order_mean_1d", "account_order_mean_30d"),))


def observed() -> list[Observation]:
    draw = np.random.default_rng(11)
    found = []
    for nth in range(ORDERS):
        account = int(draw.integers(0, 100))
        keys = {
            Key.ACCOUNT: account.to_bytes(8) + bytes(8),
            Key.CARD: int(draw.integers(0, 300)).to_bytes(8) + bytes(8),
        }
        amount = int(draw.lognormal(8, 0.4)) * (6 if draw.random() < 0.05 else 1)
        found.append(Observation(UUID(int=nth + 1), Kind.ORDER, BEGAN + HALF_HOUR * nth, keys, amount))
    return found


def model() -> bytes:
    """Learn from a past that was replayed: dear orders were fraud."""
    seen = observed()
    fraud = np.array([one.amount_minor > 10_000 for one in seen])
    late = dt.timedelta(days=2)
    learnt = [
        (Outcome(one.id, one.id, one.at + late, fraud=True), one) for one, bad in zip(seen, fraud, strict=True) if bad
    ]
    values = matrix([list(read.values()) for _, read in replayed(seen, learnt)])
    at = np.array([micros(one.at) for one in seen])
    found = np.where(fraud, at + late // dt.timedelta(microseconds=1), NEVER)
    few = Settings(history=dt.timedelta(days=60), rounds=30, leaf_rows_min=20, rate=0.1)
    return written(learn(Examples(NAMES, values, at, found), COLUMNS, seen[-1].at, few, seed=1))


def test_a_stored_model_scores_the_orders_of_this_process():
    text = model()
    scorer: scoring.Scorer = StoredScorer(text, expected=digest(text))
    scoring.use(scorer)
    try:
        store = Store()
        keys = {Key.ACCOUNT: bytes(16), Key.CARD: bytes(16)}
        usual = Observation(UUID(int=1), Kind.ORDER, BEGAN, keys, 3_000)
        store.observe(usual)
        dear = Observation(UUID(int=2), Kind.ORDER, BEGAN + HALF_HOUR, keys, 40_000)
        low, name = scoring.scored(store.read_for(usual))
        high, _ = scoring.scored(store.read_for(dear))
    finally:
        scoring.use(None)
    assert low is not None
    assert high is not None
    assert low.probability < 0.1
    assert high.probability > 0.3
    assert name == f"parcelward-risk-model-1 {digest(text)[:12]}"
    assert high.reasons
    assert set(high.reasons) <= set(COLUMNS.names)


def test_a_model_that_was_not_approved_scores_nothing():
    text = model()
    with pytest.raises(BadModel):
        StoredScorer(text, expected="0" * 64)


def test_a_replay_knows_at_each_moment_what_was_known_then():
    seen = observed()[:900]  # 19 days; a risk is of what lies more than seven days back
    outcome = Outcome(seen[0].id, seen[0].id, seen[600].at, fraud=True)
    plain = [read for _, read in replayed(seen, [])]
    told = [read for _, read in replayed(seen, [(outcome, seen[0])])]
    assert plain[:600] == told[:600]
    assert plain[600:] != told[600:]
    store = Store()
    for one, read in zip(seen[:600], plain, strict=False):
        assert store.read_for(one) == read
        store.observe(one)
    late = list(replayed(seen, [(outcome, seen[0])], since=seen[700].at))
    assert [(one, read) for one, read in late] == list(zip(seen[700:], told[700:], strict=True))
