"""What an operator decides for an id that the table has not: two people, from a day on, asked by every order."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from tests.people.staffing import facts, somebody

from parcelward.base.errors import Conflict, Invalid
from parcelward.custody.queries import Findings
from parcelward.parcels import actions, queries, ruled_ids
from parcelward.parcels.hazmat.queries import screen
from parcelward.parcels.hazmat.wire import Answer, Answers, Declaration, Mode
from parcelward.parcels.models import HazmatRule
from parcelward.people import actions as people
from parcelward.people.errors import MayNot
from parcelward.people.wire import Person, Role

pytestmark = pytest.mark.usefixtures("installation")

WORDS: dict[str, Any] = {"clause": "PI 976", "source": "Sodium ion batteries of at most 100 Wh", "reason": "new goods"}


@pytest.fixture(autouse=True)
def _asked_anew(installation):
    ruled_ids.forget()
    yield
    ruled_ids.forget()


def written(un: str, answer: Answer, *, by: Person, days: int = 0, **words: str) -> Any:
    day = timezone.now().date() + dt.timedelta(days=days)
    return actions.ask_for_hazmat_rule(un, answer, valid_from=day, by=by, **(WORDS | words))


def answer_to(un: str, *, sodium: bool = False) -> Answer:
    ruled_ids.forget()  # as after the seconds that a process waits
    said = Answers(battery="sodium_ion") if sodium else Answers()
    text = "Sodium-ion battery" if sodium else "Energy storage"
    return screen(Declaration(text, language="en", un=un, answers=said), Mode.AIR, queries.operator_rules()).answer


def test_an_id_that_the_table_has_not_stays_held_until_a_second_person_agrees():
    anna, ben = somebody(Role.ADMINISTRATOR), somebody(Role.INSPECTOR)
    assert answer_to("UN3552") is Answer.HOLD
    asked = written("un 3552", Answer.ACCEPT_GROUND_ONLY, by=anna)
    assert answer_to("UN3552") is Answer.HOLD
    with pytest.raises(Conflict) as caught:
        actions.agree_to_hazmat_rule(asked, by=anna)
    assert (caught.value.code, answer_to("UN3552")) == ("two_people", Answer.HOLD)
    actions.agree_to_hazmat_rule(asked, by=ben)
    assert answer_to("UN3552") is Answer.ACCEPT_GROUND_ONLY
    assert answer_to("UN3552", sodium=True) is Answer.ACCEPT_GROUND_ONLY  # the same goods, in words
    assert answer_to("", sodium=True) is Answer.HOLD  # without the id nobody has decided
    (rule,) = [one for one in queries.hazmat_rules(by=anna) if one.un == "UN3552"]
    assert (rule.stands, rule.agreed, rule.clause) == (True, True, "PI 976")
    actions.agree_to_hazmat_rule(asked, by=ben)  # twice changes nothing
    assert len(facts("parcels.hazmat_rule_agreed", request=str(asked))) == 1


def test_a_rule_counts_from_its_day_and_the_newest_stands():
    anna, ben = somebody(Role.ADMINISTRATOR), somebody(Role.ADMINISTRATOR)
    for answer, days in ((Answer.ACCEPT, -2), (Answer.REFUSE, 0), (Answer.INSPECT, 3)):
        actions.agree_to_hazmat_rule(written("UN3551", answer, by=anna, days=days), by=ben)
    assert answer_to("UN3551") is Answer.REFUSE


def test_a_rule_that_was_refused_by_a_colleague_stands_never():
    anna, ben = somebody(Role.ADMINISTRATOR), somebody(Role.ADMINISTRATOR)
    asked = written("UN3990", Answer.ACCEPT, by=anna)
    with pytest.raises(Conflict):  # another one for the same id waits
        written("UN3990", Answer.REFUSE, by=ben)
    people.refuse_request(asked, by=ben)
    assert answer_to("UN3990") is Answer.HOLD


@pytest.mark.parametrize(
    ("un", "words", "code"),
    [
        ("UN1266", {}, "un_of_the_table"),
        ("perfume", {}, "bad_un"),
        ("UN3991", {"clause": " "}, "bad_clause"),
        ("UN3991", {"source": ""}, "bad_source"),
        ("UN3991", {"source": "x" * 401}, "bad_source"),
        ("UN3991", {"reason": ""}, "bad_reason"),
    ],
)
def test_a_rule_without_its_source_or_of_the_law_itself_is_none(un, words, code):
    before = HazmatRule.objects.count()
    with pytest.raises(Invalid) as caught:
        written(un, Answer.ACCEPT, by=somebody(Role.ADMINISTRATOR), **words)
    assert (caught.value.code, HazmatRule.objects.count()) == (code, before)


@pytest.mark.parametrize("role", [Role.CLERK, Role.COURIER, Role.PLANNER, Role.AUDITOR])
def test_nobody_else_writes_or_reads_them(role):
    with pytest.raises(MayNot):
        written("UN3992", Answer.ACCEPT, by=somebody(role))
    with pytest.raises(MayNot):
        queries.hazmat_rules(by=somebody(role))


@pytest.mark.parametrize("turn", [{"answer": 0}, {"agreed_by": 7}, {"source": "as we like"}])
def test_verify_log_sees_a_rule_that_was_turned(turn):
    anna, ben = somebody(Role.ADMINISTRATOR), somebody(Role.ADMINISTRATOR)
    asked = written("UN3993", Answer.REFUSE, by=anna)
    actions.agree_to_hazmat_rule(asked, by=ben)
    row = HazmatRule.objects.filter(un="UN3993").latest("written_at")
    kept = {name: getattr(row, name) for name in turn}
    fine = Findings()
    ruled_ids.check_hazmat_rules(fine)
    assert fine.first is None
    HazmatRule.objects.filter(pk=row.pk).update(**turn)
    found = Findings()
    ruled_ids.check_hazmat_rules(found)
    HazmatRule.objects.filter(pk=row.pk).update(**kept)
    assert found.first is not None
    assert str(row.id) in str(found.first)


def test_screening_asks_the_database_once_in_seconds():
    ruled_ids.forget()
    with CaptureQueriesContext(connection) as asked:
        for _ in range(50):
            queries.operator_rules()
    assert len(asked) == 1
