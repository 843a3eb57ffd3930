"""Somebody who has an account joins another organisation with it: they themselves, freshly proven, once."""

from __future__ import annotations

import datetime as dt
import os
import uuid

import pytest
from tests.people.staffing import acting, facts, of, operator, rights, sender, somebody

from parcelward.base.errors import Conflict, NotFound
from parcelward.people import actions
from parcelward.people.errors import MayNot
from parcelward.people.models import Invitation, Membership, SignedIn, User
from parcelward.people.wire import Role

HOME, TAKE = "/accounts/join", "/app/account/join"


def invited(shop: uuid.UUID, role: Role = Role.SENDER_MEMBER) -> tuple[uuid.UUID, str]:
    return actions.invite(shop, role, by=actions.installer())


@pytest.fixture
def member(browser, link):
    """Somebody of one shop, signed in and freshly proven."""
    mine = browser()
    mine.join(link("sender_member", sender("First Shop")))
    return mine


def test_a_second_organisation_is_joined_with_the_account_that_one_has(member):
    user, shop = of(member), sender("Second Shop")
    invitation, code = invited(shop)
    before = User.objects.count()
    shown = member.post(HOME, HOME, code=code)
    assert (shown.status_code, user.login in shown.text, "Second Shop" in shown.text) == (200, True, True)
    assert Invitation.objects.get(id=invitation).taken_at is None, "only asked so far"
    assert member.post(TAKE, HOME, code=code).status_code == 302
    assert User.objects.count() == before
    held = Membership.objects.filter(user=user, ended_at=None)
    assert {(row.organisation.name, row.role) for row in held.select_related("organisation")} == {
        ("First Shop", "sender_member"),
        ("Second Shop", "sender_member"),
    }
    assert SignedIn.objects.values_list("membership__organisation", flat=True).get(user=user, ended_at=None) == shop
    assert [one["person"] for one in facts("people.invitation_taken", invitation=str(invitation))] == [str(user.id)]
    assert len(facts("people.member_began", person=str(user.id), organisation=str(shop))) == 1
    again = member.post(TAKE, HOME, code=code)
    assert (again.status_code, held.count()) == (404, 2)
    other = Membership.objects.get(user=user, ended_at=None, organisation__name="First Shop")
    assert member.post("/app/account/act", "/app/account", membership=str(other.id)).status_code == 302


def test_whoever_finds_a_screen_unlocked_joins_nothing_with_it(member):
    invitation, code = invited(sender("Thief's Shop"))
    SignedIn.objects.filter(user=of(member)).update(proved_at=dt.datetime.now(dt.UTC) - dt.timedelta(minutes=11))
    before = rights()
    shown = member.post(HOME, HOME, code=code)
    assert (shown.status_code, "Thief" in shown.text) == (200, False)
    sent = member.post(TAKE, HOME, code=code)
    assert (sent.status_code, sent.headers["location"].partition("?")[0]) == (302, "/app/account/prove")
    assert rights() == before
    assert not facts("people.invitation_taken", invitation=str(invitation))
    actions.withdraw_invitation(invitation, by=actions.installer())


def test_a_role_of_staff_is_not_taken_with_a_code_by_email(browser, installation):
    weak = browser()
    weak.by_code(f"reader-{os.urandom(6).hex()}@example.com", installation.home)
    invitation, code = invited(operator(), Role.SORTER)
    before = rights()
    assert weak.post(TAKE, HOME, code=code).status_code == 403
    assert rights() == before
    actions.withdraw_invitation(invitation, by=actions.installer())


def test_a_role_of_staff_is_not_taken_in_a_session_that_no_passkey_began(member):
    user = of(member)
    by = acting(user, Membership.objects.get(user=user, ended_at=None))
    SignedIn.objects.filter(user=user).update(method="code")
    session = SignedIn.objects.get(user=user, ended_at=None).id
    invitation, code = invited(operator(), Role.SORTER)
    before = rights()
    with pytest.raises(MayNot) as caught:
        actions.accept(code, session, by=by, now=dt.datetime.now(dt.UTC))
    assert caught.value.code == "passkey_needed"
    assert rights() == before
    actions.withdraw_invitation(invitation, by=actions.installer())


def test_nobody_takes_what_they_invited_to_or_agreed_to_themselves(installation):
    anna, ben, shop = somebody(Role.ADMINISTRATOR), somebody(Role.ADMINISTRATOR), sender("Their Shop")
    somebody(Role.SENDER_ADMIN, shop, owner=True)
    invitation, code = actions.invite(shop, Role.SENDER_ADMIN, by=anna)
    proof = actions.try_code(code, actions.agree_to_invitation(invitation, by=ben))
    before = rights()
    for person in (anna, ben):
        with pytest.raises(Conflict) as caught:
            actions.accept(code, uuid.uuid4(), by=person, now=dt.datetime.now(dt.UTC), proof=proof)
        assert caught.value.code == "two_people"
    assert rights() == before
    assert Invitation.objects.get(id=invitation).taken_at is None
    actions.withdraw_invitation(invitation, by=anna)


def test_one_who_has_a_role_there_gets_no_second_one(member):
    user = of(member)
    held = Membership.objects.get(user=user, ended_at=None)
    invitation, code = invited(held.organisation_id, Role.SENDER_ADMIN)
    before = rights()
    assert member.post(TAKE, HOME, code=code).status_code == 409
    assert rights() == before
    actions.withdraw_invitation(invitation, by=actions.installer())


def test_somebody_who_was_locked_out_meanwhile_takes_nothing(member):
    user = of(member)
    by = acting(user, Membership.objects.get(user=user, ended_at=None))
    session = SignedIn.objects.get(user=user, ended_at=None).id
    invitation, code = invited(sender("Second Shop"))
    actions.lock_person(user.login, by=actions.installer())
    before = rights()
    with pytest.raises(NotFound):
        actions.accept(code, session, by=by, now=dt.datetime.now(dt.UTC))
    assert rights() == before
    actions.withdraw_invitation(invitation, by=actions.installer())


def test_another_persons_session_takes_nothing(member, browser, link):
    theirs = browser()
    theirs.join(link("sender_member", sender("Third Shop")))
    session = SignedIn.objects.get(user=of(theirs), ended_at=None).id
    user = of(member)
    by = acting(user, Membership.objects.get(user=user, ended_at=None))
    invitation, code = invited(sender("Second Shop"))
    before = rights()
    with pytest.raises(MayNot):
        actions.accept(code, session, by=by, now=dt.datetime.now(dt.UTC))
    assert rights() == before
    actions.withdraw_invitation(invitation, by=actions.installer())


def test_a_session_that_ended_meanwhile_takes_nothing(member):
    user = of(member)
    by = acting(user, Membership.objects.get(user=user, ended_at=None))
    session = SignedIn.objects.get(user=user, ended_at=None).id
    invitation, code = invited(sender("Second Shop"))
    actions.end_session(session, by=by)
    before = rights()
    with pytest.raises(MayNot):
        actions.accept(code, session, by=by, now=dt.datetime.now(dt.UTC))
    assert rights() == before
    actions.withdraw_invitation(invitation, by=actions.installer())
