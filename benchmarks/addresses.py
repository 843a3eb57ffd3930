"""How many addresses can be checked, put on labels and shown in a second, beside parsing the same as JSON.

In this process alone: no installation, no database. The addresses are made from the forms of all countries with places
that do not exist: three of four are good, and every fourth has a fault whose mending is looked for. One core.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import random
import time
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.installation import SEED, report

from parcelward.base.standards import postcodes
from parcelward.base.standards.addresses import tables
from parcelward.base.standards.addresses.address import Address
from parcelward.base.standards.addresses.checking import check
from parcelward.base.standards.addresses.formatting import format_lines
from parcelward.base.standards.addresses.labels import label_lines

ADDRESSES = 2_000
FAULTY_EVERY = 4
MAIN = ("US", "GB", "DE", "FR", "ES", "IT", "CA", "JP", "CN", "BR", "IN", "AU")  # half of all addresses


def plan(chance: random.Random) -> list[Address]:
    """Return addresses of all countries, in no order."""
    countries = sorted(tables.forms())
    found = []
    for nth in range(ADDRESSES):
        country = chance.choice(MAIN if nth % 2 else countries)
        form, postcode = tables.forms()[country], postcodes.form_of(country)
        area = chance.choice(sorted(form.areas)) if form.areas else ""
        address = Address(
            country=country,
            addressee=f"Example Person {nth}",
            street_lines=(f"{chance.randrange(1, 200)} Sample Street",),
            locality="Sampletown",
            administrative_area=area,
            postcode=postcode.example if postcode else "",
        )
        found.append(_faulty(address, chance) if nth % FAULTY_EVERY == 0 else address)
    return found


def _faulty(address: Address, chance: random.Random) -> Address:
    wrong: list[dict[str, Any]] = [
        {"country": tables.names().called[address.country][0]},
        {"country": f"{tables.names().called[address.country][0]}x"},
        {"postcode": f"{address.postcode}O"},
        {"administrative_area": f"{address.administrative_area}sx"},
        {"locality": address.postcode, "postcode": "Sampletown"},
        {"street_lines": ("PO Box 12",)},
    ]
    return dataclasses.replace(address, **chance.choice(wrong))


def timed(seconds: float, what: str, works: Sequence[Callable[[], Any]]) -> list[tuple[str, float, str]]:
    """Return how many of these are done in a second, and what CPU the slower ones take: the machine has other work."""
    took: list[float] = []
    began, cpu = time.monotonic(), time.process_time()
    while time.monotonic() - began < seconds:
        for work in works:
            start = time.thread_time()
            work()
            took.append((time.thread_time() - start) * 1e6)
    used = time.process_time() - cpu
    took.sort()
    return [
        (f"{what} a second and core", len(took) / used, "1/s"),
        ("  CPU p50", took[len(took) // 2], "us"),
        ("  CPU p99 (wanted: < 1000)", took[int(len(took) * 0.99)], "us"),
    ]


def _load() -> float:
    """Return the milliseconds of CPU that reading all tables takes, once in a process."""
    began = time.thread_time()
    tables.forms()
    tables.names()
    tables.templates()
    return (time.thread_time() - began) * 1000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="addresses")
    parser.add_argument("--seconds", type=float, default=10)
    options = parser.parse_args()
    load_ms = _load()
    addresses = plan(random.Random(SEED))
    good = [address for address in addresses if check(address).good]
    texts = [json.dumps(dataclasses.asdict(address)) for address in addresses]
    components = [_components(address) for address in good]

    def each(function: Callable[..., Any], given: Sequence[Any], **named: Any) -> list[Callable[[], Any]]:
        return [lambda one=one: function(one, **named) for one in given]  # type: ignore[misc]

    rows = [
        ("reading the tables, once: CPU", load_ms, "ms"),
        *timed(options.seconds, "addresses checked", each(check, addresses)),
        *timed(options.seconds, "labels written", each(label_lines, good, from_country="ES")),
        *timed(options.seconds, "addresses shown", each(format_lines, components)),
        *timed(options.seconds, "the same addresses parsed as JSON,", each(json.loads, texts)),
    ]
    report("addresses", rows, addresses=ADDRESSES, good=len(good))


def _components(address: Address) -> dict[str, str]:
    number, _, road = address.street_lines[0].partition(" ")
    parts = {"country_code": address.country, "house_number": number, "road": road, "city": address.locality}
    return parts | {"state": address.administrative_area, "postcode": address.postcode}


if __name__ == "__main__":
    main()
