"""A rule's life as values: written, tried in shadow, active, retired. What is written is never changed, only followed.

None of this is stored here. Whoever stores it hands in who asks and who approves, and keeps the value that comes back.
"""

from __future__ import annotations

import datetime as dt
import enum
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from parcelward.base.errors import Conflict, Invalid
from parcelward.risk.language import reading
from parcelward.risk.language.schema import Schema
from parcelward.risk.language.tree import written
from parcelward.risk.language.trying import Tried
from parcelward.risk.wire import Answer

RULES_MAX = 200
"""Rules that are asked about an order: the active ones and those in shadow."""
WORDS_MAX = 200
"""Characters of the sentence that a rule gives as its reason."""
REASON_MAX = 200
"""Characters of the reason for a snooze."""
SNOOZE_DAYS_MAX = 90
STOPPED_SHARE_MAX = 0.02
"""Of recent orders, what a new rule may stop without anybody saying that so many are meant."""

_CODE = re.compile(r"[a-z][a-z0-9_]{2,39}", re.ASCII)


class Stage(enum.StrEnum):
    """Where a version of a rule is in its life."""

    DRAFT = "draft"
    SHADOW = "shadow"  # is asked, and what it says is kept, but it decides nothing
    ACTIVE = "active"
    RETIRED = "retired"


MOVES: Final[Mapping[Stage, frozenset[Stage]]] = {
    Stage.DRAFT: frozenset({Stage.SHADOW, Stage.RETIRED}),
    Stage.SHADOW: frozenset({Stage.ACTIVE, Stage.DRAFT, Stage.RETIRED}),
    Stage.ACTIVE: frozenset({Stage.SHADOW, Stage.RETIRED}),
    Stage.RETIRED: frozenset(),
}
"""What may follow what. Nothing acts that was not in shadow first; what is retired stays so, and is written anew."""
assert MOVES.keys() == set(Stage), "every stage has its moves"  # noqa: S101 -- a hole in the table must stop the start


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a rule. `rule` is its code, the same in all its versions, and the code of its reason."""

    rule: str
    number: int
    text: str  # as it was written
    form: str  # the same in the one form that all have who mean the same (`tree.written`)
    answer: Answer
    words: str
    written_by: UUID
    stage: Stage = Stage.DRAFT
    approved_by: UUID | None = None


def write(
    schema: Schema, *, rule: str, text: str, answer: Answer, words: str, by: UUID, after: Version | None = None
) -> Version:
    """Return a new rule, or the next version after another. Raises Refused or Invalid for what cannot be used."""
    if not _CODE.fullmatch(rule) or (after is not None and after.rule != rule):
        raise Invalid("A rule's code is 3 to 40 small letters, digits and underscores, and stays the same")
    if answer is Answer.ALLOW:
        raise Invalid("A rule asks for something: an order that no rule stops is allowed anyway")
    _require_text(words, WORDS_MAX)
    form = written(reading.read(text, schema))
    if after is not None and (after.answer, after.words, after.form) == (answer, words, form):
        raise Conflict("This is the version that there is already")
    return Version(rule, 1 if after is None else after.number + 1, text, form, answer, words, by)


def _require_text(text: str, length_max: int) -> None:
    if not text.strip() or not text.isprintable() or len(text) > length_max:
        raise Invalid("Write one sentence of at most 200 characters")


def moved(version: Version, to: Stage, *, beside: Iterable[Version] = ()) -> Version:
    """Return a version in another stage; to act, use `activated`. `beside` are the versions that there are.

    Raises Conflict if that stage cannot follow, or if another version of the rule is in shadow.
    """
    if to not in MOVES[version.stage] or to is Stage.ACTIVE:
        raise Conflict("This rule cannot go there from where it is")
    if to is Stage.SHADOW:
        asked = [other for other in beside if other.stage in {Stage.SHADOW, Stage.ACTIVE} and not _same(other, version)]
        if any(other.rule == version.rule and other.stage is Stage.SHADOW for other in asked):
            raise Conflict("Another version of this rule is in shadow already")
        if len(asked) >= RULES_MAX:
            raise Conflict("There are as many rules as may be asked about an order: retire one first")
    return replace(version, stage=to, approved_by=None)


def _same(one: Version, two: Version) -> bool:
    return (one.rule, one.number) == (two.rule, two.number)


def activated(
    version: Version,
    tried: Tried,
    *,
    asked_by: UUID,
    approved_by: UUID,
    stopped_share_max: float = STOPPED_SHARE_MAX,
    many_are_meant: bool = False,
) -> Version:
    """Return a version that acts. `tried` is what it would have done to recent orders.

    Raises Conflict if it was not in shadow, was tried on nothing, or would stop many and nobody said that this is
    meant; Invalid if a second person is no second person.
    """
    if version.stage is not Stage.SHADOW:
        raise Conflict("A rule is in shadow before it acts")
    if not tried.orders or tried.form != version.form:
        raise Conflict("Try this version on recent orders before it acts")
    if approved_by in {asked_by, version.written_by}:
        raise Invalid("A rule is approved by somebody who neither wrote it nor asks for it", code="second_person")
    if tried.share > stopped_share_max and not many_are_meant:
        raise Conflict("This rule would stop many recent orders: say that so many are meant", code="stops_many")
    return replace(version, stage=Stage.ACTIVE, approved_by=approved_by)


def after_activation(versions: Iterable[Version], active: Version) -> tuple[Version, ...]:
    """Return the versions as they are once one acts: an earlier one of the same rule that acted is retired."""
    found = []
    for version in versions:
        if _same(version, active):
            found.append(active)
        elif version.rule == active.rule and version.stage is Stage.ACTIVE:
            found.append(replace(version, stage=Stage.RETIRED))
        else:
            found.append(version)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Snooze:
    """A rule that does not count for one customer for a time, and why. `customer` is their opaque key."""

    rule: str
    customer: str
    until: dt.datetime
    reason: str
    by: UUID


def snooze(rule: str, customer: str, *, until: dt.datetime, reason: str, by: UUID, now: dt.datetime) -> Snooze:
    """Return a snooze. Raises Invalid without a customer, an end that is near enough, or a reason."""
    if not customer or not now < until <= now + dt.timedelta(days=SNOOZE_DAYS_MAX):
        raise Invalid("A snooze is for one customer and ends within 90 days")
    _require_text(reason, REASON_MAX)
    return Snooze(rule, customer, until, reason, by)
