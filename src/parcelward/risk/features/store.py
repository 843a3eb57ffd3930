"""The features of TABLE, exact, in memory: the same code answers a decision and replays the past.

**What counts.** A feature at a moment t counts the observations of its kind with its key in (t - delay - window,
t - delay]: what is exactly a window old is out, what is at the end is in. Read for an observation, the observation
itself counts where there is no delay, whether it was observed before or not. A further parcel of an order counts as an
order where it goes to, under address and addressee, and nowhere else. Of others in the same microsecond those
whose id comes before. A risk is the share of these that were known as fraud at t, 0 where there are none; a mean of
none, and every feature of a key that an observation lacks, is None: unknown.

So do the windows of the Fraud Detection Handbook (Le Borgne, Siblini, Lebichot, Bontempi: chapter 3, "Feature
transformation"), whose pandas windows are closed on the right, hold the transaction itself, and take the risk of a
terminal over (t - 7 d - window, t - 7 d].

**What does not matter.** In which order things come, and how often: all that is kept is sorted by (time, id). What
comes late was missing in the answers before, and is in the same answer asked for again; a decision keeps what it was
told. An outcome counts from the moment when it was learnt, so the past is read as it was known.

**What is not kept.** Of a key, more than the newest KEPT_MAX (series.py), and what is older than its features look back
by LATE_MAX: `forget` takes it away, and reads more than LATE_MAX before that moment are no longer exact.

No framework, no clock, no database; not for several threads at once.
"""

from __future__ import annotations

import datetime as dt
from array import array
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from uuid import UUID

from parcelward.risk.features.series import (
    EMPTY,
    KEPT_MAX,
    LONG,
    SPARE,
    SUMS,
    Newest,
    Series,
    added,
    place,
    stride_of,
    without_first,
)
from parcelward.risk.features.table import TABLE, Feature, What
from parcelward.risk.wire import MICROSECOND, Key, Kind, Observation, Outcome, micros

LATE_MAX: Final = dt.timedelta(days=1)
"""How far behind the newest forgetting a moment may be that is still read exactly."""
_LAST: Final = 1 << 64  # after every id

WHERE_TO: Final = frozenset({Key.ADDRESS, Key.ADDRESSEE})
"""Under these, each parcel of an order counts: who sends to many in one order is seen as who sends many orders."""

Values = dict[str, float | None]
"""Feature -> value, in the order of the table."""
_Known = list[tuple[int, int, list[tuple[int, int, bool]]]]
"""Of one key, (time, id) of each observation that has outcomes, and its outcomes (when learnt, id, whether fraud)."""


def _short(identity: UUID) -> int:
    return identity.int & (_LAST - 1)


def _value(key: bytes | None) -> int:
    """Return a key as a number to be told apart by: 0 where there is none."""
    return 0 if key is None else int.from_bytes(key[:8])


class _Group:
    """The features of one kind and one key, made ready to be read together."""

    def __init__(self, kind: Kind, key: Key, features: Sequence[tuple[int, Feature]]) -> None:
        self.kind, self.key = kind, key
        self.summed = any(one.what in {What.SUM, What.MEAN} for _, one in features)
        self.values = sorted({one.value for _, one in features if one.value is not None})
        self.first_value = SUMS + 1 if self.summed else SUMS
        self.columns = self.first_value + len(self.values)
        ends = sorted({end // MICROSECOND for _, one in features for end in (one.delay, one.delay + one.window)})
        self.ends = [end for end in ends if end]
        self.look_back = ends[-1]
        index = {0: -1} | {end: nth for nth, end in enumerate(self.ends)}
        read: dict[What, list[tuple[int, int, int, int]]] = {what: [] for what in What}
        for slot, one in features:
            begin, end = index[(one.delay + one.window) // MICROSECOND], index[one.delay // MICROSECOND]
            value = 0 if one.value is None else self.values.index(one.value)
            read[one.what].append((slot, begin, end, value))
        # Where the value goes, where among `ends` its window begins and ends, and which of `values` is told apart.
        self.counts, self.sums, self.means, self.distincts, self.risks = (read[what] for what in What)
        self.series: dict[bytes, Series] = {}
        self.newest: dict[bytes, list[Newest]] = {}  # of long series only
        self.known: dict[bytes, _Known] = {}

    def takes(self, kind: Kind) -> bool:
        """Return whether observations of a kind count here."""
        return kind is self.kind or (kind is Kind.PARCEL and self.kind is Kind.ORDER and self.key in WHERE_TO)

    def add(self, key: bytes, at: int, number: int, of: Observation) -> None:
        """Remember an observation under one of its keys."""
        row = [at, number, of.amount_minor] if self.summed else [at, number]
        row += [_value(of.keys.get(value)) for value in self.values]
        before = self.series.get(key)
        if before is None:
            self.series[key] = array("Q", [1, *row])
            return
        series = added(before, self.columns, row, summed=self.summed)
        if series is None:
            return
        self.series[key] = series
        if series[0] >= KEPT_MAX + SPARE:
            self._cut(key, series, series[0] - KEPT_MAX)
        elif key in self.newest:
            for newest, value in zip(self.newest[key], row[self.first_value :], strict=True):
                newest.add(value, at)

    def _cut(self, key: bytes, series: Series, dropped: int) -> None:
        self.newest.pop(key, None)
        if dropped == series[0]:
            del self.series[key]
            self.known.pop(key, None)
            return
        self.series[key] = kept = without_first(series, self.columns, dropped, summed=self.summed)
        known = self.known.get(key)
        if known:
            del known[: bisect_left(known, (kept[1], kept[1 + stride_of(kept, self.columns)]))]

    def forget(self, key: bytes, before: int) -> None:
        """Drop what is no younger than `before` of a key, where that is worth a new array."""
        series = self.series.get(key)
        if series is None:
            return
        dropped = bisect_right(series, before, 1, series[0] + 1) - 1
        if dropped * 4 >= series[0]:
            self._cut(key, series, dropped)

    def learn(self, key: bytes, at: int, number: int, outcome: tuple[int, int, bool]) -> None:
        """Remember what was learnt of an observation."""
        known = self.known.setdefault(key, [])
        i = bisect_left(known, (at, number))
        if i == len(known) or known[i][:2] != (at, number):
            known.insert(i, (at, number, []))
        outcomes = known[i][2]
        if outcome not in outcomes:
            insort(outcomes, outcome)

    def read(self, into: list[float | None], key: bytes, at: int, of: Observation | None) -> None:
        """Put the group's values in their places of `into`."""
        series = self.series.get(key, EMPTY)
        n, stride = series[0], stride_of(series, self.columns)
        own = of is not None and self.takes(of.kind)  # the observation itself counts
        there = False  # and is among those that are remembered
        last = n + 1
        if n and at <= series[n]:
            if of is None:
                last = bisect_right(series, at, 1, last)
            else:
                number = _short(of.id)
                last = place(series, stride, at, number)
                there = last <= n and series[last] == at and series[stride + last] == number
        oldest = max(1, n + (own and not there) - KEPT_MAX + 1)
        cuts = [bisect_right(series, at - end, 1, last) for end in self.ends]
        cuts.append(last)  # found at index -1: the end of a window without delay
        if oldest > 1:
            cuts = [max(oldest, cut) for cut in cuts]
        for slot, begin, end, _ in self.counts:
            into[slot] = cuts[end] - cuts[begin] + (own and end < 0)
        for slot, begin, end, _ in self.sums:
            into[slot] = _sum(series, stride, cuts[begin], cuts[end]) + (
                of.amount_minor if of and own and end < 0 else 0
            )
        for slot, begin, end, _ in self.means:
            count = cuts[end] - cuts[begin] + (own and end < 0)
            total = _sum(series, stride, cuts[begin], cuts[end]) + (of.amount_minor if of and own and end < 0 else 0)
            into[slot] = total / count if count else None
        for slot, begin, end, value in self.distincts:
            mine = _value(of.keys.get(self.values[value])) if of is not None and own and end < 0 else 0
            newest = None
            if end < 0 and n >= LONG and last + there > n and (oldest == 1 or series[oldest - 1] < series[oldest]):
                newest = self._newest(key, series, stride)[value]
            if newest is not None:
                after = max(at - self.ends[begin], series[oldest] - 1)
                into[slot] = newest.since(after) + (mine > 0 and not newest.seen(mine, after))
                continue
            first = stride * (self.first_value + value)
            some = {*series[first + cuts[begin] : first + cuts[end]], mine}
            into[slot] = len(some) - (0 in some)
        for slot, begin, end, _ in self.risks:
            count = cuts[end] - cuts[begin]
            into[slot] = self._frauds(key, stride, cuts[begin], cuts[end], at) / count if count > 0 else 0.0

    def _newest(self, key: bytes, series: Series, stride: int) -> list[Newest]:
        found = self.newest.get(key)
        if found is None:
            times = series[1 : series[0] + 1]
            firsts = [stride * (self.first_value + nth) + 1 for nth in range(len(self.values))]
            found = self.newest[key] = [Newest(times, series[first : first + series[0]]) for first in firsts]
        return found

    def _frauds(self, key: bytes, stride: int, begin: int, end: int, at: int) -> int:
        """Count which of the observations from `begin` to before `end` were known as fraud at a moment."""
        known = self.known.get(key)
        if not known:
            return 0
        series = self.series[key]
        low = bisect_left(known, (series[begin], series[stride + begin]))
        high = bisect_left(known, (series[end - 1], series[stride + end - 1] + 1), low)
        found = 0
        for _, _, outcomes in known[low:high]:
            for learnt, _, fraud in reversed(outcomes):
                if learnt <= at:
                    found += fraud
                    break
        return found


def _sum(series: Series, stride: int, begin: int, end: int) -> int:
    if begin >= end:
        return 0
    total = series[SUMS * stride + end - 1]
    return total - series[SUMS * stride + begin - 1] if begin > 1 else total


class Store:
    """What was observed and learnt, and what it comes to."""

    def __init__(self, features: Sequence[Feature] = TABLE) -> None:
        self.names: Final = tuple(one.name for one in features)
        asked: dict[tuple[Kind, Key], list[tuple[int, Feature]]] = {}
        for slot, one in enumerate(features):
            asked.setdefault((one.kind, one.key), []).append((slot, one))
        self._groups = [_Group(kind, key, some) for (kind, key), some in asked.items()]
        self._of_kind = {kind: [one for one in self._groups if one.takes(kind)] for kind in Kind}
        self._visits = self._rounds()
        self.look_back: Final = max(one.look_back for one in self._groups) * MICROSECOND + LATE_MAX
        """How old what is kept can get."""

    @property
    def keys(self) -> int:
        """Return how many keys are remembered, each once for each kind of observation."""
        return sum(len(group.series) for group in self._groups)

    def observe(self, seen: Observation) -> None:
        """Remember what happened. The same again changes nothing."""
        at, number = micros(seen.at), _short(seen.id)
        for group in self._of_kind[seen.kind]:
            key = seen.keys.get(group.key)
            if key is not None:
                group.add(key, at, number, seen)

    def learn(self, outcome: Outcome, about: Observation) -> None:
        """Remember what was learnt, and what it was learnt about. The same again changes nothing."""
        self.observe(about)
        at, number = micros(about.at), _short(about.id)
        learnt = micros(outcome.at), _short(outcome.id), outcome.fraud
        for group in self._of_kind[about.kind]:
            key = about.keys.get(group.key)
            if key is not None and group.risks:
                group.learn(key, at, number, learnt)

    def read(self, keys: Mapping[Key, bytes], at: dt.datetime) -> Values:
        """Return the features of some keys at a moment."""
        return self._read(keys, micros(at), None)

    def read_for(self, seen: Observation) -> Values:
        """Return the features that an observation is decided by: as of it, with it. It need not be observed.

        Of a further parcel, those of where it goes to.
        """
        keys = seen.keys
        if seen.kind is Kind.PARCEL:
            keys = {key: value for key, value in keys.items() if key in WHERE_TO}
        return self._read(keys, micros(seen.at), seen)

    def _read(self, keys: Mapping[Key, bytes], at: int, of: Observation | None) -> Values:
        values: list[float | None] = [None] * len(self.names)
        for group in self._groups:
            key = keys.get(group.key)
            if key is not None:
                group.read(values, key, at, of)
        return dict(zip(self.names, values, strict=True))

    def forget(self, now: dt.datetime, *, keys_max: int) -> None:
        """Look at the next so many keys, and drop what no feature looks back to any more."""
        moment = micros(now - LATE_MAX)
        for _ in range(keys_max):
            one = next(self._visits)
            if one is None:  # all have been looked at
                return
            group, key = one
            group.forget(key, moment - group.look_back)

    def _rounds(self) -> Iterator[tuple[_Group, bytes] | None]:
        while True:
            for group in self._groups:
                for key in list(group.series):  # as they are now: what comes meanwhile is young
                    yield group, key
            yield None
