"""Rules for ids that the table of dangerous goods does not have: one person writes one, another agrees."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from parcelward.base.errors import Invalid, NotFound
from parcelward.custody import actions as custody
from parcelward.parcels import ruled_ids
from parcelward.parcels.hazmat import table
from parcelward.parcels.hazmat.wire import Answer
from parcelward.parcels.models import HazmatRule
from parcelward.parcels.ruled_ids import AGREED, WRITTEN, digest
from parcelward.people import actions as people
from parcelward.people.queries import require, waiting_request
from parcelward.people.wire import Person, Task

CLAUSE_MAX: Final = 80
SOURCE_MAX: Final = 400


@transaction.atomic
def ask_for_hazmat_rule(
    un: str, answer: Answer, *, clause: str, source: str, valid_from: dt.date, reason: str, by: Person
) -> UUID:
    """Write a rule for an id and ask a second person to let it stand; return the request's id.

    Until then the id stays held. `clause` names the law or the approval, `source` gives its words. Raises Invalid;
    Conflict where another rule for the id waits.
    """
    require(by, Task.WRITE_HAZMAT_RULES)
    known = table.canonical(un.strip())
    if not known:
        raise Invalid("Give an id as it stands on the box, such as UN3551", code="bad_un")
    if table.rows_of(known):
        raise Invalid(f"The table of {table.date()} has this id: its rows decide", code="un_of_the_table")
    for name, text, longest in (("clause", clause, CLAUSE_MAX), ("source", source, SOURCE_MAX)):
        if not 1 <= len(text.strip()) <= longest or not text.isprintable():
            raise Invalid(f"Give the {name} in 1 to {longest} characters", code=f"bad_{name}")
    made = HazmatRule(id=uuid.uuid4(), un=known, answer=int(answer), clause=clause.strip(), source=source.strip())
    made.valid_from, made.written_by, made.written_at = valid_from, by.source, timezone.now()
    made.save(force_insert=True)
    custody.record_fact(WRITTEN, {"by": by.source, "digest": digest(made), "rule": str(made.id), "un": known})
    return people.ask(Task.WRITE_HAZMAT_RULES, known, {"rule": str(made.id), "un": known}, reason, by=by)


@transaction.atomic
def agree_to_hazmat_rule(request_id: UUID, *, by: Person) -> None:
    """Agree as a second person: the rule stands from its day on. Twice changes nothing. Raises Conflict, NotFound."""
    require(by, Task.WRITE_HAZMAT_RULES)
    rule = UUID(waiting_request(request_id, by=by).about["rule"])
    if people.agree_within(request_id, Task.WRITE_HAZMAT_RULES, by=by) is None:
        return
    row = HazmatRule.objects.select_for_update().filter(pk=rule, agreed_at=None).first()
    if row is None:
        raise NotFound("No such rule")
    row.agreed_by, row.agreed_at = by.source, timezone.now()
    row.save(update_fields=["agreed_by", "agreed_at"])
    said = {"by": by.source, "digest": digest(row), "request": str(request_id), "rule": str(row.id)}
    custody.record_fact(AGREED, said)
    transaction.on_commit(ruled_ids.forget)
