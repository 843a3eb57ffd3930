"""`parcelward person`: let somebody sign in under an opaque staff id, or lock them out."""

from __future__ import annotations

import argparse
import getpass
import json
import sys

import django


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the three verbs."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    add = verbs.add_parser("add", help="asks for the passphrase, or reads it from standard input")
    add.add_argument("login", help="an opaque staff id, never a name")
    add.add_argument("--role", choices=("administrator", "inspector"), default="inspector")
    for verb, words in (("lock", "refuse them and end their sessions"), ("unlock", "let them sign in again")):
        verbs.add_parser(verb, help=words).add_argument("login", help="their staff id")


def run(options: argparse.Namespace) -> int:
    """Do what was asked and print JSON."""
    django.setup()
    from parcelward.people import actions
    from parcelward.people.wire import Role

    by = actions.installer()
    if options.verb != "add":
        act = actions.lock_person if options.verb == "lock" else actions.unlock_person
        act(options.login, by=by)
        print(json.dumps({"login": options.login, "locked": options.verb == "lock"}))
        return 0
    passphrase = getpass.getpass("Passphrase: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    actions.add_person(options.login, passphrase, Role(options.role), by=by)
    print(json.dumps({"login": options.login, "role": options.role}))
    return 0
