"""Compare the requests for erasure with the entries that asked, agreed, withdrew and erased: part of `verify-log`.

Whoever shortens a wait in the table, or makes a request look approved, has an item erased that two people did not agree
to erase, or before they could think again. So the table, which erasure asks, must be what the log's own entries add up
to, and nothing was erased before its wait was over. What an entry of an older version does not say is not compared.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from parcelward.base import db
from parcelward.custody.facts import told
from parcelward.custody.opened import TOMBSTONE_KIND
from parcelward.custody.verification import Findings

REQUESTED: Final = "custody.erasure_requested"
APPROVED: Final = "custody.erasure_approved"
WITHDRAWN: Final = "custody.erasure_withdrawn"


@dataclass(frozen=True, slots=True)
class _Request:
    """One request as table or entries have it; a time is None where nothing happened or the entry says none."""

    item: UUID
    reason: str
    requested_by: int
    requested_at: dt.datetime | None
    approved_by: int | None = None
    approved_at: dt.datetime | None = None
    not_before: dt.datetime | None = None
    begun: bool = False
    begun_at: dt.datetime | None = None
    withdrawn: bool = False
    withdrawn_at: dt.datetime | None = None


def check_erasures(findings: Findings) -> None:
    """Note every request that is not what the log's entries say, and every erasure before its time."""
    said, where = _from_entries(findings)
    stored = _from_table()
    for number in sorted(said.keys() | stored.keys()):
        wrong = _problem(stored.get(number), said.get(number))
        if wrong:
            item = (said.get(number) or stored[number]).item
            what = f"Request {number} for an erasure {wrong}."
            findings.note(what, differs="erasure", index=where.get(number), item=item)


def _from_entries(findings: Findings) -> tuple[dict[int, _Request], dict[int, int | None]]:
    """Return the requests that the entries add up to, and each one's newest entry."""
    found: dict[int, _Request] = {}
    where: dict[int, int | None] = {}
    for kind, said, index in told(REQUESTED, APPROVED, WITHDRAWN, TOMBSTONE_KIND):
        number = int(said["erasure"])
        where[number] = index
        known = found.get(number)
        if kind == REQUESTED:
            found[number] = _Request(UUID(said["item"]), said["reason"], said["by"], _time(said, "requested_at"))
        elif known is None:
            findings.note(f"Nobody asked for erasure {number}.", differs="erasure", index=index)
        elif kind == APPROVED:
            found[number] = dataclasses.replace(
                known,
                approved_by=said["by"],
                approved_at=_time(said, "approved_at"),
                not_before=_time(said, "not_before"),
            )
        elif kind == WITHDRAWN:
            found[number] = dataclasses.replace(known, withdrawn=True, withdrawn_at=_time(said, "withdrawn_at"))
        else:
            found[number] = dataclasses.replace(known, begun=True, begun_at=_time(said, "shredded_at"))
            wrong = _too_soon(known, said)
            if wrong:
                findings.note(f"Erasure {number} {wrong}.", differs="erasure", index=index, item=known.item)
    return found, where


def _too_soon(asked: _Request, said: dict[str, Any]) -> str:
    """Return why the erasure that an entry says was done should not have been, or nothing."""
    if UUID(said["item"]) != asked.item:
        return "was of another item than was asked for"
    if asked.withdrawn:
        return "was done though it had been withdrawn"
    if (said["requested_by"], said["approved_by"]) != (asked.requested_by, asked.approved_by):
        return "names other people than asked for it and agreed to it"
    if asked.approved_by == asked.requested_by:
        return "was asked for and agreed to by the same person"
    done_at = _time(said, "shredded_at")
    if done_at is not None and asked.not_before is not None and done_at < asked.not_before:
        return "was done before its wait was over"
    return ""


def _from_table() -> dict[int, _Request]:
    with db.cursor() as cur:
        cur.execute(
            "SELECT e.id, e.item, e.reason, e.requested_by, e.requested_at, e.approved_by, e.approved_at, "
            "e.not_before, e.begun_at IS NOT NULL, CASE WHEN e.begun_at = t.shredded_at THEN e.begun_at END, "
            "e.begun_at IS NULL AND e.done_at IS NOT NULL, CASE WHEN e.begun_at IS NULL THEN e.done_at END "
            "FROM custody_erasure e LEFT JOIN custody_tombstone t ON t.item = e.item"
        )
        return {number: _Request(*columns) for number, *columns in cur.fetchall()}


def _problem(stored: _Request | None, said: _Request | None) -> str:
    if said is None:
        return "is in the table and nobody asked for it"
    if stored is None:
        return "was made and its row is gone"
    happened = {
        "requested_at": True,
        "approved_at": said.approved_by is not None,
        "begun_at": said.begun,
        "withdrawn_at": said.withdrawn,
    }
    unsaid = {name: getattr(stored, name) for name, did in happened.items() if did and getattr(said, name) is None}
    known = dataclasses.replace(said, **unsaid)
    names = [each.name for each in dataclasses.fields(known) if getattr(known, each.name) != getattr(stored, each.name)]
    return f"is not what the log's entries say ({', '.join(names)})" if names else ""


def _time(said: dict[str, Any], name: str) -> dt.datetime | None:
    return dt.datetime.fromisoformat(said[name]) if name in said else None
