"""How many declarations are screened for dangerous goods in a second? One process, no database.

The yardstick of the same run is a search for every entry of the words in the text, one after the other, which is the
least that a screening by words could do without an index.
"""

from __future__ import annotations

import argparse
import itertools
import random
import time

from benchmarks.installation import SEED, report

from parcelward.parcels.hazmat import lexicon, queries, spelling, table
from parcelward.parcels.hazmat.wire import Answers, Declaration, Mode

WORDS = (  # noqa: SIM905 -- words are read more easily so
    "red blue wooden small new used cotton book novel shirt lithium battery phone without with and perfume spray paint "
    "charger cable poster chair glass bottle ml 50 pack of 3 sin batería ohne Akku avec pile T-Shirt Geschenk regalo"
).split()
CHARGED = Answers(battery="lithium_ion", battery_place="in_device", battery_is="battery", watt_hours=15.0)
SEARCHED = 200


def declarations(seed: int) -> list[Declaration]:
    """Return a thousand declarations, each with other words."""
    dice = random.Random(seed)
    return [
        Declaration(
            " ".join(dice.choices(WORDS, k=dice.randint(3, 14))) + f" {n}",
            un=dice.choice(["", "", "", "UN3481", "UN1266", "UN3551"]),
            hs_code=dice.choice(["", "851713", "490199", "330300"]),
            answers=dice.choice([Answers(), CHARGED]),
        )
        for n in range(1000)
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="screening")
    parser.add_argument("--seconds", type=float, default=5)
    options = parser.parse_args()
    began = time.thread_time()
    table.rows()
    table_ms = (time.thread_time() - began) * 1000
    began = time.thread_time()
    entries = [" ".join(e.words) for found in lexicon.lexicon().exact.values() for e in found]
    words_ms = (time.thread_time() - began) * 1000
    drawn = declarations(SEED)
    for declaration in drawn:
        queries.screen(declaration, Mode.AIR)
    began, done = time.thread_time(), 0
    for declaration in itertools.cycle(drawn):
        queries.screen(declaration, Mode.AIR)
        done += 1
        spent = time.thread_time() - began
        if spent >= options.seconds:
            break
    texts = [spelling.plain(one.description) for one in drawn[:SEARCHED]]
    began = time.thread_time()
    for text in texts:
        _ = [entry for entry in entries if entry in text]
    search_us = (time.thread_time() - began) / SEARCHED * 1e6
    us = spent / done * 1e6
    report(
        "screening",
        [
            ("table_ms, read once", table_ms, "ms"),
            ("words_ms, read once", words_ms, "ms"),
            ("screening_us", us, "us"),
            ("screenings_per_second", 1e6 / us, "/s"),
            ("a search for every entry, one after the other", search_us, "us"),
            ("ratio_search_to_screening", search_us / us, ""),
        ],
    )


if __name__ == "__main__":
    main()
