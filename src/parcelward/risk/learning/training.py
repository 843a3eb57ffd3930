"""Learning a model from the past, knowing at each moment what was known then.

What became of an order is found out late: an order younger than `delay` is not learnt from, and one of which the fraud
was found out after `now` counts as good, because that is what was known. The calibration is a rehearsal of the same: a
first model, as it would have been learnt `calibrated` and `delay` ago, is asked about the days since, and its margins
are held against what became of them. The second model, the one that is kept, is learnt from all.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Final

import lightgbm
import numpy as np
from numpy.typing import NDArray

from parcelward.risk.learning.calibration import fitted
from parcelward.risk.learning.model import Learnt, Model
from parcelward.risk.learning.rows import Columns, Numbers
from parcelward.risk.wire import MICROSECOND, micros

NEVER: Final = np.iinfo(np.int64).max
"""When the fraud of an order that is none was found out."""
FRAUDS_MIN: Final = 20  # fewer teach trees nothing but their own chance

Times = NDArray[np.int64]


class TooFew(ValueError):
    """What is known so far is too little to learn from."""


@dataclass(frozen=True, slots=True)
class Examples:
    """Orders of the past: their features as they were read when each was decided, and what was found out.

    `values` has a row for each order and a column for each of `names`; NaN is unknown. `at` is when it happened,
    `found` when it was found out that it was fraud, else NEVER: microseconds since 1970.
    """

    names: tuple[str, ...]
    values: Numbers
    at: Times
    found: Times

    def __post_init__(self) -> None:
        """Raise ValueError for columns of different lengths."""
        if not len(self.values) == len(self.at) == len(self.found) or self.values.shape[1:] != (len(self.names),):
            raise ValueError("each order has its features, its time, and what was found out")


@dataclass(frozen=True, slots=True)
class Settings:
    """How a model is learnt. Chosen by benchmarks/fraud.py on weeks that it is not measured on."""

    history: dt.timedelta = dt.timedelta(days=80)
    delay: dt.timedelta = dt.timedelta(days=7)
    calibrated: dt.timedelta = dt.timedelta(days=7)
    rounds: int = 200
    leaves: int = 12
    rate: float = 0.03
    leaf_rows_min: int = 50
    columns_share: float = 0.5
    rows_share: float = 0.5
    l2: float = 1.0
    goods_kept: float = 0.2  # of good orders, weighted so that nothing but time is saved

    def numbers(self) -> dict[str, float | int]:
        """Return them as plain numbers, spans of time in days."""
        return {
            name: value / dt.timedelta(days=1) if isinstance(value, dt.timedelta) else value
            for name, value in asdict(self).items()
        }


def learn(examples: Examples, columns: Columns, now: dt.datetime, settings: Settings, *, seed: int) -> Model:
    """Learn a model as of a moment. The same again is the same model. Raises TooFew."""
    if examples.names != columns.given:
        raise ValueError("the examples have other features than the model shall read")
    began = micros(now - settings.delay - settings.calibrated)
    asked = (examples.at > began) & (examples.at <= micros(now - settings.delay))
    rehearsal = replace(settings, history=settings.history - settings.calibrated)
    first, _ = _trees(examples, columns, began, rehearsal, seed)
    fraud = examples.found[asked] <= micros(now)
    if not fraud.any() or fraud.all():
        raise TooFew("the days to calibrate on have no fraud, or nothing else")
    sigmoid = fitted(
        np.asarray(first.predict(columns.widened(examples.values[asked]), raw_score=True, num_threads=1)), fraud
    )
    booster, learnt = _trees(examples, columns, micros(now), settings, seed)
    return Model(booster, columns, sigmoid, learnt)


def _trees(
    examples: Examples, columns: Columns, now: int, settings: Settings, seed: int
) -> tuple[lightgbm.Booster, Learnt]:
    until = now - settings.delay // MICROSECOND
    known = (examples.at <= until) & (examples.at > until - settings.history // MICROSECOND)
    fraud = known & (examples.found <= now)
    if fraud.sum() < FRAUDS_MIN or fraud.sum() == known.sum():
        raise TooFew(f"a model is learnt from {FRAUDS_MIN} frauds or more, and from good orders")
    draw = np.random.default_rng(seed).random(len(known))
    taken = known & (fraud | (draw < settings.goods_kept))
    weights = np.where(fraud[taken], 1.0, 1 / settings.goods_kept)
    booster = lightgbm.train(
        _parameters(settings, seed),
        lightgbm.Dataset(
            columns.widened(examples.values[taken]),
            fraud[taken],
            weight=weights,
            feature_name=list(columns.names),
            params={"verbosity": -1, "num_threads": 1},
        ),
        settings.rounds,
    )
    times = examples.at[known]
    return booster, Learnt(
        now, int(times.min()), int(times.max()), int(known.sum()), int(fraud.sum()), seed, settings.numbers()
    )


def _parameters(settings: Settings, seed: int) -> dict[str, object]:
    return {
        "objective": "binary",
        "num_leaves": settings.leaves,
        "learning_rate": settings.rate,
        "min_data_in_leaf": settings.leaf_rows_min,
        "feature_fraction": settings.columns_share,
        "bagging_fraction": settings.rows_share,
        "bagging_freq": 1,
        "lambda_l2": settings.l2,
        "seed": seed,
        "num_threads": 1,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }


def matrix(rows: Sequence[Sequence[float | None]]) -> Numbers:
    """Return rows of values as numbers, None as NaN."""
    return np.array(rows, dtype=np.float64)
