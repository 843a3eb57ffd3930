"""Other carriers' numbers, recognised by a table: whose number is this, which service, where can it be followed.

The table is `carriers.json` (source, commit, date and licence stand in it; `scripts/rebuild_carriers.py` makes it); the
engine is here. A format is a pattern over the number without spaces and hyphens, then a check digit where it has one,
then lookups. Many have no check digit: `Recognised.checked` says so, and such a match is a guess by shape alone.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any, Final
from urllib.parse import quote

from parcelward.base.standards import s10
from parcelward.base.standards.typed import TEXT_LENGTH_MAX, compact

NUMBER_LENGTH_MAX: Final = 64
"""Characters without spaces and hyphens. Longer text meets no pattern; the longest format has 41."""

_ALPHABET_36: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Recognised:
    """One way to read a number. Fields that the table does not fill are empty."""

    courier: str  # "ups"
    courier_name: str  # "UPS"
    format: str  # "ups"; the table's id of this kind of number
    format_name: str  # "UPS Waybill"
    number: str  # capitals, no spaces or hyphens
    checked: bool  # a check digit was verified
    service: str  # in the courier's words: "UPS Ground"
    operator: str  # whose number it is where the courier is a standard: "Royal Mail"
    country: str  # ISO 3166-1 alpha-2, where the number names one
    tracking_url: str


@dataclass(frozen=True, slots=True)
class _Lookup:
    group: str
    required: bool  # a number whose code is not in the table is refused
    words: Mapping[str, str]
    patterns: tuple[tuple[re.Pattern[str], str], ...]

    def find(self, code: str) -> str | None:
        if (words := self.words.get(code)) is not None:
            return words
        return next((words for pattern, words in self.patterns if pattern.fullmatch(code)), None)


@dataclass(frozen=True, slots=True)
class _Format:
    courier: str
    courier_name: str
    id: str
    name: str
    pattern: re.Pattern[str]
    url: str
    check: Callable[[str, str], bool] | None  # (serial number, check digit) -> it fits
    prepend: tuple[str, str] | None  # serial numbers that do not start with the first get the second in front
    lookups: Mapping[str, _Lookup] = field(default_factory=dict)


def recognise(text: str) -> tuple[Recognised, ...]:
    """Return every reading of `text` (spaces, hyphens and small letters allowed); those with a check digit first.

    Empty when no format fits. Never raises; longer text than NUMBER_LENGTH_MAX is not looked at.
    """
    number = _number(text)
    found = [reading for form, match, fits in _matches(number) if fits and (reading := _reading(form, match, number))]
    return tuple(sorted(found, key=lambda reading: not reading.checked))


def is_misread(text: str) -> bool:
    """Tell whether `text` has the shape of a number with a check digit, but the check digit does not fit."""
    return any(not fits for _, _, fits in _matches(_number(text)))


def _number(text: str) -> str:
    """Return the compacted number, or nothing where it cannot be one."""
    number = compact(text) if len(text) <= TEXT_LENGTH_MAX else ""
    return number if len(number) <= NUMBER_LENGTH_MAX else ""


def _matches(number: str) -> Iterator[tuple[_Format, re.Match[str], bool]]:
    """Yield the formats of the right shape, and whether the check digit fits (True where there is none)."""
    for form in _formats_by_length().get(len(number), ()):
        if match := form.pattern.fullmatch(number):
            yield form, match, form.check is None or form.check(_serial(form, match), match["CheckDigit"])


def _serial(form: _Format, match: re.Match[str]) -> str:
    serial = match["SerialNumber"]
    if form.prepend and not serial.startswith(form.prepend[0]):
        return form.prepend[1] + serial
    return serial


def _reading(form: _Format, match: re.Match[str], number: str) -> Recognised | None:
    """Return what the table says about a number of this format, or None where a required lookup fails."""
    words = {}
    for kind, lookup in form.lookups.items():
        found = lookup.find(match[lookup.group] or "")
        if found is None and lookup.required:
            return None
        words[kind] = found or ""
    country = match["CountryCode"] if form.courier == "s10" else words.get("country", "")
    return Recognised(
        courier=form.courier,
        courier_name=form.courier_name,
        format=form.id,
        format_name=form.name,
        number=number,
        checked=form.check is not None,
        service=words.get("service", ""),
        operator=words.get("operator", ""),
        country=country,
        tracking_url=form.url.replace("%s", quote(number, safe="")),
    )


def _mod10(serial: str, check: str, *, evens: int, odds: int, backwards: bool) -> bool:
    """Weighted sum modulo 10; the first place is even. A letter counts its ASCII code less 3, as UPS has it."""
    characters = serial[::-1] if backwards else serial
    values = [int(c) if c.isdigit() else (ord(c) - 3) % 10 for c in characters]
    return -(evens * sum(values[::2]) + odds * sum(values[1::2])) % 10 == int(check)


def _weighted(serial: str, check: str, *, weights: tuple[int, ...], modulo1: int, modulo2: int) -> bool:
    total = sum(int(digit) * weight for digit, weight in zip(serial, weights, strict=True))
    return total % modulo1 % modulo2 == int(check)


def _luhn(serial: str, check: str) -> bool:
    """ISO/IEC 7812-1 annex B: every second digit from the right is doubled, and the digits of the result added."""
    doubled = [sum(divmod(2 * int(digit), 10)) for digit in serial[::-2]]
    return -(sum(doubled) + sum(map(int, serial[-2::-2]))) % 10 == int(check)


def _mod_37_36(serial: str, check: str) -> bool:
    """ISO/IEC 7064 hybrid system, modulus 37 and 36, over digits and capital letters."""
    product = 36
    for character in serial:
        product = ((product + _ALPHABET_36.index(character)) % 36 or 36) * 2 % 37
    return _ALPHABET_36[(37 - product) % 36] == check


def _check(checksum: Mapping[str, Any]) -> Callable[[str, str], bool]:
    """Return the check that the table's entry describes. Raises ValueError for one that this engine does not know."""
    match checksum["name"]:
        case "mod10":
            evens, odds = checksum["evens_multiplier"], checksum["odds_multiplier"]
            return functools.partial(_mod10, evens=evens, odds=odds, backwards=checksum.get("reverse", False))
        case "sum_product_with_weightings_and_modulo":
            modulo1, modulo2 = checksum["modulo1"], checksum["modulo2"]
            return functools.partial(_weighted, weights=checksum["weightings"], modulo1=modulo1, modulo2=modulo2)
        case "mod7":
            return lambda serial, check: int(serial) % 7 == int(check)
        case "s10":
            return lambda serial, check: s10.check_digit(serial) == int(check)
        case "luhn":
            return _luhn
        case "mod_37_36":
            return _mod_37_36
        case unknown:
            raise ValueError(f"the table names the checksum {unknown!r}, which this engine does not know")


def _lookup(entry: Mapping[str, Any]) -> _Lookup:
    words: Mapping[str, str] = entry["words"]
    codes = {code: text for code, text in words.items() if code.isalnum()}
    patterns = tuple((re.compile(code), text) for code, text in words.items() if not code.isalnum())
    return _Lookup(entry["group"], entry["required"], codes, patterns)


@functools.cache
def _formats_by_length() -> Mapping[int, tuple[_Format, ...]]:
    """Load the table once, at the first number: {length: the formats that can have it}."""
    table = json.loads(resources.files(__package__).joinpath("carriers.json").read_text(encoding="utf-8"))
    by_length: dict[int, list[_Format]] = {}
    for courier in table["couriers"]:
        for entry in courier["formats"]:
            prepend = entry.get("prepend")
            form = _Format(
                courier=courier["code"],
                courier_name=courier["name"],
                id=entry["id"],
                name=entry["name"],
                pattern=re.compile(entry["pattern"]),
                url=entry.get("url", ""),
                check=_check(entry["checksum"]) if "checksum" in entry else None,
                prepend=(prepend["unless_starts"], prepend["digits"]) if prepend else None,
                lookups={kind: _lookup(rows) for kind, rows in entry.get("lookups", {}).items()},
            )
            for length in range(entry["length"][0], entry["length"][1] + 1):
                by_length.setdefault(length, []).append(form)
    return {length: tuple(forms) for length, forms in by_length.items()}
