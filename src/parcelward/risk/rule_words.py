"""What is said about rules to the people who write and read them, in their language.

It stands beside the language, which is pure and knows only codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy, gettext_noop, ngettext

from parcelward.base.errors import Problem
from parcelward.base.standards import money
from parcelward.base.standards.money import Currency
from parcelward.risk.language.problems import Finding, Refused
from parcelward.risk.language.schema import Schema
from parcelward.risk.language.tree import (
    All,
    Among,
    Any,
    Compare,
    Fixed,
    Flag,
    Has,
    Known,
    Node,
    Of,
    Same,
    Starts,
    Test,
    written,
)
from parcelward.risk.language.trying import Tried
from parcelward.risk.wire import Answer, Because, Fact, Field, Reason, Unit
from parcelward.risk.wire import Tried as Told

WRONG: Final[Mapping[str, Promise]] = {
    "always_false": gettext_lazy("This can never be true, so the rule would never act: %(about)s"),
    "always_true": gettext_lazy("This is always true, so it would stop every order: %(about)s"),
    "backslash": gettext_lazy("A text has no backslash in it"),
    "bad_call": gettext_lazy("%(about)s is not written like this"),
    "bad_list": gettext_lazy("A list has 1 to %(about)s values"),
    "bad_list_value": gettext_lazy("This is no value that %(about)s can have"),
    "bad_number": gettext_lazy("%(about)s is no number: write 3, 0.25, 12_50, or a time such as 90s, 10m, 1h, 7d"),
    "bad_rest": gettext_lazy("A rest is left where a whole number is divided by a fixed whole number above 0"),
    "bare_time": gettext_lazy("A time needs its unit: s, m, h or d"),
    "bracket": gettext_lazy("The bracket %(about)s has no other half"),
    "compared_flag": gettext_lazy("%(about)s is true or false by itself: it is not compared"),
    "compared_set": gettext_lazy("%(about)s holds several texts: ask whether one of them is in it"),
    "compared_test": gettext_lazy("Join two comparisons by `and` or `or`; they cannot be compared with each other"),
    "control_character": gettext_lazy("There is a character here that cannot be seen"),
    "division_by_nothing": gettext_lazy("This divides by 0"),
    "empty": gettext_lazy("Write a rule, such as cards_1h > 3"),
    "foreign_letter": gettext_lazy("%(about)s only looks like a letter of this language: names have a to z"),
    "inexact": gettext_lazy("Only whole numbers and texts are equal or not: ask with < or > here"),
    "literal_too_long": gettext_lazy("A text in a rule has at most %(about)s characters"),
    "marked_text": gettext_lazy("Nothing stands directly before a text"),
    "no_constant": gettext_lazy("Rules have no %(about)s"),
    "no_is": gettext_lazy("There is no `is`: ask whether a field is known"),
    "no_power": gettext_lazy("There are no powers: multiply"),
    "no_sense": gettext_lazy("Here the rule cannot be read: something is missing, or is one too many"),
    "not_a_flag": gettext_lazy("%(about)s is neither true nor false: compare it with something"),
    "not_a_list": gettext_lazy("After `in` stands a list, or a field that holds several texts"),
    "not_a_literal": gettext_lazy("Before `in` stands a text in quotation marks"),
    "not_a_number": gettext_lazy("%(about)s is no number"),
    "not_a_test": gettext_lazy("This is neither true nor false: a rule asks something"),
    "not_a_text": gettext_lazy("%(about)s is no text"),
    "not_allowed": gettext_lazy("Rules cannot have this"),
    "not_listed": gettext_lazy("Before `in` and a list stands a field with a text or a whole number"),
    "number_too_long": gettext_lazy("A number has at most %(about)s digits"),
    "open_text": gettext_lazy("This text has no end: the second quotation mark is missing"),
    "text_order": gettext_lazy("Texts have no order: ask with == or !="),
    "too_big": gettext_lazy("This could become too large a number"),
    "too_deep": gettext_lazy("There are more than %(about)s parts within parts"),
    "too_large": gettext_lazy("A rule has at most %(about)s parts: make two of it"),
    "too_long": gettext_lazy("A rule has at most %(about)s characters"),
    "too_many_words": gettext_lazy("A rule has at most %(about)s words and signs"),
    "two_texts": gettext_lazy("Two texts stand side by side: a comma is missing"),
    "unknown_call": gettext_lazy("There is nothing called %(about)s that could be asked"),
    "unknown_name": gettext_lazy("There is no field called %(about)s"),
    "unknown_sign": gettext_lazy("Rules have no sign like this"),
    "unlike": gettext_lazy("Only like is compared with like: numbers with numbers, texts with texts"),
    "unlike_units": gettext_lazy("These numbers count different things: %(about)s"),
}
"""The sentence for each code of a finding. A test holds them against the codes in the source."""

SHIPPED: Final = (
    gettext_noop("Many different cards were tried from one device within an hour"),
    gettext_noop("This account used many different cards within an hour"),
    gettext_noop("Many different cards were tried from one network"),
    gettext_noop("Very many payments were declined within an hour; it can be tried again later"),
    gettext_noop("Several payments were declined within an hour"),
    gettext_noop("One card paid for orders of several accounts"),
    gettext_noop("Earlier orders paid with this card were disputed"),
    gettext_noop("Several earlier orders of this account were disputed"),
    gettext_noop("A new account orders for a high amount"),
    gettext_noop("A new account sends something of high value"),
    gettext_noop("A first order for a high amount is paid with a card from another country"),
    gettext_noop("One printer made very many labels within an hour"),
    gettext_noop("One printer makes labels for several accounts"),
    gettext_noop("Many accounts send to one addressee: what is sent may be passed on"),
    gettext_noop("Very many accounts send to one address: what is sent may be passed on"),
    gettext_noop("Earlier orders to this addressee were disputed"),
    gettext_noop("A large part of this account's orders was given back"),
)
"""The words of the rules that are shipped, so that they are translated. A test holds them against the file."""

_UNITS: Final = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def wrong(finding: Finding) -> str:
    """Return what is wrong with a rule, and what was probably meant, in the reader's language."""
    said = str(WRONG[finding.code])
    sentence = said % {"about": finding.about} if "%(" in said else said
    if not finding.suggestion:
        return f"{sentence}."
    return f"{sentence}. " + gettext("Did you mean %(suggestion)s?") % {"suggestion": finding.suggestion}


def problems(refused: Refused, pointer: str = "/text") -> tuple[Problem, ...]:
    """Return what is wrong with a rule as an answer to a program has it, each with its place."""
    return tuple(
        Problem(f"{pointer}#char={each.start},{each.end}", each.code, wrong(each), each.suggestion)
        for each in refused.findings
    )


def value(fact: Fact | tuple[Fact, ...] | None, field: Field | None = None, currency: Currency | None = None) -> str:
    """Return a value as people read it: a time in its units, money in its major unit where the currency is known."""
    if fact is None:
        return gettext("unknown")
    if isinstance(fact, bool):
        return gettext("yes") if fact else gettext("no")
    if isinstance(fact, tuple | frozenset):
        return ", ".join(sorted(value(each, field, currency) for each in fact))
    if isinstance(fact, str):
        return fact
    if field is not None and field.unit is Unit.SECONDS:
        return _time(round(fact))
    if field is not None and field.unit is Unit.MINOR and currency is not None:
        return f"{money.decimal(round(fact), currency)} {currency}"
    return f"{fact:.6g}" if isinstance(fact, float) else str(fact)


def _time(seconds: int) -> str:
    """Return a time in its two largest units: 93,784 s are 1 d 2 h."""
    left, parts = abs(seconds), []
    for each, sign in _UNITS:
        count, left = divmod(left, each)
        if count:
            parts.append(f"{count} {sign}")
    return "-" * (seconds < 0) + (" ".join(parts[:2]) or "0 s")


def field(one: Field) -> str:
    """Return what a field means, such as "… cards in 1 h"."""
    return _said(one, "…")


def reason(found: Reason) -> str:
    """Return the sentence of a reason: in the reader's language where the rule was shipped, else as it was written."""
    return gettext(found.words) if found.words else found.code


def because(found: Because, schema: Schema, currency: Currency | None = None) -> str:
    """Return why a rule fired, such as "4 cards in 1 h (limit 3)"."""
    field = schema.by_name.get(found.field)
    if field is None:
        known = (f"{_facts(name, fact, schema, currency)}" for name, fact in found.facts)
        return f"{', '.join(known)} ({found.text})"
    said = _said(field, value(found.value, field, currency))
    limit = value(found.limit, field, currency)
    match found.op:
        case ">" | ">=" | "<" | "<=":
            return gettext("%(said)s (limit %(limit)s)") % {"said": said, "limit": limit}
        case "!=" | "not in" | "not startswith":
            return gettext("%(said)s (not %(limit)s)") % {"said": said, "limit": limit}
        case "not":
            return gettext("not: %(said)s") % {"said": said}
        case "missing":
            return gettext("not known: %(said)s") % {"said": _said(field, "…")}
    return said


def _facts(name: str, fact: Fact | None, schema: Schema, currency: Currency | None) -> str:
    field = schema.by_name.get(name)
    return f"{name} {value(fact)}" if field is None else _said(field, value(fact, field, currency))


def _said(field: Field, shown: str) -> str:
    """Return a field's own words with a value in them."""
    words = gettext(field.words) if field.words else field.name
    return words % {"value": shown} if "%(value)s" in words else words


def read_back(node: Node, currency: Currency | None = None) -> str:
    """Return a rule in plain words, such as "more than 3 cards in 1 h and the address is new"."""
    if not isinstance(node, All | Any):
        return _test_back(node, currency)
    inner = [
        f"({read_back(part, currency)})" if isinstance(part, All | Any) else read_back(part, currency)
        for part in node.parts
    ]
    return (gettext(" and ") if isinstance(node, All) else gettext(" or ")).join(inner)


def _test_back(test: Test, currency: Currency | None) -> str:
    match test:
        case Compare(op, Of(field), Fixed(limit)):
            return _said(field, _compared(op) % {"limit": value(limit, field, currency)})
        case Compare() | Same(_, Field()):
            return written(test)
        case Same(field, text, negated):
            return _said(field, (gettext("anything but %(limit)s") if negated else "%(limit)s") % {"limit": text})
        case Among(field, values, negated):
            said = gettext("none of %(limit)s") if negated else gettext("one of %(limit)s")
            return _said(field, said % {"limit": ", ".join(value(each, field, currency) for each in values)})
        case Has(field, text, negated):
            return _said(
                field, (gettext("without %(limit)s") if negated else gettext("with %(limit)s")) % {"limit": text}
            )
        case Starts(field, prefix, negated):
            begins = gettext("something that does not begin with %(limit)s")
            said = begins if negated else gettext("something that begins with %(limit)s")
            return _said(field, said % {"limit": prefix})
        case Known(field, negated):
            said = gettext("not known: %(said)s") if negated else gettext("known: %(said)s")
            return said % {"said": _said(field, "…")}
        case Flag(field, negated):
            return gettext("not: %(said)s") % {"said": _said(field, "")} if negated else _said(field, "")


def _compared(op: str) -> str:
    return {
        ">": gettext("more than %(limit)s"),
        ">=": gettext("at least %(limit)s"),
        "<": gettext("less than %(limit)s"),
        "<=": gettext("at most %(limit)s"),
        "==": "%(limit)s",
        "!=": gettext("anything but %(limit)s"),
    }[op]


def tried(found: Tried | Told, answer: Answer) -> str:
    """Return what a rule would have done, such as: Would have stopped 41 orders, 38 of them later disputed."""
    count = {"count": found.stopped}
    match answer:
        case Answer.STEP_UP:
            said = (
                ngettext(
                    "Would have asked for more proof of %(count)d order",
                    "Would have asked for more proof of %(count)d orders",
                    found.stopped,
                )
                % count
            )
        case Answer.REVIEW:
            said = (
                ngettext(
                    "Would have shown %(count)d order to a person",
                    "Would have shown %(count)d orders to a person",
                    found.stopped,
                )
                % count
            )
        case _:
            said = (
                ngettext("Would have stopped %(count)d order", "Would have stopped %(count)d orders", found.stopped)
                % count
            )
    disputed = gettext("%(count)d of them later disputed") % {"count": found.stopped_disputed}
    return f"{said}, {disputed}."
