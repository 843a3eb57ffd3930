"""What every address below `/easypost/v2` shares: who asks, how a body is read, pages of lists, and ids like theirs."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from parcelward.base import config
from parcelward.base.errors import NotFound, NotKnown, ParcelwardError, TooLarge
from parcelward.doors import throttle
from parcelward.doors.easypost import errors
from parcelward.doors.easypost.errors import BadRequest, NoSuchMethod
from parcelward.people.wire import Person
from parcelward.shipping.wire import Whence

BODY_BYTES_MAX: Final = 200_000
PAGE_SIZE: Final = 20
PAGE_SIZE_MAX: Final = 100
Call = Callable[..., Any]


class Sent(dict[str, Any]):
    """What was sent, and where it comes from."""

    whence: Whence = Whence()


def address(**methods: Call) -> Callable[..., HttpResponse]:
    """Return the view of one address. Each method's call gets who asks, what was sent, and the address's parts.

    It returns what is answered as JSON, or (status, value), or a whole answer.
    """
    allowed = ", ".join(methods)

    @csrf_exempt  # a key is asked for, never a cookie
    def view(request: HttpRequest, **parts: str) -> HttpResponse:
        try:
            by = caller(request)
            call = methods.get(request.method or "")
            if call is None:
                raise NoSuchMethod(f"This address has {allowed}")
            sent = Sent(sent_of(request))
            sent.whence = Whence(network=throttle.client_address(request))
            answer = as_json(call(by, sent, **parts))
        except ParcelwardError as err:
            answer = errors.response(request, err)
        if answer.status_code == 405:  # noqa: PLR2004 -- the HTTP status is the name
            answer["Allow"] = allowed
        answer.headers.setdefault("Cache-Control", "no-store")
        return answer

    return view


def as_json(said: Any) -> HttpResponse:
    """Return an answer."""
    if isinstance(said, HttpResponse):
        return said
    status, value = said if isinstance(said, tuple) else (200, said)
    if status == 204:  # noqa: PLR2004 -- the HTTP status is the name
        return HttpResponse(status=204)
    return HttpResponse(json.dumps(value, ensure_ascii=False), content_type="application/json", status=status)


def caller(request: HttpRequest) -> Person:
    """Return who holds the key: sent as a bearer token or, as their older clients do, as the user name of HTTP Basic.

    Raises NotKnown, and what `throttle.key_holder` raises.
    """
    scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
    token = rest.strip()
    if scheme.lower() == "basic":
        try:
            token = base64.b64decode(token, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            token = ""
    if scheme.lower() not in {"basic", "bearer"} or not token:
        raise NotKnown("Send your API key as a bearer token, or as the user name of HTTP Basic")
    holder = throttle.key_holder(token, throttle.client_address(request))
    request.auth = holder  # type: ignore[attr-defined]  # as the framework of the other calls keeps it; read by refusals
    return holder


def sent_of(request: HttpRequest) -> Mapping[str, Any]:
    """Return what was sent: the body's object, or the query of what has no body. Numbers keep their digits."""
    if request.method in {"GET", "HEAD", "DELETE"}:
        return request.GET.dict()
    if len(request.body) > BODY_BYTES_MAX:
        raise TooLarge(f"A body has at most {BODY_BYTES_MAX} bytes")
    if not request.body:
        return {}
    try:
        found = json.loads(request.body, parse_float=Decimal, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise BadRequest("Send one JSON object") from None
    if not isinstance(found, dict):
        raise BadRequest("Send one JSON object")
    return found


def _no_constant(_name: str) -> None:
    raise ValueError("NaN and Infinity are no JSON")


def id_of(prefix: str, text: object) -> UUID:
    """Return the UUID in an id such as `adr_0123...`. Raises NotFound for what is none."""
    try:
        if isinstance(text, str) and text.startswith(f"{prefix}_"):
            return UUID(hex=text.removeprefix(f"{prefix}_"))
    except ValueError:
        pass
    raise NotFound("The requested resource could not be found")


def page_of(sent: Mapping[str, Any], prefix: str) -> tuple[int, UUID | None]:
    """Return how many of a list are asked for, and the one that the page follows."""
    text = str(sent.get("page_size", PAGE_SIZE))
    size = int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else 0  # noqa: PLR2004 -- digits of the limit
    if not 1 <= size <= PAGE_SIZE_MAX:
        raise BadRequest(f"page_size is from 1 to {PAGE_SIZE_MAX}")
    before = sent.get("before_id")
    return size, id_of(prefix, before) if before else None


def base(prefix: str, name: str, uuid: UUID, made_at: dt.datetime, changed_at: dt.datetime) -> dict[str, Any]:
    """Return what every object of theirs has."""
    return {
        "id": f"{prefix}_{uuid.hex}",
        "object": name,
        "mode": config.get().mode,
        "created_at": time_text(made_at),
        "updated_at": time_text(changed_at),
    }


def time_text(at: dt.datetime) -> str:
    """Return a moment as they write it: 2026-11-27T18:50:00Z."""
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
