"""What may be read of models: which there are, and what each feature added to an order's score. Part of queries."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.db.models import Exists, OuterRef

from parcelward.base.errors import NotFound
from parcelward.people.queries import require
from parcelward.people.wire import Person, Task
from parcelward.risk import rule_words, stored
from parcelward.risk.actions.modelling import is_no_worse
from parcelward.risk.facts import SCHEMA
from parcelward.risk.features.table import TABLE
from parcelward.risk.learning import thresholds
from parcelward.risk.models import Decision, LearntModel, Outcome, Pick, Stated
from parcelward.risk.wire import Answer, ModelSeen, ModelStage, PickSeen, Share, StatedSeen

if TYPE_CHECKING:
    from parcelward.risk.learning.model import Model

LISTED_MAX: Final = 20
SHARES_MAX: Final = 6
PICKS_MAX: Final = 100


def models(*, by: Person) -> tuple[ModelSeen, ...]:
    """Return the newest models, and of each whether it may take the champion's place."""
    require(by, Task.READ_DECISIONS)
    champion = LearntModel.objects.filter(stage=ModelStage.CHAMPION.value).first()
    rows = LearntModel.objects.defer("text").order_by("-learnt_at")[:LISTED_MAX]
    return tuple(
        ModelSeen(
            row.id,
            row.digest,
            ModelStage(row.stage),
            row.learnt_at,
            json.loads(row.card),
            row.moved_by,
            is_no_worse(row, champion),
        )
        for row in rows
    )


def shares(order: UUID, *, by: Person) -> tuple[Share, ...]:
    """Return what each feature added to the score that an order was decided by: exact, the strongest first.

    It takes a model that is there still; of an order that no model scored there are none. Raises NotFound.
    """
    require(by, Task.READ_DECISIONS)
    row = Decision.objects.filter(order=order).order_by("-round").first()
    if row is None:
        raise NotFound("No such order")
    made = stored.decision(row.body)
    digest = made.scorer.rpartition(" ")[2]
    known = LearntModel.objects.filter(digest__startswith=digest).values_list("digest", flat=True).first()
    if not digest or known is None:
        return ()
    model = _model(known)
    given = {name: _number(made.used.get(name)) for name in model.columns.given}
    _, found = model.shares(given)
    return tuple(Share(_words(why.feature), _value(why.value), why.effect) for why in found[:SHARES_MAX] if why.effect)


@lru_cache(maxsize=2)
def _model(digest: str) -> Model:
    from parcelward.risk.learning import stored as texts  # noqa: PLC0415 -- only where there is a model

    text = bytes(LearntModel.objects.values_list("text", flat=True).get(digest=digest))
    return texts.read(text, expected=digest, features=frozenset(one.name for one in TABLE))


def _number(fact: object) -> float | None:
    return float(fact) if isinstance(fact, int | float) else None


def _words(feature: str) -> str:
    """Return a feature's words; a ratio of two has its name alone."""
    field = SCHEMA.by_name.get(feature)
    return feature if field is None else rule_words.field(field)


def stated(*, by: Person) -> StatedSeen | None:
    """Return what the operator stated, and the steps that follow from it; None until somebody has."""
    require(by, Task.READ_DECISIONS)
    row = Stated.objects.order_by("-id").first()
    if row is None:
        return None
    body = json.loads(row.body)
    costs = {Answer(name): (two[0], two[1]) for name, two in body["costs"].items()}
    steps = thresholds.cheapest({answer: thresholds.Cost(*two) for answer, two in costs.items()}).steps
    return StatedSeen(costs, body["looks_a_day"], steps)


def picks(*, by: Person) -> tuple[PickSeen, ...]:
    """Return the orders to look at though no rule asked for it, of which nobody has said anything since."""
    require(by, Task.READ_DECISIONS)
    known = Exists(Outcome.objects.filter(observation_id=OuterRef("decision__order"), at__gt=OuterRef("at")))
    found = []
    for row in Pick.objects.filter(~known).select_related("decision").order_by("-at", "decision_id")[:PICKS_MAX]:
        used = stored.decision(row.decision.body).used
        score = used.get("score")
        words = tuple(f"{_words(name)}: {rule_words.value(used.get(name))}" for name in row.why.split())
        at, unusual = row.decision.at, row.by == "surprise"
        found.append(PickSeen(row.decision.order, at, unusual, words, score if isinstance(score, float) else None))
    return tuple(found)


def _value(value: float | None) -> str:
    return rule_words.value(value)
