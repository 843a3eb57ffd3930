"""What the operator says that each answer costs, and how many orders of a day people can look at."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from django.db import transaction
from django.utils import timezone

from parcelward.base.errors import Invalid
from parcelward.base.standards.money import AMOUNT_MINOR_MAX
from parcelward.custody import actions as custody
from parcelward.people.queries import require
from parcelward.people.wire import Person, Task
from parcelward.risk.learning.thresholds import Cost, cheapest
from parcelward.risk.model_check import STATED
from parcelward.risk.models import Stated
from parcelward.risk.wire import Answer

LOOKS_MAX: Final = 1_000
"""Orders of a day that people look at without a rule that asks for it."""


@transaction.atomic
def state_costs(costs: Mapping[Answer, tuple[int, int]], looks_a_day: int, *, by: Person) -> None:
    """Say what each answer costs for a good order and for a fraud, in minor units. The same again changes nothing.

    Raises Invalid where a stricter answer does not cost more for a good order and less for a fraud.
    """
    require(by, Task.WRITE_RULES)
    if not 0 <= looks_a_day <= LOOKS_MAX or any(
        not 0 <= one <= AMOUNT_MINOR_MAX for two in costs.values() for one in two
    ):
        raise Invalid("Each is a number that is not less than nothing, and not too large", code="bad_costs")
    try:
        cheapest({answer: Cost(*two) for answer, two in costs.items()})
    except ValueError:
        raise Invalid(
            "Of two answers the stricter one costs more for a good order, and less for a fraud", code="bad_costs"
        ) from None
    said = {"costs": {answer.value: list(two) for answer, two in costs.items()}, "looks_a_day": looks_a_day}
    body = json.dumps(said, sort_keys=True)
    newest = Stated.objects.order_by("-id").first()
    if newest is not None and newest.body == body:
        return
    row = Stated.objects.create(body=body, by=by.source, made_at=timezone.now())
    custody.record_fact(STATED, {**said, "by": by.source, "stated": row.id})
