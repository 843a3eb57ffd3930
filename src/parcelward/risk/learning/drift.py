"""Are the orders of today like those that a model was learnt from? The population stability index of each feature.

PSI = sum over bins of (now - then) * ln(now / then), the bins being tenths of what was, and one for what is unknown. By
custom in credit scoring (Siddiqi, "Credit Risk Scorecards", 2006) below 0.1 is stable, above 0.25 another population.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from parcelward.risk.learning.rows import Numbers

BINS: Final = 10
MOVED: Final = 0.1
ANOTHER: Final = 0.25
ROWS_MIN: Final = 100
_NONE: Final = 0.5  # half an order: a bin in which nobody is has a share all the same


@dataclass(frozen=True, slots=True)
class Shape:
    """How a feature was spread: inner edges of its bins, and the share of orders in each, the last of unknown ones."""

    name: str
    edges: tuple[float, ...]
    shares: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Moved:
    """How far one feature has moved."""

    name: str
    psi: float


def shapes(names: tuple[str, ...], values: Numbers) -> tuple[Shape, ...]:
    """Return how each feature is spread. Raises ValueError for too few rows."""
    return tuple(_shape(name, column) for name, column in zip(names, _enough(values).T, strict=True))


def moved(before: tuple[Shape, ...], values: Numbers) -> list[Moved]:
    """Return how far each feature has moved, the farthest first. Raises ValueError for too few rows."""
    found = [
        Moved(shape.name, _psi(np.array(shape.shares), _shares(np.array(shape.edges), column)))
        for shape, column in zip(before, _enough(values).T, strict=True)
    ]
    return sorted(found, key=lambda one: (-one.psi, one.name))


def _enough(values: Numbers) -> Numbers:
    if len(values) < ROWS_MIN:
        raise ValueError(f"how features are spread is told from {ROWS_MIN} orders or more")
    return values


def _shape(name: str, column: Numbers) -> Shape:
    known = column[~np.isnan(column)]
    edges = np.unique(np.quantile(known, np.arange(1, BINS) / BINS)) if len(known) else np.array([])
    return Shape(name, tuple(edges.tolist()), tuple(_shares(edges, column).tolist()))


def _shares(edges: NDArray[np.float64], column: Numbers) -> Numbers:
    unknown = np.isnan(column)
    bins = np.where(unknown, len(edges) + 1, np.searchsorted(edges, np.where(unknown, 0.0, column), side="left"))
    counted = np.maximum(np.bincount(bins, minlength=len(edges) + 2), _NONE)
    shares: Numbers = counted / counted.sum()
    return shares


def _psi(then: Numbers, now: Numbers) -> float:
    return float(np.sum((now - then) * np.log(now / then)))
