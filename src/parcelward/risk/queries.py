"""What others may read of risk, as frozen values: senders see their own, the operator's people with the right all.

Senders are told the answer and its sentences, never the numbers behind them: those would say how to pass next time.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Final
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from parcelward.base import db
from parcelward.base.errors import NotFound
from parcelward.people.queries import may, require, waiting_requests
from parcelward.people.wire import Person, Task
from parcelward.risk import decision_check, model_check, model_queries, rule_book, rule_check, rule_words, stored
from parcelward.risk.actions import stating
from parcelward.risk.facts import SCHEMA
from parcelward.risk.language import lexing, life, reading
from parcelward.risk.language.problems import Refused
from parcelward.risk.models import Appeal, Review, RuleMove, RuleVersion, Snooze
from parcelward.risk.models import Decision as Row
from parcelward.risk.reach import owner_of
from parcelward.risk.wire import (
    Answer,
    Decision,
    DecisionSeen,
    Field,
    Reason,
    Reviewed,
    RuleMoved,
    RuleSeen,
    SnoozeSeen,
    Wrong,
)

check_decisions, check_rules = decision_check.check_decisions, rule_check.check_rules
check_models = model_check.check_models
models, shares = model_queries.models, model_queries.shares
stated, picks = model_queries.stated, model_queries.picks
LOOKS_MAX: Final = stating.LOOKS_MAX
tried_words, reason_words = rule_words.tried, rule_words.reason
RULE_TEXT_MAX, RULE_WORDS_MAX, SNOOZE_DAYS_MAX = lexing.LENGTH_MAX, life.WORDS_MAX, life.SNOOZE_DAYS_MAX
REASON_MAX: Final = life.REASON_MAX
Stage = life.Stage

LISTED_MAX: Final = 200
HITS_DAYS: Final = 7
_HITS: Final = (
    "SELECT s, count(*) FROM risk_decision, unnest(string_to_array(spoke, ' ')) AS s "
    "WHERE at > %s AND spoke <> '' GROUP BY s"
)


def standing(order: UUID) -> Answer:
    """Return what stands of an order, for the house's own work: what a person said, or else the newest decision's.

    Raises NotFound for an order that nobody asked about.
    """
    row = Row.objects.filter(order=order).order_by("-round").first()
    if row is None:
        raise NotFound("No such order")
    said = Review.objects.filter(decision=row).order_by("-id").values_list("answer", flat=True).first()
    return Answer(said or row.answer)


def decision(order: UUID, *, by: Person) -> DecisionSeen:
    """Return the newest decision about an order. Raises NotFound for one that is not somebody's to see."""
    row = Row.objects.filter(_seen_by(by), order=order).order_by("-round").first()
    if row is None:
        raise NotFound("No such order")
    return _seen([row], by)[0]


def to_review(*, by: Person, limit: int = 50) -> tuple[DecisionSeen, ...]:
    """Return what waits for a person, the oldest first: what is contested, held, or let go on to be looked at."""
    require(by, Task.READ_DECISIONS)
    reviewed = Exists(Review.objects.filter(decision=OuterRef("pk")))
    contested = Exists(Appeal.objects.filter(decision=OuterRef("pk"), review=None))
    later = Exists(Row.objects.filter(order=OuterRef("order"), round__gt=OuterRef("round")))
    waits = contested | (Q(answer__in=[Answer.HOLD.value, Answer.REVIEW.value]) & ~reviewed)
    rows = Row.objects.filter(waits & ~later).order_by("at", "id")
    return _seen(rows[: min(limit, LISTED_MAX)], by)


def decisions(*, by: Person, limit: int = 50) -> tuple[DecisionSeen, ...]:
    """Return the newest decisions that somebody may see."""
    rows = Row.objects.filter(_seen_by(by)).order_by("-at", "-id")
    return _seen(rows[: min(limit, LISTED_MAX)], by)


def rules(*, by: Person) -> tuple[RuleSeen, ...]:
    """Return every version of every rule, those that are shipped too, in the order of their codes."""
    require(by, Task.READ_DECISIONS)
    stored_rows, hits = list(RuleVersion.objects.all()), _hits()
    asked = {one.about["version"]: one.id for one in waiting_requests(by=by) if one.task is Task.ACTIVATE_RULE}
    found = [_rule(row, asked.get(str(row.id)), hits) for row in stored_rows]
    for one in rule_book.untouched(stored_rows):
        ident, n = rule_book.shipped_id(one), hits.get(f"{one.rule}/{one.number}", 0)
        found.append(
            RuleSeen(ident, one.rule, one.number, one.stage, one.text, one.answer, one.words, 0, None, None, n)
        )
    return tuple(sorted(found, key=lambda one: (one.rule, one.number)))


def rule(version_id: UUID, *, by: Person) -> RuleSeen:
    """Return one version of a rule. Raises NotFound."""
    found = next((one for one in rules(by=by) if one.id == version_id), None)
    if found is None:
        raise NotFound("No such rule")
    return found


def rule_moves(version_id: UUID, *, by: Person) -> tuple[RuleMoved, ...]:
    """Return what became of a version, step by step; of a shipped one only what was done here."""
    require(by, Task.READ_DECISIONS)
    rows = RuleMove.objects.filter(version=version_id).order_by("id")
    return tuple(RuleMoved(row.stage, row.by, row.at) for row in rows)


def read_back(text: str) -> str:
    """Return a rule in plain words of the reader's language; empty where it cannot be read any more."""
    try:
        return rule_words.read_back(reading.read(text, SCHEMA))
    except Refused:
        return ""


def wrong_with(text: str) -> tuple[Wrong, ...]:
    """Return all that is wrong with a text as a rule, in the order of the text, in the reader's language."""
    try:
        reading.read(text, SCHEMA)
    except Refused as refused:
        return tuple(Wrong(one.start, one.end, rule_words.wrong(one)) for one in refused.findings)
    return ()


def fields() -> tuple[tuple[Field, str], ...]:
    """Return what a rule may ask about, each with its words."""
    return tuple((one, rule_words.field(one)) for one in SCHEMA.fields)


def _hits() -> dict[str, int]:
    """Return about how many of the last days' orders each version of a rule spoke, as `card_known/1`."""
    with db.cursor() as cur:
        cur.execute(_HITS, (timezone.now() - dt.timedelta(days=HITS_DAYS),))
        return dict(cur.fetchall())


def snoozes(*, by: Person) -> tuple[SnoozeSeen, ...]:
    """Return the snoozes that stand, those that end first before the others."""
    require(by, Task.READ_DECISIONS)
    rows = Snooze.objects.filter(ended_at=None, until__gt=timezone.now()).order_by("until", "id")[:LISTED_MAX]
    return tuple(SnoozeSeen(row.id, row.rule, row.until, row.reason, row.by) for row in rows)


def _rule(row: RuleVersion, request: UUID | None, hits: dict[str, int]) -> RuleSeen:
    made = (row.id, row.rule, row.number, row.stage, row.text, Answer(row.answer), row.words)
    return RuleSeen(*made, row.written_by, row.approved_by, request, hits.get(f"{row.rule}/{row.number}", 0))


def _seen_by(by: Person) -> Q:
    """Return the condition of the decisions that somebody may see."""
    if may(by, Task.READ_DECISIONS):
        return Q()
    require(by, Task.APPEAL)
    return Q(owner=owner_of(by))


def _seen(rows: QuerySet[Row] | list[Row], by: Person) -> tuple[DecisionSeen, ...]:
    found = list(rows)
    whole = may(by, Task.READ_DECISIONS)
    ids = [row.pk for row in found]
    reviews = {row.decision_id: row for row in Review.objects.filter(decision__in=ids).order_by("id")}
    appeals = {row.decision_id: row for row in Appeal.objects.filter(decision__in=ids)}
    return tuple(_one(row, reviews.get(row.pk), appeals.get(row.pk), whole=whole) for row in found)


def _one(row: Row, review: Review | None, appeal: Appeal | None, *, whole: bool) -> DecisionSeen:
    made = stored.decision(row.body)
    said = None
    if review is not None:
        by, reason = (review.by, review.reason) if whole else (0, "")  # who works here, and what they noted, stays here
        said = Reviewed(Answer(review.answer), reason, by, review.at)
    return DecisionSeen(
        made if whole else _plain(made),
        made.answer if said is None else said.answer,
        said,
        None if appeal is None else appeal.at,
        appeal is not None and appeal.review_id is None,
    )


def _plain(made: Decision) -> Decision:
    """Return a decision without what was counted and tried."""
    reasons = tuple(Reason(one.code, one.words, answer=one.answer) for one in made.reasons)
    return dataclasses.replace(
        made,
        reasons=reasons,
        proven=(),
        shadow=(),
        snoozed=(),
        set_aside=(),
        used={},
        missing=(),
        revision="",
        scorer="",
        score_reasons=(),
    )
