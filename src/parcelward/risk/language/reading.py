"""Reads a rule: text to tree, or what is wrong with it. Python parses; here is what may be in what it parsed."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Final

from parcelward.risk.language import constant, lexing
from parcelward.risk.language.problems import Finding, Refused, meant, refuse
from parcelward.risk.language.reckoning import SHOWN_MAX, Reading, number, of_field
from parcelward.risk.language.schema import CALLS, Schema
from parcelward.risk.language.tree import (
    Among,
    Compare,
    Fixed,
    Flag,
    Has,
    Known,
    Node,
    Same,
    Starts,
    all_of,
    any_of,
    negate,
)
from parcelward.risk.wire import Field, FieldType

NODES_MAX = 200
"""Parts of a rule, as Python's parser counts them."""
DEPTH_MAX = 20
"""Parts within parts."""
FINDINGS_MAX = 10
"""Things that are said to be wrong at once: to look for what was meant takes time."""
LIST_MAX = 100
"""Values of a list in a rule."""

_OPS: Final[Mapping[type[ast.cmpop], str]] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}
_FLIPPED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_STRANGERS: Final = {"true": "", "false": "", "none": "known(...)", "null": "known(...)"}


def read(text: str, schema: Schema) -> Node:
    """Return a rule as a tree. Raises Refused with all that was found, each with its place."""
    words = lexing.words(text)
    try:
        parsed = ast.parse(f"({words.text})", mode="eval").body
    except SyntaxError as wrong:
        at = min(max((wrong.offset or 1) - 2, 0), max(len(text) - 1, 0))
        refuse("no_sense", at, at + 1)
    except (RecursionError, MemoryError, ValueError):
        refuse("too_deep", 0, len(text), about=str(DEPTH_MAX))
    reading = _Reading(text, words.durations, schema)
    reading.measure(parsed)
    found = reading.test(parsed)
    always = [Finding(part.code, 0, len(text), part.about or text[:SHOWN_MAX]) for part in constant.findings(found)]
    if always:
        raise Refused(always)
    return found


class _Reading(Reading):
    """One rule being read. What is wrong in one part of `and` or `or` does not hide what is wrong in the next."""

    def measure(self, parsed: ast.expr) -> None:
        """Refuse what is too large before any of it is looked at."""
        count = 0
        todo: list[tuple[ast.AST, int]] = [(parsed, 1)]
        while todo:
            node, depth = todo.pop()
            if isinstance(node, ast.expr):
                count += 1
                if depth > DEPTH_MAX:
                    refuse("too_deep", *self.span(node), about=str(DEPTH_MAX))
                if count > NODES_MAX:
                    refuse("too_large", *self.span(node), about=str(NODES_MAX))
            todo += [(child, depth + 1) for child in ast.iter_child_nodes(node)]

    def test(self, node: ast.expr) -> Node:
        """Return what is true or false. Raises Refused if it is not that."""
        match node:
            case ast.BoolOp(op, values):
                parts = self._parts(values)
                return all_of(*parts) if isinstance(op, ast.And) else any_of(*parts)
            case ast.UnaryOp(ast.Not(), operand):
                return negate(self.test(operand))
            case ast.Compare(left, ops, comparators):
                return self._chain(node, [left, *comparators], ops)
            case ast.Call(func, args, keywords):
                return self._asked(node, func, args, keywords)
            case ast.Name():
                return self._flag(node)
        raise self.wrong("not_a_test", node)

    def _parts(self, values: list[ast.expr]) -> list[Node]:
        """Return the parts of `and` or `or`. Raises Refused with what is wrong in all of them."""
        found: list[Node] = []
        wrong: list[Finding] = []
        for value in values:
            try:
                found.append(self.test(value))
            except Refused as refused:
                wrong += refused.findings
            if len(wrong) >= FINDINGS_MAX:
                break
        if wrong:
            raise Refused(wrong[:FINDINGS_MAX])
        return found

    def _flag(self, node: ast.Name) -> Node:
        field = self.field(node)
        if field.type is not FieldType.BOOL:
            shown = f"{field.name} > 0" if field.type.is_number else f'{field.name} == "..."'
            shown = f'"..." in {field.name}' if field.type is FieldType.SET else shown
            raise self.wrong("not_a_flag", node, field.name, shown)
        return Flag(field)

    def _asked(self, node: ast.Call, func: ast.expr, args: list[ast.expr], keywords: list[ast.keyword]) -> Node:
        """Return `known(field)` or `startswith(text, "...")`."""
        name = func.id if isinstance(func, ast.Name) else ""
        if name not in CALLS:
            raise self.wrong("unknown_call", func, name, meant(name, CALLS))
        if name not in {"known", "startswith"}:
            raise self.wrong("not_a_test", node)
        if keywords or len(args) != (1 if name == "known" else 2) or not isinstance(args[0], ast.Name):
            shown = "known(field)" if name == "known" else 'startswith(field, "...")'
            raise self.wrong("bad_call", node, name, shown)
        field = self.field(args[0])
        if name == "known":
            return Known(field)
        if field.type is not FieldType.TEXT:
            raise self.wrong("not_a_text", args[0], field.name)
        prefix = _text(args[1])
        if not prefix:
            raise self.wrong("bad_call", node, name, 'startswith(field, "...")')
        return Starts(field, prefix)

    def _chain(self, node: ast.Compare, sides: list[ast.expr], ops: list[ast.cmpop]) -> Node:
        return all_of(*(self._compared(node, *each) for each in zip(sides, ops, sides[1:], strict=False)))

    def _compared(self, node: ast.Compare, left: ast.expr, op: ast.cmpop, right: ast.expr) -> Node:
        if isinstance(op, ast.In | ast.NotIn):
            found = self._among(left, right)
            return negate(found) if isinstance(op, ast.NotIn) else found
        if type(op) not in _OPS:
            name = left.id if isinstance(left, ast.Name) else "field"
            raise self.wrong("no_is", node, suggestion=f"not known({name})")
        sign = _OPS[type(op)]
        for side in (left, right):
            if isinstance(side, ast.Compare | ast.BoolOp):
                raise self.wrong("compared_test", side)
        of_left, of_right = self._kind(left), self._kind(right)
        if {of_left, of_right} <= {"number"}:
            return self._numbers(node, left, sign, right)
        if {of_left, of_right} <= {"text", "literal"}:
            return self._texts(node, left, sign, right)
        for kind in ("flag", "set"):
            if kind in {of_left, of_right}:
                one = left if of_left == kind else right
                shown = one.id if isinstance(one, ast.Name) else ""
                raise self.wrong(f"compared_{kind}", node, shown, shown if kind == "flag" else f'"..." in {shown}')
        raise self.wrong("unlike", node)

    def _kind(self, node: ast.expr) -> str:
        """Return whether a side of a comparison is a number, a text, a literal text, a flag or a set."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return "literal"
        if isinstance(node, ast.Name) and self.offset(node) not in self.durations:
            field = self.field(node)
            kinds = {FieldType.BOOL: "flag", FieldType.TEXT: "text", FieldType.SET: "set"}
            return kinds.get(field.type, "number")
        return "number"

    def _numbers(self, node: ast.Compare, left: ast.expr, sign: str, right: ast.expr) -> Node:
        one, two = self.same_unit(node, number(self, left), number(self, right))
        if sign in {"==", "!="} and not (one.whole and two.whole):
            raise self.wrong("inexact", node, sign)
        always = constant.always(sign, one, two)
        if always is not None:
            raise self.wrong("always_true" if always else "always_false", node)
        if isinstance(one.number, Fixed):
            one, two, sign = two, one, _FLIPPED[sign]
        return Compare(sign, one.number, two.number)

    def _texts(self, node: ast.Compare, left: ast.expr, sign: str, right: ast.expr) -> Node:
        if sign not in {"==", "!="}:
            raise self.wrong("text_order", node, sign)
        if isinstance(left, ast.Constant):
            left, right = right, left
        if not isinstance(left, ast.Name):
            same = ast.dump(left) == ast.dump(right)
            raise self.wrong("always_true" if same is (sign == "==") else "always_false", node)
        one = self.field(left)
        other = self.field(right) if isinstance(right, ast.Name) else str(_text(right))
        if one == other:
            raise self.wrong("always_true" if sign == "==" else "always_false", node)
        return Same(one, other, negated=sign == "!=")

    def _among(self, left: ast.expr, right: ast.expr) -> Node:
        if isinstance(right, ast.List):
            return self._listed(left, right)
        field = self.field(right) if isinstance(right, ast.Name) else None
        if field is None or field.type is not FieldType.SET:
            raise self.wrong("not_a_list", right, suggestion='["...", "..."]')
        value = _text(left)
        if value is None:
            raise self.wrong("not_a_literal", left, suggestion=f'"..." in {field.name}')
        return Has(field, value)

    def _listed(self, left: ast.expr, right: ast.List) -> Node:
        field = self.field(left) if isinstance(left, ast.Name) else None
        if field is None or field.type not in {FieldType.TEXT, FieldType.INT}:
            raise self.wrong("not_listed", left)
        if not 1 <= len(right.elts) <= LIST_MAX:
            raise self.wrong("bad_list", right, str(LIST_MAX))
        if field.type is FieldType.TEXT:
            return Among(field, tuple(dict.fromkeys(self._listed_text(each, field) for each in right.elts)))
        return Among(field, tuple(dict.fromkeys(self._listed_whole(each, field) for each in right.elts)))

    def _listed_text(self, node: ast.expr, field: Field) -> str:
        text = _text(node)
        if text is None:
            raise self.wrong("bad_list_value", node, field.name)
        return text

    def _listed_whole(self, node: ast.expr, field: Field) -> int:
        if _text(node) is not None:
            raise self.wrong("bad_list_value", node, field.name)
        found = number(self, node)
        if not isinstance(found.number, Fixed) or not isinstance(found.number.value, int):
            raise self.wrong("bad_list_value", node, field.name)
        self.same_unit(node, of_field(field), found)
        if not field.least <= found.number.value <= field.most:
            raise self.wrong("always_false", node, field.name)
        return found.number.value


def _text(node: ast.expr) -> str | None:
    """Return a text that stands in the rule; None if something else does."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
