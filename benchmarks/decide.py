"""What does a decision cost: in the process (features, rules), and with its row, entry and count in the database?

Orders of a few big senders and many small ones; a past of observations is read first. Then so many are decided a
second, each in its own transaction, on a fixed clock: who comes late has waited, and that counts.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import random
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benchmarks.features import AT_ONCE, observed
from benchmarks.ingest import percentile
from benchmarks.installation import SEED, report, running

PAST = 50_000
RATE = 200
THREADS = 4
WARM = 200
ALONE = 4_000
LEARNT_FROM = 20_000
DAYS_US = 86_400_000_000


def orders(n: int, now: dt.datetime) -> list[Any]:
    """Return so many orders of the same senders as the past has."""
    from parcelward.risk.wire import Fact, Key, OrderFacts

    rng = random.Random(SEED)
    found = []
    for one in rng.choices(observed(PAST, now), k=n):
        known: dict[str, Fact] = {
            "account_age_s": rng.randrange(86_400, 400 * 86_400),
            "card_country": rng.choice(["ES", "ES", "ES", "FR"]),
            "declared_value_minor": rng.randrange(100_00),
            "destination_country": "ES",
            "first_order": rng.random() < 0.05,
            "items": 1,
            "origin_country": "ES",
            "payment": "card",
            "weight_g": rng.randrange(50, 20_000),
        }
        keys: dict[Key, bytes] = {key: value for key, value in one.keys.items() if key is not Key.PRINTER}
        found.append(OrderFacts(uuid.uuid4(), now, keys, rng.randrange(300, 30_000), "EUR", known))
    return found


def past(now: dt.datetime) -> None:
    """Write the past, and read it as a process does when it starts."""
    from parcelward.risk import here
    from parcelward.risk.actions import observe_within

    seen = observed(PAST, now)
    for first in range(0, len(seen), AT_ONCE):
        observe_within(seen[first : first + AT_ONCE])
    here.start()
    time.sleep(5)


def let_score(now: dt.datetime) -> None:
    """Let a model of ordinary size score in this process; what it learns is made up."""
    import numpy as np

    from parcelward.risk import scoring
    from parcelward.risk.learning import stored
    from parcelward.risk.learning.challenging import COLUMNS, NAMES
    from parcelward.risk.learning.scorer import StoredScorer
    from parcelward.risk.learning.training import NEVER, Examples, Settings, learn
    from parcelward.risk.wire import micros

    draw = np.random.default_rng(SEED)
    values = draw.gamma(1.0, 3.0, (LEARNT_FROM, len(NAMES)))
    at = micros(now) - (np.arange(LEARNT_FROM, dtype=np.int64) * DAYS_US * 80 // LEARNT_FROM)
    fraud = values[:, :5].sum(axis=1) + draw.normal(0, 3, LEARNT_FROM) > np.quantile(values[:, :5].sum(axis=1), 0.97)
    found = np.where(fraud, at + DAYS_US, NEVER)
    text = stored.written(learn(Examples(NAMES, values, at, found), COLUMNS, now, Settings(), seed=SEED))
    scoring.use(StoredScorer(text, expected=stored.digest(text)))


def in_process(some: list[Any]) -> tuple[list[float], list[float]]:
    """Return how long each decision takes without the database, and its CPU: features, rules, the body that is kept."""
    from parcelward.risk import here, rule_book, stored
    from parcelward.risk.answering import answered, features_of

    ruleset = rule_book.asked("")
    took_ms, cpu_ms = [], []
    for one in some:
        began, cpu = time.perf_counter(), time.thread_time_ns()
        made = answered(one, features_of(one, here.read_for), ruleset, (), revision="", nth=1)
        stored.body(made, owner=one.order, by=1)
        took_ms.append((time.perf_counter() - began) * 1000)
        cpu_ms.append((time.thread_time_ns() - cpu) / 1e6)
    return took_ms[WARM:], cpu_ms[WARM:]


def at_rate(some: list[Any], rate: int) -> tuple[list[float], list[float], float]:
    """Decide so many a second; return how long each took, how long after it was due it was done, and its CPU."""
    from django.db import connections, transaction

    from parcelward.people.wire import Person, Role
    from parcelward.risk.actions import decide

    by = Person(uuid.uuid4(), Role.SENDER_ADMIN, 1, "bench", organisation=uuid.uuid4())
    began = time.perf_counter() + 0.5

    def one(nth: int) -> tuple[float, float]:
        due = began + nth / rate
        time.sleep(max(0.0, due - time.perf_counter()))
        start = time.perf_counter()
        with transaction.atomic():
            decide(some[nth], by=by)
        done = time.perf_counter()
        return (done - start) * 1000, (done - due) * 1000

    def share(first: int) -> list[tuple[float, float]]:
        try:
            return [one(nth) for nth in range(first, len(some), THREADS)]
        finally:
            connections.close_all()

    cpu = time.process_time()
    with ThreadPoolExecutor(THREADS) as threads:
        found = [pair for part in threads.map(share, range(THREADS)) for pair in part[WARM // THREADS :]]
    return [took for took, _ in found], [late for _, late in found], (time.process_time() - cpu) / len(some) * 1000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="decide")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rate", type=int, default=RATE)
    parser.add_argument("--scored", action="store_true", help="with a model that scores each order")
    options = parser.parse_args()
    with running() as installation:
        os.environ |= {
            "PARCELWARD_HOME": str(installation.home),
            "PARCELWARD_PORT": installation.url.rsplit(":", 1)[1],
            "DJANGO_SETTINGS_MODULE": "parcelward.doors.settings",
        }
        import django

        django.setup()
        now = dt.datetime.now(dt.UTC)
        past(now)
        if options.scored:
            from parcelward.risk import champion

            champion.take_up = lambda: None  # the one of this process stays
            let_score(now)
        alone_ms, alone_cpu_ms = in_process(orders(ALONE + WARM, now))
        took_ms, done_ms, cpu_ms = at_rate(orders(int(options.seconds * options.rate) + WARM, now), options.rate)
    report(
        "decide",
        [
            ("observations in the past", float(PAST), ""),
            ("in the process: p50_ms", percentile(alone_ms, 0.5), "ms"),
            ("in the process: p99_ms", percentile(alone_ms, 0.99), "ms"),
            ("in the process: p50_ms, of CPU", percentile(alone_cpu_ms, 0.5), "ms"),
            ("in the process: p99_ms, of CPU", percentile(alone_cpu_ms, 0.99), "ms"),
            ("decided a second", float(options.rate), "1/s"),
            ("with its transaction: p50_ms", percentile(took_ms, 0.5), "ms"),
            ("with its transaction: p99_ms", percentile(took_ms, 0.99), "ms"),
            ("after it was due: p50_ms", percentile(done_ms, 0.5), "ms"),
            ("after it was due: p99_ms", percentile(done_ms, 0.99), "ms"),
            ("cpu_ms of this process for each", cpu_ms, "ms"),
        ],
    )


if __name__ == "__main__":
    main()
