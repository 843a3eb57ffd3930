"""`parcelward backup`: write what is here elsewhere, encrypted, so that it can be brought back."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import django

if TYPE_CHECKING:
    from parcelward.base.backups.sets import Kind


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add where to; each kind of set has a folder of its own."""
    parser.add_argument("folder", nargs="?", type=Path, help="for the main database and the log")
    parser.add_argument(
        "--keys", type=Path, metavar="FOLDER", help="for the keys database; sets older than 6 days are deleted there"
    )
    parser.add_argument("--secrets", type=Path, metavar="FOLDER", help="for the folder `keys`, the log's signing keys")
    parser.add_argument(
        "--wal", action="store_true", help="go on until Ctrl-C: ship what the databases write, so that a minute is lost"
    )
    parser.add_argument("--quiet", action="store_true", help="no progress bar")


def run(options: argparse.Namespace) -> int:
    """Make the sets, one after the other, and say where each lies."""
    django.setup()
    from parcelward.base.errors import Invalid
    from parcelward.people import actions as people
    from parcelward.people.queries import require
    from parcelward.people.wire import Task

    asked: dict[Kind, Path | None] = {"main": options.folder, "keys": options.keys, "secrets": options.secrets}
    places = {kind: place for kind, place in asked.items() if place is not None}
    if not places:
        raise Invalid("Say where to: FOLDER for the main database, --keys FOLDER, --secrets FOLDER, or all three")
    by = people.installer()
    require(by, Task.BACK_UP)
    if options.wal:
        return _follow(places)
    try:
        _make(places, by.source, quiet=options.quiet)
    except OSError as err:
        sys.stderr.write(f"parcelward: the backup stopped, and nothing is left of it: {err.strerror or err}\n")
        return 1
    missing = [kind for kind in asked if kind not in places]
    if missing:
        print(f"Not in it: {' and '.join(missing)}. All three are needed to bring an installation back.")
    print("To bring it back: `parcelward restore --help`, with the private half of the backup key.")
    return 0


def _make(places: dict[Kind, Path], by: int, *, quiet: bool) -> None:
    from django.utils import timezone

    from parcelward.base import config
    from parcelward.doors.backups import making
    from parcelward.doors.console.progress import Bar

    with Bar(quiet=quiet) as bar:
        for made in making.make_all(config.get(), places, by=by, clock=timezone.now, tell=bar.tell):
            bar.clear()
            print(f"{made.kind:<8} {made.folder}")
            print(
                f"         {made.content_bytes:,} bytes, {made.sealed_bytes:,} as stored; the log had "
                f"{made.head.size:,} entries"
            )
            for name in made.forgotten:
                print(f"         deleted: {name}, which was older than {making.KEYS_KEPT.days} days")
            sys.stdout.flush()


def _follow(places: dict[Kind, Path]) -> int:
    from django.utils import timezone

    from parcelward.base import config
    from parcelward.base.supervisor import say
    from parcelward.doors.backups import following

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    say(f"Shipping the WAL of both databases, at last every {following.SWITCH_S:.0f} s. Ctrl-C ends it.")
    following.follow(config.get(), places, clock=timezone.now, stop=stop, say=say)
    return 0
