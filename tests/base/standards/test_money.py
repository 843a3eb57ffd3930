"""Amounts are split and rounded without losing or making a minor unit."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parcelward.base.standards import money
from parcelward.base.standards.errors import BadCurrency

AMOUNTS = st.integers(-money.AMOUNT_MINOR_MAX, money.AMOUNT_MINOR_MAX)


@pytest.mark.parametrize(("code", "digits"), [("JPY", 0), ("EUR", 2), ("KWD", 3), ("CLF", 4), ("ISK", 0), ("IQD", 3)])
def test_each_currency_has_its_own_minor_unit(code, digits):
    assert money.MINOR_DIGITS[money.currency(code)] == digits


@pytest.mark.parametrize("code", ["", "eur", "EU", "EURO", "XAU", "XDR", "XTS", "ZZZ", "E\u0055R "])
def test_what_nobody_pays_in_is_no_currency(code):
    with pytest.raises(BadCurrency):
        money.currency(code)


def test_an_amount_is_exact_in_its_major_unit():
    assert money.decimal(1234, money.currency("EUR")) == Decimal("12.34")
    assert money.decimal(-5, money.currency("KWD")) == Decimal("-0.005")
    assert money.decimal(1234, money.currency("JPY")) == 1234


@given(AMOUNTS, st.integers(0, 10**9), st.integers(1, 10**9))
def test_a_share_is_rounded_half_to_even(amount, numerator, denominator):
    assert money.share(amount, numerator, denominator) == round(Fraction(amount * numerator, denominator))


@given(AMOUNTS, st.lists(st.integers(0, 10**9), min_size=1, max_size=20).filter(any))
def test_parts_add_up_and_none_is_a_unit_off(amount, weights):
    parts = money.split(amount, weights)
    assert sum(parts) == amount
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - Fraction(amount * weight, sum(weights))) < 1


@pytest.mark.parametrize("weights", [[], [0, 0], [2, -1]])
def test_an_amount_is_not_shared_out_among_nobody(weights):
    with pytest.raises(ValueError, match="weights"):
        money.split(100, weights)


def test_of_equal_remainders_the_first_has_the_unit():
    assert money.split(100, [1, 1, 1]) == (34, 33, 33)
    assert money.split(-100, [1, 1, 1]) == (-34, -33, -33)
