"""The operator's rules for ids that the table of dangerous goods does not have, as every screening asks for them.

Each process keeps them and looks again after seconds, so that no order costs a question of the database. The rows are
compared with their entries in `verify-log`: who could turn them would send anything by air.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.utils import timezone

from parcelward.custody.queries import Findings, Told, told
from parcelward.parcels.hazmat.wire import Answer, OperatorRule, OperatorRules
from parcelward.parcels.models import HazmatRule
from parcelward.people.queries import TWO_AGREED, require
from parcelward.people.wire import Person, Task

LOOK_AGAIN_S: Final = 2.0  # by then every process screens by a new rule
WRITTEN: Final = "parcels.hazmat_rule_written"
AGREED: Final = "parcels.hazmat_rule_agreed"
SHOWN_MAX: Final = 200

_kept: tuple[OperatorRules, float] = ({}, 0.0)


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One rule as the desk shows it."""

    un: str
    answer: Answer
    clause: str
    source: str
    valid_from: dt.date
    agreed: bool
    stands: bool  # it is the one that screenings ask


def operator_rules() -> OperatorRules:
    """Return the rules that stand today, by id."""
    global _kept  # noqa: PLW0603 -- one process-wide copy, replaced whole
    if not _kept[1] or time.monotonic() - _kept[1] > LOOK_AGAIN_S:
        standing = {un: OperatorRule(Answer(row.answer), f"{row.clause}: {row.source}") for un, row in _stand().items()}
        _kept = standing, time.monotonic()
    return _kept[0]


def forget() -> None:
    """Read the rules anew at the next question."""
    global _kept  # noqa: PLW0603 -- as above
    _kept = {}, 0.0


def _stand() -> dict[str, HazmatRule]:
    """Return, by id, the newest rule that two people agreed to and whose day has come."""
    rows = HazmatRule.objects.filter(agreed_at__isnull=False, valid_from__lte=timezone.now().date())
    return {row.un: row for row in rows.order_by("valid_from", "agreed_at")}


def hazmat_rules(*, by: Person) -> Sequence[RuleRow]:
    """Return the rules of the operator, the newest first."""
    require(by, Task.WRITE_HAZMAT_RULES)
    standing = {row.id for row in _stand().values()}
    rows = HazmatRule.objects.order_by("-written_at")[:SHOWN_MAX]
    return [
        RuleRow(
            row.un,
            Answer(row.answer),
            row.clause,
            row.source,
            row.valid_from,
            row.agreed_at is not None,
            row.id in standing,
        )
        for row in rows
    ]


def digest(row: HazmatRule) -> str:
    """Return what the log says of a rule's words."""
    said = [row.un, int(row.answer), row.clause, row.source, row.valid_from.isoformat()]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def check_hazmat_rules(findings: Findings) -> None:
    """Note every rule that is not as the log's entries say, and each that stands though no second person agreed."""
    written: dict[str, Told] = {one.said["rule"]: one for one in told(WRITTEN)}
    agreed: dict[str, Told] = {one.said["rule"]: one for one in told(AGREED)}
    two = {one.said["request"]: one.said["by"] for one in told(TWO_AGREED)}
    for row in HazmatRule.objects.all():
        first, second = written.pop(str(row.id), None), agreed.get(str(row.id))
        if first is None or first.said["digest"] != digest(row) or first.said["by"] != row.written_by:
            place = None if first is None else first.place
            findings.note(
                f"Dangerous goods rule {row.id} is not as it was recorded.", differs="hazmat_rule", index=place
            )
        by = None if second is None else second.said["by"]
        if by != row.agreed_by or (second is not None and two.get(second.said["request"]) != by):
            place = None if second is None else second.place
            findings.note(
                f"Dangerous goods rule {row.id} stands and no second person agreed.", differs="hazmat_rule", index=place
            )
    for rule, entry in written.items():
        findings.note(
            f"Dangerous goods rule {rule} was recorded and is gone.", differs="hazmat_rule", index=entry.place
        )
