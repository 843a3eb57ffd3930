"""`parcelward bundle`: write an item's evidence bundle, which `parcelward verify` and verify.html check offline."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import django

WHO_READS = 0o600  # the owner: a bundle may reveal what the addressee and staff may see


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the item, the file, what to open and why."""
    parser.add_argument("number", help="a number of the item, or itm_...")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="where to write; must not exist yet")
    parser.add_argument(
        "--reveal",
        default="public",
        metavar="GROUPS",
        help="groups to open: public,addressee,operations (default: public); the others stay hashes",
    )
    parser.add_argument("--reason", default="", metavar="TEXT", help="legal basis; needed to reveal more than public")


def run(options: argparse.Namespace) -> int:
    """Make the bundle, write it and say what it proves."""
    django.setup()
    from django.utils import timezone

    from parcelward import __version__, doors
    from parcelward.base.errors import NotFound
    from parcelward.parcels import actions, queries
    from parcelward.people.actions import installer

    if options.out.exists() or not options.out.parent.is_dir():
        problem = "is there already" if options.out.exists() else "would be in a folder that is not there"
        sys.stderr.write(f"parcelward: {options.out} {problem}\n")
        return 1
    item = queries.find(options.number)
    if item is None:
        raise NotFound("No item has this number")
    made = actions.make_bundle(
        item,
        reveal=[name.strip() for name in options.reveal.split(",")],
        reason=options.reason,
        verify_html=(Path(doors.__path__[0]) / "static" / "parcelward" / "verify.html").read_bytes(),
        software=f"parcelward {__version__}",
        by=installer(),
        now=timezone.now(),
    )
    with os.fdopen(os.open(options.out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, WHO_READS), "wb") as file:
        file.write(made.data)
    print(f"{made.sha256}  {options.out}")
    for line in made.report.words:
        print(f"  {line}")
    return 0
