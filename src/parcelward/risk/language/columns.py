"""Judges many orders at once: the same rules over columns, to try a rule on the past before it acts.

A missing number is NaN, a missing text is -1 and so is a missing flag. Texts are places in one vocabulary, so that a
rule looks at each different text once. Orders are taken in slices that stay in the processor's cache, and what several
rules ask is asked once in a slice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any as Anything
from typing import Final

import numpy as np
from numpy.typing import NDArray

from parcelward.risk.language import schema
from parcelward.risk.language.schema import Schema
from parcelward.risk.language.tree import (
    NEAREST,
    All,
    Among,
    Any,
    Compare,
    Fixed,
    Flag,
    Has,
    Known,
    Node,
    Number,
    Of,
    OfField,
    Pick,
    Reckon,
    Same,
    Size,
    Starts,
    Test,
)
from parcelward.risk.wire import Field, FieldType

SLICE: Final = 16384
LISTED_MAX: Final = 4
"""Values that are compared one by one; more are looked up in a table."""

Array = NDArray[Anything]


@dataclass(frozen=True, slots=True)
class Members:
    """The sets of many orders: which are known, and for each member the order that has it and its text."""

    known: Array
    orders: Array
    texts: Array


@dataclass(frozen=True, slots=True)
class Columns:
    """What is known of many orders, a column a field: `of` makes it."""

    length: int
    columns: Mapping[str, Array | Members]
    vocabulary: Mapping[str, int]


def of(asked: Schema, orders: Iterable[Mapping[str, object]]) -> Columns:
    """Return the columns of some orders, each value as `schema.checked` lets it in."""
    rows = list(orders)
    vocabulary: dict[str, int] = {}
    columns: dict[str, Array | Members] = {}
    for one in asked.fields:
        values = [schema.value(one, row) for row in rows]
        if one.type.is_number:
            columns[one.name] = np.array([np.nan if value is None else value for value in values], np.float64)
        elif one.type is FieldType.BOOL:
            columns[one.name] = np.array([-1 if value is None else value for value in values], np.int8)
        elif one.type is FieldType.TEXT:
            texts = [-1 if value is None else vocabulary.setdefault(str(value), len(vocabulary)) for value in values]
            columns[one.name] = np.array(texts, np.int32)
        else:
            columns[one.name] = _members(values, vocabulary)
    return Columns(len(rows), columns, vocabulary)


def _members(values: Sequence[object], vocabulary: dict[str, int]) -> Members:
    pairs = [
        (order, vocabulary.setdefault(text, len(vocabulary)))
        for order, value in enumerate(values)
        if isinstance(value, frozenset)
        for text in sorted(value)
    ]
    both = np.array(pairs, np.int32).reshape(-1, 2)
    return Members(np.array([value is not None for value in values], np.bool_), both[:, 0].copy(), both[:, 1].copy())


def judged(rules: Sequence[Node], orders: Columns) -> NDArray[np.bool_]:
    """Return for each rule and order whether it fires: a row a rule, a column an order."""
    plan = _Plan()
    results = [plan.node(rule) for rule in rules]
    judge = plan.function(results)
    whole = [make(orders) for make in plan.inputs.values()]
    tables = [make(orders.vocabulary) for make in plan.tables]
    found = np.empty((len(rules), orders.length), np.bool_)
    with np.errstate(all="ignore"):  # what is NaN stays NaN, and is no reason for a word
        for start in range(0, orders.length, SLICE):
            part = slice(start, min(start + SLICE, orders.length))
            for row, result in zip(found, judge([column[part] for column in whole], tables), strict=True):
                row[part] = result
    return found


@dataclass(slots=True)
class _Plan:
    """The steps that judge a slice: each different step once."""

    inputs: dict[object, Callable[[Columns], Array]] = field(default_factory=dict)
    tables: list[Callable[[Mapping[str, int]], Anything]] = field(default_factory=list)
    steps: dict[str, str] = field(default_factory=dict)

    def function(self, results: Sequence[str]) -> Callable[..., list[Array]]:
        """Return the steps as one function of a slice's columns and the tables."""
        names = [f"c{place}" for place in range(len(self.inputs))]
        lines = ["def judge(columns, tables):"]
        lines += [f"    [{', '.join(names)}] = columns"] if names else []
        lines += [f"    {name} = {step}" for step, name in self.steps.items()]
        lines += [f"    return [{', '.join(results)}]"]
        space: dict[str, Anything] = {"__builtins__": {}, **_SPACE}
        exec(compile("\n".join(lines), "<columns>", "exec"), space)  # noqa: S102 -- as in `compiling`: made from checked trees
        judge: Callable[..., list[Array]] = space["judge"]
        return judge

    def step(self, text: str) -> str:
        """Return the name of a step's result."""
        return self.steps.setdefault(text, f"v{len(self.steps)}")

    def column(self, of_field: Field) -> str:
        """Return the name of a field's column; of a set, whether it is known."""
        is_set = of_field.type is FieldType.SET
        return self._input(of_field.name, _known(of_field.name) if is_set else _column(of_field.name))

    def _input(self, key: object, make: Callable[[Columns], Array]) -> str:
        self.inputs.setdefault(key, make)
        return f"c{list(self.inputs).index(key)}"

    def table(self, make: Callable[[Mapping[str, int]], Anything]) -> str:
        """Return the name of what is made from the vocabulary, once for all orders."""
        self.tables.append(make)
        return f"tables[{len(self.tables) - 1}]"

    def node(self, node: Node) -> str:
        """Return the name of whether a rule or a part of it is true."""
        match node:
            case All(parts):
                return self._joined("&", parts)
            case Any(parts):
                return self._joined("|", parts)
        return self.step(self._test(node))

    def _joined(self, sign: str, parts: Sequence[Node]) -> str:
        found = self.node(parts[0])
        for part in parts[1:]:
            found = self.step(f"{found} {sign} {self.node(part)}")
        return found

    def _test(self, test: Test) -> str:
        match test:
            case Compare("!=", left, right):  # written so that it is false of NaN
                one, two = self.number(left), self.number(right)
                return f"({one} < {two}) | ({one} > {two})"
            case Compare(op, left, right):
                return f"{self.number(left)} {op} {self.number(right)}"
        return self._of_one(test, self.column(test.field))

    def _of_one(self, test: OfField, column: str) -> str:
        """Return a test of a field's column."""
        match test:
            case Known(of_field, negated) if of_field.type.is_number:
                return f"{column} {'!=' if negated else '=='} {column}"
            case Known(of_field, negated) if of_field.type is FieldType.SET:
                return f"{'~' * negated}{column}"
            case Known(_, negated):
                return f"{column} {'<' if negated else '>='} 0"
            case Flag(_, negated):
                return f"{column} == {0 if negated else 1}"
            case Has(of_field, value, negated):
                has = self._input((of_field.name, value), _has(of_field.name, value))
                return f"{column} & ~{has}" if negated else has
            case Same(_, Field() as other, negated):
                two = self.column(other)
                return f"({column} {'!=' if negated else '=='} {two}) & ({column} >= 0) & ({two} >= 0)"
            case Among(of_field, values, negated) if of_field.type.is_number:
                equal = " | ".join(f"({column} == {value})" for value in values)
                return f"~({equal}) & ({column} == {column})" if negated else equal
        return self._texts(test, column)

    def _texts(self, test: Test, column: str) -> str:
        match test:
            case Same(_, str() as other, negated):
                return self._listed(column, (other,), negated=negated)
            case Among(_, values, negated):
                return self._listed(column, tuple(map(str, values)), negated=negated)
            case Starts(_, prefix, negated):
                return f"take({self.table(_starting(prefix, negated=negated))}, {column})"
        raise TypeError(test)

    def _listed(self, column: str, texts: tuple[str, ...], *, negated: bool) -> str:
        if len(texts) > LISTED_MAX:
            return f"take({self.table(_among(texts, negated=negated))}, {column})"
        equal = " | ".join(f"({column} == {self.table(_place(text))})" for text in texts)
        return f"~({equal}) & ({column} >= 0)" if negated else equal

    def number(self, number: Number) -> str:
        """Return the name of a number, or what is written for a fixed one."""
        match number:
            case Fixed(value):
                return f"({value!r})"
            case Of(of_field):
                return self.column(of_field)
            case Size(inner):
                return self.step(f"abs({self.number(inner)})")
            case Pick(how, parts):
                found = self.number(parts[0])
                for part in parts[1:]:
                    found = self.step(f"{how}({found}, {self.number(part)})")
                return found
            case Reckon("/", left, right):
                return self.step(f"div({self.number(left)}, {self.number(right)})")
            case Reckon(op, left, right):
                return self.step(f"{self.number(left)} {op} {self.number(right)}")


def _column(name: str) -> Callable[[Columns], Array]:
    def make(orders: Columns) -> Array:
        found = orders.columns[name]
        if isinstance(found, Members):
            raise TypeError(name)
        return found

    return make


def _sets(orders: Columns, name: str) -> Members:
    found = orders.columns[name]
    if not isinstance(found, Members):
        raise TypeError(name)
    return found


def _known(name: str) -> Callable[[Columns], Array]:
    return lambda orders: _sets(orders, name).known


def _has(name: str, text: str) -> Callable[[Columns], Array]:
    def make(orders: Columns) -> Array:
        sets = _sets(orders, name)
        found = np.zeros(orders.length, np.bool_)
        found[sets.orders[sets.texts == orders.vocabulary.get(text, -2)]] = True
        return found

    return make


def _place(text: str) -> Callable[[Mapping[str, int]], int]:
    return lambda vocabulary: vocabulary.get(text, -2)


def _among(texts: Sequence[str], *, negated: bool) -> Callable[[Mapping[str, int]], Array]:
    def make(vocabulary: Mapping[str, int]) -> Array:
        found = np.full(len(vocabulary) + 1, negated)
        for text in texts:
            if text in vocabulary:
                found[vocabulary[text]] = not negated
        found[-1] = False  # where -1, a missing text, looks
        return found

    return make


def _starting(prefix: str, *, negated: bool) -> Callable[[Mapping[str, int]], Array]:
    def make(vocabulary: Mapping[str, int]) -> Array:
        return np.array([*(text.startswith(prefix) is not negated for text in vocabulary), False], np.bool_)

    return make


def _div(left: Array | float, right: Array | float) -> Array:
    return np.asarray(left / np.where(np.abs(right) < NEAREST, np.nan, right))


_SPACE: Final[Mapping[str, Anything]] = {
    "abs": np.abs,
    "div": _div,
    "max": np.maximum,
    "min": np.minimum,
    "take": lambda table, places: table[places],
}
