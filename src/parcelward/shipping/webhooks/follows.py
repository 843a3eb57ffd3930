"""What the room does when events of its senders' items are in the log: one message, and a row for each endpoint."""

from __future__ import annotations

import datetime as dt
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, Final
from uuid import UUID

from django.utils import timezone

from parcelward.base import config, db
from parcelward.custody import actions as custody
from parcelward.custody.wire import Published
from parcelward.parcels import queries as parcels
from parcelward.shipping.models import SenderItem, WebhookDelivery, WebhookEndpoint, WebhookMessage
from parcelward.shipping.webhooks import messages, rules

ITEMS_AT_ONCE: Final = 500


def catch_up() -> int:
    """Look at the next published scans. Safe to run any number of times, by any number of workers."""
    return custody.follow("shipping.webhooks", "parcels.scan", _look_at)


def _look_at(batches: Sequence[Published]) -> None:
    """Write what senders are told, and to whom; commits with the cursor."""
    if not SenderItem.objects.exists():
        return
    which = [each.batch for each in batches]
    found = parcels.items_in(which)
    for at in range(0, len(found), ITEMS_AT_ONCE):
        mine = _theirs(found[at : at + ITEMS_AT_ONCE])
        if mine:
            _tell(mine, which, now=timezone.now())


def _theirs(items: Sequence[UUID]) -> dict[UUID, SenderItem]:
    wanted = db.uuid_array([item.bytes for item in items])
    with db.cursor() as cur:
        cur.execute("SELECT item FROM shipping_senderitem WHERE item = ANY(%s::uuid[])", (wanted,))
        known = [row[0] for row in cur.fetchall()]
    return {row.item: row for row in SenderItem.objects.select_for_update().filter(item__in=known).order_by("item")}


def _tell(mine: dict[UUID, SenderItem], batches: Sequence[int], *, now: dt.datetime) -> None:
    made: list[WebhookMessage] = []
    changed: dict[UUID, SenderItem] = {}
    mode = config.get().mode
    for after in parcels.told_after(mine.keys(), batches):
        row, told = mine[after.item], messages.told(after.told)
        if told == row.told:
            continue
        row.told, row.sequence = told, row.sequence + 1
        changed[row.item] = row
        ident = rules.time_ordered(os.urandom(10), now=now)
        body = messages.item_status(ident, after, sequence=row.sequence, mode=mode, now=now)
        made.append(
            WebhookMessage(
                id=ident,
                organisation_id=row.owner,
                type=rules.ITEM_STATUS,
                item=row.item,
                sequence=row.sequence,
                body=body,
                made_at=now,
            )
        )
    SenderItem.objects.bulk_update(changed.values(), ["told", "sequence"])
    keep_within(made, now=now)


def keep_within(made: Sequence[WebhookMessage], *, now: dt.datetime) -> None:
    """Store messages with a row for each endpoint that wants them, in the caller's transaction."""
    endpoints: defaultdict[Any, list[WebhookEndpoint]] = defaultdict(list)
    for one in WebhookEndpoint.objects.filter(
        organisation__in={each.organisation_id for each in made}, removed_at=None
    ).order_by("id"):
        endpoints[one.organisation_id].append(one)
    rows = list(_rows(made, endpoints, now=now))
    # What nobody is told is not kept: the item's own number of messages goes on all the same.
    WebhookMessage.objects.bulk_create([each for each in made if each.id in {row.message_id for row in rows}])
    WebhookDelivery.objects.bulk_create(rows)


def _rows(
    made: Sequence[WebhookMessage], endpoints: dict[Any, list[WebhookEndpoint]], *, now: dt.datetime
) -> Iterator[WebhookDelivery]:
    for message in made:
        for endpoint in endpoints.get(message.organisation_id, ()):
            if rules.wants(endpoint.types, message.type):
                ident = rules.time_ordered(os.urandom(10), now=now)
                yield WebhookDelivery(id=ident, message=message, endpoint=endpoint, try_at=now, made_at=now)
