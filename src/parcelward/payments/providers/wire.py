"""What every payment provider is asked, and what it answers, in the words of the card networks.

Card data never reaches us: a payer pays on the provider's own page, or gives us the provider's token of a card that
they gave it before. A call that changes something carries an idempotency key, so that it may be sent again whenever its
answer did not arrive.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from parcelward.base.standards.money import Currency


class Unanswered(Exception):
    """Nobody knows whether it happened: ask again with the same key, or look. `after_s` says how long to wait first."""

    def __init__(self, words: str, *, after_s: int | None = None) -> None:
        super().__init__(words)
        self.after_s = after_s


class Refused(Exception):
    """It did not happen, and asking again will not help. `code` is the provider's."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class BadNotice(Exception):
    """A notice that the provider did not sign, or signed too long ago: nothing is believed of it."""


class Seen(enum.StrEnum):
    """How a payment is, at the provider."""

    WAITS = "waits"  # for the payer: on the provider's page, or their bank's
    AUTHORISED = "authorised"
    CAPTURED = "captured"
    DECLINED = "declined"
    VOIDED = "voided"


@dataclass(frozen=True, slots=True)
class Card:
    """What may be known of a card: nothing that pays. The fingerprint is the provider's, the same for the same card."""

    fingerprint: str
    country: str  # of the bank that issued it; empty: not known
    authenticated: bool  # its bank asked its holder (3-D Secure)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A payment to begin. With a `method` it is authorised at once, without one the payer is sent to a page."""

    amount_minor: int
    currency: Currency
    words: str  # what the payer reads on the page
    back_url: str  # where they come back to
    cancel_url: str
    mark: str  # our own id of it, kept with it
    method: str = ""  # the provider's token of a saved card


@dataclass(frozen=True, slots=True)
class Payment:
    """What the provider says of a payment."""

    reference: str
    seen: Seen
    amount_minor: int
    currency: Currency
    captured_minor: int = 0
    refunded_minor: int = 0
    charge: str = ""  # the provider's id of what moved the money: its report names it
    url: str = ""  # where the payer goes on, while it waits for them
    decline_code: str = ""
    card: Card | None = None


class RefundSeen(enum.StrEnum):
    """How a refund is, at the provider."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Refund:
    """What the provider says of a refund."""

    reference: str
    seen: RefundSeen
    amount_minor: int


class DisputeSeen(enum.StrEnum):
    """How a dispute is, at the provider."""

    INQUIRY = "inquiry"  # a question of the payer's bank: no money has moved, and a refund may end it
    NEEDS_EVIDENCE = "needs_evidence"
    UNDER_REVIEW = "under_review"
    WON = "won"
    LOST = "lost"
    WITHDRAWN = "withdrawn"  # an inquiry that came to nothing


@dataclass(frozen=True, slots=True)
class Dispute:
    """What the provider says of a dispute."""

    reference: str
    payment: str
    seen: DisputeSeen
    amount_minor: int
    currency: Currency
    reason: str
    evidence_by: dt.datetime | None


class Moved(enum.StrEnum):
    """Why the provider's balance changed."""

    CAPTURE = "capture"
    REFUND = "refund"
    DISPUTE = "dispute"
    DISPUTE_WON = "dispute_won"
    PAYOUT = "payout"
    PAYOUT_BACK = "payout_back"  # it failed, or was cancelled
    FEE = "fee"  # of the provider, for no payment of its own
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Movement:
    """One line of the provider's report: what its balance for us did, before its fee."""

    reference: str
    why: Moved
    source: str  # the provider's id of the charge, refund, dispute or payout
    amount_minor: int  # above zero: to us
    fee_minor: int
    currency: Currency
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Notice:
    """That something happened to a payment: only a hint to look. It may come late, twice, in any order, or never."""

    id: str
    payment: str  # the provider's id of the payment or page; empty where it is about none
    dispute: str = ""
    mark: str = ""  # our own id of the payment, where the provider tells it


class Provider(Protocol):
    """One payment provider. Every call raises Unanswered, and Refused where it did not happen."""

    name: str
    pages_at: str  # the origin of the pages where payers pay

    def begin(self, wanted: Wanted, *, key: str) -> Payment:
        """Authorise, or open the page where the payer does."""

    def capture(self, reference: str, amount_minor: int, currency: Currency, *, key: str) -> Payment:
        """Take what was authorised or a part of it; the rest is given back."""

    def void(self, reference: str, *, key: str) -> Payment:
        """Give back what was authorised, or close the page. A payment that was captured meanwhile comes back so."""

    def refund(self, reference: str, amount_minor: int, currency: Currency, *, key: str) -> Refund:
        """Give back a part of what was captured, or all. The key stays with the refund, as its mark."""

    def find_refund(self, reference: str, currency: Currency, *, key: str) -> Refund | None:
        """Return the refund of a payment that was asked for under a key: a provider forgets keys after a day."""

    def look(self, reference: str) -> Payment:
        """Return how a payment is now."""

    def look_refund(self, reference: str, currency: Currency) -> Refund:
        """Return how a refund is now."""

    def look_dispute(self, reference: str) -> Dispute:
        """Return how a dispute is now."""

    def send_evidence(self, reference: str, evidence: str, *, key: str) -> Dispute:
        """Send our answer to a dispute; it can be sent once."""

    def notice(self, body: bytes, signature: str) -> Notice:
        """Return what a notice is about. Raises BadNotice."""

    def report(self, since: dt.datetime, until: dt.datetime) -> Iterator[Movement]:
        """Give what the provider's balance for us did, the newest first."""
