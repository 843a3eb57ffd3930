"""What this room forgets by age: what senders' systems were told. How long is privacy's table.

Of people its rows hold tokens, and the vault forgets.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from parcelward.base import forgetting
from parcelward.base.forgetting import Due, Sweep
from parcelward.custody import actions as custody
from parcelward.people.queries import require
from parcelward.people.wire import Person, Task
from parcelward.shipping.models import WebhookMessage

RETAINED: Final = "shipping.retention"
SWEEPS: Final = (Sweep("webhook_messages", lambda t: WebhookMessage.objects.filter(made_at__lt=t), "made_at"),)
KEPT_FOR_GOOD: Final = {
    "shipping_tariffversion": "prices that somebody was asked for",
    "shipping_quote": "a parcel's measures, a country and a zone: of nobody",
    "shipping_senderaddress": "a token and a keyed hash: says nothing once the vault has forgotten",
    "shipping_remembered": "measures, prices and codes; of people a token, and the vault forgets by itself",
    "shipping_order": "what was bought, for the books; of people a token",
    "shipping_orderitem": "the same, and a label that nobody opens once its stations' keys are gone",
    "shipping_webhookdelivery": "goes with the message that it is about",
    "shipping_webhookattempt": "the same",
    "shipping_webhookendpoint": "an address of a business's system, and when it was told no more",
    "shipping_webhooksecret": "goes when the endpoint is removed, or with the next one after it",
    "shipping_senderitem": "whose item it is: an opaque id, and the status that was told last",
}
"""Table -> why its rows do not go by an age of their own."""


def due_old(kept_class: str, before: dt.datetime, country: str, *, by: Person) -> list[Due]:
    """Return what would go of a class; nothing for a class of another room."""
    require(by, Task.KEEP_RETENTION)
    return forgetting.due_of(SWEEPS, kept_class, before, country)


def forget_old(kept_class: str, before: dt.datetime, *, by: Person) -> int:
    """Forget what is older than `before` of a class; return how many rows. The entry says counts alone."""
    require(by, Task.KEEP_RETENTION)
    said = {"by": by.source, "class": kept_class, "before": before.isoformat()}
    return forgetting.forget_of(SWEEPS, kept_class, before, lambda n: custody.record_fact(RETAINED, {**said, "n": n}))
