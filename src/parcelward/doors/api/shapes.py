"""What every address of the API shares: who asks, what a refusal looks like, and one effect for one key."""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from ninja import Field, Schema
from ninja.security import HttpBearer
from pydantic import BaseModel, ConfigDict

from parcelward.base import config
from parcelward.doors import throttle
from parcelward.people import actions as people
from parcelward.people.wire import Person

Text80 = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+$")]


class ProblemSchema(Schema):
    """RFC 9457 problem document."""

    type: str
    title: str
    status: int
    code: str
    detail: str = ""
    request_id: str = ""
    errors: list[dict[str, Any]] = Field(default_factory=list)


class Bearer(HttpBearer):
    """An API key as a bearer token; a session at the desk opens nothing here."""

    def authenticate(self, request: HttpRequest, token: str) -> Person:
        """Return who holds the key."""
        return throttle.key_holder(token, throttle.client_address(request))


_REFUSALS = frozenset({400, 401, 403, 404, 405, 409, 412, 413, 415, 422, 429, 503})
PROBLEMS: dict[frozenset[int], Any] = {_REFUSALS: ProblemSchema}


class Strict(BaseModel):
    """What a caller sends: a field that we do not know is refused, not passed over."""

    model_config = ConfigDict(extra="forbid")


def once(request: HttpRequest, status: int, work: Callable[[], Schema], *, shown_once: str = "") -> HttpResponse:
    """Answer with what `work` returns. Its Idempotency-Key is required: done once, answered the same for 30 days.

    The field `shown_once` holds a secret: it is in the first answer alone, and null in what is kept.
    """
    kept = None if not shown_once else functools.partial(_without, field=shown_once)
    status, answer = _kept(request, lambda: (status, work().model_dump_json().encode()), kept=kept)
    given = HttpResponse(answer, content_type="application/json; charset=utf-8", status=status)
    if shown_once:
        given["Cache-Control"] = "no-store"
    return given


def once_id(request: HttpRequest, work: Callable[[], UUID]) -> UUID:
    """Return the id that `work` returns: done once under the request's Idempotency-Key, the same id for 30 days.

    For what goes on after the answer: the caller says how it stands now, so the same request is also how to resume.
    """
    return UUID(bytes=_kept(request, lambda: (200, work().bytes))[1])


def once_key(request: HttpRequest) -> tuple[str, bytes, list[bytes]]:
    """Return a request's Idempotency-Key, what stands for the request, and what stood for it before."""
    asked = f"{request.method} {request.path}\n".encode() + request.body
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]  # an answer outlives the secret it was kept under
    digest, *before = [hmac.digest(each.encode(), asked, hashlib.sha256) for each in secrets]
    return request.headers.get("Idempotency-Key", ""), digest, before


def _kept(
    request: HttpRequest, done: Callable[[], tuple[int, bytes]], *, kept: Callable[[bytes], bytes] | None = None
) -> tuple[int, bytes]:
    key, digest, before = once_key(request)
    by: Person = request.auth  # type: ignore[attr-defined]  # set by ninja
    return people.once(key, digest, done, by=by, now=dt.datetime.now(dt.UTC), before=before, kept=kept)


def _without(answer: bytes, *, field: str) -> bytes:
    return json.dumps(json.loads(answer) | {field: None}, separators=(",", ":")).encode()


def id_in(prefix: str, text: str) -> UUID | None:
    """Return the UUID in an id such as `key_0123...`, or in one that was sent without its prefix; None for neither."""
    try:
        return UUID(text.removeprefix(prefix))
    except ValueError:
        return None


def next_page(path: str, limit: int, cursor: str, **chosen: str) -> str:
    """Return the Link that leads on behind the object `cursor`, of what was `chosen`."""
    return f'<{config.get().public_url}{path}?{urlencode({**chosen, "limit": limit, "cursor": cursor})}>; rel="next"'
