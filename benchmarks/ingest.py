"""Does one small machine carry the peak? Batches of 500, everything on, load generator on the same cores.

With one web process, as docs/operating advises for batches; `--web-workers 2` is the default of a machine of two cores.
"""

from __future__ import annotations

import argparse
import base64
import bisect
import json
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import psycopg
from benchmarks import copy_baseline
from benchmarks.installation import ROLES, Installation, report, running, sample_world

from parcelward.base.postgres import Cluster

DEVICES = 4
SETTLE_S = 3.0


def _log_size(url: str) -> int:
    answer = httpx.get(f"{url}/log/checkpoint", timeout=10)
    return int(answer.text.split("\n")[1]) if answer.status_code == 200 else 0


class _Watch(threading.Thread):
    """Notes when which checkpoint was published, and how much memory each part uses."""

    def __init__(self, installation: Installation) -> None:
        super().__init__(daemon=True)
        self.installation = installation
        self.published: list[tuple[float, int]] = [(time.time(), _log_size(installation.url))]
        self.memory: list[dict[str, float]] = []
        self.stop = threading.Event()

    def run(self) -> None:
        path = self.installation.home / "log" / "checkpoint"
        last, turn = 0, 0
        while not self.stop.wait(0.02):
            turn += 1
            if turn % 500 == 1:
                self.memory.append(self.installation.memory_mb())
            try:
                text, seen = path.read_text(), path.stat().st_mtime
            except OSError:
                continue
            size = int(text.split("\n")[1])
            if size != last:
                self.published.append((seen, size))
                last = size


def _in_log_lags_ms(installation: Installation, published: list[tuple[float, int]]) -> list[float]:
    """Return, per batch, the time from receiving it to the first checkpoint seen that covers it."""
    url = Cluster(installation.home / "postgres" / "main").url("parcelward")
    with psycopg.connect(url) as conn:
        rows = conn.execute(
            "SELECT first_index + n, extract(epoch FROM record_time)::float8 FROM custody_logbatch "
            "WHERE record_time > to_timestamp(%s) ORDER BY 1",
            (published[0][0],),
        ).fetchall()
    sizes = [size for _, size in published]
    lags = []
    for end, recorded in rows:
        nth = bisect.bisect_left(sizes, end)
        if nth < len(published):
            lags.append((published[nth][0] - recorded) * 1000)
    return lags


def percentile(values: list[float], part: float) -> float:
    """Return a percentile of values by the nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else float("nan")


def load(
    installation: Installation, *, seconds: float, rate: float, batch: int, devices: int, events_max: int = 0
) -> dict[str, Any]:
    """Run the load generator and return what it saw."""
    enrolled = [installation.device(f"load {i}") for i in range(devices)]
    keys = [[d.key_id, base64.b64encode(d.key.private_bytes_raw()).decode()] for d in enrolled]
    done = subprocess.run(
        [
            *(sys.executable, "-m", "benchmarks.load", "--url", installation.url, "--devices", json.dumps(keys)),
            *("--seconds", str(seconds), "--rate", str(rate), "--batch", str(batch), "--events-max", str(events_max)),
        ],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).resolve().parents[1],
    )
    return dict(json.loads(done.stdout))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="ingest")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rate", type=float, default=0)
    parser.add_argument("--web-workers", type=int, default=1)
    options = parser.parse_args()
    with running(PARCELWARD_WEB_WORKERS=str(options.web_workers)) as installation:
        installation.know(sample_world())
        load(installation, seconds=5, rate=0, batch=500, devices=DEVICES)  # warm caches and partitions
        time.sleep(SETTLE_S)
        beside = copy_baseline.Yardstick(installation, every_s=options.seconds / copy_baseline.COMMITS)
        before, size_before = installation.cpu_seconds(), _log_size(installation.url)
        watch = _Watch(installation)
        watch.start()
        beside.start()
        seen = load(installation, seconds=options.seconds, rate=options.rate, batch=500, devices=DEVICES)
        copy, copy_s = beside.stop(at_once=True)
        time.sleep(SETTLE_S)
        watch.stop.set()
        after, size_after = installation.cpu_seconds(), _log_size(installation.url)
        lags = _in_log_lags_ms(installation, watch.published)
        after["database"] -= copy_s
        beside.remove()
        alone = copy_baseline.Yardstick(installation, every_s=0)
        alone.start()
        idle, _ = alone.stop(at_once=False)
        events = seen["accepted"]
        cpu = {role: (after[role] - before[role]) / events * 1e6 for role in ROLES}
        total = sum(cpu.values())
        answers_ms = [a * 1000 for a in seen["answers"]]
        rows = [
            ("web_processes", float(options.web_workers), ""),
            ("events_per_second", events / seen["seconds"], "1/s"),
            ("events", float(events), ""),
            ("seconds", seen["seconds"], "s"),
            ("requests_failed", float(seen["failed"]), ""),
            ("entries_published", float(size_after - size_before), ""),
            ("answer_p50_ms", percentile(answers_ms, 0.5), "ms"),
            ("answer_p99_ms", percentile(answers_ms, 0.99), "ms"),
            ("in_log_p50_ms", percentile(lags, 0.5), "ms"),
            ("in_log_p99_ms", percentile(lags, 0.99), "ms"),
            *((f"cpu_us_per_event {role}", cpu[role], "us") for role in ROLES),
            ("cpu_us_per_event", total, "us"),
            ("copy_cpu_us_per_row database", copy.database, "us"),
            ("copy_cpu_us_per_row client", copy.client, "us"),
            ("ratio_to_copy", sum(copy) / total, ""),
            ("ratio_to_copy, database end alone", copy.database / total, ""),
            ("copy_cpu_us_per_row on an idle machine", sum(idle), "us"),
            ("ratio_to_copy, COPY on an idle machine", sum(idle) / total, ""),
        ]
        for role in ROLES:
            used = [m[role] for m in watch.memory]
            if used:
                when = (("first", 0), ("half-way", len(used) // 2), ("last", -1))
                rows += [(f"memory_mb {role} {word}", used[at], "MB") for word, at in when]
        report("ingest", rows, median_answer_ms=statistics.median(answers_ms))


if __name__ == "__main__":
    main()
