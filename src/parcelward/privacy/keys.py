"""The data keys: made before what they close, asked for each time, deleted for good.

No process remembers an unwrapped key. What a look costs is asking for the row, and the row must be asked for anyway, or
a key that was deleted would go on opening (measured: unwrapping is about a hundredth of a look; ADR 16).
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Collection, Sequence
from typing import NamedTuple
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from parcelward.base import db
from parcelward.privacy import cipher, keepers

FIRST_VERSION = 1


class DataKey(NamedTuple):
    """One person's key, unwrapped."""

    version: int
    key: bytes


def make(persons: Sequence[UUID], *, expires_at: dt.datetime | None = None) -> dict[UUID, DataKey]:
    """Make the keys of new people, durable in their own database; one that is then not used closes nothing."""
    keeper = keepers.keeper()
    kek_version = max(keeper.versions())
    made = {person: DataKey(FIRST_VERSION, secrets.token_bytes(cipher.KEY_BYTES)) for person in persons}
    wrapped = [
        keeper.wrap(each.key, cipher.person_context(person, each.version), kek_version) for person, each in made.items()
    ]
    with db.cursor("keys") as cur, transaction.atomic(using="keys"):
        cur.execute(
            "WITH made AS (INSERT INTO privacy_personkey (person, version, kek_version, wrapped, made_at, expires_at) "  # noqa: S608 -- DURABILITY is our own
            "SELECT p, %s::int2, %s::int, w, %s::timestamptz, %s::timestamptz "
            "FROM unnest(%s::uuid[], %s::bytea[]) AS u(p, w)) "
            f"SELECT {db.DURABILITY}",
            (
                *(FIRST_VERSION, kek_version, timezone.now(), expires_at),
                *(db.uuid_array([person.bytes for person in made]), db.bytea_array(wrapped)),
            ),
        )
        db.require_durable_commit(*cur.fetchall()[0])
    return made


def held(persons: Collection[UUID]) -> dict[UUID, DataKey]:
    """Return the keys of those people who have one still."""
    if not persons:
        return {}
    with db.cursor("keys") as cur:
        cur.execute(
            "SELECT DISTINCT ON (person) person, version, kek_version, wrapped FROM privacy_personkey "
            "WHERE person = ANY(%s::uuid[]) ORDER BY person, version DESC",
            (db.uuid_array([person.bytes for person in persons]),),
        )
        rows = cur.fetchall()
    keeper = keepers.keeper()
    return {
        person: DataKey(version, keeper.unwrap(bytes(wrapped), cipher.person_context(person, version), kek_version))
        for person, version, kek_version, wrapped in rows
    }


def keep_without_end(person: UUID) -> None:
    """Let a key expire no more."""
    with db.cursor("keys") as cur:
        cur.execute("UPDATE privacy_personkey SET expires_at = NULL WHERE person = %s", (person,))


def delete(persons: Sequence[UUID]) -> int:
    """Delete the keys of these people for good; return how many there were."""
    with db.cursor("keys") as cur:
        cur.execute(
            "DELETE FROM privacy_personkey WHERE person = ANY(%s::uuid[])",
            (db.uuid_array([person.bytes for person in persons]),),
        )
        return cur.rowcount
