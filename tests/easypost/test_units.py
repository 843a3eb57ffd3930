"""Ounces, inches and decimal strings are ours exactly, or rounded in the customer's favour, and nothing is guessed."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parcelward.base.standards import money
from parcelward.doors.easypost import units

USD, JPY, KWD = (money.currency(code) for code in ("USD", "JPY", "KWD"))
MEASURES = st.decimals(min_value=Decimal("0.01"), max_value=10_000, places=2)


@pytest.mark.parametrize(
    ("ounces", "grams"), [("16", 453), ("35.274", 1000), ("35.2739", 999), ("0.001", 1), ("17.6", 498), ("15.4", 436)]
)
def test_an_ounce_is_28_349523125_g_and_what_is_left_is_not_paid_for(ounces: str, grams: int) -> None:
    assert units.grams(Decimal(ounces)) == grams


@pytest.mark.parametrize(("inches", "mm"), [("10", 254), ("20.2", 513), ("59.06", 1500), ("0.01", 1), ("11.8", 299)])
def test_an_inch_is_25_4_mm_and_what_is_left_is_not_paid_for(inches: str, mm: int) -> None:
    assert units.millimetres(Decimal(inches)) == mm


@given(MEASURES)
def test_nothing_is_ever_rounded_up_beyond_what_was_said(amount: Decimal) -> None:
    exact = amount * units.GRAMS_IN_OUNCE
    assert units.grams(amount) == 1 or exact - 1 < units.grams(amount) <= exact


@pytest.mark.parametrize(
    ("minor", "currency", "text"), [(910, USD, "9.10"), (5, USD, "0.05"), (910, JPY, "910"), (1234, KWD, "1.234")]
)
def test_money_has_the_digits_of_its_currency(minor: int, currency: money.Currency, text: str) -> None:
    assert units.amount(minor, currency) == text
    assert units.minor(Decimal(text), currency) == minor


@given(st.integers(0, 10**12))
def test_money_comes_back_as_it_went(minor: int) -> None:
    assert units.minor(Decimal(units.amount(minor, USD)), USD) == minor


@pytest.mark.parametrize(("text", "currency"), [("1.005", USD), ("0.1", JPY), ("9.9999", KWD)])
def test_an_amount_that_the_currency_cannot_hold_is_refused_and_not_rounded(
    text: str, currency: money.Currency
) -> None:
    assert units.minor(Decimal(text), currency) is None
