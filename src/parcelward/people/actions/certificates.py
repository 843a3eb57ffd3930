"""Note that somebody passed a training, and take back what was noted wrongly."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from parcelward.base.errors import Conflict, Invalid, NotFound
from parcelward.custody import actions as custody
from parcelward.people.actions import history
from parcelward.people.models import Certificate, Membership, User
from parcelward.people.roles import require
from parcelward.people.two_check import CERTIFICATE_REVOKED
from parcelward.people.two_check import CERTIFIED as NOTED
from parcelward.people.wire import CERTIFIED, Person, Task

DAYS_MAX: Final = 1096
"""Three years with a leap day: dangerous-goods training is repeated at least that often (49 CFR 172.704(c)(2))."""
TRAININGS: Final = frozenset(CERTIFIED.values())


@transaction.atomic
def certify(user: UUID, training: str, *, valid_from: dt.date, valid_until: dt.date, by: Person) -> UUID:
    """Note that somebody passed a training; return the certificate's id. Never one's own; twice changes nothing."""
    require(by, Task.CERTIFY)
    if training not in TRAININGS:
        raise Invalid("No task here asks for this training", code="bad_training")
    if valid_until < valid_from or (valid_until - valid_from).days > DAYS_MAX:
        raise Invalid("A certificate is valid for at least a day and at most three years", code="bad_dates")
    if user == by.id:
        raise Conflict("Nobody certifies themselves: a colleague must", code="two_people")
    row = User.objects.select_for_update().filter(id=user).first()
    if row is None or not Membership.objects.filter(user=row, ended_at=None).exists():
        raise NotFound("No such member")
    found = Certificate.objects.filter(user=row, training=training, revoked_at=None)
    same = found.filter(valid_from=valid_from, valid_until=valid_until).first()
    if same is not None:
        return same.id
    made = Certificate(id=uuid.uuid4(), user=row, training=training, valid_from=valid_from, valid_until=valid_until)
    made.noted_by_id, made.noted_at = by.source, timezone.now()
    made.save(force_insert=True)
    days = {"valid_from": valid_from.isoformat(), "valid_until": valid_until.isoformat()}
    said = {"certificate": str(made.id), "person": str(row.id), "training": training}
    custody.record_fact(NOTED, {"by": by.source, **said, **days})
    history.note(row, "certified", by=by, detail=training)
    return made.id


@transaction.atomic
def revoke_certificate(certificate: UUID, *, by: Person) -> None:
    """Let a certificate count no more. Doing it twice changes nothing."""
    require(by, Task.CERTIFY)
    row = Certificate.objects.select_for_update().filter(id=certificate).first()
    if row is None:
        raise NotFound("No such certificate")
    if row.revoked_at is None:
        row.revoked_at, row.revoked_by_id = timezone.now(), by.source
        row.save(update_fields=["revoked_at", "revoked_by"])
        custody.record_fact(CERTIFICATE_REVOKED, {"by": by.source, "certificate": str(row.id)})
        history.note(row.user_id, "certificate_revoked", by=by, detail=row.training)
