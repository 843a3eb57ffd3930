"""Orders as risk is told of them, with keys of their own unless they are given."""

from __future__ import annotations

import datetime as dt
import itertools
import os
import uuid
from collections.abc import Mapping
from typing import Any

from django.utils import timezone
from tests.payments.provided import sender

from parcelward.risk.actions import decide
from parcelward.risk.wire import Decision, Fact, Key, Kind, Observation, OrderFacts

_ticks = itertools.count()
CALM: Mapping[str, Fact] = {"account_age_s": 400 * 86_400, "first_order": False, "payment": "card"}


def keys(**given: bytes) -> dict[Key, bytes]:
    return {key: given.get(key.value, os.urandom(16)) for key in Key if key is not Key.PRINTER or "printer" in given}


def order(
    *, given: Mapping[str, bytes] | None = None, amount: int = 2_000, order_id: Any = None, **known: Fact
) -> OrderFacts:
    at = timezone.now() + dt.timedelta(microseconds=next(_ticks))
    return OrderFacts(order_id or uuid.uuid4(), at, keys(**(given or {})), amount, "EUR", {**CALM, **known})


def decided(**more: Any) -> Decision:
    by = more.pop("by", None) or sender()
    return decide(order(**more), by=by)


def happened(kind: Kind, given: Mapping[str, bytes], **more: Any) -> Observation:
    return Observation(uuid.uuid4(), kind, timezone.now(), {Key(name): key for name, key in given.items()}, **more)
