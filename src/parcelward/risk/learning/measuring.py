"""How good scores are, when it is known what became of the orders; does a challenger beat the champion? Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from parcelward.risk.learning.rows import Numbers

Flags: TypeAlias = NDArray[np.bool_]
Measure: TypeAlias = Callable[[Flags, Numbers], float]
DRAWS: Final = 500
WITHIN: Final = 0.95


def auc(fraud: Flags, scores: Numbers) -> float:
    """Return how often a fraud scores higher than a good order, ties counting half."""
    _, at, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[at]
    frauds = int(fraud.sum())
    goods = len(fraud) - frauds
    if not frauds or not goods:
        raise ValueError("it takes orders of both kinds to tell them apart")
    return float((ranks[fraud].sum() - frauds * (frauds + 1) / 2) / (frauds * goods))


def average_precision(fraud: Flags, scores: Numbers) -> float:
    """Return the precision at each score, weighted by the recall that it adds."""
    if not fraud.any():
        raise ValueError("there is no fraud to find")
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.diff(scores[order]) != 0, [True])  # equals are taken together
    found, asked = np.cumsum(fraud[order])[last], np.flatnonzero(last) + 1
    return float(np.sum(np.diff(found, prepend=0) / fraud.sum() * found / asked))


def calibration_error(fraud: Flags, probabilities: Numbers, bins: int = 10) -> float:
    """Return how far what was said lies from what happened, on average, in bins of as many orders each."""
    parts = np.array_split(np.argsort(probabilities, kind="stable"), bins)
    gaps = [abs(float(probabilities[part].mean()) - float(fraud[part].mean())) * len(part) for part in parts]
    return sum(gaps) / len(fraud)


@dataclass(frozen=True, slots=True)
class Compared:
    """A measure of two models on the same orders, and between what their difference lies in 95 of 100 draws."""

    champion: float
    challenger: float
    low: float
    high: float

    @property
    def better(self) -> bool:
        """Return whether the challenger is better, and not by chance."""
        return self.low > 0


def compare(
    fraud: Flags, champion: Numbers, challenger: Numbers, whose: NDArray[np.int64], measure: Measure, *, seed: int
) -> Compared:
    """Compare two models' scores, drawing whole cards (or senders) again, because one's orders are not independent."""
    _, at = np.unique(whose, return_inverse=True)
    draw = np.random.default_rng(seed)
    differences = []
    order = np.argsort(at, kind="stable")
    starts = np.searchsorted(at[order], np.arange(at.max() + 2))
    for _ in range(DRAWS):
        picked = draw.integers(0, len(starts) - 1, len(starts) - 1)
        rows = np.concatenate([order[starts[one] : starts[one + 1]] for one in picked])
        if fraud[rows].any() and not fraud[rows].all():
            differences.append(measure(fraud[rows], challenger[rows]) - measure(fraud[rows], champion[rows]))
    low, high = np.quantile(differences, ((1 - WITHIN) / 2, (1 + WITHIN) / 2))
    return Compared(measure(fraud, champion), measure(fraud, challenger), float(low), float(high))
