"""Whoever finds a screen unlocked makes nothing of it that outlives the session."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from tests.attacks.rights_of_routes import FRESHLY_PROVEN, SCREENS
from tests.attacks.test_matrix import address as address_of
from tests.joined import joined
from tests.scanner import Scanner

from parcelward.people import actions
from parcelward.people.models import ApiKey, Device, Enrolment, SignedIn, SpendGrant
from parcelward.people.wire import Role
from parcelward.privacy import actions as privacy
from parcelward.privacy.models import RightsRequest
from parcelward.privacy.wire import Subject


@pytest.mark.parametrize("address", ["/app/keys/new", "/app/desk/devices/enrol"])
def test_keys_and_devices_are_made_after_a_fresh_proof_alone(browser, link, address):
    boss = browser()
    boss.join(link("administrator"))
    assert boss.http.get(address).status_code == 200
    who = uuid.UUID(boss.passkey.user_handle.decode())
    SignedIn.objects.filter(user=who).update(proved_at=dt.datetime.now(dt.UTC) - dt.timedelta(minutes=11))
    before = ApiKey.objects.count(), Enrolment.objects.count()
    looked = boss.http.get(address)
    assert (looked.status_code, looked.headers["location"].partition("?")[0]) == (302, "/app/account/prove")
    sent = boss.post(address, "/app/account", name="mine", for_whom="operator", role="administrator", days="0")
    assert (sent.status_code, sent.headers["location"].partition("?")[0]) == (302, "/app/account/prove")
    assert (ApiKey.objects.count(), Enrolment.objects.count()) == before


def test_what_others_work_with_is_ended_after_a_fresh_proof_alone(browser, link, installation, facilities):
    """Whoever finds a screen unlocked would stop every scanner and every partner's system."""
    by = actions.installer()
    key = actions.new_key("theirs", Role.PARTNER, by=by, mode="test", simulated=True)
    grant = actions.grant_spending(
        key.id,
        currency="EUR",
        cap_payment_minor=5,
        cap_day_minor=5,
        cap_month_minor=None,
        lifetime=dt.timedelta(days=1),
        by=by,
    )
    device = uuid.UUID(Scanner(installation).device_id)
    opened = actions.open_enrolment("a scanner", by=by, facility="")
    ben = joined(Role.ADDRESSEE)
    request = privacy.object_to(Subject.NOTICES, by=ben)
    addresses = (
        f"/app/keys/{key.id}/rotate",
        f"/app/keys/{key.id}/grants/new",
        f"/app/keys/{key.id}/revoke",
        f"/app/keys/{key.id}/grants/{grant}/end",
        f"/app/desk/devices/{device}/revoke",
        f"/app/desk/devices/enrolments/{opened.id}/withdraw",
        f"/app/desk/rights/{request}",
    )
    before = ApiKey.objects.values("digest", "expires_at").get(pk=key.id), SpendGrant.objects.count()
    boss = browser()
    boss.join(link("administrator"))
    for address in addresses:
        assert boss.http.get(address).status_code == 200, address
    who = uuid.UUID(boss.passkey.user_handle.decode())
    SignedIn.objects.filter(user=who).update(proved_at=dt.datetime.now(dt.UTC) - dt.timedelta(minutes=11))
    said = {"deed": "refuse", "reason": "unfounded", "sure": "1", "hours": "0"}
    said |= {"currency": "EUR", "payment": "1", "day": "1", "days": "1"}
    for address in addresses:
        for answer in (
            boss.http.get(address),
            boss.post(address, "/app/account", **said),
        ):
            found = (answer.status_code, answer.headers.get("location", "").partition("?")[0])
            assert found == (302, "/app/account/prove"), address
    assert (ApiKey.objects.values("digest", "expires_at").get(pk=key.id), SpendGrant.objects.count()) == before
    assert ApiKey.objects.get(pk=key.id).revoked_at is None
    assert SpendGrant.objects.get(pk=grant).withdrawn_at is None
    assert Device.objects.get(pk=device).revoked_at is None
    assert Enrolment.objects.get(pk=opened.id).withdrawn_at is None
    assert RightsRequest.objects.get(pk=request).state == "open"
    actions.withdraw_enrolment(opened.id, by=by)
    privacy.withdraw_request(request, by=ben)


def test_every_screen_that_asks_for_a_fresh_proof_is_in_the_list(browser, link):
    """One that asks no more, or that is new and not in the list, is named."""
    boss = browser()
    boss.join(link("administrator"))
    who = uuid.UUID(boss.passkey.user_handle.decode())
    SignedIn.objects.filter(user=who).update(proved_at=dt.datetime.now(dt.UTC) - dt.timedelta(minutes=11))
    asked = {route for route in SCREENS if proves(boss.http.get(address_of(route, {})))}
    assert asked == FRESHLY_PROVEN
    token = boss.token("/app/account")
    fields = {"csrfmiddlewaretoken": token}
    head = {"Referer": boss.url}
    sent = {route: boss.http.post(address_of(route, {}), data=fields, headers=head) for route in FRESHLY_PROVEN}
    assert {route for route, answer in sent.items() if not proves(answer)} == set()


def proves(answer) -> bool:
    """Return whether somebody is sent to prove again who they are."""
    where = answer.headers.get("location", "").partition("?")[0]
    return (answer.status_code, where) == (302, "/app/account/prove")
