"""What does a whole decision cost beside the bare prediction of the same model: thirty rules, the score, and why?

No installation and no data of others: orders are made from the seed, with all features of the table. The bare
prediction is LightGBM's own for a single row, made ready once, of numbers that lie in an array already; nothing in
Python can be less. The decision reads a mapping, works the ratios out, scores with reasons and asks thirty rules, of
which some fire.
"""

from __future__ import annotations

import argparse
import datetime as dt
import random
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import numpy as np
from benchmarks.ingest import percentile
from benchmarks.installation import SEED, report
from benchmarks.rules import RULES, SCHEMA, _order

from parcelward.risk.features.table import TABLE
from parcelward.risk.language.deciding import RuleSet, decide
from parcelward.risk.language.life import Stage, Version
from parcelward.risk.learning.fast import RAW_SCORE, SingleRow
from parcelward.risk.learning.model import Model
from parcelward.risk.learning.rows import Columns, Ratio
from parcelward.risk.learning.training import NEVER, Examples, Settings, learn
from parcelward.risk.wire import Answer, micros

ORDERS = 20_000
ASKED = 5_000
ROUNDS = 5
NOW = dt.datetime(2026, 11, 27, 12, tzinfo=dt.UTC)
HOUR = 3_600_000_000
NAMES = ("amount_minor", *(one.name for one in TABLE))
COLUMNS = Columns(
    NAMES,
    tuple(Ratio(f"amount_to_{span}", "amount_minor", f"account_order_mean_{span}") for span in ("1d", "7d", "30d")),
)


def learnt() -> Model:
    """Return a model of the usual size: 200 trees of 12 leaves over all features."""
    draw = np.random.default_rng(SEED)
    values = draw.lognormal(1, 1, (ORDERS, len(NAMES)))
    values[draw.random(values.shape) < 0.05] = np.nan
    margin = np.nansum(np.log(values[:, ::4]), axis=1) / 2 - 10
    fraud = draw.random(ORDERS) < 1 / (1 + np.exp(-margin))
    at = micros(NOW) - HOUR * np.arange(ORDERS, dtype=np.int64)[::-1] // 10
    return learn(Examples(NAMES, values, at, np.where(fraud, at, NEVER)), COLUMNS, NOW, Settings(), seed=1)


def orders() -> list[dict[str, Any]]:
    """Return orders with what rules ask about and what the model reads."""
    draw, numbers = random.Random(SEED), np.random.default_rng(SEED + 1).lognormal(1, 1, (ASKED, len(NAMES)))
    found = []
    for row in numbers.tolist():
        features = {name: None if draw.random() < 0.05 else value for name, value in zip(NAMES, row, strict=True)}
        found.append({**_order(draw), **features, "amount_minor": round(row[0] * 1_000)})
    return found


def took(functions: dict[str, Callable[[int], object]]) -> dict[str, list[float]]:
    """Return how many microseconds each call took, of each order the best of some rounds.

    The functions take turns at every order, so that none has the caches of the processor for itself.
    """
    best = {name: [float("inf")] * ASKED for name in functions}
    clock = time.perf_counter_ns
    for _ in range(ROUNDS):
        for nth in range(ASKED):
            for name, function in functions.items():
                times = best[name]
                began = clock()
                function(nth)
                spent = (clock() - began) / 1_000
                times[nth] = min(times[nth], spent)
    return best


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="scoring")
    parser.add_argument("--seconds", type=float, default=0, help="accepted for all benchmarks")
    parser.parse_args()
    model, some = learnt(), orders()
    versions = [
        Version(f"rule_{nth}", 1, text, text, Answer.REVIEW, f"Rule {nth}", UUID(int=nth + 1), Stage.ACTIVE)
        for nth, text in enumerate(RULES[:30])
    ]
    ruleset = RuleSet.of(SCHEMA, versions)
    assert not ruleset.set_aside
    rows = [np.array(COLUMNS.read(order), dtype=np.float64) for order in some]
    bare = SingleRow(model.booster, RAW_SCORE)
    numbers, ask, arguments = bare._row, bare._ask, bare._arguments  # noqa: SLF001 -- what is measured is what is inside

    def raw(nth: int) -> None:
        numbers[:] = rows[nth]
        ask(*arguments)

    def whole(nth: int) -> None:
        order = some[nth]
        score = model.score(order)
        order["score"] = score.probability
        decide(ruleset, order, (), NOW)

    times = took(
        {
            "bare": raw,
            "score": lambda nth: model.score(some[nth]),
            "rules": lambda nth: decide(ruleset, some[nth], (), NOW),
            "whole": whole,
        }
    )
    began = time.perf_counter()
    for nth in range(200):
        model.booster.predict(rows[nth][None], raw_score=True, num_threads=1)
    package = (time.perf_counter() - began) / 200 * 1e6
    began = time.perf_counter()
    for nth in range(200):
        model.shares(some[nth])
    shares = (time.perf_counter() - began) / 200 * 1e6
    fired = sum(bool(decide(ruleset, order, (), NOW).reasons) for order in some) / ASKED
    p50, p99 = ({name: percentile(us, part) for name, us in times.items()} for part in (0.5, 0.99))
    report(
        "scoring",
        [
            ("features, with ratios", float(len(COLUMNS.names)), ""),
            ("trees", float(model.booster.num_trees()), ""),
            ("orders of which a rule fires", fired * 100, "%"),
            ("bare prediction p50", p50["bare"], "us"),
            ("bare prediction p99", p99["bare"], "us"),
            ("score with reasons p50", p50["score"], "us"),
            ("score with reasons p99", p99["score"], "us"),
            ("thirty rules p50", p50["rules"], "us"),
            ("thirty rules p99", p99["rules"], "us"),
            ("thirty rules, score, reasons p50", p50["whole"], "us"),
            ("thirty rules, score, reasons p99", p99["whole"], "us"),
            ("ratio_to_bare_p50", p50["whole"] / p50["bare"], "aim: at most 3"),
            ("ratio_to_bare_p99", p99["whole"] / p99["bare"], ""),
            ("the package's own predict", package, "us"),
            ("ratio_to_the_package's_own_predict", p50["whole"] / package, ""),
            ("exact shares, for an opened case", shares, "us"),
        ],
    )


if __name__ == "__main__":
    main()
