"""A rule is a draft, then in shadow; it acts if a second person agrees, once it was tried on the past."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from tests.risk.language.written import SCHEMA

from parcelward.base.errors import Conflict, Invalid
from parcelward.risk.language import columns, life, reading
from parcelward.risk.language.life import MOVES, Stage, Version, activated, after_activation, moved, snooze, write
from parcelward.risk.language.problems import Refused
from parcelward.risk.language.trying import Tried, tried
from parcelward.risk.wire import Answer

NOW = dt.datetime(2026, 11, 27, 12, tzinfo=dt.UTC)
ANNA, BELA, CLEO = UUID(int=1), UUID(int=2), UUID(int=3)
TRIED = Tried("cards_1h > 3", orders=1000, stopped=12, stopped_disputed=9, disputed=20, stopped_alone=5, examples=(3,))


def draft(text: str = "cards_1h > 3", after: Version | None = None, **more: object) -> Version:
    given: dict[str, Any] = {
        "rule": "many_cards",
        "answer": Answer.HOLD,
        "words": "Many cards in an hour",
        "by": ANNA,
        **more,
    }
    return write(SCHEMA, text=text, after=after, **given)


def shadow() -> Version:
    return moved(draft(), Stage.SHADOW)


def test_a_rule_is_kept_as_it_was_written_and_versions_count() -> None:
    first = draft("not (cards_1h<=3)")
    assert (first.number, first.text, first.form, first.stage) == (1, "not (cards_1h<=3)", "cards_1h > 3", Stage.DRAFT)
    second = draft("cards_1h > 4", after=first)
    assert (second.number, second.stage, first.form) == (2, Stage.DRAFT, "cards_1h > 3")


@pytest.mark.parametrize(
    "wrong",
    [
        {"rule": "Many"},
        {"rule": "a" * 41},
        {"rule": "many cards"},
        {"answer": Answer.ALLOW},
        {"words": " "},
        {"words": "x" * (life.WORDS_MAX + 1)},
        {"words": "one\nand two"},
    ],
)
def test_what_is_no_rule_is_not_written(wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        draft(**wrong)


def test_a_version_that_changes_nothing_or_follows_another_rule_is_refused() -> None:
    first = draft()
    for same in ("cards_1h > 3", "not cards_1h <= 3"):
        with pytest.raises(Conflict):
            draft(same, after=first)
    with pytest.raises(Invalid):
        draft("cards_1h > 4", after=first, rule="few_cards")
    with pytest.raises(Refused):
        draft("crads_1h > 4", after=first)


def test_only_what_the_table_has_may_follow() -> None:
    for stage in Stage:
        for to in Stage:
            version = replace(draft(), stage=stage)
            if to in MOVES[stage] and to is not Stage.ACTIVE:
                assert moved(version, to).stage is to
            else:
                with pytest.raises(Conflict):
                    moved(version, to)


def test_a_second_person_makes_a_rule_act() -> None:
    active = activated(shadow(), TRIED, asked_by=ANNA, approved_by=BELA)
    assert (active.stage, active.approved_by) == (Stage.ACTIVE, BELA)
    assert moved(active, Stage.SHADOW).approved_by is None
    for asked_by, approved_by in ((ANNA, ANNA), (BELA, ANNA), (BELA, BELA)):
        with pytest.raises(Invalid) as refused:
            activated(shadow(), TRIED, asked_by=asked_by, approved_by=approved_by)
        assert refused.value.code == "second_person"


def test_nothing_acts_that_was_not_in_shadow_and_tried() -> None:
    with pytest.raises(Conflict):
        activated(draft(), TRIED, asked_by=ANNA, approved_by=BELA)
    for other in (replace(TRIED, orders=0), replace(TRIED, form="cards_1h > 4")):
        with pytest.raises(Conflict):
            activated(shadow(), other, asked_by=ANNA, approved_by=BELA)


def test_a_rule_that_would_stop_many_acts_only_if_so_many_are_meant() -> None:
    many = replace(TRIED, stopped=21)
    with pytest.raises(Conflict) as refused:
        activated(shadow(), many, asked_by=ANNA, approved_by=BELA)
    assert refused.value.code == "stops_many"
    assert activated(shadow(), replace(TRIED, stopped=20), asked_by=ANNA, approved_by=BELA).stage is Stage.ACTIVE
    assert activated(shadow(), many, asked_by=ANNA, approved_by=BELA, many_are_meant=True).stage is Stage.ACTIVE


def test_of_a_rule_one_version_acts_and_one_is_in_shadow() -> None:
    first = activated(shadow(), TRIED, asked_by=ANNA, approved_by=BELA)
    second = moved(draft("cards_1h > 4", after=first), Stage.SHADOW, beside=[first])
    with pytest.raises(Conflict):
        moved(draft("cards_1h > 5", after=second), Stage.SHADOW, beside=[first, second])
    acting = activated(second, replace(TRIED, form="cards_1h > 4"), asked_by=ANNA, approved_by=CLEO)
    other = replace(first, rule="other")
    assert after_activation([first, second, other], acting) == (replace(first, stage=Stage.RETIRED), acting, other)


def test_no_more_rules_are_asked_than_there_may_be() -> None:
    full = [replace(shadow(), rule=f"rule_{nth}") for nth in range(life.RULES_MAX)]
    with pytest.raises(Conflict):
        moved(draft(), Stage.SHADOW, beside=full)
    assert moved(draft(), Stage.SHADOW, beside=full[1:]).stage is Stage.SHADOW


def test_a_snooze_has_a_customer_an_end_and_a_reason() -> None:
    most = NOW + dt.timedelta(days=life.SNOOZE_DAYS_MAX)
    assert snooze("many_cards", "c-1", until=most, reason="A shop for gifts", by=ANNA, now=NOW).until == most
    for customer, until, reason in (
        ("", most, "A shop"),
        ("c-1", NOW, "A shop"),
        ("c-1", most + dt.timedelta(seconds=1), "A shop"),
        ("c-1", most, ""),
        ("c-1", most, "x" * (life.REASON_MAX + 1)),
    ):
        with pytest.raises(Invalid):
            snooze("many_cards", customer, until=until, reason=reason, by=ANNA, now=NOW)


def test_a_rule_is_tried_on_the_past() -> None:
    orders = [{"cards_1h": nth % 10, "new_address": nth % 2 == 0} for nth in range(100)]
    disputed = np.array([nth % 10 in {0, 9} for nth in range(100)])
    rule, beside = reading.read("cards_1h > 7", SCHEMA), reading.read("new_address", SCHEMA)
    found = tried(rule, columns.of(SCHEMA, orders), disputed, beside=[beside])
    assert found == Tried(
        form="cards_1h > 7",
        orders=100,
        stopped=20,
        stopped_disputed=10,
        disputed=20,
        stopped_alone=10,
        examples=(8, 9, 18, 19, 28, 29, 38, 39, 48, 49),
    )
    assert found.share == 0.2
    with pytest.raises(ValueError, match="every order"):
        tried(rule, columns.of(SCHEMA, orders), disputed[:99])


def test_of_no_orders_nothing_is_stopped() -> None:
    found = tried(reading.read("cards_1h > 7", SCHEMA), columns.of(SCHEMA, []), np.zeros(0, np.bool_))
    assert (found.orders, found.stopped, found.share) == (0, 0, 0.0)
