"""The codes of the Harmonized System, 2022 edition, and which of them somebody's own words may mean.

The table is `hs_codes.json` (source, date and licence stand in it; `scripts/rebuild_hs.py` makes it), read when it is
first asked for. Searching is BM25 over the six-digit codes (Robertson and Zaragoza 2009, section 3.4): the words of a
code count fully, those of its heading and chapter less, and what a code says that it is not does not count. The trade's
words are not those of people: `hs_words.json` says for some of theirs which ones the table has.
"""

from __future__ import annotations

import functools
import itertools
import json
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

from parcelward.shipping.customs.wire import Suggested

DIGITS: Final = 6
QUERY_LETTERS_MAX: Final = 200
QUERY_WORDS_MAX: Final = 12
FOUND: Final = 5
_OF_ONE_HEADING: Final = 2  # of what is found: five codes of one heading would hide the right one
_UNSAID: Final = "99"  # the statisticians' chapter for what nobody said: no goods have a code of it
_K1, _B = 1.2, 0.4
_OWN, _HEAD, _HEADING, _CHAPTER = 1.0, 1.0, 0.6, 0.25  # weights: its words, those of them before the first semicolon
_MEANT: Final = 0.8  # what stands for somebody's word counts a little less than the word itself

_SPLIT: Final = re.compile(r"[^a-z0-9]+")
_NOT: Final = re.compile(
    r"\(?\b(?:other than|excluding|except|not (?:including|being|elsewhere)|n\.e\.[cs]\.?)\b[^;)]*\)?", re.IGNORECASE
)


def _these(text: str) -> frozenset[str]:
    return frozenset(text.split())


_STOP: Final = _these(
    "a an and as at by for from having in incl including into is it its kind kinds less more no not of on or other "
    "such than that the their thereof this to whether which with without item heading set pair new used "
    "one two three four five six seven eight nine ten"
)
_IRREGULAR: Final = {"knives": "knife", "scarves": "scarf", "shelves": "shelf", "loaves": "loaf", "children": "child"}


@functools.cache
def _table() -> Mapping[str, str]:
    found: Mapping[str, str] = _read("hs_codes.json")["codes"]
    return found


@functools.cache
def _meanings() -> Mapping[str, tuple[str, ...]]:
    """Return for a word of people, in its stem, the stems that the table has for it."""
    return {" ".join(stems(word)): tuple(stems(meant)) for word, meant in _read("hs_words.json")["words"].items()}


def _read(name: str) -> Any:
    return json.loads(resources.files(__package__).joinpath(name).read_text(encoding="utf-8"))


def about() -> Mapping[str, str]:
    """Return where the table is from: edition, source, licence, date."""
    return {name: text for name, text in _read("hs_codes.json").items() if name != "codes"}


def is_code(digits: str) -> bool:
    """Return whether goods have this code of six digits."""
    return len(digits) == DIGITS and digits in _table() and not digits.startswith(_UNSAID)


def words_of(code: str) -> str:
    """Return what a code stands for, of two, four or six digits; nothing for one that is not in the table."""
    return _table().get(code[:DIGITS], "")


def stems(text: str) -> list[str]:
    """Return the words of a text as they are compared: without marks, small, in the singular, stop words left out."""
    plain = unicodedata.normalize("NFKD", text[:10_000]).encode("ascii", "ignore").decode().casefold()
    plain = plain.replace("t-shirt", "tshirt").replace("t shirt", "tshirt")
    return [_stem(word) for word in _SPLIT.split(plain) if len(word) > 1 and word not in _STOP and not word.isdigit()]


def _stem(word: str) -> str:
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if word.endswith("ies") and len(word) > 4:  # noqa: PLR2004 -- ties, pies
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3:  # noqa: PLR2004 -- gas
        return word[:-1]
    return word


@dataclass(frozen=True, slots=True)
class _Index:
    codes: tuple[str, ...]
    holders: Mapping[str, tuple[tuple[int, float], ...]]  # stem -> which codes have it, and how much it counts there
    lengths: tuple[float, ...]
    mean: float


@functools.cache
def _index() -> _Index:
    table = _table()
    codes = tuple(code for code in table if is_code(code))
    holders: dict[str, list[tuple[int, float]]] = {}
    lengths = []
    for at, code in enumerate(codes):
        counts = _counted(code, table)
        lengths.append(sum(counts.values()))
        for stem, weight in counts.items():
            holders.setdefault(stem, []).append((at, weight))
    return _Index(
        codes, {stem: tuple(found) for stem, found in holders.items()}, tuple(lengths), sum(lengths) / len(codes)
    )


def _counted(code: str, table: Mapping[str, str]) -> Counter[str]:
    counts: Counter[str] = Counter()
    own = _NOT.sub(" ", table[code])
    parts = (
        (own, _OWN),
        (own.split(";")[0], _HEAD),
        (_NOT.sub(" ", table.get(code[:4], "")), _HEADING),
        (_NOT.sub(" ", table.get(code[:2], "")), _CHAPTER),
    )
    for text, weight in parts:
        for stem in set(stems(text)):
            counts[stem] += weight  # type: ignore[assignment]  # a Counter of weights
    return counts


def suggest(text: str, found: int = FOUND) -> tuple[Suggested, ...]:
    """Return the codes that somebody's words may mean, the likeliest first; nothing where no word is known."""
    index, scores = _index(), Counter[int]()
    for stem, weight in _asked(text).items():
        holding = index.holders.get(stem, ())
        rare = math.log(1 + (len(index.codes) - len(holding) + 0.5) / (len(holding) + 0.5))
        for at, count in holding:
            norm = _K1 * (1 - _B + _B * index.lengths[at] / index.mean)
            scores[at] += weight * rare * count * (_K1 + 1) / (count + norm)  # type: ignore[assignment]  # as above
    ranked = sorted(scores.items(), key=lambda each: (-each[1], index.codes[each[0]]))
    return tuple(_first([(index.codes[at], score) for at, score in ranked], found))


def _asked(text: str) -> dict[str, float]:
    """Return the stems to look for, and how much each counts; words of people stand for those of the table."""
    said = stems(text[:QUERY_LETTERS_MAX])[:QUERY_WORDS_MAX]
    asked = dict.fromkeys(said, 1.0)
    known = _meanings()
    pairs = [" ".join(pair) for pair in itertools.pairwise(said)]
    for name in (*pairs, *said):
        for stem in known.get(name, ()):
            asked[stem] = max(asked.get(stem, 0.0), _MEANT)
    return asked


def _first(ranked: Sequence[tuple[str, float]], found: int) -> Iterator[Suggested]:
    of_heading: Counter[str] = Counter()
    given = 0
    for code, score in ranked:
        if given == found:
            return
        if of_heading[code[:4]] < _OF_ONE_HEADING:
            of_heading[code[:4]] += 1
            given += 1
            yield Suggested(code, words_of(code), words_of(code[:4]), round(score, 3))
