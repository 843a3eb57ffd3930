"""Who is looked at today: most by the model, some only because they are unusual. Pure."""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

UNUSUAL_SHARE: Final = 0.2


class By(enum.StrEnum):
    """Why somebody looks."""

    MODEL = "model"
    SURPRISE = "surprise"


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something that could be looked at: an order, or all of a card's orders of a day by their strongest."""

    id: str
    margin: float
    surprise: float


def chosen(candidates: Iterable[Candidate], budget: int, share: float = UNUSUAL_SHARE) -> list[tuple[str, By]]:
    """Return whom to look at with a budget of so many, of which `share` is kept for what is only unusual.

    What surprises nobody is not looked at for it: those places go back to the model. Equals go by their ids.
    """
    if budget < 0 or not 0 <= share <= 1:
        raise ValueError("a budget is no less than nothing, and a share is part of it")
    some = list(candidates)
    by_margin = sorted(some, key=lambda one: (-one.margin, one.id))
    kept = math.floor(budget * share)
    first = by_margin[: budget - kept]
    mine = {one.id for one in first}
    others = sorted(
        (one for one in some if one.id not in mine and one.surprise > 0), key=lambda one: (-one.surprise, one.id)
    )[:kept]
    taken = mine | {one.id for one in others}
    rest = [one for one in by_margin if one.id not in taken][: budget - len(taken)]
    return [(one.id, By.MODEL) for one in (*first, *rest)] + [(one.id, By.SURPRISE) for one in others]
