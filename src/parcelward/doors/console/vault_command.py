"""`parcelward vault`: show, rotate and retire the key that wraps every person's data key."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

import django

if TYPE_CHECKING:
    from parcelward.privacy.actions import Turned


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verbs."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    verbs.add_parser("status", help="say how many keys each version wraps, as JSON")
    rotate = verbs.add_parser("rotate-kek", help="make a new version and wrap every key with it; or go on after a kill")
    rotate.add_argument("--quiet", action="store_true", help="no progress bar")
    retire = verbs.add_parser("retire", help="destroy an old version that wraps nothing any more")
    retire.add_argument("version", type=int)
    retire.add_argument(
        "--backups-gone", action="store_true", help="no backup of the keys database from before the rotation exists"
    )


def run(options: argparse.Namespace) -> int:
    """Do what was asked and print JSON."""
    django.setup()
    from django.utils import timezone

    from parcelward.people.actions import installer
    from parcelward.privacy import actions, queries

    if options.verb == "status":
        wraps = {str(version): n for version, n in queries.kek_status().items()}
        print(json.dumps({"keys_by_kek_version": wraps, "messages_waiting": queries.messages_waiting()}))
    elif options.verb == "rotate-kek":
        turned = _rotate(quiet=options.quiet)
        print(json.dumps({"version": turned.version, "resumed": turned.resumed, "rewrapped": turned.rewrapped}))
    else:
        actions.retire_kek(options.version, by=installer(), now=timezone.now(), backups_gone=options.backups_gone)
        print(json.dumps({"version": options.version, "retired": True}))
    return 0


def _rotate(*, quiet: bool) -> Turned:
    from django.utils import timezone
    from tqdm import tqdm

    from parcelward.people.actions import installer
    from parcelward.privacy import actions

    with tqdm(unit=" keys", disable=quiet or not sys.stderr.isatty(), leave=False) as bar:

        def tell(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        return actions.rotate_kek(by=installer(), now=timezone.now(), tell=tell)
