"""`parcelward secrets`: list the secrets of this house, and replace those that only this house knows."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import time
from typing import TYPE_CHECKING, Final, NamedTuple

import django

if TYPE_CHECKING:
    from collections.abc import Callable

    from parcelward.base import config
    from parcelward.people.wire import Person


class Secret(NamedTuple):
    """One secret: where it lies in the home, what it does, and what replaces it."""

    where: str
    does: str
    turned_by: str


SECRETS: Final = {
    "django": Secret(
        "keys/django", "signs sessions, seals second factors, keys codes and digests", "secrets rotate django"
    ),
    "log": Secret("keys/log, keys/log-*", "signs checkpoints, receipts, bundles, manifests", "log-key rotate"),
    "log-mldsa44": Secret("keys/log-mldsa44", "signs the daily archive checkpoints", "cannot be replaced"),
    "items": Secret("the keys database", "opens one item's events each", "shred, one item at a time"),
    "vault-kek": Secret(
        "keys/vault-kek, or a token", "wraps every person's key", "vault rotate-kek, then vault retire"
    ),
    "vault-index": Secret("keys/vault-index", "keys the search by name, address or number", "vault rotate-index"),
    "label-code": Secret("keys/label-code", "makes the codes that show a forged label", "secrets rotate label-code"),
    "stations": Secret(
        "the keys database, wrapped by vault-kek", "opens the labels of one station and week", "every week, by itself"
    ),
    "people": Secret(
        "the keys database, wrapped by vault-kek",
        "opens what is kept of one person",
        "two people shred one",
    ),
    "backup": Secret("not here: its owner's", "opens backups", "backup-key make, trust, distrust"),
    "api": Secret(
        "their owners'; we keep a hash", "what partners' systems sign in with", "key rotate KEY_ID --overlap-hours 24"
    ),
    "device": Secret("the devices", "signs batches of scans", "device add, device revoke"),
    "passkeys": Secret("people's devices; public halves here", "sign people in", "their own page, or two people"),
    "links": Secret(
        "with whom they are for; we keep a hash",
        "invite people, enrol devices, reach a masked contact",
        "good once or for days; withdrawn where they were made",
    ),
    "addresses": Secret(
        "PARCELWARD_DATABASE_URL, PARCELWARD_KEYS_URL, PARCELWARD_SMTP_URL, PARCELWARD_KEK",
        "passwords of servers of yours, the PIN of a token",
        "on those; then in the surroundings of serve and work, and restart them",
    ),
    "witness": Secret("a witness's own folder", "cosigns logs", "start a new witness, tell the logs its key"),
}
"""Every secret there is; docs/operating/secrets.md says more of each."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verbs."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    verbs.add_parser("list", help="show each secret, where it lies and what replaces it, as JSON, one a line")
    rotate = verbs.add_parser("rotate", help="replace a secret; nobody is signed out, nothing is restarted")
    rotate.add_argument("name", choices=sorted(ROTATE))
    rotate.add_argument("--dry-run", action="store_true", help="say what would follow, and do nothing")
    rotate.add_argument(
        "--stolen",
        action="store_true",
        help="believe the old one no more, at once; each says what that costs",
    )


def run(options: argparse.Namespace) -> int:
    """Do what was asked."""
    if options.verb == "list":
        for name, secret in SECRETS.items():
            print(json.dumps({"secret": name, **secret._asdict()}))
        return 0
    django.setup()
    from parcelward.base import config
    from parcelward.people import actions as people
    from parcelward.people.queries import require
    from parcelward.people.wire import Task

    by = people.installer()
    require(by, Task.TURN_SECRETS)
    return ROTATE[options.name](config.get(), options, by)


def _rotate_django(settings: config.Config, options: argparse.Namespace, by: Person) -> int:
    from django.utils import timezone

    from parcelward.custody.actions import record_fact
    from parcelward.doors import secret_key
    from parcelward.people import actions as people

    now = timezone.now()
    print("The secret that signs sessions gets a successor. What follows:")
    print(f"  * In {secret_key.HEARD_AFTER_S:.0f} s every process of this home believes the new one; then it signs.")
    if options.stolen:
        print(f"  * {secret_key.HEARD_AFTER_S:.0f} s later the old one is believed no more: everybody signs in again.")
        print("  * A request that is repeated with its Idempotency-Key is refused until 30 days have passed.")
        print("  * Codes in letters that are on their way open nothing; banned addresses are heard again.")
    else:
        print(f"  * The old one is believed until {now + secret_key.OVERLAP:%Y-%m-%d}: nobody is signed out.")
    print("  * Second factors are sealed anew under the new one: apps and recovery codes go on.")
    print("  * Codes of six digits of the last ten minutes open nothing: whoever waits asks for another.")
    print("  * Where web processes run on another home, copy keys/django and keys/django-others there.")
    if options.dry_run:
        print("\nThis was a rehearsal: nothing was made and nothing was changed.")
        return 0
    record_fact("doors.secret_replaced", {"by": by.source, "secret": "django", "stolen": bool(options.stolen)})
    made = secret_key.announce(settings.home, now=now, overlap=secret_key.OVERLAP)
    time.sleep(secret_key.HEARD_AFTER_S)
    _reseal(settings, made, by)  # before it signs: every process believes it by now
    secret_key.promote(settings.home, made, now=timezone.now(), overlap=secret_key.OVERLAP)
    time.sleep(secret_key.HEARD_AFTER_S)
    shut = _reseal(settings, made, by)  # what was sealed meanwhile: from now on nobody seals with the old one
    if options.stolen:
        secret_key.end_others(settings.home)
        people.end_all_sessions(by=by)
    if shut:
        print(f"\n{shut} second factors open under no secret that is here: their owners cannot use them.")
    print("\nDone. Make a backup of the secrets: `parcelward backup --secrets FOLDER`.")
    return 0


def _reseal(settings: config.Config, made: str, by: Person) -> int:
    """Seal every second factor under the new secret, whichever it was under; return how many stay shut."""
    from parcelward.doors import secret_key
    from parcelward.doors.portals.accounts import second_factor
    from parcelward.people import actions as people

    signs, _believed = secret_key.read(settings.home, dt.datetime.now(dt.UTC))
    known = [signs, *(each.secret for each in secret_key.others(settings.home))]  # those whose time is over, too
    return people.reseal_second_factors(second_factor.resealing(made, known), by=by)[1]


def _rotate_label_code(settings: config.Config, options: argparse.Namespace, by: Person) -> int:
    from django.utils import timezone

    from parcelward.privacy import actions

    print("The key that label codes are made with gets a successor. What follows:")
    print("  * Labels that are sealed from now on have codes by the new one; nothing is restarted.")
    if options.stolen:
        print("  * The old one is believed no more: every label that is on its way fails its next check. Make it anew.")
    else:
        days = settings.label_claim_days
        print(f"  * The old one is believed until its last labels are dark: {days} days after this week's end.")
    print("  * Where processes run on another home, copy keys/label-code there.")
    if options.dry_run:
        print("\nThis was a rehearsal: nothing was made and nothing was changed.")
        return 0
    actions.rotate_label_code(by=by, now=timezone.now(), stolen=bool(options.stolen))
    print("\nDone. Make a backup of the secrets: `parcelward backup --secrets FOLDER`.")
    return 0


ROTATE: Final[dict[str, Callable[[config.Config, argparse.Namespace, Person], int]]] = {
    "django": _rotate_django,
    "label-code": _rotate_label_code,
}
"""What this command replaces; other secrets have commands of their own."""
