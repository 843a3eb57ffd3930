"""Laws of the screening: any text and any answers give an answer, and more danger never makes it milder."""

from __future__ import annotations

import ast
import dataclasses
from pathlib import Path
from typing import Any, get_args, get_type_hints

from hypothesis import given, settings
from hypothesis import strategies as st

from parcelward.parcels.hazmat import battery_rules, goods_rules, id_rules, queries, rules, words
from parcelward.parcels.hazmat.wire import Answer, Answers, Declaration, Mode

ORDERS: dict[str, list[list[Any]]] = {
    "watt_hours": [[1.0, 20.0, 20.5, 50.0, 100.0, 101.0, 400.0]],
    "lithium_g": [[0.05, 1.0, 1.5, 2.0, 2.5]],
    "battery_number": [[1, 2, 3, 4, 5, 8, 9]],
    "battery_place": [["in_device", "beside_device", "alone"]],
    "battery_damaged": [[False, True]],
    "battery_sealed": [[True, False]],
    "condition": [["new", "used"]],
    "alcohol_percent": [[0.0, 24.0, 25.0, 70.0]],
    "active_percent": [[1.0, 7.0, 10.0, 12.0, 15.0, 16.0, 70.0]],
    "flash_point_c": [[120.0, 94.0, 93.0, 60.0, 38.0, 20.0, -5.0, -6.0, -30.0]],
    "dry_ice_kg": [[0.5, 2.2, 2.3, 10.0]],
    "fuel": [["none", "purged", "residue", "fuelled"]],
    "emptied": [["never_filled", "cleaned", "not_cleaned"]],
    "sample": [["none", "exempt", "category_b", "category_a"]],
    "mercury": [[False, True]],
    "radioactive": [[False, True]],
    "aerosol": [[False, True]],
    "pressurised": [[False, True]],
    "magnet_field_ut_at_2_1_m": [[0.1, 0.2, 0.3]],
    "magnet_field_ut_at_4_6_m": [[0.1, 0.5, 0.6]],
}
"""Field -> its values from the milder to the more dangerous."""

# All of them are understood: a text that is not is looked at, and an answer that says what it is may be milder.
DESCRIPTIONS = [
    *("Smartphone", "Power bank", "CR2032", "Eau de parfum", "Nail polish", "Acrylic paint", "Hand sanitizer"),
    *("Spray paint", "Lighter", "Butane refill", "Drain cleaner", "Vinegar", "Hydrogen peroxide", "Blood sample"),
    *("Chainsaw", "Dry ice", "Neodymium magnet", "Barometer", "Smoke detector", "Wooden chair", "Novel"),
    *("Sodium ion battery", "Car battery", "Alkaline batteries", "Perfume bottle, empty", "Rat poison", "Cosmetics"),
]  # fmt: skip
WORSE = ["fireworks", "lithium ion battery 400 Wh, damaged", "petrol", "nitric acid", "tear gas", "vape", "cyanide"]


def values() -> st.SearchStrategy[dict[str, Any]]:
    """Give some answers of some questions."""
    hints = get_type_hints(Answers)
    one: dict[str, st.SearchStrategy[Any]] = {}
    for field in dataclasses.fields(Answers):
        if field.name in ORDERS:
            one[field.name] = st.sampled_from([v for order in ORDERS[field.name] for v in order])
        elif bool in get_args(hints[field.name]):
            one[field.name] = st.booleans()
        else:
            choices = [c for arg in get_args(hints[field.name]) for c in get_args(arg)]
            one[field.name] = st.sampled_from(choices)
    return st.fixed_dictionaries({}, optional=one)


@st.composite
def declarations(draw: st.DrawFn) -> Declaration:
    return Declaration(
        draw(st.sampled_from(DESCRIPTIONS)),
        language="en",
        volume_ml=draw(st.sampled_from([None, 5.0, 50.0, 118.0, 400.0, 500.0, 1000.0])),
        net_weight_g=draw(st.sampled_from([None, 100.0, 2000.0, 3000.0])),
        international=draw(st.booleans()),
        answers=Answers(**draw(values())),
    )


@settings(max_examples=300, deadline=None)
@given(declarations(), st.sampled_from(list(Mode)), st.data())
def test_a_more_dangerous_fact_never_makes_the_answer_milder(
    declaration: Declaration, mode: Mode, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(ORDERS)))
    order = data.draw(st.sampled_from(ORDERS[name]))
    at = data.draw(st.integers(0, len(order) - 2))
    mild, worse = (
        dataclasses.replace(declaration, answers=dataclasses.replace(declaration.answers, **{name: order[n]}))
        for n in (at, data.draw(st.integers(at + 1, len(order) - 1)))
    )
    assert queries.screen(worse, mode).answer >= queries.screen(mild, mode).answer, name


@settings(max_examples=200, deadline=None)
@given(declarations(), st.sampled_from(list(Mode)), st.sampled_from(WORSE))
def test_a_more_dangerous_word_never_makes_the_answer_milder(declaration: Declaration, mode: Mode, word: str) -> None:
    with_it = dataclasses.replace(declaration, description=f"{declaration.description} and {word}")
    found = queries.screen(with_it, mode).answer
    assert found >= queries.screen(declaration, mode).answer
    assert found >= Answer.INSPECT


@settings(max_examples=200, deadline=None)
@given(declarations(), st.sampled_from([5.0, 50.0, 118.0, 473.0]))
def test_a_larger_container_never_makes_the_answer_milder(declaration: Declaration, volume_ml: float) -> None:
    small, large = (dataclasses.replace(declaration, volume_ml=ml) for ml in (volume_ml, volume_ml * 3))
    assert queries.screen(large, Mode.AIR).answer >= queries.screen(small, Mode.AIR).answer


@settings(max_examples=200, deadline=None)
@given(declarations())
def test_another_country_never_makes_the_answer_milder(declaration: Declaration) -> None:
    home, abroad = (dataclasses.replace(declaration, international=yes) for yes in (False, True))
    assert queries.screen(abroad, Mode.AIR).answer >= queries.screen(home, Mode.AIR).answer


@settings(max_examples=200, deadline=None)
@given(declarations())
def test_the_air_never_makes_the_answer_milder(declaration: Declaration) -> None:
    assert queries.screen(declaration, Mode.AIR).answer >= queries.screen(declaration, Mode.GROUND).answer


@settings(max_examples=200, deadline=None)
@given(
    st.text(max_size=200), st.text(max_size=12), st.text(max_size=12), st.text(max_size=4), values(),
    st.sampled_from(list(Mode)),
)  # fmt: skip
def test_anything_gets_an_answer_with_its_rule(
    description: str, un: str, hs_code: str, language: str, said: dict[str, Any], mode: Mode
) -> None:
    declaration = Declaration(description, language, hs_code, un, answers=Answers(**said))
    found = queries.screen(declaration, mode)
    assert found.findings[0].answer == found.answer == max(one.answer for one in found.findings)
    assert found.clause
    assert all(one.rule in words.RULES for one in found.findings)


@settings(max_examples=100, deadline=None)
@given(declarations(), st.sampled_from(list(Mode)), st.data())
def test_questions_end_and_none_comes_twice(declaration: Declaration, mode: Mode, data: st.DataObject) -> None:
    asked: list[str] = []
    while (ask := queries.screen(declaration, mode).ask) is not None:
        assert ask.field not in asked
        asked.append(ask.field)
        assert str(queries.question(ask.field))
        reply: Any = data.draw(st.sampled_from(ask.choices)) if ask.choices else data.draw(st.integers(0, 200))
        reply = {"true": True, "false": False}.get(reply, reply)
        answers = dataclasses.replace(declaration.answers, **{ask.field: reply})
        declaration = dataclasses.replace(declaration, answers=answers)


def rules_written() -> set[str]:
    """Return the ids of all rules that the source can find."""
    found: set[str] = set(goods_rules._LOOKED_AT.values())
    for module in (battery_rules, goods_rules, id_rules, rules):
        for node in ast.walk(ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            at = {"Finding": 0, "_abroad": 1}.get(node.func.id)
            if at is not None and isinstance(node.args[at], ast.Constant):
                found.add(str(ast.literal_eval(node.args[at])))
    return found | {f"{one}-abroad" for one in ("matches", "flammable-solid")}


def test_every_rule_has_its_words_and_every_words_their_rule() -> None:
    assert words.RULES.keys() == rules_written()
