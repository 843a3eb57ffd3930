"""Invitations that open nothing: guessed, used, raced for, or made by somebody who may no longer invite."""

from __future__ import annotations

import datetime as dt
import re
import uuid

import pytest
from tests.at_once import at_once
from tests.laws.tampering import undone
from tests.people.staffing import acting, facts, member, operator, rights, sender, somebody

from parcelward.base.errors import Conflict, NotFound
from parcelward.people import actions
from parcelward.people.models import Invitation, User
from parcelward.people.wire import Role

pytestmark = pytest.mark.usefixtures("installation")


def opens_nothing(code: str) -> None:
    """Assert that a link lets nobody in and changes nothing."""
    before = rights()
    with pytest.raises(NotFound):
        actions.join(code, user_id=uuid.uuid4(), now=dt.datetime.now(dt.UTC))
    assert rights() == before


def test_what_an_ended_administrator_had_invited_opens_nothing():
    somebody(Role.ADMINISTRATOR)  # or nobody would be left
    user, membership = member(Role.ADMINISTRATOR)
    invitation, code = actions.invite(operator(), Role.SORTER, by=acting(user, membership))
    actions.end_membership(membership.id, by=actions.installer())
    opens_nothing(code)
    assert facts("people.invitation_withdrawn", invitation=str(invitation))


def test_what_an_ended_administrator_had_agreed_to_opens_nothing():
    anna, (ben, role) = somebody(Role.ADMINISTRATOR), member(Role.ADMINISTRATOR)
    invitation, code = actions.invite(operator(), Role.AUDITOR, by=anna)
    actions.agree_to_invitation(invitation, by=acting(ben, role))
    assert actions.invitation(code).role is Role.AUDITOR
    actions.end_membership(role.id, by=anna)
    opens_nothing(code)


def test_what_a_locked_administrator_had_invited_opens_nothing():
    somebody(Role.ADMINISTRATOR)
    user, membership = member(Role.ADMINISTRATOR)
    _id, code = actions.invite(operator(), Role.SORTER, by=acting(user, membership))
    actions.lock_person(user.login, by=actions.installer())
    opens_nothing(code)


def test_what_an_ended_administrator_had_invited_elsewhere_opens_nothing():
    somebody(Role.ADMINISTRATOR)
    user, membership = member(Role.ADMINISTRATOR)
    shop = sender("Their Shop")
    invitation, code = actions.invite(shop, Role.SENDER_ADMIN, by=acting(user, membership), owner=True)
    actions.end_membership(membership.id, by=actions.installer())
    opens_nothing(code)
    assert facts("people.invitation_withdrawn", invitation=str(invitation))


def test_an_invitation_made_while_its_makers_role_ended_opens_nothing():
    """The request had passed the door before the role ended: the link is asked again when somebody takes it."""
    somebody(Role.ADMINISTRATOR)
    user, membership = member(Role.ADMINISTRATOR)
    by = acting(user, membership)
    actions.end_membership(membership.id, by=actions.installer())
    _id, code = actions.invite(operator(), Role.SORTER, by=by)
    opens_nothing(code)


@pytest.mark.asvs("2.4.1", "6.3.1")
def test_codes_of_invitations_are_not_guessed_fast(browser):
    guesser = browser()
    before = rights()
    answers = []
    for nth in range(60):  # two workers count for themselves
        answers.append(guesser.post("/accounts/join", "/accounts/join", code=f"guess-{nth}-{uuid.uuid4()}").status_code)
        if answers[-1] == 429:
            break
    assert set(answers) == {404, 429}
    assert len(answers) <= 41
    assert rights() == before


@pytest.mark.asvs("2.3.4")
def test_of_two_who_race_with_one_link_one_gets_in(link):
    code = link().partition("#code=")[2]
    invitation = Invitation.objects.order_by("-made_at")[0]
    before, now = User.objects.count(), dt.datetime.now(dt.UTC)
    outcomes = at_once(*[lambda: actions.join(code, user_id=uuid.uuid4(), now=now)] * 4)
    assert [isinstance(each, NotFound) for each in outcomes].count(True) == 3
    assert User.objects.count() == before + 1
    assert len(facts("people.added", invitation=str(invitation.id))) == 1


def test_a_link_used_a_second_time_says_what_a_wrong_one_says(browser, link):
    url = link()
    browser().join(url)
    before, answers = rights(), []
    for code in (url.partition("#code=")[2], "x" * 43):
        answer = browser().post("/accounts/join", "/accounts/join", code=code)
        text = re.sub(r'(csrfmiddlewaretoken" value|nonce|request_id)="[^"]*"', "", answer.text)
        answers.append((answer.status_code, re.sub(r"<script[^>]*>|req_\w+", "", text)))
    assert answers[0] == answers[1]
    assert answers[0][0] == 404
    assert rights() == before


def test_a_link_that_was_withdrawn_opens_nothing():
    invitation, code = actions.invite(sender("A Shop"), Role.SENDER_MEMBER, by=actions.installer())
    actions.withdraw_invitation(invitation, by=actions.installer())
    opens_nothing(code)


def test_a_link_that_has_expired_opens_nothing():
    with undone():
        invitation, code = actions.invite(sender("A Shop"), Role.SENDER_MEMBER, by=actions.installer())
        Invitation.objects.filter(id=invitation).update(expires_at=dt.datetime.now(dt.UTC))
        opens_nothing(code)


def test_a_link_into_an_organisation_that_was_suspended_opens_nothing():
    shop = sender("A Stopped Shop")
    invitation, code = actions.invite(shop, Role.SENDER_MEMBER, by=actions.installer())
    actions.suspend_organisation(shop, by=actions.installer())
    opens_nothing(code)
    actions.withdraw_invitation(invitation, by=actions.installer())
    actions.resume_organisation(shop, by=actions.installer())


def test_nobody_agrees_to_an_invitation_of_somebody_who_was_locked_out_since():
    anna, ben = somebody(Role.ADMINISTRATOR), somebody(Role.ADMINISTRATOR)
    invitation, _code = actions.invite(operator(), Role.INSPECTOR, by=anna)
    actions.lock_person(anna.name, by=ben)
    with pytest.raises(Conflict) as caught:
        actions.agree_to_invitation(invitation, by=ben)
    assert caught.value.code == "asker_may_not"
    assert not facts("people.invitation_agreed", invitation=str(invitation))
    actions.withdraw_invitation(invitation, by=ben)


def test_nobody_agrees_to_an_invitation_that_has_expired():
    anna, ben = somebody(Role.ADMINISTRATOR), somebody(Role.ADMINISTRATOR)
    with undone():
        invitation, _code = actions.invite(operator(), Role.INSPECTOR, by=anna)
        Invitation.objects.filter(id=invitation).update(expires_at=dt.datetime.now(dt.UTC))
        with pytest.raises(Conflict) as caught:
            actions.agree_to_invitation(invitation, by=ben)
        assert caught.value.code == "expired"
        assert Invitation.objects.get(id=invitation).agreed_by_id is None
