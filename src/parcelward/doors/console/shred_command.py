"""`parcelward shred`: see what is to be erased, and do what is due. Asking and agreeing is done at the desk."""

from __future__ import annotations

import argparse
import json

import django


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verbs."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    verbs.add_parser("execute", help="do what is due, finish what was begun, erase again what a restore brought back")
    verbs.add_parser("list", help="show the requests as JSON, one a line")


def run(options: argparse.Namespace) -> int:
    """Do what was asked and print JSON."""
    django.setup()
    from django.utils import timezone

    from parcelward.parcels import actions
    from parcelward.privacy import actions as privacy

    if options.verb == "execute":
        now = timezone.now()
        items = {"erased": actions.erase_due(now), "erased_again": actions.erase_again()}
        people = {"people_shredded": privacy.shred_due(now), "people_shredded_again": privacy.delete_again()}
        print(json.dumps(items | people))
    else:
        _list()
    return 0


def _list() -> None:
    from parcelward.base.standards import identify
    from parcelward.custody import shredding

    for row in shredding.listed():
        print(
            json.dumps(
                {
                    "erasure": row.erasure_id,
                    "item": identify.item_id(row.item),
                    "state": row.state,
                    "reason": row.reason,
                    "requested_by": row.requested_by,
                    "approved_by": row.approved_by,
                    "not_before": None if row.not_before is None else row.not_before.isoformat(),
                    "held_for": row.held_for,
                }
            )
        )
