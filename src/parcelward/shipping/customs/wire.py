"""What a sender declares to customs about one parcel, as values. Those that say what is inside show nothing of it."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass
from typing import Final

from parcelward.base.errors import Problem

LINES_MAX: Final = 20  # kinds of goods in one parcel
CN22, CN23 = "CN 22", "CN 23"


class Reason(enum.StrEnum):
    """Why it is sent: the boxes of CN 22 and CN 23."""

    SALE = "sale_of_goods"
    GIFT = "gift"
    DOCUMENTS = "documents"
    SAMPLE = "commercial_sample"
    RETURNED = "returned_goods"
    OTHER = "other"


@dataclass(frozen=True, slots=True, repr=False)
class Goods:
    """One kind of goods: all of it together. What was not said is empty."""

    description: str = ""
    quantity: int = 0
    net_weight_g: int = 0
    value_minor: int = 0
    currency: str = ""
    origin: str = ""  # the country where it was made
    hs_code: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Customs:
    """Everything that is declared of one parcel. `reason` is as it was said: the check says whether it is one."""

    reason: str = ""
    goods: tuple[Goods, ...] = ()
    explanation: str = ""  # of another reason
    sender_contact: str = ""  # telephone or e-mail, where the order has none
    addressee_contact: str = ""
    sender_reference: str = ""  # a number under which the sender's customs knows them: EORI, IOSS
    importer_reference: str = ""  # tax number of the addressee

    @property
    def value_minor(self) -> int:
        """Return what all of it is worth."""
        return sum(one.value_minor for one in self.goods)

    @property
    def net_weight_g(self) -> int:
        """Return what all of it weighs, without packing."""
        return sum(one.net_weight_g for one in self.goods)

    @property
    def currency(self) -> str:
        """Return the currency of its values: one for all, once it is complete."""
        return next((one.currency for one in self.goods if one.currency), "")


class Completeness(enum.StrEnum):
    """How a parcel's customs data stand."""

    MISSING = "missing"  # the parcel is held, or will be once it is made
    COMPLETE = "complete"


@dataclass(frozen=True, slots=True)
class CustomsSeen:
    """How they stand, for whoever may see the order: nothing of what is inside."""

    standing: Completeness
    form: str  # CN 22 or CN 23; CN 23 while anything is missing
    missing: tuple[Problem, ...]
    changed_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Suggested:
    """A code of the Harmonized System that may be meant, with its words and those of its heading."""

    code: str  # six digits
    words: str
    heading: str
    score: float
