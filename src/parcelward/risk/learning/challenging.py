"""From past orders to a challenger: learnt, measured on weeks that it has not seen, held against the champion.

A model that is to act from today is learnt from all that is known today, so nothing is left to measure it on. What is
measured is the recipe: a rehearsal is learnt as of two weeks before the newest orders of which the outcome is known,
and asked about these two weeks. The champion is asked about the same orders; where it was learnt from some of them it
has the better of it, so nobody takes its place by that.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from parcelward.risk.features.table import TABLE
from parcelward.risk.learning import anomaly, drift, measuring, stored
from parcelward.risk.learning.drift import Moved, Shape
from parcelward.risk.learning.model import Model
from parcelward.risk.learning.rows import Columns, Numbers, Ratio
from parcelward.risk.learning.training import Examples, Settings, TooFew, learn
from parcelward.risk.wire import micros

NAMES: Final = tuple(one.name for one in TABLE)
COLUMNS: Final = Columns(
    NAMES,
    (
        Ratio("account_day_to_month", "account_order_mean_1d", "account_order_mean_30d"),
        Ratio("account_week_to_month", "account_order_mean_7d", "account_order_mean_30d"),
    ),
)
MEASURED: Final = dt.timedelta(days=14)
SEED: Final = 1


@dataclass(frozen=True, slots=True)
class Challenger:
    """A model as a text, and what is known of it: `card` is JSON."""

    text: bytes
    digest: str
    card: dict[str, Any]


def challenger(
    examples: Examples,
    whose: NDArray[np.int64],
    now: dt.datetime,
    settings: Settings,
    champion: tuple[str, bytes] | None = None,
) -> Challenger:
    """Learn a model as of now, and say how good its recipe is. The same again is the same.

    `champion` is the digest and the text of the one that scores now. Raises TooFew where there is too little to learn
    from, or to measure by.
    """
    until = now - settings.delay
    then = until - MEASURED
    rehearsed = learn(examples, COLUMNS, then, settings, seed=SEED)
    asked = (examples.at > micros(then)) & (examples.at <= micros(until))
    fraud: NDArray[np.bool_] = examples.found[asked] <= micros(now)
    if not fraud.any() or fraud.all():
        raise TooFew("the weeks to measure on have no fraud, or nothing else")
    margins = rehearsed.margins(examples.values[asked])
    made = learn(examples, COLUMNS, now, settings, seed=SEED)
    text = stored.written(made)
    recent = examples.values[examples.at > micros(until)]
    known = examples.values[examples.at <= micros(until)]
    card = {
        "learnt": asdict(made.learnt),
        "measured": {
            "from": micros(then),
            "until": micros(until),
            "orders": len(fraud),
            "frauds": int(fraud.sum()),
            "auc": measuring.auc(fraud, margins),
            "average_precision": measuring.average_precision(fraud, margins),
            "calibration_error": measuring.calibration_error(fraud, _probabilities(rehearsed, margins)),
        },
        "against": _against(fraud, margins, examples.values[asked], whose[asked], champion),
        "shapes": [asdict(one) for one in _shapes(known)],
        "usual": [asdict(one) for one in _usual(known)],
        "recent": len(recent),
    }
    return Challenger(text, stored.digest(text), card)


def _probabilities(model: Model, margins: Numbers) -> Numbers:
    return np.array([model.sigmoid.of(float(margin)) for margin in margins])


def _against(
    fraud: NDArray[np.bool_],
    margins: Numbers,
    values: Numbers,
    whose: NDArray[np.int64],
    champion: tuple[str, bytes] | None,
) -> dict[str, Any] | None:
    """Return how the rehearsal stands beside the champion on the same orders; None where there is no champion."""
    if champion is None:
        return None
    digest, text = champion
    theirs = stored.read(text, expected=digest, features=NAMES).margins(values)
    found = measuring.compare(fraud, theirs, margins, whose, measuring.average_precision, seed=SEED)
    return {"digest": digest, "champion": found.champion, "low": found.low, "high": found.high}


def _shapes(values: Numbers) -> tuple[Shape, ...]:
    return drift.shapes(NAMES, values) if len(values) >= drift.ROWS_MIN else ()


def _usual(values: Numbers) -> tuple[anomaly.Tail, ...]:
    return anomaly.learn(NAMES, values).tails if len(values) >= anomaly.ROWS_MIN else ()


def moved(card: dict[str, Any], values: Numbers) -> Sequence[Moved]:
    """Return how far the features of newer orders have moved from those that a model knows, the farthest first."""
    shapes = tuple(Shape(one["name"], tuple(one["edges"]), tuple(one["shares"])) for one in card["shapes"])
    if not shapes or len(values) < drift.ROWS_MIN:
        return ()
    return drift.moved(shapes, values)


def as_text(card: dict[str, Any]) -> str:
    """Return a card in one form."""
    return json.dumps(card, sort_keys=True, separators=(",", ":"))
