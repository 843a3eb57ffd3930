"""A rule as a tree: tests joined by `all` and `any`. There is no `not`: a test is turned round instead.

So a test of something missing is simply false, and a whole rule can only become true by what is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from parcelward.risk.wire import Field, Unit

NEAREST = 1e-6
"""A divisor that is closer to nothing makes what is divided missing, so that every number stays finite."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """A number that stands in the rule."""

    value: int | float
    unit: Unit = Unit.PLAIN


@dataclass(frozen=True, slots=True)
class Of:
    """The number in a field."""

    field: Field


@dataclass(frozen=True, slots=True)
class Reckon:
    """Two numbers and one of + - * / %."""

    op: str
    left: Number
    right: Number


@dataclass(frozen=True, slots=True)
class Pick:
    """The `min` or `max` of numbers."""

    how: str
    parts: tuple[Number, ...]


@dataclass(frozen=True, slots=True)
class Size:
    """A number without its sign."""

    of: Number


Number = Fixed | Of | Reckon | Pick | Size


@dataclass(frozen=True, slots=True)
class Compare:
    """Two numbers and one of < <= > >= == !=."""

    op: str
    left: Number
    right: Number


@dataclass(frozen=True, slots=True)
class Same:
    """Whether a text is another one."""

    field: Field
    other: Field | str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Among:
    """Whether a text or whole number is one of some."""

    field: Field
    values: tuple[str, ...] | tuple[int, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Starts:
    """Whether a text begins with another."""

    field: Field
    prefix: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Has:
    """Whether a set has a text in it."""

    field: Field
    value: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Flag:
    """Whether a bool is true."""

    field: Field
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """Whether a field has a value."""

    field: Field
    negated: bool = False


OfField = Same | Among | Starts | Has | Flag | Known
Test = Compare | OfField


@dataclass(frozen=True, slots=True)
class All:
    """True if every part is."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Any:
    """True if one part is."""

    parts: tuple[Node, ...]


Node = Test | All | Any

TURNED: Final = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}


def negate(node: Node) -> Node:
    """Return what is true where `node` is false, and everything it asks about is known."""
    match node:
        case All(parts):
            return Any(tuple(negate(part) for part in parts))
        case Any(parts):
            return All(tuple(negate(part) for part in parts))
        case Compare(op, left, right):
            return Compare(TURNED[op], left, right)
    return replace(node, negated=not node.negated)


def all_of(*nodes: Node) -> Node:
    """Return one node for all of some; what is `all` already is not nested."""
    parts = [part for node in nodes for part in (node.parts if isinstance(node, All) else (node,))]
    return parts[0] if len(parts) == 1 else All(tuple(parts))


def any_of(*nodes: Node) -> Node:
    """Return one node for any of some; what is `any` already is not nested."""
    parts = [part for node in nodes for part in (node.parts if isinstance(node, Any) else (node,))]
    return parts[0] if len(parts) == 1 else Any(tuple(parts))


def tests(node: Node) -> Iterator[Test]:
    """Yield the tests of a rule, in its order."""
    if isinstance(node, All | Any):
        for part in node.parts:
            yield from tests(part)
    else:
        yield node


def _in_number(number: Number) -> Iterator[Field]:
    match number:
        case Of(field):
            yield field
        case Reckon(_, left, right):
            yield from _in_number(left)
            yield from _in_number(right)
        case Pick(_, parts):
            for part in parts:
                yield from _in_number(part)
        case Size(of):
            yield from _in_number(of)


def fields_of(test: Test) -> tuple[Field, ...]:
    """Return the fields of a test, each once, in its order."""
    match test:
        case Compare(_, left, right):
            found = [*_in_number(left), *_in_number(right)]
        case Same(field, Field() as other):
            found = [field, other]
        case _:
            found = [test.field]
    return tuple(dict.fromkeys(found))


def fields(node: Node) -> tuple[Field, ...]:
    """Return the fields of a rule, each once, in its order."""
    return tuple(dict.fromkeys(field for test in tests(node) for field in fields_of(test)))


_TIGHT: Final = {"+": 1, "-": 1, "*": 2, "/": 2, "%": 2}
_UNITS: Final = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))


def literal(value: str | float, unit: Unit = Unit.PLAIN) -> str:
    """Return a value as a rule writes it."""
    if isinstance(value, str):
        return f"'{value}'" if '"' in value else f'"{value}"'
    if unit is Unit.SECONDS and isinstance(value, int):
        return "-" * (value < 0) + next(f"{abs(value) // each}{sign}" for each, sign in _UNITS if value % each == 0)
    return f"{Decimal(repr(value)):f}" if isinstance(value, float) else str(value)


def _written(number: Number, tight: int = 0) -> str:
    match number:
        case Fixed(value, unit):
            return literal(value, unit)
        case Of(field):
            return field.name
        case Pick(how, parts):
            return f"{how}({', '.join(_written(part) for part in parts)})"
        case Size(of):
            return f"abs({_written(of)})"
        case Reckon(op, left, right):
            own = _TIGHT[op]
            text = f"{_written(left, own)} {op} {_written(right, own + 1)}"
            return f"({text})" if own < tight else text


def written(node: Node) -> str:
    """Return a rule in the language, in one form whoever wrote it: to compare versions, and to show a test."""
    match node:
        case All(parts):
            return " and ".join(f"({written(p)})" if isinstance(p, Any) else written(p) for p in parts)
        case Any(parts):
            return " or ".join(f"({written(p)})" if isinstance(p, All) else written(p) for p in parts)
        case Compare(op, left, right):
            return f"{_written(left)} {op} {_written(right)}"
        case Same(field, other, negated):
            text = other.name if isinstance(other, Field) else literal(other)
            return f"{field.name} {'!=' if negated else '=='} {text}"
        case Among(field, values, negated):
            listed = ", ".join(literal(value, field.unit) for value in values)
            return f"{field.name} {'not in' if negated else 'in'} [{listed}]"
        case Has(field, value, negated):
            return f"{literal(value)} {'not in' if negated else 'in'} {field.name}"
        case Starts(field, prefix, negated):
            return f"{'not ' * negated}startswith({field.name}, {literal(prefix)})"
        case Known(field, negated):
            return f"{'not ' * negated}known({field.name})"
        case Flag(field, negated):
            return f"{'not ' * negated}{field.name}"
