"""Refuse to write before the disk is full: a database that cannot write its journal stops, and reading with it."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

from parcelward.base import config
from parcelward.base.errors import Busy

FREE_BYTES_MIN = 96_000_000  # six journal segments of 16 MB: what is under way can still commit
LOOK_EVERY_S = 0.5
RETRY_AFTER_S = 30

_lock = threading.Lock()
_seen: tuple[float, bool] = (float("-inf"), True)


def free_bytes(folder: Path) -> int:
    """Return how much an ordinary process may still write where `folder` lies."""
    there = os.statvfs(folder)
    return there.f_bavail * there.f_frsize


def require_space() -> None:
    """Raise Busy while less than FREE_BYTES_MIN is free in the home; looked at twice a second at most."""
    global _seen  # noqa: PLW0603 -- one process-wide observation, replaced whole
    looked_at, enough = _seen
    now = time.monotonic()
    if now - looked_at > LOOK_EVERY_S:
        with _lock:
            enough = free_bytes(config.get().home) >= FREE_BYTES_MIN
            _seen = (now, enough)
    if not enough:
        raise Busy(
            "The disk is nearly full: nothing new is recorded until there is space. Keep the batch and send it again",
            code="disk_full",
            retry_after_s=RETRY_AFTER_S,
        )
