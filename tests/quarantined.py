"""Bad events as their senders sent them: what is stored is sealed."""

from __future__ import annotations

import hashlib

from parcelward.parcels import bodies
from parcelward.parcels.models import Quarantine


def as_sent(row: Quarantine) -> bytes:
    """Return the bytes of a quarantined event as they came; empty when they were forgotten."""
    return bodies.quarantined([row]).get(row.id, b"")


def of_bytes(raw: bytes) -> Quarantine:
    """Return the one quarantined event that came as these bytes."""
    return Quarantine.objects.get(digest=hashlib.sha256(raw).digest())
