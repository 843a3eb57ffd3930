from __future__ import annotations

import dataclasses

import pytest

from parcelward.base.standards import s10
from parcelward.base.standards.errors import CHECK_DIGIT_WRONG, BadItemNumber
from parcelward.base.standards.s10 import Family


@pytest.mark.parametrize(
    ("serial8", "digit"),
    [
        ("47312482", 9),  # the sum is 200; 11 - 200 % 11 = 9
        ("00000000", 5),  # remainder 0 gives 11, which becomes 5
        ("96633102", 0),  # remainder 1 gives 10, which becomes 0
        ("12345678", 5),
        ("00071759", 5),
        ("76129403", 8),
    ],
)
def test_check_digit(serial8: str, digit: int) -> None:
    assert s10.check_digit(serial8) == digit


@pytest.mark.parametrize("serial", ["", "1234567", "123456789", "1234567a", "١٢٣٤٥٦٧٨"])
def test_check_digit_wants_eight_ascii_digits(serial: str) -> None:
    with pytest.raises(BadItemNumber):
        s10.check_digit(serial)


@pytest.mark.parametrize(
    "text",
    [
        "RA473124829GB",
        "ra 4731 2482 9 gb",
        "RA-47312482-9-GB",
        "RA\u00a04731\u202f2482\u20119\u200bGB",
        "ＲＡ４７３１２４８２９ＧＢ",  # noqa: RUF001 -- full-width, as East Asian keyboards type it
    ],
)
def test_all_spellings_are_one_identifier(text: str) -> None:
    item = s10.parse(text)
    assert item == s10.S10("RA", "47312482", 9, "GB")
    assert str(item) == "RA473124829GB"


def test_an_identifier_cannot_be_changed() -> None:
    item = s10.parse("RA473124829GB")
    with pytest.raises(dataclasses.FrozenInstanceError):
        item.serial = "00000000"  # type: ignore[misc]  # the point of the test


@pytest.mark.parametrize(
    "text",
    [
        "",
        "RA473124829",
        "RA473124829GBX",
        "R1473124829GB",
        "RA47312482XGB",
        "RA473124829G1",
        "RÄ473124829GB",
        "RA" * 600,
    ],
)
def test_what_is_not_shaped_is_refused(text: str) -> None:
    with pytest.raises(BadItemNumber) as refused:
        s10.parse(text)
    assert refused.value.code == "bad_item_number"
    assert refused.value.status == 422


def test_a_wrong_check_digit_says_so_and_repeats_nothing() -> None:
    with pytest.raises(BadItemNumber, match="probably misread") as refused:
        s10.parse("RA473124828GB")
    assert refused.value.code == CHECK_DIGIT_WRONG
    assert "4731" not in str(refused.value)


def test_make_fills_the_serial_with_zeros() -> None:
    assert str(s10.make("CP", 1, "AU")) == "CP000000014AU"


@pytest.mark.parametrize(
    ("service_indicator", "serial", "country"),
    [("R", 1, "GB"), ("ra", 1, "GB"), ("R1", 1, "GB"), ("RA", -1, "GB"), ("RA", 10**8, "GB"), ("RA", 1, "GBR")],
)
def test_make_refuses_parts_that_do_not_fit(service_indicator: str, serial: int, country: str) -> None:
    with pytest.raises(BadItemNumber):
        s10.make(service_indicator, serial, country)


def test_grouped_for_eyes() -> None:
    assert s10.grouped("ra473012345gb") == "RA 4730 1234 5 GB"


@pytest.mark.parametrize(
    ("service_indicator", "family"),
    [
        ("CP", Family.PARCEL),
        ("EE", Family.EMS),
        ("HA", Family.ECOMMERCE),
        ("LX", Family.TRACKED),
        ("MZ", Family.M_BAG),
        ("RR", Family.REGISTERED),
        ("UA", Family.UNTRACKED),
        ("VV", Family.INSURED),
        ("QM", Family.BUSINESS_REPLY),
        ("QN", Family.UNASSIGNED),
        ("GA", Family.BY_AGREEMENT),
        ("GB", Family.UNASSIGNED),
        ("ZZ", Family.BY_AGREEMENT),
        ("TA", Family.RESERVED),
        ("XX", Family.UNASSIGNED),
    ],
)
def test_family_of_a_service_indicator(service_indicator: str, family: Family) -> None:
    assert s10.family(service_indicator) is family
    assert s10.make(service_indicator, 7, "GB").family is family
    assert s10.WORDS[family]
