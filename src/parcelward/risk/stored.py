"""A decision as a row: its body is JSON in one form, which the log's entry holds fast by a salted hash."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import UUID

from parcelward.risk.wire import Answer, Because, Decision, Fact, Reason

SPOKE: Final = ("reasons", "proven", "shadow", "snoozed")
"""Where the rules are that spoke, in the order of `Decision.versions`."""


def body(made: Decision, *, owner: UUID, by: int) -> str:
    """Return all that is kept of a decision."""
    said = {
        "answer": made.answer.value,
        "at": made.at.isoformat(),
        "by": by,
        "id": str(made.id),
        "missing": made.missing,
        "order": str(made.order),
        "owner": str(owner),
        "revision": made.revision,
        "round": made.round,
        "score_reasons": made.score_reasons,
        "scorer": made.scorer,
        "set_aside": made.set_aside,
        "used": {name: _plain(fact) for name, fact in made.used.items()},
        **{name: [_reason(each) for each in getattr(made, name)] for name in SPOKE},
    }
    return json.dumps(said, sort_keys=True, separators=(",", ":"))


def seal(salt: bytes, text: str) -> str:
    """Return what the log says of a text: it holds it fast, and tells nothing of it."""
    return hashlib.sha256(b"parcelward/v1/risk\x00" + salt + text.encode()).hexdigest()


def decision(text: str) -> Decision:
    """Return the decision that a body says."""
    said = json.loads(text)
    spoke = {name: tuple(_read(each) for each in said[name]) for name in SPOKE}
    return Decision(
        id=UUID(said["id"]),
        order=UUID(said["order"]),
        round=said["round"],
        answer=Answer(said["answer"]),
        at=dt.datetime.fromisoformat(said["at"]),
        set_aside=tuple(said["set_aside"]),
        used={name: _fact(fact) for name, fact in said["used"].items()},
        missing=tuple(said["missing"]),
        revision=said["revision"],
        scorer=said["scorer"],
        score_reasons=tuple(said.get("score_reasons", ())),  # older bodies have none
        **spoke,
    )


def _reason(reason: Reason) -> dict[str, Any]:
    return {
        "answer": reason.answer.value,
        "because": [_because(each) for each in reason.because],
        "code": reason.code,
        "version": reason.version,
        "words": reason.words,
    }


def _because(because: Because) -> dict[str, Any]:
    return {
        "facts": [[name, _plain(fact)] for name, fact in because.facts],
        "field": because.field,
        "limit": _plain(because.limit),
        "op": because.op,
        "text": because.text,
        "value": _plain(because.value),
    }


def _plain(fact: Fact | Iterable[Fact] | None) -> Any:
    if isinstance(fact, frozenset):
        return {"set": sorted(fact)}
    return list(fact) if isinstance(fact, tuple) else fact


def _fact(found: Any) -> Any:
    if isinstance(found, Mapping):
        return frozenset(found["set"])
    return tuple(found) if isinstance(found, list) else found


def _read(said: Mapping[str, Any]) -> Reason:
    because = tuple(
        Because(
            each["field"],
            each["op"],
            _fact(each["value"]),
            _fact(each["limit"]),
            each["text"],
            tuple((name, _fact(fact)) for name, fact in each["facts"]),
        )
        for each in said["because"]
    )
    return Reason(said["code"], said["words"], because, Answer(said["answer"]), said["version"])
