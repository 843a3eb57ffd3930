"""When a session ends: after 12 hours or half an hour idle for staff, after 30 and 14 days for others."""

from __future__ import annotations

import datetime as dt

import pytest

from parcelward.people import rules

NOW = dt.datetime(2026, 5, 4, 12, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)


@pytest.mark.asvs("7.3.1")
@pytest.mark.parametrize(("staff", "idle"), [(True, dt.timedelta(minutes=30)), (False, dt.timedelta(days=14))])
def test_an_idle_session_ends(staff: bool, idle: dt.timedelta) -> None:
    assert rules.session_holds(NOW - idle, NOW - idle, now=NOW, staff=staff)
    assert not rules.session_holds(NOW - idle - SECOND, NOW - idle - SECOND, now=NOW, staff=staff)


@pytest.mark.asvs("7.3.2")
@pytest.mark.parametrize(("staff", "whole"), [(True, dt.timedelta(hours=12)), (False, dt.timedelta(days=30))])
def test_a_session_in_use_ends_too(staff: bool, whole: dt.timedelta) -> None:
    assert rules.session_holds(NOW - whole, NOW, now=NOW, staff=staff)
    assert not rules.session_holds(NOW - whole - SECOND, NOW, now=NOW, staff=staff)
