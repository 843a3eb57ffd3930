"""The fault driver: devices send while processes are killed; then everything acknowledged must be there, once.

    python -m tests.faults.driver --kills 100 --events 200000 --report docs/reports/faults.md

The seed is printed and decides every batch and every kill; moments in time are the machine's own.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime as dt
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from tests.faults import checks, clock
from tests.faults.plant import KINDS, LIMIT_S, Plant, until
from tests.faults.senders import Device, Ledger, probe

DEVICES = 6
GAP_S = (0.3, 2.5)  # from one recovery to the next kill
IN_LOG_WAIT_S = 60.0


@dataclasses.dataclass(frozen=True)
class Kill:
    """One kill: what, and how long until a new event was acknowledged and until the log covered it (s)."""

    kind: str
    happened: str
    acknowledged_s: float
    in_log_s: float


@dataclasses.dataclass
class Outcome:
    """What a run found."""

    seed: int
    events: int  # asked for
    kills: list[Kill]
    ledger: Ledger
    problems: list[str]
    took_s: float


def planned(seed: int, count: int) -> list[tuple[float, str]]:
    """Return the plan: (pause in seconds, what to kill); every kind in turn, shuffled."""
    rng = random.Random(f"{seed}/kills")
    kinds = [KINDS[i % len(KINDS)] for i in range(count)]
    rng.shuffle(kinds)
    return [(rng.uniform(*GAP_S), kind) for kind in kinds]


def drive(plant: Plant, *, seed: int, kills: int, events: int, devices: int = DEVICES) -> Outcome:
    """Send and kill until both numbers are reached; then look at everything."""
    began = time.monotonic()
    ledger = Ledger(plant.home / "acknowledged")
    senders = [Device(plant, ledger, seed=seed, nth=nth) for nth in range(1, devices + 1)]
    prober = Device(plant, ledger, seed=seed, nth=0)
    stop = threading.Event()

    goal = events / max(1, kills)  # grows with the kills, so that every one of them meets work

    def work(device: Device) -> None:
        try:
            while not stop.is_set():
                if len(ledger.acknowledged) < goal:
                    device.act()
                else:
                    time.sleep(0.05)
        except Exception as err:
            ledger.broke(f"a device stopped: {err!r}")
            raise

    threads = [threading.Thread(target=work, args=(device,), daemon=True) for device in senders]
    for thread in threads:
        thread.start()
    done = []
    try:
        for nth, (pause_s, kind) in enumerate(planned(seed, kills)):
            goal = events * (nth + 2) / kills
            time.sleep(pause_s)
            done.append(_kill(plant, kind, prober, random.Random(f"{seed}/{nth}/victim")))
            print(f"{nth + 1:4} {done[-1]} events {len(ledger.acknowledged)}", flush=True)
        goal = events
        until(lambda: len(ledger.acknowledged) >= events or ledger.broken, seconds=600, what="all that was to be sent")
    finally:
        stop.set()
        for thread in threads:
            thread.join(240)
        for device in (*senders, prober):
            device.close()
    checks.settle(plant)
    problems = checks.problems(plant, ledger.acknowledged) + ledger.broken
    verified = plant.run("verify-log")
    if verified.returncode:
        problems.append("verify-log: " + (verified.stdout + verified.stderr)[-500:])
    return Outcome(seed, events, done, ledger, problems, time.monotonic() - began)


def _kill(plant: Plant, kind: str, prober: Device, rng: random.Random) -> Kill:
    began = time.monotonic()
    happened = plant.kill(kind, rng)
    _, batch = probe(prober)
    acknowledged_s = time.monotonic() - began
    until(lambda: plant.in_log(batch), seconds=IN_LOG_WAIT_S, what="the log's going on")
    return Kill(kind, happened, acknowledged_s, time.monotonic() - began)


def report(outcome: Outcome, *, web_workers: int) -> str:
    """Return the run as a page of Markdown."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    ledger = outcome.ledger
    lines = [
        "# Faults",
        "",
        (
            "Devices send signed batches while processes are killed with `kill -9`; the driver keeps its own list of "
            "what was acknowledged and afterwards compares it with database and log. Repeat with "
            f"`python -m tests.faults.driver --kills {len(outcome.kills)} --events {outcome.events} "
            f"--seed {outcome.seed} --web-workers {web_workers}`."
        ),
        "",
        "| | |",
        "|---|---|",
        f"| date | {dt.datetime.now(dt.UTC):%Y-%m-%d} |",
        f"| commit | {commit.stdout.strip()} |",
        f"| seed | {outcome.seed} |",
        "| machine | 2 cores, 24 GiB, shared with other work |",
        f"| took | {outcome.took_s:.0f} s |",
        f"| acknowledged events | {len(ledger.acknowledged):,} |",
        f"| kills | {len(outcome.kills)} |",
        f"| **lost, doubled, outside the log, or any other broken promise** | **{len(outcome.problems)}** |",
        f"| answers | {_counts(ledger.statuses)} |",
        f"| deeds of the devices | {_counts(ledger.deeds)} |",
        "",
        "Time from the kill until a new event was acknowledged, and until a published checkpoint covered it:",
        "",
        "| killed | times | acknowledged, median | worst | in the log, median | worst | promised |",
        "|---|---|---|---|---|---|---|",
    ]
    for kind in KINDS:
        ours = [kill for kill in outcome.kills if kill.kind == kind and kill.happened != "nothing to kill"]
        if ours:
            first, last = [kill.acknowledged_s for kill in ours], [kill.in_log_s for kill in ours]
            lines.append(
                f"| {kind} | {len(ours)} | {statistics.median(first):.1f} s | {max(first):.1f} s "
                f"| {statistics.median(last):.1f} s | {max(last):.1f} s | {LIMIT_S[kind]} s |"
            )
    problems = ["", *(f"* {problem}" for problem in outcome.problems)] if outcome.problems else []
    return "\n".join([*lines, *problems, ""])


def _counts(counter: dict[int | str, int] | dict[str, int]) -> str:
    return ", ".join(f"{name}: {count}" for name, count in sorted(counter.items(), key=lambda pair: -pair[1]))


def _jump(home: Path, outcome: Outcome, jumps: int) -> str:
    """Let the clock of another installation jump; add its problems to the outcome and return what to report."""
    moved = clock.ServerClock(home / "clock")
    plant = Plant(home / "jumping", extra=moved.environment())
    try:
        found = clock.drive(plant, moved, seed=outcome.seed, jumps=jumps)
    finally:
        plant.close()
    outcome.problems += found.problems
    lines = [
        "",
        "## The server's own clock",
        "",
        (
            f"Web and worker saw {jumps} jumps, up to {max(map(abs, found.offsets_s)) / 3_600:.1f} h from the right "
            f"time (PostgreSQL kept it), while devices sent: {len(found.ledger.acknowledged):,} events acknowledged; "
            f"{len(found.set_aside)} quarantined as `clock_ahead` and accepted when sent again; {found.told_to_wait} "
            f"requests told that their signature is of another time; **{len(found.problems)}** broken promises."
        ),
        *(f"* {problem}" for problem in found.problems),
        "",
    ]
    return "\n".join(lines)


def main() -> int:
    """Run from the command line; exit 1 when a promise was broken."""
    parser = argparse.ArgumentParser(description="Kill parts of an installation while devices send, and count.")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**31))
    parser.add_argument("--clock-jumps", type=int, default=0, help="afterwards, of the server's own clock")
    parser.add_argument("--web-workers", type=int, default=2, help="one remembers what it wrote, two do not")
    parser.add_argument("--report", type=Path)
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    home = Path(tempfile.mkdtemp(prefix="pw-faults-"))
    if options.clock_jumps and clock.ServerClock.library() is None:
        parser.error("--clock-jumps needs Debian's package faketime")
    plant = Plant(home / "home", extra={"PARCELWARD_WEB_WORKERS": str(options.web_workers)})
    try:
        outcome = drive(plant, seed=options.seed, kills=options.kills, events=options.events)
    finally:
        plant.close()
    text = report(outcome, web_workers=options.web_workers)
    if options.clock_jumps:
        text += _jump(home, outcome, options.clock_jumps)
    print(text)
    if options.report:
        options.report.parent.mkdir(parents=True, exist_ok=True)
        options.report.write_text(text)
    if outcome.problems:
        print(f"the installation is kept in {home}")
        return 1
    shutil.rmtree(home, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
