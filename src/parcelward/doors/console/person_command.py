"""`parcelward person`: let somebody sign in under an opaque staff id."""

from __future__ import annotations

import argparse
import getpass
import json
import sys

import django


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    add = verbs.add_parser("add", help="asks for the passphrase, or reads it from standard input")
    add.add_argument("login", help="an opaque staff id, never a name")
    add.add_argument("--role", choices=("administrator", "inspector"), default="inspector")


def run(options: argparse.Namespace) -> int:
    """Store the person."""
    django.setup()
    from parcelward.people import actions
    from parcelward.people.wire import Role

    passphrase = getpass.getpass("Passphrase: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    actions.add_person(options.login, passphrase, Role(options.role), by=actions.installer())
    print(json.dumps({"login": options.login, "role": options.role}))
    return 0
