"""What a delivery costs, over HTTP: quotes, the tariff, and whether an address is one."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Field, Router, Schema

from parcelward.base import config
from parcelward.base.errors import Invalid
from parcelward.base.standards.addresses import checking
from parcelward.base.standards.addresses.findings import Finding
from parcelward.doors import throttle
from parcelward.doors.api.order_shapes import QUOTE_PREFIX, AddressIn, PartOut
from parcelward.doors.api.shapes import PROBLEMS, Bearer, Strict
from parcelward.people import queries as who
from parcelward.people.wire import Person, Task
from parcelward.shipping import actions, queries

LOOKS_PER_MINUTE = 120
SIDE_MM_MAX = 20_000

router = Router()


def _by(request: HttpRequest) -> Person:
    return request.auth  # type: ignore[attr-defined, no-any-return]  # set by ninja


class QuoteIn(Strict):
    """A parcel whose price is asked for."""

    to: AddressIn
    weight_g: int = Field(ge=1, le=2_000_000)
    size_mm: tuple[int, int, int] = Field(examples=[[300, 200, 100]])
    extras: list[Annotated[str, Field(max_length=40)]] = Field(default=[], max_length=20)


class FindingOut(Schema):
    """What was found in an address: advice, or a fault that makes delivery a guess."""

    pointer: str
    code: str
    message: str
    suggestion: str
    fault: bool


class OfferOut(Schema):
    """A product that carries the parcel."""

    product: str
    service: str
    price: list[PartOut]
    tax_minor: int
    total_minor: int
    counted_g: int = Field(description="the weight that was counted")
    promised_from: dt.date
    promised_to: dt.date


class UnsoldOut(Schema):
    """A product that does not carry it."""

    product: str
    code: str


class QuoteOut(Schema):
    """What can be bought for a parcel. The prices hold until `expires_at`."""

    object: Literal["quote"] = "quote"
    id: str
    mode: str
    created_at: str
    expires_at: str
    currency: str
    offers: list[OfferOut]
    unsold: list[UnsoldOut]
    address: list[FindingOut]


@router.post("/quotes", auth=Bearer(), response={201: QuoteOut, **PROBLEMS}, summary="What a delivery costs")
def quote(request: HttpRequest, body: QuoteIn) -> tuple[int, dict[str, Any]]:
    """Return what can be bought for a parcel and when it would come; the cheapest first."""
    for at, side in enumerate(body.size_mm):
        if not 1 <= side <= SIDE_MM_MAX:
            raise Invalid(f"Side {at + 1} is from 1 to 20,000 millimetres", code="bad_size")
    made = actions.quote(body.to.value(), body.weight_g, body.size_mm, tuple(body.extras), by=_by(request))
    return 201, {
        "id": f"{QUOTE_PREFIX}{made.id.hex}",
        "mode": config.get().mode,
        "created_at": dt.datetime.now(dt.UTC).isoformat(),
        "expires_at": made.expires_at.isoformat(),
        "currency": made.currency,
        "offers": [
            {
                "product": offer.product,
                "service": offer.words,
                "price": [dataclasses.asdict(part) for part in offer.parts],
                "tax_minor": offer.tax_minor,
                "total_minor": offer.total_minor,
                "counted_g": offer.counted_g,
                "promised_from": first,
                "promised_to": last,
            }
            for offer, first, last in made.offers
        ],
        "unsold": [dataclasses.asdict(one) for one in made.unsold],
        "address": _findings(made.findings),
    }


def _findings(found: Iterable[Finding]) -> list[dict[str, Any]]:
    return [
        {
            "pointer": one.pointer,
            "code": one.code,
            "message": one.message,
            "suggestion": one.suggestion,
            "fault": one.fault,
        }
        for one in found
    ]


class CheckedOut(Schema):
    """An address in its usual form, and what was found in the one that came."""

    object: Literal["checked_address"] = "checked_address"
    good: bool
    address: AddressIn
    findings: list[FindingOut]
    kind: str = Field(description="business, residential or unknown")
    po_box: bool


@router.post("/addresses/check", auth=Bearer(), response={200: CheckedOut, **PROBLEMS}, summary="Check an address")
def check_address(request: HttpRequest, body: AddressIn) -> dict[str, Any]:
    """Look whether something could be delivered to an address, as far as its form tells. Nothing of it is kept."""
    who.require(_by(request), Task.ORDER)
    looked = checking.check(body.value())
    return {
        "good": looked.good,
        "address": dataclasses.asdict(looked.address) | {"street_lines": list(looked.address.street_lines)},
        "findings": _findings(looked.findings),
        "kind": looked.kind.value,
        "po_box": looked.po_box,
    }


class TariffOut(Schema):
    """What is sold since when."""

    object: Literal["tariff"] = "tariff"
    id: str
    mode: str
    tariff: dict[str, Any]


@router.put("/tariff", auth=Bearer(), response={200: TariffOut, **PROBLEMS}, summary="Say what is sold, for how much")
def put_tariff(request: HttpRequest, body: dict[str, Any]) -> dict[str, Any]:
    """Sell by this tariff from now on; the same again changes nothing. What was sold before keeps its price."""
    number = actions.sell_by(json.dumps(body).encode(), by=_by(request))
    return {"id": f"trf_{number}", "mode": config.get().mode, "tariff": queries.tariff_document(number)}


@router.get("/tariff", response={200: TariffOut, **PROBLEMS}, summary="What is sold")
def get_tariff(request: HttpRequest) -> dict[str, Any]:
    """Return the tariff that is sold by now: prices are public."""
    throttle.allow(request, "look", LOOKS_PER_MINUTE)
    number, _ = queries.tariff_in_force(dt.datetime.now(dt.UTC))
    return {"id": f"trf_{number}", "mode": config.get().mode, "tariff": queries.tariff_document(number)}
