"""The orders of the past as a model learns them: what was known when each was decided, and what was found out since."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np
from django.db import transaction
from numpy.typing import NDArray
from psycopg import ServerCursor

from parcelward.base import db
from parcelward.risk.features.table import TABLE
from parcelward.risk.wire import micros

ORDERS_MAX: Final = 200_000
"""The newest so many orders are read."""
DAYS: Final = dt.timedelta(days=110)
"""Settings.history, and what is rehearsed and measured before it."""
AT_ONCE: Final = 2_000
NEVER: Final = np.iinfo(np.int64).max
_NAMES: Final = tuple(one.name for one in TABLE)
_FRAUDS: Final = "SELECT count(DISTINCT observation_id) FROM risk_outcome WHERE fraud"
# What was stopped, and nobody let go on, became nothing: it is no good order, and is left out unless somebody knows.
_PAST: Final = (
    "SELECT d.body, d.at, o.account, "
    '(SELECT min(l.at) FROM risk_outcome l WHERE l.observation_id = d."order" AND l.fraud AND l.at <= %(now)s '
    'AND l.at > coalesce((SELECT max(n.at) FROM risk_outcome n WHERE n.observation_id = d."order" '
    "AND NOT n.fraud AND n.at <= %(now)s), "
    "'-infinity')) "
    'FROM risk_decision d LEFT JOIN risk_observation o ON o.id = d."order" '
    "WHERE d.round = 1 AND d.at > %(since)s AND d.at <= %(now)s AND (d.answer NOT IN ('hold', 'refuse') "
    "OR EXISTS (SELECT 1 FROM risk_review r WHERE r.decision_id = d.id AND r.answer = 'allow') "
    'OR EXISTS (SELECT 1 FROM risk_outcome l WHERE l.observation_id = d."order" AND l.at <= %(now)s)) '
    "ORDER BY d.at DESC LIMIT %(most)s"
)


class _Body(msgspec.Struct):
    """What is read of a decision's body."""

    used: dict[str, Any]


_read: Final = msgspec.json.Decoder(_Body).decode


@dataclass(frozen=True, slots=True)
class Past:
    """Orders in columns: features (NaN: unknown), when each was decided, when its fraud was found out, whose it was."""

    values: NDArray[np.float64]
    at: NDArray[np.int64]
    found: NDArray[np.int64]
    whose: NDArray[np.int64]


def frauds() -> int:
    """Return how many observations were ever said to be fraud: too few spare all further work."""
    with db.cursor() as cur:
        return int(cur.execute(_FRAUDS).fetchall()[0][0])


def past(now: dt.datetime, since: dt.timedelta = DAYS) -> Past:
    """Return the newest orders as each was decided, with what is known of them now."""
    values: list[list[float]] = []
    at, found, whose = [], [], list[int]()
    for body, when, account, fraud_at in _rows(now, since):
        used = _read(body).used
        values.append([_number(used.get(name)) for name in _NAMES])
        at.append(micros(when))
        found.append(NEVER if fraud_at is None else micros(fraud_at))
        whose.append(len(whose) if account is None else account.int >> 65)
    return Past(
        np.array(values, dtype=np.float64).reshape(len(values), len(_NAMES)),
        np.array(at, dtype=np.int64),
        np.array(found, dtype=np.int64),
        np.array(whose, dtype=np.int64),
    )


def _number(fact: object) -> float:
    return float(fact) if isinstance(fact, int | float) else np.nan


def _rows(now: dt.datetime, since: dt.timedelta) -> Iterator[tuple[Any, ...]]:
    with transaction.atomic(), ServerCursor(db.raw(), "risk_history") as cur:
        cur.itersize = AT_ONCE
        yield from cur.execute(_PAST, {"since": now - since, "now": now, "most": ORDERS_MAX})
