"""The plain form, the one function and the columns say the same of every order."""

from __future__ import annotations

import ast
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.risk.language.written import KNOWN_ORDERS, NODES, ORDERS, RULES, SCHEMA

from parcelward.risk.language import columns, compiling, grouping, interpreting, lexing, reading, schema
from parcelward.risk.language.problems import Refused
from parcelward.risk.language.tree import NEAREST, Node, written


@settings(max_examples=100)
@given(st.lists(NODES, min_size=1, max_size=8), st.lists(ORDERS, max_size=8))
def test_the_three_forms_agree(rules: list[Node], orders: list[dict[str, object]]) -> None:
    plain = [[interpreting.fires(rule, order) for order in orders] for rule in rules]
    made = compiling.compiled(rules)
    for place, order in enumerate(orders):
        row, missing = made.read(order)
        fired = made.fired(*row)
        assert fired == [nth for nth, found in enumerate(plain) if found[place]]
        assert [alone(*row) for alone in made.alone] == [found[place] for found in plain]
        assert missing == [field.name for field in made.fields if schema.value(field, order) is None]
    assert columns.judged(rules, columns.of(SCHEMA, orders)).tolist() == plain


class _Divided(ast.NodeTransformer):
    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.op, ast.Div):
            return ast.Call(ast.Name("div", ast.Load()), [node.left, node.right], [])
        return node


def _div(left: float, right: float) -> float:
    if abs(right) < NEAREST:
        raise ZeroDivisionError
    return left / right


@settings(max_examples=200)
@given(RULES, KNOWN_ORDERS)
def test_of_what_is_known_a_rule_says_what_python_says(text: str, order: dict[str, object]) -> None:
    rule = _or_none(text)
    if rule is None:
        return
    seconds = re.sub(r"\b(\d+)([smhd])\b", lambda found: str(int(found[1]) * lexing.SECONDS[found[2]]), text)
    calls = {"startswith": str.startswith, "known": lambda _: True, "div": _div}
    python = ast.fix_missing_locations(_Divided().visit(ast.parse(seconds, mode="eval")))
    try:
        said = eval(compile(python, "<rule>", "eval"), {**calls, **order})
    except ZeroDivisionError:  # a quotient that is missing: Python has no such thing
        return
    assert interpreting.fires(rule, order) is bool(said)


@given(NODES)
def test_a_rule_that_is_written_down_again_is_the_same(rule: Node) -> None:
    assert reading.read(written(rule), SCHEMA) == rule


@given(NODES, ORDERS, st.data())
def test_who_knows_less_fires_no_more(rule: Node, order: dict[str, object], data: st.DataObject) -> None:
    less = dict(order)
    for name in data.draw(st.sets(st.sampled_from(sorted(order)))) if order else ():
        less[name] = None
    if interpreting.fires(rule, less) and "not known(" not in written(rule):
        assert interpreting.fires(rule, order)
        for because in interpreting.examine(rule, less).because:
            assert all(value is not None for _, value in because.facts)


_LIMITS = st.tuples(
    st.sampled_from(["cards_1h", "orders_30d"]), st.sampled_from(["<", "<=", ">", ">="]), st.integers(1, 4)
)
_ALIKE = st.lists(
    st.one_of(_LIMITS.map(lambda t: f"{t[0]} {t[1]} {t[2]}"), st.just("new_address")), min_size=1, max_size=3
)


@given(
    st.lists(_ALIKE, min_size=2, max_size=12),
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.booleans()), min_size=1, max_size=8),
)
def test_rules_behind_one_door_are_asked_as_if_alone(
    texts: list[list[str]], values: list[tuple[int, int, bool]]
) -> None:
    rules = [node for text in texts if (node := _or_none(" and ".join(text))) is not None]
    made = compiling.compiled(rules)
    for cards, many, new in values:
        order = {"cards_1h": cards, "orders_30d": many, "new_address": new}
        fired = made.fired(*made.read(order)[0])
        assert fired == [place for place, rule in enumerate(rules) if interpreting.fires(rule, order)]


def test_what_rules_share_is_asked_once() -> None:
    texts = ["cards_1h > 3", "cards_1h >= 3 and new_address", "cards_1h > 9 and by_proxy", "by_proxy", "score > 0.5"]
    groups = grouping.grouped([reading.read(text, SCHEMA) for text in texts])
    assert [(group.door and written(group.door), group.rules) for group in groups] == [
        ("cards_1h >= 3", (0, 1, 2)),
        (None, (3,)),
        (None, (4,)),
    ]


def _or_none(text: str) -> Node | None:
    try:
        return reading.read(text, SCHEMA)
    except Refused:  # what is always false
        return None


@pytest.mark.parametrize(
    "text",
    [
        *(f"cards_1h {sign} 3" for sign in ("<", "<=", ">", ">=", "==", "!=")),
        *("cards_1h in [1, 2]", "country == 'ES'", "country in ['ES', 'PT']", "country in ['a', 'b', 'c', 'd', 'e']"),
        *("country == card_country", "startswith(country, 'E')", "'knife' in goods", "new_address"),
        *("cards_1h + 1 != 3", "amount_minor / orders_30d > 3", "min(cards_1h, 2) < 2", "abs(balance_minor) < 5"),
        *("max(cards_1h, 2) > 5", "amount_minor % 5 != 3"),
    ],
)
def test_a_test_of_something_missing_is_false_behind_not_too(text: str) -> None:
    rules = [reading.read(text, SCHEMA), reading.read(f"not ({text})", SCHEMA)]
    orders: list[dict[str, object]] = [{}, {field.name: object() for field in SCHEMA.fields}, {"orders_30d": 0}]
    made = compiling.compiled(rules)
    for order in orders:
        assert not any(interpreting.fires(rule, order) for rule in rules)
        assert made.fired(*made.read(order)[0]) == []
    assert not columns.judged(rules, columns.of(SCHEMA, orders)).any()


def test_a_divisor_that_is_nothing_makes_the_quotient_missing() -> None:
    rules = [reading.read(f"{sign}amount_minor / score < 5", SCHEMA) for sign in ("", "-")]
    orders = [{"amount_minor": 7, "score": score} for score in (0.0, 1e-7, -1e-7, 1e-5, -1e-5)]
    plain = [[interpreting.fires(rule, order) for order in orders] for rule in rules]
    made = compiling.compiled(rules)
    assert plain == [[False, False, False, False, True], [False, False, False, True, False]]
    assert [made.fired(*made.read(order)[0]) for order in orders] == [[], [], [], [1], [0]]
    assert columns.judged(rules, columns.of(SCHEMA, orders)).tolist() == plain


def test_slices_join_without_a_seam() -> None:
    rule = reading.read('cards_1h > 3 and "knife" in goods and country != "ES"', SCHEMA)
    one = {"cards_1h": 4, "goods": ["knife"], "country": "PT"}
    orders = [one if nth % 3 == 0 else {**one, "cards_1h": nth % 7} for nth in range(2 * columns.SLICE + 5)]
    found = columns.judged([rule], columns.of(SCHEMA, orders))
    assert found[0].tolist() == [interpreting.fires(rule, order) for order in orders]
