"""When a message is sent again, when it is given up, and which addresses and types there may be: pure decisions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Final
from uuid import UUID

ITEM_STATUS: Final = "item.status_changed"
TEST: Final = "webhook.test"
TYPES: Final = (ITEM_STATUS,)
"""What an endpoint can ask for. A test goes to the one endpoint that it was asked of, whatever that asks for."""

SCHEDULE: Final = tuple(
    dt.timedelta(seconds=s)
    for s in (5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
)
"""The pause after the first try that failed, after the second ...; after the tenth it is parked. Three days in all."""
PAUSED_AFTER: Final = dt.timedelta(days=5)  # nothing has arrived for so long: the endpoint is paused
WAIT_MAX: Final = dt.timedelta(days=1)  # that an endpoint may ask for by Retry-After
GONE: Final = 410
_WAITS: Final = frozenset({429, 503})

NAME_MAX: Final = 80
ENDPOINTS_MAX: Final = 20  # of one organisation
OVERLAP_MAX: Final = dt.timedelta(days=7)
REPLAYED_MAX: Final = 10_000  # deliveries that one request replays
SECRET_BYTES: Final = 32


def arrived(status: int) -> bool:
    """Return whether an answer says that the message was taken: any 2xx."""
    return 200 <= status < 300  # noqa: PLR2004 -- the HTTP status class


def next_try(tries: int, *, now: dt.datetime, status: int = 0, retry_after: str = "") -> dt.datetime | None:
    """Return when to try again after the `tries`-th try failed; None: it is parked.

    An endpoint that asks for a longer pause (429 or 503 with Retry-After in seconds) gets it, up to a day.
    """
    if tries > len(SCHEDULE):
        return None
    pause = SCHEDULE[tries - 1]
    if status in _WAITS and retry_after.isascii() and retry_after.isdigit() and len(retry_after) <= 6:  # noqa: PLR2004 -- eleven days
        pause = max(pause, min(dt.timedelta(seconds=int(retry_after)), WAIT_MAX))
    return now + pause


def pauses(failing_since: dt.datetime | None, *, now: dt.datetime, status: int) -> str:
    """Return why an endpoint is paused after a try that failed; empty where it goes on."""
    if status == GONE:
        return "gone"
    return "failing" if failing_since is not None and now - failing_since >= PAUSED_AFTER else ""


def wants(types: Collection[str], of: str) -> bool:
    """Return whether an endpoint that asks for these types is told of this one."""
    return not types or of in types


def time_ordered(chance: bytes, *, now: dt.datetime) -> UUID:
    """Return a version 7 UUID of ten random bytes: newer ones sort behind."""
    millis = int(now.timestamp() * 1000) << 80 | 0x7 << 76
    keep = (1 << 76) - 1 & ~(0x3 << 62)
    return UUID(int=millis | int.from_bytes(chance, "big") & keep | 0x2 << 62)
