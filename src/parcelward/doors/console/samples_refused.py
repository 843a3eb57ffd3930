"""What every process of a real installation looks for before it starts: samples, which anybody may know."""

from __future__ import annotations

import contextlib

from parcelward.base import config
from parcelward.base.errors import NotAllowed


def refuse_samples(settings: config.Config) -> None:
    """Raise NotAllowed in production when samples were ever made here; Django is set up, the tables may be missing."""
    from django.db import connections
    from django.db.utils import OperationalError, ProgrammingError

    from parcelward.people import queries

    if not settings.production:
        return
    # Without database or tables there are no samples; `work` looks again when it has both.
    with contextlib.suppress(OperationalError, ProgrammingError):
        if queries.has_simulated_sources():
            raise NotAllowed(
                "This home holds sample users, keys or simulated devices. Production starts on a fresh "
                "PARCELWARD_HOME.",
                code="samples_in_production",
            )
    connections.close_all()
