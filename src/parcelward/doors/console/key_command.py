"""`parcelward key`: make, rotate and revoke API keys."""

from __future__ import annotations

import argparse
import datetime as dt
import json
from uuid import UUID

import django

ROLES = ("administrator", "inspector", "partner", "sender_admin", "sender_member")
DAYS, OVERLAP_HOURS = 365, 24


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the three verbs."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    add = verbs.add_parser("add", help="make a key; it is printed this once")
    add.add_argument("name")
    add.add_argument("--role", choices=ROLES, default="partner")
    add.add_argument("--organisation", type=UUID, help="whose key it is; without: the operator's")
    add.add_argument("--scope", action="append", metavar="TASK", help="limit it to this task of its role; may repeat")
    end = add.add_mutually_exclusive_group()
    end.add_argument("--days", type=int, default=DAYS, help=f"how long it is valid (default: {DAYS})")
    end.add_argument("--never-expires", action="store_true", help="until it is revoked")
    rotate = verbs.add_parser("rotate", help="give it a new token, printed this once; the old one goes on for a while")
    rotate.add_argument("key_id", type=UUID)
    rotate.add_argument("--overlap-hours", type=int, default=OVERLAP_HOURS, help="0: the old one ends at once")
    revoke = verbs.add_parser("revoke", help="refuse the key from now on")
    revoke.add_argument("key_id", type=UUID)


def run(options: argparse.Namespace) -> int:
    """Do what was asked and print JSON."""
    django.setup()
    from parcelward.base import config
    from parcelward.people import actions, queries

    by, mode = actions.installer(), config.get().mode
    if options.verb == "revoke":
        actions.revoke_key(options.key_id, by=by)
        print(json.dumps({"key_id": str(options.key_id), "revoked": True}))
        return 0
    if options.verb == "rotate":
        made = actions.rotate_key(options.key_id, dt.timedelta(hours=options.overlap_hours), by=by, mode=mode)
        print(json.dumps({"key_id": str(made.id), "api_key": made.token, "old_ends_in_hours": options.overlap_hours}))
        return 0
    made = actions.new_key(
        options.name,
        queries.key_role(options.role),
        by=by,
        mode=mode,
        scopes=None if options.scope is None else [queries.key_scope(scope) for scope in options.scope],
        organisation=options.organisation,
        lifetime=actions.FOR_GOOD if options.never_expires else dt.timedelta(days=options.days),
    )
    print(json.dumps({"name": options.name, "role": options.role, "key_id": str(made.id), "api_key": made.token}))
    return 0
