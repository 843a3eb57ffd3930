"""The form of a new order: what was typed, what it means, and what is wrong with it, each at its field.

What is typed travels in the form itself, from page to page, and lies nowhere until something is bought: sessions are
rows of the main database in clear, and the vault is the one home of people's data. No address has any of it, and every
page is sent with `no-store`. Whoever changes a hidden field changes only what they could have typed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from math import ceil
from typing import Any, Final

from django.http import QueryDict
from django.utils.translation import gettext as _

from parcelward.base.errors import Invalid, Problem
from parcelward.base.standards.addresses.address import Address
from parcelward.base.standards.money import Currency
from parcelward.doors.portals import amounts
from parcelward.doors.portals.order_words import BATTERIES, problem_words
from parcelward.parcels.hazmat import questions
from parcelward.parcels.hazmat.wire import Answers, Declaration
from parcelward.shipping.wire import ItemWanted, OrderWanted, Party

LIMITS: Final[Mapping[str, int]] = {
    "from_country": 2,
    "from_name": 200,
    "from_street": 1000,
    "from_town": 200,
    "from_area": 200,
    "from_postcode": 20,
    "to_country": 2,
    "to_name": 200,
    "to_street": 1000,
    "to_town": 200,
    "to_area": 200,
    "to_postcode": 20,
    "weight": 20,
    "size": 10,
    "sides": 40,
    "contents": 2000,
    "battery": 20,
    "air": 1,
    "appeal": 1,
    "to_email": 254,
    "to_phone": 40,
    "note": 80,
    "value": 20,
    "reference": 40,
}
"""Field -> how many characters of it are read; as they stand on the page."""
EXTRAS_MAX: Final = 20
LINES_MAX: Final = 5
ANSWER_MAX: Final = 30
SKIPPED: Final = "skip"
OTHER_KIND: Final = "more"  # a battery of a kind that is asked for in the next question
OWN_SIZE: Final = "own"
SIZES: Final[Mapping[str, tuple[int, int, int]]] = {
    "envelope": (320, 230, 25),
    "small": (230, 160, 80),
    "medium": (350, 250, 150),
    "large": (600, 400, 300),
}
"""Preset -> its sides in millimetres."""
POINTERS: Final[Mapping[str, str]] = {
    "addressee": "name",
    "organisation": "name",
    "street_lines": "street",
    "dependent_locality": "street",
    "locality": "town",
    "administrative_area": "area",
    "postcode": "postcode",
    "sorting_code": "town",
    "country": "country",
}
"""Part of an address -> the field where it is typed."""
OF_PARCEL: Final[Mapping[str, str]] = {
    "/to": "to_street",
    "/to/note": "note",
    "/to/address": "to_postcode",
    "/weight_g": "weight",
    "/size_mm": "size",
    "/contents/description": "contents",
}
"""Where else something can be wrong with a parcel -> the field where it is typed."""

_WEIGHT: Final = re.compile(r"(\d{1,7})(?:[.,](\d{1,3}))?\s*(kg|g|lb|lbs|oz)?\.?", re.ASCII | re.IGNORECASE)
_GRAMS: Final = {"kg": Decimal(1000), "g": Decimal(1), "lb": Decimal("453.59237"), "oz": Decimal("28.349523125")}
_SIDES: Final = re.compile(r"\s*[x\N{MULTIPLICATION SIGN}*,;\s]\s*", re.IGNORECASE)
_SIDE: Final = re.compile(r"(\d{1,5})(?:\.(\d{1,2}))?", re.ASCII)
_UNIT: Final = re.compile(r"\s*(cm|mm|in|inch|inches|\")\s*$", re.IGNORECASE)
_MM: Final = {"cm": Decimal(10), "mm": Decimal(1), "in": Decimal("25.4")}
_KG_LIKELY: Final = 100  # a number without a unit that is more is grams, perhaps: it is asked about
_EMAIL: Final = re.compile(r"[^@\s\"<>(),;\\]+@[^@\s\"<>(),;\\]+")
_REFERENCE: Final = re.compile(r"[A-Za-z0-9._/ -]*", re.ASCII)


@dataclass(frozen=True, slots=True, repr=False)
class Typed:
    """What stands in the form."""

    values: Mapping[str, str]
    extras: tuple[str, ...] = ()
    answers: Mapping[str, str] = field(default_factory=dict)  # to questions about what is in it, in their order

    def hidden(self) -> list[tuple[str, str]]:
        """Return it as the fields that carry it to the next page."""
        pairs = [(name, text) for name, text in self.values.items() if text]
        pairs += [("extra", code) for code in self.extras]
        return pairs + [(f"a_{name}", text) for name, text in self.answers.items()]

    def changed(self, **values: str) -> Typed:
        """Return it with other texts in some fields."""
        return replace(self, values={**self.values, **values})


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong at a field, what could stand there instead, and what the button that takes it says."""

    field: str
    words: str
    suggestion: str = ""
    take: str = ""


def typed(post: QueryDict) -> Typed:
    """Return what a form sent, each text cut at its limit."""
    values = {name: post.get(name, "")[:limit].replace("\r\n", "\n").strip() for name, limit in LIMITS.items()}
    known = (*questions.CHOICES, *sorted(questions.NUMBERS))
    sent = [key.removeprefix("a_") for key in post if key.startswith("a_")]
    answers = {name: post.get(f"a_{name}", "")[:ANSWER_MAX].strip() for name in sent if name in known}
    return Typed(values, tuple(post.getlist("extra")[:EXTRAS_MAX]), answers)


def first(sender: Party | None, *, here: str) -> Typed:
    """Return the form as it begins: from where somebody sent last, to the house's own country."""
    values = dict.fromkeys(LIMITS, "") | {"from_country": here, "to_country": here}
    if sender is not None:
        at = sender.address
        above = (at.organisation,) if at.addressee and at.organisation else ()
        below = (at.dependent_locality,) if at.dependent_locality else ()
        values |= {
            "from_name": at.addressee or at.organisation,
            "from_street": "\n".join((*above, *at.street_lines, *below)),
            "from_town": " ".join(part for part in (at.locality, at.sorting_code) if part),
            "from_area": at.administrative_area,
            "from_postcode": at.postcode,
            "from_country": at.country,
        }
    return Typed(values)


def grams(text: str) -> int:
    """Return a weight as somebody typed it: kilograms, or with a unit. Raises Invalid."""
    found = _WEIGHT.fullmatch(text.strip())
    unit = ((found and found[3]) or "kg").lower().removesuffix("s")
    if found is None or (unit == "g" and found[2]):
        raise Invalid(_("Enter the weight, such as 0.9 or 900 g"))
    weight = ceil(Decimal(f"{found[1]}.{found[2] or 0}") * _GRAMS[unit])
    if not found[3] and int(found[1]) >= _KG_LIKELY:
        raise Invalid(_("Say whether this is grams or kilograms"), code="which_unit")
    if not weight:
        raise Invalid(_("Enter the weight, such as 0.9 or 900 g"))
    return weight


def sides_mm(size: str, text: str) -> tuple[int, int, int]:
    """Return three sides: of a preset, or as somebody typed them. Raises Invalid."""
    if size in SIZES:
        return SIZES[size]
    if size != OWN_SIZE:
        raise Invalid(_("Choose the size"))
    unit = _UNIT.search(text)
    factor = _MM["in" if unit and unit[1][0] in 'iI"' else unit[1].lower() if unit else "cm"]
    parts = [_SIDE.fullmatch(part) for part in _SIDES.split(_UNIT.sub("", text).strip())]
    if len(parts) != 3 or None in parts:  # noqa: PLR2004 -- length, width, height
        raise Invalid(_("Enter three sides, such as 30 x 20 x 10"), code="bad_sides")
    a, b, c = (ceil(Decimal(f"{one[1]}.{one[2] or 0}") * factor) for one in parts if one)
    return a, b, c


def order_of(typed: Typed, *, currency: Currency, here: str) -> tuple[OrderWanted, list[Flaw]]:
    """Return the order that a form describes, and what cannot be read in it; those parts are as if never typed."""
    value, flaws = typed.values, []
    weight, sides, minor = 0, (0, 0, 0), 0
    try:
        weight = grams(value["weight"])
    except Invalid as bad:
        meant = f"{value['weight'].strip()} g" if bad.code == "which_unit" else ""
        flaws.append(Flaw("weight", bad.message, meant, "weight" if meant else ""))
    try:
        sides = sides_mm(value["size"], value["sides"])
    except Invalid as bad:
        flaws.append(Flaw("sides" if bad.code == "bad_sides" else "size", bad.message))
    try:
        minor = amounts.typed(value["value"], currency) if value["value"] else 0
    except Invalid as bad:
        flaws.append(Flaw("value", bad.message))
    if value["battery"] not in BATTERIES:
        flaws.append(Flaw("battery", _("Say whether there is a battery in it")))
    if value["to_email"] and not _EMAIL.fullmatch(value["to_email"]):
        flaws.append(Flaw("to_email", _("Enter an e-mail address such as name@example.com, or leave it empty")))
    if not _REFERENCE.fullmatch(value["reference"]):
        flaws.append(Flaw("reference", _("A reference has letters, digits, spaces and . _ / - alone")))
    lines = _("A label has room for five lines: put some together")
    flaws += [Flaw(name, lines) for name in ("from_street", "to_street") if value[name].count("\n") >= LINES_MAX]
    answers, wrong = answered(typed)
    declared = Declaration(value["contents"], international=value["to_country"] != here, answers=answers)
    to = Party(_address("to", value), value["to_email"], value["to_phone"], value["note"])
    item = ItemWanted(to, "", weight, sides, declared, typed.extras, minor)
    return OrderWanted(Party(_address("from", value)), (item,), reference=value["reference"]), [*flaws, *wrong]


def _address(who: str, value: Mapping[str, str]) -> Address:
    return Address(
        country=value[f"{who}_country"],
        addressee=value[f"{who}_name"],
        street_lines=tuple(line for line in value[f"{who}_street"].split("\n") if line.strip())[:LINES_MAX],
        locality=value[f"{who}_town"],
        administrative_area=value[f"{who}_area"],
        postcode=value[f"{who}_postcode"],
    )


def answered(typed: Typed) -> tuple[Answers, list[Flaw]]:
    """Return the answers about what is in it, and those that are none."""
    said: dict[str, Any] = {}
    flaws = []
    for name, text in typed.answers.items():
        choices = questions.CHOICES.get(name)
        if text == SKIPPED:
            continue
        if choices is None:
            number = text.replace(",", ".")
            if re.fullmatch(r"-?\d{1,7}(\.\d{1,4})?", number, re.ASCII):
                said[name] = int(float(number)) if name == "battery_number" else float(number)
            else:
                flaws.append(Flaw(f"a_{name}", _("Enter a number, or choose that you do not know")))
        elif text in choices:
            said[name] = text == "true" if choices == questions.YES_NO else text
        else:
            flaws.append(Flaw(f"a_{name}", _("Choose an answer, or that you do not know")))
    if typed.values["battery"] not in {"", OTHER_KIND}:
        said["battery"] = typed.values["battery"] if typed.values["battery"] in BATTERIES else None
    return Answers(**said), flaws


def at_fields(problems: Iterable[Problem]) -> list[Flaw]:
    """Return problems of an order of one parcel at the fields of this form, each field once."""
    found: dict[str, Flaw] = {}
    for one in problems:
        name = field_of(one.pointer)
        found.setdefault(name, Flaw(name, problem_words(one, name), one.suggestion, name if one.suggestion else ""))
    return list(found.values())


def in_order(flaws: Iterable[Flaw]) -> list[Flaw]:
    """Return what is wrong as it stands on the page; questions come after the battery."""
    places = {name: at for at, name in enumerate(LIMITS)}
    return sorted(flaws, key=lambda flaw: places.get(flaw.field, places["air"]))


def field_of(pointer: str) -> str:
    """Return the field where that part of an order of one parcel is typed."""
    of_parcel = pointer.removeprefix("/items/0")
    if of_parcel in OF_PARCEL:
        return OF_PARCEL[of_parcel]
    who = "from" if pointer.startswith("/sender") else "to"
    part = pointer.partition("/address/")[2].split("/")[0]
    return f"{who}_{POINTERS.get(part, 'street')}"


def taken(typed: Typed, name: str, problems: Iterable[Problem]) -> Typed:
    """Return the form with a suggestion in its field; what changed places with it is put right as well."""
    if name == "weight":
        return typed.changed(weight=f"{typed.values['weight']} g")
    known = {field_of(one.pointer): one for one in problems if one.suggestion}
    chosen = known.get(name)
    if chosen is None:
        return typed
    values = {name: chosen.suggestion}
    who = name.partition("_")[0]
    if chosen.code == "swapped":
        swapped = {each: one for each, one in known.items() if one.code == "swapped" and each.startswith(f"{who}_")}
        values |= {each: one.suggestion for each, one in swapped.items()}
    elif chosen.code == "postcode_in_locality":
        town = f"{who}_town"
        bare = re.sub(re.escape(chosen.suggestion).replace(r"\ ", r"\s*"), "", typed.values[town], flags=re.IGNORECASE)
        values[town] = bare.strip(" ,")
    return typed.changed(**values)
