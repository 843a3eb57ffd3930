"""When a message is sent again, and when it is given up: the schedule that is promised, to the second."""

from __future__ import annotations

import base64
import datetime as dt

import pytest

from parcelward.shipping.webhooks import rules, signing

NOW = dt.datetime(2026, 11, 27, 8, tzinfo=dt.UTC)


def test_the_pauses_are_those_that_are_promised_and_then_it_is_parked():
    pauses = [rules.next_try(n, now=NOW) for n in range(1, 11)]
    assert [None if one is None else (one - NOW).total_seconds() for one in pauses] == [
        *(5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400),
        None,
    ]


@pytest.mark.parametrize(
    ("status", "asked", "wait_s"),
    [(503, "60", 60), (429, "60", 60), (500, "60", 5), (503, "1", 5), (503, "999999", 86_400), (503, "soon", 5)],
)
def test_an_endpoint_may_ask_for_a_longer_pause_of_a_day_at_most(status, asked, wait_s):
    assert rules.next_try(1, now=NOW, status=status, retry_after=asked) == NOW + dt.timedelta(seconds=wait_s)


def test_an_endpoint_is_paused_after_days_without_an_arrival_and_at_once_when_it_is_gone():
    day = dt.timedelta(days=1)
    assert rules.pauses(None, now=NOW, status=500) == ""
    assert rules.pauses(NOW - 4 * day, now=NOW, status=500) == ""
    assert rules.pauses(NOW - 5 * day, now=NOW, status=0) == "failing"
    assert rules.pauses(None, now=NOW, status=410) == "gone"


@pytest.mark.parametrize(("status", "good"), [(200, True), (204, True), (299, True), (199, False), (301, False)])
def test_any_2xx_says_that_it_arrived(status, good):
    assert rules.arrived(status) is good


def test_a_signature_is_that_of_the_published_example():
    """The example of the Standard Webhooks text and of its libraries."""
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    said = signing.headers("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}', [secret])
    assert said["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert signing.shown(secret) == "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_newer_ids_sort_behind():
    ids = [rules.time_ordered(bytes([255 - n] * 10), now=NOW + dt.timedelta(milliseconds=n)) for n in range(5)]
    assert ids == sorted(ids)
    assert {each.version for each in ids} == {7}
