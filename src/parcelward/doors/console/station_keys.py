"""What the worker does for sealed labels: next weeks' keys are there before they are needed, old ones are destroyed."""

from __future__ import annotations

import datetime as dt
from typing import Final

WEEKS_AHEAD: Final = 2  # so that a worker that is down over a week's end stops no printer


def keep_station_keys(now: dt.datetime) -> None:
    """Make what is missing for this week and the next, and destroy what is past its claim period; safe to repeat."""
    from parcelward.base import config
    from parcelward.network import queries as network
    from parcelward.people.actions import machinery
    from parcelward.privacy import actions as privacy
    from parcelward.privacy.sealing import actions, queries

    by, this = machinery(), queries.epoch_of(now)
    places = sorted(network.facilities().by_code)
    actions.make_station_keys(places, range(this, this + 1 + WEEKS_AHEAD), by=by, now=now)
    claim = dt.timedelta(days=config.get().label_claim_days)
    actions.destroy_due_keys(claim=claim, by=by, now=now)
    privacy.end_label_codes(claim=claim, by=by, now=now)
