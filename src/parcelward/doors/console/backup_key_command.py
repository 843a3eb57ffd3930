"""`parcelward backup-key`: make the key pair that opens backups, and say on this machine whom backups are for."""

from __future__ import annotations

import argparse
import errno
import json
import os
import sys
from pathlib import Path

import django

from parcelward.base.backups import sets


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verbs."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    make = verbs.add_parser("make", help="make a key pair; on another machine than the one to back up")
    make.add_argument("file", type=Path, help="for the private half; must not exist")
    trust = verbs.add_parser("trust", help="encrypt backups for this key, too, from now on")
    trust.add_argument("key", nargs="?", help="the public line, or a file that holds it; without: from standard input")
    distrust = verbs.add_parser("distrust", help="encrypt backups for this key no more")
    distrust.add_argument("key_id", help="the key's 16 digits")
    for one in (trust, distrust):
        one.add_argument("--set", default="", choices=sets.KINDS, help="for sets of this kind alone, instead of all")
    verbs.add_parser("list", help="show whom backups are for, as JSON, one a line")


def run(options: argparse.Namespace) -> int:
    """Do what was asked."""
    if options.verb == "make":
        return _make(options.file)
    django.setup()
    from parcelward.base import config
    from parcelward.doors.backups import trusted

    settings = config.get()
    if options.verb == "list":
        for kind in sets.KINDS:
            for key in trusted.listed(settings, kind):
                print(json.dumps({"set": kind, "key": key.id.hex(), "public": key.text}))
        return 0
    from parcelward.people import actions as people
    from parcelward.people.queries import require
    from parcelward.people.wire import Task

    by = people.installer()
    require(by, Task.BACK_UP)
    if options.verb == "trust":
        key_id = trusted.trust(settings, _text(options.key), by=by.source, kind=options.set)
        print(f"Backups are encrypted for {key_id} from now on.")
    else:
        trusted.distrust(settings, options.key_id, by=by.source, kind=options.set)
        print(f"Backups are encrypted for {options.key_id} no more. It still opens those that were made before.")
    return 0


def _make(file: Path) -> int:
    from parcelward.base.backups import recipients

    key = recipients.make()
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as err:
        sys.stderr.write(f"parcelward: cannot make {file}: {err.strerror}. Nothing is written over.\n")
        return 1
    with os.fdopen(descriptor, "w") as out:
        out.write(
            f"# The private half of the Parcelward backup key {key.public.id.hex()}. Whoever has it can read every\n"
            "# backup that was made for it; without it no backup can be opened, by nobody. Keep two copies, offline,\n"
            "# in two places, and never on the machine that is backed up.\n"
            f"{key.text}\n"
        )
        out.flush()
        os.fsync(out.fileno())
    sys.stderr.write(f"The private half is in {file}. This is the public one, for `parcelward backup-key trust`:\n")
    print(key.public.text)
    return 0


def _text(given: str | None) -> str:
    if given is None:
        return sys.stdin.read()
    try:
        return Path(given).read_text() if Path(given).is_file() else given
    except (
        OSError
    ) as err:  # the key itself is longer than a file's name may be, unless it has a slash in the right place
        if err.errno != errno.ENAMETOOLONG:
            raise
        return given
