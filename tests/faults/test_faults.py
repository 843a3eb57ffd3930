"""A short run of the fault driver, and a full disk. The long run: `python -m tests.faults.driver --help`."""

from __future__ import annotations

import json
import os
import random
import subprocess
import time

import httpx
import psycopg
import pytest
from tests.faults import checks, driver, purchases
from tests.faults.plant import KINDS, LIMIT_S, Plant, until
from tests.faults.senders import Device, Ledger
from tests.scanner import SEED

from parcelward.base.standards import s10

pytestmark = pytest.mark.slow
BUSY_MACHINE = 6  # times as slow as promised before a shared machine's test fails; the report gives the figures
DISK_MB = 500


def test_the_seed_decides_every_kill():
    plan = driver.planned(SEED, 60)
    assert plan == driver.planned(SEED, 60) != driver.planned(SEED + 1, 60)
    assert {kind for _, kind in plan} == set(KINDS)


def test_nothing_acknowledged_is_lost_when_processes_die(tmp_path):
    web = {"PARCELWARD_WEB_WORKERS": str(1 + SEED % 2)}  # one remembers what it wrote, two do not
    print(f"seed {SEED}, {web}")
    plant = Plant(tmp_path / "home", extra=web)
    try:
        outcome = driver.drive(plant, seed=SEED, kills=len(KINDS), events=2_000, devices=4)
        _see_that_the_check_finds_damage(plant, outcome.ledger.acknowledged)
        _see_what_readers_are_told_while_the_database_is_away(plant)
        plant.kill_everything()
        plant = Plant(plant.home, extra=web)
        checks.settle(plant)
        assert checks.problems(plant, outcome.ledger.acknowledged) == [], "after everything died at once"
    finally:
        plant.close()
    assert outcome.problems == []
    assert len(outcome.ledger.acknowledged) >= 2_000
    assert {kill.kind for kill in outcome.kills if kill.happened != "nothing to kill"} == set(KINDS)
    for kill in outcome.kills:
        assert kill.in_log_s < LIMIT_S[kill.kind] * BUSY_MACHINE, kill


def _see_that_the_check_finds_damage(plant, acknowledged):
    """Lose, double and alter something, each in a transaction of its own that is taken back."""
    one = "(SELECT batch FROM parcels_scan_event WHERE event_id = %s)"
    turned = "set_byte(commitments, 0, get_byte(commitments, 0) # 1)"
    later = "jsonb_populate_record(e, jsonb_build_object('event_time', e.event_time + interval '1 ms'))"
    for statement, word in (
        ("DELETE FROM parcels_scan_event WHERE event_id = %s", "lost"),
        (
            f"INSERT INTO parcels_scan_event SELECT ({later}).* FROM parcels_scan_event e WHERE event_id = %s",
            "more than once",
        ),
        (
            f"UPDATE custody_batch SET commitments = {turned} WHERE id = {one}",
            "other commitments",
        ),
        (f"DELETE FROM custody_logbatch WHERE batch = {one}", "no place in the log"),
    ):
        with plant.database() as db, db.transaction():
            assert db.execute(statement, (min(acknowledged),)).rowcount == 1
            found = checks.problems_in(db, plant, acknowledged)
            assert any(word in problem for problem in found), (word, found)
            raise psycopg.Rollback


def _see_what_readers_are_told_while_the_database_is_away(plant):
    """503 with Retry-After where something must be looked up; the log and the liveness need no database."""
    number = str(s10.make("RF", 1_000_001, "US"))  # the first of the first device
    looked_up = ("/readyz", f"/api/v1/items/{number}", f"/track/{number}", f"/?number={number}", "/epcis/events")
    away: set[str] = set()
    deadline = time.monotonic() + 60
    while away != set(looked_up) and time.monotonic() < deadline:
        plant.kill("databases", random.Random(0))
        for path in looked_up:
            answer = httpx.get(plant.url + path, headers=plant.headers, timeout=30)
            assert answer.status_code in {200, 302, 429, 503}, (path, answer.status_code, answer.text[:300])
            if answer.status_code == 503:
                away.add(path)
                assert "Retry-After" in answer.headers, path
        for path in ("/healthz", "/log/checkpoint", "/log/vkey"):
            assert httpx.get(plant.url + path, timeout=30).status_code == 200, path
    assert away == set(looked_up), "the database was never away"


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid():
        pytest.skip("a small disk can be mounted by root alone")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(path, *, leave_mb):
    """Write until no more than `leave_mb` are free."""
    chunk = bytes(1_000_000)
    with path.open("ab", buffering=0) as filler:
        try:
            while (there := os.statvfs(path)).f_bavail * there.f_frsize > leave_mb * 1_000_000:
                filler.write(chunk)
        except OSError:
            pass  # no space left: that is what was wanted


def test_on_a_full_disk_reading_goes_on_and_writing_waits(small_disk):
    plant = Plant(small_disk / "home")
    ledger = Ledger(small_disk.parent / "acknowledged")
    device = Device(plant, ledger, seed=SEED, nth=1)
    try:
        events = device.events(20)
        device.deliver(events, device.next_sequence())
        late, sequence = device.events(20), device.next_sequence()
        checks.settle(plant)

        def unread() -> list[str]:
            paths = ("/readyz", "/log/checkpoint", f"/api/v1/items/{events[0]['item_id']}", "/")
            answers = [httpx.get(plant.url + path, timeout=30) for path in paths]
            return [f"{each.url}: {each.status_code} {each.text}" for each in answers if each.status_code != 200]

        def refused() -> bool:
            said = httpx.put(f"{plant.url}/api/v1/facilities/FAULT-B", json={}, headers=plant.headers, timeout=30)
            return said.status_code == 503 and said.json()["code"] == "disk_full" and "Retry-After" in said.headers

        for leave_mb in (60, 0):
            fill(small_disk / "filler", leave_mb=leave_mb)
            until(refused, seconds=20, what="refusing")
            answer = device.once(json.dumps(late).encode(), sequence)
            assert answer is not None
            assert (answer.status_code, answer.json()["code"]) == (503, "disk_full")
            assert unread() == []
        (small_disk / "filler").unlink()
        until(lambda: not refused(), seconds=20, what="taking writes again")
        device.deliver(late, sequence)
        checks.settle(plant)
        assert checks.problems(plant, ledger.acknowledged) + ledger.broken == []
        assert len(ledger.acknowledged) == 40
    finally:
        device.close()
        plant.close()


def test_every_order_is_done_or_undone_when_processes_die(tmp_path):
    print(f"seed {SEED}")
    plant = Plant(tmp_path / "home")
    try:
        bought, killed = purchases.drive(plant, seed=SEED, orders=60, kills=len(purchases.KINDS))
        assert purchases.problems(plant, bought) == [], dict(killed)
    finally:
        plant.close()
    assert killed, "nothing was killed"
    assert bought.states["bought"] > 20
