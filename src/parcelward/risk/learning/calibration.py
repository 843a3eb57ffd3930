"""From a margin to a probability, by Platt's sigmoid.

J. Platt, "Probabilistic outputs for support vector machines" (1999), with the targets of its section 2.2 and solved by
Newton's method. Two numbers: it keeps every order, where isotonic regression would make steps of ties, and does not
follow the noise of the few frauds of one week.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

STEPS_MAX: Final = 100
CLOSE: Final = 1e-9
FARTHEST: Final = 700.0  # beyond, `exp` overflows


@dataclass(frozen=True, slots=True)
class Sigmoid:
    """probability = 1 / (1 + exp(-(slope * margin + intercept)))."""

    slope: float = 1.0
    intercept: float = 0.0

    def __post_init__(self) -> None:
        """Raise ValueError for a slope that would turn the order round."""
        if not (math.isfinite(self.slope) and math.isfinite(self.intercept) and self.slope > 0):
            raise ValueError("a calibration rises with the margin")

    def of(self, margin: float) -> float:
        """Return the probability that belongs to a margin."""
        return 1.0 / (1.0 + math.exp(min(FARTHEST, max(-FARTHEST, -(self.slope * margin + self.intercept)))))


def fitted(margins: NDArray[np.float64], fraud: NDArray[np.bool_]) -> Sigmoid:
    """Return the sigmoid that fits what became of some orders. Raises ValueError where none rises."""
    frauds = int(fraud.sum())
    goods = len(fraud) - frauds
    if not frauds or not goods:
        raise ValueError("a calibration needs orders of both kinds")
    target = np.where(fraud, (frauds + 1) / (frauds + 2), 1 / (goods + 2))
    design = np.column_stack([margins, np.ones_like(margins)])
    found = np.array([1.0, 0.0])
    loss = _loss(design @ found, target)
    for _ in range(STEPS_MAX):
        chance = 1 / (1 + np.exp(-np.clip(design @ found, -FARTHEST, FARTHEST)))
        slope = design.T @ (target - chance)
        curve = design.T @ (design * (chance * (1 - chance))[:, None]) + 1e-12 * np.eye(2)
        step, length = np.linalg.solve(curve, slope), 1.0
        while length > CLOSE and _loss(design @ (found + length * step), target) > loss:
            length /= 2
        found = found + length * step
        before, loss = loss, _loss(design @ found, target)
        if before - loss < CLOSE * (1 + abs(loss)):
            break
    return Sigmoid(float(found[0]), float(found[1]))


def _loss(margin: NDArray[np.float64], target: NDArray[np.float64]) -> float:
    return float(np.sum(np.logaddexp(0, margin) - target * margin))
