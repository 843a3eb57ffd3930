"""Cuts a rule's text into words and lets through only those that the language has, before Python's parser sees any."""

from __future__ import annotations

import re
from typing import Final, NamedTuple, NoReturn

from parcelward.risk.language.problems import refuse

LENGTH_MAX = 1000
"""Characters of a rule."""
WORDS_MAX = 300
"""Words, numbers and signs of a rule."""
BRACKETS_MAX = 20
"""Brackets within brackets."""
LITERAL_MAX = 100
"""Characters of a text in a rule."""
DIGITS_MAX = 16
"""Digits of a number in a rule."""

SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}

_WORD = re.compile(
    r"""(?P<space>[ \t\r\n]+)
    |(?P<duration>\d+[smhd](?!\w|\.))
    |(?P<number>(?:0|[1-9]\d*(?:_\d+)*)(?:\.\d+)?(?!\w|\.))
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<text>"[^"\\\n]*"|'[^'\\\n]*')
    |(?P<sign><=|>=|==|!=|\*\*|//|[-+*/%<>()\[\],])""",
    re.VERBOSE | re.ASCII,
)
_CLOSES: Final = {")": "(", "]": "["}
_MEANT: Final = {"&": "and", "|": "or", "=": "==", "!": "not", "≤": "<=", "≥": ">=", "≠": "!=", "“": '"', "”": '"'}
"""What was probably meant by a sign that the language does not have."""


class Words(NamedTuple):
    """A rule's text as Python's parser may see it; places in it are those of the text itself."""

    text: str
    durations: dict[int, int]  # where a duration stood -> its seconds; a name of the same length stands there now


class _Word(NamedTuple):
    kind: str
    text: str
    start: int
    end: int


def words(text: str) -> Words:
    """Return a rule's text for the parser. Raises Refused."""
    if len(text) > LENGTH_MAX:
        refuse("too_long", LENGTH_MAX, len(text), about=str(LENGTH_MAX))
    found = _cut(text)
    if not found:
        refuse("empty", 0, len(text))
    if len(found) > WORDS_MAX:
        refuse("too_many_words", found[WORDS_MAX].start, len(text), about=str(WORDS_MAX))
    _balanced(found)
    durations = {}
    out = list(re.sub(r"[\t\r\n]", " ", text))
    for before, word in zip([None, *found], found, strict=False):
        if word.kind == "text":
            _text(word, before)
        elif word.kind in {"number", "duration"} and sum(map(str.isdigit, word.text)) > DIGITS_MAX:
            refuse("number_too_long", word.start, word.end, about=str(DIGITS_MAX))
        if word.kind == "duration":
            durations[word.start] = int(word.text[:-1]) * SECONDS[word.text[-1]]
            out[word.start : word.end] = "t" * len(word.text)
    return Words("".join(out), durations)


def _cut(text: str) -> list[_Word]:
    """Return the words, or refuse at the first character that begins none."""
    found: list[_Word] = []
    at = 0
    while at < len(text):
        match = _WORD.match(text, at)
        if match is None:
            _unknown(text, at)
        at = match.end()
        if match.lastgroup != "space":
            found.append(_Word(str(match.lastgroup), match[0], match.start(), at))
    return found


def _unknown(text: str, at: int) -> NoReturn:
    """Refuse the character at a place, and say what was probably meant."""
    sign = text[at]
    if sign in "\"'":
        code = "backslash" if "\\" in text[at:].partition("\n")[0] else "open_text"
        refuse(code, at, len(text))
    if sign.isascii() and sign.isdigit():
        end = at + len(text[at:]) - len(re.sub(r"^[\w.]+", "", text[at:], flags=re.ASCII))
        refuse("bad_number", at, end, about=text[at:end])
    if not sign.isprintable():
        refuse("control_character", at, at + 1, about=f"U+{ord(sign):04X}")
    if sign.isalpha() and not sign.isascii():
        refuse("foreign_letter", at, at + 1, about=sign)
    refuse("unknown_sign", at, at + 1, about=sign, suggestion=_MEANT.get(sign, ""))


def _balanced(found: list[_Word]) -> None:
    """Refuse brackets that do not fit each other, or go too deep."""
    opened: list[_Word] = []
    for word in found:
        if word.kind != "sign":
            continue
        if word.text in "([":
            opened.append(word)
            if len(opened) > BRACKETS_MAX:
                refuse("too_deep", word.start, word.end, about=str(BRACKETS_MAX))
        elif word.text in _CLOSES and (not opened or opened.pop().text != _CLOSES[word.text]):
            refuse("bracket", word.start, word.end, about=word.text)
    if opened:
        refuse("bracket", opened[-1].start, opened[-1].end, about=opened[-1].text)


def _text(word: _Word, before: _Word | None) -> None:
    inside = word.text[1:-1]
    if before is not None and before.kind == "text":
        refuse("two_texts", before.start, word.end, suggestion=f"{before.text}, {word.text}")
    if before is not None and before.kind == "name" and before.end == word.start:
        refuse("marked_text", before.start, word.end, suggestion=word.text)
    if not inside.isprintable():
        refuse("control_character", word.start, word.end)
    if len(inside) > LITERAL_MAX:
        refuse("literal_too_long", word.start, word.end, about=str(LITERAL_MAX))
