"""`verify-log` asks whether the author of an entry had the right to it at that place: not every entry is believed."""

from __future__ import annotations

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
from parcelward.people.membership_check import ORGANISATION_MADE
from parcelward.people.models import Organisation
from parcelward.people.wire import OrganisationKind, Person, Role

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


def test_an_organisation_made_in_the_name_of_a_clerk_is_named():
    with undone():
        clerk: Person = somebody(Role.CLERK)
        said = {"organisation": str(uuid.uuid4()), "of_kind": "sender", "name": "0" * 64, "simulated": True}
        with transaction.atomic():
            custody.record_fact(ORGANISATION_MADE, {"by": clerk.source, **said})
        named = found().first
        assert named is not None
        assert named.differs == "authority"
