"""A session that was idle too long, or is too old, opens nothing: asked at every request, whatever the cookie says."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone
from tests.attacks.passkey_door import Near

from parcelward.doors.portals.accounts import guard

MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[dt.timedelta], None]:
    """Return what moves the clock by which sessions are looked at."""
    ahead = dt.timedelta()

    def move(by: dt.timedelta) -> None:
        nonlocal ahead
        ahead += by

    monkeypatch.setattr(guard, "timezone", SimpleNamespace(now=lambda: timezone.now() + ahead))
    return move


@pytest.fixture
def one(installation: Any) -> Iterator[Near]:
    mine = Near()
    yield mine
    mine.http.close()


def clerk(one: Near, link: Any, _installation: Any) -> Near:
    assert one.join(link("clerk")).status_code == 302
    return one


def reader(one: Near, _link: Any, installation: Any) -> Near:
    assert one.by_code(f"idle-{os.urandom(4).hex()}@example.com", installation.home).status_code == 302
    return one


@pytest.mark.asvs("7.3.1")
@pytest.mark.parametrize(("who", "idle"), [(clerk, 30 * MINUTE), (reader, 14 * DAY)])
def test_who_was_idle_too_long_signs_in_again(
    one: Near, link: Any, installation: Any, later: Any, who: Any, idle: dt.timedelta
) -> None:
    mine = who(one, link, installation)
    later(idle - 2 * MINUTE)
    assert mine.signed_in()
    later(idle + MINUTE)
    answer = mine.http.get("/app/account")
    assert answer.status_code == 302
    assert answer.headers["location"].startswith("/accounts/sign-in")
    later(-idle)
    assert not mine.signed_in(), "a clock that is put back opens it again"


@pytest.mark.asvs("7.3.2")
@pytest.mark.parametrize(("who", "whole", "step"), [(clerk, 12 * HOUR, 25 * MINUTE), (reader, 30 * DAY, 13 * DAY)])
def test_a_session_in_use_ends_too(
    one: Near, link: Any, installation: Any, later: Any, who: Any, whole: dt.timedelta, step: dt.timedelta
) -> None:
    mine = who(one, link, installation)
    passed = dt.timedelta()
    while passed + step < whole:
        later(step)
        passed += step
        assert mine.signed_in(), passed
    later(whole - passed + MINUTE)
    assert not mine.signed_in()
