"""Orders over HTTP: buy, look, give up, print. One call does all of it, or says what is missing."""

from __future__ import annotations

import uuid
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from parcelward.base.errors import NotFound
from parcelward.doors import throttle
from parcelward.doors.api.openapi import LABEL_KINDS
from parcelward.doors.api.order_shapes import ORDER_PREFIX, OrderIn, OrderOut, shown
from parcelward.doors.api.shapes import PROBLEMS, Bearer, id_in, next_page, once_key
from parcelward.people.wire import Person
from parcelward.shipping import actions, queries
from parcelward.shipping.labels import layout, pdf, png, zpl
from parcelward.shipping.labels.wire import LabelFacts
from parcelward.shipping.wire import OrderSeen, Whence

PAGE_MAX = 100
PAPERS = {"a6": layout.A6, "4x6": layout.INCH_4X6, "a4": layout.A4_OF_4}

router = Router()


def _by(request: HttpRequest) -> Person:
    return request.auth  # type: ignore[attr-defined, no-any-return]  # set by ninja


def order_id_of(text: str) -> UUID:
    """Return an order's id. Raises NotFound for a text that is none."""
    found = id_in(ORDER_PREFIX, text)
    if found is None:
        raise NotFound("No such order")
    return found


def _answer(order: OrderSeen, status: int) -> HttpResponse:
    body = shown(order).model_dump_json().encode()
    answer = HttpResponse(body, content_type="application/json; charset=utf-8", status=status)
    answer["Cache-Control"] = "no-store"
    return answer


@router.post("/orders", auth=Bearer(), response={201: OrderOut, **PROBLEMS}, summary="Buy deliveries")
def buy(request: HttpRequest, body: OrderIn) -> HttpResponse:
    """Check, price, screen, decide, take the payment, make the items and their labels, in one call.

    Sent again with its Idempotency-Key, it is the same order as it stands then: that is how a payment by card that
    waited for its payer goes on. Everything that is wrong is said at once; then nothing was bought.
    """
    whence = Whence(network=throttle.client_address(request))
    asked = actions.Asked(uuid.uuid4(), body.value(), _by(request), whence)
    return _answer(actions.buy_once(asked, *once_key(request)), 201)


@router.get("/orders", auth=Bearer(), response={200: list[OrderOut], **PROBLEMS}, summary="Your orders")
def orders(
    request: HttpRequest,
    response: HttpResponse,
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 20,
    cursor: Annotated[str, Query(max_length=100)] = "",
) -> list[OrderOut]:
    """Return the orders of your organisation, newest first; where there is more, Link says where (rel="next")."""
    found = queries.orders(by=_by(request), limit=limit + 1, after=order_id_of(cursor) if cursor else None)
    if len(found) > limit:
        response["Link"] = next_page("/api/v1/orders", limit, f"{ORDER_PREFIX}{found[limit - 1].id.hex}")
    return [shown(one) for one in found[:limit]]


@router.get("/orders/{order_id}", auth=Bearer(), response={200: OrderOut, **PROBLEMS}, summary="One order")
def order(request: HttpRequest, order_id: str) -> HttpResponse:
    """Return an order as it stands now; somebody else's looks like none."""
    return _answer(queries.order(order_id_of(order_id), by=_by(request)), 200)


@router.post(
    "/orders/{order_id}/give-up", auth=Bearer(), response={200: OrderOut, **PROBLEMS}, summary="Close an unpaid order"
)
def give_up(request: HttpRequest, order_id: str) -> HttpResponse:
    """Close an order that was not paid. One that is paid meanwhile stays bought. Doing it twice changes nothing."""
    found, by = order_id_of(order_id), _by(request)
    actions.give_up(found, by=by)
    return _answer(queries.order(found, by=by), 200)


@router.post(
    "/orders/{order_id}/cancel", auth=Bearer(), response={200: OrderOut, **PROBLEMS}, summary="Cancel a bought order"
)
def cancel(request: HttpRequest, order_id: str) -> HttpResponse:
    """Cancel what nobody has handed in yet: its labels are void, and all of the money goes back. Once is enough."""
    found, by = order_id_of(order_id), _by(request)
    actions.cancel(found, by=by)
    return _answer(queries.order(found, by=by), 200)


@router.post(
    "/orders/{order_id}/appeal", auth=Bearer(), response={200: OrderOut, **PROBLEMS}, summary="Have a person look"
)
def appeal(request: HttpRequest, order_id: str) -> HttpResponse:
    """Ask that a person looks at an order that was refused. Once is enough."""
    found, by = order_id_of(order_id), _by(request)
    actions.appeal(found, by=by)
    return _answer(queries.order(found, by=by), 200)


_LABEL: dict[Any, Any] = {200: None, **PROBLEMS}


@router.get("/orders/{order_id}/labels/{place}", auth=Bearer(), response=_LABEL, summary="A parcel's label")
def label(
    request: HttpRequest,
    order_id: str,
    place: int,
    form: Annotated[Literal["pdf", "zpl", "png"], Query()] = "pdf",
    paper: Annotated[Literal["a6", "4x6", "a4"], Query()] = "4x6",
) -> HttpResponse:
    """Return the label of one parcel of a bought order, for half an hour from the first time; then print it anew."""
    (facts,) = actions.labels(order_id_of(order_id), [place], by=_by(request))
    return drawn(facts, form, paper)


@router.post("/orders/{order_id}/labels/{place}", auth=Bearer(), response=_LABEL, summary="Print a label anew")
def reprint(
    request: HttpRequest,
    order_id: str,
    place: int,
    form: Annotated[Literal["pdf", "zpl", "png"], Query()] = "pdf",
    paper: Annotated[Literal["a6", "4x6", "a4"], Query()] = "4x6",
) -> HttpResponse:
    """Issue the label anew, at most three times and until the parcel is handed in; the one before is void."""
    return drawn(actions.print_anew(order_id_of(order_id), place, by=_by(request)), form, paper)


def drawn(facts: LabelFacts, form: str, paper: str) -> HttpResponse:
    """Return a label as a file."""
    if form == "zpl":
        data = zpl.render(facts)
    else:
        data = png.render(facts) if form == "png" else pdf.render([facts], PAPERS[paper])
    answer = HttpResponse(data, content_type=LABEL_KINDS[form])
    answer["Content-Disposition"] = f'attachment; filename="{facts.number}.{form}"'
    answer["Cache-Control"] = "no-store"
    return answer
