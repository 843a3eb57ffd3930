"""What this room forgets by age: observations, with what was learnt of each, decisions and snoozes.

How long is privacy's table.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from parcelward.base import forgetting
from parcelward.base.forgetting import Due, Sweep
from parcelward.custody import actions as custody
from parcelward.people.queries import require
from parcelward.people.wire import Person, Task
from parcelward.risk.decision_check import RETAINED
from parcelward.risk.models import Decision, Observation, Snooze

SWEEPS: Final = (
    Sweep("observations", lambda t: Observation.objects.filter(at__lt=t), "at"),
    Sweep("decisions", lambda t: Decision.objects.filter(at__lt=t), "at"),
    Sweep("snoozes", lambda t: Snooze.objects.filter(until__lt=t), "until"),
)
KEPT_FOR_GOOD: Final = {
    "risk_outcome": "goes with the observation that it is about",
    "risk_review": "goes with the decision that it is about",
    "risk_appeal": "the same",
    "risk_pick": "the same",
    "risk_learntmodel": "counts and trees: no order and nobody can be read out of it",
    "risk_ruleversion": "what a rule said, and who let it decide: no personal data",
    "risk_rulemove": "the same",
    "risk_stated": "what the operator said that answers cost: no personal data",
}
"""Table -> why its rows do not go by an age of their own."""


def due_old(kept_class: str, before: dt.datetime, country: str, *, by: Person) -> list[Due]:
    """Return what would go of a class; nothing for a class of another room."""
    require(by, Task.KEEP_RETENTION)
    return forgetting.due_of(SWEEPS, kept_class, before, country)


def forget_old(kept_class: str, before: dt.datetime, *, by: Person) -> int:
    """Forget what is older than `before` of a class; return how many rows. The entry says counts alone."""
    require(by, Task.KEEP_RETENTION)
    said = {"by": by.source, "class": kept_class, "before": before.isoformat()}
    return forgetting.forget_of(SWEEPS, kept_class, before, lambda n: custody.record_fact(RETAINED, {**said, "n": n}))
