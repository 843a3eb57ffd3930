"""Neither the answer nor its time tells whether there is such an account, such a passkey, or one that is locked."""

from __future__ import annotations

import json
import statistics
import time

import pytest
from tests.attacks.passkey_door import Near, shape
from tests.passkey import Passkey, b64

from parcelward.base import config
from parcelward.people import actions
from parcelward.people.models import User

HERE = config.get().public_url
TRIES = 60
GAP_MAX_S = 0.005


@pytest.fixture
def cases(link) -> dict[str, Passkey]:
    """Return passkeys by what is true of them; each signs with a key that is not the stored one."""
    found: dict[str, Passkey] = {}
    for case in ("known", "locked"):
        browser = Near()
        browser.join(link())
        found[case] = browser.passkey
        found[case].key = Passkey(HERE).key
    actions.lock_person(User.objects.get(id=found["locked"].user_handle.decode()).login, by=actions.installer())
    found["known, another credential"] = other = Passkey(HERE)
    other.user_handle = found["known"].user_handle
    found["unknown"] = nobody = Passkey(HERE)
    nobody.user_handle = b"6b1f3a4e-1111-4000-8000-00000000abcd"
    found["unknown, a known credential"] = half = Passkey(HERE)
    half.user_handle, half.id = nobody.user_handle, found["known"].id
    return found


def medians(cases: dict[str, Passkey], took: dict[str, list[float]]) -> dict[str, float]:
    """Return how long each case's answer takes, interleaved so that a busy moment falls on all alike."""
    for _ in range(TRIES):
        for case, passkey in cases.items():
            browser = Near()  # an address of its own: what is measured is not the throttle
            credential = json.dumps(passkey.get(browser.options()))
            sent = {"csrfmiddlewaretoken": browser.token("/accounts/sign-in"), "credential": credential}
            began = time.perf_counter()
            answer = browser.http.post("/accounts/sign-in/passkey", data=sent)
            took[case].append(time.perf_counter() - began)
            assert answer.status_code == 401
            browser.http.close()
    return {case: statistics.median(times) for case, times in took.items()}


def test_the_answer_is_the_same_whoever_there_is(cases):
    answers = set()
    for passkey in cases.values():
        browser = Near()
        answers.add(shape(browser.answer(passkey.get(browser.options()))))
    assert len(answers) == 1


@pytest.mark.slow
def test_the_time_is_the_same_whoever_there_is(cases):
    took: dict[str, list[float]] = {case: [] for case in cases}
    for _round in range(8):  # a busy machine gets more tries, all of which count
        found = medians(cases, took)
        gap = max(found.values()) - min(found.values())
        if gap < GAP_MAX_S:
            break
    print({case: round(median * 1000, 2) for case, median in found.items()}, "ms; gap", round(gap * 1000, 2))
    assert gap < GAP_MAX_S, found


def test_what_is_offered_to_sign_with_is_the_same_for_all(cases):
    """A challenge and nothing else: no list of credentials, which would name an account's."""
    for _ in range(2):
        options = Near().options()["publicKey"]
        assert not options.get("allowCredentials")
        assert {len(options["challenge"])} == {len(b64(bytes(32)))}
        assert "user" not in options
