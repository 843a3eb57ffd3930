"""From which probability on each answer is the cheapest, by what the operator says that each costs. Pure.

An answer costs one thing for a good order (work, a customer who goes away) and another for a fraud (what is lost all
the same). At the probability p it costs `(1 - p) * good + p * fraud`: a straight line. The cheapest at each p is the
lower edge of these lines (C. Elkan, "The foundations of cost-sensitive learning", 2001).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from parcelward.risk.wire import Answer


@dataclass(frozen=True, slots=True)
class Cost:
    """What an answer costs on average, in minor units: for a good order, and for a fraud."""

    good_minor: int
    fraud_minor: int

    def at(self, probability: float) -> float:
        """Return what is to be expected at a probability."""
        return (1 - probability) * self.good_minor + probability * self.fraud_minor


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Answers in order of severity, each with the probability from which on it is given; the first from 0."""

    steps: tuple[tuple[Answer, float], ...]

    def answer(self, probability: float) -> Answer:
        """Return the answer to a probability."""
        found = self.steps[0][0]
        for answer, since in self.steps[1:]:
            if probability < since:
                break
            found = answer
        return found


def cheapest(costs: Mapping[Answer, Cost]) -> Thresholds:
    """Return from where on each answer is the cheapest; one that never is, is left out.

    Raises ValueError unless there is `allow`, and unless of two answers the stricter costs more for a good order and
    less for a fraud: then the steps are in the order of severity.
    """
    ordered = sorted(costs, key=lambda answer: answer.severity)
    if Answer.ALLOW not in costs or any(min(cost.good_minor, cost.fraud_minor) < 0 for cost in costs.values()):
        raise ValueError("what allowing costs must be said, and no answer costs less than nothing")
    for milder, stricter in pairwise(ordered):
        more, less = costs[stricter], costs[milder]
        if not (more.good_minor > less.good_minor and more.fraud_minor < less.fraud_minor):
            raise ValueError(f"{stricter} must cost more than {milder} for a good order, and less for a fraud")
    steps: list[tuple[Answer, float]] = []
    for answer in ordered:
        since = 0.0
        while steps:
            since = _meet(costs[steps[-1][0]], costs[answer])
            if since > steps[-1][1]:
                break
            steps.pop()  # dearer than its neighbours wherever it would be given
        steps.append((answer, since if steps else 0.0))
    return Thresholds(tuple(steps))


def _meet(milder: Cost, stricter: Cost) -> float:
    """Return the probability at which both cost the same."""
    good, fraud = stricter.good_minor - milder.good_minor, milder.fraud_minor - stricter.fraud_minor
    return good / (good + fraud)
