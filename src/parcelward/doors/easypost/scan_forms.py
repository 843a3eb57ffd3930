"""Scan forms: manifests of bought shipments. There is no paper: whoever takes them in scans the parcels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from parcelward.base.errors import Invalid
from parcelward.doors.easypost.http import base, id_of, page_of
from parcelward.doors.easypost.reading import Faults, Fields
from parcelward.people.wire import Person
from parcelward.shipping import actions, queries
from parcelward.shipping.wire import Memory, MemoryKind

PREFIX: Final = "sf"
Sent = Mapping[str, Any]


def create(by: Person, sent: Sent) -> Any:
    """Say that shipments are handed in, all bought by the same owner."""
    fields = Fields(sent, "", Faults())
    named = (fields.inner("scan_form") or fields).values.get("shipments")
    if not isinstance(named, list):
        raise Invalid("Name the shipments by their ids", code="SCANFORM.INVALID")
    ids = [one.get("id") if isinstance(one, dict) else one for one in named]
    return 201, shown(actions.hand_in([id_of("shp", one) for one in ids], by=by))


def retrieve(by: Person, _sent: Sent, form_id: str) -> Any:
    """Return a manifest."""
    return shown(queries.memory(MemoryKind.SCAN_FORM, id_of(PREFIX, form_id), by=by))


def listed(by: Person, sent: Sent) -> Any:
    """Return a page of manifests, newest first."""
    size, before = page_of(sent, PREFIX)
    found = queries.memories(MemoryKind.SCAN_FORM, by=by, limit=size + 1, before=before)
    return {"scan_forms": [shown(one) for one in found[:size]], "has_more": len(found) > size}


def shown(memory: Memory) -> dict[str, Any]:
    """Return a manifest as EasyPost shows it."""
    return base(PREFIX, "ScanForm", memory.id, memory.made_at, memory.changed_at) | {
        "status": "created",
        "message": f"To be handed in at {memory.facts['office']}",
        "address": None,
        "tracking_codes": memory.facts["numbers"],
        "form_url": None,
        "form_file_type": None,
        "batch_id": None,
        "confirmation": None,
    }
