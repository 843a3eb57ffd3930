"""What risk is told, what it answers and why, as values.

A key is opaque: a keyed hash of 16 bytes, made where the personal data is. No name, number or address comes here.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID, uuid5

from parcelward.base.standards.money import AMOUNT_MINOR_MAX

KEY_BYTES: Final = 16
PARCELS_MAX: Final = 1_000
"""Parcels of an order beside the first."""
EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MICROSECOND: Final = dt.timedelta(microseconds=1)


class Kind(enum.IntEnum):
    """What happened. The numbers are stored."""

    ORDER = 1  # somebody asked to send: paid, or about to be
    DECLINED = 2  # a payment was refused
    LABEL = 3  # a label was printed
    REFUND = 4  # money went back to the payer
    PARCEL = 5  # a further parcel of an order: it counts where it goes to as an order does, and nowhere else


class Key(enum.StrEnum):
    """By what it is counted. Each is a column of the table, and of its index in memory."""

    ACCOUNT = "account"
    CARD = "card"  # the fingerprint that the payment provider gives
    DEVICE = "device"
    ADDRESS = "address"  # where it goes
    ADDRESSEE = "addressee"
    NETWORK = "network"
    PRINTER = "printer"


@dataclass(frozen=True, slots=True)
class Observation:
    """One thing that happened. Its id is the caller's: the same again changes nothing."""

    id: UUID
    kind: Kind
    at: dt.datetime
    keys: Mapping[Key, bytes]
    amount_minor: int = 0  # in the operator's own currency: who observes converts

    def __post_init__(self) -> None:
        """Raise ValueError for what is the caller's bug."""
        if self.at < EPOCH or not 0 <= self.amount_minor <= AMOUNT_MINOR_MAX:
            raise ValueError("an observation is of our time, and its amount is no less than nothing")
        if not self.keys or any(len(key) != KEY_BYTES for key in self.keys.values()):
            raise ValueError(f"an observation has keys, of {KEY_BYTES} bytes each")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What somebody found out about an observation: a dispute, a claim, an analyst. The newest one counts."""

    id: UUID
    observation: UUID
    at: dt.datetime  # when it was learnt, never when it happened
    fraud: bool


def micros(at: dt.datetime) -> int:
    """Return a time as microseconds since 1970."""
    return (at - EPOCH) // MICROSECOND


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
    answer: Answer = Answer.ALLOW  # what the rule asks for
    version: int = 0  # of the rule


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """What risk is told of an order. No personal data: keys are keyed hashes, made where the personal data is."""

    order: UUID
    at: dt.datetime
    keys: Mapping[Key, bytes]  # 16 bytes each; a key that nobody knows is left out
    amount_minor: int  # in the operator's own currency: who asks converts
    currency: str  # ISO 4217, that of the amount
    known: Mapping[str, Fact] = field(default_factory=dict)  # by the names in risk/facts.py
    further: tuple[Mapping[Key, bytes], ...] = ()  # where each parcel but the first goes to: address, addressee

    @property
    def observation(self) -> Observation:
        """Return what is counted of it. Raises ValueError for what is the caller's bug."""
        return Observation(self.order, Kind.ORDER, self.at, self.keys, self.amount_minor)

    @property
    def parcels(self) -> tuple[Observation, ...]:
        """Return what is counted of each parcel but the first. Raises ValueError as `observation`."""
        if len(self.further) > PARCELS_MAX:
            raise ValueError(f"an order has at most {PARCELS_MAX} parcels beside the first")
        account = {key: self.keys[key] for key in (Key.ACCOUNT,) if key in self.keys}
        return tuple(
            Observation(parcel_id(self.order, nth), Kind.PARCEL, self.at, {**account, **keys})
            for nth, keys in enumerate(self.further, 1)
        )


def parcel_id(order: UUID, nth: int) -> UUID:
    """Return the id of what is counted of a parcel of an order: the first one is the order's own."""
    return uuid5(order, f"parcel {nth}")


@dataclass(frozen=True, slots=True)
class Score:
    """What a model says of an order: how probably it is fraud, and which features said so, the strongest first."""

    probability: float
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """What risk answers about an order, with every reason for it, the strictest first. Asked again, it is the same."""

    id: UUID
    order: UUID
    round: int  # 1, and one more each time the payer has proven what a step up asked for
    answer: Answer
    at: dt.datetime
    reasons: tuple[Reason, ...] = ()
    proven: tuple[Reason, ...] = ()  # rules that asked for more proof, which was given
    shadow: tuple[Reason, ...] = ()  # rules that are tried, and change nothing
    snoozed: tuple[Reason, ...] = ()
    set_aside: tuple[str, ...] = ()  # rules that could not be asked
    used: Mapping[str, Fact] = field(default_factory=dict)  # what was known of the order: facts, features, the score
    missing: tuple[str, ...] = ()  # what a rule asked about and nobody knew
    revision: str = ""  # of the rule book (risk/rule_book.py)
    scorer: str = ""  # which model scored; empty: none did
    score_reasons: tuple[str, ...] = ()  # features that spoke for fraud in the model, the strongest first

    @property
    def versions(self) -> tuple[tuple[str, int], ...]:
        """Return the rules that spoke, and which version of each."""
        spoke = (*self.reasons, *self.proven, *self.shadow, *self.snoozed)
        return tuple((reason.code, reason.version) for reason in spoke)

    @property
    def spoke(self) -> str:
        """Return the same as the table has it: `card_known/1 new_and_dear/2`."""
        return " ".join(f"{rule}/{number}" for rule, number in self.versions)


@dataclass(frozen=True, slots=True)
class Tried:
    """What a rule would have done to the orders of the past months."""

    orders: int
    stopped: int
    stopped_disputed: int  # of the stopped, those that were disputed later
    disputed: int  # of all
    stopped_alone: int  # of the stopped, those that no other rule stops
    examples: tuple[UUID, ...]  # orders


@dataclass(frozen=True, slots=True)
class RuleSeen:
    """One version of a rule, as whoever may read rules sees it."""

    id: UUID
    rule: str
    number: int
    stage: str  # draft, shadow, active or retired (language/life.py)
    text: str
    answer: Answer
    words: str
    written_by: int  # a source; 0: it was shipped
    approved_by: int | None
    request: UUID | None  # by which a second person is asked to let it act
    hits: int = 0  # orders of the last days about which it spoke, in shadow or snoozed too


@dataclass(frozen=True, slots=True)
class RuleMoved:
    """A step in the life of a version of a rule."""

    stage: str
    by: int
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Wrong:
    """One thing that is wrong with a rule: characters `start` to `end`, and what to say about it."""

    start: int
    end: int
    words: str


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What a person said of a decision."""

    answer: Answer  # allow or refuse
    reason: str
    by: int
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class DecisionSeen:
    """A decision as somebody may see it, and what stands now: where a person has looked, what they said."""

    decision: Decision
    standing: Answer
    review: Reviewed | None  # the newest
    appealed_at: dt.datetime | None
    appeal_open: bool


class ModelStage(enum.StrEnum):
    """Where a model is in its life."""

    CHALLENGER = "challenger"  # was learnt, and scores nothing
    CHAMPION = "champion"  # scores every order
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class ModelSeen:
    """A model, as whoever may read rules sees it."""

    id: UUID
    digest: str
    stage: ModelStage
    learnt_at: dt.datetime
    card: Mapping[str, Any]
    moved_by: int | None
    no_worse: bool  # than the champion that there is


@dataclass(frozen=True, slots=True)
class StatedSeen:
    """What each answer costs for a good order and for a fraud, and from which score on each is the cheapest."""

    costs: Mapping[Answer, tuple[int, int]]
    looks_a_day: int
    steps: tuple[tuple[Answer, float], ...]


@dataclass(frozen=True, slots=True)
class PickSeen:
    """An order that is looked at though no rule asked for it."""

    order: UUID
    at: dt.datetime
    unusual: bool  # and not by a model's score
    why: tuple[str, ...]  # words of features
    score: float | None


@dataclass(frozen=True, slots=True)
class Share:
    """What one feature added to a model's score of one order, in log odds: above 0 it spoke for fraud."""

    words: str
    value: str
    effect: float


@dataclass(frozen=True, slots=True)
class SnoozeSeen:
    """A rule that does not count for one customer."""

    id: UUID
    rule: str
    until: dt.datetime
    reason: str
    by: int
