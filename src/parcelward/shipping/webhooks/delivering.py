"""Sends what is due: leased rows, many at once, few of one endpoint, and those that fail cannot hold up the others.

One thread asks the database; the others only send. Whoever dies with a message gives it back when its lease is over,
and it is sent again under the same `webhook-id`: at least once.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections import Counter
from collections.abc import Collection, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import F, OuterRef, Subquery
from django.utils import timezone

from parcelward.base import config, egress
from parcelward.shipping.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from parcelward.shipping.webhooks import bodies, messages, rules, signing
from parcelward.shipping.webhooks.pausing import pause_within

log = logging.getLogger("parcelward.shipping")

AT_ONCE: Final = 32  # messages under way in one worker
FAILING_AT_ONCE: Final = 8  # of these, to endpoints whose last message did not arrive
OF_ONE: Final = 4  # to one endpoint
OF_ONE_FAILING: Final = 1
LEASE: Final = dt.timedelta(seconds=90)  # longer than a name is looked up and an endpoint is waited for
TIMEOUT_S: Final = 10.0
WHOLE_S: Final = 20.0
AGENT: Final = "Parcelward-Webhooks/1"


@dataclass(frozen=True, slots=True)
class Due:
    """One message that this process sends now."""

    delivery: UUID
    endpoint: UUID
    url: str
    failing: bool
    message: UUID
    body: bytes
    tries: int  # before this one
    leased_to: dt.datetime
    secrets: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it went."""

    at: dt.datetime
    duration_ms: int
    status: int  # 0: no answer
    error: str  # a word; empty where an answer came
    retry_after: str = ""


class Outbox:
    """Sends in threads of its own; asked again and again by the worker's one thread."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="webhook")
        self._under_way: dict[Future[Outcome], Due] = {}

    def close(self) -> None:
        """Wait for what is under way, and note how it went."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._note(set(self._under_way))

    def turn(self, wait_s: float) -> int:
        """Note what has ended, take what is due; return how much that was. Waits so long where nothing is due."""
        taken = self._take()
        for each in taken:
            self._under_way[self._pool.submit(send, each)] = each
        if not self._under_way:
            return 0
        ended = wait(self._under_way, timeout=0.0 if taken else wait_s, return_when=FIRST_COMPLETED).done
        self._note(ended)
        return len(taken) + len(ended)

    def idle(self) -> bool:
        """Return whether nothing is under way."""
        return not self._under_way

    def _take(self) -> list[Due]:
        free = AT_ONCE - len(self._under_way)
        failing = FAILING_AT_ONCE - sum(each.failing for each in self._under_way.values())
        busy = Counter(each.endpoint for each in self._under_way.values())
        healthy = take(free, busy, failing=False)
        return healthy + take(min(failing, free - len(healthy)), busy, failing=True)

    def _note(self, ended: Collection[Future[Outcome]]) -> None:
        for future in ended:
            due = self._under_way.pop(future)
            if not future.cancelled():
                record(due, future.result())


@transaction.atomic
def take(most: int, busy: Mapping[UUID, int], *, failing: bool) -> list[Due]:
    """Return messages that are due, which nobody else gets for the time of a lease: the longest due first."""
    if most <= 0:
        return []
    now = timezone.now()
    of_one = OF_ONE_FAILING if failing else OF_ONE
    waiting = WebhookDelivery.objects.filter(endpoint=OuterRef("pk"), try_at__lte=now).order_by("try_at")
    endpoints = (
        WebhookEndpoint.objects.filter(
            removed_at=None,
            paused_at=None,
            failing_since__isnull=not failing,
            organisation__suspended_at=None,
        )
        .exclude(pk__in=[endpoint for endpoint, n in busy.items() if n >= of_one])
        .annotate(due=Subquery(waiting.values("try_at")[:1]))
        .filter(due__isnull=False)
        .order_by("due")[:most]
    )
    rows: list[WebhookDelivery] = []
    for endpoint in endpoints:
        some = min(of_one - busy.get(endpoint.id, 0), most - len(rows))
        if some <= 0:
            break
        due = WebhookDelivery.objects.filter(endpoint=endpoint, try_at__lte=now).select_related("message", "endpoint")
        rows += due.order_by("try_at", "id").select_for_update(skip_locked=True, of=("self",))[:some]
    leased_to = now + LEASE
    WebhookDelivery.objects.filter(pk__in=[row.pk for row in rows]).update(try_at=leased_to)
    secrets = bodies.opened({row.endpoint_id for row in rows}, now=now) if rows else {}
    return [
        Due(
            delivery=row.id,
            endpoint=row.endpoint_id,
            url=row.endpoint.url,
            failing=failing,
            message=row.message_id,
            body=bytes(row.message.body),
            tries=row.tries,
            leased_to=leased_to,
            secrets=tuple(secrets[row.endpoint_id]),
        )
        for row in rows
    ]


def send(due: Due) -> Outcome:
    """Send one message and return how it went. Asks no database."""
    at, began = timezone.now(), time.monotonic()

    def outcome(status: int, error: str, retry_after: str = "") -> Outcome:
        return Outcome(at, round((time.monotonic() - began) * 1000), status, error, retry_after)

    if not due.secrets:
        return outcome(0, "no_secret")
    signed = signing.headers(messages.message_id(due.message), int(at.timestamp()), due.body, due.secrets)
    said = {"content-type": "application/json", "user-agent": AGENT, **signed}
    try:
        answer = egress.post_to_stranger(
            due.url,
            due.body,
            headers=said,
            timeout_s=TIMEOUT_S,
            whole_s=WHOLE_S,
            this_machine=not config.get().production,
        )
    except egress.NotReached as err:
        return outcome(0, err.code)
    except Exception:
        log.exception("a webhook could not be sent")
        return outcome(0, "fault")
    return outcome(answer.status, "", answer.headers.get("retry-after", ""))


@transaction.atomic
def record(due: Due, went: Outcome) -> None:
    """Note a try, and when the next one is. A row that was replayed or removed meanwhile keeps its own clock."""
    now = timezone.now()
    # The endpoint first, as everybody locks them: a change of it waits, or is seen here.
    endpoint = WebhookEndpoint.objects.select_for_update(no_key=True).get(pk=due.endpoint)
    if not WebhookDelivery.objects.filter(pk=due.delivery).exists():
        return  # its message was forgotten by age
    WebhookAttempt.objects.create(
        delivery_id=due.delivery, at=went.at, status=went.status, error=went.error, duration_ms=went.duration_ms
    )
    mine = WebhookDelivery.objects.filter(pk=due.delivery, state="waiting", try_at=due.leased_to)
    if rules.arrived(went.status):
        mine.update(state="delivered", tries=F("tries") + 1, try_at=None, ended_at=now)
        if endpoint.failing_since is not None:
            WebhookEndpoint.objects.filter(pk=endpoint.pk).update(failing_since=None)
        return
    again = rules.next_try(due.tries + 1, now=now, status=went.status, retry_after=went.retry_after)
    if again is None:
        mine.update(state="parked", tries=F("tries") + 1, try_at=None, ended_at=now)
    else:
        mine.update(tries=F("tries") + 1, try_at=again)
    if endpoint.failing_since is None:
        WebhookEndpoint.objects.filter(pk=endpoint.pk).update(failing_since=now)
    why = rules.pauses(endpoint.failing_since, now=now, status=went.status)
    if why and endpoint.paused_at is None and endpoint.removed_at is None:
        pause_within(endpoint, why, now=now)
