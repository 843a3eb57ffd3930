"""`parcelward admin`: invite administrators on the console, the first two at once."""

from __future__ import annotations

import argparse
import json

import django

FIRST = 2  # or a task that needs two people could never be done


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the one verb."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    invite = verbs.add_parser("invite", help="print links that each let one administrator in, once, for 72 hours")
    invite.add_argument("--count", type=int, choices=range(1, 6), help="how many (two while there is none, then one)")


def run(options: argparse.Namespace) -> int:
    """Print one JSON object a link. Whoever has the link can take it: hand it over in person."""
    django.setup()
    from parcelward.base import config
    from parcelward.people import actions, queries
    from parcelward.people.wire import Role

    by = actions.installer()
    settings = config.get()
    operator = actions.ensure_operator(settings.operator, by=by)
    count = options.count or max(1, FIRST - queries.administrators())
    for _ in range(count):
        _invitation, code = actions.invite(operator, Role.ADMINISTRATOR, by=by)
        print(json.dumps({"role": Role.ADMINISTRATOR, "link": f"{settings.public_url}/accounts/join#code={code}"}))
    return 0
