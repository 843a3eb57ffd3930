"""Ask the configured timestamping authority about each day's archive checkpoint, and keep what it answers beside it."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from parcelward.base import config, egress
from parcelward.custody import archive, timestamps
from parcelward.custody.errors import BadTimestamp, TimestampAway

log = logging.getLogger(__name__)

DAYS_MAX: Final = 7  # how far back a day is still asked for; every later checkpoint covers it as well


def stamp_days(settings: config.Config, *, clock: Callable[[], dt.datetime]) -> bool:
    """Ask for the newest days that have no timestamp yet; return whether all of them have one now.

    What does not come, or does not hold, is logged and not kept: the next call asks again.
    """
    host = urlsplit(settings.tsa_url).hostname
    try:
        roots = timestamps.read_roots(settings.tsa_root.read_bytes())
        for day in archive.days(settings.log_folder)[:DAYS_MAX]:
            if not archive.timestamp(settings.log_folder, day):
                at = _stamp(settings, day, roots, clock)
                log.info("the timestamping authority %s saw the archive checkpoint of %s at %s", host, day, at)
    except OSError as err:
        log.warning("no timestamp: %s (%s)", err.strerror, err.filename)
    except TimestampAway as err:
        log.warning("no timestamp: the timestamping authority %s is away: %s", host, err)
    except BadTimestamp as err:
        log.error("no timestamp: what the timestamping authority %s answers does not hold: %s", host, err)  # noqa: TRY400 -- the sentence says it all
    else:
        return True
    return False


def _stamp(settings: config.Config, day: str, roots: timestamps.Roots, clock: Callable[[], dt.datetime]) -> dt.datetime:
    note = archive.read(settings.log_folder, day)
    asked = timestamps.request(note)
    try:
        answer = egress.post(settings.tsa_url, asked.as_bytes(), content_type=timestamps.REQUEST_TYPE)
    except egress.NotReached as err:
        raise TimestampAway(str(err)) from None
    if answer.status != 200:  # noqa: PLR2004 -- HTTP's word for yes
        raise TimestampAway(f"It answers {answer.status}.")
    at = timestamps.accept(answer.body, note, asked, roots=roots, now=clock())
    archive.keep_timestamp(settings.log_folder, day, answer.body)
    return at
