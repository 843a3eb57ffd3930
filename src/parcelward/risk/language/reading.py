"""Reads a rule: text to tree, or what is wrong with it. Python parses; here is what may be in what it parsed."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Final, NoReturn

from parcelward.risk.language import constant, lexing
from parcelward.risk.language.problems import Finding, Refused, meant, refuse
from parcelward.risk.language.reckoning import Reading, number, of_field
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
    if reading.findings or found is None:
        raise Refused(reading.findings)
    for finding in constant.findings(found):
        reading.findings.append(Finding(finding.code, 0, len(text), finding.about))
    if reading.findings:
        raise Refused(reading.findings)
    return found


class _Reading(Reading):
    """One rule being read: what is wrong is noted, and reading goes on."""

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

    def test(self, node: ast.expr) -> Node | None:
        """Return what is true or false; None, with a finding, if it is not that."""
        match node:
            case ast.BoolOp(op, values):
                parts = [self.test(value) for value in values]
                good = [part for part in parts if part is not None]
                if len(good) < len(parts):
                    return None
                return all_of(*good) if isinstance(op, ast.And) else any_of(*good)
            case ast.UnaryOp(ast.Not(), operand):
                inner = self.test(operand)
                return None if inner is None else negate(inner)
            case ast.Compare(left, ops, comparators):
                return self._chain(node, [left, *comparators], ops)
            case ast.Call(func, args, keywords):
                return self._asked(node, func, args, keywords)
            case ast.Name():
                return self._flag(node)
        return self.note("not_a_test", node)

    def _flag(self, node: ast.Name) -> Node | None:
        field = self.field(node)
        if field is None:
            return None
        if field.type is not FieldType.BOOL:
            shown = f"{field.name} > 0" if field.type.is_number else f'{field.name} == "..."'
            shown = f'"..." in {field.name}' if field.type is FieldType.SET else shown
            return self.note("not_a_flag", node, field.name, shown)
        return Flag(field)

    def _asked(self, node: ast.Call, func: ast.expr, args: list[ast.expr], keywords: list[ast.keyword]) -> Node | None:
        """Return `known(field)` or `startswith(text, "...")`."""
        name = func.id if isinstance(func, ast.Name) else ""
        if name not in CALLS:
            return self.note("unknown_call", func, name, meant(name, CALLS))
        if name not in {"known", "startswith"}:
            return self.note("not_a_test", node)
        if keywords or len(args) != (1 if name == "known" else 2) or not isinstance(args[0], ast.Name):
            shown = "known(field)" if name == "known" else 'startswith(field, "...")'
            return self.note("bad_call", node, name, shown)
        field = self.field(args[0])
        if field is None or name == "known":
            return Known(field) if field else None
        if field.type is not FieldType.TEXT:
            return self.note("not_a_text", args[0], field.name)
        prefix = args[1].value if isinstance(args[1], ast.Constant) else None
        if not isinstance(prefix, str) or not prefix:
            return self.note("bad_call", node, name, 'startswith(field, "...")')
        return Starts(field, prefix)

    def _chain(self, node: ast.Compare, sides: list[ast.expr], ops: list[ast.cmpop]) -> Node | None:
        parts = [self._compared(node, *each) for each in zip(sides, ops, sides[1:], strict=False)]
        good = [part for part in parts if part is not None]
        return all_of(*good) if len(good) == len(parts) else None

    def _compared(self, node: ast.Compare, left: ast.expr, op: ast.cmpop, right: ast.expr) -> Node | None:
        if isinstance(op, ast.In | ast.NotIn):
            found = self._among(left, right)
            return negate(found) if found is not None and isinstance(op, ast.NotIn) else found
        if type(op) not in _OPS:
            name = left.id if isinstance(left, ast.Name) else "field"
            return self.note("no_is", node, suggestion=f"not known({name})")
        sign = _OPS[type(op)]
        for side in (left, right):
            if isinstance(side, ast.Compare | ast.BoolOp):
                return self.note("compared_test", side)
        of_left, of_right = self._kind(left), self._kind(right)
        if "" in {of_left, of_right}:  # what it is could not be found out, and was noted
            return None
        if {of_left, of_right} <= {"number"}:
            return self._numbers(node, left, sign, right)
        if {of_left, of_right} <= {"text", "literal"}:
            return self._texts(node, left, sign, right)
        for kind in ("flag", "set"):
            if kind in {of_left, of_right}:
                one = left if of_left == kind else right
                shown = one.id if isinstance(one, ast.Name) else ""
                return self.note(f"compared_{kind}", node, shown, shown if kind == "flag" else f'"..." in {shown}')
        return self.note("unlike", node)

    def _kind(self, node: ast.expr) -> str:
        """Return whether a side of a comparison is a number, a text, a literal text, a flag or a set; empty if none."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return "literal"
        if isinstance(node, ast.Name) and self.offset(node) not in self.durations:
            field = self.field(node)
            kinds = {FieldType.BOOL: "flag", FieldType.TEXT: "text", FieldType.SET: "set"}
            return kinds.get(field.type, "number") if field else ""
        return "number"

    def _numbers(self, node: ast.Compare, left: ast.expr, sign: str, right: ast.expr) -> Node | None:
        one, two = number(self, left), number(self, right)
        if one is None or two is None:
            return None
        units = self.same_unit(node, one, two)
        if units is None:
            return None
        one, two = units
        if sign in {"==", "!="} and not (one.whole and two.whole):
            return self.note("inexact", node, sign)
        always = constant.always(sign, one, two)
        if always is not None:
            return self.note("always_true" if always else "always_false", node)
        if isinstance(one.number, Fixed):
            one, two, sign = two, one, _FLIPPED[sign]
        return Compare(sign, one.number, two.number)

    def _texts(self, node: ast.Compare, left: ast.expr, sign: str, right: ast.expr) -> Node | None:
        if sign not in {"==", "!="}:
            return self.note("text_order", node, sign)
        if isinstance(left, ast.Constant):
            left, right = right, left
        if isinstance(left, ast.Constant):
            same = isinstance(right, ast.Constant) and left.value == right.value
            return self.note("always_true" if same is (sign == "==") else "always_false", node)
        one = self.field(left)
        other = str(right.value) if isinstance(right, ast.Constant) else self.field(right)
        if one is None or other is None:
            return None
        if one == other:
            return self.note("always_true" if sign == "==" else "always_false", node)
        return Same(one, other, negated=sign == "!=")

    def _among(self, left: ast.expr, right: ast.expr) -> Node | None:
        if isinstance(right, ast.List):
            return self._listed(left, right)
        field = self.field(right) if isinstance(right, ast.Name) else None
        if isinstance(right, ast.Name) and field is None:
            return None
        if field is None or field.type is not FieldType.SET:
            return self.note("not_a_list", right, suggestion='["...", "..."]')
        if not isinstance(left, ast.Constant) or not isinstance(left.value, str):
            return self.note("not_a_literal", left, suggestion=f'"..." in {field.name}')
        return Has(field, left.value)

    def _listed(self, left: ast.expr, right: ast.List) -> Node | None:
        field = self.field(left) if isinstance(left, ast.Name) else None
        if isinstance(left, ast.Name) and field is None:
            return None
        if field is None or field.type not in {FieldType.TEXT, FieldType.INT}:
            return self.note("not_listed", left)
        if not 1 <= len(right.elts) <= LIST_MAX:
            return self.note("bad_list", right, str(LIST_MAX))
        texts: list[str] = []
        wholes: list[int] = []
        for each in right.elts:
            if field.type is FieldType.TEXT and isinstance(each, ast.Constant) and isinstance(each.value, str):
                texts.append(each.value)
                continue
            found = number(self, each) if field.type is FieldType.INT and not _is_text(each) else None
            if found is None or not isinstance(found.number, Fixed) or not isinstance(found.number.value, int):
                return self.note("bad_list_value", each, field.name)
            if self.same_unit(each, of_field(field), found) is None:
                return None
            wholes.append(found.number.value)
        if any(not field.least <= whole <= field.most for whole in wholes):
            return self.note("always_false", right)
        return Among(field, tuple(dict.fromkeys(texts or wholes)))  # type: ignore[arg-type] -- one of both is empty


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)
