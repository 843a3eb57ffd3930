"""Compare the table of legal holds with the entries that placed and lifted them: part of `verify-log`.

A hold that vanished from its table would let an item be erased that a court wants kept; so the table, which erasure
asks, must be what the log's own entries add up to.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Final, NamedTuple
from uuid import UUID

from parcelward.base import db
from parcelward.custody.facts import told
from parcelward.custody.verification import Findings

PLACED: Final = "custody.legal_hold"
LIFTED: Final = "custody.legal_hold_lifted"


class _Hold(NamedTuple):
    """One hold as table or entries have it; the times are None where an entry of an older version says none."""

    reason: str
    placed_by: int
    placed_at: dt.datetime | None
    lifted_by: int | None = None
    lifted_at: dt.datetime | None = None


def check_holds(findings: Findings) -> None:
    """Note every item whose holds are not those of the log."""
    said, where = _from_entries()
    stored = _from_table()
    for item in said.keys() | stored.keys():
        if not _same(stored.get(item, []), said.get(item, [])):
            what = "The item's legal holds are not those that the log's entries placed and lifted."
            findings.note(what, differs="legal_hold", index=where.get(item), item=item)


def _from_entries() -> tuple[dict[UUID, list[_Hold]], dict[UUID, int | None]]:
    """Return the holds that the entries add up to, and each item's newest entry about holds."""
    holds: dict[UUID, list[_Hold]] = {}
    where: dict[UUID, int | None] = {}
    for kind, said, index in told(PLACED, LIFTED):
        item = UUID(said["item"])
        mine = holds.setdefault(item, [])
        where[item] = index
        if kind == PLACED:
            mine.append(_Hold(said["reason"], said["by"], _time(said, "placed_at")))
        elif mine:
            mine[-1] = mine[-1]._replace(lifted_by=said["by"], lifted_at=_time(said, "lifted_at"))
    return holds, where


def _from_table() -> dict[UUID, list[_Hold]]:
    holds: dict[UUID, list[_Hold]] = {}
    with db.cursor() as cur:
        cur.execute(
            "SELECT item, reason, placed_by, placed_at, lifted_by, lifted_at FROM custody_legalhold ORDER BY item, id"
        )
        for item, *columns in cur.fetchall():
            holds.setdefault(item, []).append(_Hold(*columns))
    return holds


def _same(stored: list[_Hold], said: list[_Hold]) -> bool:
    if len(stored) != len(said):
        return False
    return all(
        held == one._replace(placed_at=one.placed_at or held.placed_at, lifted_at=one.lifted_at or _lift(held, one))
        for held, one in zip(stored, said, strict=True)
    )


def _lift(held: _Hold, said: _Hold) -> dt.datetime | None:
    """Return the stored time of a lifting whose entry says none, as long as there is such an entry."""
    return None if said.lifted_by is None else held.lifted_at


def _time(said: dict[str, Any], name: str) -> dt.datetime | None:
    return dt.datetime.fromisoformat(said[name]) if name in said else None
