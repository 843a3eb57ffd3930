"""A code by e-mail signs somebody in, or makes their account; before it is typed nobody learns which."""

from __future__ import annotations

import os
import random
import re
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from parcelward.base.vault import VaultToken
from parcelward.people.models import Evidence, SignedIn, User
from parcelward.privacy import queries as privacy


@pytest.fixture
def email():
    return f"reader-{os.urandom(4).hex()}@example.com"


def test_the_first_code_makes_an_account_and_the_next_one_opens_it(browser, installation, email):
    first, second = browser(), browser()
    before = User.objects.count()
    answer = first.by_code(email, installation.home)
    assert (answer.status_code, answer.headers.get("location")) == (302, "/app/"), answer.text
    assert User.objects.count() == before + 1
    user = User.objects.latest("created_at")
    assert email not in user.login
    assert user.token is not None
    assert privacy.kept(VaultToken(user.token)).expires_at is None
    assert second.by_code(email, installation.home).status_code == 302
    assert User.objects.count() == before + 1
    assert SignedIn.objects.filter(user=user, ended_at=None, method="code").count() == 2
    assert "You act as addressee" in first.http.get("/app/account").text
    (proven,) = Evidence.objects.filter(user=user)  # by either sign-in: again within a month changes nothing
    assert (proven.method, proven.token, proven.ended_at) == ("email_code", user.token, None)
    assert "You have not proven anything yet" not in first.http.get("/app/proofing").text


def test_an_address_is_written_in_many_ways(browser, installation, email):
    browser().by_code(email, installation.home)
    before = User.objects.count()
    browser().by_code(email.replace("reader", "READER"), installation.home)
    assert User.objects.count() == before


@pytest.mark.asvs("16.5.1")
def test_a_wrong_code_opens_nothing_and_says_no_more(browser, installation, email):
    mine = browser()
    mine.ask_code(email)
    before = User.objects.count()
    for wrong in ("000000", "", "abc", "0" * 4000, "\u0660" * 6):
        answer = mine.type_code(wrong)
        assert answer.status_code == 422
        assert "This code is not right" in answer.text
    assert not mine.signed_in()
    assert User.objects.count() == before


@pytest.mark.asvs("6.6.2")
def test_a_code_belongs_to_the_browser_that_asked(browser, installation, email):
    from tests.passkey import code_in

    mine, thief = browser(), browser()
    mine.ask_code(email)
    code = code_in(installation.home, email)
    thief.ask_code(f"thief-{email}")
    assert thief.type_code(code).status_code == 422
    assert not thief.signed_in()
    assert mine.type_code(f"{code[:3]} {code[3:]}").status_code == 302
    assert mine.signed_in()


def test_two_browsers_that_sign_up_at_once_are_one_account(browser, installation, email):
    from tests.passkey import code_in

    both = [browser(), browser()]
    codes: list[str] = []
    for one in both:
        one.ask_code(email)
        codes.append(code_in(installation.home, email, before=len(codes)))
    before = User.objects.count()
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda pair: pair[0].type_code(pair[1]), zip(both, codes, strict=True)))
    assert [answer.status_code for answer in answers] == [302, 302]
    assert User.objects.count() == before + 1


def test_an_address_that_is_none_is_said_to_be_and_still_there(browser):
    answer = browser().ask_code("anna at example")
    assert answer.status_code == 422
    assert 'value="anna at example"' in answer.text
    assert "Enter an e-mail address in full" in answer.text


def test_neither_words_nor_time_tell_who_has_an_account(browser, installation, email):
    """Interleaved, so that whatever slows the machine slows both."""
    known_ones = [f"{n}-{email}" for n in range(18)]  # of one recipient few codes an hour are sent at once
    for each in known_ones:
        browser().by_code(each, installation.home)
    shape: dict[bool, set[str]] = {True: set(), False: set()}
    gaps: list[float] = []  # seconds by which an answer about an account took longer than the one about none beside it

    def took(typed: str, *, known: bool) -> float:
        mine = browser()
        token = mine.token("/accounts/sign-in")
        sent = {"csrfmiddlewaretoken": token, "email": typed}
        began = time.perf_counter()
        answer = mine.http.post("/accounts/sign-in/code", data=sent, headers={"Referer": mine.url})
        shape[known].add(f"{answer.status_code} {answer.headers.get('location')}")
        return time.perf_counter() - began

    for _round in range(10):  # a busy machine gets more pairs, all of which count
        for _pair in range(15):
            about = {True: known_ones[len(gaps) % 18], False: f"nobody-{os.urandom(4).hex()}@example.com"}
            pair = {known: took(about[known], known=known) for known in random.sample((True, False), 2)}
            gaps.append(pair[True] - pair[False])
        gap_ms = abs(statistics.median(gaps)) * 1000
        if gap_ms < 5:
            break
    assert gap_ms < 5, gap_ms
    assert "302 /accounts/sign-in/code/typed" in shape[False]


@pytest.mark.asvs("14.2.4", "16.2.5")
def test_the_address_is_nowhere_but_in_the_vault(browser, installation, email):
    mine = browser()
    mine.by_code(email, installation.home)
    for address in ("/app/", "/app/account", "/app/account/prove"):
        assert email not in mine.http.get(address).text
    from django.db import connection

    with connection.cursor() as cur:
        for table in ("django_session", "people_user", "people_code", "people_securityevent", "privacy_person"):
            cur.execute(f"SELECT count(*) FROM {table} t WHERE t::text ILIKE %s", [f"%{email.split('@')[0]}%"])
            assert cur.fetchone() == (0,), table
    assert not re.search(re.escape(email), (installation.home / "up.log").read_text())
