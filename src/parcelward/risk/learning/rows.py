"""From what is known of an order to the numbers that a model reads: the same in training, scoring and replay."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Final, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

Row: TypeAlias = Mapping[str, float | None]
Numbers: TypeAlias = NDArray[np.float64]
NAN: Final = math.nan


@dataclass(frozen=True, slots=True)
class Ratio:
    """A feature made of two: `of` by `to`; unknown where either is, or where `to` is 0."""

    name: str
    of: str
    to: str


class Columns:
    """The features of a model in their order: those it is given, then the ratios made of them."""

    def __init__(self, given: tuple[str, ...], ratios: tuple[Ratio, ...] = ()) -> None:
        """Raise ValueError for a name that is there twice, and for a ratio of what is not given."""
        self.given: Final = given
        self.ratios: Final = ratios
        self.names: Final = (*given, *(ratio.name for ratio in ratios))
        if len(set(self.names)) != len(self.names) or len(given) < 2:  # noqa: PLR2004 -- itemgetter of one gives no tuple
            raise ValueError("a model has two features or more, each under a name of its own")
        place = {name: nth for nth, name in enumerate(given)}
        unknown = [name for ratio in ratios for name in (ratio.of, ratio.to) if name not in place]
        if unknown:
            raise ValueError(f"a ratio is made of given features, not of {', '.join(unknown)}")
        self._pairs = [(place[ratio.of], place[ratio.to]) for ratio in ratios]
        self._pick = cast("Callable[[Row], tuple[float | None, ...]]", itemgetter(*given))

    def read(self, row: Row) -> list[float | None]:
        """Return a row's numbers in order. What is unknown is None; raises ValueError where a feature is absent."""
        try:
            values = list(self._pick(row))
        except KeyError as absent:
            raise ValueError(f"the row lacks the feature {absent.args[0]}") from None
        for of, to in self._pairs:
            above, below = values[of], values[to]
            values.append(above / below if above is not None and below else None)
        return values

    def widened(self, values: Numbers) -> Numbers:
        """Return many rows' given values (NaN: unknown) with the ratios beside them."""
        with np.errstate(divide="ignore", invalid="ignore"):
            made = [np.where(values[:, to] == 0, NAN, values[:, of] / values[:, to]) for of, to in self._pairs]
        return np.column_stack([values, *made]) if made else values
