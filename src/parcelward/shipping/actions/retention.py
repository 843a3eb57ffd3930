"""What this room forgets by age: what systems were told, and rows of lists that never became orders."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Final
from uuid import UUID

from parcelward.base import db, forgetting
from parcelward.base.forgetting import Due, Rows, Sweep
from parcelward.custody import actions as custody
from parcelward.people.queries import require
from parcelward.people.wire import Person, Task
from parcelward.shipping import upload_rows, uploading
from parcelward.shipping.models import Upload, UploadRow, WebhookMessage
from parcelward.shipping.uploads.wire import State

RETAINED: Final = "shipping.retention"


def _empty(rows: Rows) -> None:
    for one in Upload.objects.select_for_update().filter(pk__in=rows.values("upload")).order_by("pk"):
        uploading.empty(one, rows.filter(upload=one))
        one.state, one.try_at = State.GIVEN_UP.value, None
        one.save(update_fields=["state", "try_at", "sealed", "sealed_key"])


SWEEPS: Final = (
    Sweep("webhook_messages", lambda t: WebhookMessage.objects.filter(made_at__lt=t), "made_at"),
    Sweep(
        "uploaded_rows",
        lambda t: UploadRow.objects.filter(upload__changed_at__lt=t, content_key__isnull=False),
        "upload__changed_at",
        _empty,
    ),
)
KEPT_FOR_GOOD: Final = {
    "shipping_tariffversion": "prices that somebody was asked for",
    "shipping_quote": "a parcel's measures, a country and a zone: of nobody",
    "shipping_senderaddress": "a token and a keyed hash: says nothing once the vault has forgotten",
    "shipping_remembered": "measures, prices and codes; of people a token, and the vault forgets by itself",
    "shipping_order": "what was bought, for the books; of people a token",
    "shipping_orderitem": "the same, and a label that nobody opens once its stations' keys are gone",
    "shipping_customsdata": "how a parcel's customs data stand: which form, and the codes of what is missing",
    "shipping_webhookdelivery": "goes with the message that it is about",
    "shipping_webhookattempt": "the same",
    "shipping_webhookendpoint": "an address of a business's system, and when it was told no more",
    "shipping_webhooksecret": "goes when the endpoint is removed, or with the next one after it",
    "shipping_senderitem": "whose item it is: an opaque id, and the status that was told last",
    "shipping_upload": "that a list came, and how it went; what stood above its rows goes with them",
    "shipping_addressentry": "a token that says nothing once the vault has forgotten",
    "shipping_columnsknown": "which column means what, under a keyed hash of a header",
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


def bodies_in_use(keys: Collection[UUID]) -> set[UUID]:
    """Return which of these keys open a row of a list, or what stands above one."""
    found: set[UUID] = set()
    with db.cursor() as cur:
        for where, column in upload_rows.KEY_COLUMNS.items():
            cur.execute(f"SELECT {column} FROM {where.table} WHERE {column} = ANY(%s::uuid[])", (list(keys),))  # noqa: S608 -- our own names
            found |= {row[0] for row in cur.fetchall()}
    return found
