"""`parcelward rebuild`: compute item statuses again from the events. Safe while the system runs."""

from __future__ import annotations

import argparse
import sys

import django


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add which items."""
    parser.add_argument("number", nargs="*", help="numbers or itm_... of the items; without any, all")


def run(options: argparse.Namespace) -> int:
    """Rebuild, and say how many statuses were wrong."""
    django.setup()
    from tqdm import tqdm

    from parcelward.base.errors import NotFound
    from parcelward.parcels import actions, queries

    items = None
    if options.number:
        items = []
        for number in options.number:
            item = queries.find(number)
            if item is None:
                raise NotFound(f"No item has the number {number}")
            items.append(item)
    with tqdm(unit=" items", total=len(items) if items else None, disable=not sys.stderr.isatty(), leave=False) as bar:
        done = actions.rebuild(items, tell=bar.update)
    print(f"{done.items} statuses computed again, {done.changed} were wrong. {done.seconds:.1f} s")
    return 0
