"""A model that was learnt: a probability with reasons in microseconds, and exact shares when a case is opened."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import lightgbm
import numpy as np

from parcelward.risk.learning.calibration import Sigmoid
from parcelward.risk.learning.fast import SingleRow
from parcelward.risk.learning.paths import Effects
from parcelward.risk.learning.rows import Columns, Numbers, Row
from parcelward.risk.learning.wire import Scored, Why

REASONS_MAX: Final = 3


@dataclass(frozen=True, slots=True)
class Learnt:
    """What a model was learnt from, as of when, and how: enough to learn it again from the same rows."""

    known_at: int  # microseconds since 1970: nothing that was found out later is in it
    first: int  # when the oldest row happened, and the newest
    last: int
    rows: int
    frauds: int
    seed: int
    settings: dict[str, float | int]


@dataclass(frozen=True)
class Model:
    """Trees, how their sum becomes a probability, the features that they ask for, and where all that came from."""

    booster: lightgbm.Booster
    columns: Columns
    sigmoid: Sigmoid
    learnt: Learnt
    _fast: SingleRow = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Raise ValueError where trees and features do not belong together."""
        if tuple(self.booster.feature_name()) != self.columns.names:
            raise ValueError("the trees were learnt from other features, or in another order")
        object.__setattr__(self, "_fast", SingleRow(self.booster))

    @cached_property
    def effects(self) -> Effects:
        """What each leaf says, made ready once."""
        return Effects(self.booster.dump_model()["tree_info"], len(self.columns.names))

    def score(self, row: Row) -> Scored:
        """Return how likely a row is fraud, and what spoke for it. Raises ValueError where a feature is absent."""
        values = self.columns.read(row)
        margin, effects = self.effects.of(self._fast.of(values))
        names, reasons = self.columns.names, []
        for nth in effects.argsort()[: -REASONS_MAX - 1 : -1].tolist():
            effect = effects.item(nth)
            if effect <= 0:
                break
            reasons.append(Why(names[nth], values[nth], effect))
        return Scored(self.sigmoid.of(margin), margin, tuple(reasons))

    def shares(self, row: Row) -> tuple[float, tuple[Why, ...]]:
        """Return the margin of an average order, and what each feature added to it, strongest first: Shapley values.

        Path-dependent TreeSHAP, by LightGBM itself. It takes a millisecond or more, for a case that a person opens.
        """
        values = self.columns.read(row)
        rows = np.array([values], dtype=np.float64)
        *effects, base = np.asarray(self.booster.predict(rows, pred_contrib=True, num_threads=1))[0].tolist()
        found = (Why(*one) for one in zip(self.columns.names, values, effects, strict=True))
        return base, tuple(sorted(found, key=lambda why: -abs(why.effect)))

    def margins(self, given: Numbers) -> Numbers:
        """Return the margins of many rows of given values (NaN: unknown), for measuring and trying."""
        return np.asarray(self.booster.predict(self.columns.widened(given), raw_score=True, num_threads=1))
