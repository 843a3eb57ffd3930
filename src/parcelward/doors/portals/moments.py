"""How a moment is said, on every screen, in every message and on every letter: in the reader's language, with its zone.

What happened at a place is said by that place's clock, to the second: an event and its storing, an alert about it.
Everything else is said to the minute in UTC: nothing tells us the clock of who reads, so it is not guessed. A day alone
is one of UTC. On a page each is an element that programs can read, too; templates say `{{ at|moment }}`,
`{{ at|moment:clock }}` and `{{ at|day }}` (`doors/templatetags/moments.py`).

The proof page alone shows times as they were recorded: the browser compares them with the record (`proof.py`).
"""

from __future__ import annotations

import datetime as dt
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils.formats import date_format
from django.utils.html import conditional_escape, escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

UTC: Final = ZoneInfo("UTC")
MINUTE_S: Final = 60
HOUR_S: Final = 3600
DAY_S: Final = 86_400


class Told(str):
    """Words about a moment: plain as they are, with an element around the moment where a page shows them."""

    __slots__ = ("_page",)
    _page: SafeString

    @classmethod
    def of(cls, words: str, page: SafeString) -> Told:
        """Return words that a page shows in another way."""
        made = cls(words)
        made._page = page
        return made

    def __html__(self) -> SafeString:
        """Return what a page shows."""
        return self._page


def zone_of(time_zone: str | None) -> ZoneInfo:
    """Return a place's own zone by its IANA name, UTC where there is none or it is not known here."""
    try:
        return ZoneInfo(time_zone) if time_zone else UTC
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def zone_name(at: dt.datetime) -> str:
    """Return what people call the zone: CET, BST; UTC+7 where the zone has no letters of its own."""
    name = at.tzname() or "UTC"
    if name[0] not in "+-":
        return name
    minutes = int((at.utcoffset() or dt.timedelta()).total_seconds()) // 60
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02}" if rest else "")


def said(at: dt.datetime) -> str:
    """Return a moment in UTC, to the minute, with its zone."""
    # Translators: Django date format of a moment, such as "3 November 2026, 14:05".
    return f"{date_format(at.astimezone(dt.UTC), _('j F Y, H:i'))} UTC"


def exact(at: dt.datetime) -> str:
    """Return date, time to the second, and the zone that the moment is in."""
    # Translators: Django date format, exact to the second.
    return f"{date_format(at, _('j F Y, H:i:s'))} {zone_name(at)}"


def day(at: dt.date) -> str:
    """Return a day as it is written within a sentence; of a moment, its day in UTC."""
    # Translators: Django date format of a day, such as "3 November 2026".
    return date_format(_utc_day(at), _("j F Y"))


def day_name(one: dt.date, today: dt.date) -> str:
    """Return Today, Yesterday, or the date as people say it; the year only where it is another."""
    if one == today:
        return _("Today")
    if one == today - dt.timedelta(days=1):
        return _("Yesterday")
    # Translators: Django date format of a day in this year, such as "Tuesday 3 November".
    this_year = _("l j F")
    # Translators: Django date format of a day in another year, such as "Tuesday 3 November 2026".
    other_year = _("l j F Y")
    return date_format(one, this_year if one.year == today.year else other_year)


def time_of_day(at: dt.datetime) -> str:
    """Return hours and minutes; its zone is said beside it, or once for all."""
    # Translators: Django format of a time of day.
    return date_format(at, _("H:i"))


def narrow(at: dt.datetime, *, today: dt.date | None = None) -> str:
    """Return a moment for a narrow column, without its year; without its day where that is today."""
    # Translators: Django date format of a day in a narrow column, such as "3 Nov".
    return time_of_day(at) if at.date() == today else f"{date_format(at, _('j M'))} {time_of_day(at)}"


def ago(at: dt.datetime, *, now: dt.datetime) -> str:
    """Return how long ago, in the largest whole unit: 12 s, 4 min, 3 h, 2 d. The exact time stands beside it."""
    passed_s = max(0, int((now - at).total_seconds()))
    if passed_s < MINUTE_S:
        return _("%(n)s s") % {"n": passed_s}
    if passed_s < HOUR_S:
        return _("%(n)s min") % {"n": passed_s // MINUTE_S}
    if passed_s < DAY_S:
        return _("%(n)s h") % {"n": passed_s // HOUR_S}
    return _("%(n)s d") % {"n": passed_s // DAY_S}


def element(at: dt.datetime | None, clock: dt.tzinfo | None = None) -> str:
    """Return a moment with its element, by the clock that is given, else in UTC; nothing for none."""
    if at is None:
        return ""
    there, words = (at, said(at)) if clock is None else (at.astimezone(clock), exact(at.astimezone(clock)))
    return around(there, words, "\u00a0".join(words.rsplit(" ", 1)))  # a zone is not left alone on a line


def day_element(at: dt.date | None) -> str:
    """Return a day with its element; nothing for none."""
    if at is None:
        return ""
    return Told.of(day(at), format_html('<time datetime="{}">{}</time>', _utc_day(at).isoformat(), day(at)))


def around(at: dt.datetime, words: str, on_page: str = "") -> Told:
    """Return words that say this moment, with its element; `on_page` are those that a page shows, where they differ."""
    iso = (at if at.tzinfo else at.replace(tzinfo=dt.UTC)).isoformat(timespec="seconds")
    return Told.of(words, format_html('<time datetime="{}">{}</time>', iso, on_page or words))


def sentence(words: str, values: dict[str, str]) -> Told:
    """Fill words in, `%(name)s` each, and keep the elements of those that have one."""
    held = {name: conditional_escape(value) for name, value in values.items()}
    page = mark_safe(escape(words) % held)  # noqa: S308 -- the words and every value were escaped in these two lines
    return Told.of(words % values, page)


def _utc_day(at: dt.date) -> dt.date:
    return at.astimezone(dt.UTC).date() if isinstance(at, dt.datetime) else at
