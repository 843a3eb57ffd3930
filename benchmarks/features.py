"""What do the features of risk cost: to observe, to read beside a decision, in memory, and to make again after a crash?

A month and a half of observations of a few big senders and many small ones, in the order in which they happen. The last
of them are read before they are observed, as a decision does. CPU time: a yardstick of the same run stands beside it.
"""

from __future__ import annotations

import argparse
import datetime as dt
import gc
import os
import random
import statistics
import time
from bisect import bisect_right
from uuid import UUID

import psutil
from benchmarks.ingest import percentile
from benchmarks.installation import SEED, report, running

from parcelward.risk.features.store import Store
from parcelward.risk.wire import Key, Kind, Observation, Outcome

DAYS = 45
READS = 20_000
IN_TABLE = 50_000
AT_ONCE = 500
FRAUD = 0.01
KINDS = (Kind.ORDER,) * 16 + (Kind.DECLINED,) + (Kind.LABEL,) * 3


def observed(n: int, until: dt.datetime) -> list[Observation]:
    """Return so many observations: an eighth of one sender, a tenth of senders that are seen once or twice."""
    rng = random.Random(SEED)

    def key(which: Key, nth: int) -> bytes:
        return random.Random(f"{which} {nth}").randbytes(16)

    known: dict[tuple[Key, int], bytes] = {}
    found = []
    for nth in range(n):
        account = min(int(rng.paretovariate(0.2)), n)
        numbers = {
            Key.ACCOUNT: account,
            Key.CARD: account * 2 + rng.randrange(2),
            Key.DEVICE: account * 2 + rng.randrange(2),
            Key.ADDRESS: rng.randrange(n),
            Key.ADDRESSEE: rng.randrange(n),
            Key.NETWORK: account % 5_000,
            Key.PRINTER: account % 2_000,
        }
        keys = {}
        for which, number in numbers.items():
            if (which, number) not in known:
                known[which, number] = key(which, number)
            keys[which] = known[which, number]
        at = until - dt.timedelta(days=DAYS) * (1 - nth / n)
        found.append(
            Observation(UUID(int=rng.getrandbits(128)), rng.choice(KINDS), at, keys, rng.randrange(300, 30_000))
        )
    return found


def _rss() -> int:
    gc.collect()
    return psutil.Process().memory_info().rss


def in_memory(seen: list[Observation]) -> list[tuple[str, float, str]]:
    """Observe all, read the last."""
    rng = random.Random(SEED)
    before, store = _rss(), Store()
    began = time.process_time()
    for one in seen[:-READS]:
        store.observe(one)
    observing = time.process_time() - began
    n = len(seen) - READS
    memory = _rss() - before
    for one in rng.sample(seen[:n], int(n * FRAUD)):
        store.learn(Outcome(one.id, one.id, one.at, fraud=True), one)
    took_us, wall_us = [], []
    for one in seen[-READS:]:
        wall, cpu = time.perf_counter_ns(), time.thread_time_ns()
        store.read_for(one)
        took_us.append((time.thread_time_ns() - cpu) / 1000)
        wall_us.append((time.perf_counter_ns() - wall) / 1000)
        store.observe(one)
    times = sorted(rng.randrange(1 << 40) for _ in range(1_000))
    began = time.process_time()
    for moment in times * 100:
        bisect_right(times, moment)
    bisect_us = (time.process_time() - began) / 100_000 * 1e6
    return [
        ("observations", float(len(seen)), ""),
        ("features in a read", float(len(store.names)), ""),
        ("keys remembered, nothing forgotten yet", float(store.keys), ""),
        ("observe: cpu_us", observing / n * 1e6, "us"),
        ("observed_per_second, one core", n / observing, "1/s"),
        ("read: cpu_us", statistics.mean(took_us), "us"),
        ("reads_per_second, one core", 1e6 / statistics.mean(took_us), "1/s"),
        ("read_p50_us", percentile(wall_us, 0.5), "us"),
        ("read_p99_us", percentile(wall_us, 0.99), "us"),
        ("read_p99_us, of CPU", percentile(took_us, 0.99), "us"),
        ("bytes_per_observation", memory / n, "B"),
        ("one look into a sorted list of 1,000: cpu_us", bisect_us, "us"),
        ("such looks for a read", statistics.mean(took_us) / bisect_us, ""),
    ]


def after_a_crash(seen: list[Observation]) -> list[tuple[str, float, str]]:
    """Write some to the tables, then make a copy of the features from them."""
    with running() as installation:
        os.environ |= {
            "PARCELWARD_HOME": str(installation.home),
            "PARCELWARD_PORT": installation.url.rsplit(":", 1)[1],
            "DJANGO_SETTINGS_MODULE": "parcelward.doors.settings",
        }
        import django

        django.setup()
        from parcelward.risk.actions import observe_within
        from parcelward.risk.follows import Copy

        some = seen[-IN_TABLE:]
        began = time.perf_counter()
        for first in range(0, len(some), AT_ONCE):
            observe_within(some[first : first + AT_ONCE])
        writing = time.perf_counter() - began
        copy, now = Copy(), some[-1].at
        began = time.perf_counter()
        read = copy.catch_up(now)
        reading = time.perf_counter() - began
        turns_ms = []
        for nth in range(200):
            observe_within([Observation(UUID(int=nth), Kind.ORDER, now, some[nth].keys, 500)])
            began = time.perf_counter()
            copy.catch_up(now)
            turns_ms.append((time.perf_counter() - began) * 1000)
    return [
        ("written_per_second, 500 in a transaction", len(some) / writing, "1/s"),
        ("rebuilt_per_second", read / reading, "1/s"),
        ("catch_up_p50_ms, of one row", percentile(turns_ms, 0.5), "ms"),
        ("catch_up_p99_ms, of one row", percentile(turns_ms, 0.99), "ms"),
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="features")
    parser.add_argument("--seconds", type=float, default=0, help="accepted for all benchmarks; --events decides here")
    parser.add_argument("--events", type=int, default=300_000)
    options = parser.parse_args()
    seen = observed(options.events, dt.datetime.now(dt.UTC))
    report("features", [*in_memory(seen), *after_a_crash(seen)])


if __name__ == "__main__":
    main()
