"""The form of customs: what was typed, what it means, and what is wrong with it, each at its field.

As with a new order, what is typed travels in the form and lies nowhere until all of it is there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from django.http import QueryDict
from django.utils.translation import gettext as _

from parcelward.base.errors import Invalid, Problem
from parcelward.base.standards import money
from parcelward.doors.portals import amounts
from parcelward.doors.portals.customs_words import PROBLEMS
from parcelward.doors.portals.orders_form import grams
from parcelward.shipping.actions import Declared
from parcelward.shipping.customs import rules
from parcelward.shipping.customs.wire import LINES_MAX, Completeness, Customs, Goods

HEAD: Final[Mapping[str, int]] = {
    "reason": 20,
    "explanation": 60,
    "currency": 3,
    "sender_contact": 254,
    "addressee_contact": 254,
    "sender_reference": 60,
    "importer_reference": 60,
}
"""Field of the whole parcel -> how many characters of it are read."""
LINE: Final[Mapping[str, int]] = {"d": 200, "q": 7, "w": 20, "v": 20, "o": 2, "h": 20}
"""Field of one line, with its number behind -> the same: description, quantity, weight, value, origin, HS code."""
FIELDS: Final[Mapping[str, str]] = {
    "description": "d",
    "quantity": "q",
    "net_weight_g": "w",
    "value_minor": "v",
    "origin": "o",
    "hs_code": "h",
}
"""Part of a line -> the field where it is typed."""


@dataclass(frozen=True, slots=True, repr=False)
class Typed:
    """What stands in the form: of the whole parcel, and of each line."""

    head: Mapping[str, str]
    lines: Sequence[Mapping[str, str]]

    def changed(self, at: int, **values: str) -> Typed:
        """Return it with other texts in one line."""
        lines = [{**line, **values} if nth == at else line for nth, line in enumerate(self.lines)]
        return replace(self, lines=lines)

    def without_blanks(self) -> Typed:
        """Return it without the lines in which nothing stands, but the first."""
        return replace(self, lines=[line for at, line in enumerate(self.lines) if any(line.values()) or not at])

    def with_line(self) -> Typed:
        """Return it with one more line, as far as there may be more."""
        return replace(self, lines=[*self.lines, dict.fromkeys(LINE, "")][:LINES_MAX])


@dataclass(frozen=True, slots=True, repr=False)
class Read:
    """What a form says, and what cannot be read in it: field -> what is wrong."""

    customs: Customs
    flaws: dict[str, str] = field(default_factory=dict)


def typed(post: QueryDict) -> Typed:
    """Return what a form sent, each text cut at its limit."""
    head = {name: " ".join(post.get(name, "")[:limit].split()) for name, limit in HEAD.items()}
    count = int(post.get("lines", "1")) if post.get("lines", "1") in map(str, range(1, LINES_MAX + 1)) else 1
    lines = [
        {name: " ".join(post.get(f"{name}{at}", "")[:limit].split()) for name, limit in LINE.items()}
        for at in range(1, count + 1)
    ]
    return Typed(head, lines)


def first(said: Declared) -> Typed:
    """Return the form as it begins: what was declared, or what the order says of the parcel."""
    customs, currency = said.customs, said.order.currency
    head = dict.fromkeys(HEAD, "") | {
        "reason": customs.reason,
        "explanation": customs.explanation,
        "currency": customs.currency or currency,
        "sender_contact": customs.sender_contact,
        "addressee_contact": customs.addressee_contact,
        "sender_reference": customs.sender_reference,
        "importer_reference": customs.importer_reference,
    }
    lines = [_shown(one) for one in customs.goods]
    if not lines:
        worth = _decimal(said.item.value_minor, currency) if said.item.value_minor else ""
        lines = [dict.fromkeys(LINE, "") | {"d": said.contents[: rules.WORDS_MAX], "v": worth}]
    return Typed(head, lines)


def _shown(one: Goods) -> dict[str, str]:
    return {
        "d": one.description,
        "q": str(one.quantity or ""),
        "w": f"{one.net_weight_g / 1000:g}" if one.net_weight_g else "",
        "v": _decimal(one.value_minor, one.currency) if one.value_minor else "",
        "o": one.origin,
        "h": one.hs_code,
    }


def _decimal(minor: int, currency: str) -> str:
    return str(money.decimal(minor, money.currency(currency))) if currency in money.MINOR_DIGITS else ""


def read(typed: Typed) -> Read:
    """Return what a form says; what cannot be read is as if never typed, and named."""
    flaws: dict[str, str] = {}
    head = typed.head
    currency = head["currency"].upper()
    goods = [_goods(line, at, currency, flaws) for at, line in enumerate(typed.lines, 1)]
    texts = {name: text for name, text in head.items() if name != "currency"}
    return Read(Customs(goods=tuple(goods), **texts), flaws)


def _goods(line: Mapping[str, str], at: int, currency: str, flaws: dict[str, str]) -> Goods:
    said: dict[str, Any] = {"description": line["d"], "origin": line["o"].upper(), "hs_code": line["h"]}
    said["currency"] = currency
    if re.fullmatch(r"\d{1,6}", line["q"], re.ASCII):
        said["quantity"] = int(line["q"])
    try:
        said["net_weight_g"] = grams(line["w"]) if line["w"] else 0
    except Invalid as bad:
        flaws[f"w{at}"] = bad.message
    if line["v"] and currency in money.MINOR_DIGITS:
        try:
            said["value_minor"] = amounts.typed(line["v"], money.currency(currency))
        except Invalid as bad:
            flaws[f"v{at}"] = bad.message
    return Goods(**said)


def at_fields(problems: Iterable[Problem], known: Mapping[str, str]) -> dict[str, str]:
    """Return problems at the fields of this form, each field once; what is `known` of a field stands."""
    found = dict(known)
    for one in problems:
        found.setdefault(field_of(one.pointer), str(PROBLEMS.get((rules.name_of(one.pointer), one.code), one.message)))
    return found


def field_of(pointer: str) -> str:
    """Return the field where that part of a declaration is typed."""
    _empty, *steps = pointer.split("/")
    if len(steps) == 3:  # noqa: PLR2004 -- goods, which line, which part
        return f"{FIELDS[steps[2]]}{int(steps[1]) + 1}" if steps[2] in FIELDS else "currency"
    return steps[0] if steps and steps[0] in HEAD else "w1"


def asked_contacts(said: Declared, typed: Typed) -> tuple[bool, bool]:
    """Return whether the form asks how sender and addressee are reached: where the order does not say it."""
    sender = not (said.sender.email or said.sender.phone) or bool(typed.head["sender_contact"])
    addressee = not (said.addressee.email or said.addressee.phone) or bool(typed.head["addressee_contact"])
    return sender, addressee


def problems(customs: Customs, said: Declared) -> tuple[Problem, ...]:
    """Return what customs would still need."""
    sender, addressee = (bool(one.email or one.phone) for one in (said.sender, said.addressee))
    item = said.item
    return rules.problems(
        customs, to=item.country, weight_g=item.weight_g, sender_reached=sender, addressee_reached=addressee
    )


def is_done(said: Declared) -> bool:
    """Return whether all is declared."""
    return said.standing is Completeness.COMPLETE


def label(name: str) -> str:
    """Return what a field is called."""
    return {
        "d": _("What it is"),
        "q": _("How many"),
        "w": _("Weight without packing, in kg"),
        "v": _("Worth, all together"),
        "o": _("Made in"),
        "h": _("Tariff code (HS)"),
    }[name]
