"""Links to labels: whoever holds one gets the file, as EasyPost's own are fetched without a key.

A link says which order of which owner, is signed, and holds for LINK_FOR_S. What a label shows in clear is the sender's
own address, and of the addressee initials and an area.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from parcelward.base import config
from parcelward.base.errors import NotFound, ParcelwardError
from parcelward.doors import throttle
from parcelward.doors.api.orders import drawn
from parcelward.doors.easypost import errors
from parcelward.payments.queries import owner_of
from parcelward.people.wire import Person
from parcelward.shipping import actions

LINK_FOR_S: Final = 1_800
LOOKS_PER_MINUTE: Final = 120
FORMS: Final = ("png", "pdf", "zpl")
_SALT: Final = "easypost.label"


def link(order_id: UUID, form: str, *, by: Person) -> str:
    """Return where the label of a bought shipment is fetched, for half an hour."""
    token = signing.dumps([order_id.hex, owner_of(by).hex], salt=_SALT)
    return f"{config.get().public_url}/easypost/v2/labels/{token}.{form}"


@csrf_exempt  # nothing but the link says who asks
def fetch(request: HttpRequest, token: str, form: str) -> HttpResponse:
    """Give a label to whoever holds its link."""
    try:
        if request.method not in {"GET", "HEAD"}:
            raise errors.NoSuchMethod("This address has GET")
        throttle.allow(request, "look", LOOKS_PER_MINUTE)
        try:
            order, owner = signing.loads(token, salt=_SALT, max_age=LINK_FOR_S)
        except signing.BadSignature:
            raise NotFound("This link to a label is over: retrieve the shipment for a new one") from None
        if form not in FORMS:
            raise NotFound("Labels are png, pdf or zpl")
        return drawn(actions.label_of_owner(UUID(order), UUID(owner)), form, "4x6")
    except ParcelwardError as err:
        answer = errors.response(request, err)
        if isinstance(err, errors.NoSuchMethod):
            answer["Allow"] = "GET, HEAD"
        return answer
