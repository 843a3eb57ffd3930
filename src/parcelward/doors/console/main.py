"""`parcelward`: one command, one line of help each. A command's own module is imported when it is called."""

from __future__ import annotations

import argparse
import importlib
import os
import sys

from parcelward.base.config import BadSetting
from parcelward.base.errors import ParcelwardError
from parcelward.base.postgres_programs import ClusterFailed

COMMANDS = {
    "up": "start database, web, worker and, in test mode, a small simulated town",
    "serve": "the web process alone",
    "work": "the worker alone: sequence the log, follow it, ask witnesses",
    "install": "prepare the databases: tables, partitions, the log's first entry",
    "import": "read EPCIS 2.0 JSON, NDJSON, CSV or Parquet files into journeys",
    "rebuild": "make statuses again from their events, or the log's entries from the database",
    "shred": "see what is to be erased, and do what is due",
    "retention": "show what goes by age, by class and country, or forget it now",
    "verify-log": "recompute the whole log from the database and compare",
    "log-key": "give the log a new signing key, which the old one vouches for",
    "backup": "write databases, log and secrets elsewhere, encrypted: three sets in three places",
    "backup-key": "make the key that opens backups, and say whom they are for",
    "restore": "bring an installation back from its backups, and prove what came back",
    "log-copy": "keep a plain copy of the log elsewhere, verified, that only grows",
    "secrets": "replace the secrets of this house, with an overlap",
    "check": "look for weak settings, and say how to mend each",
    "bundle": "write an item's evidence bundle, to be checked by others",
    "link": "make an addressee's link, which opens more than the public journey",
    "label": "print a sample of a label as PDF, ZPL or PNG",
    "verify": "check an evidence bundle or a proof offline",
    "simulate": "play a postal network through the public API",
    "device": "enrol and revoke devices",
    "key": "make and revoke API keys",
    "person": "lock somebody out, or let them sign in again",
    "admin": "invite administrators, the first two at once",
    "vault": "the key that wraps every person's key: show, rotate, retire an old version",
    "relay": "take the mail that two people write each other about an item",
    "provider": "run the simulated payment provider (test mode)",
    "witness": "run an independent witness with its own key and state",
    "samples": "make sample staff, a key and a device (test mode)",
    "town": "play the small sample town, live (test mode)",
}


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command, without the options of its parts."""
    top = argparse.ArgumentParser(
        prog="parcelward",
        description="The carrier's own side of e-commerce delivery.",
        epilog="Each command has its own --help.",
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, width=100),
    )
    parts = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, words in COMMANDS.items():
        parts.add_parser(name, help=words, add_help=False)
    return top


def _database_away() -> tuple[type[Exception], ...]:
    """Return what a missing database raises; looked up only when something was raised, so that --help stays quick."""
    from django.db.utils import OperationalError
    from psycopg import OperationalError as Away

    return (OperationalError, Away)


def main() -> None:
    """Run one command. Exits 0 when it did what it says, 1 when it found something wrong, 2 for a wrong call."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "parcelward.doors.settings")
    words = sys.argv[1:]
    if not words or words[0] not in COMMANDS:
        parser().parse_args(words)
    module = importlib.import_module(f"parcelward.doors.console.{words[0].replace('-', '_')}_command")
    said = COMMANDS[words[0]]
    own = argparse.ArgumentParser(prog=f"parcelward {words[0]}", description=f"{said[0].upper()}{said[1:]}.")
    module.add_arguments(own)
    try:
        code = module.run(own.parse_args(words[1:]))
    except (ParcelwardError, BadSetting, ClusterFailed) as err:
        sys.stderr.write(f"parcelward: {err}\n")
        for problem in getattr(err, "problems", ()):
            sys.stderr.write(f"  {problem.pointer}: {problem.message}\n")
        code = 1
    except KeyboardInterrupt:
        code = 130
    except _database_away() as err:
        hint = "`parcelward up`, with the same PARCELWARD_HOME, starts an installation's own"
        sys.stderr.write(f"parcelward: the database does not answer: {str(err).splitlines()[0]} ({hint})\n")
        code = 1
    sys.exit(code)
