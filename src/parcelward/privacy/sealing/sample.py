"""A label to look at: an invented addressee, sealed to keys that are thrown away."""

from __future__ import annotations

import datetime as dt
import secrets

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from parcelward.base.vault import Personal
from parcelward.privacy.sealing import rules
from parcelward.privacy.sealing.wire import Doorstep, LabelIn, Sealed

SAMPLE = LabelIn(
    item="RA473012345GB",
    hub="SAMPLE-HUB",
    office="SAMPLE-OFFICE",
    weight_g=900,
    routing_code="LS1-4471",
    round_code="R12",
    street="Harrogate Street 20-58",
    doorstep=Doorstep(
        Personal("Ana Sample"), (Personal("27 Harrogate Street"), Personal("Flat 3")), Personal("Leave with no. 29")
    ),
)
POSTCODE_AREA = "LS1"
INITIALS = "A. S."


def sample_label(*, now: dt.datetime) -> Sealed:
    """Return the sample sealed: nobody can open it, for its keys are gone when this returns."""
    hub, office = (X25519PrivateKey.generate().public_key().public_bytes_raw() for _ in range(2))
    once = secrets.token_bytes(32)
    raw = rules.seal(SAMPLE, epoch=rules.epoch_of(now), hub_key=hub, office_key=office, binding_key=once)
    return Sealed(SAMPLE.item, raw)
