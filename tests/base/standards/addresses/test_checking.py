"""What is found in an address: what it needs, whether its parts fit together, and what was probably meant."""

from __future__ import annotations

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from parcelward.base.errors import Invalid
from parcelward.base.standards.addresses import findings, tables
from parcelward.base.standards.addresses.address import (
    STREET_LINES_MAX,
    TEXT_LENGTH_MAX,
    Address,
    in_order,
    postcode_in_order,
)
from parcelward.base.standards.addresses.checking import Checked, Kind, check
from parcelward.base.standards.addresses.labels import label_lines

SPRINGFIELD = Address(
    country="US",
    addressee="Ana Example",
    street_lines=("1 Sample Street",),
    locality="Springfield",
    administrative_area="CA",
    postcode="90210",
)
COUNTRIES = sorted(tables.forms())


def changed(**parts: object) -> Address:
    """Return the sample address with other parts."""
    from dataclasses import replace

    return replace(SPRINGFIELD, **parts)  # type: ignore[arg-type]


def of(country: str, **parts: object) -> Address:
    """Return an address of another country, with a street and a place."""
    bare: dict[str, object] = {"country": country, "administrative_area": "", "postcode": "", "locality": "Sampletown"}
    return changed(**bare | parts)


def told(checked: Checked) -> list[tuple[str, str, str]]:
    return [(one.pointer, one.code, one.suggestion) for one in checked.findings]


def test_the_example_is_written_as_its_country_writes_it():
    assert "114 55" in str(check(of("SE", postcode="none")).findings[0].message)


def test_a_postcode_as_its_country_writes_it_stays_so():
    for country, postcode in (("SE", "114 55"), ("LV", "LV-1073"), ("GR", "104 31"), ("AZ", "1000")):
        checked = check(of(country, postcode=postcode, street_lines=("1 Sample Street",)), strict=True)
        assert (checked.address.postcode, checked.findings) == (postcode, ())


@pytest.mark.parametrize(("country", "postcode"), [("LT", "LV-04340"), ("SI", "LT-4000"), ("SE", "SE-11455X")])
def test_another_countrys_letters_before_a_postcode_are_a_fault(country, postcode):
    assert not check(of(country, postcode=postcode)).good


def test_of_a_good_address_nothing_is_said():
    checked = check(SPRINGFIELD, strict=True)
    assert checked == Checked(SPRINGFIELD, (), Kind.UNKNOWN, po_box=False)
    assert checked.good


@pytest.mark.parametrize(
    ("address", "found"),
    [
        (changed(administrative_area="NY"), ("/administrative_area", "postcode_not_in_area", "CA")),
        (changed(postcode="10001"), ("/administrative_area", "postcode_not_in_area", "NY")),
        (changed(administrative_area="Califronia"), ("/administrative_area", "area_unknown", "CA")),
        (changed(administrative_area="Atlantis"), ("/administrative_area", "area_unknown", "")),
        (changed(administrative_area=""), ("/administrative_area", "missing", "CA")),
        (changed(locality=""), ("/locality", "missing", "")),
        (changed(street_lines=("", " ")), ("/street_lines", "missing", "")),
        (changed(postcode=""), ("/postcode", "missing", "")),
        (changed(postcode="9021O"), ("/postcode", "postcode_form_like", "90210")),
        (changed(postcode="501", administrative_area="NY"), ("/postcode", "postcode_form_like", "00501")),
        (changed(postcode="none"), ("/postcode", "postcode_form_like", "")),
        (changed(postcode="", locality="Springfield 90210"), ("/postcode", "postcode_in_locality", "90210")),
        (changed(country=""), ("/country", "country_missing", "")),
        (changed(country="XX"), ("/country", "country_unknown", "")),
        (changed(country="Germny"), ("/country", "country_unknown", "DE")),
        (changed(country="Untied States"), ("/country", "country_unknown", "US")),
        (changed(country="USA"), ("/country", "country_is_name", "US")),
        (of("Deutschland", postcode="10115"), ("/country", "country_is_name", "DE")),
        (of("UK", postcode="SW1A 1AA"), ("/country", "country_is_name", "GB")),
        (of("DE", postcode="D-10115"), ("/postcode", "postcode_form_like", "10115")),
        (of("LV", postcode="1073"), ("/postcode", "postcode_form_like", "LV-1073")),
        (of("GB", postcode="SWIA 1AA"), ("/postcode", "postcode_form_like", "SW1A 1AA")),
        (of("CA", administrative_area="ON", postcode="M5V 2TG"), ("/postcode", "postcode_form_like", "")),
        (of("CA", administrative_area="ON", postcode="MSV 2T6"), ("/postcode", "postcode_form_like", "M5V 2T6")),
        (changed(street_lines=("x" * (TEXT_LENGTH_MAX + 1),)), ("/street_lines/0", "too_long", "")),
        (changed(street_lines=("x",) * (STREET_LINES_MAX + 1)), ("/street_lines", "too_many_lines", "")),
    ],
)
def test_a_fault_is_found_where_it_is_and_refused_where_that_is_asked(address, found):
    checked = check(address)
    assert found in told(checked)
    assert not checked.good
    with pytest.raises(Invalid) as refused:
        check(address, strict=True)
    assert refused.value.code == "bad_address"
    assert [(one.pointer, one.code, one.suggestion) for one in refused.value.problems] == told(checked)
    assert all(one.message for one in refused.value.problems)


@pytest.mark.parametrize(
    ("address", "found", "becomes"),
    [
        (changed(postcode="\uff19\uff10\uff12\uff11\uff10"), ("/postcode", "changed", "90210"), {"postcode": "90210"}),
        (changed(postcode="٩٠٢١٠"), ("/postcode", "changed", "90210"), {"postcode": "90210"}),
        (changed(postcode="902101234"), ("/postcode", "changed", "90210-1234"), {"postcode": "90210-1234"}),
        (
            changed(locality="  Spring\u00a0 field,"),
            ("/locality", "changed", "Spring field"),
            {"locality": "Spring field"},
        ),
        (changed(administrative_area="california"), ("/administrative_area", "changed", "CA"), {}),
        (of("us", administrative_area="CA", postcode="90210"), ("/country", "changed", "US"), {"country": "US"}),
        (of("GB", postcode="sw1a1aa"), ("/postcode", "changed", "SW1A 1AA"), {"postcode": "SW1A 1AA"}),
        (of("IE", postcode="a65f4e2"), ("/postcode", "changed", "A65 F4E2"), {"postcode": "A65 F4E2"}),
        (of("SE", postcode="11455"), ("/postcode", "changed", "114 55"), {"postcode": "114 55"}),
        (of("SE", postcode="SE-114 55"), ("/postcode", "changed", "114 55"), {"postcode": "114 55"}),
        (of("LT", postcode="LT-04340"), ("/postcode", "changed", "04340"), {"postcode": "04340"}),
        (of("SI", postcode="si 4000"), ("/postcode", "changed", "4000"), {"postcode": "4000"}),
        (of("LI", postcode="FL-9490"), ("/postcode", "changed", "9490"), {"postcode": "9490"}),
        (of("DE", postcode="DE-10115"), ("/postcode", "changed", "10115"), {"postcode": "10115"}),
        (of("DE", postcode="1 0 1 1 5"), ("/postcode", "changed", "10115"), {"postcode": "10115"}),
        (of("JP", administrative_area="Tokyo", postcode="〒1000001"), ("/postcode", "changed", "100-0001"), {}),
        (of("FR", administrative_area="Rhône", postcode="69001"), ("/administrative_area", "not_printed", ""), {}),
        (of("IT", administrative_area="Lazio", postcode="00100"), ("/administrative_area", "area_other", "RM"), {}),
        (changed(street_lines=("P.O. Box 12",)), ("/street_lines/0", "po_box", ""), {}),
    ],
)
def test_advice_is_given_and_never_refused(address, found, becomes):
    checked = check(address, strict=True)
    assert found in told(checked)
    assert {name: getattr(checked.address, name) for name in becomes} == becomes


def test_where_several_areas_could_be_meant_none_is_suggested():
    found = check(of("IN", administrative_area="Kerala", postcode="396230"))
    assert told(found) == [("/administrative_area", "postcode_not_in_area", "")]


def test_text_is_put_in_order():
    assert in_order("\uff33\uff41\uff4d\u3000 \uff11\uff0d2\u200b\t") == "Sam 1-2"
    assert in_order(" ; Sample , ; ") == "Sample"
    assert postcode_in_order("\u3012,100 \u2014 0001-") == "100 - 0001"
    assert in_order("0 \x1b 0") == "0 0"
    assert in_order("\u200c \u0645\u06cc\u200c\u0631 \u200d,") == "\u0645\u06cc\u200c\u0631"
    assert in_order("Zu\u0308rich\x00") == "Z\u00fcrich"


def test_fields_that_changed_places_are_named_both():
    place = check(changed(locality="90210", postcode="Springfield"))
    assert told(place) == [("/postcode", "swapped", "90210"), ("/locality", "swapped", "Springfield")]
    area = check(changed(locality="California", administrative_area="Springfield"))
    assert told(area) == [("/administrative_area", "swapped", "CA"), ("/locality", "swapped", "Springfield")]
    assert told(check(changed(locality="New York", administrative_area="New Yrok", postcode="10001"))) == [
        ("/administrative_area", "area_unknown", "NY")
    ]


@pytest.mark.parametrize(
    "line",
    ["PO Box 5", "p.o.box 5", "Postfach 10 20", "Boîte postale 5", "BP 5", "Apartado de correos 5", "Caixa Postal 5",
     "Casella postale 5", "Postbus 5", "Postboks 5", "Skrytka pocztowa 5",
     "私書箱5号", "사서함 5", "\u0430/я 5", "ص.ب 5"],
)  # fmt: skip
def test_a_post_office_box_is_seen_in_many_languages(line):
    assert check(changed(street_lines=("Ana", line))).po_box


@pytest.mark.parametrize(
    "line", ["1 Boxwood Lane", "Postfachweg 1", "Rue Exemple 1 box 12", "12 Casilla Road", "Poe Box"]
)
def test_what_only_sounds_like_one_is_none(line):
    assert not check(changed(street_lines=(line,))).po_box


def test_a_business_is_one_that_is_named_and_everybody_else_is_unknown():
    assert check(changed(organisation="Sample Ltd")).kind is Kind.BUSINESS
    assert check(SPRINGFIELD).kind is Kind.UNKNOWN
    assert check(changed(organisation="Sample Ltd"), known=Kind.RESIDENTIAL).kind is Kind.RESIDENTIAL


def test_an_unknown_country_stays_as_it_was_typed():
    assert check(changed(country="Atlantis")).address.country == "Atlantis"
    assert told(check(changed(country="Congo"))) == [("/country", "country_unknown", "")]


def test_younger_areas_are_known_and_nothing_is_said_of_their_postcodes():
    assert check(of("IN", administrative_area="Telangana", postcode="500001")).good
    assert (
        check(of("MX", administrative_area="Ciudad de México", postcode="01000")).address.administrative_area == "CDMX"
    )


def test_the_words_are_in_the_readers_language_and_have_nothing_of_what_was_typed():
    found = check(changed(postcode="secret")).findings[0]
    assert found.message == "Postcodes of this country look like 95014. Check the postcode and the country."
    with translation.override("es"):
        assert found.message.startswith("Los códigos postales de este país son como 95014")
    for code, words in {**findings.FAULTS, **findings.ADVICE}.items():
        with translation.override("es"):
            spanish = str(words)
        assert str(words) != spanish, code


TEXTS = st.one_of(
    st.text(max_size=30),
    st.text(alphabet="0123456789ABCabc -,;.\u200c\u200d\x1b\uff19〒\u3000\u0130\u0390ß", max_size=25),
    st.sampled_from(
        [
            "CA",
            "california",
            "New York",
            "90210",
            "10115 Berlin",
            "sw1a1aa",
            "東京都",
            "PO Box 1",
            "\ud800",
            "\u0645\u200c\u0631",
        ]
    ),
)
ADDRESSES = st.builds(
    Address,
    country=st.one_of(st.sampled_from(COUNTRIES), TEXTS),
    street_lines=st.lists(TEXTS, max_size=6).map(tuple),
    **dict.fromkeys(
        (
            "addressee",
            "organisation",
            "dependent_locality",
            "locality",
            "administrative_area",
            "postcode",
            "sorting_code",
        ),
        TEXTS,
    ),
)


@given(ADDRESSES)
def test_whatever_is_typed_only_strict_refuses_and_only_with_invalid(address):
    checked = check(address)
    for finding in checked.findings:
        assert finding.message
    try:
        check(address, strict=True)
    except Invalid:
        assert not checked.good
    else:
        assert checked.good


@given(ADDRESSES)
def test_what_was_put_in_order_stays_as_it_is(address):
    once = check(address).address
    again = check(once)
    assert again.address == once
    assert not {"changed", "country_is_name"} & {one.code for one in again.findings} or once == address


@given(ADDRESSES, st.sampled_from(COUNTRIES), st.sampled_from([None, True, False]))
def test_a_label_is_the_same_before_and_after_the_address_was_put_in_order(address, origin, latin):
    once = check(address).address
    try:
        lines = label_lines(once, from_country=origin, latin=latin)
    except Invalid:
        return
    assert lines == label_lines(check(once).address, from_country=origin, latin=latin)
    assert all(
        line == line.strip() and line.replace("\u200c", "").replace("\u200d", "").isprintable() for line in lines
    )
