"""An address in the parts that UPU S42 and libaddressinput give it, and the text of each part in one form."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Final

TEXT_LENGTH_MAX: Final = 200
"""A name, an organisation, a line of the street or a place; what the vault keeps of a name."""

POSTCODE_LENGTH_MAX: Final = 20
COUNTRY_LENGTH_MAX: Final = 80
STREET_LINES_MAX: Final = 5

_WIDE_FORMS = {0x3000: " "} | {0xFF01 + nth: chr(0x21 + nth) for nth in range(94)}
_BLANKS = re.compile(r"\s+")
_JOINERS = "\u200c\u200d"  # cannot be seen, but Persian and Indian scripts are written with them within words
_LOOSE_JOINERS = re.compile(rf"(?<=\s)[{_JOINERS}]+|[{_JOINERS}]+(?=\s)")
_DASHES = re.compile("[\u2010-\u2015\u2212\ufe63\u30fc]")


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address. Every part is text and may be empty; nothing is promised of it until `check` has looked."""

    country: str = ""  # ISO 3166-1, two capital letters
    addressee: str = ""
    organisation: str = ""
    street_lines: tuple[str, ...] = ()
    dependent_locality: str = ""  # a part of a place: a district, a townland, a colonia
    locality: str = ""
    administrative_area: str = ""  # a state, province, county, island
    postcode: str = ""
    sorting_code: str = ""  # CEDEX and the like

    def parts(self) -> Iterator[tuple[str, str]]:
        """Give (JSON Pointer, text) for each part, each line of the street by itself."""
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "street_lines":
                yield from ((f"/street_lines/{nth}", line) for nth, line in enumerate(value))
            else:
                yield f"/{field.name}", value


def over_limits(address: Address) -> list[tuple[str, str]]:
    """Return (JSON Pointer, code) of what has more than its limit."""
    if len(address.street_lines) > STREET_LINES_MAX:
        return [("/street_lines", "too_many_lines")]
    return [(pointer, "too_long") for pointer, text in address.parts() if len(text) > length_max(pointer)]


def length_max(pointer: str) -> int:
    """Return how many characters a part may have."""
    return {"/postcode": POSTCODE_LENGTH_MAX, "/country": COUNTRY_LENGTH_MAX}.get(pointer, TEXT_LENGTH_MAX)


def in_order(text: str) -> str:
    """Return a text with single spaces, without what cannot be seen, wide letters and digits as common ones."""
    if text.isascii() and text.isprintable():
        return _BLANKS.sub(" ", text).strip(" ,;")
    plain = "".join(one for one in text.translate(_WIDE_FORMS) if one.isprintable() or one.isspace() or one in _JOINERS)
    spaced = _BLANKS.sub(" ", _LOOSE_JOINERS.sub("", plain))
    return unicodedata.normalize("NFC", spaced).strip(f" ,;{_JOINERS}")


def postcode_in_order(text: str) -> str:
    """Return a postcode in capitals, with the digits 0-9 in whatever script they were typed, and plain hyphens."""
    plain = _DASHES.sub("-", in_order(text)).translate(dict.fromkeys(map(ord, _JOINERS)))
    if not plain.isascii():
        digits = (unicodedata.digit(one, None) for one in plain)
        plain = "".join(one if digit is None else str(digit) for one, digit in zip(plain, digits, strict=True))
    return unicodedata.normalize("NFC", plain.upper()).strip(" ,;-〒")


def ordered(address: Address) -> Address:
    """Return the address with each part in order; lines of the street that are empty are left out."""
    lines = tuple(line for line in map(in_order, address.street_lines) if line)
    texts = {
        field.name: in_order(getattr(address, field.name))
        for field in fields(Address)
        if field.name not in {"street_lines", "postcode"}
    }
    country = texts.pop("country")
    country = country.upper() if re.fullmatch(r"[A-Za-z]{2}", country) else country
    return replace(address, country=country, street_lines=lines, postcode=postcode_in_order(address.postcode), **texts)
