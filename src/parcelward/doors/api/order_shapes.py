"""What an order and a quote look like over HTTP."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Annotated, Literal

from ninja import Field, Schema

from parcelward.base import config
from parcelward.base.errors import Invalid, NotFound
from parcelward.base.standards import identify
from parcelward.base.standards.addresses.address import Address
from parcelward.doors.api.customs_shapes import CustomsIn, CustomsOut, customs_shown
from parcelward.doors.api.shapes import Strict, id_in
from parcelward.parcels.hazmat.wire import Answers, Declaration
from parcelward.shipping.wire import ItemWanted, OrderSeen, OrderWanted, PaidBy, Party, State

ORDER_PREFIX, QUOTE_PREFIX = "ord_", "qte_"
Line = Annotated[str, Field(max_length=200)]
Reference = Annotated[str, Field(max_length=40, pattern=r"^[A-Za-z0-9._/ -]*$")]


class AddressIn(Strict):
    """A postal address. Each part stands by itself; what a country has no use for stays empty."""

    country: str = Field(max_length=80, examples=["US"], description="two letters (ISO 3166-1)")
    addressee: Line = Field("", examples=["Ana Sample"])
    organisation: Line = ""
    street_lines: list[Line] = Field(default=[], max_length=5, examples=[["27 Harrogate Street"]])
    dependent_locality: Line = ""
    locality: Line = Field("", examples=["Springfield"])
    administrative_area: Line = Field("", examples=["IL"])
    postcode: str = Field("", max_length=20, examples=["62701"])
    sorting_code: str = Field("", max_length=20)

    def value(self) -> Address:
        """Return it as the rooms know it."""
        return Address(**self.model_dump() | {"street_lines": tuple(self.street_lines)})


class PartyIn(Strict):
    """Who sends or gets something."""

    address: AddressIn
    email: str = Field("", max_length=254)
    phone: str = Field("", max_length=40)
    note: str = Field("", max_length=80, description="for the door: one line")

    def value(self) -> Party:
        """Return it as the rooms know it."""
        return Party(self.address.value(), self.email, self.phone, self.note)


class AnswersIn(Strict):
    """Answers to questions about dangerous goods; null: not known. Asked for one at a time where they matter."""

    declared_harmless: bool | None = None
    condition: Literal["new", "used", "refurbished_by_maker"] | None = None
    battery: (
        Literal[
            "none",
            "lithium_ion",
            "lithium_metal",
            "sodium_ion",
            "dry",
            "lead_acid_sealed",
            "lead_acid_filled",
            "other",
            "unknown",
        ]
        | None
    ) = None
    battery_place: Literal["in_device", "beside_device", "alone"] | None = None
    battery_is: Literal["cell", "battery"] | None = None
    battery_number: int | None = Field(None, ge=0, le=100_000)
    watt_hours: float | None = Field(None, ge=0, le=1e6)
    lithium_g: float | None = Field(None, ge=0, le=1e6)
    battery_damaged: bool | None = None
    battery_sealed: bool | None = None
    liquid: bool | None = None
    flammable: bool | None = None
    flash_point_c: float | None = Field(None, ge=-300, le=2000)
    alcohol_percent: float | None = Field(None, ge=0, le=100)
    active_percent: float | None = Field(None, ge=0, le=100)
    aerosol: bool | None = None
    aerosol_gas: Literal["flammable", "non_flammable", "unknown"] | None = None
    pressurised: bool | None = None
    magnet: Literal["none", "small", "strong"] | None = None
    magnet_field_ut_at_2_1_m: float | None = Field(None, ge=0, le=1e6)
    magnet_field_ut_at_4_6_m: float | None = Field(None, ge=0, le=1e6)
    dry_ice_kg: float | None = Field(None, ge=0, le=1e4)
    fuel: Literal["none", "purged", "residue", "fuelled"] | None = None
    emptied: Literal["never_filled", "cleaned", "not_cleaned"] | None = None
    mercury: bool | None = None
    radioactive: bool | None = None
    sample: Literal["none", "exempt", "category_b", "category_a", "unknown"] | None = None


assert set(AnswersIn.model_fields) == {one.name for one in dataclasses.fields(Answers)}, "a question is asked nowhere"  # noqa: S101 -- a hole must stop the start


class ContentsIn(Strict):
    """What is in the parcel."""

    description: str = Field(max_length=2000, examples=["Two cotton T-shirts"])
    language: Literal["", "en", "es", "fr", "de"] = ""
    hs_code: str = Field("", max_length=14, pattern=r"^[0-9. ]*$")
    un: str = Field("", max_length=10, description="the UN or ID number, if it has one")
    net_weight_g: float | None = Field(None, ge=0, le=2e6)
    volume_ml: float | None = Field(None, ge=0, le=1e6, description="of one inner container")
    number: int | None = Field(None, ge=0, le=100_000, description="of articles, or of inner containers")
    answers: AnswersIn = Field(default_factory=lambda: AnswersIn.model_validate({}))


class ItemIn(Strict):
    """One parcel."""

    to: PartyIn
    product: str = Field(max_length=40, examples=["parcel"], description="a product of the tariff, as quotes name it")
    weight_g: int = Field(ge=1, le=2_000_000)
    size_mm: tuple[int, int, int] = Field(description="the three sides", examples=[[300, 200, 100]])
    contents: ContentsIn
    extras: list[Annotated[str, Field(max_length=40)]] = Field(default=[], max_length=20)
    value_minor: int = Field(0, ge=0, le=10**12, description="what it is worth, in the tariff's currency")
    reference: Reference = ""
    customs: CustomsIn | None = Field(None, description="where it leaves the country; without, the parcel is held")

    def value(self, *, here: str) -> ItemWanted:
        """Return it as the rooms know it."""
        said = self.contents.model_dump() | {"answers": Answers(**self.contents.answers.model_dump())}
        country = self.to.address.country.upper()
        declared = Declaration(**said, international=country != here)
        return ItemWanted(
            *(self.to.value(), self.product, self.weight_g, self.size_mm, declared, tuple(self.extras)),
            value_minor=self.value_minor,
            reference=self.reference,
            customs=None if self.customs is None else self.customs.value(),
        )


class OrderIn(Strict):
    """Everything that is bought at once. Every parcel has its own number, label and events."""

    sender: PartyIn
    items: list[ItemIn] = Field(min_length=1, max_length=100)
    paid_by: Literal["balance", "card"] = "balance"
    return_url: str = Field("", max_length=400, description="where a payer by card comes back to; ours if empty")
    quote: str | None = Field(None, max_length=100, description="qte_...: its price holds, for an order of one parcel")
    strict_addresses: bool = False
    reference: Reference = ""

    def value(self) -> OrderWanted:
        """Return it as the rooms know it. Raises NotFound for an id that is no quote's."""
        settings = config.get()
        quote = None if self.quote is None else id_in(QUOTE_PREFIX, self.quote)
        if self.quote is not None and quote is None:
            raise NotFound("No such quote")
        if self.return_url and not self.return_url.startswith("https://") and settings.production:
            raise Invalid("A payer comes back to an https address", code="bad_url")
        return OrderWanted(
            sender=self.sender.value(),
            items=tuple(one.value(here=settings.country) for one in self.items),
            paid_by=PaidBy(self.paid_by),
            reference=self.reference,
            strict=self.strict_addresses,
            quote=quote,
            back_url=self.return_url,
        )


class WhyOut(Schema):
    """Why an order does not go on."""

    code: str
    item: int | None = Field(description="which of the order's parcels, from 0; null: the whole order")
    rule: str = ""
    clause: str = ""
    words: list[str] = Field(default=[], description="why, in sentences")


class PartOut(Schema):
    """One line of a price, without tax."""

    code: str
    words: str
    amount_minor: int


class OrderItemOut(Schema):
    """One parcel of an order. It has an id and a number once the order is bought."""

    object: Literal["order_item"] = "order_item"
    item: str | None = Field(description="itm_...")
    number: str
    product: str
    service: str
    weight_g: int
    size_mm: tuple[int, int, int]
    country: str
    price: list[PartOut]
    tax_minor: int
    total_minor: int
    promised_from: dt.date
    promised_to: dt.date
    hazmat: str = Field(description="accept, accept_ground_only, inspect, hold or refuse")
    hazmat_rule: str
    service_code: str
    reference: str
    label_url: str | None
    track_url: str | None
    customs: CustomsOut | None = Field(description="null: nothing is declared to customs of it")


class OrderOut(Schema):
    """An order as it stands now."""

    object: Literal["order"] = "order"
    id: str
    mode: str
    created_at: str
    state: str = Field(
        description="requires_action (the payer goes on at pay_url), paying, review, bought, refused, undone, cancelled"
    )
    reasons: list[WhyOut]
    paid_by: str
    pay_url: str | None
    currency: str
    total_minor: int
    tax_minor: int
    refunded_minor: int
    items: list[OrderItemOut]
    reference: str
    simulated: bool


def shown(order: OrderSeen) -> OrderOut:
    """Return an order as the API shows it."""
    public = config.get().public_url
    bought = order.state is State.BOUGHT
    outward = {State.MAKING: "paying", State.PAYING: "requires_action" if order.pay_url else "paying"}
    name = f"{ORDER_PREFIX}{order.id.hex}"
    return OrderOut(
        id=name,
        mode=config.get().mode,
        created_at=order.created_at.isoformat(),
        state=outward.get(order.state, order.state.value),
        reasons=[
            WhyOut(
                code=why.code,
                item=why.place,
                rule=str(why.details.get("rule", "")),
                clause=str(why.details.get("clause", "")),
                words=[str(rule["words"]) for rule in why.details.get("rules", ())],
            )
            for why in order.reasons
        ],
        paid_by=order.paid_by.value,
        pay_url=order.pay_url or None,
        currency=order.currency,
        total_minor=order.total_minor,
        tax_minor=order.tax_minor,
        refunded_minor=order.refunded_minor,
        items=[
            OrderItemOut(
                item=None if one.item is None else identify.item_id(one.item),
                number=one.number,
                product=one.product,
                service=one.service,
                weight_g=one.weight_g,
                size_mm=one.sides_mm,
                country=one.country,
                price=[PartOut(**dataclasses.asdict(part)) for part in one.parts],
                tax_minor=one.tax_minor,
                total_minor=one.total_minor,
                promised_from=one.promised_from,
                promised_to=one.promised_to,
                hazmat=one.screened.name.lower(),
                hazmat_rule=one.hazmat_rule,
                service_code=one.service_code,
                reference=one.reference,
                label_url=f"{public}/api/v1/orders/{name}/labels/{one.place}" if bought else None,
                track_url=f"{public}/track/{one.number}" if bought else None,
                customs=None
                if one.customs is None
                else customs_shown(one.customs, f"{public}/api/v1/orders/{name}", one),
            )
            for one in order.items
        ],
        reference=order.reference,
        simulated=order.simulated,
    )
