"""Amounts of money: integers of the minor unit that ISO 4217 gives each currency, split and rounded without loss.

The table is the maintenance agency's own list one, in the package `iso4217` (its version ends with the list's date).
No float ever holds an amount: 0.1 + 0.2 is not 0.3, and a yen has no hundredths.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final, NewType

import iso4217

from parcelward.base.standards.errors import BadCurrency

Currency = NewType("Currency", str)
"""A currency in which somebody can pay, by its three letters. Only `currency` makes one."""

AMOUNT_MINOR_MAX: Final = 10**15
"""No single amount is larger: ten thousand of them still fit into a bigint's sum."""

MINOR_DIGITS: Final = {one.code: int(one.exponent) for one in iso4217.Currency if one.exponent is not None}
"""Currency -> how many digits its minor unit has (ISO 4217, list one): 0 of JPY, 2 of EUR, 3 of KWD.

Gold, drawing rights and the codes for tests have none: nobody pays for a parcel in them.
"""


def currency(code: str) -> Currency:
    """Return the currency of this code. Raises BadCurrency: small letters are not mended, they hide a mistake."""
    if code not in MINOR_DIGITS:
        raise BadCurrency("Name a currency by its three capital letters, as ISO 4217 does: EUR, JPY, USD")
    return Currency(code)


def decimal(amount_minor: int, of: Currency) -> Decimal:
    """Return an amount in its major unit, exactly: 1234 of EUR is 12.34, of JPY 1234, of KWD 1.234."""
    return Decimal(amount_minor).scaleb(-MINOR_DIGITS[of])


def share(amount_minor: int, numerator: int, denominator: int) -> int:
    """Return `numerator` of `denominator` parts of an amount, in minor units, rounded half to even.

    Half to even (IEEE 754 roundTiesToEven) favours neither side over many payments. Raises ValueError unless the
    denominator is above zero.
    """
    if denominator <= 0:
        raise ValueError("a share is of at least one part")
    whole, rest = divmod(amount_minor * numerator, denominator)
    if 2 * rest > denominator or (2 * rest == denominator and whole % 2):
        whole += 1
    return whole


def split(amount_minor: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Share an amount out by weights, in minor units; the parts add up to the amount, always.

    What rounding leaves goes to the largest remainders, of equal ones to the first (Hamilton's method). Of a negative
    amount the parts are those of the positive one, negated. Raises ValueError where no weight is above zero.
    """
    total = sum(weights)
    if total <= 0 or min(weights) < 0:
        raise ValueError("an amount is shared out by weights that are not negative, one of them above zero")
    if amount_minor < 0:
        return tuple(-part for part in split(-amount_minor, weights))
    parts = [amount_minor * weight // total for weight in weights]
    remainders = sorted(range(len(weights)), key=lambda i: (-(amount_minor * weights[i] % total), i))
    for i in remainders[: amount_minor - sum(parts)]:
        parts[i] += 1
    return tuple(parts)
