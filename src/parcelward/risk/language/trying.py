"""Tries a rule on orders of the past: how many it would have stopped, and how many of them were disputed later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any as Anything
from typing import Final

import numpy as np
from numpy.typing import NDArray

from parcelward.risk.language import columns
from parcelward.risk.language.columns import Columns
from parcelward.risk.language.tree import Node, any_of, written

EXAMPLES: Final = 10


@dataclass(frozen=True, slots=True)
class Tried:
    """What a rule would have done to some orders."""

    form: str  # of the rule
    orders: int
    stopped: int
    stopped_disputed: int  # of the stopped, those that were disputed later
    disputed: int  # of all
    stopped_alone: int  # of the stopped, those that no other active rule stops
    examples: tuple[int, ...]  # places of the first stopped orders

    @property
    def share(self) -> float:
        """Return which share of the orders it would have stopped."""
        return self.stopped / self.orders if self.orders else 0.0


def tried(rule: Node, orders: Columns, disputed: NDArray[np.bool_], *, beside: Sequence[Node] = ()) -> Tried:
    """Return what a rule would have done, beside the rules that act. `disputed` says it of each order.

    Raises ValueError if there are not as many of both.
    """
    if disputed.shape != (orders.length,):
        raise ValueError("every order was disputed or was not")
    asked = [rule, any_of(*beside)] if beside else [rule]  # as one rule: a row for each would take much memory
    found = columns.judged(asked, orders)
    stopped: NDArray[Anything] = found[0]
    others = found[1:].any(axis=0)
    return Tried(
        form=written(rule),
        orders=orders.length,
        stopped=int(stopped.sum()),
        stopped_disputed=int((stopped & disputed).sum()),
        disputed=int(disputed.sum()),
        stopped_alone=int((stopped & ~others).sum()),
        examples=tuple(np.flatnonzero(stopped)[:EXAMPLES].tolist()),
    )
