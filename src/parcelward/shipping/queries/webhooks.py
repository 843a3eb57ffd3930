"""Endpoints and how each telling went, as frozen values: of one's own organisation alone."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.utils import timezone

from parcelward.base.errors import NotFound
from parcelward.people.queries import require, within
from parcelward.people.wire import Person, Task
from parcelward.shipping.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookSecret
from parcelward.shipping.webhooks import messages, rules

TYPES: Final = rules.TYPES
ENDPOINTS_MAX: Final = rules.ENDPOINTS_MAX
OVERLAP_MAX: Final = rules.OVERLAP_MAX
NAME_MAX: Final = rules.NAME_MAX
STATES: Final = ("waiting", "delivered", "parked")
ATTEMPTS_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class EndpointShown:
    """An endpoint without its secret."""

    id: UUID
    organisation: UUID
    name: str
    url: str
    types: tuple[str, ...]  # none: every type
    version: int
    made_at: dt.datetime
    failing_since: dt.datetime | None
    paused_at: dt.datetime | None
    paused_why: str  # owner, failing, gone; empty: it is told
    former_secret_ends_at: dt.datetime | None  # while two sign

    @property
    def state(self) -> str:
        """Return `on`, `failing` or `paused`."""
        if self.paused_at is not None:
            return "paused"
        return "on" if self.failing_since is None else "failing"


@dataclass(frozen=True, slots=True)
class AttemptShown:
    """One time that a message was sent."""

    at: dt.datetime
    status: int  # 0: no answer
    error: str  # a word; empty where an answer came
    duration_ms: int


@dataclass(frozen=True, slots=True)
class DeliveryShown:
    """One message to one endpoint."""

    id: UUID
    message_id: str  # the `webhook-id`
    type: str
    item: UUID | None
    sequence: int
    state: str  # one of STATES
    tries: int
    next_try_at: dt.datetime | None
    made_at: dt.datetime
    ended_at: dt.datetime | None
    attempts: tuple[AttemptShown, ...]  # newest first
    body: str  # what is sent


def endpoints(*, by: Person) -> list[EndpointShown]:
    """Return the endpoints that somebody may see, the oldest first."""
    require(by, Task.MANAGE_WEBHOOKS)
    rows = list(WebhookEndpoint.objects.filter(within(by), removed_at=None).order_by("made_at", "id")[:ENDPOINTS_MAX])
    return [_shown(row, former) for row, former in zip(rows, _former(rows), strict=True)]


def endpoint(endpoint_id: UUID, *, by: Person) -> EndpointShown:
    """Return one. Raises NotFound for somebody else's as for none."""
    row = _mine(endpoint_id, by=by)
    return _shown(row, _former([row])[0])


def _mine(endpoint_id: UUID, *, by: Person) -> WebhookEndpoint:
    require(by, Task.MANAGE_WEBHOOKS)
    row = WebhookEndpoint.objects.filter(within(by), pk=endpoint_id, removed_at=None).first()
    if row is None:
        raise NotFound("No such endpoint")
    return row


def _former(rows: list[WebhookEndpoint]) -> list[dt.datetime | None]:
    ends = dict(
        WebhookSecret.objects.filter(endpoint__in=rows, ends_at__gt=timezone.now()).values_list("endpoint", "ends_at")
    )
    return [ends.get(row.pk) for row in rows]


def _shown(row: WebhookEndpoint, former: dt.datetime | None) -> EndpointShown:
    return EndpointShown(
        row.id,
        row.organisation_id,
        row.name,
        row.url,
        tuple(row.types),
        row.version,
        row.made_at,
        row.failing_since,
        row.paused_at,
        row.paused_why,
        former,
    )


def deliveries(
    endpoint_id: UUID, *, by: Person, state: str = "", limit: int = 50, after: UUID | None = None
) -> list[DeliveryShown]:
    """Return what an endpoint was or will be told, newest first; `after` is the last one that was seen."""
    row = _mine(endpoint_id, by=by)
    found = WebhookDelivery.objects.filter(endpoint=row).select_related("message")
    if state:
        found = found.filter(state=state)
    if after is not None:
        found = found.filter(id__lt=after)
    return _told(list(found.order_by("-id")[:limit]))


def delivery(endpoint_id: UUID, delivery_id: UUID, *, by: Person) -> DeliveryShown:
    """Return one. Raises NotFound."""
    row = _mine(endpoint_id, by=by)
    found = list(WebhookDelivery.objects.filter(endpoint=row, pk=delivery_id).select_related("message"))
    if not found:
        raise NotFound("No such delivery")
    return _told(found)[0]


def _told(rows: list[WebhookDelivery]) -> list[DeliveryShown]:
    tries: defaultdict[UUID, list[AttemptShown]] = defaultdict(list)
    for one in WebhookAttempt.objects.filter(delivery__in=rows).order_by("-at", "-id"):
        tries[one.delivery_id].append(AttemptShown(one.at, one.status, one.error, one.duration_ms))
    return [
        DeliveryShown(
            id=row.id,
            message_id=messages.message_id(row.message_id),
            type=row.message.type,
            item=row.message.item,
            sequence=row.message.sequence,
            state=row.state,
            tries=row.tries,
            next_try_at=row.try_at,
            made_at=row.made_at,
            ended_at=row.ended_at,
            attempts=tuple(tries[row.id][:ATTEMPTS_SHOWN]),
            body=bytes(row.message.body).decode(),
        )
        for row in rows
    ]
