"""What risk is told, as values: what was observed, under which keys, and what was learnt of it later.

A key is opaque: a keyed hash of 16 bytes, made where the personal data is. No name, number or address comes here.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from parcelward.base.standards.money import AMOUNT_MINOR_MAX

KEY_BYTES: Final = 16
EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MICROSECOND: Final = dt.timedelta(microseconds=1)


class Kind(enum.IntEnum):
    """What happened. The numbers are stored."""

    ORDER = 1  # somebody asked to send: paid, or about to be
    DECLINED = 2  # a payment was refused
    LABEL = 3  # a label was printed


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
