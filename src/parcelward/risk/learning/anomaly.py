"""How unusual an order is, without anybody's label: what a model cannot know that it was never told of.

Of each feature the middle and both tails are remembered: beyond the quantile `TAIL` the chance to see more is taken to
fall exponentially, by the mean excess (peaks over threshold; Davison and Smith, 1990, with a shape of 0). A feature's
surprise is how many times rarer than `TAIL` its value is, as a logarithm: 0 for the 98 % in the middle. An order's is
the sum, as in ECOD (Li and others, 2022), which asks the empirical tails and so cannot tell apart what lies beyond
all that it has seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from parcelward.risk.learning.rows import Numbers, Row
from parcelward.risk.learning.wire import Surprise, Why

TAIL: Final = 0.01
ROWS_MIN: Final = 1_000  # ten in a tail
EACH_MAX: Final = 20.0  # one feature alone says no more: e^20 times rarer is rare enough
_LEAST_EXCESS: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Tails:
    """Of one feature: where its tails begin, and by how much a value in them lies beyond on average; 0 for no tail."""

    name: str
    low: float
    below: float
    high: float
    above: float

    def of(self, value: float | None) -> float:
        """Return how surprising a value is; what is unknown is not."""
        if value is None:
            return 0.0
        if value > self.high and self.above:
            return min(EACH_MAX, (value - self.high) / self.above)
        if value < self.low and self.below:
            return min(EACH_MAX, (self.low - value) / self.below)
        return 0.0


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual of each feature that is watched."""

    tails: tuple[Tails, ...]

    def surprise(self, row: Row) -> Surprise:
        """Return how unusual a row is, and by what, the strongest first."""
        found = [Why(one.name, row.get(one.name), one.of(row.get(one.name))) for one in self.tails]
        reasons = sorted((why for why in found if why.effect), key=lambda why: -why.effect)
        return Surprise(sum(why.effect for why in reasons), tuple(reasons))

    def surprises(self, values: Numbers) -> Numbers:
        """Return how unusual many rows are, whose columns are those of `tails`; NaN is unknown."""
        total = np.zeros(len(values))
        for one, column in zip(self.tails, values.T, strict=True):
            for beyond, excess in ((column - one.high, one.above), (one.low - column, one.below)):
                if excess:
                    total += np.clip(np.nan_to_num(beyond / excess, nan=0.0), 0.0, EACH_MAX)
        return total


def learn(names: tuple[str, ...], values: Numbers) -> Usual:
    """Return what is usual in some rows, of which nobody need know what became. Raises ValueError for too few."""
    if len(values) < ROWS_MIN:
        raise ValueError(f"what is usual is learnt from {ROWS_MIN} orders or more")
    return Usual(tuple(_tails(name, column) for name, column in zip(names, values.T, strict=True)))


def _tails(name: str, column: Numbers) -> Tails:
    known = column[~np.isnan(column)]
    if len(known) < ROWS_MIN:
        return Tails(name, 0.0, 0.0, 0.0, 0.0)
    low, high = (float(value) for value in np.quantile(known, (TAIL, 1 - TAIL)))
    return Tails(name, low, _excess(low - known), high, _excess(known - high))


def _excess(beyond: Numbers) -> float:
    """Return how far those beyond lie beyond on average: 0 where nobody does."""
    some = beyond[beyond > 0]
    return float(some.mean()) if len(some) and some.mean() > _LEAST_EXCESS else 0.0
