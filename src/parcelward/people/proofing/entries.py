"""What the log says of proofs: after each change, every column of the row that decides anything. No personal data.

A row and the last entry about it must be the same (`check.py`), so the same list makes the entry and reads it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from parcelward.custody import actions as custody
from parcelward.people.models import CounterProof, Evidence, Letter
from parcelward.people.wire import Person

LEVEL_PROVEN: Final = "people.level_proven"
LEVEL_ENDED: Final = "people.level_ended"
LETTER_REQUESTED: Final = "people.letter_requested"
LETTER_PRINTED: Final = "people.letter_printed"
LETTER_CONFIRMED: Final = "people.letter_confirmed"
LETTER_CANCELLED: Final = "people.letter_cancelled"
LETTER_EXPIRED: Final = "people.letter_expired"
CHECK_STARTED: Final = "people.check_started"
CHECK_DECIDED: Final = "people.check_decided"
CHECK_REVIEWED: Final = "people.check_reviewed"
CHECK_CANCELLED: Final = "people.check_cancelled"
CHECK_EXPIRED: Final = "people.check_expired"
RETAINED: Final = "people.retention"  # rows that went by age

KINDS: Final[Mapping[type, tuple[str, ...]]] = {
    Evidence: (LEVEL_PROVEN, LEVEL_ENDED),
    Letter: (LETTER_REQUESTED, LETTER_PRINTED, LETTER_CONFIRMED, LETTER_CANCELLED, LETTER_EXPIRED),
    CounterProof: (CHECK_STARTED, CHECK_DECIDED, CHECK_REVIEWED, CHECK_CANCELLED, CHECK_EXPIRED),
}
COLUMNS: Final[Mapping[type, Mapping[str, str]]] = {
    Evidence: {
        "evidence": "id",
        "person": "user_id",
        "level": "level",
        "method": "method",
        "token": "token",
        "source": "source_id",
        "proof": "proof",
        "since": "since",
        "until": "until",
        "ended_at": "ended_at",
    },
    Letter: {
        "letter": "id",
        "person": "user_id",
        "token": "token",
        "for": "kind",
        "state": "state",
        "digest": "digest",
        "printed": "printed",
        "printed_at": "printed_at",
        "asked_at": "asked_at",
        "expires_at": "expires_at",
        "ended_at": "ended_at",
    },
    CounterProof: {
        "check": "id",
        "person": "user_id",
        "token": "token",
        "reference": "reference",
        "state": "state",
        "source": "source_id",
        "reviewer": "reviewer_id",
        "started_at": "started_at",
        "expires_at": "expires_at",
        "checked_at": "checked_at",
        "told_from": "told_from",
        "ended_at": "ended_at",
    },
}
"""Name in the entry -> column of the row. The kind of the document is left out: it says something of a person."""
assert COLUMNS.keys() == KINDS.keys(), "every table of proofs has its entries"  # noqa: S101 -- a hole must stop the start


def record(kind: str, row: Evidence | Letter | CounterProof, *, by: Person) -> None:
    """Make the entry of a change, in its transaction."""
    columns = COLUMNS[type(row)]
    custody.record_fact(
        kind, {"by": by.source, **{name: said(getattr(row, column)) for name, column in columns.items()}}
    )


def said(value: Any) -> Any:
    """Return a column's value as an entry says it."""
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat()
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else str(value)
