"""Who reads the database, or a backup of it, has nobody's session and nobody's secret of an app."""

from __future__ import annotations

import re

import pytest
from django.contrib.sessions.models import Session
from tests.attacks.canaries import in_tables

COOKIE = "session"


@pytest.mark.asvs("7.2.3", "14.2.4")
def test_what_the_cookie_says_stands_in_no_table_and_what_stands_there_opens_nothing(staff):
    mine = staff("sorter")
    (key,) = (each["value"] for each in mine.cookies() if each["name"] == COOKIE)
    assert mine.http.get("/app/account").status_code == 200
    assert in_tables([key], "default") == set()
    stored = {row.session_key for row in Session.objects.order_by("-expire_date")[:20]}
    mine.http.cookies.clear()
    for each in stored:
        answer = mine.http.get("/app/account", headers={"Cookie": f"{COOKIE}={each}"})
        assert (answer.status_code, answer.headers["location"][:17]) == (302, "/accounts/sign-in")


def test_a_session_goes_on_under_a_new_key_and_ends_when_signed_out(staff):
    mine = staff("sorter")
    before = next(each["value"] for each in mine.cookies() if each["name"] == COOKIE)
    assert mine.prove().status_code == 302
    after = next(each["value"] for each in mine.cookies() if each["name"] == COOKIE)
    assert after != before
    assert mine.http.get("/app/account").status_code == 200
    assert mine.post("/accounts/sign-out", "/app/account").status_code == 302
    for key in (before, after):
        assert mine.http.get("/app/account", headers={"Cookie": f"{COOKIE}={key}"}).status_code == 302


@pytest.mark.asvs("11.3.2")
def test_the_secret_that_an_app_is_shown_is_sealed_until_it_is_turned_on(staff):
    mine = staff("sorter")
    assert mine.prove().status_code == 302
    page = mine.http.get("/app/account/app-codes").text
    secret = re.search(r"\b[A-Z2-7]{32}\b", page.replace(" ", ""))
    assert secret, "the page shows a secret"
    assert secret[0] in mine.http.get("/app/account/app-codes").text.replace(" ", ""), (
        "the same when it is opened again"
    )
    kept = [row.get_decoded() for row in Session.objects.order_by("-expire_date")[:20]]
    assert any("app_codes_shown" in each for each in kept)
    assert not [each for each in kept if secret[0] in str(each)]
