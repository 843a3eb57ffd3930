"""A check at the counter: decided once, told an hour later, reviewed by another, withdrawn until it is told."""

from __future__ import annotations

import dataclasses
from functools import partial

import pytest
from tests.at_once import at_once
from tests.people.proving import DAY, HOUR, NOW, address, checked, rows, somebody, told

from parcelward.base.errors import Conflict, Invalid, NotFound, TooMany
from parcelward.people import proofing
from parcelward.people.errors import MayNot
from parcelward.people.wire import CounterState, Document, Level, Role

pytestmark = pytest.mark.usefixtures("installation")
PASSED, FAILED, REVIEW = CounterState.PASSED, CounterState.FAILED, CounterState.IN_FRAUD_REVIEW


def state(person, now=NOW):
    check = proofing.mine(by=person, now=now).check
    assert check is not None
    return check.state


def level(person, now=NOW):
    return proofing.level_of(person, now=now)


def test_what_passes_is_told_and_counts_an_hour_later():
    person, token = somebody(), address()
    checked(person, token)
    assert state(person, NOW + HOUR * 0.99) is CounterState.PENDING
    mine = proofing.mine(by=person, now=NOW).check
    assert mine is not None
    assert (mine.document, mine.checked_at) == ("", None), (
        "the person does not learn from their page that it is decided"
    )
    assert level(person, NOW + HOUR * 0.99) is Level.NOTHING
    assert state(person, NOW + HOUR) is PASSED
    assert level(person, NOW + HOUR) is Level.IDENTITY
    proofing.require_address_level(person, token, now=NOW + HOUR)
    with pytest.raises(MayNot):
        proofing.require_address_level(person, address(), now=NOW + HOUR)
    assert told(person) == ["check_started", "check_decided", "level_proven"]


def test_what_fails_is_told_an_hour_later_and_proves_nothing():
    person = somebody()
    checked(person, address(), FAILED)
    assert [state(person, NOW), state(person, NOW + HOUR)] == [CounterState.PENDING, FAILED]
    assert level(person, NOW + HOUR) is Level.NOTHING


@pytest.mark.parametrize("decision", [PASSED, FAILED, REVIEW])
def test_the_same_decision_twice_changes_nothing_and_another_is_refused(decision):
    person, clerk = somebody(), somebody(Role.CLERK)
    done = checked(person, address(), decision, clerk=clerk)
    before = rows(person), told(person)
    proofing.decide_check(done.check_id, decision, Document.PASSPORT, by=clerk, now=NOW)
    for who, what in ((somebody(Role.CLERK), decision), (clerk, FAILED if decision is PASSED else PASSED)):
        with pytest.raises(Conflict):
            proofing.decide_check(done.check_id, what, Document.PASSPORT, by=who, now=NOW)
    assert (rows(person), told(person)) == before
    with pytest.raises(NotFound):
        proofing.find_check(done.reference, by=clerk, now=NOW)


def test_of_twenty_clerks_at_once_one_decides():
    person = somebody()
    begun = proofing.start_check(address(), by=person, now=NOW)
    clerks = [somebody(Role.CLERK) for _ in range(20)]
    seen = partial(proofing.decide_check, begun.check_id, PASSED, Document.PASSPORT, now=NOW)
    outcomes = at_once(*(partial(seen, by=clerk) for clerk in clerks))
    assert [isinstance(each, Conflict) for each in outcomes].count(True) == 19
    assert told(person) == ["check_started", "check_decided", "level_proven"]


def test_the_person_withdraws_until_they_are_told():
    person, token = somebody(), address()
    checked(person, token)
    for _ in range(2):
        proofing.cancel_check(by=person, now=NOW + HOUR * 0.5)
    assert state(person, NOW + 2 * HOUR) is CounterState.CANCELLED
    assert level(person, NOW + 2 * HOUR) is Level.NOTHING
    assert told(person) == ["check_started", "check_decided", "level_proven", "check_cancelled", "level_ended"]
    checked(person, token, now=NOW + DAY)
    proofing.cancel_check(by=person, now=NOW + DAY + HOUR)
    assert state(person, NOW + DAY + HOUR) is PASSED, "too late: it was told"
    assert level(person, NOW + DAY + HOUR) is Level.IDENTITY


def test_a_check_expires_after_thirty_days():
    person, clerk = somebody(), somebody(Role.CLERK)
    begun = proofing.start_check(address(), by=person, now=NOW)
    late = NOW + 30 * DAY
    assert state(person, late) is CounterState.EXPIRED
    with pytest.raises(NotFound):
        proofing.find_check(begun.reference, by=clerk, now=late)
    with pytest.raises(Conflict):
        proofing.decide_check(begun.check_id, PASSED, Document.PASSPORT, by=clerk, now=late)
    assert proofing.start_check(address(), by=person, now=late).reference != begun.reference
    assert told(person) == ["check_started", "check_expired", "check_started"]


def test_one_at_a_time_and_four_in_thirty_days():
    person, token = somebody(), address()
    begun = proofing.start_check(token, by=person, now=NOW)
    assert proofing.start_check(token, by=person, now=NOW) == begun
    with pytest.raises(Conflict):
        proofing.start_check(address(), by=person, now=NOW)
    checked(person, token, FAILED)
    with pytest.raises(Conflict):
        proofing.start_check(address(), by=person, now=NOW)
    for nth in range(1, 4):
        checked(person, token, FAILED, now=NOW + nth * DAY)
    with pytest.raises(TooMany):
        proofing.start_check(token, by=person, now=NOW + 10 * DAY)


def test_an_inspector_decides_what_is_in_review():
    person, token, inspector = somebody(), address(), somebody(Role.INSPECTOR)
    done = checked(person, token, REVIEW)
    assert [state(person, NOW), state(person, NOW + HOUR)] == [CounterState.PENDING, REVIEW]
    assert done.check_id in [each.check_id for each in proofing.checks_in_review(by=inspector, now=NOW, limit=1000)]
    for _ in range(2):
        proofing.review_check(done.check_id, PASSED, by=inspector, now=NOW + 5 * HOUR)
    assert state(person, NOW + 5 * HOUR) is PASSED
    assert level(person, NOW + 5 * HOUR) is Level.IDENTITY
    assert told(person) == ["check_started", "check_decided", "check_reviewed", "level_proven"]
    with pytest.raises(Conflict):
        proofing.review_check(done.check_id, FAILED, by=inspector, now=NOW + 5 * HOUR)


def test_a_review_within_the_hour_is_not_told_before():
    person = somebody()
    done = checked(person, address(), REVIEW)
    proofing.review_check(done.check_id, PASSED, by=somebody(Role.INSPECTOR), now=NOW + HOUR * 0.1)
    assert state(person, NOW + HOUR * 0.5) is CounterState.PENDING
    assert level(person, NOW + HOUR * 0.5) is Level.NOTHING
    assert state(person, NOW + HOUR) is PASSED


def test_who_failed_twice_is_passed_by_an_inspector_only():
    person, token = somebody(), address()
    checked(person, token, FAILED)
    checked(person, token, PASSED, now=NOW + DAY)
    proofing.cancel_check(by=person, now=NOW + DAY)  # withdrawn after the clerk decided: that is a strike, too
    assert checked(person, token, PASSED, now=NOW + 2 * DAY).state is REVIEW
    assert level(person, NOW + 3 * DAY) is Level.NOTHING


def test_nobody_decides_on_themselves():
    person, token = somebody(), address()
    begun = proofing.start_check(token, by=person, now=NOW)
    both = dataclasses.replace(person, role=Role.CLERK)
    before = rows(person)
    with pytest.raises(MayNot):
        proofing.find_check(begun.reference, by=both, now=NOW)
    with pytest.raises(MayNot):
        proofing.waiting_check(begun.check_id, by=both, now=NOW)
    with pytest.raises(MayNot):
        proofing.decide_check(begun.check_id, PASSED, Document.PASSPORT, by=both, now=NOW)
    assert rows(person) == before
    clerk = somebody(Role.CLERK)
    proofing.decide_check(begun.check_id, REVIEW, Document.PASSPORT, by=clerk, now=NOW)
    before = rows(person)
    for own in (dataclasses.replace(person, role=Role.INSPECTOR), dataclasses.replace(clerk, role=Role.INSPECTOR)):
        with pytest.raises(MayNot):
            proofing.review_check(begun.check_id, PASSED, by=own, now=NOW)
        with pytest.raises(NotFound):
            proofing.check_in_review(begun.check_id, by=own, now=NOW)
    assert rows(person) == before


@pytest.mark.parametrize("role", [r for r in Role if r not in {Role.CLERK, Role.DEVICE, Role.MACHINERY}])
def test_only_clerks_decide_and_only_inspectors_review(role):
    person, other = somebody(), somebody(role)
    begun = proofing.start_check(address(), by=person, now=NOW)
    before = rows(person)
    for act in (
        lambda: proofing.find_check(begun.reference, by=other, now=NOW),
        lambda: proofing.decide_check(begun.check_id, PASSED, Document.PASSPORT, by=other, now=NOW),
        lambda: proofing.letters_to_print(by=other, now=NOW, limit=1),
    ):
        with pytest.raises(MayNot):
            act()
    if role is not Role.INSPECTOR:
        with pytest.raises(MayNot):
            proofing.review_check(begun.check_id, PASSED, by=other, now=NOW)
        with pytest.raises(MayNot):
            proofing.checks_in_review(by=other, now=NOW, limit=1)
    assert rows(person) == before


def test_passing_without_a_document_is_no_decision():
    person = somebody()
    begun = proofing.start_check(address(), by=person, now=NOW)
    for decision, document in ((PASSED, None), (CounterState.CANCELLED, Document.PASSPORT)):
        with pytest.raises(Invalid):
            proofing.decide_check(begun.check_id, decision, document, by=somebody(Role.CLERK), now=NOW)
    assert told(person) == ["check_started"]


def test_a_reference_is_typed_as_people_type():
    person, clerk = somebody(), somebody(Role.CLERK)
    begun = proofing.start_check(address(), by=person, now=NOW)
    typed = f" {begun.reference[:5].lower()} \u2013 {begun.reference[5:]}"
    assert proofing.find_check(typed, by=clerk, now=NOW).check_id == begun.check_id
    with pytest.raises(NotFound):
        proofing.find_check(begun.reference[:-1], by=clerk, now=NOW)
