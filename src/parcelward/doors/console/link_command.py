"""`parcelward link`: print the link with which an addressee opens and proves what only they may see."""

from __future__ import annotations

import argparse

import django


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the item."""
    parser.add_argument("number", help="a number of the item, or itm_...")


def run(options: argparse.Namespace) -> int:
    """Make the link, tell the log, and print it."""
    from parcelward.base.standards import identify

    identify.canonical(options.number)  # what can be no number is refused before anything else is loaded
    django.setup()
    from parcelward.base.errors import NotFound
    from parcelward.parcels import actions, queries
    from parcelward.people.actions import installer

    item = queries.find(options.number)
    if item is None:
        raise NotFound("No item has this number")
    print(actions.make_link(item, by=installer()))
    return 0
