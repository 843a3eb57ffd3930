"""What can go wrong with what risk is told.

Conflict
  ├─ ObservationReused  409  this id stands for something else that was observed or learnt
  └─ DecisionReused     409  this id stands for another order
NotFound
  └─ ObservationUnknown 404  nothing was observed under this id, or it is forgotten
"""

from __future__ import annotations

from typing import ClassVar

from parcelward.base.errors import Conflict, NotFound


class ObservationReused(Conflict):
    """The id was used before, for something else: nothing was recorded."""

    default_code: ClassVar[str] = "observation_reused"
    title: ClassVar[str] = "This id stands for something else"


class DecisionReused(Conflict):
    """The order's id was used before, by somebody else or for another amount: nothing was decided."""

    default_code: ClassVar[str] = "decision_reused"
    title: ClassVar[str] = "This id stands for another order"


class ObservationUnknown(NotFound):
    """Something was learnt of what was never observed, or is forgotten by its age: nothing was recorded."""

    default_code: ClassVar[str] = "observation_unknown"
    title: ClassVar[str] = "This was not observed"
