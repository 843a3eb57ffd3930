"""EasyPost's units and ours: ounces and inches, grams and millimetres, decimal strings and minor units. Pure.

An ounce is 28.349523125 g and an inch 25.4 mm, exactly. What has to be rounded is rounded in the customer's favour:
weights and sizes down, for a price never falls with either.
"""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal
from typing import Final

from parcelward.base.standards import money
from parcelward.base.standards.money import Currency

GRAMS_IN_OUNCE: Final = Decimal("28.349523125")  # 1959 international yard and pound agreement
MILLIMETRES_IN_INCH: Final = Decimal("25.4")


def grams(ounces: Decimal) -> int:
    """Return whole grams, rounded down in the customer's favour; at least one."""
    return _in_favour(ounces * GRAMS_IN_OUNCE)


def millimetres(inches: Decimal) -> int:
    """Return whole millimetres, rounded down in the customer's favour; at least one."""
    return _in_favour(inches * MILLIMETRES_IN_INCH)


def _in_favour(amount: Decimal) -> int:
    return max(1, int(amount.to_integral_value(rounding=ROUND_DOWN)))


def minor(amount: Decimal, of: Currency) -> int | None:
    """Return an amount in the minor unit; None where it has more digits than the currency: nobody rounds a price."""
    scaled = amount.scaleb(money.MINOR_DIGITS[of])
    whole = int(scaled)
    return whole if scaled == whole else None


def amount(amount_minor: int, of: Currency) -> str:
    """Return an amount as a decimal string, exactly: 910 of USD is "9.10"."""
    return str(money.decimal(amount_minor, of))
