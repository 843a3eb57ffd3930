"""Write down what was observed and learnt: within the caller's transaction, any number of times.

Whoever books, prints or decides calls this in the transaction in which they do so: what was rolled back was never seen.
The caller has asked who may.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from django.db import transaction

from parcelward.base import db
from parcelward.risk import here
from parcelward.risk.errors import ObservationReused, ObservationUnknown
from parcelward.risk.wire import Key, Kind, Observation, Outcome

_KEYS: Final = tuple(Key)
_COLUMNS: Final = ", ".join(key.value for key in _KEYS)
# The transaction's number is what other processes follow (follows.py): of the whole one, also within a savepoint.
_OBSERVE: Final = (
    f"INSERT INTO risk_observation (id, kind, at, {_COLUMNS}, amount_minor, writer) "  # noqa: S608 -- our own names
    "SELECT *, pg_current_xact_id()::text::bigint FROM unnest(%s::uuid[], %s::smallint[], %s::timestamptz[], "
    + "%s::uuid[], " * len(_KEYS)
    + "%s::bigint[]) ON CONFLICT (id) DO NOTHING"
)
_LEARN: Final = (
    "INSERT INTO risk_outcome (id, observation_id, at, fraud, writer) "
    "SELECT u.id, o.id, u.at, u.fraud, pg_current_xact_id()::text::bigint "
    "FROM unnest(%s::uuid[], %s::uuid[], %s::timestamptz[], %s::bool[]) AS u(id, about, at, fraud) "
    # What is forgotten meanwhile would else be missed at the commit, when nobody can say which of them it was.
    "JOIN risk_observation o ON o.id = u.about FOR KEY SHARE OF o ON CONFLICT (id) DO NOTHING"
)


@transaction.atomic(savepoint=False)
def observe_within(seen: Sequence[Observation]) -> None:
    """Record what happened. The same again changes nothing.

    Raises ObservationReused where an id stands for something else.
    """
    some = sorted(seen, key=lambda one: one.id)  # in the order of their ids, so that two writers never wait in a ring
    with db.cursor() as cur:
        cur.execute(
            _OBSERVE,
            (
                [one.id for one in some],
                [int(one.kind) for one in some],
                [one.at for one in some],
                *([_uuid(one.keys.get(key)) for one in some] for key in _KEYS),
                [one.amount_minor for one in some],
            ),
        )
        if cur.rowcount == len(some):
            here.observed_when_committed(some)
            return
        cur.execute(
            f"SELECT id, kind, at, {_COLUMNS}, amount_minor FROM risk_observation WHERE id = ANY(%s)",  # noqa: S608 -- our own names
            ([one.id for one in some],),
        )
        there = {row[0]: row[1:] for row in cur.fetchall()}
    for one in some:
        if there.get(one.id) != (one.kind, one.at, *(_uuid(one.keys.get(key)) for key in _KEYS), one.amount_minor):
            raise ObservationReused("This id stands for another observation: take a new one")
    here.observed_when_committed(some)


@transaction.atomic
def observe_of_order_within(kind: Kind, order: UUID, ident: UUID, at: dt.datetime, *, amount_minor: int = 0) -> None:
    """Record what happened to an order, under its keys: its payment was declined, money went back, a label printed.

    `ident` is the caller's id of that. Of an order that nobody asked about nothing is recorded.
    """
    with db.cursor() as cur:
        cur.execute(f"SELECT {_COLUMNS} FROM risk_observation WHERE id = %s", (order,))  # noqa: S608 -- our own names
        row = cur.fetchone()
    if row is not None:
        keys = {key: found.bytes for key, found in zip(_KEYS, row, strict=True) if found is not None}
        observe_within([Observation(ident, kind, at, keys, amount_minor)])


@transaction.atomic
def learn_within(learnt: Sequence[Outcome]) -> None:
    """Record what was found out about observations that are recorded. The same again changes nothing.

    Raises ObservationUnknown where one of them is not recorded, or not any more; ObservationReused as `observe_within`.
    """
    some = sorted(learnt, key=lambda one: one.id)
    with db.cursor() as cur:
        cur.execute(
            _LEARN,
            (
                [one.id for one in some],
                [one.observation for one in some],
                [one.at for one in some],
                [one.fraud for one in some],
            ),
        )
        if cur.rowcount == len(some):
            return
        cur.execute(
            "SELECT id, observation_id, at, fraud FROM risk_outcome WHERE id = ANY(%s)", ([one.id for one in some],)
        )
        there = {row[0]: row[1:] for row in cur.fetchall()}
    for one in some:
        if one.id not in there:
            raise ObservationUnknown(f"Nothing was observed under the id {one.observation}")
        if there[one.id] != (one.observation, one.at, one.fraud):
            raise ObservationReused("This id stands for something else that was learnt: take a new one")


def _uuid(key: bytes | None) -> UUID | None:
    return None if key is None else UUID(bytes=key)
