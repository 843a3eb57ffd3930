"""A person looks at what risk decided: of the operator's own, or because the sender contests it."""

from __future__ import annotations

import secrets
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from parcelward.base.errors import Conflict, Invalid, NotFound
from parcelward.custody import actions as custody
from parcelward.people.queries import require
from parcelward.people.wire import Person, Task
from parcelward.risk.decision_check import APPEALED, REVIEWED, review_seal
from parcelward.risk.language.life import REASON_MAX
from parcelward.risk.models import Appeal, Decision, Review
from parcelward.risk.reach import theirs
from parcelward.risk.wire import Answer

STOPS: Final = frozenset({Answer.HOLD, Answer.REFUSE})
"""Answers that can be contested: the others let an order go on."""
SAID: Final = frozenset({Answer.ALLOW, Answer.REFUSE})
"""What a person may say."""


@transaction.atomic
def appeal(decision: UUID, *, by: Person) -> None:
    """Contest what was decided about one's own order: a person looks, another one than before. Once for a decision.

    Twice changes nothing. Raises NotFound, Conflict where nothing was stopped or an appeal was answered.
    """
    require(by, Task.APPEAL)
    row = _locked(decision)
    if not theirs(row.owner, by):
        raise NotFound("No such decision")
    known = Appeal.objects.filter(pk=decision).first()
    if known is not None and known.review_id is None:
        return
    if known is not None:
        raise Conflict("This was looked at again already, and the answer stays", code="appeal_answered")
    newest = Review.objects.filter(decision=row).order_by("-id").first()
    if Answer(newest.answer if newest else row.answer) not in STOPS:
        raise Conflict("This order was not stopped, so there is nothing to contest", code="not_stopped")
    Appeal.objects.create(decision=row, by=by.source, at=timezone.now())
    custody.record_fact(APPEALED, {"by": by.source, "decision": str(decision)})


@transaction.atomic
def review(decision: UUID, answer: Answer, reason: str, *, by: Person) -> None:
    """Say, as a person, whether an order goes on or is refused; it answers an open appeal too. The newest stands.

    The same again changes nothing. Raises NotFound, Invalid, Conflict for a decision that a newer one has followed, and
    where who looks at an appeal is who looked before.
    """
    require(by, Task.REVIEW_DECISION)
    if answer not in SAID:
        raise Invalid("A person says allow or refuse", code="bad_answer")
    if not 1 <= len(reason.strip()) <= REASON_MAX or not reason.isprintable():
        raise Invalid("Give a reason of 1 to 200 characters", code="bad_reason")
    row = _locked(decision)
    if Decision.objects.filter(order=row.order, round__gt=row.round).exists():
        raise Conflict("This order was decided anew since: look at the newest decision", code="decided_anew")
    newest = Review.objects.filter(decision=row).order_by("-id").first()
    contested = Appeal.objects.select_for_update().filter(pk=decision, review=None).first()
    if contested is None and newest is not None and (newest.answer, newest.by) == (answer.value, by.source):
        return
    if contested is not None and newest is not None and newest.by == by.source:
        raise Conflict("You have decided on this before: another person looks at an appeal", code="second_person")
    made = Review(decision=row, answer=answer.value, reason=reason.strip(), by=by.source, at=timezone.now())
    made.salt = secrets.token_bytes(16)
    made.save(force_insert=True)
    said = {"answer": made.answer, "appeal": contested is not None, "by": by.source, "decision": str(decision)}
    custody.record_fact(REVIEWED, {**said, "review": made.id, "seal": review_seal(made)})
    if contested is not None:
        contested.review = made
        contested.save(update_fields=["review"])


def _locked(decision: UUID) -> Decision:
    row = Decision.objects.select_for_update().filter(pk=decision).first()
    if row is None:
        raise NotFound("No such decision")
    return row
