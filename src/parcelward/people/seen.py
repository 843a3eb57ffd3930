"""When each device and key was last heard, and how far a device's clock is off: noted in memory, written rarely.

Noting is a look at two clocks and a place in a dictionary. A thread of the web process writes, once a minute for each
at most and apart from what a request does: it delays none, and a kill loses a minute of it.
"""

from __future__ import annotations

import time
from typing import Final

from parcelward.base import db

EVERY_S: Final = 60.0  # between two writes for the same source
KNOWN_MAX: Final = 50_000

_noted: dict[int, tuple[float, int | None]] = {}  # source -> when (seconds), how far its clock is ahead
_written: dict[int, float] = {}


def note(source: int, at_s: float, clock_ahead_s: int | None = None) -> None:
    """Remember that a source was heard."""
    _noted[source] = at_s, clock_ahead_s


def write(now_s: float | None = None) -> int:
    """Write what was noted of sources that were not written within EVERY_S; return of how many."""
    now_s = time.time() if now_s is None else now_s
    due = [source for source in list(_noted) if abs(now_s - _written.get(source, 0.0)) >= EVERY_S]
    noted = [(source, *_noted.pop(source)) for source in sorted(due)]
    if not noted:
        return 0
    with db.cursor() as cur:
        cur.execute(
            "INSERT INTO people_lastseen (source_id, seen_at, clock_ahead_s) "
            "SELECT s, to_timestamp(t), c FROM unnest(%s::int[], %s::float8[], %s::int[]) AS u(s, t, c) "
            "WHERE EXISTS (SELECT FROM people_source WHERE number = s) ORDER BY s "
            "ON CONFLICT (source_id) DO UPDATE SET seen_at = greatest(people_lastseen.seen_at, excluded.seen_at), "
            "clock_ahead_s = coalesce(excluded.clock_ahead_s, people_lastseen.clock_ahead_s)",
            ([row[0] for row in noted], [row[1] for row in noted], [row[2] for row in noted]),
        )
    if len(_written) > KNOWN_MAX:
        _written.clear()
    _written.update((row[0], now_s) for row in noted)
    return len(noted)
