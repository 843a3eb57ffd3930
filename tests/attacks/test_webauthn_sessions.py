"""A challenge is good once, for one browser, for minutes; a form counts from our own page; a session is one's own."""

from __future__ import annotations

import datetime as dt
import json
from functools import partial

import httpx
import pytest
from tests.at_once import at_once
from tests.attacks.passkey_door import REFUSED, Near, nothing_done
from tests.passkey import UP, Passkey

from parcelward.base import config
from parcelward.people.models import Challenge, SignedIn

HERE = config.get().public_url
PROVE, PROVE_OPTIONS = "/app/account/prove", "/app/account/prove/options"


@pytest.fixture
def mine(link):
    """Somebody who has joined with a passkey and signed out, in a browser of their own."""
    browser = Near()
    assert browser.join(link()).status_code == 302
    browser.sign_out()
    yield browser
    browser.http.close()


def refused(answer: httpx.Response, status: int = 401) -> None:
    assert answer.status_code == status, answer.text
    if status == 401:
        assert REFUSED in answer.text or "answered before" in answer.text


@pytest.mark.asvs("6.6.2")
def test_a_challenge_of_another_browser_is_not_mine(mine):
    thief = Near()
    answer = mine.passkey.get(mine.options())
    thief.options()
    with nothing_done():
        refused(thief.answer(answer))
        assert not thief.signed_in()
    assert mine.sign_in().status_code == 302


@pytest.mark.asvs("2.3.1")
def test_an_answer_in_a_browser_that_asked_nothing_opens_nothing(mine):
    stranger = Near()
    answer = mine.passkey.get(mine.options())
    with nothing_done():
        refused(stranger.answer(answer))
    assert not stranger.signed_in()


@pytest.mark.asvs("6.5.1")
def test_a_challenge_is_answered_once(mine):
    answer = mine.passkey.get(mine.options())
    assert mine.answer(answer).status_code == 302
    mine.sign_out()
    with nothing_done():
        refused(mine.answer(answer))
        mine.options()
        refused(mine.answer(answer))
        assert not mine.signed_in()


def test_a_refused_answer_uses_its_challenge_up(mine):
    options = mine.options()
    with nothing_done():
        refused(mine.answer(mine.passkey.get(options, flags=UP)))
        refused(mine.answer(mine.passkey.get(options)))
    assert not mine.signed_in()


def test_of_twenty_answers_at_once_one_signs_in(mine):
    token, options = mine.token("/accounts/sign-in"), mine.options()
    cookies = dict(mine.http.cookies)
    passkey = mine.passkey
    answers = [json.dumps(passkey.get(options)) for _ in range(20)]
    mine.http.close()

    def send(credential: str) -> int:
        browser = Near()
        browser.http.cookies.update(cookies)
        sent = {"csrfmiddlewaretoken": token, "credential": credential}
        return browser.http.post("/accounts/sign-in/passkey", data=sent).status_code

    before = SignedIn.objects.count()
    said = at_once(*(partial(send, one) for one in answers))
    assert said.count(302) == 1, said
    assert set(said) <= {302, 400, 401}, said
    assert SignedIn.objects.count() == before + 1


@pytest.mark.asvs("6.5.5")
def test_a_challenge_is_good_for_ten_minutes(mine):
    options = mine.options()
    Challenge.objects.all().update(made_at=dt.datetime.now(dt.UTC) - dt.timedelta(minutes=10, seconds=1))
    with nothing_done():
        refused(mine.answer(mine.passkey.get(options)))
    assert not mine.signed_in()
    assert mine.sign_in().status_code == 302


@pytest.mark.asvs("7.4.1")
def test_an_answer_after_signing_out_opens_nothing(mine):
    mine.sign_in()
    asked = mine.post(PROVE_OPTIONS, "/app/account").json()
    answer = mine.passkey.get(asked)
    mine.sign_out()
    with nothing_done():
        refused(mine.answer(answer))
        assert mine.http.post(PROVE, data={"credential": json.dumps(answer)}).status_code == 403
        assert not mine.signed_in()


@pytest.mark.asvs("3.5.1")
@pytest.mark.parametrize("address", ["/accounts/sign-in/passkey", "/accounts/sign-in/passkey/options"])
@pytest.mark.parametrize("how", ["no token", "a token of another browser", "another site's page"])
def test_a_form_from_elsewhere_does_nothing(mine, how, address):
    answer, token = mine.passkey.get(mine.options()), mine.token("/accounts/sign-in")
    headers = {"Origin": "https://evil.example"} if how == "another site's page" else {}
    sent = {"credential": json.dumps(answer), "csrfmiddlewaretoken": token}
    if how == "no token":
        del sent["csrfmiddlewaretoken"]
    elif how == "a token of another browser":
        sent["csrfmiddlewaretoken"] = Near().token("/accounts/sign-in")
    with nothing_done():
        refused(mine.http.post(address, data=sent, headers=headers), 403)
        assert not mine.signed_in()


@pytest.mark.asvs("3.5.1")
def test_over_https_a_form_with_a_foreign_or_no_referer_does_nothing(mine):
    from django.test import Client

    client = Client(enforce_csrf_checks=True, SERVER_NAME="localhost", REMOTE_ADDR="10.9.8.7")
    page = client.get("/accounts/sign-in", secure=True)
    token = page.content.decode().split('csrfmiddlewaretoken" value="')[1].split('"')[0]
    sent = {"csrfmiddlewaretoken": token, "credential": "{}"}
    with nothing_done():
        for referer in ("https://evil.example/", "https://localhost.evil.example/", "http://localhost/", ""):
            answer = client.post("/accounts/sign-in/passkey", sent, secure=True, headers={"Referer": referer})
            assert answer.status_code == 403, referer
        ours = client.post("/accounts/sign-in/passkey", sent, secure=True, headers={"Referer": "https://localhost/"})
        assert ours.status_code == 401, "from our own page it is looked at"


@pytest.mark.asvs("7.2.2", "7.2.4")
def test_a_session_that_was_planted_is_not_the_one_that_signs_in(mine):
    mine.options()
    planted = mine.http.cookies["session"]
    assert mine.sign_in().status_code == 302
    assert mine.http.cookies["session"] != planted
    thief = Near()
    thief.http.cookies.set("session", planted)
    assert not thief.signed_in()


@pytest.mark.asvs("7.2.4")
def test_a_new_proof_leaves_a_copied_session_outside(mine):
    mine.sign_in()
    thief = Near()
    thief.http.cookies.set("session", copied := mine.http.cookies["session"])
    assert thief.signed_in()
    assert mine.prove().status_code == 302
    assert mine.signed_in()
    assert mine.http.cookies["session"] != copied
    assert not thief.signed_in()


@pytest.mark.asvs("7.2.4")
def test_signing_in_again_leaves_one_session_in_this_browser(mine):
    mine.sign_in()
    options = mine.post("/accounts/sign-in/passkey/options", "/app/account").json()
    answer = json.dumps(mine.passkey.get(options))
    assert mine.post("/accounts/sign-in/passkey", "/app/account", credential=answer).status_code == 302
    assert mine.signed_in()
    assert SignedIn.objects.filter(user=mine.passkey.user_handle.decode(), ended_at=None).count() == 1


@pytest.mark.asvs("7.5.1")
def test_only_ones_own_verified_passkey_is_a_fresh_proof(mine, link):
    other = Near()
    other.join(link())
    mine.sign_in()
    bends = (
        lambda k, o: k.get(o, flags=UP),
        lambda k, o: k.get(o, origin="https://evil.example"),
        lambda k, o: k.get(o, handle=other.passkey.user_handle),
        lambda k, o: k.get(o, handle=b""),
        lambda k, o: other.passkey.get(o),
        lambda k, o: other.passkey.get(o, handle=mine.passkey.user_handle),
        lambda k, o: Passkey(HERE).get(o),
        lambda k, o: k.get(other.post(PROVE_OPTIONS, "/app/account").json()),
    )
    with nothing_done():
        for bend in bends:
            answer = bend(mine.passkey, mine.post(PROVE_OPTIONS, "/app/account").json())
            refused(mine.post(PROVE, "/app/account", credential=json.dumps(answer)))
    assert mine.prove().status_code == 302


@pytest.mark.asvs("16.2.5")
def test_no_line_of_the_log_names_a_credential(mine, caplog):
    caplog.set_level("DEBUG")
    mine.sign_in()
    mine.sign_out()
    mine.answer(mine.passkey.get(mine.options(), flags=UP))
    lines = "\n".join(record.getMessage() for record in caplog.records if record.levelname != "DEBUG")
    for secret in (mine.passkey.id.hex(), mine.passkey.user_handle.decode()):
        assert secret not in lines
