"""Local clocks of the simulated places: RFC 3339 text and timetables, quick enough for millions of events."""

from __future__ import annotations

import bisect
import datetime as dt
import functools
from zoneinfo import ZoneInfo

DAY_S = 86_400
HOUR_S = 3_600
_OFFSET_STEP_S = 900  # no zone changes its offset, nor starts its day, off a quarter of an hour


class LocalTime:
    """One time zone's clock. Instants are whole seconds since 1970-01-01 UTC."""

    __slots__ = ("_dates", "_offsets", "_timetables", "zone")

    def __init__(self, zone: str) -> None:
        self.zone = ZoneInfo(zone)
        self._offsets: dict[int, tuple[int, str]] = {}
        self._dates: dict[int, str] = {}
        self._timetables: dict[tuple[dt.date, tuple[int, ...]], tuple[int, ...]] = {}

    def _offset(self, at: int) -> tuple[int, str]:
        key = at // _OFFSET_STEP_S
        known = self._offsets.get(key)
        if known is None:
            if len(self._offsets) > 4_096:  # noqa: PLR2004 -- about six weeks: a live town runs for months
                self._offsets.clear()
            delta = dt.datetime.fromtimestamp(at, self.zone).utcoffset() or dt.timedelta()
            seconds = int(delta.total_seconds())
            sign, rest = ("-", -seconds) if seconds < 0 else ("+", seconds)
            known = seconds, f"{sign}{rest // HOUR_S:02d}:{rest % HOUR_S // 60:02d}"
            self._offsets[key] = known
        return known

    def text(self, at: int) -> str:
        """Return the instant as RFC 3339 with this zone's offset: `2026-03-02T17:45:09-06:00`."""
        offset, suffix = self._offset(at)
        day, second = divmod(at + offset, DAY_S)
        date = self._dates.get(day)
        if date is None:
            if len(self._dates) > 400:  # noqa: PLR2004 -- a year and a month
                self._dates.clear()
            date = self._dates[day] = dt.date.fromordinal(dt.date(1970, 1, 1).toordinal() + day).isoformat()
        return f"{date}T{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}{suffix}"

    def hour_of_week(self, at: int) -> tuple[int, int]:
        """Return (weekday, hour) on this clock; Monday is 0."""
        day, second = divmod(at + self._offset(at)[0], DAY_S)
        return (day + 3) % 7, second // HOUR_S  # 1970-01-01 was a Thursday

    def date(self, at: int) -> dt.date:
        """Return the local date."""
        return dt.datetime.fromtimestamp(at, self.zone).date()

    def instant(self, day: dt.date, minute: int) -> int:
        """Return the instant at which this clock shows `minute` minutes after midnight of `day`."""
        naive = dt.datetime.combine(day, dt.time(minute // 60, minute % 60))
        return int(naive.replace(tzinfo=self.zone).timestamp())

    def instants(self, day: dt.date, minutes: tuple[int, ...]) -> tuple[int, ...]:
        """Return the instants of a timetable's minutes on a day, in order."""
        known = self._timetables.get((day, minutes))
        if known is None:
            if len(self._timetables) > 1_024:  # noqa: PLR2004 -- some days of the few timetables that a world has
                self._timetables.clear()
            known = self._timetables[day, minutes] = tuple(sorted(self.instant(day, m) for m in minutes))
        return known

    def next_instant(self, minutes: tuple[int, ...], after: int, days: int) -> int | None:
        """Return the first instant of a daily timetable after `after`, looking at so many days; None: there is none."""
        day = self.date(after)
        for offset in range(days):
            instants = self.instants(dt.date.fromordinal(day.toordinal() + offset), minutes)
            found = bisect.bisect_right(instants, after)
            if found < len(instants):
                return instants[found]
        return None


@functools.cache
def of(zone: str) -> LocalTime:
    """Return the clock of an IANA time zone."""
    return LocalTime(zone)
