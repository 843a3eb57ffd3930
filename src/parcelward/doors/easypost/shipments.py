"""Shipments: put together, priced, bought once. A rate is an offer of one of our quotes; its price holds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from parcelward.base import config
from parcelward.base.errors import Invalid, NotFound, Problem
from parcelward.doors.easypost import parcels, reading, shipment_shown
from parcelward.doors.easypost.addresses import to_remember
from parcelward.doors.easypost.errors import NotOffered
from parcelward.doors.easypost.http import Sent, id_of, page_of
from parcelward.doors.easypost.reading import Faults, Fields
from parcelward.doors.easypost.shipment_shown import PREFIX, Part, rate_id, shown
from parcelward.parcels.hazmat.wire import Declaration
from parcelward.people.wire import Person
from parcelward.shipping import actions, queries
from parcelward.shipping.wire import (
    ItemWanted,
    Memory,
    MemoryKind,
    OrderWanted,
    Party,
    Quoted,
    Recalled,
    State,
    ToRemember,
    Whence,
)

RATES_MAX: Final = 0xFFFF
NOT_SAID: Final = "Contents not described"
"""What is declared where nobody said what is in a parcel: it is sold, and held until somebody looks."""
_REFERENCE: Final = re.compile(r"[A-Za-z0-9._/ -]{0,40}")
_UNKNOWN: Final = ("return_address", "buyer_address", "insurance", "is_return", "tax_identifiers")


def create(by: Person, sent: Sent) -> Any:
    """Remember a shipment and say what it would cost; with a `service`, buy it at once."""
    faults = Faults()
    one = Fields(sent, "", faults).inner("shipment") or Fields({}, "shipment", faults)
    fields = Fields(one.values, "", faults)
    for name in _UNKNOWN:
        if fields.values.get(name) not in (None, False, "", 0, []):
            faults.add(name, "not_offered", "This is not offered here; nothing is made without it being honoured")
    reference = fields.text("reference", 40)
    if not _REFERENCE.fullmatch(reference):
        faults.add("reference", "bad_text", "At most 40 letters, digits, spaces and . _ / - : never a name")
    options = reading.options(fields.inner("options"))
    parts = _parts(fields, by=by)
    faults.settle("SHIPMENT.INVALID", "This shipment cannot be made as it is")
    value = _worth(parts, faults)
    faults.settle("SHIPMENT.INVALID", "This shipment cannot be made as it is")
    facts: dict[str, Any] = {name: part.memory.id.hex for name, part in parts.items()}
    facts |= {"extras": list(options.extras), "form": options.label_format, "reference": reference}
    facts |= {"value_minor": value, "rates": []}
    facts |= _rated(facts, parts["to_address"].party, parts["parcel"].facts, by=by)
    contents = {"contents": options.contents} if options.contents else {}
    (memory,) = actions.remember([ToRemember(MemoryKind.SHIPMENT, facts, inside=contents)], by=by)
    service = fields.text("service", 40)
    if service:
        chosen = next((rate for rate in memory.facts["rates"] if rate["service"] == service), None)
        if chosen is None:
            raise Invalid("No rate of this service", code="SHIPMENT.POSTAGE.FAILURE")
        memory = _bought(memory, chosen, by=by, whence=sent.whence)
    return 201, shown(memory, parts, by=by)


def _parts(fields: Fields, *, by: Person) -> dict[str, Part]:
    """Return what a shipment is made of, remembered: sent whole, or named by ids of before."""
    new: dict[str, ToRemember] = {}
    named: dict[str, UUID] = {}
    for name, prefix in (
        ("to_address", "adr"),
        ("from_address", "adr"),
        ("parcel", "prcl"),
        ("customs_info", "cstinfo"),
    ):
        one = fields.inner(name)
        if one is None:
            if name != "customs_info":
                fields.faults.add(name, "missing", "Send this, whole or as the id of one that was made before")
        elif one.id:
            named[name] = id_of(prefix, one.id)
        elif name == "parcel":
            new[name] = ToRemember(MemoryKind.PARCEL, reading.parcel(one).facts)
        elif name == "customs_info":
            new[name] = ToRemember(MemoryKind.CUSTOMS_INFO, inside=parcels.info_of(one, by=by))
        else:
            new[name] = to_remember(reading.address(one))
    if fields.faults.found:
        return {}
    kinds = {"parcel": MemoryKind.PARCEL, "customs_info": MemoryKind.CUSTOMS_INFO}
    known = queries.memories_by_id(named.values(), by=by)
    opened = actions.opened(list(known.values()), by=by)
    parts = {}
    for name, memory_id in named.items():
        kind = kinds.get(name, MemoryKind.ADDRESS)
        memory = known.get(memory_id)
        if memory is None or memory.kind is not kind or (kind is not MemoryKind.PARCEL and memory_id not in opened):
            fields.faults.add(f"{name}.id", "not_found", "There is nothing with this id, or it was forgotten")
        else:
            parts[name] = Part(memory, opened.get(memory_id, Recalled()))
    if not fields.faults.found and new:
        made = actions.remember(list(new.values()), by=by)
        parts |= {
            name: Part(memory, Recalled(wanted.party, wanted.inside))
            for (name, wanted), memory in zip(new.items(), made, strict=True)
        }
    return parts


def _worth(parts: Mapping[str, Part], faults: Faults) -> int:
    if "customs_info" not in parts:
        return 0
    _, _, value = parcels.contents_of(parts["customs_info"].recalled.inside)
    return parcels.value_minor(value, "customs_info.customs_items", faults)


def _rated(facts: Mapping[str, Any], to: Party, parcel: Mapping[str, Any], *, by: Person) -> dict[str, Any]:
    """Return the facts of a shipment with the offers of a new quote behind those before."""
    a, b, c = parcel["sides_mm"]
    quoted: Quoted = actions.quote(to.address, parcel["weight_g"], (a, b, c), tuple(facts["extras"]), by=by)
    first = len(facts["rates"])
    if first + len(quoted.offers) > RATES_MAX:
        raise Invalid("This shipment was rated too often: make a new one", code="SHIPMENT.RATES.TOO_MANY")
    rates = [
        {
            "n": first + nth,
            "quote": quoted.id.hex,
            "service": offer.product,
            "total_minor": offer.total_minor,
            "currency": quoted.currency,
            "days": offer.days_max,
            "on": last.isoformat(),
        }
        for nth, (offer, _, last) in enumerate(quoted.offers)
    ]
    unsold = [{"service": one.product, "code": one.code} for one in quoted.unsold]
    return {**facts, "rates": [*facts["rates"], *rates], "quote": quoted.id.hex, "unsold": unsold}


def retrieve(by: Person, _sent: Sent, shipment_id: str) -> Any:
    """Return a shipment as it stands now."""
    return seen(_held(by, shipment_id), by=by)


def _held(by: Person, shipment_id: str) -> Memory:
    return queries.memory(MemoryKind.SHIPMENT, id_of(PREFIX, shipment_id), by=by)


def seen(memory: Memory, *, by: Person) -> dict[str, Any]:
    """Return a shipment as it stands now."""
    return shown(memory, shipment_shown.parts_of([memory], by=by)[memory.id], by=by)


def listed(by: Person, sent: Sent) -> Any:
    """Return a page of shipments, newest first."""
    size, before = page_of(sent, PREFIX)
    found = queries.memories(MemoryKind.SHIPMENT, by=by, limit=size + 1, before=before)
    parts = shipment_shown.parts_of(found[:size], by=by)
    return {"shipments": [shown(one, parts[one.id], by=by) for one in found[:size]], "has_more": len(found) > size}


def buy(by: Person, sent: Sent, shipment_id: str) -> Any:
    """Buy a shipment at one of its rates. The same again is the same purchase; another rate is refused by then."""
    memory = _held(by, shipment_id)
    fields = Fields(sent, "", Faults())
    if fields.values.get("insurance") not in (None, "", "0", "0.00", 0):
        raise NotOffered("Insurance is not offered here: buy without it. Nothing was bought")
    rate = fields.inner("rate")
    wanted = fields.text("rate_id") if rate is None else rate.id
    chosen = next((one for one in memory.facts["rates"] if rate_id(memory.id, one["n"]) == wanted), None)
    fields.faults.settle("SHIPMENT.POSTAGE.FAILURE", "This rate cannot be read")
    if chosen is None:
        problem = Problem("/rate", "not_found", "Name one of the shipment's rates by its id")
        raise Invalid("This shipment has no such rate", code="SHIPMENT.POSTAGE.FAILURE", problems=(problem,))
    return seen(_bought(memory, chosen, by=by, whence=sent.whence), by=by)


def _bought(memory: Memory, chosen: Mapping[str, Any], *, by: Person, whence: Whence) -> Memory:
    """Return a shipment after it was bought at a rate. Raises Invalid where it is not sold, or was bought otherwise."""
    before = memory.facts.get("rate", chosen["n"])
    if before != chosen["n"]:
        raise Invalid("This shipment was bought at another rate", code="SHIPMENT.POSTAGE.EXISTS")
    wanted = _wanted(memory, chosen, by=by)
    order_id = actions.buy_remembered(memory, {"rate": chosen["n"]}, wanted, by=by, whence=whence)
    actions.go_on(order_id, by=by)
    memory = queries.memory(MemoryKind.SHIPMENT, memory.id, by=by)
    if memory.facts["rate"] != chosen["n"]:
        raise Invalid("This shipment was bought at another rate", code="SHIPMENT.POSTAGE.EXISTS")
    order = queries.order(order_id, by=by)
    if order.state is not State.BOUGHT:
        raise Invalid(shipment_shown.why_not(order), code="SHIPMENT.POSTAGE.FAILURE")
    return memory


def _wanted(memory: Memory, chosen: Mapping[str, Any], *, by: Person) -> OrderWanted:
    parts = shipment_shown.parts_of([memory], by=by)[memory.id]
    words, number, customs = parts["shipment"].recalled.inside.get("contents", ""), "", None
    if "customs_info" in parts:
        customs = parcels.customs_of(parts["customs_info"].recalled.inside)
        listed_words, number, _ = parcels.contents_of(parts["customs_info"].recalled.inside)
        words = "; ".join(text for text in (words, listed_words) if text)
    to, sender, parcel = parts["to_address"].party, parts["from_address"].party, parts["parcel"].facts
    a, b, c = parcel["sides_mm"]
    international = to.address.country != config.get().country
    item = ItemWanted(
        *(to, chosen["service"], parcel["weight_g"], (a, b, c)),
        Declaration(words[:2000] or NOT_SAID, hs_code=number, international=international),
        extras=tuple(memory.facts["extras"]),
        value_minor=memory.facts["value_minor"],
        reference=memory.facts["reference"],
        customs=customs,
    )
    return OrderWanted(sender, (item,), reference=memory.facts["reference"], quote=UUID(chosen["quote"]))


def rerate(by: Person, _sent: Sent, shipment_id: str) -> Any:
    """Price a shipment anew, by what is sold now. The rates before hold for as long as they did."""
    memory = _held(by, shipment_id)
    if "rate" in memory.facts:
        raise Invalid("This shipment was bought", code="SHIPMENT.POSTAGE.EXISTS")
    parts = shipment_shown.parts_of([memory], by=by)[memory.id]
    facts = _rated(memory.facts, parts["to_address"].party, parts["parcel"].facts, by=by)
    return {"rates": shipment_shown.rates_of(actions.revise(memory, facts, by=by))}


def retrieve_rate(by: Person, _sent: Sent, rate: str) -> Any:
    """Return one rate of a shipment."""
    shipment = rate.removeprefix("rate_")[:32]
    memory = _held(by, f"{PREFIX}_{shipment}")
    found = next((one for one in memory.facts["rates"] if rate_id(memory.id, one["n"]) == rate), None)
    if found is None:
        raise NotFound("The requested resource could not be found")
    return shipment_shown.rate_of(memory, found)


def label(by: Person, sent: Sent, shipment_id: str) -> Any:
    """Return a shipment with links to its label; `file_format` is PNG, PDF or ZPL."""
    form = str(sent.get("file_format", "")).upper()
    if form not in reading.LABEL_FORMATS:
        raise Invalid("Labels are PNG, PDF or ZPL", code="SHIPMENT.LABEL.UNSUPPORTED_FORMAT")
    said = seen(_held(by, shipment_id), by=by)
    if said["postage_label"] is None:
        raise Invalid("This shipment is not bought: it has no label", code="SHIPMENT.LABEL.NOT_BOUGHT")
    return said
