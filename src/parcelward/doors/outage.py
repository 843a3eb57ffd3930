"""The database is away, or cannot write: callers are told to come back, and the next request connects anew."""

from __future__ import annotations

import psycopg
from django.db import connections
from django.db.utils import InterfaceError, OperationalError

from parcelward.base.errors import Busy

ERRORS = (
    *(psycopg.OperationalError, psycopg.InterfaceError, OperationalError, InterfaceError),
    psycopg.errors.ReadOnlySqlTransaction,  # the server became a standby: the next connection finds the new one
)
"""What the driver raises, bare or wrapped by Django: connection gone, server starting or stopping, disk full."""
RETRY_AFTER_S = 2


def drop_connections() -> None:
    """Close this thread's connections: Django notices a dead one only where its own cursor failed."""
    for connection in connections.all(initialized_only=True):
        connection.close()


def busy() -> Busy:
    """Return what the caller is told."""
    return Busy(
        "The database cannot be written just now; send it again", code="database_away", retry_after_s=RETRY_AFTER_S
    )
