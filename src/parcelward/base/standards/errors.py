"""What is wrong with an identifier or a code; never what was typed, only where it is wrong and what to do.

Invalid
  ├─ BadItemNumber      422  no number that an item, receptacle or asset can have
  │    └─ BadGs1Key     422  no GS1 key: wrong shape, wrong check digit, or more than one thing named
  ├─ BadCurrency        422  no currency in which somebody can pay
  └─ BadAddress         422  an address that nothing could be delivered to; its problems say why, field by field
"""

from __future__ import annotations

from typing import ClassVar, Final

from parcelward.base.errors import Invalid

CHECK_DIGIT_WRONG: Final = "check_digit_wrong"
"""The stable code of an error where only the check digit is wrong: the shape was right, so scan or type it again."""

CHECK_DIGIT_WORDS: Final = "The check digit does not fit: one character was probably misread. Scan or type it again."


class BadItemNumber(Invalid):
    """Not a number that an item can have. The sentence never repeats what was typed."""

    default_code: ClassVar[str] = "bad_item_number"
    title: ClassVar[str] = "This is not a parcel number that we know how to read"


class BadGs1Key(BadItemNumber):
    """Not a GS1 identification key, or one that does not do what was asked of it."""

    default_code: ClassVar[str] = "bad_gs1_key"


class BadCurrency(Invalid):
    """Not a currency in which somebody can pay."""

    default_code: ClassVar[str] = "bad_currency"
    title: ClassVar[str] = "This is not a currency that we know"


class BadAddress(Invalid):
    """Not an address that something could be delivered to; each of its problems names a field."""

    default_code: ClassVar[str] = "bad_address"
    title: ClassVar[str] = "This address is not complete or not right"
