"""The database is away, or cannot write: callers are told to come back, and the next request connects anew."""

from __future__ import annotations

from parcelward.base import db
from parcelward.base.errors import Busy

ERRORS = db.AWAY
RETRY_AFTER_S = 2

drop_connections = db.drop_connections


def busy() -> Busy:
    """Return what the caller is told."""
    return Busy(
        "The database cannot be written just now; send it again", code="database_away", retry_after_s=RETRY_AFTER_S
    )
