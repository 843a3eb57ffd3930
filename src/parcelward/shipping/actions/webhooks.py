"""Where a sender's systems are told: make, change, remove, a new secret, a test, and telling once more."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from parcelward.base import config, db, outside
from parcelward.base.errors import Conflict, Invalid, NotFound, Problem
from parcelward.custody import actions as custody
from parcelward.people.queries import require, tenant_of, within
from parcelward.people.wire import Person, Task
from parcelward.shipping.errors import BadEndpoint, EndpointChanged
from parcelward.shipping.models import SenderItem, WebhookDelivery, WebhookEndpoint, WebhookMessage, WebhookSecret
from parcelward.shipping.webhooks import bodies, messages, rules, signing

MADE: Final = "shipping.webhook_made"
CHANGED: Final = "shipping.webhook_changed"
REMOVED: Final = "shipping.webhook_removed"
ROTATED: Final = "shipping.webhook_secret_rotated"
TESTED: Final = "shipping.webhook_tested"
REPLAYED: Final = "shipping.webhook_replayed"

secrets_in_use = bodies.in_use


@dataclass(frozen=True, slots=True)
class Secret:
    """An endpoint and its secret, which is shown this once."""

    endpoint: UUID
    secret: str = field(repr=False)


def watch_within(items: Mapping[UUID, UUID], *, now: dt.datetime) -> None:
    """Tell senders of these items (item -> whose it is) from now on, in the caller's transaction; safe to repeat.

    Whoever sells an item's delivery calls it: it has asked whether it may.
    """
    first = {"status": "pre_transit", "status_detail": "", "reason": "", "action_required": None}
    rows = [SenderItem(item=item, owner=of, told=first, since=now) for item, of in sorted(items.items())]
    db.insert_rows(rows, there="DO NOTHING")


@transaction.atomic
def make(url: str, *, types: Sequence[str] = (), name: str = "", by: Person, endpoint_id: UUID | None = None) -> Secret:
    """Make an endpoint of one's own organisation, and its secret. Raises BadEndpoint, Conflict, Invalid.

    `endpoint_id` makes a retry harmless: it raises Conflict, for a secret is not shown twice.
    """
    require(by, Task.MANAGE_WEBHOOKS)
    organisation = tenant_of(by)
    if organisation is None:
        raise Invalid("An endpoint belongs to a sender's organisation", code="bad_organisation")
    _require_sound(url, types, name)
    mine = WebhookEndpoint.objects.filter(organisation=organisation, removed_at=None)
    if mine.count() >= rules.ENDPOINTS_MAX:
        raise Conflict("An organisation has at most twenty endpoints: remove one first", code="too_many_endpoints")
    now = timezone.now()
    ident = endpoint_id or uuid.uuid4()
    endpoint, made = WebhookEndpoint.objects.get_or_create(
        id=ident,
        defaults={
            "organisation_id": organisation,
            "name": name,
            "url": url,
            "types": sorted(set(types)),
            "made_at": now,
            "made_by": by.source,
            "changed_at": now,
        },
    )
    if not made:
        raise Conflict("This endpoint was made already. Its secret was shown then, and is not shown again.")
    secret = bodies.make(endpoint, now=now)
    said = {"organisation": str(organisation), "url_sha256": _digest(url), "types": sorted(set(types))}
    custody.record_fact(MADE, {"by": by.source, "endpoint": str(ident), **said})
    return Secret(ident, signing.shown(secret))


def _require_sound(url: str, types: Collection[str], name: str) -> None:
    problems = []
    try:
        outside.parsed(url, this_machine=not config.get().production)
    except outside.Forbidden as err:
        problems.append(Problem("/url", "bad_url", str(err), "https://shop.example/webhooks"))
    if unknown := sorted(set(types) - set(rules.TYPES)):
        at = list(types).index(unknown[0])
        problems.append(Problem(f"/types/{at}", "unknown_type", "There is no such type of message"))
    if len(name) > rules.NAME_MAX or not name.isprintable():
        problems.append(Problem("/name", "bad_name", f"A name has at most {rules.NAME_MAX} printable characters"))
    if problems:
        raise BadEndpoint(problems[0].message, problems=tuple(problems))


def _digest(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()


def _mine(endpoint_id: UUID, *, by: Person) -> WebhookEndpoint:
    """Return an endpoint that `by` may change, locked. Raises NotFound for somebody else's as for none."""
    found = WebhookEndpoint.objects.filter(within(by), pk=endpoint_id, removed_at=None)
    row = found.select_for_update(no_key=True, of=("self",)).first()
    if row is None:
        raise NotFound("No such endpoint")
    return row


def _require_unchanged(if_match: str, row: WebhookEndpoint) -> None:
    if not if_match:
        return
    wanted = {text.strip().removeprefix('"').removesuffix('"') for text in if_match.split(",")}
    if "*" not in wanted and str(row.version) not in wanted:
        raise EndpointChanged("This was changed since you read it. Read it again, then change it.")


@transaction.atomic
def change(
    endpoint_id: UUID,
    *,
    url: str | None = None,
    types: Sequence[str] | None = None,
    name: str | None = None,
    paused: bool | None = None,
    if_match: str = "",
    by: Person,
) -> None:
    """Change what is given; None leaves it. Turned on again, it is told what waited.

    Raises NotFound, BadEndpoint, EndpointChanged.
    """
    require(by, Task.MANAGE_WEBHOOKS)
    row = _mine(endpoint_id, by=by)
    _require_unchanged(if_match, row)
    _require_sound(row.url if url is None else url, row.types if types is None else types, name or "")
    now = timezone.now()
    wanted: dict[str, Any] = {
        "url": row.url if url is None else url,
        "types": row.types if types is None else sorted(set(types)),
        "name": row.name if name is None else name,
    }
    if paused is True and row.paused_at is None:
        wanted |= {"paused_at": now, "paused_why": "owner"}
    if paused is False:
        wanted |= {"paused_at": None, "paused_why": "", "failing_since": None}
    changed = {key: value for key, value in wanted.items() if getattr(row, key) != value}
    if not changed:
        return
    WebhookEndpoint.objects.filter(pk=row.pk).update(**changed, changed_at=now, version=row.version + 1)
    said = {
        "url_sha256": _digest(wanted["url"]),
        "types": wanted["types"],
        "paused": wanted.get("paused_at") is not None,
    }
    custody.record_fact(CHANGED, {"by": by.source, "endpoint": str(row.pk), "what": sorted(changed), **said})


@transaction.atomic
def remove(endpoint_id: UUID, *, if_match: str = "", by: Person) -> None:
    """Tell an endpoint nothing more; its secrets are forgotten. Raises NotFound, EndpointChanged."""
    require(by, Task.MANAGE_WEBHOOKS)
    row = _mine(endpoint_id, by=by)
    _require_unchanged(if_match, row)
    now = timezone.now()
    WebhookEndpoint.objects.filter(pk=row.pk).update(removed_at=now, changed_at=now, version=row.version + 1)
    WebhookDelivery.objects.filter(endpoint=row, state="waiting").update(state="parked", try_at=None, ended_at=now)
    bodies.forget(WebhookSecret.objects.filter(endpoint=row))
    custody.record_fact(REMOVED, {"by": by.source, "endpoint": str(row.pk)})


@transaction.atomic
def rotate(endpoint_id: UUID, overlap: dt.timedelta, *, by: Person) -> Secret:
    """Give an endpoint a new secret; the one it has signs as well for the overlap. An older one ends at once."""
    require(by, Task.MANAGE_WEBHOOKS)
    if not dt.timedelta(0) <= overlap <= rules.OVERLAP_MAX:
        raise Invalid(f"The old secret goes on for at most {rules.OVERLAP_MAX.days} days", code="bad_overlap")
    row = _mine(endpoint_id, by=by)
    now = timezone.now()
    bodies.forget(WebhookSecret.objects.filter(endpoint=row, ends_at__isnull=False))
    present = WebhookSecret.objects.filter(endpoint=row, ends_at=None)
    if overlap:
        present.update(ends_at=now + overlap)
    else:
        bodies.forget(present)
    secret = bodies.make(row, now=now)
    WebhookEndpoint.objects.filter(pk=row.pk).update(changed_at=now, version=row.version + 1)
    custody.record_fact(ROTATED, {"by": by.source, "endpoint": str(row.pk), "overlap_s": int(overlap.total_seconds())})
    return Secret(row.pk, signing.shown(secret))


@transaction.atomic
def send_test(endpoint_id: UUID, *, by: Person) -> UUID:
    """Send a message that says nothing to one endpoint, in the ordinary way; return the delivery's id."""
    require(by, Task.MANAGE_WEBHOOKS)
    row = _mine(endpoint_id, by=by)
    if row.paused_at is not None:
        raise Conflict("This endpoint is paused: turn it on, then test it", code="paused")
    now = timezone.now()
    ident, delivery = (rules.time_ordered(os.urandom(10), now=now) for _ in range(2))
    message = WebhookMessage.objects.create(
        id=ident,
        organisation_id=row.organisation_id,
        type=rules.TEST,
        body=messages.test(ident, row.pk, mode=config.get().mode, now=now),
        made_at=now,
    )
    WebhookDelivery.objects.create(id=delivery, message=message, endpoint=row, try_at=now, made_at=now)
    custody.record_fact(TESTED, {"by": by.source, "endpoint": str(row.pk)})
    return delivery


@transaction.atomic
def replay(endpoint_id: UUID, delivery_id: UUID, *, by: Person) -> None:
    """Send one message once more, under the same `webhook-id`, whether it arrived or not. Raises NotFound."""
    require(by, Task.MANAGE_WEBHOOKS)
    row = _mine(endpoint_id, by=by)
    if not _again(WebhookDelivery.objects.filter(endpoint=row, pk=delivery_id)):
        raise NotFound("No such delivery")
    custody.record_fact(REPLAYED, {"by": by.source, "endpoint": str(row.pk), "delivery": str(delivery_id), "n": 1})


@transaction.atomic
def replay_since(endpoint_id: UUID, since: dt.datetime, *, delivered_too: bool = False, by: Person) -> int:
    """Send again what was parked since a moment, the oldest first; return how many. `delivered_too`: all of them.

    At most REPLAYED_MAX at once: who has more asks again, for what is under way is not taken twice.
    """
    require(by, Task.MANAGE_WEBHOOKS)
    row = _mine(endpoint_id, by=by)
    states = ["parked", "delivered"] if delivered_too else ["parked"]
    some = WebhookDelivery.objects.filter(endpoint=row, state__in=states, made_at__gte=since).order_by("id")
    n = _again(WebhookDelivery.objects.filter(pk__in=list(some.values_list("pk", flat=True)[: rules.REPLAYED_MAX])))
    custody.record_fact(REPLAYED, {"by": by.source, "endpoint": str(row.pk), "since": since.isoformat(), "n": n})
    return n


def _again(rows: Any) -> int:
    return int(rows.update(state="waiting", tries=0, try_at=timezone.now(), ended_at=None))
