"""Rules of operators: drafts, shadow, two people, the past; and what a snooze, or a bad rule, changes."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import itertools
import os
import uuid

import pytest
from django.utils import timezone
from tests.laws.tampering import change, sequenced, undone
from tests.people.staffing import facts, somebody
from tests.risk.ordered import decided, happened, order

from parcelward.base import config, db
from parcelward.base.errors import Conflict, Invalid, NotFound
from parcelward.custody.actions import record_fact
from parcelward.custody.errors import EntryDiffers
from parcelward.doors.verification import verify_log
from parcelward.people.errors import MayNot
from parcelward.people.wire import Role
from parcelward.risk import past, queries, rule_book
from parcelward.risk.actions import (
    agree_to_rule,
    ask_to_activate,
    decide,
    end_snooze,
    move_rule,
    observe_within,
    outcome_of_order,
    snooze_rule,
    try_rule,
    write_rule,
)
from parcelward.risk.language.life import Stage
from parcelward.risk.language.problems import Refused
from parcelward.risk.models import RuleVersion
from parcelward.risk.wire import Answer, Key, Kind

pytestmark = pytest.mark.usefixtures("installation")
_services = itertools.count()


@pytest.fixture(scope="module")
def people(installation):
    """Anna and Ben are administrators, Cleo inspects."""
    return somebody(Role.ADMINISTRATOR), somebody(Role.ADMINISTRATOR), somebody(Role.INSPECTOR)


@pytest.fixture
def service():
    """Return a service that only this test's orders have."""
    return f"only-{os.getpid()}-{next(_services)}"


@pytest.fixture
def drafted(people, service):
    """Anna's draft of a rule that stops one service; it is retired after the test."""
    code = f"r_{uuid.uuid4().hex[:12]}"
    version = write_rule(code, f'service == "{service}"', Answer.HOLD, "This service is stopped", by=people[0])
    yield version, code
    for row in RuleVersion.objects.filter(rule=code).exclude(stage=Stage.RETIRED):
        move_rule(row.id, Stage.RETIRED, by=people[0])


def stage(version):
    return RuleVersion.objects.get(pk=version).stage


def in_force(version, people):
    """Let a version act: Anna asks, Ben agrees. Of the orders here it would stop many, which is meant."""
    anna, ben, _ = people
    move_rule(version, Stage.SHADOW, by=anna)
    request = ask_to_activate(version, "as agreed on Monday", many_are_meant=True, by=anna)
    agree_to_rule(request, by=ben)
    return request


def test_a_draft_is_not_asked_one_in_shadow_changes_nothing_and_one_that_acts_stops(people, service, drafted):
    version, code = drafted
    assert decided(service=service).shadow == ()
    move_rule(version, Stage.SHADOW, by=people[0])
    found = decided(service=service)
    assert (found.answer, [one.code for one in found.shadow]) == (Answer.ALLOW, [code])
    request = ask_to_activate(version, "as agreed", many_are_meant=True, by=people[0])
    assert decided(service=service).answer is Answer.ALLOW
    assert [one.request for one in queries.rules(by=people[1]) if one.id == version] == [request]
    agree_to_rule(request, by=people[1])
    found = decided(service=service)
    assert (found.answer, found.versions) == (Answer.HOLD, ((code, 1),))
    agree_to_rule(request, by=people[1])  # twice changes nothing
    assert len(facts("risk.rule_moved", version=str(version))) == 2
    move_rule(version, Stage.RETIRED, by=people[0])
    move_rule(version, Stage.RETIRED, by=people[0])
    assert decided(service=service).answer is Answer.ALLOW
    assert [one["stage"] for one in facts("risk.rule_moved", version=str(version))] == ["shadow", "active", "retired"]


def test_nobody_lets_their_own_rule_act(people, drafted):
    anna, ben, cleo = people
    version, _ = drafted
    decided()
    move_rule(version, Stage.SHADOW, by=anna)
    request = ask_to_activate(version, "please", by=anna)
    with pytest.raises(Conflict) as caught:
        agree_to_rule(request, by=anna)
    assert (caught.value.code, stage(version)) == ("two_people", "shadow")
    other = write_rule(f"r_{uuid.uuid4().hex[:12]}", "items > 900000", Answer.HOLD, "Many items", by=ben)
    move_rule(other, Stage.SHADOW, by=anna)
    asked = ask_to_activate(other, "Ben wrote it", by=cleo)
    with pytest.raises(Invalid) as refused:  # whoever wrote it is no second person either
        agree_to_rule(asked, by=ben)
    assert (refused.value.code, stage(other)) == ("second_person", "shadow")
    agree_to_rule(asked, by=anna)
    assert stage(other) == "active"
    move_rule(other, Stage.RETIRED, by=anna)


def test_what_was_not_in_shadow_or_stops_many_is_not_asked_for(people, service, drafted):
    anna, ben, _ = people
    version, _ = drafted
    decided(service=service)
    with pytest.raises(Conflict):
        ask_to_activate(version, "at once", by=anna)
    for _ in range(3):
        decided(service=service)
    many = write_rule(f"r_{uuid.uuid4().hex[:12]}", "amount_minor > 1", Answer.REFUSE, "Everything", by=anna)
    move_rule(many, Stage.SHADOW, by=anna)
    with pytest.raises(Conflict) as caught:
        ask_to_activate(many, "please", by=anna)
    assert caught.value.code == "stops_many"
    move_rule(many, Stage.RETIRED, by=ben)


def test_a_rule_is_tried_on_what_was_decided_and_what_became_of_it(people, service, drafted):
    anna, ben, _ = people
    version, _ = drafted
    orders = [order(service=service) for _ in range(5)]
    for one in orders:
        decide(one, by=anna)
    now = timezone.now()
    outcome_of_order(orders[0].order, fraud=True, at=now, by=anna)
    outcome_of_order(orders[1].order, fraud=True, at=now, by=anna)
    outcome_of_order(orders[1].order, fraud=False, at=now + dt.timedelta(seconds=1), by=ben)  # the newest counts
    found = try_rule(version, by=anna)
    assert (found.stopped, found.stopped_disputed, found.stopped_alone) == (5, 1, 5)
    assert found.orders >= 5
    assert set(found.examples) == {one.order for one in orders}


def test_a_rule_that_cannot_be_right_is_refused_and_the_same_draft_is_one(people, service, drafted):
    version, code = drafted
    with pytest.raises(Refused):
        write_rule("r_bad", "colour == 3", Answer.HOLD, "x", by=people[0])
    again = write_rule(code, f'service == "{service}"', Answer.HOLD, "This service is stopped", by=people[0])
    assert again == version
    with pytest.raises(NotFound):
        move_rule(uuid.uuid4(), Stage.SHADOW, by=people[0])


def test_who_may_not_writes_moves_tries_and_reads_no_rules(people, drafted):
    version, code = drafted
    clerk, auditor = somebody(Role.CLERK), somebody(Role.AUDITOR)
    for by in (clerk, auditor):
        for deed in (
            lambda by=by: write_rule(code, "items > 3", Answer.HOLD, "x", by=by),
            lambda by=by: move_rule(version, Stage.SHADOW, by=by),
            lambda by=by: try_rule(version, by=by),
            lambda by=by: ask_to_activate(version, "x", by=by),
            lambda by=by: agree_to_rule(uuid.uuid4(), by=by),
            lambda by=by: snooze_rule(code, uuid.uuid4(), until=timezone.now(), reason="x", by=by),
            lambda by=by: outcome_of_order(uuid.uuid4(), fraud=True, at=timezone.now(), by=by),
        ):
            with pytest.raises(MayNot):
                deed()
    with pytest.raises(MayNot):
        queries.rules(by=clerk)
    assert version in {one.id for one in queries.rules(by=auditor)}
    assert stage(version) == "draft"


def test_a_shipped_rule_that_is_retired_is_not_asked_and_its_next_version_takes_its_place(people):
    anna, _, _ = people
    shipped = next(one for one in queries.rules(by=anna) if one.rule == "printer_of_many")
    assert (shipped.stage, shipped.written_by) == ("active", 0)
    printer = os.urandom(16)
    observe_within(
        [happened(Kind.LABEL, {"printer": printer, "account": os.urandom(16)}) for _ in range(60)],
    )
    assert [one.code for one in decided(given={"printer": printer}).reasons] == ["printer_of_many"]
    follow = write_rule("printer_of_many", "printer_label_count_1h > 59", Answer.HOLD, "Too many", by=anna)
    assert [one.code for one in decided(given={"printer": printer}).reasons] == ["printer_of_many"]
    in_force(follow, people)
    found = decided(given={"printer": printer})
    assert (found.answer, found.versions) == (Answer.HOLD, (("printer_of_many", 2),))
    assert stage(shipped.id) == "retired"
    move_rule(follow, Stage.RETIRED, by=anna)
    assert decided(given={"printer": printer}).answer is Answer.ALLOW


def test_a_snooze_is_for_one_account_and_ends(people, service, drafted):
    anna, _, _ = people
    version, code = drafted
    in_force(version, people)
    first = order(service=service)
    account = {"account": first.keys[Key.ACCOUNT]}
    assert decide(first, by=anna).answer is Answer.HOLD
    until = timezone.now() + dt.timedelta(hours=1)
    snooze = snooze_rule(code, first.order, until=until, reason="has called", by=anna)
    assert snooze_rule(code, first.order, until=until, reason="has called", by=anna) == snooze
    found = decided(given=account, service=service)
    assert (found.answer, [one.code for one in found.snoozed]) == (Answer.ALLOW, [code])
    assert decided(service=service).answer is Answer.HOLD  # of another account
    late = dataclasses.replace(order(given=account, service=service), at=until)
    assert decide(late, by=anna).answer is Answer.HOLD
    assert [one.id for one in queries.snoozes(by=anna) if one.rule == code] == [snooze]
    end_snooze(snooze, by=anna)
    end_snooze(snooze, by=anna)
    assert decided(given=account, service=service).answer is Answer.HOLD
    assert len(facts("risk.snooze_ended", snooze=str(snooze))) == 1
    with pytest.raises(Invalid):
        snooze_rule(code, first.order, until=until + dt.timedelta(days=91), reason="x", by=anna)


def test_a_rule_in_the_table_that_cannot_be_read_stops_nobody(people, drafted, service):
    version, _ = drafted
    in_force(version, people)
    bad = {"text": "gone_field > 3", "answer": "perhaps"}
    for name, value in bad.items():
        with undone():
            change(f"UPDATE risk_ruleversion SET {name} = %s WHERE id = %s", value, version)
            change("INSERT INTO risk_rulemove (version_id, stage, by, at) VALUES (%s, 'active', 0, now())", version)
            found = decided(given={"device": os.urandom(16)}, service=service, account_age_s=1, amount=30_000)
            assert (found.answer, found.reasons[0].code) == (Answer.REVIEW, "new_and_dear")
    assert decided(service=service).answer is Answer.HOLD


TAMPERING = {
    "it says something else": "UPDATE risk_ruleversion SET text = 'items > 900' WHERE id = %s",
    "it asks for less": "UPDATE risk_ruleversion SET answer = 'review' WHERE id = %s",
    "it is retired and nobody did": "UPDATE risk_ruleversion SET stage = 'retired' WHERE id = %s",
    "somebody else agreed": "UPDATE risk_ruleversion SET approved_by = 1 WHERE id = %s",
    "it was another's": "UPDATE risk_ruleversion SET written_by = 1 WHERE id = %s",
    "it is gone": "WITH moved AS (DELETE FROM risk_rulemove WHERE version_id = %(id)s) "
    "DELETE FROM risk_ruleversion WHERE id = %(id)s",
}


@pytest.mark.parametrize("how", TAMPERING)
def test_verify_log_finds_a_rule_that_was_turned(people, drafted, how):
    version, _ = drafted
    decided()
    in_force(version, people)
    sequenced()
    with undone():
        with db.cursor() as cur:
            cur.execute("SET CONSTRAINTS ALL DEFERRED")
        sql = TAMPERING[how]
        change(sql, {"id": version} if "%(id)s" in sql else version)
        with pytest.raises(EntryDiffers) as caught:
            verify_log(config.get())
    assert caught.value.differs == "rule"


def test_verify_log_finds_a_rule_that_one_person_alone_lets_act(people, drafted):
    version, _ = drafted
    move_rule(version, Stage.SHADOW, by=people[0])
    sequenced()
    with undone():
        change(
            "UPDATE risk_ruleversion SET stage = 'active', approved_by = %s WHERE id = %s", people[0].source, version
        )
        said = {"by": people[0].source, "stage": "active", "version": str(version), "request": str(uuid.uuid4())}
        record_fact("risk.rule_moved", said)
        with pytest.raises(EntryDiffers) as caught:
            verify_log(config.get())
    assert caught.value.differs == "rule"
    assert "no second person" in str(caught.value)


def test_verify_log_finds_a_rule_that_nobody_wrote(people):
    with undone():
        change(
            "INSERT INTO risk_ruleversion "
            "(id, rule, number, text, form, answer, words, written_by, written_at, stage, salt) "
            "VALUES (gen_random_uuid(), 'forged', 1, 'items > 3', 'items > 3', 'hold', 'x', 1, now(), 'active', '')"
        )
        with pytest.raises(EntryDiffers) as caught:
            verify_log(config.get())
    assert caught.value.differs == "rule"


def test_the_past_is_no_longer_than_it_says(people, service, drafted, monkeypatch):
    for _ in range(3):
        decided(service=service)
    monkeypatch.setattr(past, "ORDERS_MAX", 2)
    assert try_rule(drafted[0], by=people[0]).orders == 2


def test_a_process_reads_the_rules_again_only_when_one_moved(people, monkeypatch):
    decided()
    kept = rule_book._kept
    decided()
    assert rule_book._kept is kept
    with contextlib.suppress(Conflict):
        move_rule(
            write_rule(f"r_{uuid.uuid4().hex[:12]}", "items > 9", Answer.HOLD, "x", by=people[0]),
            Stage.RETIRED,
            by=people[0],
        )
    decided()
    assert rule_book._kept is not kept
