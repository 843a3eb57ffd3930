"""Endpoints' secrets as they lie: each sealed with a key of its own in the keys database. Private to the room."""

from __future__ import annotations

import datetime as dt
import secrets
import uuid
from collections.abc import Collection, Iterable
from typing import Final
from uuid import UUID

from django.db import transaction

from parcelward.privacy import actions as privacy
from parcelward.privacy import queries
from parcelward.privacy.errors import BodyGone, NotAuthentic
from parcelward.privacy.wire import BodyColumn
from parcelward.shipping.models import WebhookEndpoint, WebhookSecret
from parcelward.shipping.webhooks import rules

WHERE: Final = BodyColumn("shipping_webhooksecret", "secret")


def make(endpoint: WebhookEndpoint, *, now: dt.datetime) -> bytes:
    """Store a new secret as the present one, in the caller's transaction, and return it: nobody is shown it again."""
    secret = secrets.token_bytes(rules.SECRET_BYTES)
    [sealed] = privacy.seal_bodies(WHERE, [secret], now=now)
    WebhookSecret.objects.create(
        id=uuid.uuid4(), endpoint=endpoint, secret=sealed.sealed, body_key=sealed.key, made_at=now
    )
    return secret


def opened(endpoints: Collection[UUID], *, now: dt.datetime) -> dict[UUID, list[bytes]]:
    """Return what signs for these endpoints at a moment, the present secret first."""
    rows = list(
        WebhookSecret.objects.filter(endpoint__in=endpoints)
        .exclude(ends_at__lte=now)
        .order_by("-made_at")
        .values_list("endpoint_id", "body_key", "secret")
    )
    opener = queries.opener(WHERE, [key for _, key, _ in rows])
    found: dict[UUID, list[bytes]] = {endpoint: [] for endpoint in endpoints}
    for endpoint, key, sealed in rows:
        try:
            found[endpoint].append(opener.open(key, bytes(sealed)))
        except (BodyGone, NotAuthentic):  # changed or moved: it signs nothing
            continue
    return found


def forget(rows: Iterable[WebhookSecret]) -> None:
    """Remove secrets, and their keys once the caller's transaction has committed."""
    some = list(rows)
    WebhookSecret.objects.filter(pk__in=[row.pk for row in some]).delete()
    transaction.on_commit(lambda: privacy.forget_bodies([row.body_key for row in some]))


def in_use(keys: Collection[UUID]) -> set[UUID]:
    """Return which of these keys open a secret that is stored."""
    return set(WebhookSecret.objects.filter(body_key__in=list(keys)).values_list("body_key", flat=True))
