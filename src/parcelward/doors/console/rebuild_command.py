"""`parcelward rebuild`: make again what the record says: item statuses, the log's entries, events of documents.

Safe while others run.
"""

from __future__ import annotations

import argparse
import sys

import django


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add which items, or that it is about the log."""
    parser.add_argument("number", nargs="*", help="numbers or itm_... of the items; without any, all")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--log", action="store_true", help="write the entries that the log's files lack, no statuses")
    what.add_argument("--captures", action="store_true", help="let the worker try given up capture jobs again")


def run(options: argparse.Namespace) -> int:
    """Rebuild, and say what was wrong or missing."""
    django.setup()
    if options.captures:
        return _captures(options)
    return _log(options) if options.log else _statuses(options)


def _captures(options: argparse.Namespace) -> int:
    from parcelward.base.errors import Invalid
    from parcelward.parcels.actions import capture_jobs

    if options.number:
        raise Invalid("Documents are captured as a whole: leave the numbers out")
    print(f"{capture_jobs.run_again()} capture jobs were given up and wait for the worker again.")
    return 0


def _statuses(options: argparse.Namespace) -> int:
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


def _log(options: argparse.Namespace) -> int:
    from tqdm import tqdm

    from parcelward.base import config
    from parcelward.base.errors import Invalid
    from parcelward.custody.errors import LogDiverged, LogInUse
    from parcelward.custody.rebuilding import rebuild_entries

    if options.number:
        raise Invalid("The log is made again as a whole: leave the numbers out")
    try:
        with tqdm(unit=" entries", disable=not sys.stderr.isatty(), leave=False) as bar:
            added = rebuild_entries(config.get(), tell=bar.update)
    except LogInUse:
        raise LogInUse("A worker holds the log's files: stop it, or try again while it stands still") from None
    except LogDiverged as err:
        raise LogDiverged(
            f"{err} What is in log/entries is not what the database says: move that file away and do this again, "
            "then all of it is made from the database.",
            differs=err.differs,
            first=err.first,
        ) from None
    print(f"{added} entries were missing and are there again; the files have the root that the database knows.")
    return 0
