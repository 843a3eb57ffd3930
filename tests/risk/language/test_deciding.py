"""A set of rules decides: the strictest counts, shadow and snoozed rules change nothing, a bad rule stops nobody."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.risk.language.written import NODES, ORDERS, SCHEMA

from parcelward.risk.language import deciding
from parcelward.risk.language.deciding import ALERT, RuleSet, SetAside, decide
from parcelward.risk.language.life import Snooze, Stage, Version
from parcelward.risk.language.schema import Schema
from parcelward.risk.language.tree import Node, written
from parcelward.risk.wire import Answer, strictest

NOW = dt.datetime(2026, 11, 27, 12, tzinfo=dt.UTC)
ANNA, BELA = UUID(int=1), UUID(int=2)


def version(rule: str, text: str, answer: Answer = Answer.HOLD, stage: Stage = Stage.ACTIVE) -> Version:
    return Version(rule, 1, text, text, answer, f"Because of {rule}", ANNA, stage)


MANY = version("many_cards", "cards_1h > 3", Answer.REVIEW)
NEW = version("new_and_dear", "new_address and amount_minor > 500_00")
FAR = version("far_card", "country != card_country", Answer.STEP_UP)
ORDER = {"cards_1h": 4, "new_address": True, "amount_minor": 600_00, "country": "ES", "card_country": "ES"}


def decided(*versions: Version, **more: object) -> deciding.Decided:
    return decide(RuleSet.of(SCHEMA, versions), {**ORDER, **more}, [], NOW)


def test_the_strictest_answer_counts_and_every_reason_is_given() -> None:
    found = decided(MANY, FAR, NEW)
    assert found.answer is Answer.HOLD
    assert [(reason.code, reason.words) for reason in found.reasons] == [
        ("new_and_dear", "Because of new_and_dear"),
        ("many_cards", "Because of many_cards"),
    ]
    assert [(why.field, why.value, why.limit) for why in found.reasons[0].because] == [
        ("new_address", True, None),
        ("amount_minor", 600_00, 500_00),
    ]
    assert [(reason.answer, reason.version) for reason in found.reasons] == [(Answer.HOLD, 1), (Answer.REVIEW, 1)]
    assert found.missing == ()


def test_what_no_rule_stops_is_allowed_and_what_nobody_knew_is_named() -> None:
    found = decided(MANY, FAR, cards_1h=None, country="x" * 501)
    assert (found.answer, found.reasons) == (Answer.ALLOW, ())
    assert found.missing == ("cards_1h", "country")


def test_a_rule_in_shadow_changes_nothing() -> None:
    found = decided(MANY, replace(NEW, stage=Stage.SHADOW))
    assert found.answer is Answer.REVIEW
    assert [reason.code for reason in found.reasons] == ["many_cards"]
    assert [reason.code for reason in found.shadow_reasons] == ["new_and_dear"]
    assert found.shadow_answer is Answer.HOLD


@given(st.lists(NODES, max_size=5), st.lists(NODES, min_size=1, max_size=3), ORDERS)
def test_no_rule_in_shadow_ever_changes_the_decision(
    active: list[Node], shadow: list[Node], order: dict[str, object]
) -> None:
    acting = [version(f"active_{nth}", written(node), Answer.REVIEW) for nth, node in enumerate(active)]
    trying = [version(f"shadow_{nth}", written(node), Answer.REFUSE, Stage.SHADOW) for nth, node in enumerate(shadow)]
    alone = decide(RuleSet.of(SCHEMA, acting), order, [], NOW)
    both = decide(RuleSet.of(SCHEMA, [*trying, *acting]), order, [], NOW)
    assert (both.answer, both.reasons) == (alone.answer, alone.reasons)
    assert alone.shadow_answer is alone.answer


@pytest.mark.parametrize("stage", [Stage.DRAFT, Stage.RETIRED])
def test_drafts_and_retired_rules_are_not_asked(stage: Stage) -> None:
    found = decided(replace(NEW, stage=stage))
    assert (found.answer, found.shadow_reasons) == (Answer.ALLOW, ())


def test_a_snooze_is_for_one_rule_one_customer_and_a_time() -> None:
    rules = RuleSet.of(SCHEMA, [MANY, NEW])
    snooze = Snooze("new_and_dear", "c-1", NOW, "Moved house, has called", BELA)
    before, at = NOW - dt.timedelta(seconds=1), NOW
    found = decide(rules, ORDER, [snooze], before, customer="c-1")
    assert found.answer is Answer.REVIEW
    assert [reason.code for reason in found.snoozed] == ["new_and_dear"]
    assert decide(rules, ORDER, [snooze], at, customer="c-1").answer is Answer.HOLD
    assert decide(rules, ORDER, [snooze], before, customer="c-2").answer is Answer.HOLD
    assert decide(rules, ORDER, [replace(snooze, customer="")], before).answer is Answer.HOLD


def test_a_rule_of_which_a_field_is_gone_is_set_aside_and_the_others_decide() -> None:
    schema = Schema([field for field in SCHEMA.fields if field.name != "new_address"])
    rules = RuleSet.of(schema, [NEW, MANY])
    found = decide(rules, ORDER, [], NOW)
    assert found.answer is Answer.REVIEW
    assert found.set_aside == (SetAside("new_and_dear", 1, "unknown_name"),)
    assert found.set_aside[0].alert == ALERT


def test_a_rule_that_fails_on_an_order_is_set_aside_for_it_and_the_others_decide() -> None:
    rules = RuleSet.of(SCHEMA, [NEW, MANY, FAR])
    names = [field.name for field in rules.compiled.fields]
    row = [ORDER[name] for name in names]
    row[names.index("amount_minor")] = "600_00"  # past `read`, which would have made it missing
    fired, aside = deciding.fired_by(rules, tuple(row))
    assert [rules.versions[place].rule for place in fired] == ["many_cards"]
    assert aside == (SetAside("new_and_dear", 1, "TypeError"),)
    assert deciding.fired_by(rules, rules.compiled.read(ORDER)[0]) == ([0, 1], ())


def test_answers_have_an_order() -> None:
    assert sorted(Answer, key=lambda answer: answer.severity) == list(Answer)
    assert strictest([]) is Answer.ALLOW
    assert strictest([Answer.REVIEW, Answer.REFUSE, Answer.STEP_UP]) is Answer.REFUSE


def test_a_set_without_rules_allows() -> None:
    assert decided().answer is Answer.ALLOW


def test_what_is_compiled_can_reach_nothing() -> None:
    made = RuleSet.of(SCHEMA, [MANY, version("named", "country == '\u00f1\"; import os'")]).compiled
    space = made.fired.__globals__
    assert space["__builtins__"] == {}
    assert "import os" not in made.source.replace("'ñ\"; import os'", "")
