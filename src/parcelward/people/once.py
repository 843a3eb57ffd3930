"""One key, one effect: a write that was asked for under an Idempotency-Key is done once, and answered the same again.

The key's row, the work and the answer commit together: a kill in the middle leaves nothing, and the retry does it all.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import psycopg
from django.db import transaction

from parcelward.base import db
from parcelward.base.errors import Conflict, Invalid
from parcelward.people.models import GivenAnswer
from parcelward.people.wire import Once, Person

KEPT_FOR: Final = dt.timedelta(days=30)
WAIT_MS: Final = 100  # for another request with the same key; then it is in flight
OK: Final = 200
_TAKE_MANY: Final = (
    "INSERT INTO people_givenanswer AS g (given_at, status, source, key, digest, answer) "
    "SELECT %s, %s, u.source, u.key, u.digest, u.answer "
    "FROM unnest(%s::int[], %s::text[], %s::bytea[], %s::bytea[]) AS u(source, key, digest, answer) "
    "ON CONFLICT (source, key) DO UPDATE SET given_at = excluded.given_at, status = excluded.status, "
    "digest = excluded.digest, answer = excluded.answer WHERE g.given_at < %s RETURNING g.source, g.key"
)
_GIVE_BACK: Final = (
    "DELETE FROM people_givenanswer g USING unnest(%s::int[], %s::text[]) AS u(source, key) "
    "WHERE g.source = u.source AND g.key = u.key"
)
_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")


class KeyReused(Invalid):
    """The key was used before for another request."""

    default_code = "idempotency_key_reused"


class InFlight(Conflict):
    """The same request is being done at this moment."""

    default_code = "in_flight"


def once(
    key: str,
    digest: bytes,
    work: Callable[[], tuple[int, bytes]],
    *,
    by: Person,
    now: dt.datetime,
    before: Sequence[bytes] = (),
    kept: Callable[[bytes], bytes] | None = None,
) -> tuple[int, bytes]:
    """Return (status, answer) of `work`, done at most once under this key of the caller's.

    `kept` gives what of the answer is stored, and said to who asks again: it takes out a secret that is shown once.
    `digest` stands for the whole request, and so do those `before`, made with secrets that were
    replaced. What `work` raises is raised, and nothing is kept: it may be tried again.
    Raises KeyReused for another request under the key, InFlight while the same one is being done.
    """
    require_key(key)
    with transaction.atomic():
        GivenAnswer.objects.filter(source=by.source, key=key, given_at__lt=now - KEPT_FOR).delete()
        if _take(key, digest, by=by, now=now):
            status, answer = work()
            again = answer if kept is None else kept(answer)
            GivenAnswer.objects.filter(source=by.source, key=key).update(status=status, answer=again)
            return status, answer
        given = GivenAnswer.objects.get(source=by.source, key=key)
    if bytes(given.digest) not in {digest, *before}:
        raise KeyReused("This Idempotency-Key was used before for another request. Make a new one for this.")
    if given.status is None or given.answer is None:
        raise AssertionError("an answer commits with its key")  # pragma: no cover -- see `once`
    return given.status, bytes(given.answer)


def require_key(key: str) -> None:
    """Raise Invalid for a key that is none."""
    if not key:
        words = "Send an Idempotency-Key, such as a random UUID: the same one when you try again."
        raise Invalid(words, code="idempotency_key_required")
    if not _KEY.fullmatch(key):
        words = "An Idempotency-Key has 1 to 255 visible ASCII characters: a random UUID will do."
        raise Invalid(words, code="bad_idempotency_key")


def take_many_within(wanted: Sequence[Once], *, now: dt.datetime) -> set[tuple[int, str]]:
    """Keep the answers of requests that are done together; return (source, key) of those that were not done before.

    The others are left to `once`, and so is everything where this raises: the caller's transaction ends with it. No
    two are of one source and key. Raises InFlight.
    """
    some = sorted(wanted)  # in one order for everybody: who waits for another waits in no ring
    try:
        with db.cursor() as cur:
            cur.execute(f"SET LOCAL lock_timeout = {WAIT_MS}")
            cur.execute(_TAKE_MANY, (now, OK, *(list(column) for column in zip(*some, strict=True)), now - KEPT_FOR))
            taken = {(row[0], row[1]) for row in cur.fetchall()}
            cur.execute("SET LOCAL lock_timeout = DEFAULT")
            return taken
    except psycopg.errors.LockNotAvailable:
        raise InFlight("The same request is being done right now; ask again in a second.", retry_after_s=1) from None


def give_back_within(keys: Iterable[tuple[int, str]]) -> None:
    """Keep no answer under these keys, in the transaction that took them: what was asked for was not done."""
    if some := list(keys):
        with db.cursor() as cur:
            cur.execute(_GIVE_BACK, tuple(list(column) for column in zip(*some, strict=True)))


def _take(key: str, digest: bytes, *, by: Person, now: dt.datetime) -> bool:
    """Return whether the key is ours now; False when an answer was given under it."""
    try:
        with transaction.atomic(), db.cursor() as cur:
            cur.execute(f"SET LOCAL lock_timeout = {WAIT_MS}")
            cur.execute(
                "INSERT INTO people_givenanswer (source, key, digest, given_at) VALUES (%s, %s, %s, %s) "
                "ON CONFLICT DO NOTHING",
                (by.source, key, digest, now),
            )
            mine = cur.rowcount == 1
            cur.execute("SET LOCAL lock_timeout = DEFAULT")
            return mine
    except psycopg.errors.LockNotAvailable:
        raise InFlight("The same request is being done right now; ask again in a second.", retry_after_s=1) from None


def forget_answers(now: dt.datetime) -> int:
    """Delete answers that are no longer kept; return how many."""
    return GivenAnswer.objects.filter(given_at__lt=now - KEPT_FOR).delete()[0]
