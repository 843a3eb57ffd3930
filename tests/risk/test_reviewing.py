"""People look at what risk decided: the queue, an appeal, another pair of eyes; who sees what; and verify-log."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid

import pytest
from django.utils import timezone
from tests.at_once import at_once
from tests.laws.tampering import change, sequenced, undone
from tests.payments.provided import sender
from tests.people.staffing import facts, somebody
from tests.risk.ordered import decided, order

from parcelward.base import config
from parcelward.base.errors import Conflict, Invalid, NotFound
from parcelward.custody.errors import EntryDiffers
from parcelward.doors.verification import verify_log
from parcelward.people.actions import machinery
from parcelward.people.errors import MayNot
from parcelward.people.wire import Role
from parcelward.privacy import queries as privacy
from parcelward.risk import queries
from parcelward.risk.actions import appeal, decide, outcome_of_order, retention, review, snooze_rule
from parcelward.risk.models import Decision as Row
from parcelward.risk.models import Outcome, Review, Snooze
from parcelward.risk.wire import Answer

pytestmark = pytest.mark.usefixtures("installation")
DAY = dt.timedelta(days=1)


@pytest.fixture(scope="module")
def people(installation):
    """Anna is an administrator, Cleo inspects, Ada audits."""
    return somebody(Role.ADMINISTRATOR), somebody(Role.INSPECTOR), somebody(Role.AUDITOR)


def looked_at(by, **more):
    """Return a decision that asks for a person: a new account, a high amount."""
    return decided(by=by, amount=30_000, account_age_s=60, **more)


def waiting(by):
    return [one.decision.id for one in queries.to_review(by=by, limit=200)]


def test_what_is_to_be_looked_at_waits_until_a_person_has_said_something(people):
    anna, _, _ = people
    made, calm = looked_at(sender()), decided()
    assert made.id in waiting(anna)
    assert calm.id not in waiting(anna)
    assert queries.standing(made.order) is Answer.REVIEW
    review(made.id, Answer.ALLOW, "a known shop", by=anna)
    review(made.id, Answer.ALLOW, "a known shop", by=anna)
    assert made.id not in waiting(anna)
    assert queries.standing(made.order) is Answer.ALLOW
    assert len(facts("risk.reviewed", decision=str(made.id))) == 1
    review(made.id, Answer.REFUSE, "it was none", by=anna)
    assert queries.standing(made.order) is Answer.REFUSE


def test_a_sender_contests_what_was_refused_once_and_another_person_looks(people):
    anna, cleo, _ = people
    by = sender()
    made = looked_at(by)
    with pytest.raises(Conflict) as caught:  # it goes on: there is nothing to contest
        appeal(made.id, by=by)
    assert caught.value.code == "not_stopped"
    review(made.id, Answer.REFUSE, "looks wrong", by=anna)
    appeal(made.id, by=by)
    appeal(made.id, by=by)
    assert made.id in waiting(cleo)
    seen = queries.decision(made.order, by=by)
    assert (seen.standing, seen.appeal_open) == (Answer.REFUSE, True)
    assert seen.review is not None
    assert (seen.review.reason, seen.review.by) == ("", 0)
    with pytest.raises(Conflict) as caught:
        review(made.id, Answer.REFUSE, "as I said", by=anna)
    assert (caught.value.code, queries.decision(made.order, by=by).appeal_open) == ("second_person", True)
    review(made.id, Answer.ALLOW, "they showed the invoice", by=cleo)
    seen = queries.decision(made.order, by=by)
    assert (seen.standing, seen.appeal_open) == (Answer.ALLOW, False)
    assert made.id not in waiting(cleo)
    with pytest.raises(Conflict) as caught:
        appeal(made.id, by=by)
    assert caught.value.code == "appeal_answered"
    assert len(facts("risk.appealed", decision=str(made.id))) == 1


def test_an_appeal_that_is_answered_the_same_way_by_two_people_is_answered(people):
    anna, cleo, _ = people
    by = sender()
    made = looked_at(by)
    review(made.id, Answer.REFUSE, "looks wrong", by=anna)
    at_once(lambda: appeal(made.id, by=by), lambda: appeal(made.id, by=by))
    review(made.id, Answer.REFUSE, "it is", by=cleo)
    assert not queries.decision(made.order, by=by).appeal_open
    assert queries.standing(made.order) is Answer.REFUSE


def test_each_sees_their_own_and_senders_no_numbers(people):
    anna, _, ada = people
    mine, other = sender(), sender()
    made = looked_at(mine)
    for by in (anna, ada):
        seen = queries.decision(made.order, by=by)
        assert seen.decision == made
        assert seen.decision.used["account_age_s"] == 60
    plain = queries.decision(made.order, by=mine).decision
    assert [(one.code, one.words, one.because) for one in plain.reasons] == [
        ("new_and_dear", "A new account orders for a high amount", ())
    ]
    assert (plain.used, plain.missing, plain.shadow, plain.revision) == ({}, (), (), "")
    assert [one.decision.id for one in queries.decisions(by=mine)] == [made.id]
    assert queries.decisions(by=other) == ()
    with pytest.raises(NotFound):
        queries.decision(made.order, by=other)
    with pytest.raises(NotFound):
        appeal(made.id, by=other)
    for who in (mine, other):
        for read in (queries.to_review, queries.snoozes, queries.rules):
            with pytest.raises(MayNot):
                read(by=who)


def test_who_may_not_reviews_nothing(people):
    _, _, ada = people
    made = looked_at(sender())
    for by in (ada, sender(), somebody(Role.CLERK)):
        with pytest.raises(MayNot):
            review(made.id, Answer.ALLOW, "x", by=by)
    with pytest.raises(MayNot):
        queries.decision(made.order, by=somebody(Role.CLERK))
    assert queries.standing(made.order) is Answer.REVIEW


@pytest.mark.parametrize(("answer", "reason"), [(Answer.HOLD, "x"), (Answer.ALLOW, " "), (Answer.ALLOW, "x" * 201)])
def test_a_review_says_allow_or_refuse_and_why(people, answer, reason):
    made = looked_at(sender())
    with pytest.raises(Invalid):
        review(made.id, answer, reason, by=people[0])
    with pytest.raises(NotFound):
        review(uuid.uuid4(), Answer.ALLOW, "x", by=people[0])


def test_a_decision_that_was_made_anew_is_looked_at_and_not_the_one_before(people):
    by = sender()
    asked = order(amount=15_000, first_order=True, card_country="US", origin_country="ES")
    first = decide(asked, by=by)
    assert first.answer is Answer.STEP_UP
    decide(dataclasses.replace(asked, known={**asked.known, "authenticated": True}), by=by)
    with pytest.raises(Conflict) as caught:
        review(first.id, Answer.REFUSE, "x", by=people[0])
    assert caught.value.code == "decided_anew"


def test_what_became_of_an_order_is_learnt_once(people):
    anna, _, _ = people
    made, at = decided(), timezone.now()
    outcome_of_order(made.order, fraud=True, at=at, by=machinery())
    outcome_of_order(made.order, fraud=True, at=at, by=anna)
    assert Outcome.objects.filter(observation=made.order).count() == 1
    assert len(facts("risk.outcome", order=str(made.order))) == 1
    with pytest.raises(NotFound):
        outcome_of_order(uuid.uuid4(), fraud=True, at=at, by=anna)
    with pytest.raises(Invalid):
        outcome_of_order(made.order, fraud=True, at=at + DAY, by=anna)


def test_decisions_go_by_age_with_what_was_said_of_them_and_verify_log_knows(people):
    anna, _, _ = people
    old, young = order(amount=30_000, account_age_s=60), order()
    old = dataclasses.replace(old, at=old.at - 401 * DAY)
    made = decide(old, by=sender())
    decide(young, by=sender())
    review(made.id, Answer.ALLOW, "known", by=anna)
    snooze_rule("new_and_dear", old.order, until=timezone.now() + DAY, reason="known", by=anna)
    before = privacy.kept_until("decisions", "US", now=timezone.now())
    assert retention.forget_old("decisions", before, by=machinery()) >= 1
    assert not Row.objects.filter(order=old.order).exists()
    assert Row.objects.filter(order=young.order).exists()
    assert not Review.objects.filter(decision=made.id).exists()
    assert Snooze.objects.filter(reason="known").exists()
    sequenced()
    verify_log(config.get())


TAMPERING = {
    "its answer": ("decision", "UPDATE risk_decision SET answer = 'allow' WHERE id = %(id)s"),
    "its body": ("decision", "UPDATE risk_decision SET body = replace(body, 'new_and_dear', 'new') WHERE id = %(id)s"),
    "whose it is": ("decision", "UPDATE risk_decision SET owner = gen_random_uuid() WHERE id = %(id)s"),
    "which order": ("decision", 'UPDATE risk_decision SET "order" = gen_random_uuid() WHERE id = %(id)s'),
    "which rules spoke": ("decision", "UPDATE risk_decision SET spoke = '' WHERE id = %(id)s"),
    "when it was": ("decision", "UPDATE risk_decision SET at = at + interval '1 day' WHERE id = %(id)s"),
    "what a person said": ("review", "UPDATE risk_review SET answer = 'allow' WHERE decision_id = %(id)s"),
    "why they said it": ("review", "UPDATE risk_review SET reason = 'because' WHERE decision_id = %(id)s"),
    "who said it": ("review", "UPDATE risk_review SET by = 1 WHERE decision_id = %(id)s"),
    "that somebody contests it": ("review", "DELETE FROM risk_appeal WHERE decision_id = %(id)s"),
    "who snoozed a rule": ("snooze", "UPDATE risk_snooze SET by = 1 WHERE id = %(snooze)s"),
    "for whom": ("snooze", "UPDATE risk_snooze SET customer = gen_random_uuid() WHERE id = %(snooze)s"),
    "until when": ("snooze", "UPDATE risk_snooze SET until = until + interval '9 days' WHERE id = %(snooze)s"),
    "that it ended": ("snooze", "UPDATE risk_snooze SET ended_at = now() WHERE id = %(snooze)s"),
    "that it was": ("snooze", "DELETE FROM risk_snooze WHERE id = %(snooze)s"),
}


@pytest.fixture(scope="module")
def recorded(people):
    """A decision with a review that is contested, and a snooze; in the log."""
    by = sender()
    made = looked_at(by)
    review(made.id, Answer.REFUSE, "looks wrong", by=people[0])
    appeal(made.id, by=by)
    snooze = snooze_rule("new_and_dear", made.order, until=timezone.now() + DAY, reason="x", by=people[0])
    sequenced()
    verify_log(config.get())
    return {"id": made.id, "snooze": snooze}


@pytest.mark.parametrize("what", TAMPERING)
def test_verify_log_finds_what_was_turned(recorded, what):
    differs, sql = TAMPERING[what]
    with undone():
        change(sql, {name: value for name, value in recorded.items() if f"%({name})s" in sql})
        with pytest.raises(EntryDiffers) as caught:
            verify_log(config.get())
    assert caught.value.differs == differs


FORGED = {
    "decision": "INSERT INTO risk_decision "
    "SELECT gen_random_uuid(), gen_random_uuid(), 1, owner, answer, at, body, salt "
    "FROM risk_decision WHERE id = %(id)s",
    "review": "INSERT INTO risk_review (decision_id, answer, reason, by, at, salt) "
    "VALUES (%(id)s, 'allow', 'x', 1, now(), '')",
    "snooze": "INSERT INTO risk_snooze (id, rule, customer, until, reason, by, made_at, salt) "
    "SELECT gen_random_uuid(), rule, customer, until, reason, by, made_at, salt FROM risk_snooze WHERE id = %(snooze)s",
}


@pytest.mark.parametrize("what", FORGED)
def test_verify_log_finds_what_nobody_recorded(recorded, what):
    sql = FORGED[what]
    with undone():
        change(sql, {name: value for name, value in recorded.items() if f"%({name})s" in sql})
        with pytest.raises(EntryDiffers) as caught:
            verify_log(config.get())
    assert caught.value.differs == what


def test_verify_log_finds_a_decision_that_is_gone(recorded):
    made = decided()
    sequenced()
    with undone():
        change("DELETE FROM risk_decision WHERE id = %s", made.id)
        with pytest.raises(EntryDiffers) as caught:
            verify_log(config.get())
    assert caught.value.differs == "decision"
