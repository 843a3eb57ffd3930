"""Refunds: a bought shipment that nobody has handed in is cancelled, and all of the money goes back at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from parcelward.base import config
from parcelward.base.errors import Invalid, NotFound
from parcelward.doors.easypost import shipments, trackers
from parcelward.doors.easypost.http import base, id_of, page_of
from parcelward.doors.easypost.reading import Faults, Fields
from parcelward.people.wire import Person
from parcelward.shipping import actions, queries
from parcelward.shipping.wire import Memory, MemoryKind, ToRemember

PREFIX: Final = "rfnd"
CODES_MAX: Final = 100
Sent = Mapping[str, Any]


def create(by: Person, sent: Sent) -> Any:
    """Take shipments back by their tracking codes. One after the other: what was taken back stays so."""
    fields = Fields(sent, "", Faults())
    wanted = (fields.inner("refund") or fields).values.get("tracking_codes")
    codes = wanted.split(",") if isinstance(wanted, str) else wanted
    if not isinstance(codes, list) or not 1 <= len(codes) <= CODES_MAX:
        raise Invalid(f"Send 1 to {CODES_MAX} tracking_codes", code="REFUND.INVALID")
    marks = [trackers.number_of(code) for code in codes]
    known = queries.memories_by_mark(MemoryKind.TRACKER, marks, by=by)
    mine = [known[mark] for mark in marks if mark in known and "shipment" in known[mark].facts]
    if len(mine) != len(marks):
        raise NotFound("Not all of these are shipments that you bought")
    return 201, [shown(_taken_back(UUID(one.facts["shipment"]), one.mark, by=by)) for one in mine]


def of_shipment(by: Person, _sent: Sent, shipment_id: str) -> Any:
    """Take a shipment back."""
    memory = queries.memory(MemoryKind.SHIPMENT, id_of("shp", shipment_id), by=by)
    if "rate" not in memory.facts:
        raise Invalid("This shipment is not bought", code="SHIPMENT.REFUND.UNAVAILABLE")
    (item,) = queries.order(memory.id, by=by).items
    _taken_back(memory.id, item.number, by=by)
    return shipments.seen(memory, by=by)


def _taken_back(order_id: UUID, number: str, *, by: Person) -> Memory:
    actions.cancel(order_id, by=by)
    return actions.remember_once(ToRemember(MemoryKind.REFUND, {"number": number}, mark=order_id.hex), by=by)


def retrieve(by: Person, _sent: Sent, refund_id: str) -> Any:
    """Return a refund."""
    return shown(queries.memory(MemoryKind.REFUND, id_of(PREFIX, refund_id), by=by))


def listed(by: Person, sent: Sent) -> Any:
    """Return a page of refunds, newest first."""
    size, before = page_of(sent, PREFIX)
    found = queries.memories(MemoryKind.REFUND, by=by, limit=size + 1, before=before)
    return {"refunds": [shown(one) for one in found[:size]], "has_more": len(found) > size}


def shown(memory: Memory) -> dict[str, Any]:
    """Return a refund as EasyPost shows it."""
    return base(PREFIX, "Refund", memory.id, memory.made_at, memory.changed_at) | {
        "tracking_code": memory.facts["number"],
        "confirmation_number": None,
        "status": "refunded",
        "carrier": config.get().operator,
        "shipment_id": f"shp_{memory.mark}",
    }
