"""What strangers sent and we could not use yet: sealed like a person's data, each with a key of its own.

A body is bound to its table, its column and its key, so it opens at no other place. Its key lies wrapped in the keys
database and is deleted when the body is: whoever has a backup of the main database from before has nothing that opens.
"""

from __future__ import annotations

import datetime as dt
import secrets
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final
from uuid import UUID

from django.db import transaction

from parcelward.base import db
from parcelward.privacy import cipher, keepers
from parcelward.privacy.cipher import Place
from parcelward.privacy.errors import BodyGone
from parcelward.privacy.wire import BodyColumn, SealedBody

AT_ONCE: Final = 2_000
_VERSION: Final = 1  # a body is never sealed anew under the same key
_START: Final = UUID(int=0)


class Opener:
    """Opens some bodies of one column, with keys that were just asked for. Not to be kept."""

    def __init__(self, where: BodyColumn, held: Mapping[UUID, bytes]) -> None:
        self._where, self._held = where, held

    def open(self, key: UUID | None, stored: bytes) -> bytes:
        """Return a body; one without a key is from before bodies were sealed, and is as it was sent.

        Raises BodyGone where its key was deleted, NotAuthentic where it was changed or moved.
        """
        if key is None:
            return stored
        if key not in self._held:
            raise BodyGone("What was sent is forgotten: nothing opens it any more")
        return cipher.unseal_bytes(self._held[key], stored, _place(self._where, key))


def seal(where: BodyColumn, contents: Sequence[bytes], *, now: dt.datetime) -> list[SealedBody]:
    """Seal bodies, each with a new key: one statement in the keys database whatever their number, durable first.

    A key whose body is then not stored opens nothing, and `sweep` deletes it.
    """
    if not contents:
        return []
    keeper = keepers.keeper()
    kek_version = max(keeper.versions())
    names = sorted(uuid.uuid4() for _ in contents)
    keys = [secrets.token_bytes(cipher.KEY_BYTES) for _ in contents]
    wrapped = [keeper.wrap(key, cipher.body_context(name), kek_version) for name, key in zip(names, keys, strict=True)]
    with transaction.atomic(using="keys"), db.cursor("keys") as cur:
        cur.execute(
            "WITH made AS (INSERT INTO privacy_bodykey (body, kek_version, wrapped, made_at) "  # noqa: S608 -- DURABILITY is our own
            "SELECT b, %s::int, w, %s::timestamptz FROM unnest(%s::uuid[], %s::bytea[]) AS u(b, w)) "
            f"SELECT {db.DURABILITY}",
            (kek_version, now, db.uuid_array([name.bytes for name in names]), db.bytea_array(wrapped)),
        )
        db.require_durable_commit(*cur.fetchall()[0])
    return [
        SealedBody(name, cipher.seal_bytes(key, content, _place(where, name)))
        for name, key, content in zip(names, keys, contents, strict=True)
    ]


def opener(where: BodyColumn, keys: Iterable[UUID | None]) -> Opener:
    """Return what opens bodies with these keys, asked for with one statement; with none where no body is sealed."""
    wanted = sorted({key for key in keys if key is not None})
    if not wanted:
        return Opener(where, {})
    with db.cursor("keys") as cur:
        cur.execute(
            "SELECT body, kek_version, wrapped FROM privacy_bodykey WHERE body = ANY(%s::uuid[])",
            (db.uuid_array([key.bytes for key in wanted]),),
        )
        found = cur.fetchall()
    keeper = keepers.keeper()
    return Opener(
        where,
        {body: keeper.unwrap(bytes(wrapped), cipher.body_context(body), version) for body, version, wrapped in found},
    )


def forget(keys: Iterable[UUID | None]) -> int:
    """Delete the keys of bodies that were removed, for good; return how many there were.

    After the commit that removed them: `transaction.on_commit`. What a crash leaves in between, `sweep` deletes.
    """
    named = sorted({key for key in keys if key is not None})
    if not named:
        return 0
    with db.cursor("keys") as cur:
        cur.execute(
            "DELETE FROM privacy_bodykey WHERE body = ANY(%s::uuid[])", (db.uuid_array([key.bytes for key in named]),)
        )
        return cur.rowcount


def sweep(in_use: Callable[[Collection[UUID]], Collection[UUID]], *, made_before: dt.datetime) -> int:
    """Delete every key, made before a moment, that no stored body names; return how many there were.

    Such a key is left by a crash, by a request that lost its race, or by a keys database restored from a backup. Reads
    every key, so it is not for each round of housekeeping.
    """
    deleted, after = 0, _START
    while True:
        with db.cursor("keys") as cur:
            cur.execute(
                "SELECT body FROM privacy_bodykey WHERE body > %s AND made_at < %s ORDER BY body LIMIT %s",
                (after, made_before, AT_ONCE),
            )
            found = [row[0] for row in cur.fetchall()]
        if not found:
            return deleted
        after = found[-1]
        deleted += forget(set(found) - set(in_use(found)))


def _place(where: BodyColumn, body: UUID) -> Place:
    return Place(where.table, where.column, body, _VERSION)


def status() -> Mapping[int, int]:
    """Return how many keys of bodies each version of the key-encryption key wraps."""
    with db.cursor("keys") as cur:
        cur.execute("SELECT kek_version, count(*) FROM privacy_bodykey GROUP BY kek_version")
        return dict(cur.fetchall())


def rewrap(newest: int) -> int:
    """Wrap every key that another version wraps with the newest; return how many there were. Safe to be killed."""
    done, after = 0, _START
    while True:
        with db.cursor("keys") as cur:
            cur.execute(
                "SELECT body, kek_version, wrapped FROM privacy_bodykey "
                "WHERE body > %s AND kek_version <> %s ORDER BY body LIMIT %s",
                (after, newest, AT_ONCE),
            )
            found = cur.fetchall()
        if not found:
            return done
        done, after = done + _rewrap(found, newest), found[-1][0]


def _rewrap(found: Sequence[tuple[UUID, int, bytes]], newest: int) -> int:
    keeper = keepers.keeper()
    fresh = []
    for body, old, wrapped in found:
        whose = cipher.body_context(body)
        fresh.append(keeper.wrap(keeper.unwrap(bytes(wrapped), whose, old), whose, newest))
    # In the order of the key, as everybody locks them. What was deleted meanwhile stays deleted.
    with transaction.atomic(using="keys"), db.cursor("keys") as cur:
        cur.execute(
            "UPDATE privacy_bodykey k SET wrapped = u.wrapped, kek_version = %s "
            "FROM unnest(%s::uuid[], %s::int[], %s::bytea[]) AS u(body, old, wrapped) "
            "WHERE k.body = u.body AND k.kek_version = u.old",
            (
                newest,
                db.uuid_array([row[0].bytes for row in found]),
                db.int_array([row[1] for row in found]),
                db.bytea_array(fresh),
            ),
        )
        return cur.rowcount
