"""The secret that signs sessions is replaced while people are signed in: nobody notices, unless it was stolen."""

from __future__ import annotations

import base64
import datetime as dt
import re
import stat
import time
import uuid

import httpx
import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.conf import settings
from tests.doors.test_bundle import console
from tests.passkey import Browser
from tests.scanner import public_key, until

from parcelward.base import config
from parcelward.custody.models import Fact
from parcelward.doors import secret_key
from parcelward.doors.portals.accounts import second_factor
from parcelward.people import actions as people
from parcelward.people import addresses, codes
from parcelward.people.models import SignedIn, User


@pytest.fixture(autouse=True)
def this_process_hears_of_it():
    """Let this process, which has no upkeep, know the secret that signs after each test."""
    yield
    time.sleep(secret_key.LOOK_EVERY_S)
    secret_key.refresh(config.get().home)


@pytest.fixture
def sign_in(browser, link):
    """Return what gives a browser in which somebody new is signed in."""

    def joined() -> Browser:
        one: Browser = browser()
        assert one.join(link("inspector")).status_code == 302
        assert one.signed_in()
        return one

    return joined


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


@pytest.mark.asvs("11.2.2")
def test_nobody_is_signed_out_and_repeated_requests_are_still_known(installation, sign_in):
    somebody, home, key = sign_in(), config.get().home, str(uuid.uuid4())
    first, cookies = enrolled(installation, key), dict(somebody.http.cookies)
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
        assert somebody.signed_in()
        assert dict(somebody.http.cookies) == cookies, "under the same id, for it may ask for two things at once"
        again = enrolled(installation, key)
        assert (again.status_code, again.content) == (first.status_code, first.content)
    sign_in()  # and whoever comes new signs in


@pytest.mark.asvs("7.4.5")
def test_a_stolen_secret_is_believed_no_more_and_everybody_signs_in_again(sign_in):
    somebody, home = sign_in(), config.get().home
    done = console("secrets", "rotate", "django", "--stolen")
    assert done.returncode == 0, done.stdout + done.stderr
    assert secret_key.others(home) == []
    assert not SignedIn.objects.filter(user=somebody.user_id, ended_at=None).exists()
    until(lambda: not somebody.signed_in(), seconds=10)
    time.sleep(secret_key.LOOK_EVERY_S * 2)
    assert not any(somebody.signed_in() for _ in range(10)), "in no process"
    sign_in()


def code_of(secret: str, *, unlike: str = "") -> str:
    """Return what the app shows, once that is another code than the last one and holds for some seconds."""

    def shown() -> str:
        found = format_hotp_value(hotp_value(secret, int(time.time()) // 30))
        return "" if found == unlike or time.time() % 30 > 27 else found

    found: str = until(shown, seconds=40)
    return found


def test_second_factors_go_on_when_the_secret_that_sealed_them_is_gone(browser, installation):
    somebody, email = browser(), f"rotation-{uuid.uuid4().hex}@example.com"
    assert somebody.by_code(email, installation.home).status_code == 302
    user = User.objects.latest("created_at").id
    page = somebody.http.get("/app/account/app-codes").text
    found = re.search(r"\b([A-Z2-7]{32})\b", page)
    assert found, page
    first = code_of(found[1])
    assert somebody.post("/app/account/app-codes", "/app/account/app-codes", code=first).status_code == 302
    made = somebody.post("/app/account/recovery-codes", "/app/account/recovery-codes").text
    recovery = re.findall(r"\b\d{4} \d{4} \d{4}\b", made)
    assert len(recovery) > 1, made
    mine = Authenticator.objects.filter(user=user)
    sealed = dict(mine.values_list("type", "data"))
    assert sealed.keys() == {"totp", "recovery_codes"}
    said = Fact.objects.filter(kind="people.second_factors_resealed").count()

    done = console("secrets", "rotate", "django", "--stolen")
    assert done.returncode == 0, done.stdout + done.stderr
    assert secret_key.others(config.get().home) == []
    now = dict(mine.values_list("type", "data"))
    assert now["totp"]["secret"] != sealed["totp"]["secret"]
    assert now["recovery_codes"]["seed"] != sealed["recovery_codes"]["seed"]
    assert found[1] not in str(now)
    assert Fact.objects.filter(kind="people.second_factors_resealed").count() == said + 1

    until(lambda: not somebody.signed_in(), seconds=10)
    time.sleep(secret_key.LOOK_EVERY_S * 2)
    door = "/accounts/sign-in/second"
    again, other = (browser() for _ in range(2))
    for one in (again, other):
        assert one.by_code(email, installation.home).headers["location"].startswith(door)
        assert not one.signed_in()
    assert again.post(door, door, code="000000").status_code == 401
    assert again.post(door, door, code=code_of(found[1], unlike=first)).status_code == 302
    assert other.post(door, door, code=recovery[0]).status_code == 302
    assert again.signed_in()
    assert other.signed_in()
    prove = "/app/account/prove"
    assert again.post(prove, prove, code=recovery[0]).status_code == 401, "it was counted"
    assert again.post(prove, prove, code=recovery[1]).status_code == 302


def test_what_no_secret_opens_is_counted_and_left_as_it_is():
    reseal = second_factor.resealing("new", ["old", "older"])
    mine = second_factor.Whose(uuid.uuid4(), "totp")
    sealed = second_factor.seal("JBSWY3DPEHPK3PXP", "older", mine)
    again = reseal(sealed, *mine)
    assert again is not None
    assert second_factor.opened(again, ["new"], mine) == "JBSWY3DPEHPK3PXP"
    assert reseal(again, *mine) == again
    assert reseal(second_factor.seal("x", "a stranger's", mine), *mine) is None
    assert reseal("not base64 of anything", *mine) is None
    assert reseal(sealed, uuid.uuid4(), "totp") is None, "a row that was moved is not sealed anew for its new account"
    assert reseal(sealed, mine.user, "recovery_codes") is None


def test_letters_and_bans_go_on_while_the_old_secret_is_believed(installation, monkeypatch):
    here, by = "198.51.100.77", people.installer()
    digest = codes.keyed("letter", b"ABCD")
    people.ban_address(here, dt.timedelta(hours=1), by=by)
    before = settings.SECRET_KEY
    monkeypatch.setattr(settings, "SECRET_KEY", "the next one")
    assert not codes.is_keyed(digest, "letter", b"ABCD"), "a stolen one is believed no more"
    monkeypatch.setattr(settings, "SECRET_KEY_FALLBACKS", [before])
    addresses.look()
    try:
        assert codes.is_keyed(digest, "letter", b"ABCD")
        assert not codes.is_keyed(digest, "letter", b"ABCE")
        assert addresses.is_banned(here)
    finally:
        people.end_ban(here, by=by)
    addresses.look()
    assert not addresses.is_banned(here)


def test_one_that_was_announced_is_believed_before_it_signs(tmp_path):
    now = dt.datetime(2026, 5, 4, tzinfo=dt.UTC)
    first, others = secret_key.read(tmp_path, now)
    assert others == []
    made = secret_key.announce(tmp_path, now=now, overlap=secret_key.OVERLAP)
    assert secret_key.read(tmp_path, now) == (first, [made])
    secret_key.promote(tmp_path, made, now=now, overlap=secret_key.OVERLAP)
    assert secret_key.read(tmp_path, now) == (made, [first])
    assert secret_key.read(tmp_path, now + secret_key.OVERLAP) == (made, [])
    secret_key.end_others(tmp_path)
    assert secret_key.read(tmp_path, now) == (made, [])
