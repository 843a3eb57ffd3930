"""`parcelward device`: enrol and revoke."""

from __future__ import annotations

import argparse
import base64
import json
from uuid import UUID

import django


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the two verbs."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    add = verbs.add_parser("add", help="enrol a device; prints its private key this once")
    add.add_argument("name")
    add.add_argument("--facility", default="", help="code of the facility it belongs to")
    revoke = verbs.add_parser("revoke", help="refuse the device's batches from the next one on")
    revoke.add_argument("device_id", type=UUID)


def run(options: argparse.Namespace) -> int:
    """Do what was asked and print JSON."""
    django.setup()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from parcelward.people import actions

    by = actions.installer()
    if options.verb == "revoke":
        actions.revoke_device(options.device_id, by=by)
        print(json.dumps({"device_id": str(options.device_id), "revoked": True}))
        return 0
    key = Ed25519PrivateKey.generate()
    enrolled = actions.enrol_device(options.name, key.public_key().public_bytes_raw(), by=by, facility=options.facility)
    print(
        json.dumps(
            {
                "device_id": str(enrolled.device_id),
                "key_id": enrolled.key_id,
                "private_key_ed25519_base64": base64.b64encode(key.private_bytes_raw()).decode(),
            }
        )
    )
    return 0
