"""Accounts, postings and their lines, as values. A debit is above zero, a credit below, and their sum is nothing."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from parcelward.base.errors import Invalid
from parcelward.base.standards import money
from parcelward.base.standards.money import Currency


class Side(enum.IntEnum):
    """On which side an account grows: what the operator has and spends by debits, what it owes and earns by credits."""

    DEBIT = 1
    CREDIT = -1


class Kind(enum.StrEnum):
    """What an account is for. One table, `CHART`, says the rest."""

    PROVIDER = "provider"  # what a payment provider holds for us
    BANK = "bank"
    DRAWER = "drawer"  # cash at a counter
    COURIER_CASH = "courier_cash"  # cash on delivery, collected at the door, not yet handed in
    DISPUTED = "disputed"  # taken back by a card's bank, not yet decided
    OWED = "owed"  # by a sender: what a chargeback took and their balance did not hold
    POSTAGE_BALANCE = "postage_balance"  # a sender's, paid in and not yet spent
    REMITTANCES = "remittances"  # collected for a sender, not yet remitted
    CLAIMS_PAYABLE = "claims_payable"  # granted to somebody, not yet paid out
    TAX_PAYABLE = "tax_payable"
    POSTAGE_INCOME = "postage_income"
    REMITTANCE_FEES = "remittance_fees"
    PROVIDER_FEES = "provider_fees"
    CLAIMS = "claims"
    CHARGEBACKS = "chargebacks"


class AccountKind(NamedTuple):
    """How accounts of one kind behave."""

    side: Side
    owned: bool  # one for each owner, bounded: never below nothing, its balance kept and locked; else one for the house


CHART = {
    Kind.PROVIDER: AccountKind(Side.DEBIT, owned=False),
    Kind.BANK: AccountKind(Side.DEBIT, owned=False),
    Kind.DRAWER: AccountKind(Side.DEBIT, owned=False),
    Kind.COURIER_CASH: AccountKind(Side.DEBIT, owned=False),
    Kind.DISPUTED: AccountKind(Side.DEBIT, owned=False),
    Kind.OWED: AccountKind(Side.DEBIT, owned=True),
    Kind.POSTAGE_BALANCE: AccountKind(Side.CREDIT, owned=True),
    Kind.REMITTANCES: AccountKind(Side.CREDIT, owned=True),
    Kind.CLAIMS_PAYABLE: AccountKind(Side.CREDIT, owned=True),
    Kind.TAX_PAYABLE: AccountKind(Side.CREDIT, owned=False),
    Kind.POSTAGE_INCOME: AccountKind(Side.CREDIT, owned=False),
    Kind.REMITTANCE_FEES: AccountKind(Side.CREDIT, owned=False),
    Kind.PROVIDER_FEES: AccountKind(Side.DEBIT, owned=False),
    Kind.CLAIMS: AccountKind(Side.DEBIT, owned=False),
    Kind.CHARGEBACKS: AccountKind(Side.DEBIT, owned=False),
}
"""The chart of accounts.

Accounts of the house are in every posting, so no row of theirs is locked: their balance is the sum of their lines.
Those of an owner are bounded: each has a row that says what is left.
"""
assert CHART.keys() == set(Kind), "every kind is in the chart"  # noqa: S101 -- a hole in the table must stop the start


class Account(NamedTuple):
    """Which account, by what it is: there is one of each kind, owner and currency."""

    kind: Kind
    currency: Currency
    owner: UUID | None = None  # an organisation, or a person who acts for nobody else


@dataclass(frozen=True, slots=True)
class Price:
    """What something costs: the whole, and the tax that is in it."""

    total_minor: int
    tax_minor: int
    currency: Currency

    def __post_init__(self) -> None:
        """Raise Invalid for a price that is nothing, or a tax that is more than the price."""
        if not 0 < self.total_minor <= money.AMOUNT_MINOR_MAX or not 0 <= self.tax_minor <= self.total_minor:
            raise Invalid("A price is above zero, and its tax is a part of it", code="bad_amount")


class Line(NamedTuple):
    """One account's part of a posting."""

    account: Account
    amount_minor: int  # a debit above zero, a credit below


class State(enum.StrEnum):
    """What a posting does. None is ever changed: what was pending is ended by another posting."""

    PENDING = "pending"  # what it takes is held
    POSTED = "posted"
    VOIDED = "voided"  # gives back what a pending one held; it has no lines


@dataclass(frozen=True, slots=True)
class Balance:
    """What an account holds, in minor units, on its own side: a sender's balance is above zero when we owe them."""

    posted_minor: int
    held_minor: int = 0  # of it, what pending postings will take

    @property
    def available_minor(self) -> int:
        """Return what a new posting may take."""
        return self.posted_minor - self.held_minor


class Purpose(enum.StrEnum):
    """What a payment through a provider is for."""

    TOP_UP = "top_up"  # of a sender's postage balance
    PURCHASE = "purchase"


class Standing(enum.StrEnum):
    """How a payment through a provider stands."""

    CREATED = "created"  # the provider has not answered yet
    WAITS = "waits"  # for the payer
    DECLINED = "declined"
    AUTHORISED = "authorised"
    VOIDED = "voided"
    CAPTURED = "captured"


class Verb(enum.StrEnum):
    """What a provider is being asked, until its answer is known."""

    NONE = ""
    BEGIN = "begin"
    CAPTURE = "capture"
    VOID = "void"


@dataclass(frozen=True, slots=True)
class Intent:
    """A payment through a provider, for whoever may see it."""

    id: UUID
    owner: UUID
    purpose: Purpose
    about: UUID | None
    amount_minor: int
    currency: Currency
    standing: Standing
    asked: Verb  # what its provider has not answered yet
    captured_minor: int
    refunded_minor: int
    url: str  # where the payer goes on, while it waits for them
    decline_code: str
    created_at: dt.datetime
    simulated: bool


@dataclass(frozen=True, slots=True)
class CardSeen:
    """What may be known of the card that pays: nothing that pays."""

    fingerprint: str  # the provider's: the same for the same card; empty: not known yet
    country: str
    authenticated: bool  # its bank asked its holder


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a statement."""

    number: int
    at: dt.datetime
    reason: str
    about: UUID | None
    amount_minor: int  # above zero: it came in
    balance_minor: int  # what was in the account after it


class Differs(enum.StrEnum):
    """How a provider's report and our ledger differ."""

    UNKNOWN = "unknown"  # it moved what we know nothing of: a refund made at its own desk, for one
    AMOUNT = "amount"  # another amount than ours
    ELSEWHERE = "elsewhere"  # more went back than we gave
    MISSING = "missing"  # we took it for captured, and the report does not have it
