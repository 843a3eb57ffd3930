"""`parcelward person`: lock somebody out, or let them sign in again."""

from __future__ import annotations

import argparse
import json

import django


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the two verbs."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb, words in (("lock", "refuse them and end their sessions"), ("unlock", "let them sign in again")):
        verbs.add_parser(verb, help=words).add_argument("login", help="their opaque id")


def run(options: argparse.Namespace) -> int:
    """Do what was asked and print JSON."""
    django.setup()
    from parcelward.people import actions

    act = actions.lock_person if options.verb == "lock" else actions.unlock_person
    act(options.login, by=actions.installer())
    print(json.dumps({"login": options.login, "locked": options.verb == "lock"}))
    return 0
