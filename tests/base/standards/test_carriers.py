from __future__ import annotations

import pytest

from parcelward.base.standards import carriers, s10


def formats(text: str) -> list[str]:
    return [reading.format for reading in carriers.recognise(text)]


def test_a_reading_says_whose_it_is_and_where_to_follow_it() -> None:
    (reading,) = carriers.recognise(" 1z-5r89390357567127 ")
    assert (reading.courier, reading.courier_name, reading.format) == ("ups", "UPS", "ups")
    assert reading.number == "1Z5R89390357567127"
    assert reading.checked
    assert reading.service == "UPS United States Ground"
    assert reading.tracking_url.endswith("trackNums=1Z5R89390357567127")


def test_an_s10_reading_names_the_issuing_operator() -> None:
    (reading,) = carriers.recognise("RB123456785GB")
    assert (reading.courier, reading.operator, reading.country) == ("s10", "Royal Mail Group plc", "GB")
    assert reading.service.startswith("Letter Post Registered")


def test_a_country_without_a_postal_operator_is_refused() -> None:
    assert formats("RB123456785XX") == []
    assert not carriers.is_misread("RB123456785XX")


def test_readings_with_a_check_digit_come_first() -> None:
    assert formats(str(s10.make("LX", 12345678, "CN"))) == ["s10", "dhl_ecommerce"]
    assert set(formats("000000000000")) == {"fedex_12", "purolator_numeric"}


def test_a_format_without_a_check_digit_says_so() -> None:
    (reading,) = carriers.recognise("GFUS01011884214464")
    assert not reading.checked


def test_a_hyphen_in_the_number_is_no_part_of_it() -> None:
    assert formats("1LS7119013618127-1") == formats("1LS71190136181271") == ["lasership-1ls7-18"]
    assert formats("1LS7119013618127-2") == []


@pytest.mark.parametrize("text", ["986578788855", "RB123456785GB", "0073938000549297", "1Z5R89390357567127"])
def test_a_misread_character_is_told_from_a_wrong_shape(text: str) -> None:
    misread = text.replace("5", "6", 1)
    assert carriers.is_misread(misread)
    assert not carriers.is_misread(text)
    assert not carriers.is_misread(text * 3)


@pytest.mark.parametrize(
    "text", ["", " ", "é", "9" * 65, "9" * 10_000, "GM" + "A" * 39, "1Z" + "Å" * 16, "\u0660" * 12]
)
def test_what_no_format_fits_is_no_reading_and_no_error(text: str) -> None:
    assert carriers.recognise(text) == ()
    assert not carriers.is_misread(text)


def test_a_checksum_that_the_engine_does_not_know_stops_the_table() -> None:
    with pytest.raises(ValueError, match="does not know"):
        carriers._check({"name": "mod97"})


def test_no_pattern_can_repeat_a_repetition() -> None:
    """Backtracking grows with the length of the text at most, because every pattern has a longest match."""
    for length, forms in carriers._formats_by_length().items():
        assert length <= carriers.NUMBER_LENGTH_MAX
        assert all(
            "*" not in f.pattern.pattern.replace("[^0-9A-Z]*", "") and "+" not in f.pattern.pattern for f in forms
        )
