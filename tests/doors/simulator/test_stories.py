"""Every story changes what is seen, and its truth says what really happened."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from tests.doors.simulator.conftest import MONDAY

from parcelward.doors.simulator import stories, world
from parcelward.doors.simulator.plan import Planned

AFTER_S = 30 * 3_600


def play(plan_of: Any, network: world.World, story: str, path: Path) -> tuple[list[Planned], dict[str, Any]]:
    journeys = plan_of(network, items=900, days=3, story=story, after_s=AFTER_S, truth=path)
    plan = list(journeys)
    journeys.truth.close()
    told = [t for t in map(json.loads, path.read_text().splitlines()) if t["kind"] == "story"]
    assert len(told) == 1
    assert journeys.afoot == 0
    return plan, told[0]


def scans_of(plan: list[Planned], number: str, after: int = 0) -> list[Planned]:
    return sorted((p for p in plan if p.subject == number and p.event_time > after), key=lambda p: p.event_time)


def events_of(plan: list[Planned], number: str) -> list[dict[str, Any]]:
    return [json.loads(p.line) for p in scans_of(plan, number)]


@pytest.mark.parametrize("story", sorted(stories.STORIES))
def test_a_storys_truth_says_what_to_which_items_when_where_and_by_whom(
    story: str, region: world.World, plan_of: Any, tmp_path: Path
) -> None:
    plan, truth = play(plan_of, region, story, tmp_path / "truth.ndjson")
    assert truth.keys() >= {"story", "what", "items", "when", "where", "by"}
    assert truth["story"] == story
    when = dt.datetime.fromisoformat(truth["when"]).timestamp()
    assert when >= MONDAY + AFTER_S
    assert bool(truth["items"]) == (story != "normal_week")
    assert bool(truth["by"]) == (story != "normal_week")
    assert set(truth["items"]) <= {p.subject for p in plan}
    # The truth is never sent: no device number, staff number or word of it stands in any event.
    if truth["by"]:
        assert not any(truth["by"].encode() in p.line or truth["what"].encode() in p.line for p in plan)


def test_a_stolen_bag_is_given_but_never_received_and_its_items_are_not_seen_again(
    region: world.World, plan_of: Any, tmp_path: Path
) -> None:
    plan, truth = play(plan_of, region, "stolen_bag", tmp_path / "t")
    when = int(dt.datetime.fromisoformat(truth["when"]).timestamp())
    assert len(truth["items"]) >= stories.STOLEN_BAG_ITEMS_MIN
    for number in [*truth["items"], truth["receptacle"]]:
        assert scans_of(plan, number)
        assert not scans_of(plan, number, after=when)
    sealed = [e for e in events_of(plan, truth["receptacle"]) if e["step"] == "sealed"]
    assert [e["seal"]["did"] for e in sealed] == ["applied"]


def test_a_broken_seal_is_found_and_two_items_are_missing(region: world.World, plan_of: Any, tmp_path: Path) -> None:
    plan, truth = play(plan_of, region, "broken_seal", tmp_path / "t")
    seals = [e["seal"] for e in events_of(plan, truth["receptacle"]) if e["step"] == "sealed"]
    assert seals == [
        {"number": truth["seal_applied"], "did": "applied"},
        {"number": truth["seal_found"], "did": "broken"},
    ]
    assert truth["seal_found"] != truth["seal_applied"]
    when = int(dt.datetime.fromisoformat(truth["when"]).timestamp())
    assert len(truth["items"]) == 2
    assert not any(scans_of(plan, number, after=when) for number in truth["items"])


def test_a_lost_truck_is_silent_for_a_day_and_then_goes_on(region: world.World, plan_of: Any, tmp_path: Path) -> None:
    plan, truth = play(plan_of, region, "lost_truck", tmp_path / "t")
    left = int(dt.datetime.fromisoformat(truth["when"]).timestamp())
    after = [scans_of(plan, number, after=left + 900) for number in truth["items"]]
    assert all(scans and scans[0].event_time >= left + stories.TRUCK_LOST_S for scans in after)


def test_a_cloned_label_is_in_two_places_at_once(region: world.World, plan_of: Any, tmp_path: Path) -> None:
    plan, truth = play(plan_of, region, "cloned_label", tmp_path / "t")
    (number,) = truth["items"]
    events = events_of(plan, number)
    assert truth["where"] != truth["genuine_at"]
    assert {e["facility"] for e in events if e["step"] == "delivered"} >= {truth["where"]}
    double = [e for e in events if e["facility"] == truth["where"]]
    assert [e["step"] for e in double] == ["at_delivery_office", "out_for_delivery", "delivered"]
    assert double[0]["label_code"] == events[0]["label_code"]
    assert double[0]["weight_g"] != events[0]["weight_g"]


def test_forged_deliveries_are_far_from_every_door_and_at_one_place(
    region: world.World, plan_of: Any, tmp_path: Path
) -> None:
    plan, truth = play(plan_of, region, "forged_scan", tmp_path / "t")
    office = region.facilities[truth["where"]]
    places = set()
    for number in truth["items"]:
        last = events_of(plan, number)[-1]
        assert last["step"] == "delivered"
        places.add(tuple(last["position"]))
        assert scans_of(plan, number)[-1].device == truth["device"]
    ((longitude, latitude),) = places
    assert abs(longitude - office.longitude) > 0.05
    assert abs(latitude - office.latitude) > 0.05


def test_a_flood_comes_from_one_office_within_three_hours(region: world.World, plan_of: Any, tmp_path: Path) -> None:
    plan, truth = play(plan_of, region, "flood", tmp_path / "t")
    numbers = set(truth["items"])
    accepted = [p for p in plan if p.subject in numbers and p.step == "accepted"]
    assert len(numbers) > 200
    assert {p.facility for p in accepted} == {truth["where"]}
    start = MONDAY + AFTER_S
    assert all(start <= p.event_time < start + stories.FLOOD_S + 1_200 for p in accepted)
