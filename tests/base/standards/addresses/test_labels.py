"""What stands on a label, by the country's own form."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from parcelward.base.errors import Invalid
from parcelward.base.standards.addresses import tables
from parcelward.base.standards.addresses.address import Address
from parcelward.base.standards.addresses.labels import UNKNOWN_FORM, country_line, label_lines

ANA = Address(addressee="Ana Example", street_lines=("1 Sample Street",), locality="Sampletown")


def lines(country: str, origin: str, *, latin: bool | None = None, name_in: str = "", **parts: Any) -> list[str]:
    """Return the label of the sample address in a country."""
    address = replace(ANA, country=country, **parts)
    return list(label_lines(address, from_country=origin, latin=latin, name_in=name_in))


def test_at_home_no_country_is_named():
    assert lines("US", "US", administrative_area="california", postcode="90210") == [
        *("Ana Example", "1 Sample Street", "SAMPLETOWN CA 90210"),
    ]


@pytest.mark.parametrize(
    ("origin", "name_in", "last"),
    [("DE", "", "UNITED STATES"), ("FR", "", "ÉTATS-UNIS"), ("CA", "fr", "ÉTATS-UNIS"), ("FR", "en", "UNITED STATES")],
)
def test_abroad_the_country_stands_last_in_english_or_french(origin, name_in, last):
    assert lines("US", origin, name_in=name_in, administrative_area="CA", postcode="90210")[-1] == last


def test_every_country_is_named_in_capitals_in_both_languages():
    for country in tables.forms():
        for language in ("en", "fr"):
            name = country_line(country, language)
            assert name
            assert name == name.upper()


def test_the_letters_before_a_postcode_are_for_mail_from_abroad_and_stand_once():
    assert lines("CH", "DE", postcode="8000")[2:] == ["CH-8000 Sampletown", "SWITZERLAND"]
    assert lines("CH", "CH", postcode="8000")[2:] == ["8000 Sampletown"]
    assert lines("FI", "SE", postcode="FI-00100")[2] == "FI-00100 Sampletown"
    assert lines("CH", "DE")[2:] == ["Sampletown", "SWITZERLAND"]
    assert lines("SI", "DE", postcode="SI-4000")[2] == "SI-4000 Sampletown"
    assert lines("SE", "DE", postcode="114 55")[2] == "SE-114 55 Sampletown"
    assert lines("SE", "SE", postcode="114 55")[2] == "114 55 Sampletown"


def test_an_address_takes_the_form_of_its_own_letters():
    tokyo = Address("JP", "見本", "", ("見本1-2",), "", "千代田区", "東京都", "100-0001")
    assert label_lines(tokyo, from_country="JP") == ("〒100-0001", "東京都千代田区", "見本1-2", "見本")
    assert lines("JP", "US", administrative_area="東京都", postcode="100-0001") == [
        *("Ana Example", "1 Sample Street", "Sampletown, TOKYO", "100-0001", "JAPAN"),
    ]
    assert lines("JP", "US", latin=False, administrative_area="Tokyo", postcode="100-0001")[:2] == [
        *("〒100-0001", "東京都Sampletown"),
    ]


def test_what_stands_between_two_fields_goes_with_either():
    assert lines("BR", "BR", administrative_area="São Paulo")[2:] == ["SAMPLETOWN-SP"]
    assert lines("BR", "BR")[2:] == ["SAMPLETOWN"]
    assert lines("MX", "MX", postcode="01000")[2:] == ["01000 SAMPLETOWN"]
    assert lines("FR", "FR", postcode="69001", sorting_code="Cedex 03")[2:] == ["69001 SAMPLETOWN CEDEX 03"]


def test_nothing_that_was_written_is_lost_but_an_area_that_is_not_wanted():
    assert lines("GB", "GB", dependent_locality="Little Sampling", postcode="SW1A 1AA")[2:] == [
        *("Little Sampling", "SAMPLETOWN", "SW1A 1AA"),
    ]
    assert lines("IE", "IE", postcode="A65 F4E2")[2:] == ["Sampletown", "A65 F4E2"]
    assert lines("DE", "DE", postcode="10115", administrative_area="Berlin")[2:] == ["10115 Sampletown"]
    for country, form in tables.forms().items():
        given: dict[str, Any] = {"dependent_locality": "Districtia", "postcode": "Z9Z9", "organisation": "Sample Ltd"}
        text = "\n".join(lines(country, "DE", **given)).casefold()
        for part in (*given.values(), "Ana Example", "1 Sample Street"):
            assert part.casefold() in text, (country, form.fmt)


def test_a_country_that_is_not_known_stands_as_it_was_written_and_loses_nothing():
    assert "%Z" in UNKNOWN_FORM
    assert lines("Atlantis", "DE", postcode="12", administrative_area="Deep") == [
        *("Ana Example", "1 Sample Street", "Sampletown 12", "Deep", "Atlantis"),
    ]


def test_more_than_a_label_has_room_for_is_refused():
    with pytest.raises(Invalid):
        lines("DE", "DE", postcode="1" * 21)
    with pytest.raises(Invalid):
        label_lines(replace(ANA, street_lines=("x",) * 6), from_country="DE")
