"""Words that no entry has: a name of a chemical by its parts, and a dangerous word with one letter wrong.

A guess is never read as plainly as a word of ours: what it names is looked at, and not refused by it alone.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from typing import Final

from parcelward.parcels.hazmat.lexicon import LANGUAGES, lexicon

MISSPELT_CHARS_MIN: Final = 6
CHEMICAL_CHARS_MIN: Final = 9
_GUESSED: Final = (
    frozenset({"perfume", "alcohol", "nail_polish", "flammable_liquid", "flash_low", "aerosol", "gas_flammable"})
    | {"lighter", "matches", "explosive", "oxidizer", "corrosive", "acid_strong", "toxic", "poison_strong", "tear_gas"}
    | {"mercury", "lithium", "power_bank", "battery"}
)
"""Kinds whose words are worth a guess: what is dangerous by its name."""

_CHEMICAL: Final = re.compile(
    r"[a-z]*(?:chlor|brom|fluor|iod|nitr|cyan|amino|hydrox|meth|eth|prop|but|phenyl|benz|sulf|sulph|phosph|perox|acet)[a-z]*"
    r"(?:methane?|ethane?|propane?|butane?|pentane?|hexane?|benzene?|benzol|ethene?|ethylen[eo]?|propene?|phenol"
    r"|amine?|amina|anilin[ea]?|nitrile?|nitrilo|aldehyde?|aldehido|ketone?|cetone|cetona|pyridine?|acrylat[eo]?"
    r"|acetat[eo]?|chlor[ai]te?|clor[ai]to|chloride?|cloruro|chlorure|bromide?|bromuro|bromure|cyanide?|nitr[ai]te?"
    r"|nitr[ai]to|sulfat[eo]?|sulphate|peroxide?|peroxido|peroxyde|anhydride?|sulfide?|phosphide?|silane?)"
)


@functools.lru_cache(maxsize=50_000)
def guess(word: str) -> str:
    """Return the label that a word without an entry may have; empty where there is nothing to guess."""
    if len(word) < MISSPELT_CHARS_MIN or not word.isalpha() or word in _small_words():
        return ""
    if len(word) >= CHEMICAL_CHARS_MIN and _CHEMICAL.fullmatch(word):
        return "kind:chemical"
    near = _near()
    found = {label for spelt in _shorter(word) for other, label in near.get(spelt, ()) if _one_wrong(word, other)}
    return min(found, default="")


def _shorter(word: str) -> Iterator[str]:
    """Yield a word, and the word without each of its letters: two words with one letter wrong share one of these."""
    yield word
    for n in range(1, len(word)):  # the first letter is right
        yield word[:n] + word[n + 1 :]


def _one_wrong(word: str, other: str) -> bool:
    """Return whether one letter was left out, added, taken for another, or changed places with the next."""
    if len(word) != len(other):
        return True  # they share the word without that letter
    wrong = [n for n, (a, b) in enumerate(zip(word, other, strict=True)) if a != b]
    first, last = wrong[0], wrong[-1]
    swapped = last == first + 1 and word[first] == other[last] and word[last] == other[first]
    return first == last or swapped


@functools.cache
def _near() -> Mapping[str, tuple[tuple[str, str], ...]]:
    lex = lexicon()
    found: dict[str, list[tuple[str, str]]] = {}
    for entry in (*lex.starred, *(entry for entries in lex.exact.values() for entry in entries)):
        first = entry.words[0].removesuffix("*")
        known = entry.label.removeprefix("kind:") in _GUESSED and len(entry.words) == 1 and first.isalpha()
        if known and len(first) >= MISSPELT_CHARS_MIN:
            for spelt in _shorter(first):
                found.setdefault(spelt, []).append((first, entry.label))
    return {spelt: tuple(dict.fromkeys(others)) for spelt, others in found.items()}


@functools.cache
def _small_words() -> frozenset[str]:
    """Return what is a word of some language here: a part of an entry, or a small word."""
    lex = lexicon()
    entries = [entry for found in lex.exact.values() for entry in found]
    small = [words for name in lex.sets for words in lex.set_of(name, LANGUAGES)]
    return frozenset(word for words in (*(entry.words for entry in entries), *small) for word in words)
