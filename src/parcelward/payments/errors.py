"""What can go wrong with money.

Conflict
  ├─ NoProvider        409  nobody takes payments by card here
  ├─ IntentReused      409  this id stands for another payment or refund
  ├─ NotRefundable     409  not so much of the payment is left
  ├─ PostingReused     409  this id stands for another posting
  ├─ PostingEnded      409  what was pending was posted or voided already, otherwise
  └─ NotEnough         409  an account that must not be overdrawn holds too little
NotAllowed
  └─ Unsigned          403  a notice that the provider did not sign
"""

from __future__ import annotations

from typing import ClassVar

from parcelward.base.errors import Conflict, NotAllowed


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


class IntentReused(Conflict):
    """The id was used before, for another payment or refund: nothing was begun."""

    default_code: ClassVar[str] = "payment_reused"
    title: ClassVar[str] = "This id stands for another payment"


class NotRefundable(Conflict):
    """There is not so much of the payment that could go back: nothing was asked of the provider."""

    default_code: ClassVar[str] = "not_refundable"
    title: ClassVar[str] = "This much cannot be given back"


class Unsigned(NotAllowed):
    """A notice that the provider did not sign: nothing is believed of it."""

    default_code: ClassVar[str] = "unsigned_notice"
    title: ClassVar[str] = "This is not from the payment provider"
