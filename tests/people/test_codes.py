"""Short codes by message: right once, in one browser, for ten minutes; and no stranger keeps the owner out."""

from __future__ import annotations

import datetime as dt
import os
import random
import statistics
import time

import pytest
from django.db import connection, transaction
from django.utils import timezone
from tests.at_once import at_once

from parcelward.people import codes
from parcelward.people import proofing_rules as rules
from parcelward.people.errors import BadCode, TooManyCodes
from parcelward.people.models import Code

pytestmark = pytest.mark.usefixtures("installation")
MINUTE = dt.timedelta(minutes=1)
NOW = timezone.now()


def somebody():
    return os.urandom(32)


def wrong(code):
    return f"{(int(code) + 1) % 10 ** len(code):0{len(code)}d}"


def refused(*args, **kwargs):
    with pytest.raises(BadCode) as err:
        codes.spend(*args, **kwargs)
    return err.value


@pytest.mark.asvs("6.5.1")
def test_a_code_is_right_once():
    owner = somebody()
    code = codes.issue("sign_in", owner, b"browser", now=NOW)
    assert len(code) == 6
    assert code.isdigit()
    codes.spend("sign_in", owner, b"browser", code, now=NOW + MINUTE)
    refused("sign_in", owner, b"browser", code, now=NOW + MINUTE)


@pytest.mark.parametrize("shape", ["{a} {b}", "{a}-{b}", " {a}\u00a0{b}\n", "{a}\u2013{b}\u200b"])
def test_spaces_and_dashes_are_no_part_of_a_code_and_do_not_make_it_another(shape):
    owner = somebody()
    code = codes.issue("sign_in", owner, b"browser", now=NOW)
    typed = shape.format(a=code[:3], b=code[3:])
    codes.spend("sign_in", owner, b"browser", typed, now=NOW)
    for again in (code, typed, f" {code} ", "-".join(code)):
        refused("sign_in", owner, b"browser", again, now=NOW)


def test_digits_of_any_script_are_digits():
    assert rules.normal_code("\uff11\uff12\uff13 \u0664\u0665\u0666") == "123456"
    assert rules.normal_code("abc-DEF") == "ABCDEF"


@pytest.mark.asvs("6.5.5")
def test_a_code_holds_for_ten_minutes():
    owner = somebody()
    code = codes.issue("sign_in", owner, b"browser", now=NOW)
    refused("sign_in", owner, b"browser", code, now=NOW + 10 * MINUTE)
    codes.spend("sign_in", owner, b"browser", code, now=NOW + 10 * MINUTE - dt.timedelta(seconds=1))


@pytest.mark.asvs("6.3.1", "6.6.3")
def test_five_tries_and_the_right_one_is_too_late():
    owner = somebody()
    code = codes.issue("sign_in", owner, b"browser", now=NOW)
    for _ in range(5):
        refused("sign_in", owner, b"browser", wrong(code), now=NOW)
    refused("sign_in", owner, b"browser", code, now=NOW)
    owner = somebody()
    code = codes.issue("sign_in", owner, b"browser", now=NOW)
    for _ in range(4):
        refused("sign_in", owner, b"browser", wrong(code), now=NOW)
    codes.spend("sign_in", owner, b"browser", code, now=NOW)


@pytest.mark.asvs("6.6.2")
def test_a_code_is_for_its_purpose_recipient_and_browser_alone():
    owner, other = somebody(), somebody()
    code = codes.issue("sign_in", owner, b"browser", now=NOW)
    refused("confirm_email", owner, b"browser", code, now=NOW)
    refused("sign_in", other, b"browser", code, now=NOW)
    refused("sign_in", owner, b"another browser", code, now=NOW)
    # Parts do not run together, so no other cut of the same bytes is the same slot.
    refused("sign_i", owner, b"nbrowser", code, now=NOW)
    assert Code.objects.get(recipient=codes._owner("sign_in", owner)).tries == 0, "strangers' tries are not the owner's"
    codes.spend("sign_in", owner, b"browser", code, now=NOW)


@pytest.mark.asvs("6.6.2")
def test_a_new_code_ends_the_old():
    owner = somebody()
    old = codes.issue("sign_in", owner, b"browser", now=NOW)
    new = codes.issue("sign_in", owner, b"browser", now=NOW + MINUTE)
    if old != new:
        refused("sign_in", owner, b"browser", old, now=NOW + MINUTE)
    codes.spend("sign_in", owner, b"browser", new, now=NOW + MINUTE)
    refused("sign_in", owner, b"browser", old, now=NOW + MINUTE)


def test_a_code_in_another_browser_ends_none():
    owner = somebody()
    mine = codes.issue("sign_in", owner, b"mine", now=NOW)
    codes.issue("sign_in", owner, b"a stranger's", now=NOW + MINUTE)
    codes.spend("sign_in", owner, b"mine", mine, now=NOW + MINUTE)


def kinds(outcomes):
    """Return what each got: the kind of a refusal, else what it is."""
    return [type(each) if isinstance(each, BadCode | TooManyCodes) else each for each in outcomes]


@pytest.mark.asvs("6.5.1")
def test_of_twenty_right_answers_at_once_one_succeeds():
    owner = somebody()
    code = codes.issue("sign_in", owner, b"browser", now=NOW)
    found = kinds(at_once(*[lambda: codes.spend("sign_in", owner, b"browser", code, now=NOW)] * 20))
    assert sorted(map(str, found)) == sorted(map(str, [None, *[BadCode] * 19]))


@pytest.mark.asvs("6.6.3")
def test_of_twenty_guesses_at_once_five_are_looked_at():
    owner = somebody()
    code = codes.issue("sign_in", owner, b"browser", now=NOW)
    found = kinds(at_once(*[lambda: codes.spend("sign_in", owner, b"browser", wrong(code), now=NOW)] * 20))
    assert found == [BadCode] * 20
    assert Code.objects.get(recipient=codes._owner("sign_in", owner)).tries == 5


def test_twenty_requests_at_once_give_five_codes_of_which_one_is_right():
    owner = somebody()
    found = kinds(at_once(*[lambda: codes.issue("sign_in", owner, b"browser", now=NOW)] * 20))
    assert found.count(TooManyCodes) == 15
    live = Code.objects.filter(recipient=codes._owner("sign_in", owner), expires_at__gt=NOW)
    assert live.count() == 1


def test_inside_another_transaction_neither_is_done():
    owner = somebody()
    code = codes.issue("sign_in", owner, b"browser", now=NOW)
    for act in (
        lambda: codes.spend("sign_in", owner, b"browser", code, now=NOW),
        lambda: codes.issue("sign_in", owner, b"browser", now=NOW),
    ):
        with pytest.raises(RuntimeError), transaction.atomic():
            act()
    codes.spend("sign_in", owner, b"browser", code, now=NOW)


@pytest.mark.asvs("2.3.2")
def test_a_browser_gets_five_codes_an_hour():
    owner = somebody()
    for minute in range(5):
        codes.issue("sign_in", owner, b"browser", now=NOW + minute * MINUTE)
    with pytest.raises(TooManyCodes) as err:
        codes.issue("sign_in", owner, b"browser", now=NOW + 5 * MINUTE)
    assert err.value.retry_after_s == 55 * 60
    codes.issue("sign_in", owner, b"browser", now=NOW + 61 * MINUTE)


def flood(owner, n, *, now):
    """Ask as strangers do: each time in a new browser, from a new network."""
    sent = 0
    for nth in range(n):
        try:
            codes.issue("sign_in", owner, b"stranger" + os.urandom(4), now=now, network=f"net {nth // 50}".encode())
            sent += 1
        except TooManyCodes:
            pass
    return sent


@pytest.mark.asvs("6.3.1")
def test_strangers_do_not_lock_the_owner_out_and_do_not_flood_them():
    owner = somebody()
    assert flood(owner, 100, now=NOW) == 10, "so many messages and no more come in an hour from browsers that just ask"
    later = NOW + MINUTE
    with pytest.raises(TooManyCodes) as err:
        codes.issue("sign_in", owner, b"owner's new browser", now=later, network=b"home")
    assert err.value.retry_after_s == 300
    assert flood(owner, 100, now=later + MINUTE) == 0
    with pytest.raises(TooManyCodes):
        codes.issue("sign_in", owner, b"owner's new browser", now=later + 4 * MINUTE, network=b"home")
    code = codes.issue("sign_in", owner, b"owner's new browser", now=later + 5 * MINUTE, network=b"home")
    codes.spend("sign_in", owner, b"owner's new browser", code, now=later + 6 * MINUTE)


def test_the_owners_known_browser_does_not_wait_at_all():
    owner, network = somebody(), os.urandom(8)
    code = codes.issue("sign_in", owner, b"known", now=NOW - dt.timedelta(days=29))
    codes.spend("sign_in", owner, b"known", code, now=NOW - dt.timedelta(days=29))
    flood(owner, 30, now=NOW)
    for _ in range(60):  # somebody in the same network uses up its requests
        codes.issue("sign_in", somebody(), b"b", now=NOW, network=network)
    with pytest.raises(TooManyCodes):
        codes.issue("sign_in", somebody(), b"b", now=NOW, network=network)
    codes.issue("sign_in", owner, b"known", now=NOW, network=network)


@pytest.mark.asvs("6.5.4", "6.6.3")
def test_guessing_from_many_browsers_makes_codes_longer_and_never_locks():
    owner = somebody()
    for nth in range(6):
        browser = f"guesser {nth}".encode()
        code = codes.issue("sign_in", owner, browser, now=NOW)
        assert len(code) == 6
        for _ in range(5):
            refused("sign_in", owner, browser, wrong(code), now=NOW)
    code = codes.issue("sign_in", owner, b"the owner's", now=NOW)
    assert len(code) == 10
    codes.spend("sign_in", owner, b"the owner's", f"{code[:5]} {code[5:]}", now=NOW)
    assert len(codes.issue("sign_in", owner, b"the owner's", now=NOW + 61 * MINUTE)) == 6


def test_every_refusal_is_the_same():
    owner = somebody()
    never = refused("sign_in", owner, b"browser", "123456", now=NOW)
    code = codes.issue("sign_in", owner, b"browser", now=NOW)
    false = refused("sign_in", owner, b"browser", wrong(code), now=NOW)
    odd = refused("sign_in", owner, b"browser", "not \x00 a code" * 50, now=NOW)
    late = refused("sign_in", owner, b"browser", code, now=NOW + 11 * MINUTE)
    codes.spend("sign_in", owner, b"browser", code, now=NOW)
    used = refused("sign_in", owner, b"browser", code, now=NOW)
    seen = {(e.code, e.status, e.message, e.retry_after_s, e.problems) for e in (never, false, odd, late, used)}
    assert len(seen) == 1


def test_no_time_tells_whether_a_code_was_sent():
    gaps: list[float] = []  # seconds by which a wrong code for one that was sent took longer than for none beside it
    with connection.cursor() as cur:
        cur.execute("SET synchronous_commit = off")  # a counted try is written: how fast this disk is, is not asked
    try:
        for _round in range(10):  # a busy machine gets more pairs, all of which count
            for _ in range(60):
                owner, other = somebody(), somebody()
                codes.issue("sign_in", owner, b"browser", now=NOW)
                took: dict[bytes, float] = {}
                for who in random.sample((owner, other), 2):
                    start = time.perf_counter()
                    refused("sign_in", who, b"browser", "0000000", now=NOW)
                    took[who] = time.perf_counter() - start
                gaps.append(took[owner] - took[other])
            if abs(statistics.median(gaps)) < 0.005:
                break
    finally:
        with connection.cursor() as cur:
            cur.execute("RESET synchronous_commit")
    assert abs(statistics.median(gaps)) < 0.005


def test_neither_code_nor_recipient_nor_browser_is_stored():
    owner = somebody()
    code = codes.issue("sign_in", owner, b"browser-canary", now=NOW, network=b"network-canary")
    row = Code.objects.get(recipient=codes._owner("sign_in", owner))
    stored = b"|".join(bytes(value or b"") for value in (row.slot, row.recipient, row.network, row.digest))
    for canary in (code.encode(), owner, b"canary"):
        assert canary not in stored


def test_rows_that_no_limit_looks_at_are_deleted():
    owner = somebody()
    ago = NOW - dt.timedelta(days=40)
    spent = codes.issue("sign_in", owner, b"one", now=ago)
    codes.spend("sign_in", owner, b"one", spent, now=ago)
    codes.issue("sign_in", owner, b"two", now=ago)
    codes.issue("sign_in", somebody(), b"three", now=NOW)
    assert not Code.objects.filter(recipient=codes._owner("sign_in", owner)).exists()


def test_callers_bugs_are_said():
    for purpose, recipient, binding in (("", somebody(), b"b"), ("p", b"short", b"b"), ("p", somebody(), b"")):
        with pytest.raises(ValueError, match="a code "):
            codes.issue(purpose, recipient, binding, now=NOW)
