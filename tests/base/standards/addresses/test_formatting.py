"""Addresses as people read them; the published cases are in tests/conformance/test_addresses.py."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parcelward.base.errors import Invalid
from parcelward.base.standards.addresses import tables
from parcelward.base.standards.addresses.formatting import COMPONENT_LENGTH_MAX, COMPONENTS_MAX, format_lines

SAMPLE = {"road": "Musterweg", "house_number": "1", "postcode": "10115", "city": "Berlin", "country": "Germany"}


def test_each_country_has_its_own_order():
    german = ("Musterweg 1", "10115 Berlin", "Germany")
    assert format_lines(SAMPLE | {"country_code": "de"}) == german
    assert format_lines(SAMPLE, country="DE") == german
    assert format_lines(SAMPLE, country="US") == ("1 Musterweg", "Berlin, 10115", "Germany")


def test_an_unknown_country_takes_the_common_form():
    assert format_lines(SAMPLE, country="XX") == ("Musterweg 1", "10115 Berlin", "Germany")
    assert format_lines(SAMPLE | {"country_code": "nowhere"}) == ("Musterweg 1", "10115 Berlin", "Germany")


def test_what_no_template_knows_stands_first():
    assert format_lines(SAMPLE | {"cafe": "Sample Bar"}, country="DE")[0] == "Sample Bar"


def test_a_district_is_part_of_a_town_in_some_countries_and_of_a_state_in_others():
    parts = {"road": "Calle Ejemplo", "city": "Sampletown", "state": "Samplestate", "district": "Districtia"}
    assert format_lines(parts, country="CR")[1] == "Samplestate, Sampletown, Districtia"
    assert format_lines(parts, country="AE")[1:] == ("Sampletown", "Districtia")


def test_of_nothing_comes_nothing():
    assert format_lines({}) == ()
    assert format_lines({"road": "--", "city": "https://example.com/"}, country="DE") == ()


def test_there_is_an_end_to_what_is_formatted():
    with pytest.raises(Invalid):
        format_lines({"road": "x" * (COMPONENT_LENGTH_MAX + 1)})
    with pytest.raises(Invalid):
        format_lines({f"kind_{nth}": "x" for nth in range(COMPONENTS_MAX + 1)})


TEXTS = st.one_of(
    st.text(max_size=20),
    st.text(alphabet=" ,-\n|<>{}()aB1\\$", max_size=20),
    st.sampled_from(["New York", "Berlin", "US", "31000", "{{{road}}}", "\\1"]),
)
KINDS = sorted(tables.templates().kinds)
CODES = sorted(tables.templates().countries)


@given(
    st.dictionaries(st.one_of(st.sampled_from(KINDS), st.text(max_size=5)), TEXTS, max_size=12),
    st.sampled_from(["", "XX", *CODES]),
    st.booleans(),
)
def test_whatever_stands_in_the_components_lines_come_out_and_again_the_same(components, country, abbreviate):
    before = dict(components)
    lines = format_lines(components, country=country, abbreviate=abbreviate)
    assert components == before
    assert lines == format_lines(components, country=country, abbreviate=abbreviate)
    assert all(line == line.strip() and "\n" not in line for line in lines)
