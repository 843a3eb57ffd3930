"""Learn what became of an order: a dispute, a claim, an analyst. What was learnt last counts."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from parcelward.base.errors import Invalid, NotFound
from parcelward.custody import actions as custody
from parcelward.people.queries import require
from parcelward.people.wire import Person, Task
from parcelward.risk.actions.observing import learn_within
from parcelward.risk.decision_check import LEARNT
from parcelward.risk.models import Observation
from parcelward.risk.models import Outcome as Row
from parcelward.risk.wire import PARCELS_MAX, Outcome, parcel_id

AHEAD_MAX: Final = dt.timedelta(minutes=5)


@transaction.atomic
def outcome_of_order(order: UUID, *, fraud: bool, at: dt.datetime, by: Person) -> None:
    """Say that an order was fraud, or was not; `at` is when that was learnt. The same again changes nothing.

    Within the caller's transaction. Raises NotFound for an order that nobody asked risk about, Invalid for the future.
    """
    require(by, Task.LEARN_OUTCOME)
    if at > timezone.now() + AHEAD_MAX:
        raise Invalid("What is learnt was learnt before now", code="bad_time")
    if not Observation.objects.filter(pk=order).exists():
        raise NotFound("No such order")
    parcels = [parcel_id(order, nth) for nth in range(1, PARCELS_MAX + 1)]
    about = [order, *Observation.objects.filter(pk__in=parcels).values_list("pk", flat=True)]
    learnt = [Outcome(uuid.uuid5(each, f"{at.isoformat()} {fraud}"), each, at, fraud) for each in about]
    if Row.objects.filter(pk=learnt[0].id).exists():
        return
    learn_within(learnt)
    said = {"by": by.source, "fraud": fraud, "learnt_at": at.isoformat(), "order": str(order)}
    custody.record_fact(LEARNT, {**said, "outcome": str(learnt[0].id)})
