"""What risk learns of disputes: it follows the log, where each step of one is an entry.

An opened dispute and a lost one say that the order which was paid was fraud; one that was won or withdrawn says that it
was not. What was learnt is of the moment of the entry, so a replay of the past knows of it from then on and not before.
Read again from the beginning of the log it is the same: an outcome's id is made of its order, its moment and its word.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from parcelward.base.errors import NotFound
from parcelward.custody import actions as custody
from parcelward.custody.queries import told_in
from parcelward.custody.wire import Published
from parcelward.payments import queries as payments
from parcelward.payments.providers.wire import DisputeSeen
from parcelward.people import actions as people
from parcelward.risk.actions.learning import outcome_of_order

FOLLOWER: Final = "risk.disputes"
_FRAUD: Final = {
    DisputeSeen.NEEDS_EVIDENCE: True,
    DisputeSeen.UNDER_REVIEW: True,
    DisputeSeen.LOST: True,
    DisputeSeen.WON: False,
    DisputeSeen.WITHDRAWN: False,
}
"""What each state says of the order; an inquiry says nothing yet: no money has moved."""
OURS: Final = frozenset({"duplicate", "credit_not_processed"})
"""Reasons that are about our books, and not about who ordered."""


def catch_up() -> int:
    """Look at the next published entries. Safe to run any number of times, by any number of workers."""
    return custody.follow(FOLLOWER, custody.FACT, _look_at)


def _look_at(batches: Sequence[Published]) -> None:
    """Learn what the disputes among some entries say; commits with the cursor."""
    for _, said, _ in told_in([each.batch for each in batches], payments.DISPUTE):
        _learn(said)


def _learn(said: dict[str, Any]) -> None:
    fraud = _FRAUD.get(DisputeSeen(said["state"]))
    if fraud is None or said["reason"] in OURS:
        return
    house = people.machinery()
    # What is paid in is of no order; what nobody asked risk about, and what is forgotten, teaches nothing.
    with contextlib.suppress(NotFound):
        paid = payments.purchase(UUID(said["intent"]), by=house)
        if paid.about is not None:
            outcome_of_order(paid.about, fraud=fraud, at=dt.datetime.fromisoformat(said["at"]), by=house)
