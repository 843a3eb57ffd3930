"""Whoever has a mailbox with us is told there what opened their account, and what was changed of what opens it."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import time
from email import message_from_bytes, policy

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.utils import timezone
from tests.passkey import options_in
from tests.people.staffing import operator, somebody

from parcelward.custody.models import Fact
from parcelward.people import actions as people
from parcelward.people.models import User
from parcelward.people.wire import Role

WAIT_S = 30
CHANGED = "What opens your account at"


def mail(home, email):
    """Return subject and body of what was sent to an address."""
    read = [message_from_bytes(one.read_bytes(), policy=policy.default) for one in (home / "mail").glob("*.eml")]
    return [(str(one["Subject"]), str(one.get_content())) for one in read if one["To"] == email]


def told(home, email, words):
    """Return the one message to an address whose text holds these words, once it is sent."""
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until:
        found = [body for _subject, body in mail(home, email) if words in body]
        if found:
            assert len(found) == 1
            return found[0]
        time.sleep(0.1)
    raise AssertionError([subject for subject, _body in mail(home, email)])


@pytest.fixture
def email():
    return f"reader-{os.urandom(4).hex()}@example.com"


def test_what_opens_an_account_is_not_changed_without_a_message(browser, installation, email):
    mine, home = browser(), installation.home
    assert mine.by_code(email, home).status_code == 302
    user = User.objects.latest("created_at")
    assert user.token is not None

    secret = re.findall(r'class="pw-secret">([A-Z2-7=]+)<', mine.http.get("/app/account/app-codes").text)[0]
    wrong = mine.post("/app/account/app-codes", "/app/account/app-codes", code="000000")
    assert wrong.status_code == 422
    code = str(format_hotp_value(hotp_value(secret, int(time.time()) // 30)))
    assert mine.post("/app/account/app-codes", "/app/account/app-codes", code=code).status_code == 302
    told(home, email, "codes from an authenticator app were turned on")
    assert mine.post("/app/account/recovery-codes", "/app/account/recovery-codes").status_code == 200
    told(home, email, "new recovery codes were made for your account")
    assert mine.post("/app/account/app-codes/off", "/app/account/app-codes/off").status_code == 302
    told(home, email, "codes from an authenticator app were turned off")

    page = "/app/account/passkeys/add"
    assert mine.post(page, page, credential="{}", name="phone").status_code == 401  # and nothing to tell
    made = json.dumps(mine.passkey.create(options_in(mine.http.get(page).text)))
    assert mine.post(page, "/app/account", credential=made, name="phone").status_code == 302
    told(home, email, "a passkey was added to your account")
    key = Authenticator.objects.get(user=user, type=Authenticator.Type.WEBAUTHN)
    page = f"/app/account/passkeys/{key.id}/remove"
    assert mine.post(page, page).status_code == 302
    told(home, email, "a passkey was removed from your account")

    assert sum(CHANGED in subject for subject, _body in mail(home, email)) == 5
    facts = Fact.objects.filter(kind="privacy.message_queued", record_time__gt=timezone.now() - dt.timedelta(minutes=5))
    said = [bytes(fact.body).decode() for fact in facts]
    mine_only = [each for each in said if json.loads(each)["person"] == user.token.hex]
    assert sum("sign_in_changed" in each for each in mine_only) == 5
    assert not any(email in each for each in said)
    assert email not in (home / "up.log").read_text(errors="replace")


def test_somebody_who_removes_twice_is_told_once(browser, installation, email):
    mine, home = browser(), installation.home
    assert mine.by_code(email, home).status_code == 302
    for _again in range(2):
        assert mine.post("/app/account/app-codes/off", "/app/account/app-codes/off").status_code == 302
    assert mine.post("/app/account/recovery-codes", "/app/account/recovery-codes").status_code == 200
    told(home, email, "new recovery codes were made for your account")
    assert not any("turned off" in body for _subject, body in mail(home, email))


def test_whoever_is_given_a_new_passkey_at_a_counter_is_told_where_they_read(browser, installation, email):
    mine, new, home = browser(), browser(), installation.home
    assert mine.by_code(email, home).status_code == 302
    user = User.objects.latest("created_at")
    page = "/app/account/passkeys/add"  # for a role of staff needs one
    made = json.dumps(mine.passkey.create(options_in(mine.http.get(page).text)))
    assert mine.post(page, "/app/account", credential=made, name="phone").status_code == 302
    mine.http.cookies.clear()
    assert mine.sign_in().status_code == 302
    _id, code = people.invite(operator(), Role.COURIER, by=people.installer())
    assert mine.post("/app/account/join", "/accounts/join", code=code).status_code == 302
    asked = people.ask_to_re_enrol(user.login, "passport", by=somebody(Role.CLERK))
    given = people.agree_to_re_enrol(asked, by=somebody(Role.CLERK))
    assert not any("at a counter" in body for _subject, body in mail(home, email))
    assert new.join(f"{new.url}/accounts/join#code={given}").status_code == 302
    told(home, email, "were replaced at a counter by a new one")


MONTHS = ("enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre")
SPANISH = re.compile(rf"\b\d{{1,2}} de ({'|'.join(MONTHS)}|noviembre|diciembre) de \d{{4}}, \d\d:\d\d UTC")
ENGLISH = re.compile(r"\b\d{1,2} [A-Z][a-z]+ \d{4}, \d\d:\d\d UTC")


def test_the_messages_are_in_the_readers_language_and_so_is_their_date(browser, installation, email):
    home, english = installation.home, f"en-{email}"
    for address, language in ((email, "es"), (english, "en")):
        for _twice in range(2):  # the second browser is new to the account
            mine = browser()
            mine.http.headers["Accept-Language"] = language
            assert mine.by_code(address, home).status_code == 302
        assert mine.post("/app/account/recovery-codes", "/app/account/recovery-codes").status_code == 200
    assert SPANISH.search(told(home, email, "dispositivo que no habíamos visto"))
    assert SPANISH.search(told(home, email, "se crearon nuevos códigos de recuperación"))
    assert ENGLISH.search(told(home, english, "from a device that we had not seen before"))
    assert ENGLISH.search(told(home, english, "new recovery codes were made"))
