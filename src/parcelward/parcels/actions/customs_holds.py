"""Hold items that were sold until customs has what it needs, and let them go from that hold alone."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from uuid import UUID

from parcelward.parcels.actions import desk
from parcelward.parcels.models import SoldItem
from parcelward.parcels.security_holds import standing_reasons
from parcelward.people.queries import require
from parcelward.people.wire import Person, Task

GIVEN: Final = "sender_customs_data_given"


def hold_for_customs_within(sold: Collection[UUID], *, by: Person) -> None:
    """Have items held until their sender has said what customs needs, in the caller's transaction."""
    require(by, Task.ORDER)
    for item in sorted(sold):
        desk.record_event(item, "held", desk.WAITS_FOR_CUSTOMS, by=by)
    SoldItem.objects.filter(item__in=sold).update(waits_for_customs=True)


def customs_given_within(item: UUID, *, by: Person) -> bool:
    """Let an item go that was held for its customs data, in the caller's transaction; return whether it goes on.

    Whatever else it is held for stands: then whoever ends that hold lets it go.
    """
    require(by, Task.ORDER)
    SoldItem.objects.filter(item=item).update(waits_for_customs=False)
    reasons = standing_reasons(item)
    if not reasons or any(reason != desk.WAITS_FOR_CUSTOMS for reason in reasons):
        return False
    desk.record_event(item, "released", GIVEN, by=by)
    return True
