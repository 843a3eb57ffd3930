"""The operator's people give nobody a role in somebody else's organisation alone, but for the first one."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from tests.people.staffing import facts, member, operator, rights, sender, somebody

from parcelward.base.errors import Conflict
from parcelward.people import actions, queries
from parcelward.people.models import Invitation, Membership
from parcelward.people.wire import OrganisationKind, Role

pytestmark = pytest.mark.usefixtures("installation")


def contractor() -> uuid.UUID:
    return actions.make_organisation(OrganisationKind.CONTRACTOR, "Carriers", by=actions.installer(), simulated=True)


def join(code: str, second: str = "") -> Membership:
    proof = actions.try_code(code, second) if second else actions.Proof(b"")
    return actions.join(code, user_id=uuid.uuid4(), now=dt.datetime.now(dt.UTC), proof=proof)[1]


def test_an_administrator_alone_makes_nobody_act_for_a_sender():
    anna, ben, shop = somebody(Role.ADMINISTRATOR), somebody(Role.ADMINISTRATOR), sender("Their Shop")
    somebody(Role.SENDER_ADMIN, shop, owner=True)
    for role in (Role.SENDER_ADMIN, Role.SENDER_MEMBER):
        invitation, code = actions.invite(shop, role, by=anna)
        assert [row.waits for row in queries.organisation(shop, by=anna).invitations if row.id == invitation] == [True]
        before = rights()
        for attempt in (lambda: join(code), lambda: actions.agree_to_invitation(invitation, by=anna)):  # noqa: B023
            with pytest.raises(Conflict) as caught:
                attempt()
            assert caught.value.code in {"not_agreed", "two_people"}
        assert rights() == before
        assert Invitation.objects.get(id=invitation).agreed_by_id is None
        assert [one.id for one in queries.waiting_invitations(by=ben) if one.id == invitation] == [invitation]
        assert join(code, actions.agree_to_invitation(invitation, by=ben)).role == role.value
        assert facts("people.invitation_agreed", invitation=str(invitation))[0]["by"] == ben.source


def test_an_administrator_alone_puts_one_courier_into_a_company_and_no_second_one():
    """Two links that were made while it was empty: the one that is taken later finds that it is not."""
    anna, theirs = somebody(Role.ADMINISTRATOR), contractor()
    codes = [actions.invite(theirs, Role.COURIER, by=anna)[1] for _ in range(2)]
    first = join(codes[0])
    before = rights()
    with pytest.raises(Conflict) as caught:
        join(codes[1])
    assert caught.value.code == "not_agreed"
    actions.end_membership(first.id, by=anna)  # emptied by the same person, it is still somebody's
    with pytest.raises(Conflict):
        join(codes[1])
    assert Membership.objects.filter(organisation=theirs, ended_at=None).count() == 0
    assert before[3] == rights()[3]


def test_whoever_is_of_the_organisation_needs_nobody():
    shop = sender("Their Shop")
    owner = somebody(Role.SENDER_ADMIN, shop, owner=True)
    assert join(actions.invite(shop, Role.SENDER_MEMBER, by=owner)[1]).organisation_id == shop
    anna = somebody(Role.ADMINISTRATOR)
    assert join(actions.invite(operator(), Role.COURIER, by=anna)[1]).role == Role.COURIER
    user, _membership = member(Role.SENDER_MEMBER, shop)
    assert user.is_active  # at the console: whoever can run it owns the data
