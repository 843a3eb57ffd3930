"""Tariff codes: the table is whole, and people's own words find the right heading among the first five."""

from __future__ import annotations

import time

import pytest
from tests.shipping.everyday_goods import FIRST, LATER

from parcelward.shipping.customs import hs


def found(words: str) -> set[str]:
    return {one.code[:4] for one in hs.suggest(words)}


def test_the_table_is_whole() -> None:
    assert (hs.is_code("610910"), hs.words_of("6109")[:8]) == (True, "T-shirts")
    assert not hs.is_code("6109")
    assert not hs.is_code("999999"), "statistics' own, for what nobody said"
    assert hs.about() == {
        "edition": "HS 2022",
        "source": "github.com/datasets/harmonized-system at 905e5a0, from UN Comtrade",
        "licence": "ODC Public Domain Dedication and License (PDDL) 1.0",
        "date": "2024-10-25",
    }
    codes = hs._table()
    assert [sum(len(code) == n for code in codes) for n in (2, 4, 6)] == [97, 1229, 5613]
    assert all(code[:2] in codes and code[:4] in codes for code in codes), "each has its heading and chapter"


def test_everyday_goods_find_their_heading() -> None:
    wrong = [words for words, headings in FIRST.items() if not found(words) & headings]
    assert len(wrong) <= 1, wrong
    wrong = [words for words, headings in LATER.items() if not found(words) & headings]
    assert len(wrong) <= 1, wrong


@pytest.mark.parametrize(
    ("words", "heading"), [("T-SHIRTS, 3 pcs!", "6109"), ("guitarras guitars", "9202"), ("Tées tea", "0902")]
)
def test_words_are_read_as_people_write_them(words: str, heading: str) -> None:
    assert heading in found(words)


def test_what_is_no_word_finds_nothing_and_takes_no_time() -> None:
    assert hs.suggest("") == hs.suggest("??? 12 qqqq") == ()
    began = time.process_time()
    assert len(hs.suggest("cotton " * 100_000)) == hs.FOUND
    assert time.process_time() - began < 1


def test_no_more_than_two_codes_are_of_one_heading() -> None:
    headings = [one.code[:4] for one in hs.suggest("cotton shirt")]
    assert all(headings.count(each) <= 2 for each in headings)
