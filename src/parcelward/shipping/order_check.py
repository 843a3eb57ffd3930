"""Compare orders, tariffs and what was sold by them with the entries about them: part of `verify-log`."""

from __future__ import annotations

import hashlib
from typing import Any, Final

from parcelward.custody.queries import Findings, told
from parcelward.shipping.models import CustomsData, Order, OrderItem, TariffVersion

TARIFF: Final = "shipping.tariff"
ORDER: Final = "shipping.order"
CUSTOMS: Final = "shipping.customs"


def said_of(row: Order, items: list[OrderItem]) -> dict[str, Any]:
    """Return what an entry says of an order: no person, no place, nothing of what is in it."""
    return {
        "currency": row.currency,
        "intent": None if row.intent is None else str(row.intent),
        "items": [None if one.item is None else str(one.item) for one in items],
        "order": str(row.id),
        "owner": str(row.owner),
        "paid_by": row.paid_by,
        "reasons": [each["code"] for each in row.reasons],
        "refunded_minor": row.refunded_minor,
        "state": row.state,
        "tariff": row.tariff_id,
        "tax_minor": row.tax_minor,
        "total_minor": row.total_minor,
        "totals_minor": [one.total_minor for one in items],
    }


def customs_said_of(row: CustomsData, item: OrderItem) -> dict[str, Any]:
    """Return what an entry says of a parcel's customs data: how they stand, and nothing of what is in it."""
    return {"form": row.form, "order": str(item.order_id), "place": item.place, "standing": row.standing}


def _check_customs(findings: Findings) -> None:
    newest = {(entry["order"], entry["place"]): (entry, index) for _, entry, index in told(CUSTOMS)}
    for row in CustomsData.objects.select_related("item").iterator():
        said = customs_said_of(row, row.item)
        entry, index = newest.pop((said["order"], said["place"]), ({}, None))
        if any(entry.get(name) != value for name, value in said.items()):
            words = (
                f"What is declared of parcel {row.item.place} of order {row.item.order_id} is not as it was recorded."
            )
            findings.note(words, differs="customs", index=index)
    for (order, place), (_, index) in newest.items():
        findings.note(f"What was declared of parcel {place} of order {order} is gone.", differs="customs", index=index)


def check_orders(findings: Findings) -> None:
    """Note every order and tariff that is not as the newest entry about it says."""
    newest: dict[str, tuple[dict[str, Any], int | None]] = {}
    for _, entry, index in told(ORDER):
        newest[entry["order"]] = entry, index
    items: dict[Any, list[OrderItem]] = {}
    for item in OrderItem.objects.order_by("place").iterator():
        items.setdefault(item.order_id, []).append(item)
    for row in Order.objects.iterator():
        entry, index = newest.pop(str(row.id), ({}, None))
        said = said_of(row, items.get(row.id, []))
        differing = sorted(name for name, value in said.items() if entry.get(name) != value)
        if differing:
            words = f"Order {row.id} is not as it was recorded: {', '.join(differing)}."
            findings.note(words, differs="orders", index=index)
    for key, (_, index) in newest.items():
        findings.note(f"Order {key} was recorded and is gone.", differs="orders", index=index)
    tariffs = {entry["tariff"]: (entry["digest"], index) for _, entry, index in told(TARIFF)}
    for version in TariffVersion.objects.iterator():
        digest, index = tariffs.pop(version.number, (None, None))
        if digest != hashlib.sha256(bytes(version.body)).hexdigest():
            findings.note(f"Tariff {version.number} is not as it was recorded.", differs="tariffs", index=index)
    for number, (_, index) in tariffs.items():
        findings.note(f"Tariff {number} was recorded and is gone.", differs="tariffs", index=index)
    _check_customs(findings)
