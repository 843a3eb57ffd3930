"""One spelling for what people write in many: case, accents, look-alike letters and digits, letters set apart."""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import Final

SINGLED_CHARS_MIN: Final = 6
"""Shorter words are not compared with their doubled letters taken out: too many of them would meet."""

PLURAL_CHARS_MIN: Final = 4
_LOOK_ALIKE: Final = str.maketrans("абвгеёзікмнорстухѕјԁԛһαβεηικνορτυχ", "abbreesikmhopctyxsjdqhaBenikvoptux".lower())
_UMLAUTS: Final = re.compile(r"ae|oe|ue")
_AS_LETTERS: Final = str.maketrans(
    {"4": "a", "@": "a", "3": "e", "1": "i", "!": "i", "|": "i", "0": "o", "5": "s", "$": "s", "7": "t", "8": "b"}
)
_AS_L: Final = {**_AS_LETTERS, ord("1"): "l", ord("|"): "l"}
_SPACED: Final = re.compile(r"(?<![^\W_])(?:[^\W\d_][\s.\-_*·]{1,2}){3,}[^\W\d_](?![^\W_])")
_QUOTES: Final = re.compile('["“”„«»‟″〝〞]+')
_ABBREVIATIONS: Final = (
    (re.compile(r"\bw/o\b"), "without "),
    (re.compile(r"\bw/"), "with "),
    (re.compile("n['\u2019]t\\b"), "nt"),
)
_CONTROLS: Final = {code: None for code in (*range(32), 127) if chr(code) not in "\n\t"}
_SPECIAL: Final = str.maketrans({"ß": "ss", "ø": "o", "œ": "oe", "æ": "ae", "ł": "l", "đ": "d", "\u0131": "i"})


def plain(text: str) -> str:
    """Return a text in small letters without accents and invisible characters; quotation marks are all the same."""
    text = text.casefold().translate(_CONTROLS) if text.isascii() else _ascii(text)
    for pattern, full in _ABBREVIATIONS:
        text = pattern.sub(full, text)
    return _SPACED.sub(lambda found: re.sub(r"[\W_]+", "", found[0]), text)


def _ascii(text: str) -> str:
    """Return a text in small letters with what has a likeness in ASCII as that, and the rest as it is."""
    text = unicodedata.normalize("NFKC", text).casefold().translate(_SPECIAL)
    text = "".join(c for c in text if unicodedata.category(c) not in {"Cf", "Cc"} or c in "\n\t")
    text = unicodedata.normalize("NFD", text)
    text = "".join(c for c in text if not unicodedata.combining(c))
    text = _QUOTES.sub('"', text)
    if any("a" <= c <= "z" for c in text):
        text = text.translate(_LOOK_ALIKE)
    return text


def latin(text: str) -> bool:
    """Return whether all letters of a plain text are of the Latin alphabet."""
    return all("a" <= c <= "z" or not c.isalpha() for c in text)


@functools.lru_cache(maxsize=50_000)
def folded(word: str) -> str:
    """Return a word without what is written in two ways: ae for ä, an s of the plural."""
    word = _UMLAUTS.sub(lambda found: found[0][0], word)
    return word[:-1] if len(word) >= PLURAL_CHARS_MIN and word.endswith("s") and not word.endswith("ss") else word


@functools.lru_cache(maxsize=50_000)
def singled(word: str) -> str:
    """Return a word with every doubled letter once."""
    return re.sub(r"([a-z])\1+", r"\1", word)


def without_disguise(word: str) -> tuple[str, ...]:
    """Return what a word may mean whose letters are written as digits and signs (`b4ttery`, `l1thium`)."""
    if not any("a" <= c <= "z" for c in word) or all("a" <= c <= "z" for c in word):
        return ()
    return tuple({one for one in (word.translate(_AS_LETTERS), word.translate(_AS_L)) if one.isalpha()})
