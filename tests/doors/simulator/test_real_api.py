"""The simulator against the real thing: a whole installation of its own, played through its public API."""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from parcelward.doors.simulator import play, player, world
from parcelward.doors.simulator.fleet import Fleet, PlanState

pytestmark = pytest.mark.slow
READY_S = 120


@dataclass
class Installation:
    url: str
    api_key: str
    home: Path

    def item(self, number: str) -> dict[str, Any]:
        answer = httpx.get(f"{self.url}/api/v1/items/{number}", trust_env=False, timeout=30)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def simulate(self, *more: str) -> dict[str, Any]:
        parser = argparse.ArgumentParser()
        play.add_arguments(parser)
        asked = ["--url", self.url, "--home", str(self.home), "--size", "town", "--days", "2", *more]
        return play.run(parser.parse_args(asked), api_key=self.api_key, stop=threading.Event())


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    # The database's socket lies under this folder and its path may have at most 107 bytes.
    home = tmp_path_factory.mktemp("up")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = os.environ | {
        "PARCELWARD_HOME": str(home), "PARCELWARD_PORT": str(port), "PARCELWARD_MODE": "test",
        "PARCELWARD_DATABASE_URL": "", "PARCELWARD_KEYS_URL": "", "PARCELWARD_WEB_WORKERS": "1",
    }  # fmt: skip
    with (home / "up.log").open("w") as log:
        started = subprocess.Popen(
            [sys.executable, "-m", "parcelward.doors.console", "up", "--empty"],
            env=settings, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(url, started, home)
        yield Installation(url, json.loads((home / "samples.json").read_text())["api_key"], home)
    finally:
        started.send_signal(signal.SIGINT)
        try:
            started.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(started.pid, signal.SIGKILL)
            started.wait(10)


def _wait(url: str, started: subprocess.Popen[bytes], home: Path) -> None:
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline and started.poll() is None:
        try:
            if httpx.get(f"{url}/healthz", trust_env=False).is_success and (home / "samples.json").exists():
                return
        except httpx.TransportError:
            pass
        time.sleep(0.3)
    pytest.fail(f"the installation did not start:\n{(home / 'up.log').read_text()[-4000:]}")


def ends(path: Path) -> dict[str, str]:
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return {row["item"]: row["fate"] for row in rows if row["kind"] == "item"}


def test_an_honest_week_is_taken_whole_without_a_single_instruction(installation: Installation, tmp_path: Path) -> None:
    truth = tmp_path / "truth.ndjson"
    report = installation.simulate("--seed", "31", "--items", "120", "--truth", str(truth))
    assert report["finished"]
    assert (report["errors"], report["quarantined"], report["instructions"]) == ({}, {}, {})
    assert report["accepted"] + report["duplicates"] == report["sent"] > 800
    assert report["duplicates"] == report["truth"]["repeated_scan"]
    fates = ends(truth)
    brought = [number for number, fate in fates.items() if fate == "delivered"][:15]
    assert len(brought) == 15
    for number in brought:
        item = installation.item(number)
        assert (item["status"], item["simulated"]) == ("delivered", True)


def test_the_same_plan_again_changes_nothing(installation: Installation) -> None:
    report = installation.simulate("--seed", "31", "--items", "120", "--again")
    assert report["accepted"] == 0
    assert report["duplicates"] == report["sent"] > 800
    assert report["errors"] == {}


def test_who_opens_a_bag_whose_seal_was_broken_is_told_so(
    installation: Installation, town: world.World, plan_of: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journeys = plan_of(town, items=400, seed=33, story="broken_seal")
    plan = list(journeys)
    (story,) = journeys.truth.stories
    monkeypatch.setattr(player, "SLICE_EVENTS", 1)  # one scan at a time, as hands make them
    fleet = Fleet(tmp_path)
    playing = player.Player(
        town, url=installation.url, api_key=installation.api_key, fleet=fleet, stop=threading.Event()
    )
    of_the_bag = [p for p in plan if p.subject == story["receptacle"]]
    (opened,) = [p for p in of_the_bag if b'"did":"broken"' in p.line]
    before = [p for p in of_the_bag if p.event_time < opened.event_time]
    try:
        playing.register()
        report = playing.play(before, PlanState(0), pace=player.AtOnce())
        assert (len(before), dict(report.instructions)) == (5, {})
        report = playing.play([opened], PlanState(0), pace=player.AtOnce())
        assert dict(report.instructions) == {"SEAL_MISMATCH": 1}
    finally:
        playing.close()


def test_the_system_sees_of_a_crime_what_its_scans_say_and_no_more(installation: Installation, tmp_path: Path) -> None:
    truth = tmp_path / "truth.ndjson"
    told = ("broken_seal", "stolen_bag", "forged_scan", "cloned_label")
    asked = [part for story in told for part in ("--story", story)]
    report = installation.simulate("--seed", "32", "--items", "500", "--truth", str(truth), *asked)
    assert (report["errors"], report["quarantined"]) == ({}, {})
    assert {story["story"] for story in report["stories"]} == set(told)
    by_story = {story["story"]: story for story in report["stories"]}
    # A label of an item that is gone may be copied, or its delivery forged: then a scan says that it arrived.
    said_to_arrive = {*by_story["forged_scan"]["items"], *by_story["cloned_label"]["items"]}
    gone = [*by_story["stolen_bag"]["items"], *by_story["broken_seal"]["items"]]
    for number in [n for n in gone if n not in said_to_arrive][:7]:
        assert installation.item(number)["status"] == "in_transit"
    for number in by_story["forged_scan"]["items"]:
        assert installation.item(number)["status"] == "delivered"  # which is what makes it a forgery
    staff = {story["by"] for story in report["stories"]}
    said = " ".join(json.dumps(installation.item(story["items"][0])) for story in report["stories"])
    assert not any(number in said for number in staff)
