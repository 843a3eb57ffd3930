"""Compare decisions, and what people said of them, with their entries: part of `verify-log`.

Whoever could turn these rows would let an order through that was stopped, or show a reason that there was not.
Decisions go by age: what is older than the newest forgetting is not looked for.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any, Final

from django.db import transaction
from psycopg import ServerCursor

from parcelward.base import db
from parcelward.custody.queries import Findings, told
from parcelward.risk.models import Appeal, Review, Snooze
from parcelward.risk.stored import SPOKE, seal

DECIDED: Final = "risk.decision"
REVIEWED: Final = "risk.reviewed"
APPEALED: Final = "risk.appealed"
SNOOZED: Final = "risk.rule_snoozed"
SNOOZE_ENDED: Final = "risk.snooze_ended"
LEARNT: Final = "risk.outcome"
RETAINED: Final = "risk.retention"

AT_ONCE: Final = 2_000
_ROWS: Final = 'SELECT id::text, "order"::text, round, owner::text, answer, at, spoke, body, salt FROM risk_decision'


def snooze_seal(row: Snooze) -> str:
    """Return what the log says of a snooze beside its rule and its end."""
    return seal(bytes(row.salt), json.dumps([str(row.customer), row.reason]))


def review_seal(row: Review) -> str:
    """Return what the log says of a review beside its answer."""
    return seal(bytes(row.salt), row.reason)


def gone_before(kept_class: str) -> dt.datetime:
    """Return before which moment rows of a class were forgotten by age, as the log says."""
    said = [one.said["before"] for one in told(RETAINED) if one.said["class"] == kept_class]
    return max(map(dt.datetime.fromisoformat, said), default=dt.datetime(1970, 1, 1, tzinfo=dt.UTC))


def check_decisions(findings: Findings) -> None:
    """Note every decision, review, appeal and snooze that is not as its entry says."""
    kept = _check_rows(findings, gone_before("decisions"))
    _check_reviews(findings, kept)
    _check_snoozes(findings, gone_before("snoozes"))


def _check_rows(findings: Findings, oldest: dt.datetime) -> frozenset[str]:
    """Compare the decisions; return the ids of those that are there."""
    said: dict[str, tuple[str, str, dt.datetime, int | None]] = {}
    for _, entry, place in told(DECIDED):
        said[entry["decision"]] = (entry["answer"], entry["seal"], dt.datetime.fromisoformat(entry["for"]), place)
    kept = set()
    for row in _rows():
        kept.add(row[0])
        answer, sealed, _, place = said.pop(row[0], ("", "", oldest, None))
        if not sealed:
            findings.note(f"Decision {row[0]} is in the table and nobody made it.", differs="decision")
        elif answer != row[4] or seal(bytes(row[8]), row[7]) != sealed or _columns(row[7]) != tuple(row[:7]):
            findings.note(f"Decision {row[0]} is not as it was recorded.", differs="decision", index=place)
    for decision, (_, _, at, place) in said.items():
        if at >= oldest:
            findings.note(f"Decision {decision} was recorded and is gone.", differs="decision", index=place)
    return frozenset(kept)


def _rows() -> Iterator[tuple[Any, ...]]:
    with transaction.atomic(), ServerCursor(db.raw(), "risk_decisions") as cur:
        cur.itersize = AT_ONCE
        yield from cur.execute(_ROWS)


def _columns(body: str) -> tuple[Any, ...]:
    said = json.loads(body)
    at = dt.datetime.fromisoformat(said["at"])
    spoke = " ".join(f"{one['code']}/{one['version']}" for name in SPOKE for one in said[name])
    return said["id"], said["order"], said["round"], said["owner"], said["answer"], at, spoke


def _check_reviews(findings: Findings, kept: frozenset[str]) -> None:
    rows = {row.id: row for row in Review.objects.all()}
    contested = {str(row.decision_id): (row.by, row.review_id) for row in Appeal.objects.all()}
    appealed: dict[str, tuple[int, int | None]] = {}
    for kind, entry, place in told(APPEALED, REVIEWED):
        decision = entry["decision"]
        if decision not in kept:  # it went by age, or is noted as gone
            continue
        if kind == APPEALED:
            appealed[decision] = entry["by"], None
            continue
        if entry["appeal"] and decision in appealed:
            appealed[decision] = appealed[decision][0], entry["review"]
        row = rows.pop(entry["review"], None)
        was = None if row is None else (str(row.decision_id), row.answer, row.by, review_seal(row))
        if was != (decision, entry["answer"], entry["by"], entry["seal"]):
            what = f"Review {entry['review']} of decision {decision} is not as it was recorded."
            findings.note(what, differs="review", index=place)
    for number in rows:
        findings.note(f"Review {number} is in the table and nobody made it.", differs="review")
    for decision in appealed.keys() | contested.keys():
        if appealed.get(decision) != contested.get(decision):
            findings.note(f"The appeal against {decision} is not as it was recorded.", differs="review")


def _check_snoozes(findings: Findings, oldest: dt.datetime) -> None:
    rows = {str(row.id): row for row in Snooze.objects.all()}
    made: dict[str, tuple[dict[str, Any], int | None]] = {}
    ended = set()
    for kind, entry, place in told(SNOOZED, SNOOZE_ENDED):
        if kind == SNOOZED:
            made[entry["snooze"]] = entry, place
        else:
            ended.add(entry["snooze"])
    for each, (entry, place) in made.items():
        row, until = rows.pop(each, None), dt.datetime.fromisoformat(entry["until"])
        if row is None and until < oldest:
            continue
        was = None if row is None else (row.rule, row.until, row.by, snooze_seal(row), row.ended_at is not None)
        if was != (entry["rule"], until, entry["by"], entry["seal"], each in ended):
            findings.note(f"Snooze {each} is not as it was recorded.", differs="snooze", index=place)
    for each in rows:
        findings.note(f"Snooze {each} is in the table and nobody made it.", differs="snooze")
