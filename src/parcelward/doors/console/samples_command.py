"""`parcelward samples`: sample staff, an API key and a device for test mode. Refuses in production."""

from __future__ import annotations

import argparse
import base64
import json

import django

from parcelward.base.errors import NotAllowed
from parcelward.doors.console.up_command import sample_passphrase, write_samples

PEOPLE = (("admin-1", "administrator"), ("inspector-1", "inspector"))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add no options: everything is configuration."""


def run(_options: argparse.Namespace) -> int:
    """Make what is missing; a second run keeps what is there."""
    django.setup()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from parcelward.base import config
    from parcelward.people import actions, queries
    from parcelward.people.wire import Role

    settings = config.get()
    if settings.production:
        raise NotAllowed("Sample users and keys are for test mode only", code="production")
    path = settings.home / "samples.json"
    if path.exists():
        before = json.loads(path.read_text())
        if queries.key_is_valid(before.get("api_key", "")):
            write_samples(settings.home, before | {"url": settings.public_url})  # the port may have changed
            return 0
    by = actions.installer()
    passphrase = sample_passphrase(settings.home)
    for login, role in PEOPLE:
        if not queries.login_taken(login):
            actions.add_person(login, passphrase, Role(role), by=by)
    key = Ed25519PrivateKey.generate()
    enrolled = actions.enrol_device("sample scanner", key.public_key().public_bytes_raw(), by=by, simulated=True)
    write_samples(
        settings.home,
        {
            "url": settings.public_url,
            "api_key": actions.make_key("sample", Role.ADMINISTRATOR, by=by, mode=settings.mode, simulated=True),
            "device": {
                "device_id": str(enrolled.device_id),
                "key_id": enrolled.key_id,
                "private_key_ed25519_base64": base64.b64encode(key.private_bytes_raw()).decode(),
            },
            "items": [],
            "people": [{"role": role, "sign_in": login, "how": passphrase} for login, role in PEOPLE],
        },
    )
    return 0
