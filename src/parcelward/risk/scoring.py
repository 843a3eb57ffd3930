"""The place for a model: whoever has one hands it in when the process starts. Without one, rules decide alone.

A score is one more fact that rules may ask about (`score > 0.9`): so it is a rule that stops an order, with an answer
and words that somebody has agreed to, and a model can be in shadow as a rule can.
"""

from __future__ import annotations

import logging
import math
from typing import Protocol

from parcelward.risk.features.store import Values
from parcelward.risk.wire import Score

log = logging.getLogger("parcelward.risk")


class Scorer(Protocol):
    """A model that was learnt elsewhere. For any number of threads, within a millisecond, and without a database."""

    @property
    def name(self) -> str:
        """Return which model it is, and which version: at most 60 characters, kept with each decision."""

    def score(self, features: Values) -> Score:
        """Return how probably an order is fraud, by its features (risk/features/table.py)."""


_chosen: Scorer | None = None


def use(scorer: Scorer | None) -> None:
    """Let a model score every order that this process decides from now on; None: none does."""
    global _chosen  # noqa: PLW0603 -- one model for a process, chosen when it starts
    _chosen = scorer


def scored(features: Values) -> tuple[Score | None, str]:
    """Return what the model says, and which it is. One that fails says nothing: the rules decide without it."""
    scorer = _chosen
    if scorer is None:
        return None, ""
    try:
        found = scorer.score(features)
    except Exception as wrong:  # noqa: BLE001 -- a model that fails must not stop the house
        log.error("the model %s failed on an order: %s", scorer.name, type(wrong).__name__)  # noqa: TRY400 -- values are nobody's to read
        return None, scorer.name
    return (found if math.isfinite(found.probability) else None), scorer.name
