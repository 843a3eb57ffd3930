"""A contractor's people enrol devices at the places that the operator gave it, and nowhere else."""

from __future__ import annotations

import datetime as dt
import os
import uuid

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.attacks.untouched import untouched
from tests.people.staffing import acting, facts, member, of
from tests.people.tenants import organisation, person
from tests.people.test_enrolling_itself import take

from parcelward.base import db
from parcelward.base.errors import Conflict, Invalid, NotFound
from parcelward.custody.verification import Findings
from parcelward.people import actions as people
from parcelward.people.actions.organisations import begin_membership
from parcelward.people.errors import MayNot
from parcelward.people.membership_check import check_memberships
from parcelward.people.models import Device, FacilityGrant, SignedIn
from parcelward.people.wire import Role

pytestmark = pytest.mark.usefixtures("installation")


def key() -> bytes:
    return Ed25519PrivateKey.generate().public_key().public_bytes_raw()


@pytest.mark.parametrize("facility", ["", "TEST-B", "test-a", "TEST-A "])
def test_a_contractors_device_is_enrolled_at_no_place_that_was_not_given(facility):
    carrier, other = organisation("contractor"), organisation("contractor")
    people.give_facility(carrier.id, "TEST-A", by=people.installer())
    people.give_facility(other.id, "TEST-B", by=people.installer())
    agent = person(Role.HUB_AGENT, carrier)
    with untouched():
        for deed in (
            lambda: people.enrol_device("theirs", key(), by=agent, facility=facility),
            lambda: people.open_enrolment("theirs", by=agent, facility=facility),
        ):
            with pytest.raises((MayNot, Invalid)):
                deed()
    made = people.enrol_device(f"ours {os.urandom(2).hex()}", key(), by=agent, facility="TEST-A")
    assert Device.objects.get(pk=made.device_id).facility == "TEST-A"


def test_a_code_opens_nothing_once_its_place_was_taken_back():
    carrier = organisation("contractor")
    grant = people.give_facility(carrier.id, "TEST-A", by=people.installer())
    code = people.open_enrolment("theirs", by=person(Role.HUB_AGENT, carrier), facility="TEST-A")
    people.take_facility_back(grant, by=people.installer())
    people.take_facility_back(grant, by=people.installer())
    with untouched(), pytest.raises(NotFound):
        take(code.code)
    assert len(facts("people.facility_given", grant=str(grant))) == 1
    assert len(facts("people.facility_taken_back", grant=str(grant))) == 1


def test_nobody_but_who_keeps_organisations_gives_places():
    carrier, shop = organisation("contractor"), organisation()
    with untouched():
        for role in set(Role) - {Role.ADMINISTRATOR}:
            by = person(role, carrier)
            for deed in (
                lambda: people.give_facility(carrier.id, "TEST-A", by=by),  # noqa: B023
                lambda: people.take_facility_back(uuid.uuid4(), by=by),  # noqa: B023
            ):
                with pytest.raises(MayNot):
                    deed()
        for another in (people.ensure_operator("x", by=people.installer()), shop.id):
            with pytest.raises(Conflict):
                people.give_facility(another, "TEST-A", by=people.installer())


@pytest.mark.parametrize("turned", ["facility = 'TEST-Z'", "ended_at = NULL", "granted_by_id = granted_by_id + 1"])
def test_a_place_that_was_turned_in_its_row_is_named(turned):
    from django.db import transaction

    carrier = organisation("contractor")
    grant = people.give_facility(carrier.id, "TEST-A", by=people.installer())
    people.take_facility_back(grant, by=people.installer())
    with transaction.atomic():
        with db.cursor() as cur:
            cur.execute(f"UPDATE people_facilitygrant SET {turned} WHERE id = %s", (grant,))
        found = Findings()
        check_memberships(found)
        assert found.first is not None
        assert found.first.differs == "facility_grant"
        transaction.set_rollback(True)
    found = Findings()
    check_memberships(found)
    assert found.first is None
    assert FacilityGrant.objects.get(id=grant).facility == "TEST-A"


def test_the_operator_gives_and_takes_places_on_the_screen(browser, link):
    boss, carrier = browser(), organisation("contractor")
    boss.join(link("administrator"))
    page = f"/app/organisations/{carrier.id}/places"
    assert boss.post(page, page, facility="test-a").status_code == 302
    grant = FacilityGrant.objects.get(organisation=carrier, ended_at=None)
    assert grant.facility == "TEST-A"
    assert "TEST-A" in boss.http.get(page).text
    assert boss.post(page, page, facility="?").status_code == 422
    assert boss.post(page, page, back=str(grant.id)).status_code == 302
    assert not FacilityGrant.objects.filter(organisation=carrier, ended_at=None).exists()


def test_a_place_that_is_given_twice_is_given_once():
    carrier = organisation("contractor")
    grant = people.give_facility(carrier.id, "TEST-A", by=people.installer())
    with untouched():
        assert people.give_facility(carrier.id, "TEST-A", by=people.installer()) == grant
    people.take_facility_back(grant, by=people.installer())


def test_the_operators_agent_reaches_no_contractors_devices_and_codes():
    carrier, ours = organisation("contractor"), person(Role.HUB_AGENT)
    grant = people.give_facility(carrier.id, "TEST-A", by=people.installer())
    theirs = person(Role.HUB_AGENT, carrier)
    device = people.enrol_device("theirs", key(), by=theirs, facility="TEST-A").device_id
    code = people.open_enrolment("theirs", by=theirs, facility="TEST-A").id
    with untouched():
        for deed in (
            lambda: people.revoke_device(device, by=ours),
            lambda: people.withdraw_enrolment(code, by=ours),
        ):
            with pytest.raises(NotFound):
                deed()
    mine = people.open_enrolment("ours", by=ours).id
    people.withdraw_enrolment(mine, by=ours)
    assert len(facts("people.enrolment_withdrawn", enrolment=str(mine))) == 1
    people.take_facility_back(grant, by=people.installer())


def test_a_place_that_is_taken_back_by_a_form_sent_twice_is_taken_back_once(browser, link):
    """The second form names what the page shows no more: it gives nothing, whatever else it says, and is no error."""
    boss, carrier, other = browser(), organisation("contractor"), organisation("contractor")
    grant = people.give_facility(carrier.id, "TEST-A", by=people.installer())
    theirs = people.give_facility(other.id, "TEST-B", by=people.installer())
    boss.join(link("administrator"))
    page = f"/app/organisations/{carrier.id}/places"
    assert boss.post(page, page, back=str(grant)).status_code == 302
    ended = FacilityGrant.objects.get(id=grant).ended_at
    with untouched():
        for more in ({"back": str(grant)}, {"back": str(grant), "facility": "TEST-HUB"}, {"back": str(theirs)}):
            again = boss.post(page, page, **more)
            assert (again.status_code, again.headers["location"]) == (302, page), more
    assert list(FacilityGrant.objects.filter(organisation=carrier).values_list("id", "ended_at")) == [(grant, ended)]
    assert FacilityGrant.objects.get(id=theirs).ended_at is None, "another contractor's is not on this page"
    assert len(facts("people.facility_taken_back", grant=str(grant))) == 1


def test_places_are_given_on_the_screen_to_contractors_by_whoever_keeps_organisations(browser, link):
    boss, agent, carrier, shop = browser(), browser(), organisation("contractor"), organisation()
    boss.join(link("administrator"))
    agent.join(link("hub_agent", carrier.id))
    for mine, tenant in ((boss, shop), (agent, carrier)):
        page = f"/app/organisations/{tenant.id}/places"
        assert mine.http.get(page).status_code == 404
        assert mine.post(page, "/app/account", facility="TEST-A").status_code == 404
        assert not FacilityGrant.objects.filter(organisation=tenant).exists()


def test_whoever_finds_a_screen_unlocked_gives_no_places(browser, link):
    boss, carrier = browser(), organisation("contractor")
    boss.join(link("administrator"))
    grant = people.give_facility(carrier.id, "TEST-A", by=people.installer())
    SignedIn.objects.filter(user=of(boss)).update(proved_at=dt.datetime.now(dt.UTC) - dt.timedelta(minutes=11))
    page = f"/app/organisations/{carrier.id}/places"
    for said in ({"facility": "TEST-B"}, {"back": str(grant)}):
        sent = boss.post(page, "/app/account", **said)
        assert (sent.status_code, sent.headers["location"].partition("?")[0]) == (302, "/app/account/prove")
    held = FacilityGrant.objects.filter(organisation=carrier, ended_at=None)
    assert list(held.values_list("id", flat=True)) == [grant]


def test_a_code_of_somebody_who_left_is_not_good_because_they_enrol_devices_elsewhere():
    """One account acts for two contractors; what it asked for in the name of one ends with its role there."""
    carrier, other = organisation("contractor"), organisation("contractor")
    people.give_facility(carrier.id, "TEST-A", by=people.installer())
    user, here = member(Role.HUB_AGENT, carrier.id)
    code = people.open_enrolment("theirs", by=acting(user, here), facility="TEST-A")
    begin_membership(user, other, Role.HUB_AGENT, by=people.installer())
    people.end_membership(here.id, by=people.installer())
    with untouched(), pytest.raises(NotFound):
        take(code.code)
