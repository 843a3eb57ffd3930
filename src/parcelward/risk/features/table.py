"""Which features there are: ONE table. Rules name them, models read them in this order."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from parcelward.risk.wire import Key, Kind

HOUR: Final = dt.timedelta(hours=1)
DAY: Final = dt.timedelta(days=1)
WEEK: Final = dt.timedelta(days=7)
MONTH: Final = dt.timedelta(days=30)
OUTCOMES_AFTER: Final = dt.timedelta(days=7)
"""How old an observation is before it counts in a risk: by then most of what is found out has been."""
NO_DELAY: Final = dt.timedelta(0)
_SPOKEN: Final = {HOUR: "1h", DAY: "1d", WEEK: "7d", MONTH: "30d"}


class What(enum.StrEnum):
    """What is made of the observations in a window."""

    COUNT = "count"
    SUM = "sum"  # of amounts, in minor units
    MEAN = "mean"  # the same over the count
    DISTINCT = "distinct"  # how many different values of another key
    RISK = "risk"  # the share that is known as fraud


@dataclass(frozen=True, slots=True)
class Feature:
    """One number about one key: of the observations of one kind that have it, in a window that ends `delay` ago."""

    kind: Kind
    key: Key
    what: What
    window: dt.timedelta
    value: Key | None = None  # what DISTINCT counts
    delay: dt.timedelta = NO_DELAY

    def __post_init__(self) -> None:
        """Raise ValueError for a hole in the table."""
        if (self.what is What.DISTINCT) != (self.value is not None) or self.value is self.key:
            raise ValueError("a distinct count, and nothing else, is of the values of another key")
        if self.window <= NO_DELAY or self.delay < NO_DELAY or (self.what is What.RISK and not self.delay):
            raise ValueError("a window is longer than nothing, and a risk has the delay of its outcomes")

    @property
    def name(self) -> str:
        """Return what rules call it: `account_order_count_1d`, `device_order_distinct_card_7d`."""
        parts = [self.key.value, self.kind.name.lower(), self.what.value, self.value, _SPOKEN[self.window]]
        return "_".join(part for part in parts if part)


def _each(
    kind: Kind,
    key: Key,
    what: What,
    *windows: dt.timedelta,
    value: Key | None = None,
    delay: dt.timedelta = NO_DELAY,
) -> Iterator[Feature]:
    for window in windows:
        yield Feature(kind, key, what, window, value, delay)


TABLE: Final[tuple[Feature, ...]] = (
    *_each(Kind.ORDER, Key.ACCOUNT, What.COUNT, HOUR, DAY, WEEK, MONTH),
    *_each(Kind.ORDER, Key.ACCOUNT, What.SUM, DAY, WEEK),
    *_each(Kind.ORDER, Key.ACCOUNT, What.MEAN, DAY, WEEK, MONTH),
    *_each(Kind.ORDER, Key.ACCOUNT, What.DISTINCT, DAY, WEEK, value=Key.ADDRESSEE),
    *_each(Kind.ORDER, Key.ACCOUNT, What.DISTINCT, DAY, WEEK, value=Key.CARD),
    *_each(Kind.ORDER, Key.ACCOUNT, What.DISTINCT, WEEK, value=Key.DEVICE),
    *_each(Kind.ORDER, Key.ACCOUNT, What.RISK, MONTH, delay=OUTCOMES_AFTER),
    *_each(Kind.ORDER, Key.CARD, What.COUNT, HOUR, DAY, WEEK),
    *_each(Kind.ORDER, Key.CARD, What.SUM, DAY),
    *_each(Kind.ORDER, Key.CARD, What.DISTINCT, WEEK, value=Key.ACCOUNT),
    *_each(Kind.ORDER, Key.CARD, What.RISK, MONTH, delay=OUTCOMES_AFTER),
    *_each(Kind.ORDER, Key.DEVICE, What.COUNT, HOUR, DAY),
    *_each(Kind.ORDER, Key.DEVICE, What.DISTINCT, WEEK, value=Key.ACCOUNT),
    *_each(Kind.ORDER, Key.DEVICE, What.DISTINCT, WEEK, value=Key.CARD),
    *_each(Kind.ORDER, Key.DEVICE, What.RISK, MONTH, delay=OUTCOMES_AFTER),
    *_each(Kind.ORDER, Key.ADDRESS, What.COUNT, DAY, WEEK),
    *_each(Kind.ORDER, Key.ADDRESS, What.DISTINCT, WEEK, value=Key.ACCOUNT),
    *_each(Kind.ORDER, Key.ADDRESS, What.RISK, DAY, WEEK, MONTH, delay=OUTCOMES_AFTER),
    *_each(Kind.ORDER, Key.ADDRESSEE, What.COUNT, DAY, WEEK),
    *_each(Kind.ORDER, Key.ADDRESSEE, What.SUM, WEEK),
    *_each(Kind.ORDER, Key.ADDRESSEE, What.DISTINCT, WEEK, value=Key.ACCOUNT),
    *_each(Kind.ORDER, Key.ADDRESSEE, What.RISK, MONTH, delay=OUTCOMES_AFTER),
    *_each(Kind.ORDER, Key.NETWORK, What.COUNT, HOUR, DAY),
    *_each(Kind.ORDER, Key.NETWORK, What.DISTINCT, DAY, value=Key.ACCOUNT),
    *_each(Kind.ORDER, Key.NETWORK, What.RISK, WEEK, delay=OUTCOMES_AFTER),
    *_each(Kind.DECLINED, Key.ACCOUNT, What.COUNT, HOUR, DAY),
    *_each(Kind.DECLINED, Key.DEVICE, What.COUNT, HOUR, DAY),
    *_each(Kind.DECLINED, Key.NETWORK, What.COUNT, HOUR),
    *_each(Kind.DECLINED, Key.NETWORK, What.DISTINCT, DAY, value=Key.CARD),
    *_each(Kind.LABEL, Key.PRINTER, What.COUNT, HOUR, DAY),
    *_each(Kind.LABEL, Key.PRINTER, What.DISTINCT, WEEK, value=Key.ACCOUNT),
    *_each(Kind.ORDER, Key.ACCOUNT, What.DISTINCT, HOUR, value=Key.CARD),
    *_each(Kind.ORDER, Key.DEVICE, What.DISTINCT, HOUR, value=Key.CARD),
    *_each(Kind.ORDER, Key.NETWORK, What.DISTINCT, HOUR, value=Key.CARD),
    *_each(Kind.DECLINED, Key.DEVICE, What.DISTINCT, HOUR, value=Key.CARD),
    *_each(Kind.REFUND, Key.ACCOUNT, What.COUNT, DAY, MONTH),
)
assert len({feature.name for feature in TABLE}) == len(TABLE), "each feature has a name of its own"  # noqa: S101 -- two of one name must stop the start
