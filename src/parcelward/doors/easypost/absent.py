"""What EasyPost has and is not offered here: answered as such, in its shape, so that nobody waits for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from parcelward.base.errors import NotFound
from parcelward.doors.easypost.errors import NotOffered
from parcelward.people.wire import Person

WORDS: Final = {
    "pickups": "Nobody comes to collect yet: hand parcels in at an office. Nothing was booked",
    "insurances": "Insurance is not sold here. Nothing was charged",
    "claims": "Claims are not taken by this API yet: write to the operator",
    "batches": "Buy shipments one by one, or up to 100 at once with POST /api/v1/orders",
    "orders": "Buy parcels of one sender at once with POST /api/v1/orders",
    "webhooks": "Your systems are told in our own form: POST /api/v1/webhooks",
    "events": "Your systems are told in our own form: POST /api/v1/webhooks",
    "reports": "Reports are not made by this API",
    "carrier_accounts": "There is one carrier here: this house",
    "carrier_types": "There is one carrier here: this house",
    "end_shippers": "The sender is who the address of a shipment says",
    "users": "People and organisations are managed at the screens",
    "api_keys": "Keys are made by POST /api/v1/keys and at the screens",
}


def family(_by: Person, _sent: Mapping[str, Any], name: str, rest: str = "") -> Any:  # noqa: ARG001 -- whatever stands behind it
    """Raise NotOffered for what EasyPost has, NotFound for what nobody has."""
    if name in WORDS:
        raise NotOffered(WORDS[name])
    raise NotFound("There is nothing at this address. docs/easypost.md lists what there is")


def insure(_by: Person, _sent: Mapping[str, Any], shipment_id: str) -> Any:  # noqa: ARG001 -- whichever it is
    """Raise NotOffered: no insurance is sold."""
    raise NotOffered(WORDS["insurances"])
