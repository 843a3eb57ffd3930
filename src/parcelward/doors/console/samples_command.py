"""`parcelward samples`: sample staff, an API key and a device for test mode. Refuses in production."""

from __future__ import annotations

import argparse
import base64
import json
from typing import TYPE_CHECKING
from uuid import UUID

import django

from parcelward.base.config import Config
from parcelward.base.errors import NotAllowed, NotFound
from parcelward.doors.console.up_command import write_samples

if TYPE_CHECKING:
    from parcelward.people.wire import Role

STAFF = ("administrator", "inspector", "clerk", "sorter", "courier", "hub_agent", "planner", "auditor")
TENANTS = (
    ("sender", "Sample Shop (simulated)", ("sender_admin", "sender_member")),
    ("partner", "Sample Partner Post (simulated)", ("partner",)),
    ("contractor", "Sample Carrier (simulated)", ("courier",)),
    ("law_enforcement", "Sample Authority (simulated)", ("officer",)),
)
JOIN = "/accounts/join#code="
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
    from parcelward.shipping import actions as shipping

    settings = config.get()
    if settings.production:
        raise NotAllowed("Sample users and keys are for test mode only", code="production")
    path = settings.home / "samples.json"
    if path.exists():
        before = json.loads(path.read_text())
        if queries.key_is_valid(before.get("api_key", "")):
            # The port may have changed, and links were used: each role has one that lets somebody in.
            now = {"url": settings.public_url, "people": [_again(each, settings) for each in before["people"]]}
            write_samples(settings.home, before | now)
            return 0
    by = actions.installer()
    shipping.sell_by_sample(settings.currency, settings.country, by=by)
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
    places = [(operator, "", role) for role in (*STAFF, "administrator")]
    for kind, name, roles in TENANTS:
        tenant = actions.make_organisation(OrganisationKind(kind), name, by=by, simulated=True)
        places += [(tenant, name, role) for role in roles]
    found = [
        {"role": role, "at": name, "how": HOW, "organisation": str(organisation)}
        | {"sign_in": _link(organisation, Role(role), settings, owner=role == "sender_admin")}
        for organisation, name, role in places
    ]
    how = f"type any address, such as reader@example.com; the code is in the newest file of {settings.home / 'mail'}"
    found.append({"role": "addressee", "at": "", "how": how, "sign_in": f"{settings.public_url}/accounts/sign-in"})
    return found


def _link(organisation: UUID, role: Role, settings: Config, *, owner: bool = False) -> str:
    from parcelward.people import actions

    _id, code = actions.invite(organisation, role, by=actions.installer(), owner=owner)
    return f"{settings.public_url}{JOIN}{code}"


def _again(person: dict[str, str], settings: Config) -> dict[str, str]:
    """Return a sample person with a link that opens something: the one it has, or a new one where that was used."""
    from parcelward.people import actions
    from parcelward.people.wire import Role

    before, found, code = person["sign_in"].partition(JOIN)
    if not found:
        return person | {"sign_in": f"{settings.public_url}/accounts/{before.rpartition('/accounts/')[2]}"}
    try:
        actions.invitation(code)
    except NotFound:
        return person | {"sign_in": _link(UUID(person["organisation"]), Role(person["role"]), settings)}
    return person | {"sign_in": f"{settings.public_url}{JOIN}{code}"}
