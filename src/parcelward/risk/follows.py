"""Each process's own copy of the features: made from the tables when it starts, and led on by what others have added.

Rows become visible when their transaction commits, in another order than they were written in; a cursor over their
numbers would pass over one that commits late. So each row has the number of its transaction. Whatever was written by
one older than the oldest that still ran when we looked is there to be seen or never will be: that is how far the cursor
goes. What younger ones have committed is read as well, and read again next time; the same again changes nothing.

A database that was restored from a dump counts its transactions anew. Its old rows have numbers that are still to come:
they were read at the start, and are read once more when the count has come to them.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator
from typing import Any, Final

from django.db import transaction
from psycopg import ServerCursor

from parcelward.base import db
from parcelward.base.errors import Busy
from parcelward.risk.features.store import Store, Values
from parcelward.risk.wire import Key, Kind, Observation, Outcome

AT_ONCE: Final = 5_000  # rows that are fetched together
FORGET_AT_ONCE: Final = 100  # keys that are looked at while others wait: some tenths of a millisecond
FORGET_TIMES: Final = 20  # in a turn

_KEYS: Final = tuple(Key)
_SEEN: Final = "o.id, o.kind, o.at, " + ", ".join(f"uuid_send(o.{key.value})" for key in _KEYS) + ", o.amount_minor"
_NOW: Final = (
    "SELECT pg_snapshot_xmin(s)::text::bigint, pg_snapshot_xmax(s)::text::bigint FROM pg_current_snapshot() AS s"
)
_OBSERVED: Final = f"SELECT {_SEEN} FROM risk_observation o "  # noqa: S608 -- our own names
_LEARNT: Final = (
    f"SELECT {_SEEN}, l.id, l.at, l.fraud "  # noqa: S608 -- our own names
    "FROM risk_outcome l JOIN risk_observation o ON o.id = l.observation_id "
)
_ADDED: Final = "WHERE {}.writer >= %s AND {}.writer < %s ORDER BY o.at, o.id"  # in order costs a tenth
_YOUNG: Final = "WHERE o.at > %s ORDER BY o.at, o.id"


class Copy:
    """The features as this process knows them. For any number of threads."""

    def __init__(self) -> None:
        self._store = Store()
        self._lock = threading.Lock()
        self._turn = threading.Lock()  # one thread at a time follows
        self._seen_to: int | None = None  # every transaction before this one is ended, and what it wrote is here

    def read_for(self, seen: Observation) -> Values:
        """Return the features that an observation is decided by, with it. Raises Busy before the first catching up."""
        if self._seen_to is None:
            raise Busy("What was observed is being read; ask again", retry_after_s=1)
        with self._lock:
            return self._store.read_for(seen)

    def observed(self, seen: Observation) -> None:
        """Take over at once what this process has committed."""
        with self._lock:
            self._store.observe(seen)

    def catch_up(self, now: dt.datetime) -> int:
        """Read what was added since the last time, at first everything that counts; return of how many rows.

        Safe to run any number of times. Forgets, a few keys each time, what is too old to count.
        """
        with self._turn:
            with db.cursor() as cur:
                oldest_open, next_one = cur.execute(_NOW).fetchall()[0]
            if self._seen_to is None:
                young = (now - self._store.look_back,)
                n = self._take(_OBSERVED + _YOUNG, young) + self._take(_LEARNT + _YOUNG, young)
            else:
                added = (self._seen_to, next_one)
                n = self._take(_OBSERVED + _ADDED.format("o", "o"), added)
                n += self._take(_LEARNT + _ADDED.format("l", "l"), added)
            self._seen_to = oldest_open
            for _ in range(FORGET_TIMES):
                with self._lock:
                    self._store.forget(now, keys_max=FORGET_AT_ONCE)
            return n

    def _take(self, statement: str, values: tuple[Any, ...]) -> int:
        n = 0
        for row in _rows(statement, values):
            n += 1
            seen = _observation(row)
            with self._lock:
                if len(row) == len(_KEYS) + 4:
                    self._store.observe(seen)
                else:
                    learnt = row[-3:]
                    self._store.learn(Outcome(learnt[0], seen.id, learnt[1], fraud=learnt[2]), seen)
        return n


def _rows(statement: str, values: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    with transaction.atomic(), ServerCursor(db.raw(), "risk_rows") as cur:
        cur.itersize = AT_ONCE
        yield from cur.execute(statement, values, binary=True)


def _observation(row: tuple[Any, ...]) -> Observation:
    keys = {key: value for key, value in zip(_KEYS, row[3:], strict=False) if value is not None}
    return Observation(row[0], Kind(row[1]), row[2], keys, row[3 + len(_KEYS)])
