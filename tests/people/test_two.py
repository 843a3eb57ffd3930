"""What needs two people: asked by one, agreed to by another, done once, and never for oneself."""

from __future__ import annotations

import datetime as dt
import uuid
from functools import partial

import pytest
from tests.at_once import at_once
from tests.people.staffing import acting, facts, member, somebody

from parcelward.base.errors import Conflict, Invalid, NotFound
from parcelward.people import actions, queries
from parcelward.people.errors import MayNot
from parcelward.people.models import Invitation, Membership, Passkey, SignedIn, TwoPeople, User
from parcelward.people.wire import Role

pytestmark = pytest.mark.usefixtures("installation")


def roles(user):
    return list(Membership.objects.filter(user=user, ended_at=None).values_list("role", flat=True))


@pytest.fixture
def asked():
    """A clerk whom one administrator would make a sorter."""
    anna, ben = somebody(Role.ADMINISTRATOR), somebody(Role.ADMINISTRATOR)
    user, membership = member(Role.CLERK)
    return actions.ask_for_role(membership.id, Role.SORTER, "moves to the hall", by=anna), anna, ben, user


def test_a_role_changes_once_two_agreed_and_each_step_is_an_entry(asked):
    request, anna, ben, user = asked
    assert roles(user) == ["clerk"]
    actions.agree_to_role(request, by=ben)
    assert roles(user) == ["sorter"]
    assert facts("people.two_asked", request=str(request))[0]["by"] == anna.source
    assert [one["by"] for one in facts("people.two_agreed", request=str(request))] == [ben.source]
    assert facts("people.member_began", person=str(user.id), role="sorter")
    kinds = [line.kind for line in queries.security_history(by=acting(user, Membership.objects.filter(user=user)[0]))]
    assert kinds[:2] == ["role_begun", "role_ended"]
    actions.agree_to_role(request, by=ben)  # twice changes nothing
    assert len(facts("people.member_began", person=str(user.id))) == 2


@pytest.mark.asvs("2.3.1")
def test_nobody_agrees_to_their_own_request(asked):
    request, anna, _ben, user = asked
    with pytest.raises(Conflict) as caught:
        actions.agree_to_role(request, by=anna)
    assert (caught.value.code, roles(user)) == ("two_people", ["clerk"])


def test_a_third_finds_it_settled(asked):
    request, _anna, ben, user = asked
    actions.agree_to_role(request, by=ben)
    with pytest.raises(Conflict) as caught:
        actions.agree_to_role(request, by=somebody(Role.ADMINISTRATOR))
    assert (caught.value.code, roles(user)) == ("settled", ["sorter"])


def test_whom_it_is_about_is_neither_of_the_two():
    anna = somebody(Role.ADMINISTRATOR)
    user, membership = member(Role.ADMINISTRATOR)
    mine = acting(user, membership)
    with pytest.raises(Conflict):
        actions.ask_for_role(membership.id, Role.CLERK, "would rather", by=mine)
    request = actions.ask_for_role(membership.id, Role.CLERK, "no longer needed", by=anna)
    with pytest.raises(Conflict) as caught:
        actions.agree_to_role(request, by=mine)
    assert (caught.value.code, roles(user)) == ("two_people", ["administrator"])


@pytest.mark.parametrize("how", ["locked", "role ended"])
def test_who_asked_and_may_no_longer_has_asked_for_nothing(how):
    user, membership = member(Role.ADMINISTRATOR)
    ben, (whom, theirs) = somebody(Role.ADMINISTRATOR), member(Role.CLERK)
    request = actions.ask_for_role(theirs.id, Role.INSPECTOR, "a friend", by=acting(user, membership))
    if how == "locked":
        actions.lock_person(user.login, by=ben)
    else:
        actions.end_membership(membership.id, by=ben)
    with pytest.raises(Conflict) as caught:
        actions.agree_to_role(request, by=ben)
    assert (caught.value.code, roles(whom)) == ("asker_may_not", ["clerk"])
    assert TwoPeople.objects.get(id=request).closed_at is None
    actions.refuse_request(request, by=ben)
    assert TwoPeople.objects.get(id=request).outcome == "refused"


def test_who_agrees_in_a_role_that_ended_a_moment_ago_agrees_to_nothing(asked):
    request, anna, _ben, whom = asked
    user, membership = member(Role.ADMINISTRATOR)
    before = acting(user, membership)  # the request was let in, and then the role ended
    actions.end_membership(membership.id, by=anna)
    with pytest.raises(MayNot):
        actions.agree_to_role(request, by=before)
    assert roles(whom) == ["clerk"]


def test_asking_twice_is_one_request_and_asking_for_something_else_is_refused():
    anna, (_user, membership) = somebody(Role.ADMINISTRATOR), member(Role.CLERK)
    first = actions.ask_for_role(membership.id, Role.SORTER, "once", by=anna)
    assert actions.ask_for_role(membership.id, Role.SORTER, "and again", by=anna) == first
    with pytest.raises(Conflict) as caught:
        actions.ask_for_role(membership.id, Role.INSPECTOR, "swapped", by=anna)
    assert caught.value.code == "asked"
    assert len(facts("people.two_asked", subject=str(membership.id))) == 1


def test_after_a_week_it_has_lapsed_and_may_be_asked_for_again(asked):
    request, anna, ben, user = asked
    row = TwoPeople.objects.get(id=request)
    assert row.expires_at - row.asked_at == dt.timedelta(days=7)
    TwoPeople.objects.filter(id=request).update(expires_at=row.asked_at)
    with pytest.raises(Conflict) as caught:
        actions.agree_to_role(request, by=ben)
    assert (caught.value.code, roles(user)) == ("expired", ["clerk"])
    again = actions.ask_for_role(Membership.objects.get(user=user).id, Role.SORTER, "once more", by=anna)
    assert again != request
    assert TwoPeople.objects.get(id=request).outcome == "lapsed"
    TwoPeople.objects.filter(id=request).update(expires_at=row.expires_at)  # as its entry says


def test_only_the_other_refuses_and_only_who_asked_withdraws(asked):
    request, anna, ben, user = asked
    for deed, by in ((actions.refuse_request, anna), (actions.withdraw_request, ben)):
        with pytest.raises(Conflict):
            deed(request, by=by)
    actions.withdraw_request(request, by=anna)
    actions.withdraw_request(request, by=anna)
    assert len(facts("people.two_withdrawn", request=str(request))) == 1
    with pytest.raises(Conflict):
        actions.agree_to_role(request, by=ben)
    assert roles(user) == ["clerk"]


def test_a_role_of_another_kind_of_organisation_or_the_same_again_is_not_asked_for(asked):
    _request, anna, _ben, user = asked
    membership = Membership.objects.get(user=user).id
    with pytest.raises(Invalid):
        actions.ask_for_role(membership, Role.SENDER_ADMIN, "of no operator", by=anna)
    with pytest.raises(Conflict):
        actions.ask_for_role(membership, Role.CLERK, "the same", by=anna)
    assert len(facts("people.two_asked", subject=str(membership))) == 1


@pytest.mark.asvs("2.3.4")
def test_of_two_who_agree_at_once_one_did(asked):
    request, _anna, _ben, user = asked
    agreeing = [somebody(Role.ADMINISTRATOR) for _ in range(4)]
    outcomes = at_once(*(partial(actions.agree_to_role, request, by=by) for by in agreeing))
    assert [each.code for each in outcomes if isinstance(each, Conflict)] == ["settled"] * 3
    assert roles(user) == ["sorter"]
    assert len(facts("people.member_began", person=str(user.id))) == 2


@pytest.mark.asvs("2.3.1")
def test_a_request_of_another_task_is_none(asked):
    request, _anna, ben, user = asked
    with pytest.raises(NotFound):
        actions.agree_to_re_enrol(request, by=ben)
    with pytest.raises(NotFound):
        queries.waiting_request(request, by=somebody(Role.CLERK))
    with pytest.raises(NotFound):
        actions.agree_to_role(uuid.uuid4(), by=ben)
    assert roles(user) == ["clerk"]


@pytest.mark.asvs("6.4.4")
def test_a_lost_passkey_is_replaced_at_a_counter_and_the_roles_stay(browser, link):
    mine, new = browser(), browser()
    mine.join(link("courier"))
    user = User.objects.get(id=uuid.UUID(mine.passkey.user_handle.decode()))
    one, two = somebody(Role.CLERK), somebody(Role.CLERK)
    request = actions.ask_to_re_enrol(user.login, "passport", by=one)
    code = actions.agree_to_re_enrol(request, by=two)
    assert code
    assert actions.agree_to_re_enrol(request, by=two) is None
    assert mine.signed_in()  # until the link is taken
    answer = new.join(f"{new.url}/accounts/join#code={code}")
    assert (answer.status_code, answer.headers.get("location")) == (302, "/app/"), answer.text
    assert new.signed_in()
    assert not mine.signed_in()
    assert new.passkey.user_handle == str(user.id).encode()
    assert roles(user) == ["courier"]
    assert Passkey.objects.filter(user=user).count() == 1
    assert mine.sign_in().status_code == 401  # the lost one opens nothing
    assert SignedIn.objects.filter(user=user, ended_at=None).count() == 1
    assert "replaced at a counter" in new.http.get("/app/account").text
    said = facts("people.re_enrolled", person=str(user.id))
    assert [(one_fact["by"], one_fact["agreed_by"]) for one_fact in said] == [(one.source, two.source)]
    assert len(facts("people.passkey_removed", person=str(user.id))) == 1
    assert browser().post("/accounts/join", "/accounts/join", code=code).status_code == 404  # once


@pytest.mark.asvs("6.4.4")
def test_two_clerks_cannot_take_over_an_administrator():
    user, _membership = member(Role.ADMINISTRATOR)
    one, two = somebody(Role.CLERK), somebody(Role.CLERK)
    request = actions.ask_to_re_enrol(user.login, "staff_card", by=one)
    with pytest.raises(MayNot) as caught:
        actions.agree_to_re_enrol(request, by=two)
    assert caught.value.code == "needs_administrator"
    assert not Invitation.objects.filter(user=user, re_enrols=True).exists()
    assert actions.agree_to_re_enrol(request, by=somebody(Role.ADMINISTRATOR))


def test_who_does_not_work_here_or_is_locked_is_not_re_enrolled():
    one, two, boss = somebody(Role.CLERK), somebody(Role.CLERK), somebody(Role.ADMINISTRATOR)
    user, _membership = member(Role.SORTER)
    for login in ("nobody-here", "console"):
        with pytest.raises(NotFound):
            actions.ask_to_re_enrol(login, "passport", by=one)
    with pytest.raises(Invalid):
        actions.ask_to_re_enrol(user.login, "", by=one)
    request = actions.ask_to_re_enrol(user.login, "passport", by=one)
    actions.lock_person(user.login, by=boss)
    with pytest.raises(Conflict):
        actions.agree_to_re_enrol(request, by=two)
    assert not Invitation.objects.filter(user=user, re_enrols=True).exists()


def test_a_link_that_replaces_a_passkey_makes_no_new_account_and_the_other_way_round():
    user, _membership = member(Role.SORTER)
    code = actions.agree_to_re_enrol(
        actions.ask_to_re_enrol(user.login, "passport", by=somebody(Role.CLERK)), by=somebody(Role.CLERK)
    )
    assert code is not None
    now, before = dt.datetime.now(dt.UTC), User.objects.count()
    with pytest.raises(NotFound):
        actions.join(code, user_id=uuid.uuid4(), now=now)
    _id, other = actions.invite(Membership.objects.get(user=user).organisation_id, Role.CLERK, by=actions.installer())
    with pytest.raises(NotFound):
        actions.re_enrol(other, now=now)
    assert User.objects.count() == before


def test_a_second_link_for_a_lost_passkey_closes_the_first():
    user, _membership = member(Role.SORTER)
    first, second = (re_enrolment_of(user) for _ in range(2))
    now = dt.datetime.now(dt.UTC)
    with pytest.raises(NotFound):
        actions.re_enrol(first, now=now)
    assert not facts("people.re_enrolled", person=str(user.id))
    assert actions.re_enrol(second, now=now) == user


def test_a_link_for_a_lost_passkey_opens_nothing_once_the_role_ended():
    user, membership = member(Role.SORTER)
    code = re_enrolment_of(user)
    actions.end_membership(membership.id, by=actions.installer())
    with pytest.raises(NotFound):
        actions.re_enrol(code, now=dt.datetime.now(dt.UTC))
    assert Invitation.objects.get(user=user, re_enrols=True).taken_at is None
    assert not facts("people.re_enrolled", person=str(user.id))


def re_enrolment_of(user: User) -> str:
    """Return the code of a link that replaces somebody's passkey."""
    request = actions.ask_to_re_enrol(user.login, "passport", by=somebody(Role.CLERK))
    code = actions.agree_to_re_enrol(request, by=somebody(Role.CLERK))
    assert code is not None
    return code


def test_who_may_not_do_it_asks_and_agrees_to_nothing():
    sorter, (user, membership) = somebody(Role.SORTER), member(Role.COURIER)
    with pytest.raises(MayNot):
        actions.ask_for_role(membership.id, Role.CLERK, "please", by=sorter)
    with pytest.raises(MayNot):
        actions.ask_to_re_enrol(user.login, "passport", by=sorter)
    assert queries.waiting_requests(by=sorter) == []


def test_who_lost_the_role_meanwhile_gets_no_other_one(asked):
    request, _anna, ben, user = asked
    actions.end_membership(Membership.objects.get(user=user).id, by=actions.installer())
    with pytest.raises(Conflict) as caught:
        actions.agree_to_role(request, by=ben)
    assert (caught.value.code, roles(user)) == ("ended", [])
    assert not facts("people.two_agreed", request=str(request))
