"""A shipment as EasyPost shows it: its parts, its rates, and what became of it once it was bought."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from parcelward.base import config
from parcelward.base.errors import Invalid, Problem
from parcelward.base.standards import money
from parcelward.doors.easypost import addresses, labels, parcels, trackers, units
from parcelward.doors.easypost.http import base, time_text
from parcelward.people.wire import Person
from parcelward.shipping import actions, queries
from parcelward.shipping.wire import Memory, OrderSeen, Party, Recalled, State

PREFIX: Final = "shp"
NAMES: Final = ("to_address", "from_address", "parcel", "customs_info")


@dataclass(frozen=True, slots=True, repr=False)
class Part:
    """One part of a shipment, and what the vault still holds of it."""

    memory: Memory
    recalled: Recalled

    @property
    def facts(self) -> Mapping[str, Any]:
        """Return what is remembered of it in clear."""
        return self.memory.facts

    @property
    def party(self) -> Party:
        """Return who it is of. Raises Invalid for who was forgotten."""
        if self.recalled.party is None:
            found = Problem("/to_address", "forgotten", "Make the shipment anew with its address")
            raise Invalid("An address of this shipment was forgotten", code="SHIPMENT.INVALID", problems=(found,))
        return self.recalled.party


def parts_of(shipments: Sequence[Memory], *, by: Person) -> dict[UUID, dict[str, Part]]:
    """Return the parts of each shipment, and under `shipment` itself; people are opened once for all of them."""
    ids = {UUID(one.facts[name]) for one in shipments for name in NAMES if name in one.facts}
    known = queries.memories_by_id(ids, by=by)
    opened = actions.opened([*known.values(), *shipments], by=by)
    found = {}
    for one in shipments:
        named = {name: UUID(one.facts[name]) for name in NAMES if name in one.facts}
        parts = {name: Part(known[at], opened.get(at, Recalled())) for name, at in named.items() if at in known}
        found[one.id] = parts | {"shipment": Part(one, opened.get(one.id, Recalled()))}
    return found


def shown(memory: Memory, parts: Mapping[str, Part], *, by: Person) -> dict[str, Any]:
    """Return a shipment as it stands now."""
    facts = memory.facts
    order = queries.order(memory.id, by=by) if "rate" in facts else None
    bought = order is not None and order.state is State.BOUGHT
    sold = order if order is not None and order.state in {State.BOUGHT, State.CANCELLED} else None
    tracker = None if sold is None else trackers.shown(trackers.of_shipment(sold, by=by))
    rates = rates_of(memory)
    to, sender = (addresses.shown(parts[one].memory, parts[one].recalled) for one in NAMES[:2])
    info = parts.get("customs_info")
    chosen = next((one for one in facts["rates"] if one["n"] == facts.get("rate")), None)
    return base(PREFIX, "Shipment", memory.id, memory.made_at, memory.changed_at) | {
        "reference": facts["reference"] or None,
        "status": "unknown" if tracker is None else tracker["status"],
        "tracking_code": None if tracker is None else tracker["tracking_code"],
        "is_return": False,
        "to_address": to,
        "from_address": sender,
        "return_address": sender,
        "buyer_address": to,
        "parcel": parcels.shown(parts["parcel"].memory),
        "customs_info": None if info is None else parcels.shown_info(info.memory, info.recalled.inside),
        "rates": rates,
        "selected_rate": rate_of(memory, chosen) if sold is not None and chosen is not None else None,
        "postage_label": _label(memory, order, by=by) if bought and order is not None else None,
        "tracker": tracker,
        "fees": [] if sold is None else _fees(sold),
        "messages": [*_messages(memory), *_stopped(order)],
        "options": {"label_format": facts["form"].upper(), "currency": config.get().currency},
        "refund_status": "refunded" if order is not None and order.state is State.CANCELLED else None,
        "scan_form": None,
        "forms": [],
        "insurance": None,
        "batch_id": None,
        "batch_status": None,
        "batch_message": None,
        "order_id": None,
        "usps_zone": None,
    }


def rate_id(shipment: UUID, number: int) -> str:
    """Return the id of a shipment's rate."""
    return f"rate_{shipment.hex}{number:04x}"


def rates_of(memory: Memory) -> list[dict[str, Any]]:
    """Return the rates of the newest quote."""
    return [rate_of(memory, one) for one in memory.facts["rates"] if one["quote"] == memory.facts["quote"]]


def rate_of(memory: Memory, one: Mapping[str, Any]) -> dict[str, Any]:
    """Return one rate: what is paid, with tax."""
    made = base("rate", "Rate", memory.id, memory.made_at, memory.changed_at)
    return made | {
        "id": rate_id(memory.id, one["n"]),
        "service": one["service"],
        "carrier": config.get().operator,
        "carrier_account_id": None,
        "shipment_id": f"{PREFIX}_{memory.id.hex}",
        "rate": units.amount(one["total_minor"], money.currency(one["currency"])),
        "currency": one["currency"],
        "retail_rate": None,
        "retail_currency": None,
        "list_rate": None,
        "list_currency": None,
        "billing_type": "carrier",
        "delivery_days": one["days"],
        "est_delivery_days": one["days"],
        "delivery_date": f"{one['on']}T00:00:00Z",
        "delivery_date_guaranteed": False,
    }


def _label(memory: Memory, order: OrderSeen, *, by: Person) -> dict[str, Any]:
    links = {form: labels.link(order.id, form, by=by) for form in labels.FORMS}
    form = memory.facts["form"]
    made = base("pl", "PostageLabel", memory.id, order.created_at, memory.changed_at)
    return made | {
        "label_url": links[form],
        "label_pdf_url": links["pdf"],
        "label_zpl_url": links["zpl"],
        "label_epl2_url": None,
        "label_date": time_text(order.created_at),
        "label_size": "4x6",
        "label_resolution": 300,
        "label_type": "default",
        "label_file_type": {"png": "image/png", "pdf": "application/pdf", "zpl": "application/zpl"}[form],
        "integrated_form": "none",
    }


def _fees(order: OrderSeen) -> list[dict[str, Any]]:
    amount = units.amount(order.total_minor, order.currency)
    back = order.refunded_minor >= order.total_minor
    return [{"object": "Fee", "type": "PostageFee", "amount": amount, "charged": True, "refunded": back}]


_UNSOLD: Final = {
    "not_to_there": "This service does not go there",
    "extra_not_offered": "This service has not all that the options ask for",
    "too_large": "The parcel is larger than this service carries",
    "too_heavy": "The parcel is heavier than this service carries",
}


def _messages(memory: Memory) -> list[dict[str, Any]]:
    """Return why what is sold does not carry this shipment."""
    carrier = config.get().operator
    return [
        {
            "carrier": carrier,
            "carrier_account_id": None,
            "type": "rate_error",
            "message": f"{one['service']}: {_UNSOLD.get(one['code'], one['code'])}",
        }
        for one in memory.facts["unsold"]
    ]


def _stopped(order: OrderSeen | None) -> list[dict[str, Any]]:
    if order is None or order.state in {State.BOUGHT, State.CANCELLED}:
        return []
    return [{"carrier": config.get().operator, "type": "purchase_error", "message": why_not(order)}]


def why_not(order: OrderSeen) -> str:
    """Return in words why an order is not bought."""
    first = {
        State.REVIEW: "A person looks at this shipment before it is sold; nothing was charged. Retrieve it later",
        State.REFUSED: "This shipment is not sold; nothing was charged",
    }.get(order.state, "This shipment is not bought")
    found = [
        " ".join(part for part in (why.code, str(why.details.get("clause", "")), *_words(why.details)) if part)
        for why in order.reasons
    ]
    return f"{first} ({'; '.join(found)})" if found else first


def _words(details: Mapping[str, Any]) -> list[str]:
    return [str(rule["words"]) for rule in details.get("rules", ())]
