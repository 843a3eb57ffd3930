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
from parcelward.people.membership_check import MEMBER_BEGAN, ORGANISATION_MADE, RESUMED, SUSPENDED
from parcelward.people.models import Membership, Organisation
from parcelward.people.two_check import AGREED
from parcelward.people.wire import OrganisationKind, Person, Role

pytestmark = pytest.mark.usefixtures("installation")


def found() -> Findings:
    findings = Findings()
    check_authority(findings)
    return findings


def test_what_was_done_by_those_who_might_is_no_finding():
    anna, ben = somebody(Role.ADMINISTRATOR), somebody(Role.ADMINISTRATOR)
    actions.lock_person(anna.name, by=ben)
    actions.unlock_person(anna.name, by=ben)
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


@pytest.mark.parametrize("kind", [ORGANISATION_MADE, SUSPENDED, RESUMED, FACILITY_GIVEN, FACILITY_TAKEN_BACK])
def test_what_is_done_to_an_organisation_in_the_name_of_a_clerk_is_named(kind):
    with undone():
        clerk: Person = somebody(Role.CLERK)
        said = {"organisation": str(uuid.uuid4()), "of_kind": "sender", "name": "0" * 64, "simulated": True}
        assert found().first is None
        with transaction.atomic():
            custody.record_fact(kind, {"by": clerk.source, **said})
        named = found().first
        assert named is not None
        assert named.differs == "authority"


def test_an_agreement_in_the_name_of_somebody_who_may_not_is_named():
    with undone():
        clerk, anna = somebody(Role.CLERK), somebody(Role.ADMINISTRATOR)
        request = actions.ask_for_role(member(Role.SORTER)[1].id, Role.COURIER, "for the test", by=anna)
        assert found().first is None
        with transaction.atomic():
            custody.record_fact(AGREED, {"by": clerk.source, "request": str(request)})
        named = found().first
        assert named is not None
        assert named.differs == "authority"


@pytest.mark.parametrize(("seconds", "differs"), [(4, None), (6, "authority"), (-1, "authority")])
def test_who_ended_their_own_role_gives_rights_for_the_moments_of_a_handover_alone(seconds, differs):
    with undone():
        user, membership = member(Role.ADMINISTRATOR)
        by = acting(user, membership)
        somebody(Role.ADMINISTRATOR)
        actions.end_membership(membership.id, by=by)
        ended_at = Membership.objects.values_list("ended_at", flat=True).get(id=membership.id)
        assert ended_at is not None
        since = ended_at + dt.timedelta(seconds=seconds)
        friend = member(Role.SENDER_MEMBER, sender("Elsewhere"))[0]
        said = {"membership": str(uuid.uuid4()), "organisation": str(operator()), "person": str(friend.id)}
        given = {"role": Role.INSPECTOR.value, "owner": False, "since": since.isoformat()}
        with transaction.atomic():
            custody.record_fact(MEMBER_BEGAN, {"by": by.source, **said, **given})
        named = found().first
        assert (named and named.differs) == differs
