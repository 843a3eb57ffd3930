"""Give the vault a new key-encryption key: every key that it wraps is wrapped anew while everything runs.

A data key, of a person or of a body, or a station's; no value is touched. A reader asks for the row and unwraps with
the version that it names, so it does not matter on which side of the walk a key is. Killed at any moment, the next run
goes on where there is something left to do.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db import transaction

from parcelward.base import db
from parcelward.base.errors import Conflict, NotFound
from parcelward.custody import actions as custody
from parcelward.custody.queries import told
from parcelward.people.queries import require
from parcelward.people.wire import Person, Task
from parcelward.privacy import bodies, cipher, facts, keepers
from parcelward.privacy.sealing import keybox

AT_ONCE: Final = 2_000
SETTLED_AFTER: Final = dt.timedelta(minutes=10)
"""How long after a new version nobody can still be about to store a key that was wrapped by the one before."""
BACKUPS_KEPT: Final = dt.timedelta(days=7)  # of the keys database: older ones must not exist (docs/operating)
_START: Final = (UUID(int=0), 0)

Tell = Callable[[int, int], None]
"""Told (how many keys are done, of how many)."""


@dataclass(frozen=True, slots=True)
class Turned:
    """What a rotation did."""

    version: int
    resumed: bool  # it went on with an earlier one that did not end
    rewrapped: int


def status() -> Mapping[int, int]:
    """Return how many keys, of people, bodies and stations, each version of it wraps, oldest first."""
    with db.cursor("keys") as cur:
        cur.execute("SELECT kek_version, count(*) FROM privacy_personkey GROUP BY kek_version")
        persons = dict(cur.fetchall())
    counts = (persons, bodies.status(), keybox.status())
    versions = sorted(set(keepers.keeper().versions()).union(*counts))
    return {version: sum(count.get(version, 0) for count in counts) for version in versions}


def rotate_kek(*, by: Person, now: dt.datetime, tell: Tell = lambda *_: None) -> Turned:
    """Make a new version and wrap every key with it; or first end a rotation that was cut short."""
    require(by, Task.TURN_KEYS)
    with _turn():
        return _rotate(by, now, tell)


@contextlib.contextmanager
def _turn() -> Iterator[None]:
    """Let one rotation run at a time: two would wrap each other's keys anew without end. A kill ends it by itself."""
    with db.cursor("keys") as cur:
        cur.execute("SELECT pg_try_advisory_lock(hashtext('privacy.rotate_kek'))")
        if not cur.fetchall()[0][0]:
            raise Conflict("Another rotation is under way", code="rotating")
        try:
            yield
        finally:
            cur.execute("SELECT pg_advisory_unlock(hashtext('privacy.rotate_kek'))")


def _rotate(by: Person, now: dt.datetime, tell: Tell) -> Turned:
    keeper = keepers.keeper()
    used = status()
    newest = max(keeper.versions())
    resumed = any(count for version, count in used.items() if version != newest)
    if not resumed:
        newest = keeper.make(now=now)
        custody.record_fact(facts.KEK_MADE, {"by": by.source, "made_at": now.isoformat(), "version": newest})
    done = rewrap(newest, total=sum(used.values()), tell=tell)
    custody.record_fact(facts.KEK_REWRAPPED, {"by": by.source, "keys": done, "version": newest})
    return Turned(newest, resumed, done)


def rewrap(newest: int, *, total: int = 0, tell: Tell = lambda *_: None) -> int:
    """Wrap every key that another version wraps with the newest; return how many there were."""
    done = 0
    while True:  # again until a whole walk finds none: keys are made meanwhile, by who just looked at the file
        here, after = 0, _START
        while (some := _rewrap_some(newest, after)) is not None:
            after, changed = some
            here += changed
            tell(done + here, total)
        here += bodies.rewrap(newest) + keybox.rewrap(newest)
        tell(done + here, total)
        done += here
        if not here:
            return done


def _rewrap_some(newest: int, after: tuple[UUID, int]) -> tuple[tuple[UUID, int], int] | None:
    with db.cursor("keys", binary=True) as cur:
        cur.execute(
            "SELECT person, version, kek_version, wrapped FROM privacy_personkey "
            "WHERE (person, version) > (%s, %s::int2) AND kek_version <> %s::int ORDER BY person, version LIMIT %s",
            (*after, newest, AT_ONCE),
            binary=True,
        )
        found = cur.fetchall()
    if not found:
        return None
    keeper = keepers.keeper()
    fresh = []
    for person, version, old, wrapped in found:
        whose = cipher.person_context(person, version)
        fresh.append(keeper.wrap(keeper.unwrap(bytes(wrapped), whose, old), whose, newest))
    # In the order of the key, as everybody locks them. What was deleted meanwhile stays deleted.
    with transaction.atomic(using="keys"), db.cursor("keys") as cur:
        cur.execute(
            "UPDATE privacy_personkey k SET wrapped = u.wrapped, kek_version = %s "
            "FROM unnest(%s::uuid[], %s::int[], %s::int[], %s::bytea[]) AS u(person, version, old, wrapped) "
            "WHERE k.person = u.person AND k.version = u.version AND k.kek_version = u.old",
            (
                newest,
                db.uuid_array([row[0].bytes for row in found]),
                db.int_array([row[1] for row in found]),
                db.int_array([row[2] for row in found]),
                db.bytea_array(fresh),
            ),
        )
        changed = cur.rowcount
    return (found[-1][0], found[-1][1]), changed


def retire_kek(version: int, *, by: Person, now: dt.datetime, backups_gone: bool = False) -> None:
    """Destroy an old version that wraps nothing any more. It cannot be taken back.

    Not before backups of the keys database that need it are too old to exist, unless `backups_gone`.
    """
    require(by, Task.TURN_KEYS)
    keeper = keepers.keeper()
    known = keeper.versions()
    if version not in known:
        raise NotFound("There is no such version")
    if version == max(known):
        raise Conflict("This is the newest version: rotate first", code="newest")
    if status().get(version, 0):
        raise Conflict("Keys are still wrapped by this version: run rotate-kek again", code="in_use")
    since = _newest_fact(facts.KEK_REWRAPPED, max(known))
    wait = SETTLED_AFTER if backups_gone else BACKUPS_KEPT
    if since is None or now < since + wait:
        raise Conflict(
            f"Backups of the keys database that need this version may exist until {wait} after the rotation's end",
            code="too_early",
        )
    custody.record_fact(facts.KEK_RETIRED, {"by": by.source, "version": version})
    keeper.destroy(version)


def _newest_fact(kind: str, version: int) -> dt.datetime | None:
    """Return when the newest entry of a kind about this version was made."""
    times = [dt.datetime.fromisoformat(one.said["at"]) for one in told(kind) if one.said["version"] == version]
    return max(times, default=None)
