"""`parcelward shred`: erase items for good. One person asks, another agrees, and after a wait it is done."""

from __future__ import annotations

import argparse
import getpass
import json
import sys
from typing import TYPE_CHECKING

import django

if TYPE_CHECKING:
    from parcelward.people.wire import Person


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verbs."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb, words in (
        ("request", "ask for an item's erasure"),
        ("approve", "agree to what somebody else asked for"),
        ("withdraw", "call a request off"),
        ("hold", "keep an item's record whatever is asked"),
        ("lift", "end such a legal hold"),
    ):
        one = verbs.add_parser(verb, help=words)
        if verb in {"approve", "withdraw"}:
            one.add_argument("erasure", type=int, help="the request's number")
        else:
            one.add_argument("number", help="a number of the item, or itm_...")
        if verb in {"request", "hold"}:
            one.add_argument("--reason", required=True)
        one.add_argument("--by", required=True, metavar="STAFF-ID", help="who does it; the passphrase is asked for")
    verbs.add_parser("execute", help="do what is due, finish what was begun, erase again what a restore brought back")
    verbs.add_parser("list", help="show the requests as JSON, one a line")


def run(options: argparse.Namespace) -> int:
    """Do what was asked and print JSON."""
    django.setup()
    from django.utils import timezone

    from parcelward.parcels import actions

    if options.verb == "execute":
        print(json.dumps({"erased": actions.erase_due(timezone.now()), "erased_again": actions.erase_again()}))
    elif options.verb == "list":
        _list()
    elif options.verb in {"approve", "withdraw"}:
        act = actions.approve_erasure if options.verb == "approve" else actions.withdraw_erasure
        act(options.erasure, by=_person(options.by))
        print(json.dumps({"erasure": options.erasure, "done": options.verb}))
    else:
        _about_item(options)
    return 0


def _about_item(options: argparse.Namespace) -> None:
    from parcelward.base.errors import NotFound
    from parcelward.base.standards import identify
    from parcelward.parcels import actions, queries

    by, item = _person(options.by), queries.find(options.number)
    if item is None:
        raise NotFound("No item has this number")
    said: dict[str, object] = {"item": identify.item_id(item), "done": options.verb}
    if options.verb == "request":
        said["erasure"] = actions.request_erasure(item, options.reason, by=by)
    elif options.verb == "hold":
        actions.place_legal_hold(item, options.reason, by=by)
    else:
        actions.lift_legal_hold(item, by=by)
    print(json.dumps(said))


def _person(login: str) -> Person:
    """Return who proves with a passphrase to be this person: two people stay two people at one machine."""
    from django.contrib.auth import authenticate

    from parcelward.people.queries import person_of

    asked = sys.stdin.isatty()
    passphrase = getpass.getpass(f"Passphrase of {login}: ") if asked else sys.stdin.readline().rstrip("\n")
    return person_of(authenticate(username=login, password=passphrase))


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
