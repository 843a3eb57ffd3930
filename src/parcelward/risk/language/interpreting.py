"""Walks a rule's tree for one order: the plainest form, which the quick ones are compared with, and which says why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from parcelward.risk.language import schema
from parcelward.risk.language.tree import (
    NEAREST,
    All,
    Among,
    Any,
    Compare,
    Fixed,
    Has,
    Known,
    Node,
    Number,
    Of,
    Pick,
    Reckon,
    Same,
    Size,
    Starts,
    Test,
    fields,
    fields_of,
    written,
)
from parcelward.risk.wire import Because, Fact, Field

Facts = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Examined:
    """What a rule says of one order: whether it fires, why, and which of its fields were missing."""

    fires: bool
    because: tuple[Because, ...]
    missing: tuple[str, ...]


def fires(node: Node, facts: Facts) -> bool:
    """Return whether a rule is true of an order."""
    match node:
        case All(parts):
            return all(fires(part, facts) for part in parts)
        case Any(parts):
            return any(fires(part, facts) for part in parts)
    return _true(node, facts)


def examine(node: Node, facts: Facts) -> Examined:
    """Return what a rule says of one order, with the tests that made it true."""
    fired = fires(node, facts)
    because = tuple(dict.fromkeys(_because(node, facts))) if fired else ()
    missing = tuple(field.name for field in fields(node) if schema.value(field, facts) is None)
    return Examined(fired, because, missing)


def _true(test: Test, facts: Facts) -> bool:
    match test:
        case Compare(op, left, right):
            return _compared(op, _number(left, facts), _number(right, facts))
        case Known(field, negated):
            return (schema.value(field, facts) is None) is negated
        case Same(field, Field() as other, negated):
            one, two = schema.value(field, facts), schema.value(other, facts)
            return one is not None and two is not None and (one != two) is negated
    found = schema.value(test.field, facts)
    if found is None:
        return False
    match test:
        case Same(_, str() as text, negated):
            return (found != text) is negated
        case Among(_, values, negated):
            return (found not in values) is negated
        case Starts(_, prefix, negated):
            return isinstance(found, str) and (not found.startswith(prefix)) is negated
        case Has(_, value, negated):
            return isinstance(found, frozenset) and (value not in found) is negated
    return (not found) is test.negated  # a flag


def _compared(op: str, left: float | None, right: float | None) -> bool:
    if left is None or right is None:
        return False
    match op:
        case "<":
            return left < right
        case "<=":
            return left <= right
        case ">":
            return left > right
        case ">=":
            return left >= right
        case "==":
            return left == right
    return left != right


def _number(number: Number, facts: Facts) -> int | float | None:
    """Return a number; None if something in it is missing."""
    match number:
        case Fixed(value):
            return value
        case Of(field):
            found = schema.value(field, facts)
            return found if isinstance(found, int | float) else None
        case Size(of):
            inner = _number(of, facts)
            return None if inner is None else abs(inner)
        case Pick(how, parts):
            numbers = [_number(part, facts) for part in parts]
            known = [each for each in numbers if each is not None]
            return (min(known) if how == "min" else max(known)) if len(known) == len(numbers) else None
        case Reckon(op, left, right):
            return _reckoned(op, _number(left, facts), _number(right, facts))


def _reckoned(op: str, left: float | None, right: float | None) -> int | float | None:
    if left is None or right is None:
        return None
    match op:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/":
            return None if -NEAREST < right < NEAREST else left / right
    return left % right


def _because(node: Node, facts: Facts) -> Iterator[Because]:
    """Yield the tests that made a true rule true: of `any`, those of the parts that are true."""
    if isinstance(node, All | Any):
        for part in node.parts:
            if fires(part, facts):
                yield from _because(part, facts)
    else:
        yield _of_test(node, facts)


def _of_test(test: Test, facts: Facts) -> Because:
    values = tuple((field.name, schema.value(field, facts)) for field in fields_of(test))
    field, value = values[0] if values else ("", None)
    text = written(test)
    limit: Fact | tuple[Fact, ...] | None
    match test:
        case Compare(op, Of(), Fixed(limit)):
            return Because(field, op, value, limit, text, values)
        case Compare(op, left, right):
            return Because("", op, _number(left, facts), _number(right, facts), text, values)
        case Same(_, str() as limit, negated):
            return Because(field, "!=" if negated else "==", value, limit, text, values)
        case Same(_, Field() as other, negated):
            return Because("", "!=" if negated else "==", value, schema.value(other, facts), text, values)
        case Among(_, limit, negated) | Has(_, limit, negated):
            return Because(field, "not in" if negated else "in", value, limit, text, values)
        case Starts(_, limit, negated):
            return Because(field, "not startswith" if negated else "startswith", value, limit, text, values)
        case Known(_, negated):
            return Because(field, "missing" if negated else "known", value, None, text, values)
    return Because(field, "not" if test.negated else "is", value, None, text, values)
