"""Models: kept as challengers when they were learnt; one person lets one score orders, and takes it away again.

A score decides nothing by itself: rules ask about it, and each of these was agreed to by two people.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from parcelward.base.errors import Conflict, NotFound
from parcelward.custody import actions as custody
from parcelward.people.queries import require
from parcelward.people.wire import Person, Task
from parcelward.risk.model_check import LEARNT, MOVED
from parcelward.risk.models import LearntModel
from parcelward.risk.wire import ModelStage

if TYPE_CHECKING:
    from parcelward.risk.learning.challenging import Challenger

_SPACE: Final = UUID("0f1d0d8e-5a0b-4f2e-8f0a-6d8a7a0f9b11")


@transaction.atomic
def keep_challenger(made: Challenger, card: str, *, by: Person) -> UUID:
    """Keep a model that was learnt; what challenged before goes. The same again is the same. Returns its id."""
    require(by, Task.LEARN_OUTCOME)
    _lock()
    ident = uuid.uuid5(_SPACE, made.digest)
    if LearntModel.objects.filter(pk=ident).exists():
        return ident
    for older in LearntModel.objects.filter(stage=ModelStage.CHALLENGER.value):
        _move(older, ModelStage.RETIRED, by)
    row = LearntModel(id=ident, digest=made.digest, text=made.text, card=card, stage=ModelStage.CHALLENGER.value)
    row.learnt_at = timezone.now()
    row.save(force_insert=True)
    said = {"by": by.source, "card_sha256": hashlib.sha256(card.encode()).hexdigest(), "digest": made.digest}
    custody.record_fact(LEARNT, {**said, "model": str(ident)})
    return ident


@transaction.atomic
def choose_model(model: UUID, *, by: Person) -> None:
    """Let a challenger score every order from now on; what did so before is retired. Twice changes nothing.

    Raises NotFound, Conflict for one that is worse than the champion, or was held against another one.
    """
    require(by, Task.CHOOSE_MODEL)
    _lock()
    row = _row(model)
    if row.stage == ModelStage.CHAMPION.value:
        return
    if row.stage != ModelStage.CHALLENGER.value:
        raise Conflict("This model is retired: the next one is learnt by itself")
    champion = LearntModel.objects.filter(stage=ModelStage.CHAMPION.value).first()
    if not is_no_worse(row, champion):
        raise Conflict("On the last weeks this model is worse than the one that scores now", code="worse")
    if champion is not None:
        _move(champion, ModelStage.RETIRED, by)
    _move(row, ModelStage.CHAMPION, by)


@transaction.atomic
def retire_model(model: UUID, *, by: Person) -> None:
    """Take a model away: rules that ask for its score are silent then. Twice changes nothing. Raises NotFound."""
    require(by, Task.CHOOSE_MODEL)
    _lock()
    row = _row(model)
    if row.stage != ModelStage.RETIRED.value:
        _move(row, ModelStage.RETIRED, by)


def is_no_worse(row: LearntModel, champion: LearntModel | None) -> bool:
    """Return whether a challenger was held against the champion that there is, and is not worse beyond chance."""
    if champion is None:
        return True
    against = json.loads(row.card)["against"]
    return bool(against) and against["digest"] == champion.digest and against["high"] >= 0


def _lock() -> None:
    list(LearntModel.objects.select_for_update().order_by("id").values_list("id"))


def _row(model: UUID) -> LearntModel:
    row = LearntModel.objects.filter(pk=model).first()
    if row is None:
        raise NotFound("No such model")
    return row


def _move(row: LearntModel, to: ModelStage, by: Person) -> None:
    row.stage = to.value
    row.moved_by = by.source
    row.save(update_fields=["stage", "moved_by"])
    custody.record_fact(MOVED, {"by": by.source, "model": str(row.id), "stage": to.value})
