"""What customs data look like over HTTP. What was not said is empty: the check says it all at once, in words."""

from __future__ import annotations

from typing import Literal

from ninja import Field, Schema

from parcelward.doors.api.shapes import Strict
from parcelward.shipping.customs.wire import Completeness, Customs, CustomsSeen, Goods
from parcelward.shipping.wire import ItemSeen


class GoodsIn(Strict):
    """One kind of goods in a parcel: all of it together."""

    description: str = Field("", max_length=500, examples=["Cotton T-shirts"])
    quantity: int = Field(0, ge=0, le=10**6, examples=[2])
    net_weight_g: int = Field(0, ge=0, le=2_000_000, examples=[400], description="without packing")
    value_minor: int = Field(0, ge=0, le=10**15, examples=[4000])
    currency: str = Field("", max_length=3, examples=["USD"])
    origin: str = Field("", max_length=2, examples=["PT"], description="where it was made: two letters (ISO 3166-1)")
    hs_code: str = Field("", max_length=20, examples=["6109.10"], description="six to ten digits; /hs-codes finds it")

    def value(self) -> Goods:
        """Return it as the rooms know it."""
        said = self.model_dump() | {"currency": self.currency.upper(), "origin": self.origin.upper()}
        return Goods(**said)


class CustomsIn(Strict):
    """What is declared to customs of one parcel."""

    reason: Literal["", "sale_of_goods", "gift", "documents", "commercial_sample", "returned_goods", "other"] = Field(
        "", description="why it is sent: the boxes of CN 22 and CN 23"
    )
    explanation: str = Field("", max_length=500, description="of another reason")
    goods: list[GoodsIn] = Field(default=[], max_length=100)
    sender_contact: str = Field("", max_length=500, description="telephone or e-mail, where the order has none")
    addressee_contact: str = Field("", max_length=500, description="the same of the addressee")
    sender_reference: str = Field("", max_length=200, description="EORI, IOSS or the like")
    importer_reference: str = Field("", max_length=200, description="the addressee's tax number")

    def value(self) -> Customs:
        """Return it as the rooms know it."""
        return Customs(**self.model_dump() | {"goods": tuple(one.value() for one in self.goods)})


class MissingOut(Schema):
    """One thing that customs still needs, and where in `customs` it belongs."""

    pointer: str
    code: str
    message: str


class CustomsOut(Schema):
    """How a parcel's customs data stand."""

    state: str = Field(description="missing (the parcel is held) or complete")
    form: str = Field(description="CN 22 or CN 23")
    missing: list[MissingOut]
    changed_at: str
    url: str = Field(description="where PUT completes it")
    document_url: str | None = Field(description="its CN 22 or CN 23 as PDF, once it is complete")


def customs_shown(one: CustomsSeen, order_url: str, item: ItemSeen) -> CustomsOut:
    """Return how they stand, as the API shows it."""
    return CustomsOut(
        state=one.standing.value,
        form=one.form,
        missing=[MissingOut(pointer=each.pointer, code=each.code, message=each.message) for each in one.missing],
        changed_at=one.changed_at.isoformat(),
        url=f"{order_url}/customs?place={item.place}",
        document_url=f"{order_url}/customs?place={item.place}" if one.standing is Completeness.COMPLETE else None,
    )
