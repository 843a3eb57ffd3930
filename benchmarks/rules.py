"""What does it cost to ask fifty rules about an order, and to try them on a million orders of the past?

No installation and no database: rules are pure. The orders are made from the seed; one in twenty-five facts is
missing. The yardstick of the same run is the plain form of the same rules, which walks their trees.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from benchmarks.installation import SEED, report

from parcelward.risk.language import columns, compiling, interpreting, reading
from parcelward.risk.language.schema import Schema
from parcelward.risk.wire import Field, FieldType, Unit

ORDERS = 2_000
PAST = 1_000_000
COUNTS = [f"{what}_{within}" for what in ("cards", "orders", "refused", "addresses") for within in ("1h", "24h", "30d")]
COUNTRIES = ["ES", "PT", "FR", "DE", "IT", "NL", "BE", "PL", "RO", "NG", "US", "GB"]
GOODS = ["phone", "shoes", "battery", "perfume", "knife", "book"]
SCHEMA = Schema(
    [
        *(Field(name, FieldType.INT, "%(value)s", most=100_000) for name in COUNTS),
        Field("amount_minor", FieldType.INT, "%(value)s", Unit.MINOR),
        Field("usual_minor", FieldType.FLOAT, "%(value)s", Unit.MINOR),
        Field("weight_g", FieldType.INT, "%(value)s"),
        Field("account_age", FieldType.INT, "%(value)s", Unit.SECONDS),
        Field("distance_km", FieldType.FLOAT, "%(value)s"),
        Field("score", FieldType.FLOAT, "%(value)s", most=1),
        Field("new_address", FieldType.BOOL, ""),
        Field("by_proxy", FieldType.BOOL, ""),
        Field("pick_up", FieldType.BOOL, ""),
        Field("country", FieldType.TEXT, "%(value)s"),
        Field("card_country", FieldType.TEXT, "%(value)s"),
        Field("postcode", FieldType.TEXT, "%(value)s"),
        Field("goods", FieldType.SET, "%(value)s"),
    ]
)
RULES = [
    *(f"{name} > {limit}" for name, limit in zip(COUNTS, (3, 8, 20, 5, 9, 40, 2, 5, 15, 2, 4, 10), strict=True)),
    *(
        f"{name} > {limit} and new_address"
        for name, limit in zip(COUNTS, (2, 4, 9, 3, 6, 20, 1, 3, 9, 1, 2, 6), strict=True)
    ),
    "amount_minor > 3 * usual_minor + 50_00",
    "amount_minor > 500_00 and account_age < 7d",
    "amount_minor > 200_00 and account_age < 1d and new_address",
    "amount_minor % 100_00 == 0 and amount_minor >= 300_00 and orders_24h > 2",
    "amount_minor / max(orders_30d, 1) > 400_00",
    "country != card_country and amount_minor > 150_00",
    "country != card_country and new_address and by_proxy",
    'card_country in ["NG", "RO"] and country not in ["NG", "RO"]',
    'card_country not in ["ES", "PT", "FR", "DE", "IT", "NL", "BE"] and amount_minor > 300_00',
    'country == "ES" and startswith(postcode, "35") and amount_minor > 400_00',
    'startswith(postcode, "51") and weight_g > 20_000',
    '"phone" in goods and amount_minor > 600_00',
    '"phone" in goods and new_address and account_age < 30d',
    '"battery" in goods and by_proxy',
    '"knife" in goods and pick_up',
    "by_proxy and score > 0.6",
    "score > 0.95",
    "score > 0.8 and (new_address or by_proxy or refused_24h > 1)",
    "distance_km > 800 and pick_up",
    "distance_km > 2000 and not known(postcode)",
    "weight_g < 100 and amount_minor > 250_00",
    "cards_1h > 1 and refused_1h > 1 and amount_minor < 5_00",
    "addresses_24h > 2 and cards_24h > 2",
    "orders_1h > 3 and not pick_up and (country != card_country or by_proxy)",
    "abs(amount_minor - usual_minor) > 700_00 and account_age < 90d",
    "min(cards_30d, addresses_30d) > 5",
]


def _order(draw: random.Random) -> dict[str, Any]:
    """Return an order as most are: small counts, a usual amount."""
    found: dict[str, Any] = {name: min(int(draw.expovariate(1.2)), 50) for name in COUNTS}
    found |= {
        "amount_minor": int(draw.lognormvariate(8.3, 0.9)),
        "usual_minor": draw.lognormvariate(8.3, 0.5),
        "weight_g": int(draw.lognormvariate(7, 1)),
        "account_age": int(draw.expovariate(1 / 2e7)),
        "distance_km": draw.expovariate(1 / 300),
        "score": draw.betavariate(1, 6),
        "new_address": draw.random() < 0.15,
        "by_proxy": draw.random() < 0.04,
        "pick_up": draw.random() < 0.2,
        "country": draw.choice(COUNTRIES[:5]),
        "postcode": f"{draw.randrange(52_000):05}",
        "goods": frozenset(draw.sample(GOODS, draw.choice([1, 1, 2]))),
    }
    found["card_country"] = found["country"] if draw.random() < 0.9 else draw.choice(COUNTRIES)
    return {name: None if draw.random() < 0.04 else value for name, value in found.items()}


def _cpu_us(function: Callable[[], object], times: int) -> float:
    """Return the CPU microseconds of one of `times` things that a call does: the best of nine calls."""
    rounds = []
    for _ in range(9):
        began = time.thread_time()
        function()
        rounds.append((time.thread_time() - began) / times * 1e6)
    return min(rounds)


def _past(orders: list[dict[str, Any]], length: int) -> columns.Columns:
    """Return the columns of as many orders: the known ones again and again, as a store of columns would give them."""
    few = columns.of(SCHEMA, orders)
    again = -(-length // len(orders))

    def longer(column: Any) -> Any:
        if not isinstance(column, columns.Members):
            return np.tile(column, again)[:length]
        at = np.repeat(np.arange(again, dtype=np.int32) * len(orders), len(column.orders)) + np.tile(
            column.orders, again
        )
        kept = at < length
        return columns.Members(
            np.tile(column.known, again)[:length], at[kept].astype(np.int32), np.tile(column.texts, again)[kept]
        )

    return columns.Columns(length, {name: longer(column) for name, column in few.columns.items()}, few.vocabulary)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="rules")
    parser.add_argument("--seconds", type=float, default=0, help="accepted for all benchmarks; --past decides here")
    parser.add_argument("--past", type=int, default=PAST, help="orders of the past that are judged")
    options = parser.parse_args()
    draw = random.Random(SEED)
    orders = [_order(draw) for _ in range(ORDERS)]
    assert len(RULES) == 50
    rules = [reading.read(rule, SCHEMA) for rule in RULES]
    made = compiling.compiled(rules)
    rows = [made.read(order)[0] for order in orders]
    past = _past(orders, options.past)

    def evaluate() -> None:
        fired = made.fired
        for row in rows:
            fired(*row)

    def read_and_evaluate() -> None:
        for order in orders:
            made.fired(*made.read(order)[0])

    fired = sum(bool(made.fired(*row)) for row in rows)
    whole = _cpu_us(evaluate, ORDERS)
    plain = _cpu_us(lambda: [interpreting.fires(rule, order) for order in orders[:100] for rule in rules], 100)
    began = time.process_time()
    found = columns.judged(rules, past)
    past_s = time.process_time() - began
    assert found[:, :ORDERS].any(axis=0).sum() == fired
    report(
        "rules",
        [
            ("fifty rules asked of an order", whole, "us"),
            ("the same, and its facts read from a mapping", _cpu_us(read_and_evaluate, ORDERS), "us"),
            ("the same rules in their plain form", plain, "us"),
            ("ratio_plain_to_compiled", plain / whole, ""),
            ("fields that the rules ask about", float(len(made.fields)), ""),
            ("orders of which a rule fires", fired / ORDERS * 100, "%"),
            ("fifty rules read, checked and compiled", _cpu_us(_compile, 1) / 1e3, "ms"),
            (f"fifty rules over {options.past:,} orders: CPU", past_s, "s"),
            ("the same for one order", past_s / options.past * 1e6, "us"),
        ],
    )


def _compile() -> None:
    compiling.compiled([reading.read(rule, SCHEMA) for rule in RULES])


if __name__ == "__main__":
    main()
