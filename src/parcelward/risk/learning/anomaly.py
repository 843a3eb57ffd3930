"""How unusual an order is, without anybody's label: what a model cannot know that it was never told of.

Of each feature the upper tail is remembered: beyond the quantile `1 - TAIL` the chance to see more is taken to fall
exponentially, by the mean excess (peaks over threshold; Davison and Smith, 1990, with a shape of 0). A feature's
surprise is how many times rarer than `TAIL` its value is, as a logarithm: 0 for the lower 99 %. An order's is the sum,
as in ECOD (Li and others, 2022), which asks the empirical tails and so cannot tell apart what lies beyond all that it
has seen. Only much is unusual: amounts and counts end at nothing, where many lie together. Where little is the strange
thing, the ratio the other way round is the feature to watch.
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
class Tail:
    """Of one feature: where its tail begins, and by how much a value in it lies beyond on average; 0 for no tail."""

    name: str
    high: float
    above: float

    def of(self, value: float | None) -> float:
        """Return how surprising a value is; what is unknown is not."""
        if value is None or value <= self.high or not self.above:
            return 0.0
        return min(EACH_MAX, (value - self.high) / self.above)


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual of each feature that is watched."""

    tails: tuple[Tail, ...]

    def surprise(self, row: Row) -> Surprise:
        """Return how unusual a row is, and by what, the strongest first."""
        found = [Why(one.name, row.get(one.name), one.of(row.get(one.name))) for one in self.tails]
        reasons = sorted((why for why in found if why.effect), key=lambda why: -why.effect)
        return Surprise(sum(why.effect for why in reasons), tuple(reasons))

    def surprises(self, values: Numbers) -> Numbers:
        """Return how unusual many rows are, whose columns are those of `tails`; NaN is unknown."""
        total = np.zeros(len(values))
        for one, column in zip(self.tails, values.T, strict=True):
            if one.above:
                total += np.clip(np.nan_to_num((column - one.high) / one.above, nan=0.0), 0.0, EACH_MAX)
        return total


def learn(names: tuple[str, ...], values: Numbers) -> Usual:
    """Return what is usual in some rows, of which nobody need know what became. Raises ValueError for too few."""
    if len(values) < ROWS_MIN:
        raise ValueError(f"what is usual is learnt from {ROWS_MIN} orders or more")
    return Usual(tuple(_tail(name, column) for name, column in zip(names, values.T, strict=True)))


def _tail(name: str, column: Numbers) -> Tail:
    known = column[~np.isnan(column)]
    if len(known) < ROWS_MIN:
        return Tail(name, 0.0, 0.0)
    high = float(np.quantile(known, 1 - TAIL))
    beyond = known[known > high] - high
    return Tail(name, high, float(beyond.mean()) if len(beyond) and beyond.mean() > _LEAST_EXCESS else 0.0)
