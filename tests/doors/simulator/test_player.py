"""What a player does when answers are lost, late or refused: against a scripted peer, which is not the API."""

from __future__ import annotations

import base64
import json
import stat
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.doors.simulator.scripted_peer import Answer, Heard, ScriptedPeer

from parcelward.doors.simulator import api, fleet, player, world
from parcelward.doors.simulator.fleet import Fleet, PlanState


@pytest.fixture
def stop() -> threading.Event:
    return threading.Event()


@pytest.fixture
def start(
    town: world.World, peer: ScriptedPeer, stop: threading.Event, tmp_path: Path
) -> Iterator[Callable[[], player.Player]]:
    made: list[player.Player] = []

    def make() -> player.Player:
        made.append(player.Player(town, url=peer.url, api_key="pw_test", fleet=Fleet(tmp_path), stop=stop))
        return made[-1]

    yield make
    for one in made:
        one.close()


def state_of(playing: player.Player) -> PlanState:
    return playing.fleet.plans.setdefault("a plan", PlanState(0))


def play(playing: player.Player, plan: Any, **more: Any) -> player.Report:
    return playing.play(plan, state_of(playing), pace=more.pop("pace", player.AtOnce()), **more)


def test_everything_is_sent_once_signed_and_numbered_by_device(
    start: Any, peer: ScriptedPeer, town: world.World, plan_of: Any
) -> None:
    plan = list(plan_of(town, items=60))
    playing = start()
    report = play(playing, plan)
    assert sorted(json.dumps(e) for e in peer.events()) == sorted(json.dumps(json.loads(p.line)) for p in plan)
    assert report.sent == len(plan) == report.accepted + report.duplicates
    assert report.duplicates == len(plan) - len({p.line for p in plan})
    numbers = defaultdict(list)
    for heard in peer.batches():
        key_id = heard.headers["signature-input"].split('keyid="')[1].split('"')[0]
        numbers[key_id].append(int(heard.headers["device-sequence"]))
    assert all(n == list(range(1, len(n) + 1)) for n in numbers.values())
    assert state_of(playing).finished


def test_devices_enrol_with_the_api_key_as_simulated_and_keep_their_keys_private(
    start: Any, peer: ScriptedPeer, town: world.World, plan_of: Any, tmp_path: Path
) -> None:
    play(start(), plan_of(town, items=20))
    enrolments = [h for h in peer.heard if h.path == "/api/v1/devices"]
    assert enrolments
    for heard in enrolments:
        body = json.loads(heard.body)
        assert heard.headers["authorization"] == "Bearer pw_test"
        assert body["name"].startswith("sim ")
        assert body["simulated"] is True
        assert len(base64.b64decode(body["public_key_ed25519_base64"])) == 32
    assert stat.S_IMODE((tmp_path / "devices.json").stat().st_mode) == 0o600
    assert not any("authorization" in h.headers for h in peer.batches())


def test_facilities_lanes_and_routes_are_registered(start: Any, peer: ScriptedPeer, town: world.World) -> None:
    start().register()
    put = [h for h in peer.heard if h.method == "PUT"]
    paths = {f"/api/v1/facilities/{code}" for code in town.facilities}
    paths |= {f"/api/v1/lanes/{a}/{b}" for a, b in town.lanes}
    assert {h.path for h in put} == paths | {"/api/v1/routes"}
    assert put[-1].path == "/api/v1/routes", "once the places are there"


def test_a_lost_answer_makes_the_same_batch_go_out_again(
    start: Any, peer: ScriptedPeer, town: world.World, plan_of: Any
) -> None:
    def stored_but_lost(heard: Heard) -> Answer:
        peer.accept(heard)
        return None

    peer.script.append(stored_but_lost)
    plan = list(plan_of(town, items=10))
    report = play(start(), plan)
    again = [h for h in peer.batches() if (h.headers["device-sequence"], h.body) == (
        peer.batches()[0].headers["device-sequence"], peer.batches()[0].body)]  # fmt: skip
    assert len(again) == 2
    assert report.sent_again == 1
    assert report.accepted == len({p.line for p in plan})


@pytest.mark.parametrize("status", [429, 503])
def test_busy_is_waited_for_as_long_as_asked(
    status: int, start: Any, peer: ScriptedPeer, town: world.World, plan_of: Any
) -> None:
    heard_at: list[float] = []

    def busy(_heard: Heard) -> Answer:
        heard_at.append(time.monotonic())
        return status, {"Retry-After": "1"}, {"code": "busy"}

    def then(heard: Heard) -> Answer:
        heard_at.append(time.monotonic())
        return peer.accept(heard)

    peer.script.extend([busy, then])
    report = play(start(), list(plan_of(town, items=3))[:1])
    assert heard_at[1] - heard_at[0] >= 1.0
    assert (report.accepted, report.sent_again, dict(report.errors)) == (1, 1, {})


def test_a_refused_batch_is_counted_and_the_rest_goes_on(
    start: Any, peer: ScriptedPeer, town: world.World, plan_of: Any
) -> None:
    peer.script.append(lambda _heard: (422, {}, {"code": "invalid", "title": "no"}))
    plan = list(plan_of(town, items=30))
    report = play(start(), plan)
    assert dict(report.errors) == {"invalid": 1}
    assert 0 < report.sent < len(plan)


def test_quarantine_and_instructions_are_reported_by_kind(
    start: Any, peer: ScriptedPeer, town: world.World, plan_of: Any
) -> None:
    peer.script.append(lambda _heard: (200, {}, {
        "accepted": 0, "duplicates": 0, "quarantined": [{"index": 0, "code": "clock_ahead", "message": "m"}],
        "instructions": [{"item_id": "x", "do": "HOLD", "reason": "r"}], "receipt": "",
    }))  # fmt: skip
    report = play(start(), list(plan_of(town, items=3))[:1])
    assert dict(report.quarantined) == {"clock_ahead": 1}
    assert dict(report.instructions) == {"HOLD": 1}


def test_a_device_that_is_no_longer_known_enrols_again_once(
    start: Any, peer: ScriptedPeer, town: world.World, plan_of: Any
) -> None:
    peer.script.append(lambda _heard: (401, {}, {"code": "not_known"}))
    report = play(start(), list(plan_of(town, items=3))[:1])
    assert peer.devices == 2
    assert [h.headers["device-sequence"] for h in peer.batches()] == ["1", "1"]
    assert report.accepted == 1


def test_a_device_that_is_refused_twice_stops_the_play(
    start: Any, peer: ScriptedPeer, town: world.World, plan_of: Any
) -> None:
    peer.script.extend([lambda _heard: (401, {}, {"code": "not_known"})] * 2)
    with pytest.raises(api.Refused, match="not_known"):
        play(start(), list(plan_of(town, items=3))[:1])


def test_a_device_whose_enrolment_was_answered_into_the_void_enrols_with_another_key(
    start: Any, peer: ScriptedPeer, town: world.World, plan_of: Any
) -> None:
    peer.enrolments.append((409, {}, {"code": "enrolled_already"}))
    report = play(start(), list(plan_of(town, items=3))[:1])
    keys = [json.loads(h.body)["public_key_ed25519_base64"] for h in peer.heard if h.path == "/api/v1/devices"]
    assert len(set(keys)) == len(keys) == 2
    assert report.accepted == 1


def test_too_many_refusals_in_a_row_stop_the_play(
    start: Any, peer: ScriptedPeer, town: world.World, plan_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(player, "REFUSALS_MAX", 3)
    peer.script.extend([lambda _heard: (422, {}, {"code": "invalid"})] * 30)
    with pytest.raises(api.Refused, match="invalid"):
        play(start(), plan_of(town, items=60))


def test_a_batch_that_breaks_the_installation_each_time_is_left_out_at_last(
    start: Any, peer: ScriptedPeer, town: world.World, plan_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "PAUSE_FIRST_S", 0.001)
    peer.script.extend([lambda _heard: (500, {}, {"code": "internal"})] * (api.BROKEN_TRIES_MAX + 1))
    plan = list(plan_of(town, items=3))
    report = play(start(), [p for p in plan if p.device == plan[0].device][:1])
    assert dict(report.errors) == {"internal": 1}
    assert len(peer.batches()) == api.BROKEN_TRIES_MAX + 1


def test_an_installation_that_never_answers_is_given_up(
    town: world.World, stop: threading.Event, tmp_path: Path, plan_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "PAUSE_FIRST_S", 0.001)
    nobody = player.Player(town, url="http://127.0.0.1:9", api_key="k", fleet=Fleet(tmp_path), stop=stop, tries_max=3)
    with pytest.raises(api.Refused, match="no_answer"):
        nobody.register()
    stop.set()
    with pytest.raises(api.Stopped):
        nobody.register()
    nobody.close()


def test_old_receipts_make_room_for_new_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet, "RECEIPTS_BYTES_MAX", 500)
    mine = Fleet(tmp_path)
    for sequence in range(40):
        mine.receipt("sim x", sequence, "a note")
        mine.save()
    assert sum(path.stat().st_size for path in tmp_path.glob("receipts*")) < 1_200
    assert json.loads((tmp_path / "receipts-before.ndjson").read_text().splitlines()[-1])["sequence"] > 20


def test_a_play_that_was_stopped_goes_on_where_it_was_and_loses_nothing(
    start: Any, peer: ScriptedPeer, town: world.World, plan_of: Any, stop: threading.Event,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(player, "SLICE_EVENTS", 100)
    plan = list(plan_of(town, items=60))
    first = start()
    play(first, plan, on_sent=lambda _sent: stop.set())
    assert state_of(first).position == 100
    assert not state_of(first).finished
    stop.clear()
    second = start()
    report = play(second, plan)
    assert {e["event_id"] for e in peer.events()} == {json.loads(p.line)["event_id"] for p in plan}
    assert report.sent == len(plan)
    assert sum(len(h.body.splitlines()) for h in peer.batches()) == len(plan)


def test_a_stop_in_the_middle_of_a_slice_is_obeyed_at_once_and_nothing_is_lost(
    start: Any, peer: ScriptedPeer, town: world.World, plan_of: Any, stop: threading.Event
) -> None:
    def stop_now(heard: Heard) -> Answer:
        stop.set()
        return peer.accept(heard)

    peer.script.extend([peer.accept, stop_now])
    plan = list(plan_of(town, items=60))
    first = start()
    play(first, plan)
    assert state_of(first).position == 0
    assert len(peer.batches()) <= 2 + player.SENDERS
    stop.clear()
    report = play(start(), plan)
    assert {e["event_id"] for e in peer.events()} == {json.loads(p.line)["event_id"] for p in plan}
    assert not report.errors


def test_a_kill_before_the_state_was_written_repeats_batches_and_changes_nothing(
    start: Any, peer: ScriptedPeer, town: world.World, plan_of: Any, tmp_path: Path
) -> None:
    plan = list(plan_of(town, items=40))
    play(start(), plan)
    stored = set(peer.event_ids)
    (tmp_path / "state.json").unlink()  # as if killed before the first save: the devices' keys are there
    again = start()
    report = play(again, plan)
    assert peer.event_ids == stored
    assert not report.errors


def test_a_number_that_is_taken_by_another_batch_is_left_out(
    start: Any, peer: ScriptedPeer, town: world.World, plan_of: Any
) -> None:
    plan = list(plan_of(town, items=3))
    one_device = [p for p in plan if p.device == plan[0].device]
    playing = start()
    play(playing, one_device[:1])
    playing.fleet.sequences[one_device[0].device] = 0
    playing.fleet.plans.clear()
    report = play(playing, one_device[:2])
    assert [h.headers["device-sequence"] for h in peer.batches()] == ["1", "1", "2"]
    assert not report.errors


def test_receipts_are_kept(start: Any, peer: ScriptedPeer, town: world.World, plan_of: Any, tmp_path: Path) -> None:
    play(start(), plan_of(town, items=10))
    rows = [json.loads(line) for line in (tmp_path / "receipts.ndjson").read_text().splitlines()]
    assert len(rows) == len(peer.batches())
    assert all(row["receipt"].startswith("note key-") for row in rows)


def test_faster_than_the_world_keeps_the_worlds_proportions() -> None:
    pace = player.Faster(3_600)
    assert pace.wait_s(1_000) <= 0
    assert 0.9 < pace.wait_s(1_000 + 3_600) <= 1.0
    assert player.AtOnce().wait_s(2**60) == 0
    assert player.RealTime().wait_s(int(time.time()) + 100) > 98


def test_no_request_carries_more_than_the_api_takes(town: world.World, plan_of: Any) -> None:
    scans = list(plan_of(town, items=400))
    batches = list(player._batches(scans))
    assert [line for lines in batches for line in lines] == [p.line for p in scans]
    assert all(len(lines) <= 2_000 and sum(map(len, lines)) + len(lines) <= 2_000_000 for lines in batches)
    assert len(batches) > 1
