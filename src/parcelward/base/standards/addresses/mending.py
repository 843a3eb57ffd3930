"""Postcodes as they are written, and what was probably meant by one that has not the form of its country's.

Everything that is suggested has the form; that it was meant is for whoever typed it to say.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

from parcelward.base.standards import postcodes
from parcelward.base.standards.addresses import tables
from parcelward.base.standards.addresses.address import postcode_in_order

in_form = postcode_in_order

_MISREAD_AS_DIGITS = str.maketrans("OQILSBZ", "0011582")
_LOST_NOUGHTS_MAX = 2  # a spreadsheet makes 501 of 00501


def spaced(country: str, postcode: str) -> str:
    """Return a postcode that has the form of its country's with the spaces and hyphens of that country."""
    bare = tables.bare(postcode)
    known = tables.forms().get(country)
    shapes = _shapes(known.written) if known else {}
    if not shapes:
        form = postcodes.form_of(country)
        return bare if form and form.pattern and not re.search("[ -]", form.example) else postcode
    shape = "".join("9" if one.isdigit() else "A" if one.isalpha() else one for one in bare)
    written = shapes.get(shape) or shapes.get("?" * len(bare))
    if written is None:
        return postcode
    characters = iter(bare)
    return "".join(one if one in " -" else next(characters) for one in written)


@functools.cache
def _shapes(forms: tuple[str, ...]) -> dict[str, str]:
    """Return how postcodes are written by their shape without spaces and hyphens."""
    return {tables.bare(written): written for written in forms}


def without_country(country: str, postcode: str) -> str:
    """Return a postcode without its own country's letters before the digits (LT-04340): labels bring them along."""
    known = tables.forms().get(country)
    for letters in (country, known.prefix.strip(" -") if known else ""):
        if letters and (found := re.fullmatch(rf"{letters}[ -]*(\d.*)", postcode)):
            return found[1]
    return postcode


def mended(country: str, postcode: str) -> str:
    """Return the postcode that was probably meant, as it is written; nothing where two or none could have been."""
    form = postcodes.form_of(country)
    if form is None or not form.pattern:
        return ""
    fit = {spaced(country, one) for one in _candidates(tables.bare(postcode), form.example) if form.fits(one)}
    return fit.pop() if len(fit) == 1 else ""


def _candidates(bare: str, example: str) -> Iterator[str]:
    """Give what a postcode may be once a common mistake is undone: one mistake each."""
    if found := re.fullmatch(r"[A-Z]{1,3}(\d.*)", bare):
        yield found[1]  # the letters of the country before it: D-10115
    if found := re.match(r"[A-Z]{2}(?=-?\d)", example):
        yield found[0] + bare  # without the letters that belong to it: 1073 for LV-1073
    whole = tables.bare(example)
    if whole.isdigit():
        if bare.isdigit() and 0 < len(whole) - len(bare) <= _LOST_NOUGHTS_MAX:
            yield bare.zfill(len(whole))
        yield bare.translate(_MISREAD_AS_DIGITS)
    elif len(bare) == len(whole):
        pairs = zip(bare, whole, strict=True)
        yield "".join(one.translate(_MISREAD_AS_DIGITS) if like.isdigit() else _as_letter(one) for one, like in pairs)


def _as_letter(character: str) -> str:
    return {"0": "O", "1": "I", "5": "S", "8": "B", "2": "Z"}.get(character, character)


def postcode_within(country: str, place: str) -> str:
    """Return the postcode that stands before or behind a place's name, as in `10115 Berlin`; else nothing."""
    form = postcodes.form_of(country)
    words = place.split(" ")
    if form is None or not form.pattern or len(words) < 2 or not re.search(r"\d", place):  # noqa: PLR2004 -- two words
        return ""
    for count in (1, 2):
        for part in (words[:count], words[-count:]):
            text = postcode_in_order(" ".join(part))
            if len(part) < len(words) and re.search(r"\d", text) and form.fits(text):
                return spaced(country, text)
    return ""
