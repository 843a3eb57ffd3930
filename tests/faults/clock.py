"""The server's own clock jumps, forward and back, while devices send: nothing acknowledged may be lost by it.

Web and worker of one installation see a moved clock through Debian's libfaketime; PostgreSQL, the driver and the
devices keep the right one. What we promise meanwhile: a device whose clock stands right is told that its
signature is of another time and sends again later; a device that follows the server's clock is heard, and its events
from the server's future, and only those, are quarantined as `clock_ahead`; sequencing goes on.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
import os
import random
import threading
import time
from pathlib import Path
from typing import Any

import httpx
from tests.faults import checks
from tests.faults.plant import Plant, until
from tests.faults.senders import DEEDS, Device, Ledger

LIBRARIES = ("faketime/libfaketimeMT.so.1", "faketime/libfaketime.so.1")
AHEAD_MAX_S = 300  # of an event's time
OFF_S = (7 * 60, 6 * 3_600)
STARTED_BEFORE = dt.timedelta(hours=3)  # the first event of a device is so old
AGES = (STARTED_BEFORE, dt.timedelta(hours=1), dt.timedelta())
UNSURE = dt.timedelta(minutes=1)  # so near to the limit, either answer is right
EVENTS_AT_ONCE = 500
IN_LOG_WAIT_S = 60.0


SLEEP = """# libfaketime 0.9.10 answers EINVAL to the call behind time.sleep unless it moves the monotonic clock too
import select, time
time.sleep = lambda seconds: select.select([], [], [], seconds) and None
"""


class ServerClock:
    """A clock that every process of an installation reads and that only a test moves."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        self._file = folder / "offset"
        (folder / "sitecustomize.py").write_text(SLEEP)
        self.off_s = 0
        self.jump_to(0)

    @staticmethod
    def library() -> Path | None:
        """Return Debian's libfaketime, or None where it is not installed."""
        found = [path for name in LIBRARIES for path in sorted(Path("/usr/lib").glob(f"*/{name}"))]
        return found[0] if found else None

    def environment(self) -> dict[str, str]:
        """Return what makes a process and its children read this clock; how long things take stays true."""
        return {
            "LD_PRELOAD": str(self.library()),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "PYTHONPATH": os.pathsep.join([str(self._file.parent), *filter(None, [os.environ.get("PYTHONPATH")])]),
        }

    def jump_to(self, off_s: int) -> None:
        """Set the clock so many seconds before (negative: behind) the right time, in one step."""
        new = self._file.with_suffix(".new")
        new.write_text(f"{off_s:+d}\n")
        new.replace(self._file)
        self.off_s = off_s


@dataclasses.dataclass
class Jumps:
    """What a run found."""

    offsets_s: list[int]
    ledger: Ledger
    set_aside: dict[bytes, str]  # events quarantined while the server was behind them, by the SHA-256 of their bytes
    problems: list[str]

    @property
    def told_to_wait(self) -> int:
        """How often a device whose clock stands right was told that its signature is of another time."""
        return self.ledger.statuses[401]


def planned(seed: int, count: int) -> list[int]:
    """Return where the clock jumps to, in seconds from the right time: forward, back, and every third time right."""
    rng = random.Random(f"{seed}/clock")
    return [(1, -1, 0)[nth % 3] * rng.randint(*OFF_S) for nth in range(count)]


def drive(plant: Plant, clock: ServerClock, *, seed: int, jumps: int, devices: int = 2) -> Jumps:
    """Let the clock jump while devices send; set it right; then look at everything."""
    ledger = Ledger(plant.home / "acknowledged-while-the-clock-jumped")
    found = Jumps(planned(seed, jumps), ledger, {}, [])
    steady = {deed: often for deed, often in DEEDS.items() if deed != "clock"}  # these devices' own clocks stand right
    right = [Device(plant, ledger, seed=seed, nth=50 + nth, deeds=steady, patient=True) for nth in range(devices)]
    follower = Device(plant, ledger, seed=seed, nth=50 + devices)
    again: list[dict[str, Any]] = []
    stop = threading.Event()

    def work(device: Device) -> None:
        try:
            while not stop.is_set():
                device.act()
                time.sleep(0.2)
        except Exception as err:
            ledger.broke(f"a device stopped: {err!r}")
            raise

    threads = [threading.Thread(target=work, args=(device,), daemon=True) for device in right]
    for thread in threads:
        thread.start()
    try:
        for nth, off_s in enumerate(found.offsets_s):
            clock.jump_to(off_s)
            if nth % 2:  # and one that starts in the wrong time must go on as well
                plant.kill("worker", random.Random(nth))
            again += _one_jump(plant, clock, follower, found)
            print(f"{nth + 1:4} clock {off_s:+} s: events {len(ledger.acknowledged)}", flush=True)
        clock.jump_to(0)
        follower.ahead_s = 0
        for at in range(0, len(again), EVENTS_AT_ONCE):
            said = json.loads(follower.deliver(again[at : at + EVENTS_AT_ONCE], follower.next_sequence()) or b"{}")
            if said.get("quarantined") != []:
                ledger.broke(f"events once ahead are refused now: {said}")
    finally:
        clock.jump_to(0)
        stop.set()
        for thread in threads:
            thread.join(240)
        for device in (*right, follower):
            device.close()
    checks.settle(plant)
    found.problems += checks.problems(plant, ledger.acknowledged) + ledger.broken + _wrongly_set_aside(plant, found)
    verified = plant.run("verify-log")
    if verified.returncode:
        found.problems.append("verify-log: " + (verified.stdout + verified.stderr)[-500:])
    return found


def _one_jump(plant: Plant, clock: ServerClock, follower: Device, found: Jumps) -> list[dict[str, Any]]:
    """Send events of three ages with the server's clock; return those that are from its future, to be sent again."""
    follower.ahead_s = clock.off_s
    events = [event for age in AGES for event in follower.events(3, ahead=STARTED_BEFORE - age)]
    limit = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=clock.off_s + AHEAD_MAX_S)
    said = json.loads(follower.deliver(events, follower.next_sequence()) or b"{}")
    if not said:
        return []
    codes = {one["index"]: one["code"] for one in said["quarantined"]}
    for at, event in enumerate(events):
        ahead = dt.datetime.fromisoformat(event["event_time"]) - limit
        if abs(ahead) > UNSURE and codes.get(at) != ("clock_ahead" if ahead > UNSURE else None):
            found.problems.append(f"the server was {clock.off_s:+} s off, and {event} was answered {codes.get(at)}")
    batch = int(said["receipt"].split("\nbatch ")[1].split("\n")[0]) if len(codes) < len(events) else None
    if batch is not None:
        until(lambda: plant.in_log(batch), seconds=IN_LOG_WAIT_S, what=f"sequencing with a clock {clock.off_s:+} s off")
    until(lambda: httpx.get(f"{plant.url}/readyz", timeout=10).status_code == 200, seconds=30, what="readiness")
    # Each stands in the request as it is written by itself.
    found.set_aside |= {
        hashlib.sha256(json.dumps(events[at]).encode()).digest(): events[at]["event_id"] for at in codes
    }
    return [events[at] for at in codes]


def _wrongly_set_aside(plant: Plant, found: Jumps) -> list[str]:
    """Whatever is in quarantine was ahead of the server's clock when it came, and has been accepted since."""
    with plant.database() as db:
        rows = db.execute("SELECT code, digest FROM parcels_quarantine").fetchall()
    wrong = []
    for code, digest in rows:
        event_id = found.set_aside.get(bytes(digest))
        if code != "clock_ahead" or event_id not in found.ledger.acknowledged:
            wrong.append(f"wrongly in quarantine: {code} {event_id}")
    if len(rows) != len(found.set_aside):
        wrong.append(f"{len(rows)} events in quarantine, and {len(found.set_aside)} were answered so")
    return wrong
