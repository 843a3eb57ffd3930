"""Values of the screening: what a shop declares, what it answered, and what the screening says. Plain values, no text.

`Answers` has one field for each question. None means: not asked, or not known. It never means no.
Amounts are in the unit that the field's name ends with; `volume_ml` is of one inner container.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal


class Answer(enum.IntEnum):
    """What may be done with it; the larger one is the more severe, and the most severe one wins."""

    ACCEPT = 0  # by the service that was asked for
    ACCEPT_GROUND_ONLY = 1  # never aboard an aircraft, and marked so
    INSPECT = 2  # a look at the counter settles it
    HOLD = 3  # it stays until a person who may decide has decided
    REFUSE = 4  # it cannot be posted this way by any service

    @property
    def travels(self) -> bool:
        """Whether it may be posted at once, perhaps by road only."""
        return self <= Answer.ACCEPT_GROUND_ONLY


class Mode(enum.StrEnum):
    """How it is asked to travel."""

    AIR = "air"
    GROUND = "ground"


BatteryKind = Literal[
    "none",
    "lithium_ion",
    "lithium_metal",
    "sodium_ion",
    "dry",  # alkaline, zinc, NiMH, NiCd
    "lead_acid_sealed",
    "lead_acid_filled",
    "other",
    "unknown",
]


@dataclass(frozen=True, slots=True)
class Answers:
    """What the shop answered; None: not asked or not known."""

    declared_harmless: bool | None = None
    condition: Literal["new", "used", "refurbished_by_maker"] | None = None  # new: unopened maker's packing
    battery: BatteryKind | None = None
    battery_place: Literal["in_device", "beside_device", "alone"] | None = None
    battery_is: Literal["cell", "battery"] | None = None
    battery_number: int | None = None
    watt_hours: float | None = None  # of one cell or battery
    lithium_g: float | None = None  # in one cell or battery
    battery_damaged: bool | None = None  # or swollen, defective, recalled
    battery_sealed: bool | None = None  # in the sealed retail packing
    liquid: bool | None = None
    flammable: bool | None = None
    flash_point_c: float | None = None  # closed cup
    alcohol_percent: float | None = None  # by volume
    active_percent: float | None = None  # of the dangerous substance in the mixture
    aerosol: bool | None = None
    aerosol_gas: Literal["flammable", "non_flammable", "unknown"] | None = None
    pressurised: bool | None = None
    magnet: Literal["none", "small", "strong"] | None = None
    magnet_field_ut_at_2_1_m: float | None = None
    magnet_field_ut_at_4_6_m: float | None = None
    dry_ice_kg: float | None = None
    fuel: Literal["none", "purged", "residue", "fuelled"] | None = None
    emptied: Literal["never_filled", "cleaned", "not_cleaned"] | None = None
    mercury: bool | None = None
    radioactive: bool | None = None
    sample: Literal["none", "exempt", "category_b", "category_a", "unknown"] | None = None


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a shop says of one parcel."""

    description: str
    language: str = ""  # en, es, fr, de; empty: not said
    hs_code: str = ""
    un: str = ""
    net_weight_g: float | None = None
    volume_ml: float | None = None  # of one inner container
    number: int | None = None  # of articles or inner containers
    international: bool = False
    answers: Answers = field(default_factory=Answers)


@dataclass(frozen=True, slots=True)
class OperatorRule:
    """What an operator decided for an id that the table does not have; without a source it is no rule."""

    answer: Answer
    source: str  # the law or approval, with its clause and day


OperatorRules = Mapping[str, OperatorRule]
"""Canonical id (UN3551) -> rule. An id of the table keeps the table's."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that applies, and what made it apply."""

    rule: str  # id: the texts for people stand in `words`
    answer: Answer
    clause: str
    because: tuple[str, ...] = ()  # the words, codes or answers that it was found by
    service_code: str = ""  # of USPS, where one applies


@dataclass(frozen=True, slots=True)
class Asked:
    """One question to ask next."""

    field: str  # of Answers
    choices: tuple[str, ...] = ()  # empty: a number


@dataclass(frozen=True, slots=True)
class Screened:
    """What the screening says, with everything a person needs to understand, change or appeal it."""

    answer: Answer
    rule: str
    clause: str
    because: tuple[str, ...]
    words: Any  # for the customer; translated when it is shown
    what_to_change: Any
    appeal: Any
    service_code: str
    findings: tuple[Finding, ...]  # all that apply, the most severe first
    ask: Asked | None  # the next question, where an answer could still change something
    table_date: str


DESCRIPTION_CHARS_MAX: Final = 2000
"""What is longer is not read to its end, and so not accepted."""
