"""The rules that are asked now: those that operators wrote, and those that come with the house (shipped_rules.json).

A rule that an operator has touched is theirs: what is shipped under its code is not asked any more. A process keeps the
rules that it has read, compiled, until another version moves.
"""

from __future__ import annotations

import json
import logging
import threading
import uuid
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Final
from uuid import UUID

from parcelward.risk.facts import SCHEMA
from parcelward.risk.language import reading
from parcelward.risk.language.deciding import RuleSet
from parcelward.risk.language.life import Stage, Version
from parcelward.risk.language.tree import written
from parcelward.risk.models import RuleVersion
from parcelward.risk.wire import Answer

log = logging.getLogger("parcelward.risk")

HOUSE: Final = 0
"""The source that wrote the rules which are shipped."""
REVISION: Final = "(SELECT count(*) || '.' || coalesce(max(id), 0) FROM risk_rulemove)"
"""Another one whenever a move was committed, in whatever order: numbers alone may be committed out of their order."""
_FILE: Final = Path(__file__).with_name("shipped_rules.json")
_SPACE: Final = UUID("6a0cbb0a-6c2b-4c8e-9d0c-4f0d6f0f6b5e")

_turn: Final = threading.Lock()
_kept: tuple[str, RuleSet] | None = None


def someone(source: int) -> UUID:
    """Return a source as a rule's life has it (language/life.py), which knows people by ids."""
    return UUID(int=source)


@cache
def shipped() -> tuple[Version, ...]:
    """Return the rules that come with the house: they act from the first day."""
    return tuple(
        Version(
            each["rule"],
            each["number"],
            each["text"],
            written(reading.read(each["text"], SCHEMA)),
            Answer(each["answer"]),
            each["words"],
            someone(HOUSE),
            Stage.ACTIVE,
        )
        for each in json.loads(_FILE.read_text(encoding="utf-8"))
    )


def shipped_id(version: Version) -> UUID:
    """Return the id of a shipped version, the same in every installation."""
    return uuid.uuid5(_SPACE, f"{version.rule}/{version.number}")


def version_of(row: RuleVersion) -> Version:
    """Return a stored version as a value. Raises ValueError for a row that nobody of ours can have written."""
    return Version(
        row.rule,
        row.number,
        row.text,
        row.form,
        Answer(row.answer),
        row.words,
        someone(row.written_by),
        Stage(row.stage),
        None if row.approved_by is None else someone(row.approved_by),
    )


def untouched(stored: Iterable[RuleVersion]) -> tuple[Version, ...]:
    """Return the shipped versions of rules that nobody has touched."""
    theirs = {row.rule for row in stored}
    return tuple(version for version in shipped() if version.rule not in theirs)


def asked(revision: str) -> RuleSet:
    """Return the rules that are asked at a revision of the book, which the caller has read in this transaction."""
    global _kept  # noqa: PLW0603 -- what is compiled serves every order until a rule moves
    kept = _kept
    if kept is not None and kept[0] == revision:
        return kept[1]
    with _turn:
        rows = list(RuleVersion.objects.order_by("rule", "number"))
        made = RuleSet.of(SCHEMA, [*untouched(rows), *_readable(rows)])
        for aside in made.set_aside:
            log.error("rule %s, version %d, is not asked: %s", aside.rule, aside.number, aside.why)
        _kept = (revision, made)
    return made


def _readable(rows: Iterable[RuleVersion]) -> list[Version]:
    found = []
    for row in rows:
        try:
            found.append(version_of(row))
        except ValueError:  # somebody wrote it past us: it stops nobody
            log.error("a rule in the table cannot be read: %s", row.id)  # noqa: TRY400 -- the row says what there is to say
    return found
