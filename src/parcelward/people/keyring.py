"""Who holds an API key: one statement in every request, so that what ended opens nothing from the next one on."""

from __future__ import annotations

import functools
import time
from typing import Final
from uuid import UUID

from django.db import connections

from parcelward.base import db
from parcelward.people import roles, seen, tokens
from parcelward.people.errors import BadSignature
from parcelward.people.models import ApiKey
from parcelward.people.wire import Person, Role, Task

# As text and numbers: `_person` makes the rest of them, once for each row that was ever read.
_HOLDER: Final = (
    "SELECT k.id::text, k.role, array_to_string(k.scopes, ' '), k.source_id, k.organisation_id::text, s.name, "
    "s.simulated FROM people_apikey k JOIN people_source s ON s.number = k.source_id "
    "LEFT JOIN people_organisation o ON o.id = k.organisation_id "
    "WHERE (k.digest = %(digest)s OR (k.previous_digest = %(digest)s AND k.previous_ends_at > to_timestamp(%(now)s))) "
    "AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > to_timestamp(%(now)s)) "
    "AND o.suspended_at IS NULL"
)


def key_holder(token: str) -> Person:
    """Return who holds an API key, and remember when.

    Raises BadSignature; unknown, revoked, expired and suspended look alike. Every call reads the row: each of these
    takes effect with the next request.
    """
    row = None
    if not tokens.mistyped(token):
        connections["default"].close_if_health_check_failed()  # whoever asks first in a request finds out
        now = time.time()
        with db.cursor() as cur:
            cur.execute(_HOLDER, {"digest": tokens.digest(token), "now": now}, prepare=True)
            row = cur.fetchone()
    if row is None:
        raise BadSignature("This API key is not valid", code="bad_api_key")
    holder = _person(*row)
    seen.note(holder.source, now)
    return holder


@functools.lru_cache(maxsize=4096)
def _person(
    key: str, role: str, scopes: str | None, source: int, organisation: str | None, name: str, simulated: bool
) -> Person:
    """Return whom a row stands for. It is remembered by all that the row says: another row is another person."""
    tenant = None if organisation is None else UUID(organisation)
    limited = None if scopes is None else roles.scopes_of(scopes.split())
    return Person(UUID(key), Role(role), source, name, simulated, tenant, limited)


def key_scopes(source: int) -> frozenset[Task] | None:
    """Return the tasks that the key with this source is limited to; None where it is not, and for who is no key."""
    scopes = ApiKey.objects.filter(source=source).values_list("scopes", flat=True).first()
    return None if scopes is None else roles.scopes_of(scopes)


def key_is_valid(token: str) -> bool:
    """Return whether an API key opens anything."""
    try:
        key_holder(token)
    except BadSignature:
        return False
    return True
