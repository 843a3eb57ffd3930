"""Compare the masked contacts with the log's entries: part of `verify-log`.

Whoever can turn a row sends one person's words to a stranger, or keeps a contact open that somebody closed.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from parcelward.base import db
from parcelward.custody.queries import Findings, told
from parcelward.privacy import facts
from parcelward.privacy.actions.contact import local_hash


@dataclass(frozen=True, slots=True)
class _Said:
    """A contact as table or entries have it."""

    item: UUID
    tenant: UUID
    opened_by: int
    opened_at: dt.datetime
    until: dt.datetime
    persons: tuple[UUID, UUID]
    ends: frozenset[tuple[UUID, str]]  # who is reached, and the hash of where
    closed: tuple[int | None, dt.datetime | None] = (None, None)


def check_contacts(findings: Findings) -> None:
    """Note the contacts that are not what the log's entries say."""
    said: dict[UUID, _Said] = {}
    where: dict[UUID, int | None] = {}
    for kind, body, place in told(facts.CONTACT_OPENED, facts.CONTACT_ENDS, facts.CONTACT_CLOSED):
        ref = UUID(body["contact"])
        where[ref] = place
        if kind == facts.CONTACT_OPENED:
            said[ref] = _opened(body)
        elif ref in said and kind == facts.CONTACT_ENDS:
            said[ref] = replace(said[ref], until=_time(body["until"]))
        elif ref in said:
            said[ref] = replace(said[ref], closed=(body["by"], _time(body["closed_at"])))
    stored = _stored()
    for ref in sorted(said.keys() | stored.keys()):
        if said.get(ref) != stored.get(ref):
            findings.note(
                f"The masked contact {ref} is not what the log's entries say.", differs="contact", index=where.get(ref)
            )


def _opened(body: dict[str, Any]) -> _Said:
    first, second = (UUID(person) for person in body["persons"])
    return _Said(
        item=UUID(body["item"]),
        tenant=UUID(body["tenant"]),
        opened_by=body["by"],
        opened_at=_time(body["opened_at"]),
        until=_time(body["until"]),
        persons=(first, second),
        ends=frozenset(zip((first, second), body["locals"], strict=True)),
    )


def _stored() -> dict[UUID, _Said]:
    with db.cursor() as cur:
        cur.execute("SELECT contact, person, local FROM privacy_contact_end")
        ends: dict[UUID, set[tuple[UUID, str]]] = {}
        for ref, person, local in cur.fetchall():
            ends.setdefault(ref, set()).add((person, local_hash(local)))
        cur.execute(
            "SELECT ref, item, tenant, opened_by, opened_at, until, first, second, closed_by, closed_at "
            "FROM privacy_contact"
        )
        found = {
            ref: _Said(item, tenant, by, at, until, (first, second), frozenset(ends.pop(ref, ())), (closed_by, closed))
            for ref, item, tenant, by, at, until, first, second, closed_by, closed in cur.fetchall()
        }
    nobody = UUID(int=0)
    never = dt.datetime.min.replace(tzinfo=dt.UTC)
    left = {
        ref: _Said(nobody, nobody, 0, never, never, (nobody, nobody), frozenset(some)) for ref, some in ends.items()
    }
    return found | left


def _time(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)
