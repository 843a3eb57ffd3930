"""Who asks, in what role, for which task: the values that every action takes."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from uuid import UUID


class Role(enum.StrEnum):
    """What somebody or something is here for."""

    ADMINISTRATOR = "administrator"
    INSPECTOR = "inspector"
    PARTNER = "partner"
    DEVICE = "device"


class Task(enum.StrEnum):
    """One thing that can be done; every action names the one it needs."""

    SCAN = "scan"
    CAPTURE = "capture"  # EPCIS documents and manifests
    READ_EVENTS = "read_events"  # EPCIS queries
    HOLD = "hold"
    RELEASE = "release"
    CORRECT = "correct"  # anybody's event; one's own may always be corrected
    READ_DESK = "read_desk"
    REPAIR = "repair"  # quarantine and alerts
    EDIT_NETWORK = "edit_network"
    ENROL_DEVICE = "enrol_device"
    MANAGE_KEYS = "manage_keys"
    MANAGE_PEOPLE = "manage_people"
    REPLACE_LOG_KEY = "replace_log_key"
    SHRED = "shred"  # needs two people
    IMPORT = "import"
    MAKE_BUNDLE = "make_bundle"  # evidence for somebody outside
    MAKE_LINK = "make_link"  # for the addressee, who then sees more than the public journey


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks: a person, a device or a key. `source` is the number that events carry."""

    id: UUID
    role: Role
    source: int
    name: str  # opaque staff id, device or key name
    simulated: bool = False
