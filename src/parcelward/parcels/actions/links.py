"""Make the link with which an addressee, and who they show it to, can open and prove more than the public journey."""

from __future__ import annotations

import base64
from typing import Final
from uuid import UUID

from parcelward.base import config
from parcelward.base.errors import Conflict, NotFound
from parcelward.base.standards import identify
from parcelward.custody import actions as custody
from parcelward.custody import queries as custody_queries
from parcelward.parcels.models import Item
from parcelward.people import queries as people
from parcelward.people.wire import Person, Task

FACT_KIND: Final = "custody.link"


def make_link(item: UUID, *, by: Person) -> str:
    """Return the address of the item's proof page with the view key behind `#k=`, which browsers never send.

    The key opens the addressee's part of every event of this item, past and coming, and of nothing else; it ends with
    the item's secret. Each time, the log is told for whom and by whom, not the key. Raises NotFound, Conflict for an
    erased item, NotAllowed.
    """
    people.require(by, Task.MAKE_LINK)
    if not Item.objects.filter(item=item).exists():
        raise NotFound("No such item")
    keys = custody_queries.item_keys([item]).get(item)
    if keys is None:
        raise Conflict("This item's record was erased: there is nothing left to open", code="shredded")
    custody.record_fact(FACT_KIND, {"by": by.source, "item": str(item)})
    key = base64.urlsafe_b64encode(keys.link()).decode().rstrip("=")
    return f"{config.get().public_url}/track/{identify.item_id(item)}/proof#k={key}"
