"""One row of a list as an item of an order, or everything that is wrong with it: pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, get_args

from parcelward.base.standards import money
from parcelward.base.standards.addresses import tables
from parcelward.base.standards.addresses.address import Address
from parcelward.base.standards.money import Currency
from parcelward.parcels.hazmat.wire import Answers, BatteryKind, Declaration
from parcelward.shipping.uploads.columns import IGNORED, LENGTHS, MEASURED, WEIGHTS, measure_of
from parcelward.shipping.uploads.wire import Wrong
from parcelward.shipping.wire import ItemWanted, Party

REFERENCE_CHARS_MAX: Final = 40
NOTE_CHARS_MAX: Final = 80
EMAIL_CHARS_MAX: Final = 254
PHONE_CHARS_MAX: Final = 40
VALUE_MINOR_MAX: Final = 10**12
_REFERENCE: Final = re.compile(r"[A-Za-z0-9._/ -]*")
_NUMBER: Final = re.compile(r"(\d{1,9}(?:[.,]\d{1,9})?)\s*([a-z]*)", re.ASCII)
_AMOUNT: Final = re.compile(r"\D{0,4}?(\d{1,12})(?:[.,](\d{1,4}))?\D{0,4}", re.ASCII)
_EMAIL: Final = re.compile(r"[^@\s\"(),:;<>\[\\\]]+@[^@\s\"(),:;<>\[\\\]]+")
_SIDES: Final = 3
_BATTERY: Final = {
    **{kind: kind for kind in get_args(BatteryKind)},
    **dict.fromkeys(("", "no", "none", "n", "0", "non", "nein", "ninguna", "sin", "aucune", "keine"), "none"),
    **dict.fromkeys(("yes", "y", "1", "si", "sí", "oui", "ja"), "unknown"),
}
FIELD_OF: Final[Mapping[str, str]] = {
    "/to/address/addressee": "addressee",
    "/to/address/organisation": "organisation",
    "/to/address/street_lines": "street_1",
    "/to/address/street_lines/0": "street_1",
    "/to/address/street_lines/1": "street_2",
    "/to/address/street_lines/2": "street_3",
    "/to/address/dependent_locality": "dependent_locality",
    "/to/address/locality": "locality",
    "/to/address/administrative_area": "administrative_area",
    "/to/address/postcode": "postcode",
    "/to/address/country": "country",
    "/to/address": "postcode",
    "/to/note": "note",
    "/to": "street_1",
    "/product": "product",
    "/weight_g": "weight",
    "/size_mm": "size",
    "/contents/description": "contents",
}
"""Where something is wrong in an item of an order -> the field of a list; `weight` and `size` in whatever unit."""


def values_of(
    cells: Sequence[str], columns: Sequence[str], defaults: Mapping[str, str], mended: Mapping[str, str]
) -> dict[str, str]:
    """Return a row's fields: as the file has them, as is said for all rows, as somebody mended them."""
    found = {field: text for field, text in zip(columns, cells, strict=False) if field != IGNORED and text}
    for field, text in defaults.items():
        others = {field} if not measure_of(field) else {one for one in MEASURED if measure_of(one) == measure_of(field)}
        if not others & found.keys():
            found[field] = text
    for field, text in mended.items():
        measure = measure_of(field)
        if measure:
            for other in [one for one in found if measure_of(one) == measure]:
                del found[other]
        found[field] = text
    return {field: text for field, text in found.items() if text}


def item_of(values: Mapping[str, str], *, here: str, currency: Currency) -> tuple[ItemWanted, tuple[Wrong, ...]]:
    """Return a row as an item, and what cannot even be read in it. `here`: the house's country, where none is said."""
    wrong: list[Wrong] = []
    country = values.get("country", "") or here
    item = ItemWanted(
        to=_party(values, country, wrong),
        product=values.get("product", "").casefold().strip(),
        weight_g=_weight(values, wrong),
        sides_mm=_sides(values, wrong),
        declaration=Declaration(
            description=values.get("contents", ""),
            hs_code=_short(values, "hs_code", 14, wrong),
            un=_short(values, "un", 10, wrong),
            international=_code(country) != here,
            answers=Answers(battery=_battery(values, wrong)),
        ),
        extras=tuple(one for one in re.split(r"[,;\s]+", values.get("extras", "").casefold()) if one),
        value_minor=_value(values, currency, wrong),
        reference=_reference(values, wrong),
    )
    return item, tuple(wrong)


def _code(country: str) -> str:
    """Return a country's two letters as far as its name tells; the check of the address says what is unknown."""
    text = country.strip()
    return text.upper() if len(text) == 2 else tables.names().by_name.get(tables.folded(text), text)  # noqa: PLR2004 -- ISO 3166-1 alpha-2


def _party(values: Mapping[str, str], country: str, wrong: list[Wrong]) -> Party:
    street = [values.get(f"street_{nth}", "") for nth in (1, 2, 3)]
    number = values.get("house_number", "")
    if number and street[0]:
        street[0] = f"{street[0]} {number}"
    email = _short(values, "email", EMAIL_CHARS_MAX, wrong)
    if email and not _EMAIL.fullmatch(email):
        wrong.append(Wrong("email", "bad_email", "This is no e-mail address"))
    return Party(
        Address(
            country=country,
            addressee=values.get("addressee", ""),
            organisation=values.get("organisation", ""),
            street_lines=tuple(line for text in street for line in text.splitlines() if line.strip()),
            dependent_locality=values.get("dependent_locality", ""),
            locality=values.get("locality", ""),
            administrative_area=values.get("administrative_area", ""),
            postcode=values.get("postcode", ""),
        ),
        email=email,
        phone=_short(values, "phone", PHONE_CHARS_MAX, wrong),
        note=_short(values, "note", NOTE_CHARS_MAX, wrong),
    )


def _short(values: Mapping[str, str], field: str, most: int, wrong: list[Wrong]) -> str:
    text = values.get(field, "")
    if len(text) > most:
        wrong.append(Wrong(field, "too_long", f"This has at most {most} letters", text[:most]))
    return text[:most]


def _reference(values: Mapping[str, str], wrong: list[Wrong]) -> str:
    text = values.get("reference", "")
    if len(text) > REFERENCE_CHARS_MAX or not _REFERENCE.fullmatch(text):
        better = "".join(c if _REFERENCE.fullmatch(c) else "-" for c in text)[:REFERENCE_CHARS_MAX].strip("-")
        words = "A reference has up to 40 letters without marks, digits, dots, dashes, spaces and slashes"
        wrong.append(Wrong("reference", "bad_reference", words, better))
        return ""
    return text


def _number(text: str, units: Mapping[str, float], unit: str) -> float | None:
    found = _NUMBER.fullmatch(text.casefold().strip())
    if found is None or (found[2] and found[2] not in units):
        return None
    return float(found[1].replace(",", ".")) * units[found[2] or unit]


def _weight(values: Mapping[str, str], wrong: list[Wrong]) -> int:
    for unit in WEIGHTS:
        text = values.get(f"weight_{unit}", "")
        if text:
            grams = _number(text, WEIGHTS, unit)
            if grams is not None:
                return max(1, round(grams)) if grams > 0 else 0
            wrong.append(Wrong("weight", "bad_number", "Give the weight as a number, such as 0.9"))
            return 1
    wrong.append(Wrong("weight", "missing", "Say what the parcel weighs"))
    return 1


def _sides(values: Mapping[str, str], wrong: list[Wrong]) -> tuple[int, int, int]:
    found: list[float | None] = []
    for unit in LENGTHS:
        if text := values.get(f"size_{unit}", ""):
            parts = [part for part in re.split(r"[x\u00d7*/\s]+", text.casefold().replace(unit, " ")) if part]
            found = [_number(part, LENGTHS, unit) for part in parts]
    if not found:
        texts = [
            next(((values[f"{side}_{unit}"], unit) for unit in LENGTHS if values.get(f"{side}_{unit}")), ("", "mm"))
            for side in ("length", "width", "height")
        ]
        if any(text for text, _ in texts):
            found = [_number(text, LENGTHS, unit) for text, unit in texts]
    if not found:
        wrong.append(Wrong("size", "missing", "Say how large the parcel is: three sides"))
        return 1, 1, 1
    sides = [round(one) for one in found if one is not None]
    if len(sides) != _SIDES or len(found) != _SIDES:
        wrong.append(Wrong("size", "bad_number", "Give three sides, such as 30 x 20 x 10"))
        return 1, 1, 1
    return sides[0], sides[1], sides[2]


def _battery(values: Mapping[str, str], wrong: list[Wrong]) -> BatteryKind | None:
    if "battery" not in values:
        return None
    kind = _BATTERY.get(values["battery"].casefold().strip().replace(" ", "_"))
    if kind is None:
        kinds = ", ".join(get_args(BatteryKind))
        wrong.append(Wrong("battery", "bad_choice", "Say which kind of battery is in it", kinds))
    return kind


def _value(values: Mapping[str, str], currency: Currency, wrong: list[Wrong]) -> int:
    text = values.get("value", "").strip()
    if not text:
        return 0
    digits = money.MINOR_DIGITS[currency]
    found = _AMOUNT.fullmatch(text)
    if found is None or len((found[2] or "").rstrip("0")) > digits:
        wrong.append(Wrong("value", "bad_amount", "Give the value as an amount, such as 25.00"))
        return 0
    minor = (found[2] or "")[:digits].ljust(digits, "0")
    return min(int(found[1]) * int(10**digits) + int(minor or 0), VALUE_MINOR_MAX)
