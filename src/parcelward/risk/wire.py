"""What risk answers and why, and what a fact about an order looks like, as values."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass


class Answer(enum.StrEnum):
    """What risk says when it is asked about an order, from the mildest to the strictest."""

    ALLOW = "allow"
    STEP_UP = "step_up"  # the payer proves more first, such as 3-D Secure or a code
    REVIEW = "review"  # goes on, and a person looks
    HOLD = "hold"  # waits until a person has looked
    REFUSE = "refuse"

    @property
    def severity(self) -> int:
        """Return the place in the order above: 0 is `allow`."""
        return _SEVERITY[self]


_SEVERITY = {answer: place for place, answer in enumerate(Answer)}


def strictest(answers: Iterable[Answer]) -> Answer:
    """Return the strictest of some answers; of none, `allow`."""
    return max(answers, key=lambda answer: answer.severity, default=Answer.ALLOW)


Fact = bool | int | float | str | frozenset[str]
"""What is known of an order in one field. What is missing is None."""


class FieldType(enum.StrEnum):
    """Of what kind a field's values are."""

    INT = "int"
    FLOAT = "float"
    BOOL = "bool"
    TEXT = "text"
    SET = "set"  # of texts

    @property
    def is_number(self) -> bool:
        """Return whether one can reckon with it."""
        return self in {FieldType.INT, FieldType.FLOAT}


class Unit(enum.StrEnum):
    """What a number counts."""

    PLAIN = "plain"
    SECONDS = "seconds"
    MINOR = "minor"  # of a currency


LARGEST = 10**12
"""The largest number in a field unless it says otherwise: ten thousand million of a currency, thirty thousand years."""


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that can be known of an order.

    `words` is a short English text that is translated for its reader: with `%(value)s` in it, such as
    "%(value)s cards in 1 h"; of a bool what it means when it is true. A number outside `least` to `most` is an error
    of whoever sent it and counts as missing.
    """

    name: str
    type: FieldType
    words: str
    unit: Unit = Unit.PLAIN
    least: int | float = 0
    most: int | float = LARGEST


@dataclass(frozen=True, slots=True)
class Because:
    """One comparison that was true: `value` `op` `limit`.

    `field` is the field that was compared with a fixed limit; empty where more was reckoned with. `text` is the
    comparison as the rule has it, `facts` the fields in it with their values.
    """

    field: str
    op: str
    value: Fact | None
    limit: Fact | tuple[Fact, ...] | None
    text: str
    facts: tuple[tuple[str, Fact | None], ...]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an answer is not `allow`: a stable code for machines, a sentence for people, and the values behind it."""

    code: str
    words: str
    because: tuple[Because, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """What risk answers, with every reason for it, the strictest first."""

    answer: Answer
    reasons: tuple[Reason, ...] = ()
