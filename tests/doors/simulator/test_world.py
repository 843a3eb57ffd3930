from __future__ import annotations

import zoneinfo

import pytest

from parcelward.base.standards import gs1
from parcelward.doors.simulator import geography, world
from parcelward.network import rules
from parcelward.network.wire import LANE_DURATION_MAX_S


def test_the_same_seed_builds_the_same_world_and_another_seed_another() -> None:
    assert world.build(5) == world.build(5)
    assert set(world.build(5).facilities) != set(world.build(6).facilities)


@pytest.mark.parametrize(("size", "offices", "hubs"), [("town", 12, 2), ("region", 120, 4), ("nation", 2_000, 40)])
def test_every_size_has_its_offices_its_hubs_and_a_way_between_any_two(
    size: world.Size, offices: int, hubs: int
) -> None:
    network = world.build(5, size=size)
    assert (len(network.offices), len(network.hubs)) == (offices, hubs)
    for office in network.offices:
        assert (office.code, office.hub) in network.lanes
        assert (office.hub, office.code) in network.lanes
    for a in network.hubs:
        for b in network.hubs:
            assert a.code == b.code or (a.code, b.code) in network.lanes


def test_what_is_registered_fits_the_api_and_is_marked_as_simulated(region: world.World) -> None:
    zones = zoneinfo.available_timezones()
    for facility in region.facilities.values():
        record = facility.record()
        assert len(facility.code) <= 20
        assert len(facility.name) <= 80
        assert record["simulated"] is True
        assert record["kind"] in {"office", "hub", "depot", "collection_point", "exchange", "customs"}
        assert record["time_zone"] in zones
        assert -180 <= facility.longitude <= 180
        assert -90 <= facility.latitude <= 90
    assert all(device.name.startswith("sim ") for device in region.devices.values())
    assert {f.kind for f in region.facilities.values()} >= {"exchange", "customs", "collection_point"}


@pytest.mark.parametrize("size", ["town", "region"])
def test_the_apis_own_rules_find_nothing_wrong_with_any_place_or_lane(size: world.Size) -> None:
    network = world.build(5, size=size)
    for facility in network.facilities.values():
        assert not rules.facility_problems(
            code=facility.code, kind=facility.kind, country=facility.country, time_zone=facility.time_zone,
            position=(facility.longitude, facility.latitude),
            texts={"name": facility.name, "coarse_place": facility.coarse_place},
        )  # fmt: skip
    for lane in network.lanes.values():
        times = lane.record()["departures"]
        assert isinstance(times, list)
        assert all(rules.DEPARTURE.fullmatch(time) for time in times)
        assert len(times) <= 200
        assert 0 < lane.usual_duration_s <= LANE_DURATION_MAX_S


def test_a_lane_takes_as_long_as_its_road_and_its_timetable_is_made_of_times_of_day(region: world.World) -> None:
    for lane in region.lanes.values():
        record = lane.record()
        assert record["departures"] == [f"{m // 60:02d}:{m % 60:02d}" for m in lane.departures]
        assert all(0 <= m < 24 * 60 for m in lane.departures)
        if lane.mode == "road":
            a, b = (region.facilities[code] for code in (lane.origin, lane.destination))
            km = geography.distance_km(world._place(a), world._place(b))
            assert lane.usual_duration_s >= world.LANE_SHORTEST_S
            assert km / (lane.usual_duration_s / 3600) < 65  # never faster than the road allows


def test_offices_stand_where_their_zip_codes_are(town: world.World) -> None:
    by_zip = {place.zip_code: place for place in geography.mainland()}
    for office in town.offices:
        place = by_zip[office.code.removeprefix("PO")]
        assert (office.longitude, office.latitude) == (round(place.longitude, 4), round(place.latitude, 4))
        assert office.coarse_place == f"{place.city}, {place.state}"


def test_a_roll_cage_has_a_valid_grai(town: world.World) -> None:
    keys = {gs1.parse(number) for number in world.cages(5, town.cage_count)}
    assert len(keys) == town.cage_count > 0
    assert all(key.name == "GRAI" and key.names_one_thing for key in keys)


def test_two_plans_on_one_installation_share_no_roll_cage(town: world.World) -> None:
    plans = [set(world.cages(seed, town.cage_count)) for seed in (5, 6, "1/0", "1/1")]
    assert world.cages(5, 10) == world.cages(5, 10)
    assert len(set.union(*plans)) == sum(len(plan) for plan in plans)


def test_more_offices_than_a_world_has_are_refused() -> None:
    with pytest.raises(ValueError, match="offices"):
        world.build(5, offices=world.OFFICES_MAX + 1)
