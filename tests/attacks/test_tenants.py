"""Rights that nobody should have: through a transfer, an old session, another tenant, or alone where it takes two."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from tests.people.staffing import acting, facts, member, of, operator, rights, said_in, sender, somebody

from parcelward.base.errors import Conflict, Invalid, NotFound
from parcelward.people import actions, queries
from parcelward.people.errors import MayNot
from parcelward.people.models import Invitation, Membership, SignedIn, User
from parcelward.people.roles import MAY, ROLES_OF
from parcelward.people.wire import TWO_PEOPLE, OrganisationKind, Role, Task

pytestmark = pytest.mark.usefixtures("installation")


@pytest.fixture
def tenant(browser, link):
    """A tenant with its owner, signed in and freshly proven, and a member."""
    shop = sender("Their Shop")
    boss = browser()
    _id, code = actions.invite(shop, Role.SENDER_ADMIN, by=actions.installer(), owner=True)
    boss.join(f"{boss.url}/accounts/join#code={code}")
    user, membership = member(Role.SENDER_MEMBER, shop)
    return shop, boss, user, membership


@pytest.mark.asvs("8.2.1")
def test_rights_do_not_survive_a_transfer(tenant, browser):
    """PyPI's finding 13."""
    shop, boss, user, membership = tenant
    was = acting(of(boss), Membership.objects.get(user=of(boss), ended_at=None))
    _id, code = actions.invite(shop, Role.SENDER_ADMIN, by=was)  # a way back, prepared before
    actions.hand_over(membership.id, by=was)
    assert boss.http.get("/app/organisation").status_code == 302, "the old session is gone"
    boss.sign_in()
    now = acting(of(boss), Membership.objects.get(user=of(boss), ended_at=None))
    assert (now.role, queries.memberships(by=now)[0].owner) == (Role.SENDER_MEMBER, False)
    heir = Membership.objects.get(user=user, ended_at=None)
    before = rights()
    for attempt in (
        lambda: actions.invite(shop, Role.SENDER_ADMIN, by=now),
        lambda: actions.end_membership(heir.id, by=now),
        lambda: actions.hand_over(Membership.objects.get(user=of(boss), ended_at=None).id, by=now),
    ):
        with pytest.raises(MayNot):
            attempt()
    # Even with what the old session knew: whoever owns it is asked of the table.
    with pytest.raises(NotFound):
        actions.hand_over(Membership.objects.get(user=of(boss), ended_at=None).id, by=was)
    with pytest.raises(NotFound):
        actions.join(code, user_id=uuid.uuid4(), now=dt.datetime.now(dt.UTC))
    assert rights() == before
    assert facts("people.invitation_withdrawn", invitation=str(_id))


@pytest.mark.asvs("16.2.1")
@pytest.mark.parametrize("to", [Role.ADMINISTRATOR, Role.CLERK])
def test_no_change_of_the_administrators_role_goes_unlogged(to):
    """PyPI's finding 14: who asked, who agreed, what ended and what began are four entries, whichever way."""
    anna, ben = somebody(Role.ADMINISTRATOR), somebody(Role.ADMINISTRATOR)
    user, membership = member(Role.CLERK if to is Role.ADMINISTRATOR else Role.ADMINISTRATOR)
    request = actions.ask_for_role(membership.id, to, "for the test", by=anna)
    actions.agree_to_role(request, by=ben)
    assert [one["by"] for one in facts("people.two_asked", request=str(request))] == [anna.source]
    assert [one["by"] for one in facts("people.two_agreed", request=str(request))] == [ben.source]
    assert [one["by"] for one in facts("people.member_ended", membership=str(membership.id))] == [ben.source]
    began = facts("people.member_began", person=str(user.id), role=to.value)
    assert [one["by"] for one in began] == [ben.source]


def test_nobody_alone_makes_the_other_of_the_two_people():
    """A clerk can be one of two: an administrator who made one alone would replace a colleague's passkey alone."""
    anna, before = somebody(Role.ADMINISTRATOR), User.objects.count()
    for role in (role for role in ROLES_OF[OrganisationKind.OPERATOR] if MAY[role] & TWO_PEOPLE):
        invitation, code = actions.invite(operator(), role, by=anna)
        with pytest.raises(Conflict) as caught:
            actions.join(code, user_id=uuid.uuid4(), now=dt.datetime.now(dt.UTC))
        assert caught.value.code == "not_agreed"
        with pytest.raises(Conflict) as caught:
            actions.agree_to_invitation(invitation, by=anna)
        assert caught.value.code == "two_people"
        assert Invitation.objects.get(id=invitation).agreed_by_id is None
    assert User.objects.count() == before


def test_a_key_of_the_old_owner_gives_no_rights_after_a_handover():
    """PyPI's finding 13 for keys: one that manages keys would make its holder new ones for ever."""
    shop = sender("Sold Shop")
    was, heir = somebody(Role.SENDER_ADMIN, shop, owner=True), member(Role.SENDER_MEMBER, shop)[1]
    kept = actions.new_key("shop checkout", Role.SENDER_MEMBER, by=was, mode="test")
    narrow = actions.new_key("labels", Role.SENDER_ADMIN, by=was, mode="test", scopes=[Task.KEEP_PERSONAL])
    wide = actions.new_key("mine", Role.SENDER_ADMIN, by=was, mode="test")
    actions.hand_over(heir.id, by=was)
    assert not queries.key_is_valid(wide.token)
    assert queries.key_is_valid(kept.token)
    assert queries.key_is_valid(narrow.token)


def test_no_administrator_is_made_by_one_person_alone(browser, link):
    boss = browser()
    boss.join(link("administrator"))
    boss.prove()
    user, membership = member(Role.CLERK)
    mine = acting(of(boss), Membership.objects.get(user=of(boss)))
    before = rights()
    request = actions.ask_for_role(membership.id, Role.ADMINISTRATOR, "mine", by=mine)
    address = f"/app/desk/two-people/requests/{request}/agree"
    assert boss.post(address, "/app/desk/two-people").status_code == 404
    with pytest.raises(Conflict) as caught:
        actions.agree_to_role(request, by=mine)
    assert caught.value.code == "two_people"
    assert rights() == before
    invitation, code = actions.invite(operator(), Role.ADMINISTRATOR, by=mine)
    with pytest.raises(Conflict) as caught:
        actions.agree_to_invitation(invitation, by=mine)
    assert caught.value.code == "two_people"
    with pytest.raises(Conflict) as caught:
        actions.join(code, user_id=uuid.uuid4(), now=dt.datetime.now(dt.UTC))
    assert caught.value.code == "not_agreed"
    assert not facts("people.invitation_agreed", invitation=str(invitation))
    assert user.is_active


@pytest.mark.asvs("8.4.1")
def test_a_member_of_a_suspended_organisation_acts_for_nobody(tenant):
    shop, boss, _user, membership = tenant
    old = acting(of(boss), Membership.objects.get(user=of(boss)))
    _id, code = actions.invite(shop, Role.SENDER_MEMBER, by=old)
    actions.suspend_organisation(shop, by=actions.installer())
    before = rights()
    assert boss.http.get("/app/organisation").status_code == 302
    boss.sign_in()
    assert boss.http.get("/app/organisation").status_code == 404
    theirs = boss.post("/app/account/act", "/app/account", membership=str(Membership.objects.get(user=of(boss)).id))
    assert theirs.status_code == 404
    with pytest.raises(NotFound):
        actions.invite(shop, Role.SENDER_MEMBER, by=old)
    with pytest.raises(NotFound):
        actions.join(code, user_id=uuid.uuid4(), now=dt.datetime.now(dt.UTC))
    assert acting(of(boss), Membership.objects.get(user=of(boss))).role is Role.ADDRESSEE
    assert rights() == before
    assert membership.ended_at is None


@pytest.mark.asvs("8.2.2", "8.4.1")
def test_another_tenants_administrator_finds_nothing_of_ours(tenant, browser, link):
    _shop, boss, _user, _membership = tenant
    ours = sender("Our Shop")
    member(Role.SENDER_ADMIN, ours, owner=True)
    victim, role = member(Role.SENDER_MEMBER, ours)
    invitation, _code = actions.invite(ours, Role.SENDER_MEMBER, by=actions.installer())
    boss.prove()
    clerk, clerks = member(Role.CLERK)
    request = actions.ask_for_role(clerks.id, Role.SORTER, "ours", by=somebody(Role.ADMINISTRATOR))
    before = rights()
    for address in (
        f"/app/organisations/{ours}",
        f"/app/organisations/{ours}/invite",
        f"/app/organisations/{ours}/suspend",
        f"/app/organisations/{ours}/invitations/{invitation}/withdraw",
        f"/app/organisations/{operator()}",
        f"/app/organisations/{operator()}/invite",
        f"/app/organisation/members/{role.id}",
        f"/app/organisation/members/{role.id}/end",
        f"/app/organisation/members/{role.id}/hand-over",
        f"/app/organisation/members/{clerks.id}",
        f"/app/organisation/members/{clerks.id}/role",
        f"/app/organisation/members/{clerks.id}/certificates",
        f"/app/organisation/members/{clerks.id}/certificates/{uuid.uuid4()}/revoke",
        "/app/organisations",
        "/app/organisations/make",
        "/app/desk/two-people",
        "/app/desk/re-enrol",
        f"/app/desk/two-people/requests/{request}/agree",
        f"/app/desk/two-people/invitations/{invitation}/agree",
        "/app/desk/two-people/erasures/1/agree",
    ):
        assert boss.http.get(address).status_code == 404, address
        sent = boss.post(address, "/app/organisation", role="sender_admin", kind="sender", name="x", reason="x",
                         asked=str(uuid.uuid4()))  # fmt: skip
        assert sent.status_code in {404, 405}, address
        for known in (victim.login, clerk.login, "Our Shop"):
            assert known not in sent.text, address
    mine = acting(of(boss), Membership.objects.get(user=of(boss)))
    for attempt in (
        lambda: actions.end_membership(role.id, by=mine),
        lambda: actions.hand_over(role.id, by=mine),
        lambda: actions.invite(ours, Role.SENDER_MEMBER, by=mine),
        lambda: actions.invite(operator(), Role.CLERK, by=mine),
        lambda: actions.withdraw_invitation(invitation, by=mine),
        lambda: queries.organisation(ours, by=mine),
        lambda: queries.member(role.id, by=mine),
    ):
        with pytest.raises(NotFound):
            attempt()
    assert rights() == before


def test_an_administrator_of_a_sender_makes_no_second_owner(tenant):
    shop, boss, _user, _membership = tenant
    mine = acting(of(boss), Membership.objects.get(user=of(boss)))
    before = rights()
    with pytest.raises(Conflict):
        actions.invite(shop, Role.SENDER_ADMIN, by=mine, owner=True)
    assert rights() == before


def test_a_second_administrator_is_not_offered_to_hand_over_what_another_owns(tenant, browser):
    shop, boss, _user, membership = tenant
    second = browser()
    _id, code = actions.invite(shop, Role.SENDER_ADMIN, by=actions.installer())
    second.join(f"{second.url}/accounts/join#code={code}")
    page = f"/app/organisation/members/{membership.id}"
    assert "hand-over" in boss.http.get(page).text
    assert boss.http.get(f"{page}/hand-over").status_code == 200
    assert "hand-over" not in second.http.get(page).text
    assert second.http.get(f"{page}/hand-over").status_code == 404


@pytest.mark.asvs("2.2.3")
@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.INSPECTOR, Role.CLERK, Role.DEVICE, Role.MACHINERY])
def test_a_role_that_is_not_of_this_kind_of_organisation_is_given_to_nobody(tenant, role):
    shop, boss, _user, _membership = tenant
    mine = acting(of(boss), Membership.objects.get(user=of(boss)))
    boss.prove()
    before = rights()
    with pytest.raises(Invalid):
        actions.invite(shop, role, by=mine)
    page = f"/app/organisations/{shop}/invite"
    assert boss.post(page, page, role=role.value, asked=str(uuid.uuid4())).status_code == 422
    with pytest.raises(Invalid):
        actions.invite(operator(), Role.SENDER_ADMIN, by=actions.installer())
    assert rights() == before


def test_the_last_administrator_cannot_be_ended_locked_or_changed():
    """All in one transaction that is rolled back, since others of this run need theirs."""
    from tests.laws.tampering import undone

    with undone():
        user, membership = member(Role.ADMINISTRATOR)
        clerk = member(Role.CLERK)[1]
        others = Membership.objects.filter(role="administrator", ended_at=None).exclude(id=membership.id)
        others.update(ended_at=dt.datetime.now(dt.UTC))
        for attempt in (
            lambda: actions.end_membership(membership.id, by=actions.installer()),
            lambda: actions.lock_person(user.login, by=actions.installer()),
        ):
            with pytest.raises(Conflict) as caught:
                attempt()
            assert caught.value.code == "last_administrator"
        request = actions.ask_for_role(membership.id, Role.CLERK, "the last", by=actions.installer())
        second = somebody(Role.ADMINISTRATOR)
        Membership.objects.filter(id=second_role(second)).update(ended_at=None)
        assert actions.agree_to_role(request, by=second) is None  # now there is another
        assert Membership.objects.get(id=membership.id).ended_at is not None
        assert clerk.ended_at is None


def second_role(person):
    return Membership.objects.get(user=person.id, ended_at=None).id


def test_two_who_end_each_other_leave_one_administrator():
    """As above: each holds the organisation, so the second finds that it would be the last."""
    from tests.laws.tampering import undone

    with undone():
        one, two = member(Role.ADMINISTRATOR), member(Role.ADMINISTRATOR)
        others = Membership.objects.filter(role="administrator", ended_at=None).exclude(id__in=(one[1].id, two[1].id))
        others.update(ended_at=dt.datetime.now(dt.UTC))
        was = acting(*two)
        actions.end_membership(two[1].id, by=acting(*one))
        with pytest.raises(Conflict) as caught:
            actions.end_membership(one[1].id, by=was)
        assert caught.value.code == "last_administrator"


@pytest.mark.asvs("7.2.1")
def test_an_old_session_acts_in_no_role_that_has_ended(browser, link):
    mine = browser()
    mine.join(link("inspector"))
    user = of(mine)
    membership = Membership.objects.get(user=user)
    assert mine.http.get("/app/desk/").status_code == 200
    actions.end_membership(membership.id, by=actions.installer())
    assert mine.http.get("/app/desk/").status_code == 302
    mine.sign_in()
    assert mine.http.get("/app/desk/").status_code == 403
    before = rights()
    # Even where the row of a session still names it.
    SignedIn.objects.filter(user=user, ended_at=None).update(membership=membership)
    assert mine.http.get("/app/desk/").status_code == 403
    assert mine.post("/app/account/act", "/app/account", membership=str(membership.id)).status_code == 404
    assert acting(user, membership).role is Role.ADDRESSEE
    assert rights() == before


def test_nobody_chooses_the_role_of_anothers_session_or_anothers_role(tenant, browser, link):
    _shop, boss, _user, _membership = tenant
    mine = browser()
    mine.join(link("clerk"))
    by = acting(of(mine), Membership.objects.get(user=of(mine)))
    sessions = {one: SignedIn.objects.get(user=of(one), ended_at=None) for one in (mine, boss)}
    for session, role in ((boss, None), (boss, mine), (mine, boss)):
        chosen = None if role is None else Membership.objects.get(user=of(role), ended_at=None).id
        with pytest.raises(NotFound):
            actions.act_for(sessions[session].id, chosen, by=by)
    for one, was in sessions.items():
        assert SignedIn.objects.get(user=of(one), ended_at=None).membership_id == was.membership_id


@pytest.mark.asvs("6.3.3", "6.3.4")
def test_a_session_without_a_passkey_acts_in_no_role_of_staff(browser, link):
    mine = browser()
    mine.join(link("clerk"))
    user = of(mine)
    session = SignedIn.objects.get(user=user, ended_at=None)
    SignedIn.objects.filter(id=session.id).update(method="code", membership=None)
    before = rights()
    membership = Membership.objects.get(user=user)
    assert mine.post("/app/account/act", "/app/account", membership=str(membership.id)).status_code == 403
    assert mine.http.get("/app/desk/two-people").status_code == 404
    assert SignedIn.objects.get(id=session.id).membership is None
    assert rights() == before


@pytest.mark.asvs("7.5.1")
def test_whoever_has_not_just_proven_who_they_are_is_asked_first(tenant, browser):
    shop, boss, _user, membership = tenant
    SignedIn.objects.filter(user=of(boss)).update(proved_at=dt.datetime.now(dt.UTC) - dt.timedelta(minutes=11))
    before = rights()
    for address in (f"/app/organisations/{shop}/invite", f"/app/organisation/members/{membership.id}/end",
                    f"/app/organisation/members/{membership.id}/hand-over"):  # fmt: skip
        assert "/app/account/prove" in boss.http.get(address).headers["location"], address
        sent = boss.post(address, "/app/organisation", role="sender_admin", asked=str(uuid.uuid4()))
        assert "/app/account/prove" in sent.headers["location"], address
    assert rights() == before


def test_a_link_is_not_made_twice_by_a_form_that_is_sent_twice(tenant):
    shop, boss, _user, _membership = tenant
    boss.prove()
    page, asked = f"/app/organisations/{shop}/invite", str(uuid.uuid4())
    first = boss.post(page, page, role="sender_member", asked=asked)
    again = boss.post(page, page, role="sender_member", asked=asked)
    assert (first.status_code, again.status_code) == (200, 409)
    code = said_in(r"#code=([^<]+)<", first.text)
    assert code not in again.text
    assert Invitation.objects.filter(organisation=shop, taken_at=None).count() == 1


def test_an_organisation_is_handed_over_to_nobody_who_is_locked_out(tenant):
    shop, boss, user, membership = tenant
    owner = acting(of(boss), Membership.objects.get(user=of(boss), ended_at=None))
    actions.lock_person(user.login, by=actions.installer())
    before = rights()
    with pytest.raises(Conflict) as caught:
        actions.hand_over(membership.id, by=owner)
    assert (caught.value.code, rights()) == ("locked", before)
    assert boss.signed_in(), "the old owner is one still"
    assert not facts("people.organisation_handed_over", organisation=str(shop))


def test_the_operator_is_not_suspended():
    """Nobody would be left who could end it."""
    by = somebody(Role.ADMINISTRATOR)
    before = rights()
    for who in (by, actions.installer()):
        with pytest.raises(Conflict) as caught:
            actions.suspend_organisation(operator(), by=who)
        assert caught.value.code == "operator"
    assert rights() == before


def test_who_owns_an_organisation_is_taken_out_by_nobody_before_it_is_handed_over(tenant):
    shop, boss, _user, _membership = tenant
    owned = Membership.objects.get(user=of(boss), ended_at=None)
    other = somebody(Role.SENDER_ADMIN, shop)
    before = rights()
    for by in (other, acting(of(boss), owned), actions.installer()):
        with pytest.raises(Conflict) as caught:
            actions.end_membership(owned.id, by=by)
        assert caught.value.code == "owner"
    assert rights() == before
