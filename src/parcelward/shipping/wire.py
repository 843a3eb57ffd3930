"""Orders as values: what is asked for, what is said of one. Values that hold people's data show nothing of it."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from parcelward.base.errors import Problem
from parcelward.base.standards.addresses.address import Address
from parcelward.base.standards.addresses.findings import Finding
from parcelward.base.standards.money import Currency
from parcelward.base.vault import VaultToken
from parcelward.parcels.hazmat.wire import Answer, Declaration
from parcelward.privacy.wire import Field
from parcelward.shipping.customs.wire import Customs, CustomsSeen
from parcelward.shipping.pricing import Offer, Part, Unsold

ITEMS_MAX: Final = 100  # of one order
LABEL_OPEN_FOR: Final = dt.timedelta(minutes=30)  # from when it was first given out; then it is printed anew


class State(enum.StrEnum):
    """How an order stands. It ends bought, refused, undone or cancelled; the others are on their way there."""

    PAYING = "paying"  # the payer, or the provider, has yet to answer
    MAKING = "making"  # authorised: its items are made, what was authorised is being taken
    REVIEW = "review"  # a person looks at it; nothing was paid
    BOUGHT = "bought"
    REFUSED = "refused"  # nothing was paid
    UNDONE = "undone"  # nothing was paid: declined, given up, or too late
    CANCELLED = "cancelled"  # after it was bought: what was paid goes back


ENDED: Final = frozenset({State.BOUGHT, State.REFUSED, State.UNDONE, State.CANCELLED})


class PaidBy(enum.StrEnum):
    """How an order is paid."""

    BALANCE = "balance"
    CARD = "card"


@dataclass(frozen=True, slots=True, repr=False)
class Party:
    """Who sends or gets something. Of an addressee without e-mail and phone nobody is told that it comes."""

    address: Address
    email: str = ""
    phone: str = ""
    note: str = ""  # for the door


@dataclass(frozen=True, slots=True, repr=False)
class ItemWanted:
    """One parcel that somebody wants to send."""

    to: Party
    product: str
    weight_g: int
    sides_mm: tuple[int, int, int]
    declaration: Declaration
    extras: tuple[str, ...] = ()
    value_minor: int = 0
    reference: str = ""
    customs: Customs | None = None  # what is declared of it, where it leaves the country


@dataclass(frozen=True, slots=True, repr=False)
class OrderWanted:
    """What somebody wants to buy at once. `quotes` are ids of quotes whose prices are to hold, one for each item."""

    sender: Party
    items: tuple[ItemWanted, ...]
    paid_by: PaidBy = PaidBy.BALANCE
    reference: str = ""
    strict: bool = False  # refuse addresses that have any fault
    quote: UUID | None = None
    back_url: str = ""  # where a payer by card comes back to


@dataclass(frozen=True, slots=True, repr=False)
class Whence:
    """Where an order comes from, as far as its door knows. Only keyed hashes of it are kept."""

    network: str = ""  # the asker's address
    device: str = ""
    proven: bool = False  # they have just proven who they are, with a passkey or a second factor


@dataclass(frozen=True, slots=True, repr=False)
class Looked:
    """An order that somebody still writes: its addresses in their usual form, what must be mended, what to look at."""

    sender: Address
    to: tuple[Address, ...]
    problems: tuple[Problem, ...]
    advice: tuple[Problem, ...]  # it would be taken as it is, and somebody might have to guess


@dataclass(frozen=True, slots=True)
class Day:
    """What was spent on one day, in UTC."""

    day: dt.date
    spent_minor: int


@dataclass(frozen=True, slots=True)
class Quoted:
    """A quote: what can be bought for a parcel, until when."""

    id: UUID
    currency: Currency
    offers: tuple[tuple[Offer, dt.date, dt.date], ...]  # with the promised days
    unsold: tuple[Unsold, ...]
    findings: tuple[Finding, ...]  # of the address
    expires_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Why:
    """Why an order does not go on: a code, and what it is about."""

    code: str
    place: int | None = None  # of the item
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ItemSeen:
    """One parcel of an order, for whoever may see it. Of the addressee there is a masked line at most."""

    place: int
    addressee: UUID
    item: UUID | None
    number: str
    product: str
    service: str
    weight_g: int
    sides_mm: tuple[int, int, int]
    country: str
    parts: tuple[Part, ...]
    tax_minor: int
    total_minor: int
    promised_from: dt.date
    promised_to: dt.date
    screened: Answer
    hazmat_rule: str
    service_code: str
    reference: str
    printing: int
    printings_left: int
    label_until: dt.datetime | None  # until then its label is given out again; None: it never was
    customs: CustomsSeen | None = None  # None: nothing is declared of it


@dataclass(frozen=True, slots=True)
class OrderSeen:
    """An order, for whoever may see it."""

    id: UUID
    owner: UUID
    state: State
    reasons: tuple[Why, ...]
    paid_by: PaidBy
    pay_url: str  # where the payer goes on, while a payment by card waits for them
    currency: Currency
    total_minor: int
    tax_minor: int
    refunded_minor: int
    items: tuple[ItemSeen, ...]
    reference: str
    simulated: bool
    created_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Screen:
    """One item's screening, in words for the customer."""

    answer: Answer
    rule: str
    clause: str
    words: str
    what_to_change: str
    appeal: str


class MemoryKind(enum.StrEnum):
    """What is remembered between the calls of a shop that speaks EasyPost's API."""

    ADDRESS = "address"
    PARCEL = "parcel"
    CUSTOMS_ITEM = "customs_item"
    CUSTOMS_INFO = "customs_info"
    SHIPMENT = "shipment"
    TRACKER = "tracker"
    SCAN_FORM = "scan_form"
    REFUND = "refund"


@dataclass(frozen=True, slots=True, repr=False)
class ToRemember:
    """One thing to remember: `facts` in clear; who it is of, or what is inside a parcel, for the vault."""

    kind: MemoryKind
    facts: Mapping[str, Any] = field(default_factory=dict)
    party: Party | None = None
    inside: Mapping[str, Any] = field(default_factory=dict)  # JSON
    mark: str | None = None  # what there is one of


@dataclass(frozen=True, slots=True, repr=False)
class Recalled:
    """What the vault kept of a thing that is remembered."""

    party: Party | None = None
    inside: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Memory:
    """One thing that is remembered, for its owner."""

    id: UUID
    kind: MemoryKind
    token: VaultToken | None
    mark: str  # what there is one of; else empty
    facts: Mapping[str, Any]
    made_at: dt.datetime
    changed_at: dt.datetime


@dataclass(frozen=True, slots=True)
class AddressSeen:
    """An entry of an address book, masked; empty where the vault has forgotten it."""

    id: UUID
    token: VaultToken
    own: bool
    made_at: dt.datetime
    masked: Mapping[Field, str]
