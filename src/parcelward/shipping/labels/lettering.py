"""Which letters a label can show, and what stands for those that it cannot: never a silent blank.

What is written from the left in the scripts below is printed as it is: the font that comes with the program has those
letters, and a line in a printer's own font has Western European ones alone. Of other scripts, which would need
joining, reordering or thousands of glyphs, the Latin letters are printed that sound nearest, as UPU asks of
international post anyway.
"""

from __future__ import annotations

import functools
import unicodedata
from typing import Final

from anyascii import anyascii

from parcelward.shipping.labels import fonts
from parcelward.shipping.labels.errors import Unprintable

PRINTED_SCRIPTS: Final = ("LATIN", "GREEK", "CYRILLIC", "ARMENIAN", "GEORGIAN")
PLAIN: Final = "cp1252"
"""What every PDF reader's and every label printer's own font has."""
SILENT: Final = "'"
"""For a letter without a sound of its own, as alef and ayin are usually romanised."""
UNKNOWN: Final = "?"


def legible(text: str) -> str:
    """Return a text as a label shows it. Raises Unprintable for control characters and for what leaves nothing.

    Marks that turn the direction of writing are left out: a line that reads otherwise than it was typed is an attack.
    """
    if text.isascii() and text.isprintable():
        return text.strip()
    shown = "".join(_shown(letter) for letter in unicodedata.normalize("NFC", text))
    shown = " ".join(shown.split())
    if not shown and text.strip():
        raise Unprintable("This text has nothing that a label can show", code="no_letters")
    return shown


@functools.lru_cache(maxsize=20_000)
def _shown(letter: str) -> str:
    category = unicodedata.category(letter)
    if category == "Cc" or category in {"Zl", "Zp"}:
        raise Unprintable("A label's texts have no control characters", code="bad_text")
    if category[0] == "Z":
        return " "
    if category in {"Cf", "Mn", "Me"}:
        return ""
    if is_plain(letter) or (unicodedata.name(letter, "").startswith(PRINTED_SCRIPTS) and fonts.has(letter)):
        return letter
    sound = "".join(each for each in anyascii(letter) if each.isprintable())
    return sound or (SILENT if category[0] == "L" else UNKNOWN)


def is_plain(text: str) -> bool:
    """Return whether a printer's own font has these letters."""
    try:
        text.encode(PLAIN)
    except UnicodeEncodeError:
        return False
    return True


def initials(name: str) -> str:
    """Return the first letters of a name's words, three at most: what a neighbour's parcel is told apart by.

    Latin letters, whatever the script: 王小明 is W., as the transliteration begins.
    """
    words = [anyascii(word).strip() for word in name.split()]
    first = [word[0].upper() for word in words if word and word[0].isalpha()]
    return " ".join(f"{letter}." for letter in first[:3])
