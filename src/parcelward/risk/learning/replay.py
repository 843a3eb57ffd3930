"""The past read again: each observation's features as they were when it was decided, by the store that decides."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence

from parcelward.risk.features.store import Store, Values
from parcelward.risk.features.table import TABLE, Feature
from parcelward.risk.wire import Observation, Outcome


def replayed(
    seen: Iterable[Observation],
    learnt: Iterable[tuple[Outcome, Observation]],
    features: Sequence[Feature] = TABLE,
    since: dt.datetime | None = None,
) -> Iterator[tuple[Observation, Values]]:
    """Give each observation since a moment with its features. Both must come in order of time: happened, and found out.

    What was found out up to the moment of an observation is known to it, and nothing else is. Those before `since` are
    counted and not given: the longest window and its delay should lie before the first that is.
    """
    store, outcomes = Store(features), iter(learnt)
    coming = next(outcomes, None)
    for one in seen:
        while coming is not None and coming[0].at <= one.at:
            store.learn(*coming)
            coming = next(outcomes, None)
        if since is None or one.at >= since:
            yield one, store.read_for(one)
        store.observe(one)
