"""When a place works: put and read over HTTP, and told to who collects a parcel there, by the clock on its wall."""

from __future__ import annotations

import datetime as dt
import html
import re
from concurrent.futures import ThreadPoolExecutor
from zoneinfo import ZoneInfo

import httpx
import pytest
from tests.scanner import Scanner, event

from parcelward.network import queries, rules
from parcelward.network.wire import Hours

ZONE = "America/Chicago"
WEEK = tuple(Hours(day, "09:00", "17:30") for day in range(1, 6))


@pytest.mark.parametrize(
    ("after", "closed", "opens", "closes"),
    [
        ("2026-07-01T12:00:00+00:00", "", "2026-07-01T14:00:00+00:00", "2026-07-01T22:30:00+00:00"),  # Wednesday, 07:00
        ("2026-07-01T15:00:00+00:00", "", "2026-07-01T14:00:00+00:00", "2026-07-01T22:30:00+00:00"),  # open now
        ("2026-07-01T22:30:00+00:00", "", "2026-07-02T14:00:00+00:00", "2026-07-02T22:30:00+00:00"),  # just closed
        ("2026-07-02T03:00:00+00:00", "", "2026-07-02T14:00:00+00:00", "2026-07-02T22:30:00+00:00"),  # evening, there
        ("2026-07-01T12:00:00+00:00", "2026-07-01", "2026-07-02T14:00:00+00:00", "2026-07-02T22:30:00+00:00"),
        ("2026-03-06T23:30:00+00:00", "", "2026-03-09T14:00:00+00:00", "2026-03-09T22:30:00+00:00"),  # clocks forward
        ("2026-10-30T22:30:00+00:00", "", "2026-11-02T15:00:00+00:00", "2026-11-02T23:30:00+00:00"),  # and back
    ],
)
def test_the_next_opening_is_the_places_own_time(after, closed, opens, closes):
    days = {dt.date.fromisoformat(day) for day in closed.split()}
    found = rules.next_opening(WEEK, after=dt.datetime.fromisoformat(after), time_zone=ZONE, closed=days)
    assert found is not None
    assert (found.opens.astimezone(dt.UTC).isoformat(), found.closes.astimezone(dt.UTC).isoformat()) == (opens, closes)
    assert f"{found.opens:%H:%M %Z}" in {"09:00 CDT", "09:00 CST"}


def test_a_place_that_never_opens_has_no_next_opening():
    assert rules.next_opening([], after=dt.datetime.now(dt.UTC), time_zone=ZONE, closed=()) is None


@pytest.fixture
def place(installation, request):
    """Describe a place of this test's own."""
    code = f"CAL-{abs(hash(request.node.name)) % 10**8}"
    body = {"name": "Main Street counter", "kind": "collection_point", "country": "US", "time_zone": ZONE}
    put(installation, code, {**body, "coarse_place": "Springfield"}, what="")
    return code


def put(installation, code, body, *, what="/calendar", **headers):
    url = f"{installation.url}/api/v1/facilities/{code}{what}"
    return httpx.put(url, json=body, headers={**installation.headers, **headers}, timeout=30)


def hours(*days, opens="09:00", closes="17:30"):
    return [{"weekday": day, "opens": opens, "closes": closes} for day in days]


def test_a_calendar_is_kept_whole_and_the_same_twice_is_one_entry(installation, place):
    from parcelward.custody.models import Fact

    def entries():
        return Fact.objects.filter(kind="network.calendar").count()

    before = entries()
    said = {"opening_hours": hours(2, 1), "closed_days": ["2026-12-25", "2026-01-01", "2026-12-25"]}
    first, again = (put(installation, place, said) for _ in range(2))
    assert (first.status_code, entries()) == (200, before + 1)
    assert first.json() == again.json()
    assert first.json()["opening_hours"] == hours(1, 2)
    assert first.json()["closed_days"] == ["2026-01-01", "2026-12-25"]
    read = httpx.get(f"{installation.url}/api/v1/facilities/{place}/calendar", timeout=30)
    assert (read.json(), read.headers["ETag"]) == (first.json(), first.headers["ETag"])
    changed = put(installation, place, {"opening_hours": hours(7)}, **{"If-Match": read.headers["ETag"]})
    assert (changed.json()["opening_hours"], changed.json()["closed_days"]) == (hours(7), [])
    late = put(installation, place, {}, **{"If-Match": read.headers["ETag"]})
    assert (late.status_code, late.json()["code"]) == (412, "changed")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"opening_hours": hours(0)}, "/opening_hours/0/weekday"),
        ({"opening_hours": hours(1, 1)}, "/opening_hours/1/weekday"),
        ({"opening_hours": hours(1, opens="9:00")}, "/opening_hours/0/opens"),
        ({"opening_hours": hours(1, closes="24:00")}, "/opening_hours/0/closes"),
        ({"opening_hours": hours(1, opens="18:00")}, "/opening_hours/0/closes"),
    ],
)
def test_a_calendar_that_cannot_be_is_refused_and_changes_nothing(installation, place, body, pointer):
    put(installation, place, {"opening_hours": hours(3)})
    refused = put(installation, place, body)
    assert (refused.status_code, refused.json()["code"]) == (422, "bad_calendar")
    assert [one["pointer"] for one in refused.json()["errors"]] == [pointer]
    kept = queries.calendar(place)
    assert kept is not None
    assert [one.weekday for one in kept.hours] == [3]


def test_a_calendar_needs_a_place_and_a_right(installation, place):
    assert put(installation, "NOT-THERE", {}).status_code == 404
    assert put(installation, place, {}, Authorization="Bearer nobody").status_code == 401
    assert httpx.get(f"{installation.url}/api/v1/facilities/NOT-THERE/calendar", timeout=30).status_code == 404


def told(installation, number):
    page = httpx.get(f"{installation.url}/track/{number}", timeout=30).text
    found = re.search(r'<p class="pw-hours">(.*?)</p>', page)
    return html.unescape(re.sub("<[^>]+>", "", found[1])).replace("\u00a0", " ") if found else ""


def test_who_collects_a_parcel_is_told_when_the_place_is_open(installation, place, number):
    scanner = Scanner(installation)
    today = dt.datetime.now(ZoneInfo(ZONE)).date()
    scanner.send(event(number, "accepted", facility=place))
    put(installation, place, {"opening_hours": hours(*range(1, 8), opens="00:00", closes="23:59")})
    assert told(installation, number) == "", "it does not wait there yet"
    scanner.send(event(number, "at_collection_point", minutes=1, facility=place))
    zone = dt.datetime.now(ZoneInfo(ZONE)).tzname()
    assert told(installation, number) == f"Main Street counter is open: Today, 00:00 to 23:59 ({zone})."
    put(installation, place, {"opening_hours": hours(*range(1, 8)), "closed_days": [today.isoformat()]})
    said = told(installation, number)
    assert said.startswith("Main Street counter is open: ")
    assert "Today" not in said
    put(installation, place, {})
    assert told(installation, number) == "", "nobody has said"
    put(installation, place, {"opening_hours": hours(*range(1, 8))})
    scanner.send(event(number, "delivered", minutes=2, facility=place))
    assert told(installation, number) == "", "it was collected"


def test_a_day_on_which_the_whole_network_rests_counts_for_every_place(installation, place):
    url = f"{installation.url}/api/v1/calendar"
    seen = httpx.get(url, timeout=30)
    days = [*seen.json()["closed_days"], "2031-07-02"]
    asked = {"closed_days": days}
    assert httpx.put(url, json=asked, timeout=30).status_code == 401
    answer = httpx.put(url, json=asked, headers={**installation.headers, "If-Match": seen.headers["ETag"]}, timeout=30)
    assert (answer.status_code, answer.json()["closed_days"], answer.json()["facility"]) == (200, sorted(days), "")
    again = httpx.put(url, json=asked, headers={**installation.headers, "If-Match": seen.headers["ETag"]}, timeout=30)
    assert again.status_code == 412, "it was changed since"
    put(installation, place, {"opening_hours": hours(*range(1, 8))})
    put(installation, "CAL-END", {**END, "name": "End"}, what="")
    lane = {"usual_duration_s": 3600, "departures": ["08:30"]}
    url = f"{installation.url}/api/v1/lanes/{place}/CAL-END"
    httpx.put(url, json=lane, headers=installation.headers, timeout=30).raise_for_status()
    ends = queries.facilities(missing=place).by_code[place].number, queries.facilities(missing="CAL-END").by_code
    after = dt.datetime(2031, 7, 2, 12, tzinfo=dt.UTC)
    opening = queries.next_opening(place, after=after)
    assert opening is not None
    assert opening.opens.date() == dt.date(2031, 7, 3)
    arrives = queries.expected_arrival(ends[0], ends[1]["CAL-END"].number, after=after)
    assert arrives == dt.datetime(2031, 7, 3, 14, 30, tzinfo=dt.UTC)


def test_of_two_who_close_the_network_at_once_one_is_the_last(installation):
    url = f"{installation.url}/api/v1/calendar"
    lists = [[f"2032-0{month}-{day:02}" for day in range(1, 20)] for month in range(1, 9)]

    def close(days):
        return httpx.put(url, json={"closed_days": days}, headers=installation.headers, timeout=30).status_code

    for _ in range(3):
        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(close, lists)) == {200}
        assert httpx.get(url, timeout=30).json()["closed_days"] in lists
    assert close([]) == 200


END = {"kind": "office", "country": "US", "time_zone": ZONE, "coarse_place": "Springfield"}
