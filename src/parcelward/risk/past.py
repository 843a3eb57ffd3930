"""Tries a rule on what was decided before: how many orders it would have stopped, and how many were disputed later."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
import numpy as np
from django.db import transaction
from psycopg import ServerCursor

from parcelward.base import db
from parcelward.risk.language import columns, tree, trying
from parcelward.risk.language.schema import Schema
from parcelward.risk.language.tree import Node
from parcelward.risk.wire import Tried as Told

ORDERS_MAX: Final = 200_000
"""The newest so many orders are asked about."""
DAYS: Final = dt.timedelta(days=90)
AT_ONCE: Final = 2_000
_PAST: Final = (
    'SELECT d."order", d.body, coalesce((SELECT o.fraud FROM risk_outcome o WHERE o.observation_id = d."order" '
    "ORDER BY o.at DESC, o.id DESC LIMIT 1), false) FROM risk_decision d "
    "WHERE d.round = 1 AND d.at > %s ORDER BY d.at DESC LIMIT %s"
)


class _Body(msgspec.Struct):
    """What is read of a decision's body."""

    used: dict[str, Any]


_read: Final = msgspec.json.Decoder(_Body).decode


def tried(rule: Node, *, beside: Sequence[Node], now: dt.datetime) -> tuple[trying.Tried, tuple[UUID, ...]]:
    """Return what a rule would have done beside the rules that act, and some orders that it would have stopped.

    An order is disputed where the newest that was learnt of it says fraud.
    """
    schema = Schema(dict.fromkeys(field for node in (rule, *beside) for field in tree.fields(node)))
    names = [field.name for field in schema.fields]
    orders: list[UUID] = []
    facts: list[dict[str, object]] = []
    disputed: list[bool] = []
    for order, body, fraud in _rows(now):
        used = _read(body).used
        orders.append(order)
        facts.append({name: used[name] for name in names if name in used})
        disputed.append(fraud)
    found = trying.tried(rule, columns.of(schema, facts), np.array(disputed, np.bool_), beside=beside)
    return found, tuple(orders[place] for place in found.examples)


def told(found: trying.Tried, examples: tuple[UUID, ...]) -> Told:
    """Return the same as whoever asked is told."""
    return Told(found.orders, found.stopped, found.stopped_disputed, found.disputed, found.stopped_alone, examples)


def _rows(now: dt.datetime) -> Iterator[tuple[Any, ...]]:
    with transaction.atomic(), ServerCursor(db.raw(), "risk_past") as cur:
        cur.itersize = AT_ONCE
        yield from cur.execute(_PAST, (now - DAYS, ORDERS_MAX))
