"""What the log's entries say that are no scans, for whoever compares rows with them: part of `verify-log`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from parcelward.base import db


class Told(NamedTuple):
    """One such entry: its kind, what it says, and where it stands in the log; None while it waits for its place."""

    kind: str
    said: dict[str, Any]
    place: int | None


def told(*kinds: str) -> Iterator[Told]:
    """Give the entries of these kinds in the order of the log; those that wait for their place come last."""
    with db.cursor() as cur:
        cur.execute(
            "SELECT f.kind, f.body, l.first_index + f.leaf FROM custody_fact f "
            "LEFT JOIN custody_logbatch l ON l.batch = f.batch WHERE f.kind = ANY(%s) "
            "ORDER BY l.first_index NULLS LAST, f.batch, f.leaf",
            (list(kinds),),
        )
        found = cur.fetchall()
    return (Told(kind, json.loads(bytes(packed)), index) for kind, packed, index in found)


def told_in(batches: Sequence[int], *kinds: str) -> Iterator[Told]:
    """Give the entries of these kinds in some published batches, in the order of the log: for who follows it."""
    with db.cursor() as cur:
        cur.execute(
            "SELECT f.kind, f.body, l.first_index + f.leaf FROM custody_fact f "
            "JOIN custody_logbatch l ON l.batch = f.batch WHERE f.kind = ANY(%s) AND f.batch = ANY(%s) "
            "ORDER BY l.first_index, f.leaf",
            (list(kinds), list(batches)),
        )
        found = cur.fetchall()
    return (Told(kind, json.loads(bytes(packed)), index) for kind, packed, index in found)
