"""Compare levels, letters and checks with the entries that made them: part of `verify-log`.

Whoever can write one row of evidence gives a stranger somebody's address; whoever can turn a letter's row makes a code
of their own the right one. How often a wrong code was tried and which kind of document was seen are no part of it.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Final
from uuid import UUID

from parcelward.base import db
from parcelward.custody.queries import Findings, Told, told
from parcelward.people.models import CounterProof, Evidence, Letter
from parcelward.people.proofing.entries import COLUMNS, KINDS, RETAINED, said

_NAMES: Final[dict[type, tuple[str, str]]] = {
    Evidence: ("proven_level", "What somebody has proven"),
    Letter: ("proofing_letter", "A letter to prove an address"),
    CounterProof: ("counter_check", "A check at the counter"),
}


CLASSES: Final = {Evidence: "proofs", Letter: "letters", CounterProof: "counter_checks"}
"""Table -> what the table of retention calls it."""


def check_proofs(findings: Findings) -> None:
    """Note every row about a proof that is not what the last entry about it says."""
    for model in (Evidence, Letter, CounterProof):
        _check(model, findings)


def _check(model: type[Evidence | Letter | CounterProof], findings: Findings) -> None:
    columns = COLUMNS[model]
    differs, what = _NAMES[model]
    last: dict[str, Told] = {}
    for entry in told(*KINDS[model]):
        last[entry.said[next(iter(columns))]] = entry
    stored = _rows(model)
    gone_before = max((one.said["before"] for one in told(RETAINED) if one.said["class"] == CLASSES[model]), default="")
    for key, entry in last.items():
        row = stored.pop(key, None)
        if row is None:
            if _went_by_age(entry.said, gone_before):
                continue
            findings.note(f"{what} ({key}) is in the log and its row is gone.", differs=differs, index=entry.place)
            continue
        wrong = [name for name, value in row.items() if entry.said.get(name, value) != value]
        if wrong:
            words = f"{what} ({key}) differs from its entry: {', '.join(wrong)}."
            findings.note(words, differs=differs, index=entry.place)
    for key in stored:
        findings.note(f"{what} ({key}) is in the table and no entry made it.", differs=differs)


def _went_by_age(said: dict[str, Any], gone_before: str) -> bool:
    """Return whether an entry of the log says that rows as old as this were forgotten."""
    ends = [said.get("ended_at") if "evidence" in said else None, said.get("until") or said["expires_at"]]
    return bool(gone_before) and any(
        dt.datetime.fromisoformat(end) < dt.datetime.fromisoformat(gone_before) for end in ends if end
    )


def _rows(model: type[Evidence | Letter | CounterProof]) -> dict[str, dict[str, Any]]:
    columns = COLUMNS[model]
    with db.cursor() as cur:
        cur.execute(f"SELECT {', '.join(columns.values())} FROM {model._meta.db_table}")  # noqa: S608, SLF001 -- our own names
        found = cur.fetchall()
    rows = ({name: said(value) for name, value in zip(columns, row, strict=True)} for row in found)
    return {str(UUID(row[next(iter(columns))])): row for row in rows}
