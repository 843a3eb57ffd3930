"""Let a rule not count for one customer for a time, who is known by the account key of one of their orders."""

from __future__ import annotations

import datetime as dt
import secrets
import uuid
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from parcelward.base.errors import Conflict, NotFound
from parcelward.custody import actions as custody
from parcelward.people.queries import require
from parcelward.people.wire import Person, Task
from parcelward.risk import rule_book
from parcelward.risk.decision_check import SNOOZE_ENDED, SNOOZED, snooze_seal
from parcelward.risk.language import life
from parcelward.risk.models import Observation, RuleVersion, Snooze


@transaction.atomic
def snooze_rule(rule: str, order: UUID, *, until: dt.datetime, reason: str, by: Person) -> UUID:
    """Let a rule not count for whoever made this order, until a moment; return the snooze's id.

    The same again is the same snooze. Raises NotFound, Invalid for an end that is too far or no reason, Conflict.
    """
    require(by, Task.SNOOZE_RULE)
    known = {one.rule for one in rule_book.shipped()}
    if rule not in known and not RuleVersion.objects.filter(rule=rule).exists():
        raise NotFound("No such rule")
    observed = Observation.objects.filter(pk=order).first()
    if observed is None:
        raise NotFound("No such order")
    if observed.account is None:
        raise Conflict("Nobody knows which account made this order, so no rule can be snoozed for it")
    now = timezone.now()
    life.snooze(rule, observed.account.hex, until=until, reason=reason, by=rule_book.someone(by.source), now=now)
    same = Snooze.objects.filter(rule=rule, customer=observed.account, until=until, by=by.source, ended_at=None).first()
    if same is not None:
        return same.id
    made = Snooze(id=uuid.uuid4(), rule=rule, customer=observed.account, until=until, reason=reason, by=by.source)
    made.made_at, made.salt = now, secrets.token_bytes(16)
    made.save(force_insert=True)
    said = {"by": by.source, "rule": rule, "snooze": str(made.id), "until": until.isoformat()}
    custody.record_fact(SNOOZED, {**said, "seal": snooze_seal(made)})
    return made.id


@transaction.atomic
def end_snooze(snooze_id: UUID, *, by: Person) -> None:
    """Let the rule count again. Twice changes nothing. Raises NotFound."""
    require(by, Task.SNOOZE_RULE)
    row = Snooze.objects.select_for_update().filter(pk=snooze_id).first()
    if row is None:
        raise NotFound("No such snooze")
    if row.ended_at is None:
        row.ended_at = timezone.now()
        row.save(update_fields=["ended_at"])
        custody.record_fact(SNOOZE_ENDED, {"by": by.source, "snooze": str(row.id)})
