"""The command's options; the sample town's start and restart: against a scripted peer, which is not the API."""

from __future__ import annotations

import argparse
import contextlib
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.doors.simulator.scripted_peer import ScriptedPeer

from parcelward.base.standards import s10
from parcelward.doors.simulator import live, play
from parcelward.doors.simulator.fleet import Fleet
from parcelward.doors.simulator.plan import Planned, Truth


def options(peer: ScriptedPeer, home: Path, *more: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    play.add_arguments(parser)
    fixed = ["--url", peer.url, "--home", str(home), "--api-key", "k", "--size", "town", "--items", "40", "--days", "2"]
    return parser.parse_args([*fixed, *more])


def test_simulate_sends_everything_reports_it_and_writes_the_truth(
    peer: ScriptedPeer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = tmp_path / "truth.ndjson"
    assert play.main(options(peer, tmp_path, "--story", "forged_scan", "--truth", str(truth))) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["finished"]
    assert report["sent"] == len(peer.events()) > 200
    assert report["accepted"] + report["duplicates"] == report["sent"]
    truths = [json.loads(line) for line in truth.read_text().splitlines()]
    assert [t["story"] for t in truths if t["kind"] == "story"] == ["forged_scan"]
    assert all(e["event_time"] < time.strftime("%Y-%m-%dT23:59", time.gmtime()) for e in peer.events())


def test_a_finished_plan_is_not_sent_twice_unless_asked(
    peer: ScriptedPeer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert play.main(options(peer, tmp_path)) == 0
    first = json.loads(capsys.readouterr().out)
    count = len(peer.events())
    assert play.main(options(peer, tmp_path)) == 0
    assert len(peer.events()) == count
    assert "played to its end" in capsys.readouterr().err
    assert play.main(options(peer, tmp_path, "--again")) == 0
    again = json.loads(capsys.readouterr().out)
    assert (again["accepted"], again["duplicates"]) == (0, first["sent"])


def test_without_a_key_the_command_says_what_to_do(
    peer: ScriptedPeer, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PARCELWARD_API_KEY", raising=False)
    asked = options(peer, tmp_path)
    asked.api_key = None
    assert play.main(asked) == 2
    assert "--api-key" in capsys.readouterr().err
    (tmp_path / "samples.json").write_text('{"api_key": "pw_test_sample"}')
    assert play.main(asked) == 0
    assert {h.headers["authorization"] for h in peer.heard if h.method == "PUT"} == {"Bearer pw_test_sample"}


def test_two_stories_of_one_seed_send_different_parcels_and_one_story_always_the_same(
    peer: ScriptedPeer, tmp_path: Path
) -> None:
    def numbers(home: str, story: str) -> set[str]:
        before = len(peer.events())
        assert play.main(options(peer, tmp_path / home, "--story", story, "--start", "2026-11-02")) == 0
        return {e.get("item_id") or e["receptacle_id"] for e in peer.events()[before:]}

    bag, seal, again = numbers("a", "stolen_bag"), numbers("a", "broken_seal"), numbers("b", "stolen_bag")
    assert len(bag) > 40
    assert not bag & seal
    assert bag == again


@pytest.mark.parametrize("wrong", [["--days", "0"], ["--items", "x"], ["--speed", "-3"], ["--story", "none"]])
def test_options_out_of_range_are_refused(wrong: list[str], peer: ScriptedPeer, tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        options(peer, tmp_path, *wrong)


@contextlib.contextmanager
def sample_town(peer: ScriptedPeer, folder: Path) -> Iterator[list[Any]]:
    """Run the sample town from the end of its history on; yields the rows that it shows."""
    stop, ready, rows = threading.Event(), threading.Event(), []

    def on_ready(items: list[dict[str, str]]) -> None:
        rows.extend(items)
        ready.set()

    thread = threading.Thread(
        target=live.live_town, args=(peer.url, "k", folder, 5, stop), kwargs={"on_ready": on_ready}, daemon=True
    )
    thread.start()
    try:
        assert ready.wait(180), "the history must be there"
        yield rows
    finally:  # also after a failure: a town that plays on would keep the whole run from ending
        stop.set()
        thread.join(60)
    assert not thread.is_alive()


def test_the_sample_town_has_a_history_goes_on_live_and_resumes(peer: ScriptedPeer, tmp_path: Path) -> None:
    with sample_town(peer, tmp_path) as rows:
        history = len(peer.events())
        numbers = {e["item_id"] for e in peer.events() if "item_id" in e}
        assert 1_000 < len(numbers) < 2_500
        assert json.loads((tmp_path / "items.json").read_text()) == rows
        assert len({row["item"] for row in rows}) == len(rows)
        assert all(s10.fits(row["item"]) and row["item"] in numbers for row in rows)
        whys = [row["why"] for row in rows]
        assert whys[: 2 * live.SOON_ITEMS] == ["about to move"] * live.SOON_ITEMS + ["soon delivered"] * live.SOON_ITEMS
        # What else is under way depends on the minute: between two rounds nothing more is out for delivery.
        assert {"delivered", "in a roll cage", "story: stolen bag"} <= set(whys)
        deadline = time.monotonic() + 90
        while len(peer.events()) == history and time.monotonic() < deadline:
            time.sleep(0.2)
        assert len(peer.events()) > history, "it goes on in real time"
    sent = [e["event_id"] for e in peer.events()]
    devices = peer.devices

    with sample_town(peer, tmp_path) as rows:
        pass
    after = [e["event_id"] for e in peer.events()]
    assert after[: len(sent)] == sent
    assert len(after) - len(sent) < 200, "what was sent is not sent again"
    assert devices <= peer.devices < devices + 10
    assert rows


def test_what_is_about_to_move_is_found_among_what_was_seen() -> None:
    def planned(at: int, number: str, step: str) -> Planned:
        return Planned(at, at, "door 1", number, step, "PO1", b'{"item_id":"' + number.encode() + b'"}')

    watch = live.Watch()
    watch.see([planned(10, number, "accepted") for number in ("A", "B", "C", "D", "E")])
    coming = [planned(101, "A", "left_sorting")]  # gone by before anybody can have opened its page
    coming += [planned(150, "UNSEEN", "accepted"), planned(160, "B", "delivered"), planned(170, "C", "left_sorting")]
    coming += [planned(180, "D", "out_for_delivery"), planned(500, "A", "delivered"), planned(600, "D", "delivered")]
    rows = watch.samples(Truth(), coming, now=100)
    assert [(row["item"], row["why"]) for row in rows] == [
        ("B", "about to move"),
        ("C", "about to move"),
        ("D", "about to move"),
        ("A", "soon delivered"),
    ]


def test_what_is_delivered_next_is_not_all_that_is_shown_as_out_for_delivery() -> None:
    def planned(at: int, number: str, step: str) -> Planned:
        return Planned(at, at, "door 1", number, step, "PO1", b'{"item_id":"' + number.encode() + b'"}')

    watch = live.Watch()
    watch.see([planned(10 + n, f"N{n}", "out_for_delivery") for n in range(9)])
    coming = [planned(200 + n, f"N{8 - n}", "delivered") for n in range(9)]  # the newest are delivered first
    rows = watch.samples(Truth(), coming, now=100)
    assert [row["why"] for row in rows].count("out for delivery") == live.SAMPLES["out_for_delivery"]


def test_after_a_long_rest_a_new_chapter_begins_in_the_same_town(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path)
    now = int(time.time())
    number, state = live._chapter(fleet, now)
    state.sent_until = now
    assert live._chapter(fleet, now + live.REST_MAX_S - 60) == (0, state)
    number, later = live._chapter(fleet, now + 12 * 3_600)
    assert number == 1
    assert later.start > state.start + state.facts["history_s"]
    assert later.facts["history_s"] == 0
