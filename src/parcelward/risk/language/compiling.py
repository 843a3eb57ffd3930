"""Makes one Python function of a whole set of rules, which takes an order's fields and returns which rules fire.

A missing number is NaN there, of which every comparison is false and all that is reckoned is NaN again: so the usual
order costs no look at what is missing. Other missing values are None. The text that is compiled is made of the places
of fields and rules, of numbers and of texts as `repr` writes them; there is nothing of the rule's own text in it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any as Anything
from typing import Final

from parcelward.risk.language import grouping, schema, tree
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

Row = tuple[object, ...]
"""The fields of one order that a set of rules asks about, in its order."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A set of rules as functions.

    `read` makes a row of what is known of an order, and says which fields were missing. `fired` takes a row as
    positional arguments and returns the places of the rules that fire, in their order; `alone` are the same rules one
    by one, for when one of them fails.
    """

    fields: tuple[Field, ...]
    read: Callable[[Mapping[str, object]], tuple[Row, list[str]]]
    fired: Callable[..., list[int]]
    alone: tuple[Callable[..., bool], ...]
    source: str


def compiled(rules: Sequence[Node]) -> Compiled:
    """Return a set of rules as functions."""
    asked = tuple(dict.fromkeys(field for rule in rules for field in tree.fields(rule)))
    names = {field: f"f{place}" for place, field in enumerate(asked)}
    taken = ", ".join(names.values())
    tests = [_node(rule, names) for rule in rules]
    lines = [f"def fired({taken}):", "    found = []"]
    for group in grouping.grouped(rules):
        inner = "    "
        if group.door is not None:
            lines += [f"    if {_test(group.door, names)}:"]
            inner = "        "
        for place in group.rules:
            lines += [f"{inner}if {tests[place]}:", f"{inner}    found.append({place})"]
    lines += ["    if len(found) > 1:", "        found.sort()", "    return found"]
    for place, test in enumerate(tests):
        lines += [f"def rule_{place}({taken}):", f"    return {test}"]
    lines += _reader(asked, names)
    source = "\n".join(lines)
    made = _made(source, asked)
    alone = tuple(made[f"rule_{place}"] for place in range(len(rules)))
    return Compiled(asked, made["read"], made["fired"], alone, source)


def _made(source: str, asked: tuple[Field, ...]) -> dict[str, Anything]:
    """Return the functions of a text that was made here, in a space that has nothing else."""
    space: dict[str, Anything] = {"__builtins__": {}, "fields": asked, **_SPACE}
    exec(compile(source, "<rules>", "exec"), space)  # noqa: S102 -- the text is made from checked trees, not from what was typed
    return space


def _reader(asked: Sequence[Field], names: Mapping[Field, str]) -> list[str]:
    """Return the lines of `read`: a quick look at what is as it should be, and `schema.checked` for all else."""
    lines = ["def read(facts):", "    get = facts.get", "    missing = []"]
    for place, field in enumerate(asked):
        name = names[field]
        lines += [
            f"    {name} = get({field.name!r})",
            f"    if not ({_good(field, name)}):",
            f"        if {name} is not None:",
            f"            {name} = checked(fields[{place}], {name})",
            f"        if {name} is None:",
            f"            {name} = {'nan' if field.type.is_number else 'None'}",
            f"            missing.append({field.name!r})",
        ]
    return [*lines, f"    return ({''.join(f'{names[field]}, ' for field in asked)}), missing"]


def _good(field: Field, name: str) -> str:
    """Return the look that sees that a fact is as it should be; false says nothing."""
    match field.type:
        case FieldType.INT | FieldType.FLOAT:
            return f"type({name}) is {field.type} and {field.least!r} <= {name} <= {field.most!r}"
        case FieldType.BOOL:
            return f"type({name}) is bool"
        case FieldType.TEXT:
            return f"type({name}) is str and len({name}) <= {schema.TEXT_MAX}"
        case FieldType.SET:
            return "False"


def _node(node: Node, names: Mapping[Field, str]) -> str:
    match node:
        case All(parts):
            return "(" + " and ".join(_node(part, names) for part in parts) + ")"
        case Any(parts):
            return "(" + " or ".join(_node(part, names) for part in parts) + ")"
    return _test(node, names)


def _test(test: Test, names: Mapping[Field, str]) -> str:
    match test:
        case Compare("!=", left, right):  # written so that it is false of NaN
            one, two = _number(left, names), _number(right, names)
            return f"({one} < {two} or {one} > {two})"
        case Compare(op, left, right):
            return f"{_number(left, names)} {op} {_number(right, names)}"
        case Same(field, Field() as other, negated):
            one, two = names[field], names[other]
            return f"({one} is not None and {two} is not None and {one} {'!=' if negated else '=='} {two})"
    return _of_one(test, names[test.field])


def _of_one(test: OfField, name: str) -> str:
    """Return a test of one field."""
    match test:
        case Known(field, negated) if field.type.is_number:
            return f"{name} {'!=' if negated else '=='} {name}"
        case Known(_, negated):
            return f"{name} is {'' if negated else 'not '}None"
        case Flag(_, negated):
            return f"{name} is {not negated}"
        case Same(_, other, negated):
            return f"({name} is not None and {name} != {other!r})" if negated else f"{name} == {other!r}"
        case Among(field, values, negated):
            there = f"{name} == {name}" if field.type.is_number else f"{name} is not None"
            listed = "{" + ", ".join(map(repr, values)) + "}"
            return f"({there} and {name} not in {listed})" if negated else f"{name} in {listed}"
        case Starts(_, prefix, negated):
            return f"({name} is not None and {'not ' * negated}{name}.startswith({prefix!r}))"
        case Has(_, value, negated):
            return f"({name} is not None and {value!r} {'not ' * negated}in {name})"


def _number(number: Number, names: Mapping[Field, str]) -> str:
    match number:
        case Fixed(value):
            return repr(value) if value >= 0 else f"({value!r})"
        case Of(field):
            return names[field]
        case Size(of):
            return f"abs({_number(of, names)})"
        case Pick(how, parts):
            return f"{how}({', '.join(_number(part, names) for part in parts)})"
        case Reckon("/", left, right):
            return f"div({_number(left, names)}, {_number(right, names)})"
        case Reckon(op, left, right):
            return f"({_number(left, names)} {op} {_number(right, names)})"


def _div(left: float, right: float) -> float:
    return math.nan if -NEAREST < right < NEAREST else left / right


def _min(*numbers: float) -> float:
    return min(numbers) if all(number == number for number in numbers) else math.nan  # noqa: PLR0124 -- only NaN is not itself


def _max(*numbers: float) -> float:
    return max(numbers) if all(number == number for number in numbers) else math.nan  # noqa: PLR0124 -- as above


_SPACE: Final[Mapping[str, Anything]] = {
    "abs": abs,
    "checked": schema.checked,
    "div": _div,
    "float": float,
    "int": int,
    "bool": bool,
    "str": str,
    "len": len,
    "max": _max,
    "min": _min,
    "nan": math.nan,
    "type": type,
}
"""All that the compiled functions can reach."""
