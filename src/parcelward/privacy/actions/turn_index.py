"""Give the blind index a new secret: everybody's marks are made anew while people are put, changed, found and shredded.

From the moment that there is a new version, whatever is written is marked with it, and a look-up asks for the marks of
every version (`rows.candidates`). A walk opens some people at a time, with their rows locked against changes, and puts
new marks in the place of old ones in one transaction, so at each moment everybody has marks of one version that is
asked for. It shows nobody anything, so it leaves no trace of looks. What is left to do is what the table says: killed
at any moment, the next run goes on. Then the old secret is thrown away, and marks that somebody copied are noise.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple
from uuid import UUID

import psycopg
from django.db import transaction

from parcelward.base import db
from parcelward.base.errors import Busy, Conflict
from parcelward.base.vault import VaultToken
from parcelward.custody import actions as custody
from parcelward.people.queries import require
from parcelward.people.wire import Person, Task
from parcelward.privacy import facts, keepers, keys, normal, rows
from parcelward.privacy.errors import NotAuthentic
from parcelward.privacy.wire import Field

AT_ONCE: Final = 500  # people whose rows are locked at once: a change waits about a fifth of a second
WRITERS_WAIT_S: Final = 3  # how long writers may queue behind one try to see all of them pass
WRITERS_TRIES: Final = 20
_START: Final = UUID(int=0)

Tell = Callable[[int, int], None]
"""Told (how many people are done, of how many)."""


@dataclass(frozen=True, slots=True)
class Remade:
    """What a rotation of the index's secret did."""

    version: int
    resumed: bool  # it went on with an earlier one that did not end, or with marks that a restored backup brought
    people: int
    left: int  # people who do not open, and keep their old marks and the old secret

    @property
    def ended(self) -> bool:
        """Whether the old secret is gone."""
        return not self.left


class _Some(NamedTuple):
    last: UUID
    done: int
    shut: int


def index_status() -> Mapping[int, int]:
    """Return how many people are found by marks of each version of the secret, oldest first."""
    with db.cursor() as cur:
        cur.execute("SELECT version::int, count(DISTINCT person) FROM privacy_blind_index GROUP BY version")
        marked: dict[int, int] = dict(cur.fetchall())
    return {version: marked.get(version, 0) for version in sorted({*keepers.index_secrets(), *marked})}


def rotate_index(*, by: Person, now: dt.datetime, tell: Tell = lambda *_: None) -> Remade:
    """Make a new secret and mark everybody by it; or first end a rotation that was cut short. Drops the old one."""
    require(by, Task.TURN_KEYS)
    with _turn():
        newest = max(keepers.index_secrets())
        older = {version: people for version, people in index_status().items() if version != newest}
        resumed = bool(older)
        if not resumed:
            older = {newest: index_status()[newest]}
            newest = keepers.make_index_secret(now=now)
            custody.record_fact(facts.INDEX_MADE, {"by": by.source, "made_at": now.isoformat(), "version": newest})
        _see_writers_pass()
        done, left = remake(newest, total=sum(older.values()), tell=tell)
        custody.record_fact(facts.INDEX_REMADE, {"by": by.source, "left": left, "people": done, "version": newest})
        if not left:
            _drop(newest, by)
    return Remade(newest, resumed, done, left)


@contextlib.contextmanager
def _turn() -> Iterator[None]:
    """Let one rotation run at a time. A kill ends its turn by itself."""
    with db.cursor() as cur:
        cur.execute("SELECT pg_try_advisory_lock(hashtext('privacy.rotate_index'))")
        if not cur.fetchall()[0][0]:
            raise Conflict("Another rotation is under way", code="rotating")
        try:
            yield
        finally:
            cur.execute("SELECT pg_advisory_unlock(hashtext('privacy.rotate_index'))")


def _see_writers_pass() -> None:
    """Wait until nobody is left who may be writing a mark by an older secret: from then on all know the new one."""
    for _ in range(WRITERS_TRIES):
        try:
            with transaction.atomic(), db.cursor() as cur:
                cur.execute(f"SET LOCAL lock_timeout = '{WRITERS_WAIT_S}s'")
                cur.execute("SELECT pg_advisory_xact_lock(%s)", (rows.MARKING,))
                return
        except psycopg.errors.LockNotAvailable:
            continue
    raise Busy("Somebody has been writing people for long: run it again, it goes on", retry_after_s=60)


def remake(newest: int, *, total: int = 0, tell: Tell = lambda *_: None) -> tuple[int, int]:
    """Put marks by the newest secret in the place of all others; return of how many people, and how many stay shut."""
    done = shut = 0
    after = _START
    while (some := _remake_some(newest, after)) is not None:
        after, done, shut = some.last, done + some.done, shut + some.shut
        tell(done, total)
    return done, shut


@transaction.atomic
def _remake_some(newest: int, after: UUID) -> _Some | None:
    with db.cursor() as cur:
        cur.execute(
            "SELECT DISTINCT person FROM privacy_blind_index WHERE version <> %s AND person > %s "
            "ORDER BY person LIMIT %s",
            (newest, after, AT_ONCE),
        )
        found = [VaultToken(person) for (person,) in cur.fetchall()]
    if not found:
        return None
    # A change or a shredding comes before or after, never between what is opened here and its marks.
    here = rows.read(found, tuple(normal.FINDABLE), lock="FOR SHARE")
    held = keys.held(here.keys())
    opened: dict[VaultToken, Mapping[Field, str]] = {}
    for token in here.keys() & held.keys():
        with contextlib.suppress(NotAuthentic):  # tampered with: `verify-log` names it; here it must stop nobody else
            opened[token] = {field: rows.unseal(here[token], held[token], field) for field in here[token].sealed}
    _drop_older_marks([token for token in found if token in opened or token not in here], newest)
    rows.add_marks([(token, here[token].tenant, opened[token]) for token in sorted(opened)])
    return _Some(found[-1], len(opened), len(here) - len(opened))


def _drop_older_marks(tokens: Collection[VaultToken], newest: int) -> None:
    with db.cursor() as cur:
        cur.execute(
            "DELETE FROM privacy_blind_index WHERE person = ANY(%s::uuid[]) AND version <> %s",
            (db.uuid_array([token.bytes for token in tokens]), newest),
        )


def _drop(newest: int, by: Person) -> None:
    """Throw the older secrets away: no mark is made by them any more."""
    for version in sorted(keepers.index_secrets().keys() - {newest}):
        custody.record_fact(facts.INDEX_RETIRED, {"by": by.source, "version": version})
        keepers.drop_index_secret(version)
