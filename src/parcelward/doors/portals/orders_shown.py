"""Orders as their pages show them: the form's fields, what is offered, and one order with its parcels."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext as _

from parcelward.base import config
from parcelward.base.standards import money
from parcelward.base.standards.addresses import tables
from parcelward.base.standards.addresses.labels import label_lines
from parcelward.base.standards.money import Currency
from parcelward.doors.portals import amounts, moments, order_words, orders_form
from parcelward.doors.portals.orders_form import Flaw, Typed
from parcelward.parcels import queries as parcels
from parcelward.parcels.hazmat import questions, words
from parcelward.parcels.hazmat.queries import question, screen
from parcelward.parcels.hazmat.wire import Answer, Mode, Screened
from parcelward.shipping.wire import Looked, OrderWanted, Quoted

_GRAMS_PER_KG: Final = 1000
TIMES: Final = "\N{NO-BREAK SPACE}\N{MULTIPLICATION SIGN} "


MORE: Final = ("to_email", "to_phone", "note", "value", "reference")
"""Fields that most parcels do without: folded until one is used."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the form, with what is wrong with it."""

    name: str
    label: str
    value: str
    limit: int
    hint: str = ""
    auto: str = "off"
    kind: str = "text"
    mode: str = ""
    width: str = ""
    suffix: str = ""
    rows: int = 0
    flaw: str = ""
    suggestion: str = ""
    take: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several."""

    value: str
    words: str
    chosen: bool
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about the contents: one of several, or a number."""

    name: str
    words: str
    value: str
    choices: tuple[Choice, ...]
    unit: str
    skipped: bool
    flaw: str


def currency_of(tariff: Any) -> Currency:
    """Return what a tariff's prices are in."""
    return money.currency(tariff.currency)


def form(typed: Typed, flaws: Sequence[Flaw], *, tariff: Any) -> dict[str, Any]:
    """Return what the page of the form shows."""
    at = {flaw.field: flaw for flaw in flaws}
    fields = {field.name: field for field in _fields(typed, at)}
    value = typed.values
    return {
        "f": fields,
        "flaws": [(f"{flaw.field}-{_first_of(flaw.field)}".strip("-"), flaw.words) for flaw in flaws],
        "at": {name: flaw.words for name, flaw in at.items()},
        "from_lines": _typed_lines(value),
        "from_open": not value["from_name"] or any(name.startswith("from_") for name in at),
        "from_country": value["from_country"],
        "from_country_name": country_name(value["from_country"]),
        "area_asked": bool(value["from_area"]) or "from_area" in at,
        "countries": _countries(value["to_country"]),
        "sizes": _sizes(value["size"]),
        "batteries": [Choice(k, str(words), value["battery"] == k) for k, words in order_words.BATTERIES.items()],
        "questions": _questions(typed, at),
        "extras": _extras(tariff, typed.extras),
        "more_open": bool(typed.extras) or any(value[name] or name in at for name in MORE),
        "air": value["air"],
    }


def _first_of(name: str) -> str:
    """Return what the first choice's id ends with, where the field is one of several."""
    if name in {"size", "battery"}:
        return "1"
    return "1" if name.startswith("a_") and name.removeprefix("a_") in questions.CHOICES else ""


def _fields(typed: Typed, at: Mapping[str, Flaw]) -> Iterable[Field]:
    optional = _("%(label)s (optional)")
    plain: list[tuple[str, str, dict[str, Any]]] = [
        ("from_name", _("Your name or company"), {"auto": "organization"}),
        ("from_street", _("Street and number"), {"auto": "street-address", "rows": 2}),
        ("from_town", _("Town or city"), {"auto": "address-level2"}),
        ("from_area", _("State or region"), {"auto": "address-level1"}),
        ("from_postcode", _("Postcode or ZIP code"), {"auto": "postal-code", "width": "10"}),
        ("to_name", _("Name"), {}),
        ("to_street", _("Street and number"), {"rows": 2}),
        ("to_town", _("Town or city"), {}),
        ("to_area", _("State or region, if any"), {}),
        ("to_postcode", _("Postcode or ZIP code"), {"width": "10"}),
        (
            "to_email",
            optional % {"label": _("Addressee's e-mail")},
            {"kind": "email"},
        ),
        ("to_phone", optional % {"label": _("Addressee's telephone")}, {"kind": "tel", "width": "20"}),
        ("note", optional % {"label": _("Note for the door")}, {}),
        ("reference", optional % {"label": _("Your reference")}, {"width": "20"}),
        ("value", optional % {"label": _("What it is worth")}, {"width": "10", "mode": "decimal"}),
        ("weight", _("Weight"), {"width": "5", "mode": "decimal", "suffix": "kg"}),
        ("sides", _("Length x width x height, in cm"), {"width": "20", "hint": _("Such as 30 x 20 x 10")}),
        ("contents", _("What is in it?"), {"hint": _("In plain words, such as two cotton T-shirts"), "rows": 2}),
    ]
    for name, label, more in plain:
        flaw = at.get(name, Flaw(name, ""))
        limit = orders_form.LIMITS[name]
        more |= {"flaw": flaw.words, "suggestion": flaw.suggestion, "take": flaw.take}
        yield Field(name, label, typed.values[name], limit, **more)


def _typed_lines(value: Mapping[str, str]) -> list[str]:
    place = " ".join(value[name] for name in ("from_town", "from_area", "from_postcode") if value[name])
    return [line for line in (value["from_name"], *value["from_street"].split("\n"), place) if line]


def _countries(chosen: str) -> list[Choice]:
    named = {code: country_name(code) for code in tables.forms()}
    return [Choice(code, name, code == chosen) for code, name in sorted(named.items(), key=lambda one: one[1])]


def country_name(code: str) -> str:
    """Return a country's name in English; a browser with scripts says it in the reader's language."""
    called = tables.names().called.get(code)
    return called[0] if called else code


def _sizes(chosen: str) -> list[Choice]:
    named = {
        "envelope": _("Envelope"),
        "small": _("Small box"),
        "medium": _("Medium box"),
        "large": _("Large box"),
    }
    rows = []
    for code, sides in orders_form.SIZES.items():
        text = TIMES.join(f"{side / 10:g}" for side in sides)
        rows.append(Choice(code, named[code], code == chosen, f"{text}\N{NO-BREAK SPACE}cm"))
    return [*rows, Choice(orders_form.OWN_SIZE, _("Another size"), chosen == orders_form.OWN_SIZE)]


def _questions(typed: Typed, at: Mapping[str, Flaw]) -> list[Question]:
    found = []
    for name, value in typed.answers.items():
        codes = questions.CHOICES.get(name, ())
        choices = tuple(
            Choice(code, order_words.choice(name, code), code == value) for code in codes if code != "unknown"
        )
        flaw = at[f"a_{name}"].words if f"a_{name}" in at else ""
        number = "" if value == orders_form.SKIPPED else value
        skipped = value == orders_form.SKIPPED
        found.append(
            Question(f"a_{name}", str(question(name)), number, choices, order_words.UNITS.get(name, ""), skipped, flaw)
        )
    return found


def _extras(tariff: Any, chosen: Sequence[str]) -> list[Choice]:
    """Return what can be bought with a delivery, and what it adds."""
    currency, rows = currency_of(tariff), []
    for one in tariff.surcharges:
        if one.extra:
            price = amounts.shown(one.amount_minor, currency) if one.amount_minor else ""
            rows.append(Choice(one.extra, one.words, one.extra in chosen, f"+{price}" if price else ""))
    return rows


def offers(
    wanted: OrderWanted, looked: Looked, quoted: Quoted, *, tariff: Any, appealing: bool = False
) -> dict[str, Any]:
    """Return what the page of prices shows: what can be bought, and what cannot and why."""
    item, here = wanted.items[0], config.get().country
    rules = parcels.operator_rules()
    screened = {mode: screen(item.declaration, mode, rules) for mode in Mode}
    sold, unsold = [], []
    names = {product.code: product.words for product in tariff.products}
    for offer, first, last in quoted.offers:
        found = screened[Mode(offer.mode)]
        if not appealing and not _goes(found, Mode(offer.mode)):
            ask = Mode(offer.mode) is Mode.AIR and found.ask is not None
            unsold.append({"words": offer.words, "why": str(found.words), "ask": ask})
            continue
        sold.append(
            {
                "product": offer.product,
                "words": offer.words,
                "price": amounts.shown(offer.total_minor, quoted.currency),
                "parts": _parts(offer, quoted.currency),
                "days": days_words(first, last),
                "note": _offer_note(found, appealing=appealing),
                "held": found.answer is Answer.HOLD or not _goes(found, Mode(offer.mode)),
            }
        )
    unsold += [
        {"words": names.get(one.product, one.product), "why": str(order_words.UNSOLD[one.code]), "ask": False}
        for one in quoted.unsold
    ]
    return {
        "offers": sold,
        "unsold": unsold,
        "to_lines": label_lines(looked.to[0], from_country=here),
        "from_lines": label_lines(looked.sender, from_country=here),
        "parcel": parcel_words(item.weight_g, item.sides_mm),
        "contents": item.declaration.description,
        "expires_at": quoted.expires_at,
    }


def _goes(found: Screened, mode: Mode) -> bool:
    """Return whether an order by this service would not be refused at once for what is in it."""
    return found.answer is not Answer.REFUSE and not (found.answer is Answer.ACCEPT_GROUND_ONLY and mode is Mode.AIR)


def _offer_note(found: Screened, *, appealing: bool) -> str:
    if found.answer is Answer.HOLD or appealing:
        return _("A person looks at it first: what is in it may be dangerous. Nothing is paid now.")
    if found.answer is Answer.INSPECT:
        return _("We look at what is in it when you hand it in.")
    return ""


def _parts(offer: Any, currency: Currency) -> list[tuple[str, str]]:
    rows = [
        (_("Postage") if part.code == offer.product else part.words, amounts.shown(part.amount_minor, currency))
        for part in offer.parts
    ]
    return [*rows, (_("Tax"), amounts.shown(offer.tax_minor, currency))] if offer.tax_minor else rows


def days_words(first: dt.date, last: dt.date) -> str:
    """Return when something comes, as people say it."""
    today = timezone.now().date()
    begins, ends = moments.day_name(first, today), moments.day_name(last, today)
    return begins if first == last else _("%(first)s to %(last)s") % {"first": begins, "last": ends}


def parcel_words(weight_g: int, sides_mm: Sequence[int]) -> str:
    """Return what a parcel weighs and measures."""
    weight = f"{weight_g / _GRAMS_PER_KG:g} kg" if weight_g >= _GRAMS_PER_KG else f"{weight_g} g"
    return f"{weight}, {TIMES.join(f'{side / 10:g}' for side in sides_mm)} cm"


def rule_words(rule: str) -> str:
    """Return what a rule about dangerous goods means, and what to change; nothing for one that is not known."""
    if rule not in words.RULES:
        return ""
    meaning, change = words.RULES[rule]
    return f"{meaning} {change}"


def appeal_words() -> str:
    """Return how to ask for a person."""
    return str(words.APPEAL)
