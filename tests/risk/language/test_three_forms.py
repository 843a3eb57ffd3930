"""The plain form, the one function and the columns say the same of every order."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.risk.language.written import NODES, ORDERS, SCHEMA

from parcelward.risk.language import columns, compiling, interpreting, reading, schema
from parcelward.risk.language.tree import Node, written


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


def test_slices_join_without_a_seam() -> None:
    rule = reading.read('cards_1h > 3 and "knife" in goods and country != "ES"', SCHEMA)
    one = {"cards_1h": 4, "goods": ["knife"], "country": "PT"}
    orders = [one if nth % 3 == 0 else {**one, "cards_1h": nth % 7} for nth in range(2 * columns.SLICE + 5)]
    found = columns.judged([rule], columns.of(SCHEMA, orders))
    assert found[0].tolist() == [interpreting.fires(rule, order) for order in orders]
