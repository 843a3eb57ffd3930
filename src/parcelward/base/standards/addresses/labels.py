"""The lines of a label, by the form that the country's post asks for (`forms.json`, from libaddressinput).

Three things are ours, because a label must not lose what somebody wrote: a part of a place stands before the place
where the country's form has no room for it, a postcode at the end; and where no form is known, everything stands.
A state or province that a country's addresses do not have is left off, as its post wants it.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Mapping
from typing import Final

from parcelward.base.standards.addresses import tables
from parcelward.base.standards.addresses.address import Address, in_order, ordered, over_limits
from parcelward.base.standards.addresses.tables import Form
from parcelward.base.standards.errors import BadAddress

UNKNOWN_FORM: Final = "%N%n%O%n%A%n%D%n%C %Z%n%S%n%X"
"""The layout where a country's own is not known, and of a country that is not known."""

_ELEMENT = re.compile(r"%([NOADCSZXn])|((?:[^%])+)")
_FRENCH: Final = "fr"


def label_lines(
    address: Address, *, from_country: str, latin: bool | None = None, name_in: str = ""
) -> tuple[str, ...]:
    """Return what stands on the label, line by line, from the addressee to the country.

    `from_country` is where it is posted: a country that it does not leave is not named. `latin` asks for the form in
    Latin letters or for the local one; None takes the form of the letters that the address itself has. The country
    stands last, in capitals, in English or, where the sender's country writes French first, in French; `name_in`
    ("en" or "fr") says otherwise. A country that is not known stands as it was written. Raises BadAddress where it is
    over the limits.
    """
    if over_limits(address):
        raise BadAddress("The address is longer than a label has room for")
    given = ordered(address)
    form = tables.forms().get(given.country)
    abroad = given.country != from_country.upper()
    if latin is None:
        latin = _is_latin("".join((*given.street_lines, given.locality, given.dependent_locality, given.addressee)))
    fields = _fields(given, form, latin=latin)
    fmt = _layout(form, latin=latin, abroad=abroad)
    lines = [line for line in (_tidy(line) for line in _filled(fmt, fields)) if line]
    if abroad:
        country = country_line(given.country, name_in or _language_of(from_country.upper())) if form else given.country
        lines += [country] if country else []
    return tuple(lines)


def country_line(country: str, language: str) -> str:
    """Return a country's name as the last line of a label, in capitals: in French for `fr`, else in English."""
    english, french = tables.names().called[country][:2]
    return (french if language == _FRENCH else english).upper()


def prints(country: str, field: str) -> bool:
    """Return whether a field (libaddressinput's letter) has a place on labels to this country."""
    return f"%{field}" in _layout(tables.forms().get(country), latin=False, abroad=True)


def _language_of(country: str) -> str:
    """Return the first language of a country."""
    return next(iter(tables.templates().languages.get(country, ())), "")


def _is_latin(text: str) -> bool:
    """Return whether the letters are Latin; a text without letters is."""
    letters = [one for one in text if one.isalpha()]
    return all(one.isascii() or unicodedata.name(one, "").startswith("LATIN") for one in letters)


def _fields(address: Address, form: Form | None, *, latin: bool) -> Mapping[str, tuple[str, ...]]:
    """Return the text of each field: the area as labels have it, capitals where the country wants them."""
    area = address.administrative_area
    known = tables.areas_by_name(address.country).get(tables.folded(area)) if form and area else None
    if known:
        area = (known.latin if latin else "") or known.key
    postcode = address.postcode
    if form and form.prefix:
        postcode = _without_prefix(postcode, form.prefix)
    texts = {
        "N": (address.addressee,),
        "O": (address.organisation,),
        "A": address.street_lines,
        "D": (address.dependent_locality,),
        "C": (address.locality,),
        "S": (area,),
        "Z": (postcode,),
        "X": (address.sorting_code,),
    }
    upper = form.upper if form else ""
    return {
        field: tuple(in_order(line.upper() if field in upper else line) for line in lines if line)
        for field, lines in texts.items()
    }


def _without_prefix(postcode: str, prefix: str) -> str:
    """Return a postcode without the country's letters that its form brings along."""
    return re.sub(rf"^{re.escape(prefix.strip(' -'))}[ -]*(?=\d)", "", postcode)


@functools.lru_cache(maxsize=2048)
def _elements(fmt: str) -> tuple[tuple[str, str], ...]:
    """Return a layout's (field or "n", literal), one of which is empty."""
    return tuple(_ELEMENT.findall(fmt))


def _layout(form: Form | None, *, latin: bool, abroad: bool) -> str:
    """Return the layout: with a place for everything that must not be lost, the prefix of postcodes only abroad."""
    if form is None or not form.fmt:
        return UNKNOWN_FORM
    return _complete((latin and form.lfmt) or form.fmt, "" if abroad else form.prefix)


@functools.lru_cache(maxsize=2048)
def _complete(fmt: str, without: str) -> str:
    if without:
        fmt = fmt.replace(f"{without}%Z", "%Z").replace(f"{without} %Z", "%Z")
    if "%D" not in fmt:
        lines = fmt.split("%n")
        place = next((nth for nth, line in enumerate(lines) if "%C" in line or "%S" in line), len(lines))
        big_to_small = place < next((nth for nth, line in enumerate(lines) if "%A" in line), 0)
        lines.insert(place + big_to_small, "%D")
        fmt = "%n".join(lines)
    return fmt if "%Z" in fmt else f"{fmt}%n%Z"


def _filled(fmt: str, fields: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Return the lines of a layout; what stands between two fields stands only between two that are there.

    A literal is kept where no empty field follows it and the field before it was not left out.
    """
    elements = _elements(fmt)
    text = ""
    dropped = False  # whether the element before was a field that is empty
    for nth, (field, literal) in enumerate(elements):
        if field == "n":
            text += "\n"
            dropped = False
        elif literal:
            after = elements[nth + 1][0] if nth + 1 < len(elements) else "n"
            if not dropped and (after == "n" or fields.get(after)):
                text += literal
        else:
            text += _joined(fields[field], elements, nth)
            dropped = not fields[field]
    return text.split("\n")


def _joined(lines: tuple[str, ...], elements: tuple[tuple[str, str], ...], nth: int) -> str:
    """Return a field's lines under one another, or after commas where the layout has more in this line."""
    alone = all(elements[one][0] == "n" for one in (nth - 1, nth + 1) if 0 <= one < len(elements))
    return ("\n" if alone else ", ").join(lines)


def _tidy(line: str) -> str:
    return re.sub(r" {2,}", " ", line).strip(" ,-")
