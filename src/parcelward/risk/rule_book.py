"""The rules that are asked now: those that operators wrote, and those that come with the house (shipped_rules.json).

A rule that an operator has touched is theirs: what is shipped under its code is not asked any more. A process keeps the
rules that it has read, compiled, until another version moves.
"""

from __future__ import annotations

import json
import threading
from functools import cache
from pathlib import Path
from typing import Final
from uuid import UUID

from parcelward.risk.facts import SCHEMA
from parcelward.risk.language import reading
from parcelward.risk.language.deciding import RuleSet
from parcelward.risk.language.life import Stage, Version
from parcelward.risk.language.tree import written
from parcelward.risk.wire import Answer

HOUSE: Final = UUID(int=0)
"""Who wrote the rules that are shipped."""
_FILE: Final = Path(__file__).with_name("shipped_rules.json")

_turn: Final = threading.Lock()
_kept: tuple[str, RuleSet] | None = None


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
            HOUSE,
            Stage.ACTIVE,
        )
        for each in json.loads(_FILE.read_text(encoding="utf-8"))
    )


def asked(revision: str) -> RuleSet:
    """Return the rules that are asked at a revision of the book, as it is read in the caller's transaction."""
    global _kept  # noqa: PLW0603 -- what is compiled serves every order until a rule changes
    kept = _kept
    if kept is not None and kept[0] == revision:
        return kept[1]
    with _turn:
        made = RuleSet.of(SCHEMA, shipped())
        _kept = (revision, made)
    return made
