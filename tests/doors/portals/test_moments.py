"""A moment is said in one way on every screen and in every message: in the reader's language, with its zone."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from zoneinfo import ZoneInfo

from django.template import engines
from django.template.loader import render_to_string
from django.utils import translation

import parcelward
from parcelward.base.standards.steps import Step
from parcelward.doors.portals import desk_shown, moments
from parcelward.parcels.wire import AlertRow, EventStory, Journey, Place, TimelineEntry

FOLDER = Path(next(iter(parcelward.__path__)))
AT = dt.datetime(2026, 11, 27, 4, 13, 59, tzinfo=dt.timezone(dt.timedelta(hours=2)))
MADRID = Place("ES-MAD-1", "Madrid Centro", "Madrid", "Europe/Madrid", None, simulated=True)
COMPUTED = {"moments.py", "proof.py"}  # the proof page's times are compared with the record, letter by letter


def shown(template: str, at: dt.datetime | None) -> str:
    return str(engines["django"].from_string(template).render({"at": at, "clock": ZoneInfo("Europe/Madrid")}))


def test_a_moment_is_said_in_the_readers_language_with_its_zone() -> None:
    assert moments.said(AT) == "27 November 2026, 02:13 UTC"
    assert moments.day(AT) == "27 November 2026"
    with translation.override("es"):
        assert moments.said(AT) == "27 de noviembre de 2026, 02:13 UTC"
        assert moments.day(AT) == "27 de noviembre de 2026"


def test_every_template_shows_a_moment_as_an_element_that_programs_can_read() -> None:
    whole = '<time datetime="2026-11-27T02:13:59+00:00">27 November 2026, 02:13\u00a0UTC</time>'
    assert shown("{{ at|moment }}", AT.astimezone(dt.UTC)) == whole
    sentence = "{% load i18n %}{% blocktranslate with at=at|moment %}until {{ at }}{% endblocktranslate %}"
    assert shown(sentence, AT.astimezone(dt.UTC)) == f"until {whole}"
    local = '<time datetime="2026-11-27T03:13:59+01:00">27 November 2026, 03:13:59\u00a0CET</time>'
    assert shown("{{ at|moment:clock }}", AT) == local
    assert shown("{{ at|day }}", AT) == '<time datetime="2026-11-27">27 November 2026</time>'
    assert shown("{{ at|moment }}{{ at|day }}", None) == ""


def test_a_sentence_keeps_its_elements_and_lets_nothing_else_through() -> None:
    said = moments.sentence("<i> %(who)s until %(at)s", {"who": "<b>", "at": moments.day_element(AT)})
    page = '&lt;i&gt; &lt;b&gt; until <time datetime="2026-11-27">27 November 2026</time>'
    assert str(said) == "<i> <b> until 27 November 2026"
    assert shown("{{ at }}", said) == page  # type: ignore[arg-type]  # any value is shown so


def test_the_desk_says_storing_and_alerts_by_the_clock_of_their_place() -> None:
    entry = TimelineEntry(None, Step.ACCEPTED, AT, MADRID, "observed", "", False, True)
    story = EventStory(entry, "door 7", 3, 12, AT + dt.timedelta(seconds=2), 11_204, None, "{}", "00" * 32)
    events = desk_shown.event_rows([story], [], now=AT)
    page = render_to_string("_story.html", {"events": events, "journey": Journey})
    assert '<time datetime="2026-11-27T03:13:59+01:00">27 November 2026, 03:13:59\u00a0CET</time>' in page
    assert '<time datetime="2026-11-27T03:14:01+01:00">27 November 2026, 03:14:01\u00a0CET</time>' in page
    alert = AlertRow(1, "short", AT, "ES-MAD-1", "Europe/Madrid", "", "", None, "It is missing.", closed=False)
    page = render_to_string("_alert.html", {"alert": alert, "alert_clock": moments.zone_of(alert.time_zone)})
    assert '<time datetime="2026-11-27T03:13:59+01:00">27 November 2026, 03:13:59\u00a0CET</time>' in page
    (row,) = desk_shown.alert_rows([alert], kind="", row=0, start=0, now=AT)
    assert row.exact == "27 November 2026, 03:13:59 CET"


def test_no_template_says_a_moment_in_a_way_of_its_own() -> None:
    own = re.compile(r"\|\s*(?:date|time|timesince|timeuntil|localtime)\b|\{%\s*now\b|\bUTC\b")
    found = [
        f"{path.name}: {hit[0]}"
        for path in sorted(FOLDER.rglob("templates/**/*.*"))
        for hit in own.finditer(path.read_text())
    ]
    assert found == []


def test_no_portal_says_a_moment_in_a_way_of_its_own() -> None:
    own = re.compile(r"\b(?:date_format|time_format|strftime|localtime)\b|\{[^{}]*:%[A-Za-z]|_FORMAT\"|\bUTC\"$")
    found = [
        f"{path.name}: {hit[0]}"
        for path in sorted((FOLDER / "doors" / "portals").rglob("*.py"))
        if path.name not in COMPUTED
        for hit in own.finditer(path.read_text())
    ]
    assert found == []
