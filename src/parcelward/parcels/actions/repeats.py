"""Who sent known events lately: what they are in is recorded carefully at once, instead of twice.

The fast way fails at the first event that is known, and then everything in the group is done again. A sender who keeps
repeating events would take half of everybody's throughput so; known as one, it costs the group a look for duplicates.
Each process remembers by itself, and forgets.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

REMEMBERED_FOR_S = 60.0

_until: dict[int, float] = {}  # by source; one that is seen again moves to the end


def note(sources: Iterable[int]) -> None:
    """Remember who sent events that were recorded already."""
    now = time.monotonic()
    for source in sources:
        _until.pop(source, None)
        _until[source] = now + REMEMBERED_FOR_S


def expected_of(sources: Iterable[int]) -> bool:
    """Return whether one of these sent known events within the last minute."""
    if not _until:
        return False
    now = time.monotonic()
    for source, until in list(_until.items()):
        if until > now:
            break
        _until.pop(source, None)
    return not _until.keys().isdisjoint(sources)
