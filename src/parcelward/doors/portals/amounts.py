"""Amounts of money as people read and write them; between, they are integers of the minor unit."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from parcelward.base.errors import Invalid
from parcelward.base.standards import money
from parcelward.base.standards.money import Currency

TYPED_LENGTH_MAX: Final = 20
_TYPED: Final = re.compile(r"(\d{1,12})(?:[.,](\d{1,4}))?", re.ASCII)


def shown(amount_minor: int, currency: Currency) -> str:
    """Return an amount as the reader's language writes it, with its currency: 1,234.50 USD, 1.234,50 EUR."""
    digits = money.MINOR_DIGITS[currency]
    number = number_format(money.decimal(amount_minor, currency), digits, use_l10n=True, force_grouping=True)
    return f"{number}\N{NO-BREAK SPACE}{currency}"


def typed(text: str, currency: Currency) -> int:
    """Return an amount that somebody typed, in minor units: with a point or a comma, and no separator of thousands.

    Raises Invalid: 1,234 could be a thousand or one and a bit, so what has three digits after it is asked about.
    """
    digits = money.MINOR_DIGITS[currency]
    found = _TYPED.fullmatch(text.strip()[:TYPED_LENGTH_MAX])
    if found is None or len(found[2] or "") > digits:
        example = number_format(Decimal(25), digits)
        raise Invalid(
            _("Enter an amount such as %(example)s, without a separator of thousands.") % {"example": example},
            code="bad_amount",
        )
    unit: int = 10**digits
    return int(found[1]) * unit + int((found[2] or "").ljust(digits, "0") or "0")
