"""A made-up past for tests: orders of which the dear and far ones are fraud more often, some values unknown."""

from __future__ import annotations

import datetime as dt
from functools import cache

import numpy as np

from parcelward.risk.learning.model import Model
from parcelward.risk.learning.rows import Columns, Ratio
from parcelward.risk.learning.training import NEVER, Examples, Settings, learn
from parcelward.risk.wire import MICROSECOND, micros

BEGAN = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
DAYS = 60
ORDERS = 12_000
NOW = BEGAN + dt.timedelta(days=DAYS)
DAY = dt.timedelta(days=1) // MICROSECOND
NAMES = ("amount_minor", "usual_minor", "distance_km", "cards_1h", "noise")
COLUMNS = Columns(NAMES, (Ratio("amount_to_usual", "amount_minor", "usual_minor"),))
FEW = Settings(history=dt.timedelta(days=40), rounds=40, leaf_rows_min=20, rate=0.1)


@cache
def past(seed: int = 7) -> Examples:
    """Return orders in the order in which they happened; a fraud is found out three days later."""
    draw = np.random.default_rng(seed)
    usual = draw.lognormal(8, 0.5, ORDERS)
    amount = usual * draw.lognormal(0, 0.6, ORDERS)
    distance, cards = draw.exponential(300, ORDERS), draw.poisson(0.3, ORDERS).astype(float)
    values = np.column_stack([amount, usual, distance, cards, draw.normal(size=ORDERS)])
    margin = -6 + 1.5 * np.log(amount / usual) + distance / 250 + cards
    fraud = draw.random(ORDERS) < 1 / (1 + np.exp(-margin))
    values[draw.random(values.shape) < 0.05] = np.nan
    at = micros(BEGAN) + np.sort(draw.integers(0, DAYS * DAY, ORDERS))
    return Examples(NAMES, values, at, np.where(fraud, at + 3 * DAY, NEVER))


@cache
def model(seed: int = 1) -> Model:
    """Return a model of this past."""
    return learn(past(), COLUMNS, NOW, FEW, seed=seed)


def row(nth: int) -> dict[str, float | None]:
    """Return one order as who asks for a score has it."""
    return {
        name: None if np.isnan(value) else float(value) for name, value in zip(NAMES, past().values[nth], strict=True)
    }
