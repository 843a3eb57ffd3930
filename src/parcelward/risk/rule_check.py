"""Compare rules, and who let them act, with their entries: part of `verify-log`.

Whoever could turn these rows would let any order through: a rule that two people let act and that says something else,
or one that is retired and nobody retired it.
"""

from __future__ import annotations

import json
from typing import Any, Final

from parcelward.custody.queries import Findings, Told, told
from parcelward.people.queries import TWO_AGREED
from parcelward.risk.models import RuleVersion
from parcelward.risk.stored import seal

WRITTEN: Final = "risk.rule_written"
MOVED: Final = "risk.rule_moved"
_SAYS: Final = ("rule", "number", "text", "form", "answer", "words", "written_by")


def rule_seal(row: RuleVersion) -> str:
    """Return what the log says of a rule's text: it holds it fast, and tells nothing of it."""
    return seal(bytes(row.salt), json.dumps([getattr(row, name) for name in _SAYS]))


def check_rules(findings: Findings) -> None:
    """Note every rule that is not what the log's entries say, and each that acts though no two people let it."""
    entries: dict[str, Told] = {}
    newest: dict[str, Told] = {}
    agreed = {entry.said["request"]: entry.said["by"] for entry in told(TWO_AGREED)}
    for entry in told(WRITTEN, MOVED):
        version = entry.said["version"]
        newest[version] = entry
        if entry.kind == WRITTEN:
            entries[version] = entry
        elif entry.said["stage"] == "active" and agreed.get(entry.said["request"]) != entry.said["by"]:
            what = f"Rule version {version} acts, and no second person agreed to it."
            findings.note(what, differs="rule", index=entry.place)
    for row in RuleVersion.objects.all():
        written, moved = entries.pop(str(row.id), None), newest.get(str(row.id))
        if written is None or moved is None:
            findings.note(f"Rule version {row.id} is in the table and nobody wrote it.", differs="rule")
        elif _said(row) != (written.said["seal"], moved.said["stage"], _approved(moved)):
            what = f"Rule version {row.id} is not what the log's entries say."
            findings.note(what, differs="rule", index=moved.place)
    for version, entry in entries.items():
        findings.note(f"Rule version {version} was written and is gone.", differs="rule", index=entry.place)


def _said(row: RuleVersion) -> tuple[Any, ...]:
    return rule_seal(row), row.stage, row.approved_by


def _approved(moved: Told) -> int | None:
    acts = moved.kind == MOVED and moved.said["stage"] == "active"
    return int(moved.said["by"]) if acts else None
