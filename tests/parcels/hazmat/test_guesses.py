"""What no entry names is looked at: one letter wrong, a name or number of chemistry, an unknown part of a list."""

from __future__ import annotations

from typing import Any

import pytest

from parcelward.parcels.hazmat import queries, spelling
from parcelward.parcels.hazmat.guesses import guess
from parcelward.parcels.hazmat.text import read
from parcelward.parcels.hazmat.wire import Answer, Answers, Declaration, Mode


def answer(description: str, language: str, *, un: str = "", **said: Any) -> Answer:
    given = Declaration(description, language=language, un=un, answers=Answers(declared_harmless=True, **said))
    return queries.screen(given, Mode.AIR).answer


@pytest.mark.parametrize(
    ("word", "label"),
    [
        ("parfun", "kind:perfume"),
        ("ligther", "kind:lighter"),
        ("feuerzueg", "kind:lighter"),
        ("gasolnie", "kind:flammable_liquid"),
        ("cyanomethane", "kind:chemical"),
        ("dimethylbenzene", "kind:chemical"),
        ("latches", ""),  # its first letter is right
        ("vase", ""),
        ("button", ""),
        ("methodical", ""),
    ],
)
def test_a_word_is_guessed_when_one_letter_is_wrong_or_its_parts_are_of_chemistry(word: str, label: str) -> None:
    assert guess(spelling.folded(word)) == label


@pytest.mark.parametrize(
    ("description", "language"),
    [
        ("Cadeau : bougies, parfun 50 ml", "fr"),
        ("Ceramic mug, 2-bromobutane", "en"),  # of the table
        ("Ceramic mug, cyanomethane", "en"),
        ("Ceramic mug, 7664-93-9", "en"),  # sulfuric acid, by its number
        ("Ceramic mug, zwxqv", "en"),
        ("Taza de cerámica, muestra zwxqv", "es"),
        ("Keramiktasse, detonating cord", "de"),
    ],
)
def test_a_list_with_a_part_that_names_nothing_known_is_never_accepted(description: str, language: str) -> None:
    assert answer(description, language) > Answer.ACCEPT_GROUND_ONLY


@pytest.mark.parametrize(
    ("description", "language"),
    [
        ("Ceramic mug, blue, 300 ml", "en"),
        ("Taza de cerámica, tamaño grande", "es"),
        ("Tasse en céramique, lot de 2", "fr"),
        ("Keramiktasse, 4 Stück", "de"),
        ("Ceramic mug, 1234-56-9", "en"),  # its last digit is wrong: no number of a substance
    ],
)
def test_colours_sizes_and_materials_name_no_goods(description: str, language: str) -> None:
    assert answer(description, language) is Answer.ACCEPT


@pytest.mark.parametrize(
    ("description", "language", "kind"),
    [
        ("Llavero con forma de bala", "es", "explosive"),
        ("Chocolate matches, 100 g", "en", "matches"),
        ("Toy matchbox, matches, no matches", "en", "matches"),
    ],
)
def test_a_shape_a_sweet_and_what_is_said_to_be_left_out_are_looked_at(
    description: str, language: str, kind: str
) -> None:
    assert kind in read(description, language).doubtful
    assert answer(description, language) is Answer.INSPECT


def test_a_number_of_the_table_is_never_accepted_because_all_else_says_no() -> None:
    assert answer("Perfume, alcohol free", "en", un="UN1266", alcohol_percent=0, liquid=True) is Answer.HOLD
