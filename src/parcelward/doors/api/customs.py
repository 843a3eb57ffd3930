"""Customs over HTTP: complete what is missing, the form as PDF, a parcel's advance data, and tariff codes by words."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Field, Query, Router, Schema

from parcelward.base import config
from parcelward.base.errors import NotFound
from parcelward.doors.api.customs_shapes import CustomsIn
from parcelward.doors.api.order_shapes import OrderOut, shown
from parcelward.doors.api.orders import order_id_of
from parcelward.doors.api.shapes import PROBLEMS, Bearer
from parcelward.parcels import queries as parcels
from parcelward.people import queries as who
from parcelward.people.wire import Person, Task
from parcelward.shipping import actions, queries
from parcelward.shipping.customs import paper
from parcelward.shipping.customs.hs import suggest

router = Router()
Place = Annotated[int, Query(ge=0, le=99, description="which of the order's parcels, from 0")]


class HsCodeOut(Schema):
    """A code of the Harmonized System, six digits."""

    object: Literal["hs_code"] = "hs_code"
    code: str
    words: str
    heading: str = Field(description="what its heading of four digits says")


class PartyOut(Schema):
    """Who sends or gets it."""

    name: str
    organisation: str
    address_lines: list[str]
    postcode: str
    city: str
    state: str
    country: str
    telephone: str
    email: str
    customs_reference: str


class PieceOut(Schema):
    """One kind of goods."""

    number: int
    description: str
    number_of_units: int
    net_weight_g: int
    declared_value_minor: int
    currency: str
    origin_country: str
    tariff_heading: str
    tariff_words: str


class AdvanceOut(Schema):
    """Advance data of one item; docs/customs.md says which field of UPU M33 each is."""

    object: Literal["customs_data"] = "customs_data"
    mode: str
    profile: str
    created_at: str
    item: str = Field(description="itm_...")
    item_identifier: str = Field(description="its number: UPU S10")
    mail_class: str = Field(description="the first letter of an S10 number; empty for a number of our own")
    origin_country: str
    destination_country: str
    gross_weight_g: int
    posted_on: str
    postage_minor: int
    postage_currency: str
    customs_form: str
    nature_of_transaction: str
    nature_explanation: str
    sender: PartyOut
    addressee: PartyOut
    content_pieces: list[PieceOut]


def _by(request: HttpRequest) -> Person:
    return request.auth  # type: ignore[attr-defined, no-any-return]  # set by ninja


def _json(body: bytes) -> HttpResponse:
    answer = HttpResponse(body, content_type="application/json; charset=utf-8")
    answer["Cache-Control"] = "no-store"
    return answer


@router.put(
    "/orders/{order_id}/customs",
    auth=Bearer(),
    response={200: OrderOut, **PROBLEMS},
    summary="Declare a parcel to customs",
)
def give(request: HttpRequest, order_id: str, body: CustomsIn, place: Place = 0) -> HttpResponse:
    """Say what is in a parcel that leaves the country. What is missing is said at once; then nothing was changed.

    A parcel that was held for this goes on. The same again changes nothing.
    """
    found, by = order_id_of(order_id), _by(request)
    actions.give_customs(found, place, body.value(), by=by)
    return _json(shown(queries.order(found, by=by)).model_dump_json().encode())


_PAPER: dict[Any, Any] = {200: None, **PROBLEMS}


@router.get("/orders/{order_id}/customs", auth=Bearer(), response=_PAPER, summary="A parcel's CN 22 or CN 23")
def document(request: HttpRequest, order_id: str, place: Place = 0) -> HttpResponse:
    """Return the form as PDF, to be put beside the label, once the parcel is bought and all is declared."""
    found = actions.customs_paper(order_id_of(order_id), place, by=_by(request))
    answer = HttpResponse(paper.render([found]), content_type="application/pdf")
    answer["Content-Disposition"] = f'attachment; filename="{found.number}-{found.form.replace(" ", "")}.pdf"'
    answer["Cache-Control"] = "no-store"
    return answer


@router.get(
    "/items/{item_id}/customs", auth=Bearer(), response={200: AdvanceOut, **PROBLEMS}, summary="Advance customs data"
)
def advance(request: HttpRequest, item_id: str) -> HttpResponse:
    """Return what the post and customs of the destination are told before the parcel comes: after UPU M33 (ITMATT)."""
    item = parcels.find(item_id)
    if item is None:
        raise NotFound("No such item")
    found = actions.advance_data(item, by=_by(request))
    body = AdvanceOut(mode=config.get().mode, **found)
    return _json(body.model_dump_json().encode())


@router.get("/hs-codes", auth=Bearer(), response={200: list[HsCodeOut], **PROBLEMS}, summary="Tariff codes by words")
def hs_codes(
    request: HttpRequest,
    q: Annotated[str, Query(min_length=1, max_length=200, examples=["cotton t-shirt"])],
) -> list[HsCodeOut]:
    """Return the five codes of the Harmonized System (2022) that some words most likely mean: a proposal, no ruling."""
    who.require(_by(request), Task.ORDER)
    return [HsCodeOut(code=one.code, words=one.words, heading=one.heading) for one in suggest(q)]
