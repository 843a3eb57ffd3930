"""What the worker does for risk: it follows disputes, and learns models. Run by several at once without harm."""

from __future__ import annotations

import datetime as dt
import json
import logging
from typing import Final

from parcelward.parcels.actions import warning
from parcelward.people import actions as people
from parcelward.risk import disputes, history, picking
from parcelward.risk.actions import modelling
from parcelward.risk.models import LearntModel

log = logging.getLogger("parcelward.risk")

learn_of_disputes = disputes.catch_up
pick_to_look_at = picking.pick

LEARN_EVERY: Final = dt.timedelta(days=7)
DRIFT_DAYS: Final = dt.timedelta(days=7)
DRIFTED_SHOWN: Final = 5  # features that an alert names
FRAUDS_MIN: Final = 40  # twice what a model takes (learning/training.py): fewer spare the reading of the past


def learn_a_model(now: dt.datetime) -> bool:
    """Learn a challenger, if none is younger than a week and enough is known; return whether one was."""
    if LearntModel.objects.filter(learnt_at__gt=now - LEARN_EVERY).exists() or history.frauds() < FRAUDS_MIN:
        return False
    # LightGBM is loaded only where there is something to learn.
    from parcelward.risk.learning import challenging, training  # noqa: PLC0415

    past = history.past(now)
    row = LearntModel.objects.filter(stage="champion").first()
    champion = None if row is None else (row.digest, bytes(row.text))
    examples = training.Examples(challenging.NAMES, past.values, past.at, past.found)
    try:
        made = challenging.challenger(examples, past.whose, now, training.Settings(), champion)
    except training.TooFew as few:
        log.info("no model was learnt: %s", few)
        return False
    modelling.keep_challenger(made, challenging.as_text(made.card), by=people.machinery())
    log.info("a model was learnt: %s", made.digest[:12])
    return True


def look_at_drift(now: dt.datetime) -> list[str]:
    """Tell the desk where the last week's orders are unlike those that the champion knows; return which features are.

    Once for a model and a week: what a person has closed is not opened again until the next.
    """
    row = LearntModel.objects.filter(stage="champion").first()
    if row is None:
        return []
    from parcelward.risk.learning import challenging, drift  # noqa: PLC0415 -- only where there is a model

    found = challenging.moved(json.loads(row.card), history.past(now, DRIFT_DAYS).values)
    names = [f"{one.name} {one.psi:.2f}" for one in found if one.psi > drift.ANOTHER]
    if names:
        year, week, _ = now.isocalendar()
        said = {"features": ", ".join(names[:DRIFTED_SHOWN])}
        about = f"{row.digest[:12]} {year}-{week}"
        warning.warn("model_drift", about, said, now=now, by=people.machinery())
    return names
