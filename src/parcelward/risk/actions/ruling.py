"""What is done with rules: written, tried in shadow, let act by two people, taken back. Each step is an entry."""

from __future__ import annotations

import contextlib
import secrets
import uuid
from dataclasses import replace
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from parcelward.base.errors import NotFound
from parcelward.custody import actions as custody
from parcelward.people import actions as people
from parcelward.people.queries import require, waiting_request
from parcelward.people.wire import Person, Task
from parcelward.risk import past, rule_book
from parcelward.risk.facts import SCHEMA
from parcelward.risk.language import life, reading, trying
from parcelward.risk.language.life import Stage, Version
from parcelward.risk.language.problems import Refused
from parcelward.risk.models import RuleMove, RuleVersion
from parcelward.risk.rule_book import HOUSE, someone, version_of
from parcelward.risk.rule_check import MOVED, WRITTEN, rule_seal
from parcelward.risk.wire import Answer, Tried

MANY: Final = "many_are_meant"
_ANOTHER: Final = UUID(int=2**128 - 1)  # nobody has this source


@transaction.atomic
def write_rule(rule: str, text: str, answer: Answer, words: str, *, by: Person) -> UUID:
    """Write a rule, or the next version of one, as a draft; return the version's id. The same again is the same draft.

    Raises Refused with all that is wrong with it (language/problems.py), Invalid, Conflict.
    """
    require(by, Task.WRITE_RULES)
    _lock()
    newest = RuleVersion.objects.filter(rule=rule).order_by("-number").first() or _touched(rule)
    same = (Stage.DRAFT, by.source, text, answer.value, words)
    if newest is not None and (newest.stage, newest.written_by, newest.text, newest.answer, newest.words) == same:
        return newest.id
    after = None if newest is None else version_of(newest)
    made = life.write(SCHEMA, rule=rule, text=text, answer=answer, words=words, by=someone(by.source), after=after)
    return _stored(uuid.uuid4(), made, by.source).id


@transaction.atomic
def move_rule(version_id: UUID, to: Stage, *, by: Person) -> None:
    """Bring a version into shadow, back to a draft, or retire it. Twice changes nothing. Raises NotFound, Conflict.

    To let it act takes two people: `ask_to_activate`.
    """
    require(by, Task.WRITE_RULES)
    _lock()
    row = _row(version_id)
    if row.stage == to:
        return
    version = version_of(row)
    beside = [version_of(other) for other in RuleVersion.objects.all()]
    beside += rule_book.untouched(RuleVersion.objects.all())
    _moved(row, life.moved(version, to, beside=beside), by)


def try_rule(version_id: UUID, *, by: Person) -> Tried:
    """Return what a version would have done to the orders of the past months. Changes nothing. Raises NotFound."""
    require(by, Task.WRITE_RULES)
    version = _version(version_id)
    return past.told(*_tried(version.rule, version.text))


def try_text(rule: str, text: str, *, by: Person) -> Tried:
    """Return what a text would have done as a rule of this code, before it is written. Changes nothing.

    Raises Refused with all that is wrong with it.
    """
    require(by, Task.WRITE_RULES)
    return past.told(*_tried(rule, text))


def ask_to_activate(version_id: UUID, reason: str, *, many_are_meant: bool = False, by: Person) -> UUID:
    """Ask a second person to let a version act that is in shadow; return the request's id.

    Raises Conflict (code `stops_many`) for one that would have stopped many recent orders, unless that is meant.
    """
    require(by, Task.ACTIVATE_RULE)
    version = _version(version_id)
    found, _ = _tried(version.rule, version.text)
    # Nobody is asked for what could not be agreed to.
    life.activated(version, found, asked_by=someone(by.source), approved_by=_ANOTHER, many_are_meant=many_are_meant)
    about = {"version": str(version_id), "rule": version.rule, "number": str(version.number)}
    about[MANY] = "yes" if many_are_meant else "no"
    return people.ask(Task.ACTIVATE_RULE, str(version_id), about, reason, by=by)


def agree_to_rule(request_id: UUID, *, by: Person) -> None:
    """Agree, as a second person who did not write it: from now on the version acts, and an earlier one is retired.

    It is tried once more, on the orders that came since. Twice changes nothing. Raises Conflict, Invalid, NotFound.
    """
    require(by, Task.ACTIVATE_RULE)
    version_id = UUID(waiting_request(request_id, by=by).about["version"])
    version = _version(version_id)
    found, _ = _tried(version.rule, version.text)  # before anybody's rows are held: it takes seconds
    with transaction.atomic():
        asked = people.agree_within(request_id, Task.ACTIVATE_RULE, by=by)
        if asked is None:
            return
        _lock()
        row = _row(version_id)
        acts = life.activated(
            version_of(row),
            found,
            asked_by=someone(asked.asked_by),
            approved_by=someone(by.source),
            many_are_meant=asked.about[MANY] == "yes",
        )
        before = RuleVersion.objects.filter(rule=row.rule, stage=Stage.ACTIVE).first()
        if before is not None:
            _moved(before, replace(version_of(before), stage=Stage.RETIRED), by)
        _moved(row, acts, by, request=request_id)


def _lock() -> None:
    """Let nobody else move a rule until the transaction ends: how many there may be is a matter of all of them."""
    list(RuleVersion.objects.select_for_update().order_by("id").values_list("id"))


def _version(version_id: UUID) -> Version:
    row = RuleVersion.objects.filter(pk=version_id).first()
    found = version_of(row) if row else _shipped(version_id)
    if found is None:
        raise NotFound("No such rule")
    return found


def _shipped(version_id: UUID) -> Version | None:
    return next((one for one in rule_book.shipped() if rule_book.shipped_id(one) == version_id), None)


def _row(version_id: UUID) -> RuleVersion:
    """Return the row of a version; a shipped one has one from now on."""
    row = RuleVersion.objects.filter(pk=version_id).first()
    if row is not None:
        return row
    version = _shipped(version_id)
    if version is None:
        raise NotFound("No such rule")
    return _stored(version_id, version, HOUSE)


def _touched(rule: str) -> RuleVersion | None:
    """Return the row of a shipped rule that is followed by an operator's version from now on."""
    version = next((one for one in rule_book.shipped() if one.rule == rule), None)
    return None if version is None else _stored(rule_book.shipped_id(version), version, HOUSE)


def _stored(version_id: UUID, version: Version, source: int) -> RuleVersion:
    row = RuleVersion(
        id=version_id,
        rule=version.rule,
        number=version.number,
        text=version.text,
        form=version.form,
        answer=version.answer.value,
        words=version.words,
        written_by=source,
        written_at=timezone.now(),
        stage=version.stage.value,
        salt=secrets.token_bytes(16),
    )
    row.save(force_insert=True)
    said = {"by": source, "number": row.number, "rule": row.rule, "stage": row.stage, "version": str(row.id)}
    custody.record_fact(WRITTEN, {**said, "seal": rule_seal(row)})
    return row


def _moved(row: RuleVersion, version: Version, by: Person, *, request: UUID | None = None) -> None:
    row.stage = version.stage.value
    row.approved_by = None if version.approved_by is None else version.approved_by.int
    row.save(update_fields=["stage", "approved_by"])
    RuleMove.objects.create(version=row, stage=row.stage, by=by.source, at=timezone.now(), request=request)
    said = {"by": by.source, "stage": row.stage, "version": str(row.id)}
    custody.record_fact(MOVED, {**said, "request": None if request is None else str(request)})


def _tried(rule: str, text: str) -> tuple[trying.Tried, tuple[UUID, ...]]:
    node = reading.read(text, SCHEMA)
    stored = list(RuleVersion.objects.filter(stage=Stage.ACTIVE))
    acting = [*map(version_of, stored), *rule_book.untouched(RuleVersion.objects.all())]
    beside = []
    for other in acting:
        with contextlib.suppress(Refused):  # it is set aside where orders are decided, too
            if other.rule != rule:
                beside.append(reading.read(other.text, SCHEMA))
    return past.tried(node, beside=beside, now=timezone.now())
