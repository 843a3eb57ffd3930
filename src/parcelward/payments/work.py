"""What is left to do for payments, a piece at a time: run by the worker, and by several at once without harm."""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
from collections.abc import Callable
from typing import Final, TypeVar
from uuid import UUID

from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from parcelward.payments import givebacks, intent_rules, intents, reconciling
from parcelward.payments.models import Dispute, Intent, Notice, Refund
from parcelward.payments.providers.chosen import provider
from parcelward.payments.providers.wire import Refused, Unanswered

log = logging.getLogger("parcelward.payments")

AT_ONCE: Final = 50
TAKEN_FOR: Final = dt.timedelta(seconds=60)  # nobody else looks at a piece meanwhile
REPORT_DAYS: Final = dt.timedelta(days=7)
STRAY_AFTER: Final = dt.timedelta(days=1)  # a notice of nothing that is ours

M = TypeVar("M", bound=models.Model)
T = TypeVar("T")


def once() -> int:
    """Do what is due at the provider that takes payments now; return how many pieces that were."""
    name = provider().name
    done = 0
    for notice in _take(Notice, provider=name):
        done += _tried(_follow, notice)
    for intent in _take(Intent, provider=name):
        done += _tried(intents.go_on, intent.id)
    for refund in _take(Refund, intent__provider=name):
        done += _tried(givebacks.drive_refund, refund.id)
    for dispute in _take(Dispute, intent__provider=name):
        done += _tried(givebacks.drive_dispute, dispute.reference)
    return done


def _tried(work: Callable[[T], object], piece: T) -> int:
    """Do one piece. One that fails is said, and taken again later: the others are no worse for it."""
    try:
        work(piece)
    except Exception:
        log.exception("a piece of a payment failed; it is tried again")
    return 1


@transaction.atomic
def _take(model: type[M], **where: str) -> list[M]:
    """Return what is due, and let nobody else have it for a while: whoever dies with it gives it back that way."""
    now = timezone.now()
    due = model._default_manager.filter(try_at__lte=now, **where).order_by("try_at")  # noqa: SLF001 -- Django's name for it
    some = list(due.select_for_update(skip_locked=True, of=("self",))[:AT_ONCE])
    model._default_manager.filter(pk__in=[one.pk for one in some]).update(try_at=now + TAKEN_FOR)  # noqa: SLF001 -- as above
    return some


def _follow(notice: Notice) -> None:
    """Look at what a notice is about, wherever it is in the story by now."""
    intent = _about(notice)
    now = timezone.now()
    if intent is None and notice.payment and now - notice.received_at < STRAY_AFTER:
        # Its payment may be one whose beginning we have no answer to yet.
        later = intent_rules.again_at(now, notice.tries, waits=False)
        Notice.objects.filter(pk=notice.id).update(try_at=later, tries=notice.tries + 1)
        return
    try:
        if intent is not None and notice.dispute:
            givebacks.fold_dispute(intent, provider().look_dispute(notice.dispute))
        elif intent is not None and not intents.go_on(intent):
            return  # it stays taken for a while, and is looked at again
    except Unanswered as err:
        log.warning("a notice waits: %s", err)
        return  # as above
    except Refused:
        log.warning("a notice is of what the provider does not know any more")
    Notice.objects.filter(pk=notice.id).update(done_at=now, try_at=None)


def _about(notice: Notice) -> UUID | None:
    """Return which payment a notice is about; None where we know of none."""
    named = Q(pk__in=[])
    if notice.payment:
        named |= Q(page=notice.payment) | Q(reference=notice.payment)
    with contextlib.suppress(ValueError):
        named |= Q(pk=UUID(notice.mark))
    return Intent.objects.filter(named).values_list("id", flat=True).first()


def reconcile(now: dt.datetime) -> None:
    """Read the last days of the provider's report; what was read before is passed over."""
    try:
        new = reconciling.reconcile(now - REPORT_DAYS, now)
    except Unanswered as err:
        log.warning("the provider's report waits: %s", err)
        return
    log.info("the provider's report has %d new lines", new)
