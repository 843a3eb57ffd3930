"""Places and lanes: the same description twice changes nothing, and a lane's next departure is in local time."""

from __future__ import annotations

import datetime as dt
from typing import Any

import httpx
import pytest

from parcelward.network import rules

ZONE = "America/Chicago"


def at(text):
    return dt.datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("after", "closed", "leaves"),
    [
        ("2026-07-01T12:00:00+00:00", (), "2026-07-01T13:30:00+00:00"),  # 07:00 there; 08:30 is next
        ("2026-07-01T13:30:00+00:00", (), "2026-07-01T13:30:00+00:00"),  # at the minute
        ("2026-07-01T13:30:01+00:00", (), "2026-07-01T23:00:00+00:00"),
        ("2026-07-02T00:00:00+00:00", (), "2026-07-02T13:30:00+00:00"),  # still the evening before, there
        ("2026-07-01T12:00:00+00:00", ("2026-07-01",), "2026-07-02T13:30:00+00:00"),
        ("2026-03-08T00:30:00+00:00", (), "2026-03-08T13:30:00+00:00"),  # clocks went forward in the night
        ("2026-11-01T00:30:00+00:00", (), "2026-11-01T14:30:00+00:00"),  # and back
    ],
)
def test_the_next_departure_is_the_places_own_time(after, closed, leaves):
    days = {dt.date.fromisoformat(day) for day in closed}
    found = rules.next_departure(["18:00", "08:30"], after=at(after), time_zone=ZONE, closed=days)
    assert found == at(leaves)


def test_a_place_that_is_always_closed_never_departs():
    closed = {dt.date(2026, 7, 1) + dt.timedelta(days=n) for n in range(-1, 61)}
    assert rules.next_departure(["08:30"], after=at("2026-07-01T12:00:00+00:00"), time_zone=ZONE, closed=closed) is None


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"code": "a"}, "/code"),
        ({"code": "A" * 21}, "/code"),
        ({"code": "A\n"}, "/code"),
        ({"kind": "castle"}, "/kind"),
        ({"country": "us"}, "/country"),
        ({"time_zone": "Mars/Base"}, "/time_zone"),
        ({"position": (181.0, 0.0)}, "/position"),
        ({"position": (float("nan"), 0.0)}, "/position"),
        ({"texts": {"name": ""}}, "/name"),
        ({"texts": {"name": "a\0b"}}, "/name"),
        ({"texts": {"coarse_place": "x" * 81}}, "/coarse_place"),
    ],
)
def test_everything_wrong_with_a_place_is_named(changed, pointer):
    good: dict[str, Any] = {
        "code": "HUB-1",
        "kind": "hub",
        "country": "US",
        "time_zone": ZONE,
        "position": (-89.0, 39.0),
        "texts": {"name": "x", "coarse_place": "x"},
    }
    assert rules.facility_problems(**good) == ()
    assert [problem.pointer for problem in rules.facility_problems(**{**good, **changed})] == [pointer]


def test_the_same_description_twice_is_one_entry(installation, facilities):
    from parcelward.custody.models import Fact

    place = {"name": "One", "kind": "hub", "country": "US", "time_zone": ZONE, "coarse_place": "Here"}
    lane = {"usual_duration_s": 3_600, "departures": ["08:30"], "mode": "road"}

    def put(path, body, status):
        answer = httpx.put(f"{installation.url}/api/v1/{path}", json=body, headers=installation.headers, timeout=30)
        assert answer.status_code == status, answer.text

    def entries():
        return tuple(Fact.objects.filter(kind=kind).count() for kind in ("network.facility", "network.lane"))

    before = entries()
    for _ in range(2):
        put("facilities/ONCE-1", place, 200)
        put("lanes/ONCE-1/TEST-A", lane, 204)
    assert entries() == (before[0] + 1, before[1] + 1)
    put("facilities/ONCE-1", {**place, "name": "Two"}, 200)
    assert entries() == (before[0] + 2, before[1] + 1)


def test_many_unknown_places_in_one_batch_read_the_table_once(installation, facilities, number):
    """Each code that nobody knows would otherwise read all places anew: 2,000 reads for one request."""
    import msgspec
    from django.db import connection
    from django.test.utils import CaptureQueriesContext
    from tests.scanner import event

    from parcelward.parcels.actions import reading
    from parcelward.parcels.actions.work import Work
    from parcelward.parcels.wire import ScanIn, Submission
    from parcelward.people import actions

    scans = [msgspec.convert(event(number, "accepted", facility=f"NOWHERE-{n}"), ScanIn) for n in range(50)]
    work = Work([Submission(actions.installer(), 0, b"", list(enumerate(scans)), [])], dt.datetime.now(dt.UTC))
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert reading.wanted_events(work, [0]) == []
    assert len([q for q in queries if "network_facility" in q["sql"]]) <= 2
    assert {bad.code for _, bad in work.bad} == {"unknown_facility"}


def test_a_closed_day_moves_what_a_lane_promises(installation, facilities):
    """A day said to be closed, twice or once, is one entry; what would have left on it arrives a day later."""
    from parcelward.base.errors import NotFound
    from parcelward.custody.models import Fact
    from parcelward.network import actions, queries
    from parcelward.people import actions as people

    by = people.installer()
    place = {"kind": "hub", "country": "US", "time_zone": ZONE, "coarse_place": "Here"}
    for code in ("SHUT-1", "SHUT-2"):
        actions.put_facility(code, name=code, position=None, simulated=False, by=by, **place)
    actions.put_lane("SHUT-1", "SHUT-2", usual_duration_s=3_600, departures=["08:30"], mode="road", by=by)
    queries.forget()
    origin, destination = (queries.facilities().by_code[code].number for code in ("SHUT-1", "SHUT-2"))
    after = at("2033-07-01T12:00:00+00:00")  # 07:00 there
    assert queries.expected_arrival(origin, destination, after=after) == at("2033-07-01T14:30:00+00:00")
    assert queries.expected_arrival(destination, origin, after=after) is None
    before = Fact.objects.filter(kind="network.calendar").count()
    for _ in range(2):
        actions.put_calendar("SHUT-1", hours=(), closed_days=[dt.date(2033, 7, 1)], by=by)
    assert Fact.objects.filter(kind="network.calendar").count() == before + 1
    assert queries.expected_arrival(origin, destination, after=after) == at("2033-07-02T14:30:00+00:00")
    rests = queries.network_calendar().closed_days
    for _ in range(2):
        actions.put_network_calendar(closed_days=[*rests, dt.date(2033, 7, 2)], by=by)
    assert Fact.objects.filter(kind="network.calendar").count() == before + 2
    assert queries.expected_arrival(origin, destination, after=after) == at("2033-07-03T14:30:00+00:00")
    with pytest.raises(NotFound):
        actions.put_calendar("SHUT-NONE", hours=(), closed_days=[dt.date(2033, 7, 1)], by=by)
