"""The address book over HTTP: entries are kept in the vault, and shown masked."""

from __future__ import annotations

import uuid
from typing import Annotated, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Field, Query, Router, Schema

from parcelward.base import config
from parcelward.base.errors import NotFound
from parcelward.doors.api.order_shapes import PartyIn
from parcelward.doors.api.shapes import PROBLEMS, Bearer, id_in, next_page, once_id
from parcelward.people.wire import Person
from parcelward.privacy.wire import Field as Kept
from parcelward.shipping import actions, queries
from parcelward.shipping.wire import AddressSeen

ADDRESS_PREFIX = "adr_"
PAGE_MAX = 100

router = Router()


def _by(request: HttpRequest) -> Person:
    return request.auth  # type: ignore[attr-defined, no-any-return]  # set by ninja


def _id_of(text: str) -> UUID:
    found = id_in(ADDRESS_PREFIX, text)
    if found is None:
        raise NotFound("No such address")
    return found


class AddressEntryIn(PartyIn):
    """An address to keep."""

    own: bool = Field(False, description="parcels are sent from there")


class AddressEntryOut(Schema):
    """An entry, masked: enough to choose it. What is kept of it is used, and not given out."""

    object: Literal["address"] = "address"
    id: str
    mode: str
    created_at: str
    own: bool
    name: str
    email: str
    phone: str
    postcode: str
    locality: str
    country: str


def _shown(one: AddressSeen) -> AddressEntryOut:
    return AddressEntryOut(
        id=f"{ADDRESS_PREFIX}{one.id.hex}",
        mode=config.get().mode,
        created_at=one.made_at.isoformat(),
        own=one.own,
        name=one.masked.get(Kept.NAME, ""),
        email=one.masked.get(Kept.EMAIL, ""),
        phone=one.masked.get(Kept.PHONE, ""),
        postcode=one.masked.get(Kept.POSTCODE, ""),
        locality=one.masked.get(Kept.LOCALITY, ""),
        country=one.masked.get(Kept.COUNTRY, ""),
    )


def _answer(entry_id: UUID, *, by: Person, status: int = 200) -> HttpResponse:
    body = _shown(queries.address(entry_id, by=by)).model_dump_json().encode()
    answer = HttpResponse(body, content_type="application/json; charset=utf-8", status=status)
    answer["Cache-Control"] = "no-store"
    return answer


@router.post("/addressbook", auth=Bearer(), response={201: AddressEntryOut, **PROBLEMS}, summary="Keep an address")
def add(request: HttpRequest, body: AddressEntryIn) -> HttpResponse:
    """Keep an address to send to, or from, again."""
    by = _by(request)
    found = once_id(request, lambda: actions.add_address(uuid.uuid4(), body.value(), own=body.own, by=by))
    return _answer(found, by=by, status=201)


@router.get(
    "/addressbook", auth=Bearer(), response={200: list[AddressEntryOut], **PROBLEMS}, summary="Your address book"
)
def entries(
    request: HttpRequest,
    response: HttpResponse,
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 20,
    cursor: Annotated[str, Query(max_length=100)] = "",
) -> list[AddressEntryOut]:
    """Return entries, the newest first; where there is more, Link says where (rel="next")."""
    found = queries.addresses(by=_by(request), limit=limit + 1, after=_id_of(cursor) if cursor else None)
    if len(found) > limit:
        response["Link"] = next_page("/api/v1/addressbook", limit, f"{ADDRESS_PREFIX}{found[limit - 1].id.hex}")
    return [_shown(one) for one in found[:limit]]


class FindAddressIn(Schema):
    """What to look for: in a body, for addresses stand in logs."""

    by: Literal["name", "email", "phone"]
    value: str = Field(min_length=1, max_length=200)


@router.post(
    "/addressbook/find", auth=Bearer(), response={200: list[AddressEntryOut], **PROBLEMS}, summary="Find an address"
)
def find(request: HttpRequest, body: FindAddressIn) -> list[AddressEntryOut]:
    """Return entries with this name, e-mail or telephone number. Who looks for whom is kept for that person to see."""
    return [_shown(one) for one in queries.find_addresses(Kept(body.by), body.value, by=_by(request))]


@router.get("/addressbook/{entry}", auth=Bearer(), response={200: AddressEntryOut, **PROBLEMS}, summary="One address")
def entry(request: HttpRequest, entry: str) -> HttpResponse:
    """Return an entry, masked."""
    return _answer(_id_of(entry), by=_by(request))


@router.put("/addressbook/{entry}", auth=Bearer(), response={200: AddressEntryOut, **PROBLEMS}, summary="Write it anew")
def change(request: HttpRequest, entry: str, body: PartyIn) -> HttpResponse:
    """Write an entry anew, whole. What was ordered to the old address stays as it was."""
    found, by = _id_of(entry), _by(request)
    actions.change_address(found, body.value(), by=by)
    return _answer(found, by=by)


@router.delete("/addressbook/{entry}", auth=Bearer(), response={204: None, **PROBLEMS}, summary="Take it out")
def remove(request: HttpRequest, entry: str) -> tuple[int, None]:
    """Take an entry out of the book, and what is kept of it out of the vault."""
    actions.remove_address(_id_of(entry), by=_by(request))
    return 204, None
