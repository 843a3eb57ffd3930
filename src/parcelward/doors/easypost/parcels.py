"""Parcels, and what is in them for customs: remembered until a shipment names them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from parcelward.base import config
from parcelward.base.standards import money
from parcelward.doors.easypost import reading, units
from parcelward.doors.easypost.http import base, id_of
from parcelward.doors.easypost.reading import Faults, Fields
from parcelward.people.wire import Person
from parcelward.shipping import actions, queries
from parcelward.shipping.customs.wire import Customs, Goods, Reason
from parcelward.shipping.wire import Memory, MemoryKind, Recalled, ToRemember

PREFIX, ITEM_PREFIX, INFO_PREFIX = "prcl", "cstitem", "cstinfo"
Sent = Mapping[str, Any]
_INFO_TEXTS: Final = (
    *("contents_type", "contents_explanation", "customs_signer", "eel_pfc", "non_delivery_option"),
    *("restriction_type", "restriction_comments", "declaration"),
)
_ITEM_TEXTS: Final = ("description", "hs_tariff_number", "origin_country", "code", "currency")
_ITEM_NUMBERS: Final = ("quantity", "value", "weight")


def create(by: Person, sent: Sent) -> Any:
    """Remember a parcel's measures."""
    faults = Faults()
    read = reading.parcel(Fields(sent, "", faults).inner("parcel") or Fields({}, "parcel", faults))
    faults.settle("PARCEL.INVALID", "This parcel has no price as it is")
    (memory,) = actions.remember([ToRemember(MemoryKind.PARCEL, read.facts)], by=by)
    return 201, shown(memory)


def retrieve(by: Person, _sent: Sent, parcel_id: str) -> Any:
    """Return a parcel."""
    return shown(queries.memory(MemoryKind.PARCEL, id_of(PREFIX, parcel_id), by=by))


def shown(memory: Memory) -> dict[str, Any]:
    """Return a parcel as EasyPost shows it, in the units in which it came."""
    names = ("length", "width", "height", "weight")
    measures = {name: float(memory.facts[name]) for name in names}
    return (
        base(PREFIX, "Parcel", memory.id, memory.made_at, memory.changed_at) | measures | {"predefined_package": None}
    )


def create_item(by: Person, sent: Sent) -> Any:
    """Remember one line of what is in a parcel."""
    faults = Faults()
    read = item_of(Fields(sent, "", faults).inner("customs_item") or Fields({}, "customs_item", faults))
    faults.settle("CUSTOMSITEM.INVALID", "This is not enough for customs")
    (memory,) = actions.remember([ToRemember(MemoryKind.CUSTOMS_ITEM, inside=read)], by=by)
    return 201, shown_item(memory, read)


def retrieve_item(by: Person, _sent: Sent, item_id: str) -> Any:
    """Return one line of what is in a parcel."""
    memory = queries.memory(MemoryKind.CUSTOMS_ITEM, id_of(ITEM_PREFIX, item_id), by=by)
    return shown_item(memory, actions.opened([memory], by=by).get(memory.id, Recalled()).inside)


def create_info(by: Person, sent: Sent) -> Any:
    """Remember what is in a parcel."""
    faults = Faults()
    fields = Fields(sent, "", faults).inner("customs_info") or Fields({}, "customs_info", faults)
    read = info_of(fields, by=by)
    faults.settle("CUSTOMSINFO.INVALID", "This is not enough for customs")
    (memory,) = actions.remember([ToRemember(MemoryKind.CUSTOMS_INFO, inside=read)], by=by)
    return 201, shown_info(memory, read)


def retrieve_info(by: Person, _sent: Sent, info_id: str) -> Any:
    """Return what is in a parcel."""
    memory = queries.memory(MemoryKind.CUSTOMS_INFO, id_of(INFO_PREFIX, info_id), by=by)
    return shown_info(memory, actions.opened([memory], by=by).get(memory.id, Recalled()).inside)


def item_of(one: Fields) -> dict[str, str]:
    """Return one line of a customs declaration. What is wrong is noted."""
    if not one.text("description"):
        one.faults.add(one.at("description"), "missing", "Say in a few words what it is")
    found = {name: one.text(name) for name in _ITEM_TEXTS}
    found |= {name: str(one.number(name, needed=name != "weight") or "") for name in _ITEM_NUMBERS}
    found["hs_tariff_number"] = one.text("hs_tariff_number", 14)
    if found["currency"] not in {"", config.get().currency}:
        one.faults.add(one.at("currency"), "other_currency", "Give values in our currency", config.get().currency)
    return found


def info_of(one: Fields, *, by: Person) -> dict[str, Any]:
    """Return a customs declaration, with its lines: sent whole, or named by their ids."""
    named = one.many("customs_items")
    ids = [id_of(ITEM_PREFIX, line.id) for line in named if line.id]
    known = queries.memories_by_id(ids, by=by) if ids else {}
    opened = actions.opened(list(known.values()), by=by) if ids else {}
    lines: list[Mapping[str, Any]] = []
    for line in named:
        recalled = opened.get(id_of(ITEM_PREFIX, line.id)) if line.id else None
        if line.id and (recalled is None or "description" not in recalled.inside):
            one.faults.add(line.at("id"), "not_found", "There is no such customs item")
        else:
            lines.append(item_of(line) if recalled is None else recalled.inside)
    certified = one.values.get("customs_certify") in {True, "true"}
    return {name: one.text(name) for name in _INFO_TEXTS} | {"customs_certify": certified, "customs_items": lines}


def contents_of(inside: Mapping[str, Any]) -> tuple[str, str, Decimal]:
    """Return what is in a parcel in words, its tariff number if it has one only, and what it is worth."""
    lines = inside.get("customs_items", [])
    words = "; ".join(f"{line['quantity']} {line['description']}" for line in lines)
    numbers = {line["hs_tariff_number"] for line in lines}
    value = sum((Decimal(line["value"]) for line in lines), Decimal(0))
    return words, numbers.pop() if len(numbers) == 1 else "", value


REASONS: Final = {
    "merchandise": Reason.SALE,
    "gift": Reason.GIFT,
    "documents": Reason.DOCUMENTS,
    "sample": Reason.SAMPLE,
    "returned_goods": Reason.RETURNED,
}
"""EasyPost's contents_type -> why it is sent; all others are another reason."""


def customs_of(inside: Mapping[str, Any]) -> Customs:
    """Return what a customs declaration says, as our own forms have it; what is missing there is asked for later."""
    kind = inside.get("contents_type", "")
    reason = REASONS.get(kind, Reason.OTHER) if kind else ""
    explanation = (inside.get("contents_explanation") or kind.replace("_", " ")) if reason is Reason.OTHER else ""
    goods = tuple(_goods(line) for line in inside.get("customs_items", []))
    return Customs(str(reason), goods, " ".join(explanation.split()), sender_reference=inside.get("eel_pfc", ""))


def _goods(line: Mapping[str, Any]) -> Goods:
    here = money.currency(config.get().currency)
    return Goods(
        description=" ".join(line["description"].split()),
        quantity=int(Decimal(line["quantity"] or 0)),
        net_weight_g=units.grams(Decimal(line["weight"])) if line["weight"] else 0,
        value_minor=units.minor(Decimal(line["value"] or 0), here) or 0,
        currency=here,
        origin=line["origin_country"].upper(),
        hs_code=line["hs_tariff_number"],
    )


def value_minor(value: Decimal, where: str, faults: Faults) -> int:
    """Return what a parcel is worth in the minor unit of our currency."""
    found = units.minor(value, money.currency(config.get().currency))
    if found is None:
        faults.add(where, "too_exact", "This currency has not so many digits behind the point")
    return found or 0


def shown_item(memory: Memory, inside: Mapping[str, Any]) -> dict[str, Any]:
    """Return one line of a customs declaration as EasyPost shows it."""
    made = base(ITEM_PREFIX, "CustomsItem", memory.id, memory.made_at, memory.changed_at)
    return made | _line(inside)


def _line(inside: Mapping[str, Any]) -> dict[str, Any]:
    texts = {name: inside.get(name) or None for name in (*_ITEM_TEXTS, "value")}
    return texts | {name: float(inside[name]) if inside.get(name) else None for name in ("quantity", "weight")}


def shown_info(memory: Memory, inside: Mapping[str, Any]) -> dict[str, Any]:
    """Return a customs declaration as EasyPost shows it."""
    made = base(INFO_PREFIX, "CustomsInfo", memory.id, memory.made_at, memory.changed_at)
    lines = [{"object": "CustomsItem"} | _line(line) for line in inside.get("customs_items", [])]
    texts = {name: inside.get(name) or None for name in _INFO_TEXTS}
    return made | texts | {"customs_certify": inside.get("customs_certify", False), "customs_items": lines}
