"""A photo of a parcel that is handed in: what marks it names, held against what was declared. The photo is not kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.db import transaction

from parcelward.base.errors import NotFound
from parcelward.custody import actions as custody
from parcelward.parcels import actions as parcels
from parcelward.parcels import queries as items
from parcelward.people import actions as people
from parcelward.people.queries import require
from parcelward.people.wire import Person, Task
from parcelward.shipping.models import OrderItem

READ: Final = "shipping.photo_read"
STOPPED: Final = "hazmat_photo"


@dataclass(frozen=True, slots=True)
class Photographed:
    """What was read on a photo: its marks, and those that the declaration does not cover. With one it was stopped."""

    marks: tuple[str, ...]
    uncovered: tuple[str, ...]


def photograph(number: str, photo: bytes, *, by: Person) -> Photographed:
    """Read the marks of dangerous goods on a photo of a parcel; one that was not declared stops the parcel.

    Neither the photo nor other text on it is kept or shown. Raises NotFound, Invalid, Conflict, Busy.
    """
    require(by, Task.PHOTOGRAPH)
    item = items.find(number)
    if item is None:
        raise NotFound("No parcel has this number")
    found = items.marks_on(photo)
    row = OrderItem.objects.filter(item=item).only("service_code", "hazmat_rule").first()
    code, rule = (row.service_code, row.hazmat_rule) if row is not None else ("", "")
    wrong = items.uncovered(found, code=code, rule=rule)
    with transaction.atomic():
        said = {"by": by.source, "item": str(item), "marks": sorted(found), "uncovered": sorted(wrong)}
        custody.record_fact(READ, said)
        if wrong:
            parcels.inspect_sold_within([item], reason=STOPPED, by=people.machinery())
    return Photographed(found, wrong)
