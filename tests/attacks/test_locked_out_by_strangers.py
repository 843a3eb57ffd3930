"""What strangers do to a mailbox never keeps its owner from signing in."""

from __future__ import annotations

import contextlib
import datetime as dt
import os

import pytest
from django.db import connection

from parcelward.people import codes, proofing_rules
from parcelward.people.errors import TooManyCodes

pytestmark = pytest.mark.usefixtures("installation")


def strangers_ask(email: str) -> None:
    """Use up what is sent to a mailbox at once, from as many browsers."""
    now = dt.datetime.now(dt.UTC)
    with contextlib.suppress(TooManyCodes):
        for _ in range(2 * proofing_rules.PER_RECIPIENT_FREE):
            codes.issue("sign_in", codes.recipient(email), os.urandom(16), now=now)
        pytest.fail("nothing is ever too much")


def test_the_owner_waits_once_and_has_their_code_then(browser):
    email, owner = f"owner-{os.urandom(4).hex()}@example.com", browser()
    strangers_ask(email)
    assert owner.ask_code(email).status_code == 429
    with connection.cursor() as cur:  # five minutes later
        cur.execute("UPDATE people_code SET issued_at = issued_at - interval '5 minutes' WHERE digest IS NULL")
    assert owner.ask_code(email).status_code == 302


def test_a_browser_that_signed_in_before_does_not_wait(browser, installation):
    email, owner = f"owner-{os.urandom(4).hex()}@example.com", browser()
    assert owner.by_code(email, installation.home).status_code == 302
    owner.post("/accounts/sign-out", "/app/account")
    strangers_ask(email)
    assert owner.ask_code(email).status_code == 302
