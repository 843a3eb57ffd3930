from __future__ import annotations

import datetime as dt
import json
import uuid
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from tests.doors.simulator.conftest import MONDAY

from parcelward.base.standards import gs1, identify, s10, steps
from parcelward.doors.simulator import local_time, parcels, world
from parcelward.doors.simulator.plan import MISSED, Planned, Scribe, Truth
from parcelward.parcels.wire import ScanIn

FIELDS = {
    "event_id", "event_time", "item_id", "receptacle_id", "step", "facility", "position", "receptacle", "seal",
    "handover", "corrects", "label_code", "weight_g", "size_mm", "reason", "note_code", "sensors",
}  # fmt: skip


def read(plan: list[Planned]) -> list[dict[str, Any]]:
    return [json.loads(planned.line) for planned in plan]


@pytest.mark.parametrize("size", ["town", "region"])
def test_the_same_seed_plans_the_same_bytes(size: str, request: pytest.FixtureRequest, plan_of: Any) -> None:
    network = request.getfixturevalue(size)
    first, second, other = (list(plan_of(network, seed=seed)) for seed in (5, 5, 6))
    assert first == second
    assert {p.line for p in first}.isdisjoint(p.line for p in other)


@pytest.mark.parametrize("size", ["town", "region"])
def test_every_event_is_well_formed(size: str, request: pytest.FixtureRequest, plan_of: Any) -> None:
    network = request.getfixturevalue(size)
    for planned, event in zip(plan := list(plan_of(network)), read(plan), strict=True):
        assert event.keys() <= FIELDS
        assert str(uuid.UUID(event["event_id"])) == event["event_id"]
        assert uuid.UUID(event["event_id"]).version == 4
        assert ("item_id" in event) != ("receptacle_id" in event)
        if "item_id" in event:
            assert s10.fits(event["item_id"])
        else:
            assert gs1.sscc_fits(event["receptacle_id"]) or gs1.parse(event["receptacle_id"]).name == "GRAI"
        assert event["step"] in steps.BY_WORD
        when = dt.datetime.fromisoformat(event["event_time"])
        place = network.facilities[event["facility"]]
        assert when.timestamp() == planned.event_time
        assert when.utcoffset() == when.astimezone(ZoneInfo(place.time_zone)).utcoffset()
        assert network.devices[planned.device].facility in {"", event["facility"]}
        assert "reason" not in event or event["reason"].split("_")[0] in {"carrier", "addressee", "customs", "security"}
        assert event.get("seal", {"did": "checked"})["did"] in {"applied", "checked", "broken", "replaced"}
        assert (event["step"] in {"loaded", "unloaded"}) == ("receptacle" in event)
        assert (event["step"] == "handed_over") == ("handover" in event)
        assert (event["step"] == "sealed") == ("seal" in event)


@pytest.mark.parametrize("size", ["town", "region"])
def test_the_apis_own_parser_reads_every_event_and_number(
    size: str, request: pytest.FixtureRequest, plan_of: Any
) -> None:
    for planned in plan_of(request.getfixturevalue(size)):
        scan = msgspec.json.decode(planned.line, type=ScanIn)
        assert identify.canonical(scan.item_id or scan.receptacle_id or "")
        assert scan.receptacle is None or identify.canonical(scan.receptacle)


@pytest.mark.parametrize("size", ["town", "region"])
def test_a_parcels_time_only_runs_forward_and_uploads_come_in_order(
    size: str, request: pytest.FixtureRequest, plan_of: Any
) -> None:
    plan = list(plan_of(request.getfixturevalue(size)))
    assert [p.upload_at for p in plan] == sorted(p.upload_at for p in plan)
    assert all(p.upload_at >= p.event_time for p in plan)
    journeys: dict[str, dict[str, Planned]] = defaultdict(dict)
    for planned in plan:
        journeys[planned.subject][json.loads(planned.line)["event_id"]] = planned  # a repeat is the same scan
    for number, scans in journeys.items():
        if s10.fits(number):
            times = [p.event_time for p in scans.values()]
            assert len(set(times)) == len(times), number


def test_a_domestic_parcels_life_is_in_the_trades_order(region: world.World, plan_of: Any) -> None:
    order = ["accepted", "loaded", "at_delivery_office", "out_for_delivery", "delivered"]
    by_item: dict[str, list[tuple[int, str]]] = defaultdict(list)
    plan = list(plan_of(region))
    for planned in plan:
        by_item[planned.subject].append((planned.event_time, planned.step))
    complete = 0
    for scans in by_item.values():
        seen = [step for _, step in sorted(scans)]
        if set(order) <= set(seen) and "returning" not in seen:
            complete += 1
            firsts = [seen.index(step) for step in order]
            assert firsts == sorted(firsts), seen
            assert seen[-1] == "delivered", seen
    assert complete > 200


def test_exactly_the_asked_number_is_posted_and_each_one_comes_to_an_end(region: world.World, plan_of: Any) -> None:
    journeys = plan_of(region, items=777, days=7)
    list(journeys)
    assert sum(journeys.fates.values()) == 777
    assert journeys.afoot == 0
    assert journeys.fates["delivered"] > 600


def test_numbers_do_not_repeat_and_are_of_the_parcel_registered_and_express_families(
    region: world.World, plan_of: Any
) -> None:
    accepted = [p.subject for p in {p.line: p for p in plan_of(region, items=2_000)}.values() if p.step == "accepted"]
    assert len(set(accepted)) == len(accepted) > 1_800
    families = Counter(number[0] for number in accepted)
    assert families.keys() == {"C", "R", "E"}
    assert families["C"] > families["R"] > 0
    assert all(number.endswith("US") for number in accepted)


def test_the_week_has_a_monday_peak_and_a_sunday_rest(region: world.World, plan_of: Any) -> None:
    posted: Counter[int] = Counter()
    for planned in plan_of(region, items=7_000, days=7):
        if planned.step == "accepted":
            zone = region.facilities[planned.facility].time_zone
            posted[local_time.of(zone).hour_of_week(planned.event_time)[0]] += 1
    assert posted[0] == max(posted.values())
    assert posted[6] == 0
    assert 0 < posted[5] < posted[4]


def test_sorting_is_heaviest_in_the_evening_and_delivery_ends_by_night(region: world.World, plan_of: Any) -> None:
    sorted_at: Counter[bool] = Counter()
    delivered_at: Counter[int] = Counter()
    for planned in plan_of(region, items=3_000, days=5):
        place = region.facilities[planned.facility]
        hour = local_time.of(place.time_zone).hour_of_week(planned.event_time)[1]
        if place.kind == "hub" and planned.step == "unloaded":
            sorted_at[15 <= hour <= 23] += 1
        elif place.kind == "office" and planned.step == "delivered":
            delivered_at[hour] += 1
    assert sorted_at[True] > sorted_at[False]
    assert set(delivered_at) <= set(range(8, 17))


def test_both_sides_of_an_honest_handover_say_the_same(region: world.World, plan_of: Any) -> None:
    sides: dict[str, dict[str, set[tuple[str, int]]]] = defaultdict(lambda: defaultdict(set))
    for event in read(list(plan_of(region))):
        if hand := event.get("handover"):
            sides[hand["id"]][hand["side"]].add((event["receptacle_id"], hand["count"]))
    assert len(sides) > 20
    for said in sides.values():
        assert said["giver"] == said["receiver"]
        assert {count for _, count in said["giver"]} == {len(said["giver"])}


def test_what_is_unloaded_was_loaded_into_the_same_receptacle(region: world.World, plan_of: Any) -> None:
    journeys = plan_of(region, items=600)
    loaded: dict[str, set[str]] = defaultdict(set)
    scanned = sorted((p.event_time, p.line) for p in journeys)
    unknown = 0
    for _, line in scanned:
        event = json.loads(line)
        subject = event.get("item_id") or event.get("receptacle_id")
        if event["step"] == "loaded":
            loaded[subject].add(event["receptacle"])
        elif event["step"] == "unloaded" and event["receptacle"] not in loaded[subject]:
            unknown += 1
    missed = journeys.truth.kinds["missed_scan"]
    assert 0 < unknown < missed  # only where the loading scan was missed


def test_missed_late_and_repeated_scans_happen_and_the_truth_names_each(
    region: world.World, plan_of: Any, tmp_path: Path
) -> None:
    journeys = plan_of(region, items=2_000, truth=tmp_path / "truth.ndjson")
    plan = list(journeys)
    journeys.truth.close()
    truths = [json.loads(line) for line in (tmp_path / "truth.ndjson").read_text().splitlines()]
    seen = Counter((p.subject, p.step, p.event_time) for p in plan)
    missed = [t for t in truths if t["kind"] == "missed_scan"]
    repeated = [t for t in truths if t["kind"] == "repeated_scan"]
    late = [t for t in truths if t["kind"] == "late_upload"]
    assert missed
    assert repeated
    assert late
    assert {t["step"] for t in missed} <= set(MISSED)
    assert all((t["item"], t["step"], t["at"]) not in seen for t in missed)
    assert all(seen[t["item"], t["step"], t["at"]] == 2 for t in repeated)
    uploads = {(p.subject, p.step, p.event_time): p.upload_at for p in plan}
    assert all(uploads[t["item"], t["step"], t["at"]] - t["at"] >= t["late_s"] for t in late)
    assert len([t for t in truths if t["kind"] == "item"]) == 2_000


def test_some_parcels_go_abroad_and_some_come_in_through_customs(region: world.World, plan_of: Any) -> None:
    plan = list(plan_of(region, items=2_000))
    inward = {p.subject for p in plan if p.step == "left_inward_office" and p.facility == region.exchange}
    outward = {p.subject for p in plan if p.step == "arrived_outward_office"}
    customs = {p.subject for p in plan if p.step == "presented_to_customs"}
    assert inward
    assert outward
    assert customs == inward | outward
    assert all(not number.endswith("US") for number in inward)
    assert all(number.endswith("US") for number in outward)


def test_until_ends_the_plan_at_an_instant_and_changes_nothing_before(region: world.World, plan_of: Any) -> None:
    whole = list(plan_of(region))
    cut = MONDAY + 100_000
    assert list(plan_of(region, until=cut)) == [p for p in whole if p.upload_at < cut]


def test_an_endless_phase_posts_its_weekly_number(town: world.World) -> None:
    demand = parcels.Demand(town, (parcels.Phase(MONDAY, None, 5_000, 1.6),), until=MONDAY + 14 * 86_400)
    assert sum(sum(counts.values()) for _, counts in demand.ticks()) == pytest.approx(10_000, abs=2)


def test_a_seal_that_is_checked_is_the_one_that_was_put_on_last(town: world.World, plan_of: Any) -> None:
    on: dict[str, str] = {}
    done: Counter[str] = Counter()
    plan = {p.line: p for p in plan_of(town, items=1_500)}.values()
    for event in (json.loads(p.line) for p in sorted(plan, key=lambda p: p.event_time)):
        if seal := event.get("seal"):
            done[seal["did"]] += 1
            number = event["receptacle_id"]
            if seal["did"] == "checked":
                assert on[number] == seal["number"]
            else:
                assert on.get(number, "") == seal.get("replaces", "")
                on[number] = seal["number"]
    assert min(done["applied"], done["checked"], done["replaced"]) > 20
    assert done.keys() == {"applied", "checked", "replaced"}


def test_a_scan_is_never_written_at_or_before_the_items_last_one(town: world.World) -> None:
    scribe = Scribe(town, seed=5, truth=Truth())
    origin = town.offices[0]
    item = parcels.Mint(town, seed=5).make(origin, MONDAY)
    for at in (MONDAY, MONDAY, MONDAY - 60, MONDAY + 60):
        scribe.item(item, at, "sim x", "accepted", origin.code)
    times = list(dict.fromkeys(p.event_time for p in scribe.rest()))
    assert times == [MONDAY, MONDAY + 1, MONDAY + 2, MONDAY + 60]
