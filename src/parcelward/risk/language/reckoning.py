"""Reads the numbers of a rule: their types, their units, and between which bounds they must lie.

The bounds are why nothing can overflow, in any of the three forms: whole numbers stay below 2**53, where a double is
exact, and all others stay finite. They also show what is always true.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from parcelward.risk.language.problems import Finding, Refused, meant
from parcelward.risk.language.schema import CALLS, Schema
from parcelward.risk.language.tree import NEAREST, Fixed, Number, Of, Pick, Reckon, Size
from parcelward.risk.wire import Field, FieldType, Unit

WHOLE_MAX = 2**53
FLOAT_MAX = 1e100
SHOWN_MAX = 40
"""Characters of the rule that a finding shows."""
PARTS_MAX = 8
"""Numbers that `min` or `max` takes."""

_SIGNS: Final[Mapping[type[ast.operator], str]] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.Mod: "%",
}


@dataclass(frozen=True, slots=True)
class Span:
    """A number of a rule and what is known of it before there is an order."""

    number: Number
    low: int | float
    high: int | float
    unit: Unit
    whole: bool
    bare: bool = False  # a number that was written without a unit

    @property
    def size(self) -> int | float:
        """Return how far from nothing it can be."""
        return max(abs(self.low), abs(self.high))


def of_field(field: Field) -> Span:
    """Return what is known of a field's number."""
    return Span(Of(field), field.least, field.most, field.unit, field.type is FieldType.INT)


class Reading:
    """A rule's text while it is read: where things stand in it, and which names it may use."""

    def __init__(self, text: str, durations: Mapping[int, int], schema: Schema) -> None:
        self.text = text
        self.durations = durations
        self.schema = schema
        self._bytes = None if text.isascii() else text.encode()

    def _place(self, column: int) -> int:
        """Return the character at a column of Python's parser: bytes, of a text with a bracket before it."""
        at = max(column - 1, 0)
        return min(at, len(self.text)) if self._bytes is None else len(self._bytes[:at].decode(errors="ignore"))

    def offset(self, node: ast.expr) -> int:
        """Return where something begins."""
        return self._place(node.col_offset)

    def span(self, node: ast.expr) -> tuple[int, int]:
        """Return where something begins and ends."""
        return self._place(node.col_offset), self._place(node.end_col_offset or node.col_offset + 1)

    def wrong(self, code: str, node: ast.expr, about: str = "", suggestion: str = "") -> Refused:
        """Return the error for what is wrong with a part."""
        start, end = self.span(node)
        return Refused([Finding(code, start, end, about or self.text[start:end][:SHOWN_MAX], suggestion)])

    def field(self, node: ast.Name) -> Field:
        """Return the field that a name means."""
        found = self.schema.by_name.get(node.id)
        if found is None:
            raise self.wrong("unknown_name", node, node.id, meant(node.id, self.schema.by_name))
        return found

    def same_unit(self, node: ast.expr, one: Span, two: Span) -> tuple[Span, Span]:
        """Return both numbers in one unit: a bare one takes the other's, but times are written with their unit."""
        if one.unit is two.unit:
            return one, two
        bare, other = (one, two) if one.bare else (two, one)
        if not bare.bare:
            raise self.wrong("unlike_units", node, f"{one.unit}/{two.unit}")
        if other.unit is Unit.SECONDS and bare.low != 0:
            raise self.wrong("bare_time", node, f"{bare.low}", f"{bare.low}d")
        taken = replace(bare, number=Fixed(bare.low, other.unit), unit=other.unit)
        return (taken, two) if one.bare else (one, taken)


def number(reading: Reading, node: ast.expr) -> Span:
    """Return a number with its bounds. Raises Refused if it is none, or could be too large."""
    found = _read(reading, node)
    if found.size > (WHOLE_MAX if found.whole else FLOAT_MAX):
        raise reading.wrong("too_big", node)
    return found


def _read(reading: Reading, node: ast.expr) -> Span:
    match node:
        case ast.Constant(value) if type(value) is int or type(value) is float:
            return Span(Fixed(value), value, value, Unit.PLAIN, type(value) is int, bare=True)
        case ast.Name() if reading.offset(node) in reading.durations:
            seconds = reading.durations[reading.offset(node)]
            return Span(Fixed(seconds, Unit.SECONDS), seconds, seconds, Unit.SECONDS, whole=True)
        case ast.Name():
            field = reading.field(node)
            if field.type.is_number:
                return of_field(field)
            raise reading.wrong("not_a_number", node, field.name)
        case ast.UnaryOp(ast.USub() | ast.UAdd() as sign, operand):
            found = number(reading, operand)
            return _minus(found) if isinstance(sign, ast.USub) else found
        case ast.BinOp(left, op, right):
            return _reckoned(reading, node, left, op, right)
        case ast.Call():
            return _called(reading, node)
        case ast.Constant(value):
            raise reading.wrong("not_a_number" if isinstance(value, str) else "no_constant", node, repr(value)[:20])
    raise reading.wrong("not_allowed", node)


def _minus(of: Span) -> Span:
    inner = of.number
    turned: Number = (
        Fixed(-inner.value, inner.unit) if isinstance(inner, Fixed) else Reckon("-", Fixed(0, of.unit), inner)
    )
    return replace(of, number=turned, low=-of.high, high=-of.low)


def _reckoned(reading: Reading, node: ast.BinOp, left: ast.expr, op: ast.operator, right: ast.expr) -> Span:
    sign = _SIGNS.get(type(op))
    if sign is None:
        raise reading.wrong("no_power" if isinstance(op, ast.Pow) else "unknown_sign", node, suggestion="*")
    one, two = number(reading, left), number(reading, right)
    if sign in {"+", "-"}:
        found = _sum(sign, *reading.same_unit(node, one, two))
    elif sign == "*":
        found = _product(reading, node, one, two)
    elif sign == "/":
        found = _quotient(reading, node, one, two)
    else:
        found = _rest(reading, node, one, two)
    if found.whole and isinstance(one.number, Fixed) and isinstance(two.number, Fixed):
        return replace(found, number=Fixed(found.low, found.unit), bare=one.bare and two.bare)
    return found


def _sum(sign: str, one: Span, two: Span) -> Span:
    low, high = (one.low + two.low, one.high + two.high) if sign == "+" else (one.low - two.high, one.high - two.low)
    return Span(Reckon(sign, one.number, two.number), low, high, one.unit, one.whole and two.whole)


def _product(reading: Reading, node: ast.BinOp, one: Span, two: Span) -> Span:
    if Unit.PLAIN not in {one.unit, two.unit}:
        raise reading.wrong("unlike_units", node, f"{one.unit}/{two.unit}")
    ends = [a * b for a in (one.low, one.high) for b in (two.low, two.high)]
    unit = two.unit if one.unit is Unit.PLAIN else one.unit
    return Span(Reckon("*", one.number, two.number), min(ends), max(ends), unit, one.whole and two.whole)


def _quotient(reading: Reading, node: ast.BinOp, one: Span, two: Span) -> Span:
    if two.size < NEAREST:
        raise reading.wrong("division_by_nothing", node)
    if two.unit not in {Unit.PLAIN, one.unit}:
        raise reading.wrong("unlike_units", node, f"{one.unit}/{two.unit}")
    unit = Unit.PLAIN if one.unit is two.unit else one.unit
    quotient = Reckon("/", one.number, two.number)
    nearest = 1 if two.whole else NEAREST
    if two.low > 0 or two.high < 0:
        nearest = max(nearest, min(abs(two.low), abs(two.high)))
        ends = [a / b for a in (one.low, one.high) for b in (two.low, two.high) if abs(b) >= nearest]
        if len(ends) == 4:  # noqa: PLR2004 -- all four corners: the quotient lies between them
            return Span(quotient, min(ends), max(ends), unit, whole=False)
    size = one.size / nearest
    low = 0 if one.low >= 0 and two.low >= 0 else -size
    return Span(quotient, low, size, unit, whole=False)


def _rest(reading: Reading, node: ast.BinOp, one: Span, two: Span) -> Span:
    by = two.number.value if isinstance(two.number, Fixed) else 0
    if not one.whole or not two.whole or by <= 0:
        raise reading.wrong("bad_rest", node)
    one, two = reading.same_unit(node, one, two)
    if isinstance(one.number, Fixed):
        rest = one.number.value % by
        return Span(Reckon("%", one.number, two.number), rest, rest, one.unit, whole=True)
    return Span(Reckon("%", one.number, two.number), 0, by - 1, one.unit, whole=True)


def _called(reading: Reading, node: ast.Call) -> Span:
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    if name not in CALLS:
        raise reading.wrong("unknown_call", node.func, name, meant(name, CALLS))
    if name in {"known", "startswith"}:
        raise reading.wrong("not_a_number", node, name)
    fits = len(node.args) == 1 if name == "abs" else 2 <= len(node.args) <= PARTS_MAX  # noqa: PLR2004 -- of one alone there is nothing to pick
    if node.keywords or not fits:
        raise reading.wrong("bad_call", node, name, "abs(number)" if name == "abs" else f"{name}(number, number)")
    spans = [number(reading, arg) for arg in node.args]
    if name == "abs":
        low = 0 if spans[0].low <= 0 <= spans[0].high else min(abs(spans[0].low), abs(spans[0].high))
        return replace(spans[0], number=Size(spans[0].number), low=low, high=spans[0].size, bare=False)
    return _picked(reading, node, name, spans)


def _picked(reading: Reading, node: ast.Call, name: str, spans: list[Span]) -> Span:
    """Return the `min` or `max` of numbers, all in the unit of the first that has one."""
    lead = next((span for span in spans if not span.bare), spans[0])
    taken = [reading.same_unit(node, lead, span)[1] for span in spans]
    pick = min if name == "min" else max
    return Span(
        Pick(name, tuple(span.number for span in taken)),
        pick(span.low for span in taken),
        pick(span.high for span in taken),
        lead.unit,
        all(span.whole for span in taken),
    )
