"""An invitation lets one person in, once, with a passkey; and with the passkey they sign in again."""

from __future__ import annotations

import json
import uuid

import pytest
from allauth.mfa.models import Authenticator

from parcelward.custody.models import Fact
from parcelward.people import queries
from parcelward.people.models import Invitation, Membership, SecurityEvent, User


def test_a_link_a_passkey_and_one_is_in(browser, link):
    mine = browser()
    answer = mine.join(link())
    assert (answer.status_code, answer.headers.get("location")) == (302, "/app/"), answer.text
    assert mine.signed_in()
    page = mine.http.get("/app/account").text
    assert "test key" not in page, "what is typed is not kept: it could name anybody"
    assert "On a security key" in page
    login = page.split("Your id is <code>")[1].split("<")[0]
    user = User.objects.get(login=login)
    membership = Membership.objects.get(user=user)
    assert (membership.role, membership.ended_at) == ("clerk", None)
    assert not user.has_usable_password()
    said = [json.loads(bytes(fact.body)) for fact in Fact.objects.filter(kind="people.passkey_added")]
    assert [one for one in said if one["person"] == str(user.id)]


@pytest.mark.asvs("7.4.1")
def test_with_the_passkey_they_sign_in_again_and_out(browser, link):
    mine = browser()
    mine.join(link())
    mine.post("/accounts/sign-out", "/app/account")
    assert not mine.signed_in()
    answer = mine.sign_in(next="/app/account")
    assert (answer.status_code, answer.headers["location"]) == (302, "/app/account"), answer.text
    assert mine.signed_in()


@pytest.mark.asvs("6.4.1")
def test_a_link_works_once(browser, link):
    url = link()
    browser().join(url)
    other = browser()
    code = url.partition("#code=")[2]
    before = User.objects.count()
    assert other.post("/accounts/join", "/accounts/join", code=code).status_code == 404
    assert User.objects.count() == before
    assert Invitation.objects.filter(taken_at=None, user__isnull=False, re_enrols=False).count() == 0


def test_administrators_are_counted(installation, staff):
    staff("administrator")
    assert queries.administrators() >= 1


@pytest.mark.parametrize("typed", ["Anna Kowalska's iPhone", "anna.k@example.com", "", "computer\u202e"])
def test_what_somebody_calls_a_passkey_is_not_kept_outside_the_vault(browser, link, typed):
    mine = browser()
    assert mine.join(link(), name=typed).status_code == 302
    user = User.objects.get(id=uuid.UUID(mine.passkey.user_handle.decode()))
    key = Authenticator.objects.get(user=user)
    assert key.data["name"] == "passkey"
    mine.prove()
    address = f"/app/account/passkeys/{key.id}/rename"
    assert mine.post(address, address, name=typed).status_code == 302
    key.refresh_from_db()
    assert key.data["name"] == "passkey"
    assert mine.post(address, address, name="tablet").status_code == 302
    key.refresh_from_db()
    assert key.data["name"] == "tablet"
    details = SecurityEvent.objects.filter(user=user).values_list("detail", flat=True)
    assert not [detail for detail in details if typed and typed in detail]
