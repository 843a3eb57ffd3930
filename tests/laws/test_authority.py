"""`verify-log` asks whether the author of an entry had the right to it at that place: not every entry is believed."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from django.db import transaction
from tests.laws.tampering import undone
from tests.people.staffing import acting, member, operator, sender, somebody

from parcelward.custody import actions as custody
from parcelward.custody.verification import Findings
from parcelward.people import actions
from parcelward.people.actions.organisations import begin_membership
from parcelward.people.authority_check import check_authority
from parcelward.people.device_check import FACILITY_GIVEN, FACILITY_TAKEN_BACK
from parcelward.people.membership_check import (
    INVITATION_TAKEN,
    MEMBER_ENDED,
    ORGANISATION_MADE,
    RESUMED,
    SUSPENDED,
)
from parcelward.people.models import Invitation, Organisation
from parcelward.people.two_check import AGREED, INVITATION_AGREED, INVITATION_CODE, check_two_people
from parcelward.people.wire import OrganisationKind, Role

pytestmark = pytest.mark.usefixtures("installation")


def found() -> Findings:
    findings = Findings()
    check_authority(findings)
    return findings


def test_what_was_done_by_those_who_might_is_no_finding():
    anna, ben = somebody(Role.ADMINISTRATOR), somebody(Role.ADMINISTRATOR)
    shop = actions.make_organisation(OrganisationKind.SENDER, "A Shop", by=anna)
    owner, heir = somebody(Role.SENDER_ADMIN, shop, owner=True), member(Role.SENDER_MEMBER, shop)[1]
    actions.hand_over(heir.id, by=owner)
    request = actions.ask_for_role(member(Role.SORTER)[1].id, Role.COURIER, "for the test", by=anna)
    actions.agree_to_role(request, by=ben)
    assert found().first is None


@pytest.mark.parametrize("how", ["ended", "locked", "never"])
def test_a_role_given_in_the_name_of_somebody_who_may_not_is_named(how):
    """As a stolen process of the application would write it: the row and its entry fit each other."""
    with undone():
        user, membership = member(Role.CLERK if how == "never" else Role.ADMINISTRATOR)
        by = acting(user, membership)
        somebody(Role.ADMINISTRATOR)
        if how == "ended":
            actions.end_membership(membership.id, by=actions.installer())
        elif how == "locked":
            actions.lock_person(user.login, by=actions.installer())
        friend = member(Role.SENDER_MEMBER, sender("Elsewhere"))[0]
        assert found().first is None
        begin_membership(friend, Organisation.objects.get(id=operator()), Role.INSPECTOR, by=by)
        named = found().first
        assert named is not None
        assert named.differs == "authority"


def written(kind: str, **said: object) -> None:
    """Write an entry as a stolen process of the application would."""
    with transaction.atomic():
        custody.record_fact(kind, said)


def named() -> bool:
    first = found().first
    assert first is None or first.differs == "authority"
    return first is not None


@pytest.mark.parametrize("kind", [ORGANISATION_MADE, SUSPENDED, RESUMED, FACILITY_GIVEN, FACILITY_TAKEN_BACK])
def test_what_the_operator_alone_does_is_named_in_the_name_of_a_clerk(kind):
    with undone():
        clerk, boss = somebody(Role.CLERK), somebody(Role.ADMINISTRATOR)
        said = {"organisation": str(uuid.uuid4()), "of_kind": "sender", "name": "0" * 64, "simulated": True}
        said |= {"suspended_at": now(), "ended_at": now(), "grant": str(uuid.uuid4()), "facility": "TEST-A"}
        written(kind, by=boss.source, **said)
        assert not named()
        written(kind, by=clerk.source, **said)
        assert named()


def test_a_role_that_somebody_gave_in_another_organisation_than_theirs_is_named():
    """A sender's administrator gives roles, and gives none of the operator's or of another sender's."""
    with undone():
        mine, theirs = sender("Mine"), sender("Theirs")
        owner, friend = somebody(Role.SENDER_ADMIN, mine, owner=True), member(Role.SENDER_MEMBER, theirs)[0]
        begin_membership(friend, Organisation.objects.get(id=mine), Role.SENDER_MEMBER, by=owner)
        assert not named()
        begin_membership(friend, Organisation.objects.get(id=operator()), Role.INSPECTOR, by=owner)
        assert named()


def test_who_is_unlocked_gives_roles_again():
    with undone():
        user, membership = member(Role.ADMINISTRATOR)
        somebody(Role.ADMINISTRATOR)
        by, friend = acting(user, membership), member(Role.SENDER_MEMBER, sender("Elsewhere"))[0]
        actions.lock_person(user.login, by=actions.installer())
        actions.unlock_person(user.login, by=actions.installer())
        begin_membership(friend, Organisation.objects.get(id=operator()), Role.SORTER, by=by)
        assert not named()


@pytest.mark.parametrize(("by_self", "ago_s", "finds"), [(True, 1, False), (True, 60, True), (False, 1, True)])
def test_handing_over_excuses_the_moment_after_ones_own_role_ended(by_self, ago_s, finds):
    """Whoever hands over ends their own role first. That lasts seconds, and nobody else's ending excuses anything."""
    with undone():
        shop = sender("A Shop")
        user, membership = member(Role.SENDER_ADMIN, shop, owner=True)
        by, friend = acting(user, membership), member(Role.SENDER_MEMBER, sender("Elsewhere"))[0]
        ended_at = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=ago_s)
        said = {"membership": str(membership.id), "ended_at": ended_at.isoformat()}
        written(MEMBER_ENDED, by=by.source if by_self else actions.installer().source, **said)
        begin_membership(friend, Organisation.objects.get(id=shop), Role.SENDER_MEMBER, by=by)
        assert named() == finds


def test_what_a_clerk_agreed_to_in_the_place_of_an_administrator_is_named():
    with undone():
        anna, ben, clerk = somebody(Role.ADMINISTRATOR), somebody(Role.ADMINISTRATOR), somebody(Role.CLERK)
        request = actions.ask_for_role(member(Role.SORTER)[1].id, Role.COURIER, "for the test", by=anna)
        said = {"request": str(request), "closed_at": now()}
        written(AGREED, by=ben.source, **said)
        written(AGREED, by=clerk.source, **said | {"request": str(uuid.uuid4())})  # named by the check of requests
        assert not named()
        written(AGREED, by=clerk.source, **said)
        assert named()


@pytest.mark.parametrize("kind", [INVITATION_AGREED, INVITATION_CODE])
def test_an_invitation_that_a_clerk_agreed_to_is_named(kind):
    with undone():
        anna, ben, clerk = somebody(Role.ADMINISTRATOR), somebody(Role.ADMINISTRATOR), somebody(Role.CLERK)
        invitation = str(actions.invite(operator(), Role.INSPECTOR, by=anna)[0])
        written(kind, by=ben.source, invitation=invitation)
        assert not named()
        written(kind, by=clerk.source, invitation=invitation)
        assert named()


def test_an_invitation_that_was_agreed_to_by_who_made_it_is_named():
    """The row and both entries fit each other, and it is one person all the same."""
    with undone():
        anna, ben = somebody(Role.ADMINISTRATOR), somebody(Role.ADMINISTRATOR)
        for by, finds in ((ben, False), (anna, True)):
            invitation = actions.invite(operator(), Role.INSPECTOR, by=anna)[0]
            written(INVITATION_AGREED, by=by.source, invitation=str(invitation))
            Invitation.objects.filter(id=invitation).update(agreed_by=by.source)
            findings = Findings()
            check_two_people(findings)
            assert (findings.first is not None and findings.first.differs == "invitation") == finds


@pytest.mark.parametrize(("role", "console", "finds"), [("inspector", 0, 1), ("inspector", 1, 0), ("sorter", 0, 0)])
def test_an_invitation_to_a_role_of_two_that_nobody_agreed_to_is_named_once_it_is_taken(role, console, finds):
    """As a stolen process of the application would write it; the first people are invited at the console."""
    with undone():
        by = actions.installer() if console else somebody(Role.ADMINISTRATOR)
        invitation = actions.invite(operator(), Role(role), by=by)[0]
        for taken in (False, True):
            if taken:
                Invitation.objects.filter(id=invitation).update(taken_at=now())
                written(INVITATION_TAKEN, by=by.source, invitation=str(invitation))
            findings = Findings()
            check_two_people(findings)
            said = "" if findings.first is None else str(findings.first)
            assert ("nobody agreed to it" in said) == (taken and bool(finds)), said


def now() -> str:
    return dt.datetime.now(dt.UTC).isoformat()
