"""Finds what is always true or always false, whatever the order: nobody means such a rule."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from parcelward.risk.language.reckoning import Span
from parcelward.risk.language.tree import All, Among, Any, Compare, Fixed, Node, Of, Same, negate
from parcelward.risk.wire import Field, FieldType


def always(sign: str, one: Span, two: Span) -> bool | None:
    """Return whether a comparison is always true or always false by the bounds of its sides; None if it is neither."""
    if one.number == two.number:
        return sign in {"<=", ">=", "=="}
    if sign in {">", ">="}:
        one, two, sign = two, one, {">": "<", ">=": "<="}[sign]
    if sign == "<":
        return True if one.high < two.low else False if one.low >= two.high else None
    if sign == "<=":
        return True if one.high <= two.low else False if one.low > two.high else None
    if one.high < two.low or two.high < one.low:
        return sign == "!="
    return None


@dataclass(frozen=True, slots=True)
class Constant:
    """A part of a rule that is always true or always false, and the field that shows it."""

    code: str
    about: str


def findings(node: Node) -> Iterator[Constant]:
    """Yield the parts of a rule that are always true or false because their own parts exclude each other."""
    if isinstance(node, All | Any):
        everything = isinstance(node, All)
        excluded = _excluded(node.parts if everything else [negate(part) for part in node.parts])
        if excluded is not None:
            yield Constant("always_false" if everything else "always_true", excluded)
        for part in node.parts:
            yield from findings(part)


def _excluded(parts: Iterable[Node]) -> str | None:
    """Return the field in which no value makes all parts true; None if there is none."""
    seen: set[Node] = set()
    ranges: dict[Field, _Range] = {}
    texts: dict[Field, _Texts] = {}
    for part in parts:
        opposite = negate(part)
        if opposite in seen:
            return part.field.name if not isinstance(part, All | Any | Compare) else ""
        seen.add(part)
        match part:
            case Compare(op, Of(field), Fixed(value)):
                if ranges.setdefault(field, _Range(field)).narrow(op, value):
                    return field.name
            case Same(field, str() as text, negated):
                if texts.setdefault(field, _Texts()).narrow({text}, negated=negated):
                    return field.name
            case Among(field, values, negated) if field.type is FieldType.TEXT:
                if texts.setdefault(field, _Texts()).narrow(set(map(str, values)), negated=negated):
                    return field.name
    return None


class _Range:
    """The numbers that are left in a field."""

    def __init__(self, field: Field) -> None:
        self.low: float = field.least
        self.high: float = field.most
        self.whole = field.type is FieldType.INT
        self.open_low = self.open_high = False

    def narrow(self, op: str, value: float) -> bool:
        """Keep the numbers of which a comparison is true; return whether none is left."""
        if op in {">", ">=", "=="} and (value, op == ">") > (self.low, self.open_low):
            self.low, self.open_low = value, op == ">"
        if op in {"<", "<=", "=="} and (-value, op == "<") > (-self.high, self.open_high):
            self.high, self.open_high = value, op == "<"
        low, high = self.low, self.high
        if self.whole:
            low = math.floor(low) + 1 if self.open_low else math.ceil(low)
            high = math.ceil(high) - 1 if self.open_high else math.floor(high)
            return low > high
        return low > high or (low == high and (self.open_low or self.open_high))


class _Texts:
    """The texts that are left in a field: some, or all but some."""

    def __init__(self) -> None:
        self.only: set[str] | None = None
        self.never: set[str] = set()

    def narrow(self, values: set[str], *, negated: bool) -> bool:
        """Keep the texts that a comparison allows; return whether none is left."""
        if negated:
            self.never |= values
        else:
            self.only = values if self.only is None else self.only & values
        return self.only is not None and not self.only - self.never
