"""Trackers: what the public page of a parcel shows, in EasyPost's words. The ten statuses are ours as well."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from parcelward.base import config
from parcelward.base.errors import Invalid, Problem
from parcelward.base.standards import identify, steps
from parcelward.base.standards.errors import BadItemNumber
from parcelward.base.standards.steps import CODES, Step
from parcelward.doors.easypost.http import base, id_of, page_of, time_text
from parcelward.doors.easypost.reading import Faults, Fields
from parcelward.parcels import queries as parcels
from parcelward.parcels.wire import Journey, TimelineEntry
from parcelward.people.wire import Person
from parcelward.shipping import actions, queries
from parcelward.shipping.wire import Memory, MemoryKind, OrderSeen, ToRemember

PREFIX: Final = "trk"
CODES_MAX: Final = 100
ENDED: Final = frozenset({"delivered", "return_to_sender", "cancelled", "error"})
Sent = Mapping[str, Any]


def create(by: Person, sent: Sent) -> Any:
    """Follow a parcel by its number. The same number again is the same tracker."""
    fields = Fields(sent, "", Faults())
    inner = fields.inner("tracker") or fields
    return 201, shown(_made(inner.values.get("tracking_code"), by=by))


def create_many(by: Person, sent: Sent) -> Any:
    """Follow several parcels."""
    wanted = sent.get("tracking_codes")
    if not isinstance(wanted, list) or len(wanted) > CODES_MAX:
        raise Invalid(f"Send at most {CODES_MAX} tracking_codes", code="TRACKER.CREATE.ERROR")
    return {"trackers": [shown(_made(code, by=by)) for code in wanted], "has_more": False}


def _made(code: object, *, by: Person) -> Memory:
    return actions.remember_once(ToRemember(MemoryKind.TRACKER, mark=number_of(code)), by=by)


def number_of(code: object) -> str:
    """Return a tracking code in its one form. Raises Invalid for what is none."""
    try:
        return identify.canonical(code if isinstance(code, str) else "")
    except BadItemNumber as err:
        found = Problem("/tracking_code", err.code, err.message)
        raise Invalid("This is no tracking code", code="TRACKER.CREATE.ERROR", problems=(found,)) from None


def of_shipment(order: OrderSeen, *, by: Person) -> Memory:
    """Return the tracker of a bought shipment, made with it."""
    (item,) = order.items
    facts = {"shipment": order.id.hex, "promised": item.promised_to.isoformat()}
    return actions.remember_once(ToRemember(MemoryKind.TRACKER, facts, mark=item.number), by=by)


def retrieve(by: Person, _sent: Sent, tracker_id: str) -> Any:
    """Return a tracker as it stands now, by its id or by the number that it follows."""
    if not tracker_id.startswith(f"{PREFIX}_"):
        return shown(_made(tracker_id, by=by))
    return shown(queries.memory(MemoryKind.TRACKER, id_of(PREFIX, tracker_id), by=by))


def listed(by: Person, sent: Sent) -> Any:
    """Return a page of trackers, newest first, or those of one number."""
    size, before = page_of(sent, PREFIX)
    if sent.get("tracking_code"):
        mark = number_of(sent["tracking_code"])
        known = queries.memories_by_mark(MemoryKind.TRACKER, [mark], by=by)
        return {"trackers": [shown(one) for one in known.values()], "has_more": False}
    found = queries.memories(MemoryKind.TRACKER, by=by, limit=size + 1, before=before)
    return {"trackers": [shown(one) for one in found[:size]], "has_more": len(found) > size}


def shown(memory: Memory) -> dict[str, Any]:
    """Return a tracker as EasyPost shows it. Of a number that nobody here has seen, the status is unknown."""
    number = memory.mark
    item = parcels.find(number)
    journey = None if item is None else parcels.journey(item)
    changed = memory.changed_at if journey is None or journey.updated_at is None else journey.updated_at
    promised, shipment = memory.facts.get("promised"), memory.facts.get("shipment")
    made = base(PREFIX, "Tracker", memory.id, memory.made_at, max(changed, memory.made_at))
    return made | {
        "tracking_code": number,
        "status": "unknown" if journey is None else status_of(journey),
        "status_detail": "unknown" if journey is None else journey.reason or journey.step.word,
        "signed_by": None,
        "weight": None,
        "est_delivery_date": f"{promised}T00:00:00Z" if promised else None,
        "shipment_id": f"shp_{UUID(shipment).hex}" if shipment else None,
        "carrier": config.get().operator,
        "tracking_details": [] if journey is None else details(journey),
        "carrier_detail": None,
        "public_url": f"{config.get().public_url}/track/{number}",
        "fees": [],
        "finalized": journey is not None and status_of(journey) in ENDED,
        "is_return": False,
    }


def status_of(journey: Journey) -> str:
    """Return one of the ten words."""
    return "cancelled" if journey.step is Step.CANCELLED else journey.tracker


def details(journey: Journey) -> list[dict[str, Any]]:
    """Return what was recorded, oldest first; what a correction took back is left out."""
    found, status = [], steps.NOTHING_SEEN_TRACKER
    for line in sorted(journey.timeline, key=lambda one: one.event_time):
        if line.corrected or line.source == "assumed":
            continue
        if line.source == "observed":
            status = CODES[line.step].tracker or status
        found.append(_detail(line, status))
    return found


def _detail(line: TimelineEntry, status: str) -> dict[str, Any]:
    place = line.place
    return {
        "object": "TrackingDetail",
        "message": str(CODES[line.step].customer),
        "description": None,
        "status": status,
        "status_detail": line.step.word,
        "datetime": time_text(line.event_time.astimezone(dt.UTC)),
        "source": config.get().operator,
        "carrier_code": CODES[line.step].upu or None,
        "tracking_location": {
            "object": "TrackingLocation",
            "city": place.coarse if place else None,
            "state": None,
            "country": None,
            "zip": None,
        },
    }
