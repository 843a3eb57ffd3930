"""An endpoint that takes nothing any more is paused, and those who keep it are told: an entry, a message to each."""

from __future__ import annotations

import contextlib
import datetime as dt
from typing import Final

from parcelward.base.vault import VaultToken
from parcelward.custody import actions as custody
from parcelward.people import actions as people
from parcelward.people import queries as who
from parcelward.people.wire import Task
from parcelward.privacy import actions as privacy
from parcelward.privacy.errors import NotInVault
from parcelward.shipping.models import WebhookEndpoint

PAUSED: Final = "shipping.webhook_paused"


def pause_within(endpoint: WebhookEndpoint, why: str, *, now: dt.datetime) -> None:
    """Pause a locked endpoint in the caller's transaction. What is due waits until somebody turns it on again."""
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(
        paused_at=now, paused_why=why, changed_at=now, version=endpoint.version + 1
    )
    custody.record_fact(PAUSED, {"endpoint": str(endpoint.pk), "why": why})
    for token in who.reached_for(endpoint.organisation_id, Task.MANAGE_WEBHOOKS):
        with contextlib.suppress(NotInVault):  # nothing is kept of them any more: the screen says it
            privacy.send(VaultToken(token), "webhook_paused", {}, by=people.machinery(), now=now)
