"""What can go wrong with money.

Conflict
  ├─ NoProvider        409  nobody takes payments by card here
  ├─ PostingReused     409  this id stands for another posting
  ├─ PostingEnded      409  what was pending was posted or voided already, otherwise
  └─ NotEnough         409  an account that must not be overdrawn holds too little
"""

from __future__ import annotations

from typing import ClassVar

from parcelward.base.errors import Conflict


class PostingReused(Conflict):
    """The id was used before, for something else: nothing was posted."""

    default_code: ClassVar[str] = "posting_reused"
    title: ClassVar[str] = "This id stands for another posting"


class PostingEnded(Conflict):
    """What was pending was ended before, by another posting: nothing was posted."""

    default_code: ClassVar[str] = "posting_ended"
    title: ClassVar[str] = "This was posted or given back before"


class NotEnough(Conflict):
    """The account holds less than is asked of it: nothing was posted."""

    default_code: ClassVar[str] = "not_enough"
    title: ClassVar[str] = "There is not enough money in this account"


class NoProvider(Conflict):
    """Nobody takes payments by card: nothing was begun."""

    default_code: ClassVar[str] = "no_provider"
    title: ClassVar[str] = "Nobody takes payments by card here"
