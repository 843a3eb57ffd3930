"""`parcelward samples`: sample staff, an API key and a device for test mode. Refuses in production."""

from __future__ import annotations

import argparse
import base64
import json

import django

from parcelward.base.config import Config
from parcelward.base.errors import NotAllowed
from parcelward.doors.console.up_command import write_samples

STAFF = ("administrator", "inspector", "clerk", "sorter", "courier", "hub_agent", "planner", "auditor")
TENANTS = (
    ("sender", "Sample Shop (simulated)", ("sender_admin", "sender_member")),
    ("partner", "Sample Partner Post (simulated)", ("partner",)),
    ("contractor", "Sample Carrier (simulated)", ("courier",)),
    ("law_enforcement", "Sample Authority (simulated)", ("officer",)),
)
HOW = "open the link, once, and make a passkey on this device"


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
            "people": _people(settings),
        },
    )
    return 0


def _people(settings: Config) -> list[dict[str, str]]:
    """Make one invitation for each role, and the sample tenants; each is taken the ordinary way."""
    from parcelward.people import actions
    from parcelward.people.wire import OrganisationKind, Role

    by = actions.installer()
    operator = actions.ensure_operator(settings.operator, by=by)
    places = [(operator, role) for role in (*STAFF, "administrator")]
    for kind, name, roles in TENANTS:
        tenant = actions.make_organisation(OrganisationKind(kind), name, by=by, simulated=True)
        places += [(tenant, role) for role in roles]
    found = []
    for organisation, role in places:
        owner = role == "sender_admin"
        _invitation, code = actions.invite(organisation, Role(role), by=by, owner=owner)
        found.append({"role": role, "sign_in": f"{settings.public_url}/accounts/join#code={code}", "how": HOW})
    how = f"type any address, such as reader@example.com; the code is in the newest file of {settings.home / 'mail'}"
    found.append({"role": "addressee", "sign_in": f"{settings.public_url}/accounts/sign-in", "how": how})
    return found
