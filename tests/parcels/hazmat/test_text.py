"""What is read out of a description: words in four languages, disguises, denials, titles, and nothing else."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parcelward.parcels.hazmat import lexicon, spelling, table, text

FOLDER = Path(text.__file__).parent


def kinds(description: str, language: str = "") -> set[str]:
    return {kind for kind in text.read(description, language).kinds if not kind.startswith("un:")}


@pytest.mark.parametrize(
    ("description", "language", "kind"),
    [
        ("Lithium-ion batteries", "en", "lithium_ion"),
        ("Batería de iones de litio", "es", "lithium_ion"),
        ("Accumulateur lithium-ion", "fr", "lithium_ion"),
        ("Lithium-Ionen-Akku", "de", "lithium_ion"),
        ("Fuegos artificiales", "es", "explosive"),
        ("Feux d\u2019artifice", "fr", "explosive"),
        ("Feuerwerkskörper", "de", "explosive"),
        ("Nagellackentferner", "de", "flammable_liquid"),
        ("dissolvant à ongles", "fr", "flammable_liquid"),
        ("Feuerloescher", "de", "gas"),  # ö written in two letters
        ("FEUERLÖSCHER", "de", "gas"),
        ("Parfüm", "de", "perfume"),
        ("parfum", "fr", "perfume"),
    ],
)
def test_a_kind_is_known_in_four_languages(description: str, language: str, kind: str) -> None:
    assert kind in kinds(description, language)
    assert kind in kinds(description)  # and when nobody said which language it is


@pytest.mark.parametrize(
    ("description", "kind"),
    [
        ("L1TH1UM battery", "lithium"),
        ("l i t h i u m cells", "lithium"),
        ("p.e.r.f.u.m.e", "perfume"),
        ("per\u200bfume", "perfume"),  # an invisible letter
        ("\u0440erfume", "perfume"),  # its first letter is Cyrillic
        ("p0wer b@nk", "power_bank"),
        ("f1rew0rks", "explosive"),
        ("\uff46\uff49\uff52\uff45\uff57\uff4f\uff52\uff4b\uff53", "explosive"),  # full width
        ("batery", "battery"),
        ("battterry", "battery"),
        ("purfume", "perfume"),  # one letter wrong
        ("purfwme", ""),  # two: what is not known is not guessed
    ],
)
def test_a_disguise_is_seen_through(description: str, kind: str) -> None:
    assert kind in kinds(description) or (not kind and not kinds(description))


@pytest.mark.parametrize(
    ("description", "language"),
    [
        ("Toy car, no batteries included", "en"),
        ("Toy car, batteries not included", "en"),
        ("Toy car without any battery", "en"),
        ("Coche de juguete sin pilas", "es"),
        ("Coche de juguete, pilas no incluidas", "es"),
        ("Voiture jouet sans pile", "fr"),
        ("Voiture jouet, piles non fournies", "fr"),
        ("Spielzeugauto ohne Batterie", "de"),
        ("Spielzeugauto, Batterien nicht enthalten", "de"),
        ("Spielzeugauto, keine Batterien", "de"),
    ],
)
def test_what_is_denied_is_not_there(description: str, language: str) -> None:
    reading = text.read(description, language)
    assert "battery" not in reading.kinds
    assert "battery" in reading.denied


@pytest.mark.parametrize(
    "description",
    [
        "Toy car, not without battery",
        "No box, with battery",
        "Sin caja, con batería",
        "Ohne Karton, mit Batterie",
        "No batteries in the toy, one battery beside it",  # said and denied: said counts
        "No instructions. Battery",
    ],
)
def test_a_denial_reaches_no_further_than_its_words(description: str) -> None:
    assert "battery" in kinds(description)


@pytest.mark.parametrize(
    ("description", "language"),
    [
        ('Book "Lighter than Air"', "en"),
        ("Fireworks pattern wrapping paper", "en"),
        ("Acid green evening dress", "en"),
        ("Laptop sleeve", "en"),
        ("Póster de fuegos artificiales", "es"),
        ("Affiche feu d'artifice", "fr"),
        ("Feuerzeughülle", "de"),
        ("Batterietasche", "de"),
        ('T-Shirt mit Aufdruck "Dynamit"', "de"),
    ],
)
def test_a_title_a_motif_and_a_cover_are_not_the_thing(description: str, language: str) -> None:
    reading = text.read(description, language)
    assert not {k for k in reading.kinds if not k.startswith("un:")}
    assert reading.understood


@pytest.mark.parametrize(
    ("description", "kind"),
    [
        ("Book-shaped lighter", "lighter"),
        ("Book and lighter", "lighter"),
        ("Laptop sleeve with laptop", "device"),
        ("Poster, tube of lighter gas", "gas_flammable"),
        ("Phone without box and card", "device"),
        ("Book with hidden lighter", "lighter"),
        ('Gift "perfume"', "perfume"),  # no title without a book
        ("Bluetooth beanie", "powered"),
        ("Encendedor con forma de libro", "lighter"),
        ("Briquet motif affiche", "lighter"),
        ("Handy ohne Simkarte", "device"),
    ],
)
def test_a_book_hides_nothing(description: str, kind: str) -> None:
    assert kind in kinds(description)


def test_a_false_friend_is_read_in_its_own_language_alone() -> None:
    assert "toxic" in kinds("Gift", "de")
    assert "toxic" not in kinds("Gift", "en")
    assert "battery" in kinds("pile", "fr")
    assert "battery" not in kinds("pile of bricks", "en")


def test_a_name_of_the_table_is_known_by_its_id() -> None:
    assert "un:UN1888" in text.read("chloroform 50 ml", "en").kinds
    assert "un:UN1098" in text.read("Allyl alcohol", "en").kinds


def test_the_words_that_count_are_named() -> None:
    assert text.read("Red Power-Bank, new", "en").kinds["power_bank"] == ("power bank",)


@pytest.mark.parametrize(
    ("description", "wh", "ml"),
    [
        ("Power bank 20000 mAh", 74.0, None),
        ("36 V 10 Ah", 360.0, None),
        ("0,5 kWh", 500.0, None),
        ("99.9 Wh", 99.9, None),
        ("perfume 50 ml and 1,5 l", None, 1500.0),
        ("two books", None, None),
    ],
)
def test_amounts_are_read(description: str, wh: float | None, ml: float | None) -> None:
    reading = text.read(description)
    assert reading.watt_hours == (pytest.approx(wh) if wh else None)
    assert reading.volume_ml == ml


def test_what_is_not_latin_or_too_long_is_not_readable() -> None:
    assert not text.read("打火机").readable
    assert not text.read("зажигалка").readable
    assert not text.read("book " * 1000).readable
    assert text.read("book").readable


def test_every_entry_is_written_as_it_is_looked_up() -> None:
    files = [json.loads((FOLDER / name).read_text(encoding="utf-8")) for name in ("lexicon.json", "harmless.json")]
    texts = [words for file in files for value in file.values() if isinstance(value, dict) for words in _texts(value)]
    entries = [entry for words in texts for entry in words.split("|")]
    assert len(entries) > 5000
    wrong = [e for e in entries if not e or spelling.plain(e) != e or e != " ".join(e.split()) or "-" in e.strip("-")]
    assert wrong == []


def _texts(value: dict[str, object]) -> list[str]:
    found: list[str] = []
    for one in value.values():
        found += _texts(one) if isinstance(one, dict) else [str(one)]
    return found


def test_every_tariff_number_stands_for_a_kind() -> None:
    harmless = json.loads((FOLDER / "harmless.json").read_text(encoding="utf-8"))
    known = set(json.loads((FOLDER / "lexicon.json").read_text(encoding="utf-8"))["kinds"])
    assert set(harmless["hs"].values()) <= known
    assert all(code.isdigit() and len(code) in {4, 6} for code in harmless["hs"])


@given(st.text(max_size=300), st.sampled_from(["", "en", "es", "fr", "de", "it"]))
def test_any_text_gives_a_reading(description: str, language: str) -> None:
    text.read(description, language)


def test_no_text_takes_long() -> None:
    nasty = [
        "a " * 1000,
        "no " * 700,
        '"' * 2000,
        "l-i-t-h-" * 250,
        "@$|!" * 500,
        "batterie" * 250,
        "lithium ion " * 160,
        "1" * 2000,
    ]
    text.read("warm")
    for one in nasty:
        began = time.thread_time()
        text.read(one)
        assert time.thread_time() - began < 0.25, one[:12]


def test_the_words_are_read_in_seconds_at_most() -> None:
    table.rows()
    lexicon.lexicon.cache_clear()
    began = time.thread_time()
    lexicon.lexicon()
    assert time.thread_time() - began < 2.0  # 0.12 s on a quiet machine
