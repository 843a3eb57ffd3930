"""The words that the screening knows: `lexicon.json` and `harmless.json`, made ready to be looked up.

An entry is one word or several; `*` in a word stands for any letters. Where several entries begin at the same word of
a text, the longest wins: `battery charger` is harmless, `battery` is not. Both files are read once, when first needed.
"""

from __future__ import annotations

import functools
import itertools
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

from parcelward.parcels.hazmat import spelling, table

LANGUAGES: Final = ("en", "es", "fr", "de")
ANY: Final = "x"
HARMLESS: Final = ("motif", "cover", "plain", "phrase")
STATES: Final = ("empty", "damaged", "used", "vague")
WORD_SETS: Final = (
    *("breaks", "of", "for", "unmask", "real", "stuff", "container", "full", "measure", "holds"),
    *("not_before", "not_after", "not_between", "ambiguous", "adjunct", "shape", "made_of"),
)

NAME_CHARS_MIN: Final = 6
"""Shorter names of the table (`air`, `paint`) are words of ours, or none."""

_NAME_ENDS: Final = re.compile(r",(?! ?\d)|[(\[]|\bwith\b|\bn\.o\.s|\bsee\b")
_WORD: Final = re.compile(r"[a-z]+|\d+")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: its words, what it stands for, and in which languages it is read (none named: in all)."""

    words: tuple[str, ...]
    label: str  # "kind:perfume", "motif", "empty"
    languages: frozenset[str]

    def reads(self, spoken: frozenset[str]) -> bool:
        """Return whether it is read in a text of these languages."""
        return not self.languages or bool(self.languages & spoken)


@dataclass(frozen=True, slots=True)
class Lexicon:
    """All entries by their first word, and those whose first word has a star."""

    exact: Mapping[str, tuple[Entry, ...]]
    starred: tuple[Entry, ...]
    sets: Mapping[str, Mapping[str, frozenset[tuple[str, ...]]]]  # breaks, of, not_before ... by language
    words_of: Mapping[str, frozenset[str]]  # language -> single words that only it has
    hs: Mapping[str, str]

    def beginning_with(self, word: str) -> tuple[Entry, ...]:
        """Return the entries that may begin at this word."""
        found = self.exact.get(word, ()) + _starred(word)
        if not found and len(word) >= spelling.SINGLED_CHARS_MIN:
            found = self.exact.get(spelling.singled(word), ())  # batery, litthium
        return found

    def set_of(self, name: str, spoken: Iterable[str]) -> frozenset[tuple[str, ...]]:
        """Return one set of small words for these languages together."""
        return _set_of(name, frozenset(spoken))


def fits(pattern: str, word: str) -> bool:
    """Return whether a word of a text is that of an entry."""
    if "*" not in pattern:
        return pattern == word
    if pattern.startswith("*"):
        return pattern.strip("*") in word if pattern.endswith("*") else word.endswith(pattern[1:])
    if pattern.endswith("*") and pattern.count("*") == 1:
        return word.startswith(pattern[:-1])
    before, _, after = pattern.partition("*")
    return len(word) >= len(before) + len(after) and word.startswith(before) and word.endswith(after)


@functools.lru_cache(maxsize=50_000)
def _starred(word: str) -> tuple[Entry, ...]:
    return tuple(entry for entry in lexicon().starred if fits(entry.words[0], word))


@functools.cache
def _set_of(name: str, spoken: frozenset[str]) -> frozenset[tuple[str, ...]]:
    sets = lexicon().sets[name]
    return frozenset().union(*(sets.get(one, frozenset()) for one in (*spoken, ANY)))


def _read(name: str) -> Any:
    return json.loads(resources.files(__package__).joinpath(name).read_text(encoding="utf-8"))


def _words(entry: str) -> tuple[str, ...]:
    return tuple(spelling.folded(word) for word in entry.split())


def _own_words(dangerous: Any, harmless: Any) -> Mapping[str, frozenset[str]]:
    """Return by language the single words, of goods and small ones, that no other language here has."""
    found: dict[str, set[str]] = {language: set() for language in LANGUAGES}
    sections = [*dangerous["kinds"].values(), *(harmless[n] for n in HARMLESS), *(dangerous[n] for n in WORD_SETS)]
    for by_language in sections:
        for language in by_language.keys() & found.keys():
            found[language] |= {w for (w, *more) in map(_words, by_language[language].split("|")) if not more}
    return {
        one: frozenset(words.difference(*(other for name, other in found.items() if name != one)))
        for one, words in found.items()
    }


def _named_in_the_table() -> list[Entry]:
    """Return the proper shipping names of the table, up to the first comma, each with its id."""
    common = {_words(name) for name in _read("harmless.json")["everyday_names"].split("|")}
    found: dict[tuple[str, ...], Entry] = {}
    for row in table.rows():
        for name in row.name.split(" or "):
            words = tuple(map(spelling.folded, _WORD.findall(spelling.plain(_NAME_ENDS.split(name)[0]))))
            words = tuple(itertools.dropwhile(str.isdigit, words))  # 2-Bromobutane
            long_enough = sum(map(len, words)) >= NAME_CHARS_MIN and words and words[0][0].isalpha()
            if row.id and long_enough and words not in common and words not in found:
                found[words] = Entry(words, f"kind:un:{row.id}", frozenset())
    return list(found.values())


@functools.cache
def lexicon() -> Lexicon:
    """Return what the two files hold."""
    dangerous, harmless = _read("lexicon.json"), _read("harmless.json")
    only: dict[tuple[str, ...], set[str]] = {}
    for language, text in dangerous["only"].items():
        for entry in text.split("|"):
            only.setdefault(_words(entry), set()).add(language)
    entries: list[Entry] = []
    for kind, by_language in dangerous["kinds"].items():
        for text in by_language.values():
            entries += [Entry(w, f"kind:{kind}", frozenset(only.get(w, ()))) for w in map(_words, text.split("|"))]
    sections = [(name, harmless[name]) for name in HARMLESS] + [(name, dangerous[name]) for name in STATES]
    for name, by_language in sections:
        for language, text in by_language.items():
            entries += [Entry(w, name, frozenset({language})) for w in map(_words, text.split("|"))]
    entries += _named_in_the_table()
    exact: dict[str, list[Entry]] = {}
    starred: list[Entry] = []
    for entry in dict.fromkeys(entries):
        first = entry.words[0]
        if "*" in first:
            starred.append(entry)
            continue
        for key in {first, spelling.singled(first) if len(first) >= spelling.SINGLED_CHARS_MIN else first}:
            exact.setdefault(key, []).append(entry)
    sets = {
        name: {lang: frozenset(map(_words, text.split("|"))) for lang, text in dangerous[name].items()}
        for name in WORD_SETS
    }
    return Lexicon(
        {first: tuple(found) for first, found in exact.items()},
        tuple(starred),
        sets,
        _own_words(dangerous, harmless),
        harmless["hs"],
    )
