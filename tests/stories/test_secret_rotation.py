"""The secret that signs sessions is replaced while people are signed in: nobody notices, unless it was stolen."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import re
import stat
import time
import uuid

import httpx
import pytest
from tests.doors.test_bundle import console
from tests.scanner import public_key, until

from parcelward.base import config
from parcelward.custody.models import Fact
from parcelward.doors import secret_key


@pytest.fixture
def sign_in(installation):
    """Give what opens a browser in which an inspector is signed in; all are closed at the end."""
    with contextlib.ExitStack() as opened:
        yield lambda: signed_in(installation, opened)


def signed_in(installation, opened: contextlib.ExitStack) -> httpx.Client:
    """Return a browser in which an inspector is signed in."""
    login, passphrase = installation.people["inspector"]
    browser = opened.enter_context(httpx.Client(base_url=installation.url, timeout=30, follow_redirects=True))
    page = browser.get("/accounts/sign-in").text
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token
    fields = {"csrfmiddlewaretoken": token[1], "username": login, "password": passphrase}
    browser.post("/accounts/sign-in", data=fields, headers={"Referer": installation.url})
    assert is_in(browser)
    return browser


def is_in(browser: httpx.Client) -> bool:
    return browser.get("/app/", follow_redirects=False).status_code == 200


def enrolled(installation, key: str) -> httpx.Response:
    """Enrol a device under an Idempotency-Key: a repeated request gets the stored answer."""

    body = {
        "name": "rotation",
        "public_key_ed25519_base64": base64.b64encode(KEPT.setdefault(key, public_key())).decode(),
        "simulated": True,
    }
    headers = {**installation.headers, "Idempotency-Key": key}
    return httpx.post(f"{installation.url}/api/v1/devices", json=body, headers=headers, timeout=30)


KEPT: dict[str, bytes] = {}


def test_nobody_is_signed_out_and_repeated_requests_are_still_known(installation, sign_in):
    browser, home, key = sign_in(), config.get().home, str(uuid.uuid4())
    first = enrolled(installation, key)
    assert first.status_code == 201, first.text
    before = (home / "keys" / "django").read_text().strip()
    facts = Fact.objects.filter(kind="doors.secret_replaced").count()

    rehearsed = console("secrets", "rotate", "django", "--dry-run")
    assert rehearsed.returncode == 0, rehearsed.stderr
    assert "rehearsal" in rehearsed.stdout
    assert (home / "keys" / "django").read_text().strip() == before
    assert Fact.objects.filter(kind="doors.secret_replaced").count() == facts

    done = console("secrets", "rotate", "django")
    assert done.returncode == 0, done.stdout + done.stderr
    after = (home / "keys" / "django").read_text().strip()
    assert after != before
    assert before not in done.stdout
    assert after not in done.stdout
    assert [each.secret for each in secret_key.others(home)] == [before]
    for name in ("django", "django-others"):
        assert stat.S_IMODE((home / "keys" / name).stat().st_mode) == 0o600
    said = Fact.objects.filter(kind="doors.secret_replaced").order_by("-batch").first()
    assert said is not None
    assert before.encode() not in bytes(said.body)
    time.sleep(secret_key.LOOK_EVERY_S * 2)
    for _ in range(10):  # both web processes answer
        assert is_in(browser)
        again = enrolled(installation, key)
        assert (again.status_code, again.content) == (first.status_code, first.content)
    assert is_in(sign_in()), "and whoever comes new signs in"


def test_a_stolen_secret_is_believed_no_more_and_everybody_signs_in_again(sign_in):
    browser, home = sign_in(), config.get().home
    done = console("secrets", "rotate", "django", "--stolen")
    assert done.returncode == 0, done.stdout + done.stderr
    assert secret_key.others(home) == []
    until(lambda: not is_in(browser), seconds=10)
    time.sleep(secret_key.LOOK_EVERY_S * 2)
    assert not any(is_in(browser) for _ in range(10)), "in no process"
    assert is_in(sign_in())


def test_one_that_was_announced_is_believed_before_it_signs(tmp_path):
    now = dt.datetime(2026, 5, 4, tzinfo=dt.UTC)
    first, others = secret_key.read(tmp_path, now)
    assert others == []
    made = secret_key.announce(tmp_path, now=now, overlap=secret_key.OVERLAP)
    assert secret_key.read(tmp_path, now) == (first, [made])
    secret_key.promote(tmp_path, made, now=now, overlap=secret_key.OVERLAP)
    assert secret_key.read(tmp_path, now) == (made, [first])
    assert secret_key.read(tmp_path, now + secret_key.OVERLAP) == (made, [])
