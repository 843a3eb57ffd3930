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
        known = found.get(number)
        where[number] = index
        wrong = _impossible(kind, said, known)
        if wrong:
            item = None if known is None else known.item
            findings.note(f"Erasure {number} {wrong}.", differs="erasure", index=index, item=item)
        if kind == REQUESTED:
            found[number] = _Request(UUID(said["item"]), said["reason"], said["by"], _time(said, "requested_at"))
        elif known is not None:
            found[number] = dataclasses.replace(known, **_changed(kind, said))
    return found, where


def _changed(kind: str, said: dict[str, Any]) -> dict[str, Any]:
    """Return what an entry changes of a request."""
    if kind == APPROVED:
        at, not_before = _time(said, "approved_at"), _time(said, "not_before")
        return {"approved_by": said["by"], "approved_at": at, "not_before": not_before}
    if kind == WITHDRAWN:
        return {"withdrawn": True, "withdrawn_at": _time(said, "withdrawn_at")}
    return {"begun": True, "begun_at": _time(said, "shredded_at")}


def _impossible(kind: str, said: dict[str, Any], asked: _Request | None) -> str:
    """Return why this entry cannot follow on what the log says before it, or nothing."""
    if kind == REQUESTED:
        return "" if asked is None else "was asked for twice"
    if asked is None:
        return "was asked for by nobody"
    if kind == APPROVED:
        if asked.approved_by is not None:
            return "was agreed to twice"
        return "was asked for and agreed to by the same person" if said["by"] == asked.requested_by else ""
    return _too_soon(said, asked) if kind == TOMBSTONE_KIND else ""


def _too_soon(said: dict[str, Any], asked: _Request) -> str:
    if UUID(said["item"]) != asked.item:
        return "was of another item than was asked for"
    if asked.begun or asked.withdrawn:
        return "was done twice" if asked.begun else "was done though it had been withdrawn"
    if (said["requested_by"], said["approved_by"]) != (asked.requested_by, asked.approved_by):
        return "names other people than asked for it and agreed to it"
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
