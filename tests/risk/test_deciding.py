"""Risk decides about an order: by what is shipped from the first day, once, and with what it was decided by."""

from __future__ import annotations

import dataclasses
import os
import uuid

import pytest
from django.db import transaction
from django.utils import timezone
from tests.at_once import at_once
from tests.payments.provided import sender
from tests.risk.ordered import decided, happened, order

from parcelward.people.actions import machinery
from parcelward.risk import rule_book, scoring
from parcelward.risk.actions import decide, observe_of_order_within, observe_within, outcome_of_order
from parcelward.risk.errors import DecisionReused
from parcelward.risk.models import Decision as Row
from parcelward.risk.models import Observation, Outcome
from parcelward.risk.wire import Answer, Key, Kind, Score, parcel_id

pytestmark = pytest.mark.usefixtures("installation")


def test_a_calm_order_is_allowed_counted_and_kept_with_what_it_was_decided_by():
    facts, by = order(), sender()
    found = decide(facts, by=by)
    assert (found.answer, found.reasons, found.order, found.round) == (Answer.ALLOW, (), facts.order, 1)
    assert found.used["account_order_count_1h"] == 1  # itself
    assert found.used["payment"] == "card"
    assert found.used["amount_minor"] == 2_000
    row = Row.objects.get(pk=found.id)
    assert (row.order, row.owner, row.answer, row.at) == (facts.order, by.organisation, "allow", facts.at)
    assert Observation.objects.filter(pk=facts.order).exists()


def test_asked_again_it_is_the_same_answer_and_nothing_is_counted_twice():
    facts, by = order(), sender()
    first = decide(facts, by=by)
    later = dataclasses.replace(facts, at=order().at, known={"first_order": True, "account_age_s": 1})
    assert decide(later, by=by) == first
    assert Row.objects.filter(order=facts.order).count() == 1
    assert decided(given={"account": facts.keys[Key.ACCOUNT]}).used["account_order_count_1h"] == 2


def test_asked_twice_at_the_same_moment_there_is_one_answer():
    facts, by = order(), sender()
    found = at_once(*(lambda: decide(facts, by=by) for _ in range(4)))
    assert len({one.id for one in found}) == 1
    assert Row.objects.filter(order=facts.order).count() == 1


def test_another_order_under_the_same_id_is_refused():
    facts, by = order(), sender()
    decide(facts, by=by)
    for asked, who in ((dataclasses.replace(facts, amount_minor=2_001), by), (facts, sender())):
        with pytest.raises(DecisionReused):
            decide(asked, by=who)


def test_what_its_caller_rolled_back_was_neither_decided_nor_counted():
    facts, by = order(), sender()
    decided()
    with transaction.atomic():
        decide(facts, by=by)
        transaction.set_rollback(True)
    assert not Row.objects.filter(order=facts.order).exists()
    assert decided(given={"account": facts.keys[Key.ACCOUNT]}).used["account_order_count_1h"] == 1


def test_many_cards_from_one_device_are_refused():
    device = os.urandom(16)
    answers = [decided(given={"device": device}).answer for _ in range(7)]
    assert answers == [Answer.ALLOW] * 5 + [Answer.REFUSE] * 2
    assert decided(given={"device": device}).reasons[0].code == "cards_of_device"


def test_declined_payments_ask_for_proof_and_what_is_proven_goes_on():
    account, by, facts = os.urandom(16), sender(), None
    decided()  # the process reads
    observe_within([happened(Kind.DECLINED, {"account": account}) for _ in range(4)])
    facts = order(given={"account": account})
    found = decide(facts, by=by)
    assert (found.answer, [reason.code for reason in found.reasons]) == (Answer.STEP_UP, ["declined_again"])
    assert found.reasons[0].because[0].value == 4
    assert decide(facts, by=by) == found
    proven = decide(dataclasses.replace(facts, at=order().at, known={**facts.known, "authenticated": True}), by=by)
    assert (proven.answer, proven.round, [one.code for one in proven.proven]) == (Answer.ALLOW, 2, ["declined_again"])
    assert proven.used["account_order_count_1h"] == 1
    assert decide(facts, by=by) == proven


def test_a_new_account_with_a_high_amount_is_looked_at():
    found = decided(amount=30_000, account_age_s=3_600)
    assert (found.answer, found.reasons[0].code) == (Answer.REVIEW, "new_and_dear")


def test_what_many_accounts_send_to_is_held():
    addressee = os.urandom(16)
    answers = [decided(given={"addressee": addressee}).answer for _ in range(8)]
    assert answers == [Answer.ALLOW] * 7 + [Answer.HOLD]


def test_each_parcel_counts_where_it_goes_to_and_the_worst_of_them_decides():
    addressee, account = os.urandom(16), os.urandom(16)
    where = {Key.ADDRESSEE: addressee, Key.ADDRESS: os.urandom(16)}
    other = {Key.ADDRESSEE: os.urandom(16), Key.ADDRESS: os.urandom(16)}
    found = [
        decide(dataclasses.replace(order(given={"account": account}), further=(other, where, where)), by=sender())
        for _ in range(2)
    ]
    assert [one.used["account_order_count_1h"] for one in found] == [1, 2]
    assert found[1].used["addressee_order_count_1d"] == 3  # of `where`: two before, and the second counts as of itself
    for _ in range(6):
        decide(dataclasses.replace(order(), further=(where,)), by=sender())
    last = decide(dataclasses.replace(order(), further=(where,)), by=sender())
    assert (last.answer, last.reasons[0].code) == (Answer.HOLD, "addressee_of_many")
    outcome_of_order(last.order, fraud=True, at=timezone.now(), by=machinery())
    learnt = Outcome.objects.filter(observation__in=[last.order, parcel_id(last.order, 1)])
    assert learnt.count() == 2


def test_what_happens_to_an_order_counts_under_its_keys():
    facts, by = order(), sender()
    decide(facts, by=by)
    for nth in range(4):
        ident = uuid.uuid5(facts.order, f"{nth}")
        for _ in range(2):
            observe_of_order_within(Kind.DECLINED, facts.order, ident, facts.at, amount_minor=5)
    observe_of_order_within(Kind.DECLINED, uuid.uuid4(), uuid.uuid4(), facts.at)
    found = decided(given={"account": facts.keys[Key.ACCOUNT]})
    assert (found.used["account_declined_count_1h"], found.reasons[0].code) == (4, "declined_again")


def test_an_order_with_a_fact_that_nobody_knows_of_is_a_bug():
    with pytest.raises(ValueError, match="no such facts: colour"):
        decided(colour="red")


@pytest.mark.parametrize("version", rule_book.shipped(), ids=lambda one: one.rule)
def test_a_shipped_rule_can_be_read_and_says_why(version):
    assert version.answer is not Answer.ALLOW
    assert version.words


class Model:
    name = "test 1"

    def __init__(self, found):
        self.found = found

    def score(self, features):
        if isinstance(self.found, Exception):
            raise self.found
        return Score(self.found)


@pytest.fixture
def model():
    yield lambda found: scoring.use(Model(found))
    scoring.use(None)


@pytest.mark.parametrize(("said", "known"), [(0.25, 0.25), (float("nan"), None), (2.0, None), (KeyError("x"), None)])
def test_a_models_score_is_a_fact_and_one_that_fails_stops_nobody(model, said, known):
    assert decided().scorer == ""
    model(said)
    found = decided()
    assert (found.answer, found.scorer, found.used.get("score")) == (Answer.ALLOW, "test 1", known)
