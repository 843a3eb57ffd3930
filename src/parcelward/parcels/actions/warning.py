"""An alert of a room above: the desk is told, under a kind that alert_words.py has the sentence of."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping

from parcelward.base import db
from parcelward.people.queries import require
from parcelward.people.wire import Person, Task

_ABOUT_MAX = 80


def warn(kind: str, about: str, details: Mapping[str, str], *, now: dt.datetime, by: Person) -> None:
    """Tell the desk, once for what it is about: said again, open or closed meanwhile, it changes nothing."""
    require(by, Task.LEARN_OUTCOME)
    with db.cursor() as cur:
        cur.execute(
            "INSERT INTO parcels_alert (kind, about, facility, details, opened_at) VALUES (%s, %s, 0, %s::jsonb, %s) "
            "ON CONFLICT (kind, item, about) DO NOTHING",
            (kind, about[:_ABOUT_MAX], json.dumps(dict(details)), now),
        )
