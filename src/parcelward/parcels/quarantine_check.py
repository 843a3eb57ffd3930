"""Compare the quarantine with the entries that put events into it and took them out: part of `verify-log`.

What a device sent and we did not record is a part of the record: whoever lets it vanish hides that a scan was tried.
So each transaction that quarantines tells the log the rows, by a hash of what each says; so does whoever closes one.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import msgspec
from django.utils import timezone

from parcelward.base import config, db
from parcelward.custody import queries as custody
from parcelward.custody.queries import Findings
from parcelward.parcels import bodies
from parcelward.privacy import queries
from parcelward.privacy.errors import BodyGone, NotAuthentic

QUARANTINED: Final = "parcels.quarantined"
RESUBMITTED: Final = "parcels.resubmitted"
DISMISSED: Final = "parcels.dismissed"
ROWS_AT_ONCE: Final = 2_000
CAME_AGAIN: Final = "parcels.came_again"
RETAINED: Final = "parcels.retention"  # bodies that went by age
KEPT_CLASS: Final = "quarantined_bodies"  # what the table of retention calls them
_STATES: Final = {RESUBMITTED: "resubmitted", DISMISSED: "dismissed", CAME_AGAIN: "resubmitted"}
_COLUMNS: Final = (
    "id, received_at, source, sequence, position, code, message, digest, raw, body_key, "
    "state, closed_at, closed_by, closing_note"
)


def row_hash(
    *, received_at: dt.datetime, source: int, sequence: int, position: int, code: str, message: str, digest: bytes
) -> str:
    """Return the hash of a quarantined event as the log is told; `digest` is the SHA-256 of its bytes."""
    said = [received_at.astimezone(dt.UTC).isoformat(), source, sequence, position, code, message, digest.hex()]
    return hashlib.sha256(msgspec.json.encode(said)).hexdigest()


def note_hash(quarantine: int, note: str) -> str:
    """Return the hash of why an event was closed, as the log is told."""
    return hashlib.sha256(msgspec.json.encode([quarantine, note])).hexdigest()


@dataclass(slots=True)
class _Told:
    """What the log says of one row; `closed` is the body of the entry that closed it."""

    hash: str
    index: int | None
    state: str = "open"
    closed: dict[str, Any] | None = None


def check_quarantine(findings: Findings) -> None:
    """Note every quarantined event that is not what the log's entries say."""
    told = _from_entries()
    gone = [body["before"] for _kind, body, _index in custody.told(RETAINED) if body["class"] == KEPT_CLASS]
    gone_before = max(map(dt.datetime.fromisoformat, gone), default=None)
    after = -(1 << 63)  # nothing of ours has a number below one, and what somebody else put there has to be met, too
    while True:
        with db.cursor() as cur:
            cur.execute(
                f"SELECT {_COLUMNS} FROM parcels_quarantine WHERE id > %s ORDER BY id LIMIT %s",  # noqa: S608 -- our own names
                (after, ROWS_AT_ONCE),
            )
            rows = cur.fetchall()
        if not rows:
            break
        opener = queries.opener(bodies.QUARANTINED, [row[9] for row in rows])
        for row in rows:
            mine = told.pop(row[0], None)
            if mine is not None:
                what = _problem(mine, row, gone_before, opener)
                if what:
                    findings.note(f"Quarantined event {row[0]} {what}.", differs="quarantine", index=mine.index)
            else:
                findings.note(f"Quarantined event {row[0]} is told by no entry: it was added.", differs="quarantine")
        after = rows[-1][0]
    for number, mine in told.items():
        findings.note(f"Quarantined event {number} was removed.", differs="quarantine", index=mine.index)


def _from_entries() -> dict[int, _Told]:
    told: dict[int, _Told] = {}
    for kind, body, index in custody.told(QUARANTINED, *_STATES):
        if kind == QUARANTINED:
            told |= {int(number): _Told(said, index) for number, said in body["rows"].items()}
        elif body["quarantine"] in told:
            mine = told[body["quarantine"]]
            mine.state, mine.closed = _STATES[kind], body
    return told


def _problem(told: _Told, row: tuple[Any, ...], gone_before: dt.datetime | None, opener: queries.Opener) -> str:
    number, received_at, source, sequence, position, code, message, digest, raw, key, state, at, by, note = row
    said = row_hash(
        received_at=received_at,
        source=source,
        sequence=sequence,
        position=position,
        code=code,
        message=message,
        digest=bytes(digest),
    )
    by_age = not raw and at is not None and gone_before is not None and at < gone_before
    if not by_age and not _opens(opener, key, bytes(raw), bytes(digest), at):
        return "has other bytes than were sent"
    if said != told.hash:
        return "is not as it was told to the log"
    if state != told.state:
        return f"is {state} in the table and {told.state} in the log"
    if told.closed is None:
        return "" if (at, by, note) == (None, None, "") else "was closed, and no entry says so"
    closed = told.closed
    if by != closed["by"] or ("closed_at" in closed and closed["closed_at"] != (at and at.isoformat())):
        return "was closed by somebody else, or at another moment"
    if closed.get("note", note_hash(number, note)) != note_hash(number, note):
        return "was dismissed for another reason"
    return ""


def _opens(
    opener: queries.Opener, key: UUID | None, stored: bytes, digest: bytes, closed_at: dt.datetime | None
) -> bool:
    """Return whether these are the bytes that came; or their key went by age, and a backup brought the rest back."""
    try:
        return hashlib.sha256(opener.open(key, stored)).digest() == digest
    except BodyGone:
        kept_until = queries.kept_until(KEPT_CLASS, config.get().country, now=timezone.now())
        return closed_at is not None and closed_at < kept_until
    except NotAuthentic:
        return False
