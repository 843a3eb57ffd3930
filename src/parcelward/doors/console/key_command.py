"""`parcelward key`: make and revoke API keys."""

from __future__ import annotations

import argparse
import json
from uuid import UUID

import django

ROLES = ("administrator", "inspector", "partner")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the two verbs."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    add = verbs.add_parser("add", help="make a key; it is printed this once")
    add.add_argument("name")
    add.add_argument("--role", choices=ROLES, default="partner")
    revoke = verbs.add_parser("revoke", help="refuse the key from now on")
    revoke.add_argument("key_id", type=UUID)


def run(options: argparse.Namespace) -> int:
    """Do what was asked and print JSON."""
    django.setup()
    from parcelward.base import config
    from parcelward.people import actions, queries
    from parcelward.people.wire import Role

    by = actions.installer()
    if options.verb == "revoke":
        actions.revoke_key(options.key_id, by=by)
        print(json.dumps({"key_id": str(options.key_id), "revoked": True}))
        return 0
    token = actions.make_key(options.name, Role(options.role), by=by, mode=config.get().mode)
    key_id = str(queries.key_holder(token).id)  # what `revoke` asks for: it stands nowhere else
    print(json.dumps({"name": options.name, "role": options.role, "key_id": key_id, "api_key": token}))
    return 0
