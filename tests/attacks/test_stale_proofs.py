"""Whoever finds a screen unlocked makes nothing of it that outlives the session."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest

from parcelward.people.models import ApiKey, Enrolment, SignedIn


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
