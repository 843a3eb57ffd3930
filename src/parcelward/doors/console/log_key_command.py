"""`parcelward log-key`: list the log's signing keys, and give the log a new one."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

import django

if TYPE_CHECKING:
    from parcelward.custody.rotation import Plan


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the two verbs."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    verbs.add_parser("list", help="show the keys as JSON, one a line")
    rotate = verbs.add_parser("rotate", help="make a new key; the one before signs beside it for some weeks")
    rotate.add_argument("--dry-run", action="store_true", help="say what would follow, and do nothing")
    rotate.add_argument("--yes", action="store_true", help="do not ask")


def run(options: argparse.Namespace) -> int:
    """Do what was asked."""
    django.setup()
    from django.utils import timezone

    from parcelward.base import config
    from parcelward.custody import queries, rotation
    from parcelward.people import actions as people
    from parcelward.people.queries import require
    from parcelward.people.wire import Task

    settings = config.get()
    if options.verb == "list":
        for key in queries.log_keys(settings).keys:
            since = None if key.since is None else key.since.isoformat()
            until = None if key.until is None else key.until.isoformat()
            print(json.dumps({"vkey": key.vkey, "since": since, "until": until, "signs": key.signs(timezone.now())}))
        return 0
    by = people.installer()
    require(by, Task.REPLACE_LOG_KEY)
    agreed = rotation.plan(settings, now=timezone.now())
    _say(agreed)
    if options.dry_run:
        print("\nThis was a rehearsal: nothing was made and nothing was changed.")
        return 0
    if not options.yes and not _agreed(agreed):
        print("Nothing was done.")
        return 1
    said = rotation.rotate(settings, agreed, by=by.source)
    print(f"\nDone. The new key of the log is\n{said.new.vkey}")
    print("The worker signs with it within a second, or as soon as it runs again. See it at /log/vkey.")
    return 0


def _say(agreed: Plan) -> None:
    others = [f"Key {_key_id(each.vkey)} signs as well, until {each.until:%Y-%m-%d}." for each in agreed.others]
    print(f"The log's signing key {_key_id(agreed.newest)} gets a successor. What follows:")
    for line in (
        "A new Ed25519 key is made here, in the folder `keys` of this home. The log keeps its name.",
        "An entry of the log, signed by both keys, says that one follows the other. It cannot be taken back.",
        "From that entry on, the new key signs every checkpoint, receipt and manifest; nothing needs a restart.",
        f"The old key signs beside it until {agreed.until:%Y-%m-%d %H:%M} UTC, and no more after.",
        *others,
    ):
        print(f"  * {line}")
    print("What is left for you to do until then:")
    for line in (
        "Back up the folder `keys`. Where web or worker run on another home, copy it there.",
        "Publish the new key wherever the old one is published, and tell those who run witnesses: a witness that was",
        "started with the address of /log/vkey learns the key by itself, any other is started anew with it.",
        "When the old key signs no more, destroy its file.",
    ):
        print(f"  {'  ' if line.startswith('started') else '* '}{line}")
    print("If the old key was stolen, this is not enough, for its thief can name a successor, too: publish the new key")
    print("by other ways as well, and say from which day on the old one must not be believed.")


def _agreed(agreed: Plan) -> bool:
    if not sys.stdin.isatty():
        sys.stderr.write("parcelward: nobody is here to be asked; say --yes, or --dry-run for a rehearsal\n")
        return False
    wanted = _key_id(agreed.newest)
    return input(f"\nType the id of the key to replace ({wanted}): ").strip() == wanted


def _key_id(vkey: str) -> str:
    return vkey.split("+", 2)[1]
