"""One key, one effect: a write that was asked for under an Idempotency-Key is done once, and answered the same again.

The key's row, the work and the answer commit together: a kill in the middle leaves nothing, and the retry does it all.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from typing import Final

import psycopg
from django.db import transaction

from parcelward.base import db
from parcelward.base.errors import Conflict, Invalid
from parcelward.people.models import GivenAnswer
from parcelward.people.wire import Person

KEPT_FOR: Final = dt.timedelta(days=30)
WAIT_MS: Final = 100  # for another request with the same key; then it is in flight
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
    if not key:
        words = "Send an Idempotency-Key, such as a random UUID: the same one when you try again."
        raise Invalid(words, code="idempotency_key_required")
    if not _KEY.fullmatch(key):
        words = "An Idempotency-Key has 1 to 255 visible ASCII characters: a random UUID will do."
        raise Invalid(words, code="bad_idempotency_key")
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
