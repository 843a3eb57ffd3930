"""Codes of an app and recovery codes: each opens once, however it is written and whoever sends it at that moment."""

from __future__ import annotations

import contextlib
import os
import re
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.conf import settings
from tests.attacks.passkey_door import Near
from tests.passkey import Browser

from parcelward.custody.verification import Findings
from parcelward.doors.portals.accounts import second_factor
from parcelward.people import actions as people
from parcelward.people.membership_check import check_memberships
from parcelward.people.models import SignedIn, User

PERIOD_S = 30


def code_now(secret: str, ahead: int = 1) -> str:
    """Return a code: the next one, which is taken for a minute at least and is not the one that turned codes on."""
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // PERIOD_S + ahead)))


class Protected:
    """Somebody whose account asks for codes of an app."""

    def __init__(self, browser: Browser, home) -> None:
        self.email = f"second-{os.urandom(4).hex()}@example.com"
        self.home = home
        assert browser.by_code(self.email, home).status_code == 302
        self.user = User.objects.latest("created_at")
        page = browser.http.get("/app/account/app-codes").text
        found = re.search(r'class="pw-secret">([A-Z2-7=]+)<', page)
        assert found, page
        self.secret = found[1]
        turned = browser.post("/app/account/app-codes", "/app/account/app-codes", code=code_now(self.secret, 0))
        assert turned.status_code == 302, turned.text
        made = browser.post("/app/account/recovery-codes", "/app/account/recovery-codes").text
        self.recovery = re.findall(r"<li><code>(\d{4} \d{4} \d{4})</code>", made)

    def asked(self, browser: Browser) -> Browser:
        """Go as far as the second proof."""
        answer = browser.by_code(self.email, self.home)
        assert answer.headers.get("location", "").startswith("/accounts/sign-in/second"), answer.text
        assert not browser.signed_in()
        return browser


@pytest.mark.asvs("6.5.5")
def test_a_code_of_an_app_ends_with_the_half_minute_after_its_own(
    installation: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own half minute, and for clocks that are off the one before and the one after (RFC 6238, section 5.2)."""
    assert auth.app_settings.TOTP_PERIOD == PERIOD_S
    mine = Near()
    protected = Protected(mine, installation.home)
    began = int(time.time()) // PERIOD_S * PERIOD_S + 20 * PERIOD_S  # far from codes that were used
    clock = began
    monkeypatch.setattr(auth, "time", SimpleNamespace(time=lambda: clock))

    def opens(code: str) -> bool:
        one = protected.asked(Near())
        answer = second(one, code)
        assert answer.status_code == (302 if one.signed_in() else 401)
        return one.signed_in()

    codes = [str(format_hotp_value(hotp_value(protected.secret, began // PERIOD_S + at))) for at in range(3)]
    clock = began + 2 * PERIOD_S
    assert not opens(codes[0]), "its own half minute and the next are over"
    clock -= 1
    assert opens(codes[0])
    clock = began - 1
    assert not opens(codes[1]), "it has not begun, and neither has the half minute before it"
    clock = began
    assert opens(codes[1])
    mine.http.close()


@pytest.fixture
def protected(browser, installation):
    return Protected(browser(), installation.home)


@contextlib.contextmanager
def put_back(rows, data):
    """Put back what these rows held: the record must be what the log says when the test is over."""
    try:
        yield
    finally:
        for kind, each in data.items():
            rows.filter(type=kind).update(data=each)


def resealing_here():
    """Return what `parcelward secrets rotate django` would do to each row, with the secrets of this house."""
    believed = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return second_factor.resealing(settings.SECRET_KEY, believed)


def found():
    """Return what `verify-log` first finds wrong with members, passkeys and second factors."""
    findings = Findings()
    check_memberships(findings)
    return findings.first


def second(browser: Browser, code: str):
    return browser.post("/accounts/sign-in/second", "/accounts/sign-in/second", code=code)


def test_the_secret_is_not_in_the_database(protected):
    row = Authenticator.objects.get(user=protected.user, type="totp")
    assert protected.secret not in str(row.data)
    seed = Authenticator.objects.get(user=protected.user, type="recovery_codes")
    assert not [code for code in protected.recovery if code.replace(" ", "") in str(seed.data)]
    assert len(protected.recovery) == 10


@pytest.mark.asvs("6.5.1")
def test_a_code_replayed_through_spaces_opens_nothing(browser, protected):
    """PyPI's finding 9: what the check forgives, the note of what was used forgives, too."""
    first, thief = protected.asked(browser()), protected.asked(browser())
    code = code_now(protected.secret)
    assert second(first, code).status_code == 302
    assert first.signed_in()
    for again in (code, f"{code[:3]} {code[3:]}", f" {code} ", f"{code[:2]}-{code[2:]}"):
        answer = second(thief, again)
        assert answer.status_code == 401, again
        assert not thief.signed_in()


def test_of_many_who_send_one_code_at_once_one_is_in(browser, protected):
    many = [protected.asked(browser()) for _ in range(4)]
    before = SignedIn.objects.filter(user=protected.user).count()
    code = code_now(protected.secret)
    with ThreadPoolExecutor(len(many)) as pool:
        answers = list(pool.map(lambda one: second(one, code).status_code, many))
    assert sorted(answers) == [302, 401, 401, 401]
    assert SignedIn.objects.filter(user=protected.user).count() == before + 1


@pytest.mark.asvs("6.5.1")
def test_a_recovery_code_opens_once(browser, protected):
    first, thief = protected.asked(browser()), protected.asked(browser())
    assert second(first, protected.recovery[0]).status_code == 302
    assert second(thief, protected.recovery[0]).status_code == 401
    assert not thief.signed_in()
    assert "A recovery code was used" in first.http.get("/app/account").text


def test_guessing_is_slowed_and_opens_nothing(browser, protected):
    mine = protected.asked(browser())
    answers = [second(mine, f"{n:06d}").status_code for n in range(12)]
    assert set(answers) <= {401, 429}
    assert 429 in answers
    assert not mine.signed_in()


def test_whoever_reads_the_mail_alone_cannot_turn_it_off(browser, protected):
    thief = protected.asked(browser())
    answer = thief.http.get("/app/account/app-codes/off")
    assert answer.headers["location"].startswith("/accounts/sign-in")
    assert Authenticator.objects.filter(user=protected.user, type="totp").exists()


@pytest.mark.asvs("11.3.3")
def test_a_row_that_was_copied_from_another_account_opens_nothing(browser, installation, protected):
    """Whoever writes the database turns codes of their own on, and puts their rows in the place of somebody else's."""
    thief = Protected(browser(), installation.home)
    mine = dict(Authenticator.objects.filter(user=thief.user).values_list("type", "data"))
    theirs = Authenticator.objects.filter(user=protected.user)
    before = dict(theirs.values_list("type", "data"))
    with put_back(theirs, before):
        for kind, data in mine.items():
            theirs.filter(type=kind).update(data=data)
        at_the_door = protected.asked(browser())
        for code in (code_now(thief.secret), thief.recovery[0], protected.recovery[0]):
            assert second(at_the_door, code).status_code == 401
            assert not at_the_door.signed_in()
        assert people.reseal_second_factors(resealing_here(), by=people.installer())[1] == len(mine), "nor sealed anew"
    assert dict(theirs.values_list("type", "data")) == before
    assert second(protected.asked(browser()), protected.recovery[0]).status_code == 302


@pytest.mark.asvs("11.3.3")
def test_the_seed_of_recovery_codes_is_no_secret_of_an_app(browser, protected):
    rows = Authenticator.objects.filter(user=protected.user)
    before = dict(rows.values_list("type", "data"))
    with put_back(rows, before):
        rows.filter(type="totp").update(data={"secret": before["recovery_codes"]["seed"]})
        rows.filter(type="recovery_codes").update(data=before["recovery_codes"] | {"seed": before["totp"]["secret"]})
        at_the_door = protected.asked(browser())
        for code in (code_now(protected.secret), protected.recovery[0]):
            assert second(at_the_door, code).status_code == 401
    assert second(protected.asked(browser()), code_now(protected.secret)).status_code == 302


HURTS: dict[str, tuple[str, dict[str, Any]]] = {
    "codes of an app that are gone": ("totp", {"type": "elsewhere"}),
    "recovery codes that are gone": ("recovery_codes", {"type": "elsewhere"}),
    "used codes that are fresh again": ("recovery_codes", {"data": {"used_mask": 0}}),
    "codes that nobody used": ("recovery_codes", {"data": {"used_mask": 7}}),
}


@pytest.mark.parametrize("what", HURTS)
def test_verify_log_sees_a_second_factor_that_was_turned_in_the_database(browser, protected, what):
    assert second(protected.asked(browser()), protected.recovery[1]).status_code == 302
    rows = Authenticator.objects.filter(user=protected.user)
    kind, change = HURTS[what]
    mine, before = rows.get(type=kind), dict(rows.values_list("type", "data"))
    assert found() is None
    try:
        Authenticator.objects.filter(pk=mine.pk).update(**change)
        seen = found()
    finally:
        Authenticator.objects.filter(pk=mine.pk).update(type=kind, data=before[kind])
    assert seen is not None
    assert seen.differs == "second_factor"
    assert str(protected.user.id) in str(seen)
    assert found() is None


@pytest.mark.asvs("7.4.3", "7.5.2")
def test_sessions_are_seen_and_ended_from_elsewhere(browser, installation):
    email = f"sessions-{os.urandom(4).hex()}@example.com"
    here, there, other = browser(), browser(), browser()
    for one in (here, there, other):
        assert one.by_code(email, installation.home).status_code == 302
    page = here.http.get("/app/account").text
    ends = re.findall(r'action="(/app/account/sessions/[0-9a-f-]{36}/end)"', page)
    assert len(ends) == 2
    assert here.post(ends[0], "/app/account").status_code == 302
    assert [there.signed_in(), other.signed_in()].count(True) == 1
    assert here.post("/app/account/sessions/end-others", "/app/account").status_code == 302
    assert [here.signed_in(), there.signed_in(), other.signed_in()] == [True, False, False]
    stranger = browser()
    stranger.by_code(f"x-{email}", installation.home)
    theirs = SignedIn.objects.filter(ended_at=None).latest("began_at").user
    ours = SignedIn.objects.filter(ended_at=None, method="code").exclude(user=theirs).latest("began_at")
    assert stranger.post(f"/app/account/sessions/{ours.id}/end", "/app/account").status_code == 404
    assert here.signed_in()
