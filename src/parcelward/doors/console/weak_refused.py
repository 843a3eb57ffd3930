"""What keeps web and worker from starting in production: settings so weak that no parcel should travel with them."""

from __future__ import annotations

import datetime as dt

from parcelward.base import config
from parcelward.base.errors import NotAllowed


def refuse_weak(settings: config.Config) -> None:
    """Raise NotAllowed in production, with what is wrong and how to mend it; Django is set up."""
    if not settings.production:
        return
    from django.db import connections

    from parcelward.doors.production import checks, looking

    found = checks.judge(looking.observe(settings, now=dt.datetime.now(dt.UTC)), at_start=True)
    connections.close_all()
    if found:
        words = " And: ".join(f"{each.words}. {each.mend}" for each in found)
        raise NotAllowed(f"Production does not start so: {words}", code="weak_settings")
