"""`parcelward verify-log`: recompute the whole log from the database and compare. Exits 1 at the first difference."""

from __future__ import annotations

import argparse
import sys

import django


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add which part to check and how thoroughly."""
    parser.add_argument("--from", dest="first", type=int, default=0, metavar="INDEX", help="first log index to check")
    parser.add_argument("--to", dest="end", type=int, default=None, metavar="INDEX", help="check up to this log index")
    parser.add_argument("--statuses", action="store_true", help="fold every item's status again as well")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")


def run(options: argparse.Namespace) -> int:
    """Check, and say what was checked or what differs first."""
    django.setup()
    from tqdm import tqdm

    from parcelward.base import config
    from parcelward.base.standards import identify
    from parcelward.custody.errors import EntryDiffers
    from parcelward.doors.verification import verify_log

    bar = tqdm(unit="", unit_scale=True, disable=options.quiet or not sys.stderr.isatty(), leave=False)

    shown = ""

    def tell(what: str, done: int, total: int) -> None:
        nonlocal shown
        if shown != what:
            shown = what
            bar.reset()
            bar.set_description(what, refresh=False)
        bar.total = total or None
        bar.update(done - bar.n)

    try:
        report = verify_log(config.get(), first=options.first, end=options.end, statuses=options.statuses, tell=tell)
    except EntryDiffers as err:
        bar.close()
        where = "Something that has no place in the log differs" if err.first is None else f"Entry {err.first} differs"
        print(f"{where}: {err}")
        if err.item is not None:
            print(f"  item   {identify.item_id(err.item)}")
        if err.event is not None:
            print(f"  event  evt_{err.event.hex}")
        print(f"  what   {err.differs}")
        return 1
    bar.close()
    rate = report.events / report.seconds if report.seconds else 0.0
    print(f"The record and the log agree: {report.entries} entries, {report.events} scan events, {report.facts} facts.")
    if report.signatures:
        print(f"{report.signatures} signatures of devices hold, over the requests that those events came in.")
    if report.closed:
        print(f"{report.closed} events of erased items were counted; nobody can open them.")
    if report.emptied:
        print(f"{report.emptied} EPCIS events that named erased items were counted; their contents are gone.")
    if report.statuses:
        print(f"{report.statuses} item statuses follow from their events.")
    for kind, n in sorted(report.unchecked.items()):
        print(f"Not checked: {n} entries of kind {kind}, whose rows this version does not know.")
    print(f"{report.seconds:.1f} s, {rate:,.0f} events per second")
    return 0
