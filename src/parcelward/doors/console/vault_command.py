"""`parcelward vault`: show, rotate and retire the key that wraps everybody's data key, and the search's secret."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import django

if TYPE_CHECKING:
    from parcelward.privacy.actions import Turned


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verbs."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    verbs.add_parser("status", help="say how many keys and people hang on each version, as JSON")
    rotate = verbs.add_parser("rotate-kek", help="make a new version and wrap every key with it; or go on after a kill")
    rotate.add_argument("--quiet", action="store_true", help="no progress bar")
    index = verbs.add_parser("rotate-index", help="give the search a new secret, drop the old; or go on after a kill")
    index.add_argument("--quiet", action="store_true", help="no progress bar")
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
        found = {str(version): n for version, n in queries.index_status().items()}
        waiting = queries.messages_waiting()
        print(json.dumps({"keys_by_kek_version": wraps, "people_by_index_version": found, "messages_waiting": waiting}))
    elif options.verb == "rotate-kek":
        turned = _rotate(quiet=options.quiet)
        print(json.dumps({"version": turned.version, "resumed": turned.resumed, "rewrapped": turned.rewrapped}))
    elif options.verb == "rotate-index":
        return _rotate_index(quiet=options.quiet)
    else:
        actions.retire_kek(options.version, by=installer(), now=timezone.now(), backups_gone=options.backups_gone)
        print(json.dumps({"version": options.version, "retired": True}))
    return 0


def _rotate(*, quiet: bool) -> Turned:
    from django.utils import timezone

    from parcelward.people.actions import installer
    from parcelward.privacy import actions

    with _bar(" keys", quiet=quiet) as tell:
        return actions.rotate_kek(by=installer(), now=timezone.now(), tell=tell)


def _rotate_index(*, quiet: bool) -> int:
    from django.utils import timezone

    from parcelward.people.actions import installer
    from parcelward.privacy import actions

    with _bar(" people", quiet=quiet) as tell:
        made = actions.rotate_index(by=installer(), now=timezone.now(), tell=tell)
    print(json.dumps({"version": made.version, "resumed": made.resumed, "people": made.people, "left": made.left}))
    if not made.ended:
        sys.stderr.write(
            f"parcelward: {made.left} people do not open, so they keep their marks and the old secret stays: see what "
            "`parcelward verify-log` says of them, bring their keys back, and run it again\n"
        )
    return 0 if made.ended else 1


@contextlib.contextmanager
def _bar(unit: str, *, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """Give what shows on a terminal how many are done, of how many."""
    from tqdm import tqdm

    with tqdm(unit=unit, disable=quiet or not sys.stderr.isatty(), leave=False) as bar:

        def tell(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield tell
