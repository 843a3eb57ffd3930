"""What a model says of an order, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Why(NamedTuple):  # some are made for each order: in half the time of a dataclass
    """What one feature added to a score, in log odds: above 0 it spoke for fraud."""

    feature: str
    value: float | None
    effect: float


@dataclass(frozen=True, slots=True)
class Scored:
    """How likely an order is fraud, and why.

    `margin` is what the trees add up to, before calibration: it orders what has the same probability. `reasons` are
    what spoke for fraud, the strongest first.
    """

    probability: float
    margin: float
    reasons: tuple[Why, ...] = ()


@dataclass(frozen=True, slots=True)
class Surprise:
    """How unusual an order is among all others, whatever anybody called fraud: 0 is as most are."""

    amount: float
    reasons: tuple[Why, ...] = ()
