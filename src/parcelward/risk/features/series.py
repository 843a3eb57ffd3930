"""What is remembered of one key: one array, in the order of (time, id), with room at the end of each column.

    how many | times | ids | running sums, where a feature asks for amounts | a column for each key that is told apart

An id is the last 8 bytes of its UUID: it tells two observations of the same microsecond apart, and the same one again.
One array and no object of our own: most keys are seen once or twice, and then what surrounds the numbers is what costs.
A position is that of the time, the oldest at 1; the same of another column lies one or more strides behind it.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right, insort
from typing import Final, TypeAlias

import numpy as np

KEPT_MAX: Final = 8_192
"""Of one key, the newest so many observations count; older ones are as if they had never been.

Which they are does not depend on the order in which they came, so all processes agree. What is counted stops growing
there: a count of 8,192 says "so many or more", a sum or a mean is of the newest 8,192.
"""
SPARE: Final = 1_024  # so many more lie in the array before it is cut: cutting costs as much as a thousand additions
LONG: Final = 128  # from here on, counting apart by a set costs more than remembering when each value was last seen
IDS: Final = 1
SUMS: Final = 2

Series: TypeAlias = "array[int]"
EMPTY: Final[Series] = array("Q", [0])


def stride_of(series: Series, columns: int) -> int:
    """Return how far apart the columns lie."""
    return (len(series) - 1) // columns


def place(series: Series, stride: int, at: int, number: int) -> int:
    """Return the position before which all observations come before (at, number)."""
    end = series[0] + 1
    found = bisect_left(series, at, 1, end)
    while found < end and series[found] == at and series[stride + found] < number:
        found += 1
    return found


def added(series: Series, columns: int, row: list[int], *, summed: bool) -> Series | None:
    """Return the series with an observation in its place, None where it has it already. Its sum comes as its amount."""
    n, stride = series[0], stride_of(series, columns)
    end = position = n + 1
    if n and row[0] <= series[n]:
        position = place(series, stride, row[0], row[IDS])
        if position < end and series[position] == row[0] and series[stride + position] == row[IDS]:
            return None
    if n == stride:
        series = _relaid(series, columns, 0, n + 1 + n // 2)
        stride = stride_of(series, columns)
    if position < end:
        for first in range(0, columns * stride, stride):
            series[first + position + 1 : first + end + 1] = series[first + position : first + end]
    if summed:
        amount = row[SUMS]
        if position > 1:
            row[SUMS] += series[SUMS * stride + position - 1]
        if position < end:  # it came late: under a busy key thousands of sums grow
            np.frombuffer(series, np.uint64)[SUMS * stride + position + 1 : SUMS * stride + end + 1] += amount
    for column, value in enumerate(row):
        series[column * stride + position] = value
    series[0] = n + 1
    return series


def without_first(series: Series, columns: int, dropped: int, *, summed: bool) -> Series:
    """Return the series without its oldest few; sums begin anew, so that they never outgrow 64 bits."""
    kept = _relaid(series, columns, dropped, series[0] - dropped)
    if summed:
        stride = stride_of(series, columns)
        before = series[SUMS * stride + dropped] if dropped else 0
        first = SUMS * kept[0] + 1
        kept[first : first + kept[0]] = array("Q", [value - before for value in kept[first : first + kept[0]]])
    return kept


def _relaid(series: Series, columns: int, dropped: int, stride: int) -> Series:
    """Return the series without its oldest few, its columns so far apart."""
    n, before = series[0], stride_of(series, columns)
    new = array("Q", [n - dropped])
    room = array("Q", bytes(8 * (stride - n + dropped)))
    for first in range(1, columns * before + 1, before):
        new += series[first + dropped : first + n]
        new += room
    return new


class Newest:
    """When each value of a column was last seen: how many there were since a moment, without looking at them all."""

    __slots__ = ("_at", "_times")

    def __init__(self, times: Series, values: Series) -> None:
        self._at = dict(zip(values, times, strict=True))
        self._at.pop(0, None)  # 0 stands for none
        self._times: Series = array("Q", sorted(self._at.values()))

    def add(self, value: int, at: int) -> None:
        """Note that a value was seen, in whatever order it is told."""
        known = self._at.get(value, -1)
        if not value or at <= known:
            return
        if known >= 0:
            del self._times[bisect_left(self._times, known)]
        insort(self._times, at)
        self._at[value] = at

    def since(self, after: int) -> int:
        """Return how many were seen after a moment."""
        return len(self._times) - bisect_right(self._times, after)

    def seen(self, value: int, after: int) -> bool:
        """Return whether a value was seen after a moment."""
        return self._at.get(value, -1) > after
