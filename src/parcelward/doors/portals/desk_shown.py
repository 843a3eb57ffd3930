"""What the desk shows, from the rooms' values: queues, rows, live figures. Values in, values out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from parcelward.base.standards.steps import CODES
from parcelward.doors.portals import moments, shown
from parcelward.doors.portals.desk_words import count, kind_name, step_name
from parcelward.parcels.wire import AlertRow, EventStory, Held, Journey, Part, QuarantinedRow, Throughput, TimelineEntry
from parcelward.parcels.wire import Contents as WireContents

QUARANTINE: Final = "quarantine"
SPARK_WIDTH: Final = 132
SPARK_HEIGHT: Final = 28
SPARK_PAD: Final = 2
AGE_WAIT_S: Final = 10  # every receipt promises inclusion within 10 s: later than that somebody should look
AGE_BAD_S: Final = 60
USUAL_LOW: Final = 0.1
USUAL_HIGH: Final = 0.9

State = Literal["good", "wait", "bad", "plain"]
SAID: Final = "desk_said"
"""Session key: what was just done, said once on the next page."""


@dataclass(frozen=True, slots=True)
class Queue:
    """One line of the left pane."""

    name: str
    count: int
    href: str
    current: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the middle pane."""

    key: str
    href: str
    title: str
    is_code: bool  # a number or a code, set in the fixed-width face
    beside: str  # what tells rows of one queue apart
    words: str
    ago: str
    exact: str
    iso: str
    current: bool


@dataclass(frozen=True, slots=True)
class Pages:
    """Which part of a list this is, and the ways to the others; an empty address where there is none."""

    words: str
    newer: str
    older: str


@dataclass(frozen=True, slots=True)
class Figure:
    """One live figure: what, how much, in which unit, whether that is usual, and where it is counted."""

    name: str
    value: str
    unit: str
    usual: str
    state: State
    href: str


@dataclass(frozen=True, slots=True)
class Spark:
    """A line of the last ten minutes as an SVG polyline, with the band in which it usually lies."""

    points: str
    band_y: str
    band_height: str
    words: str
    usual: str
    newest: str


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event of an item's story as staff see it."""

    key: str
    day_time: str
    zone: str  # named only where two zones are involved, else empty
    clock: dt.tzinfo | None  # of its place: its storing is said by the same
    exact: str
    iso: str
    step: str
    place: str
    by: str  # device, or how we know where nobody scanned
    log: str
    receptacle: str  # number of the container it went into, came out of, or was inside; empty for none
    notes: tuple[str, ...]
    struck: bool
    story: EventStory | None  # None: nobody scanned this very item


@dataclass(frozen=True, slots=True)
class Inside:
    """One thing that is inside a receptacle, and since when."""

    number: str
    words: str
    exact: str
    iso: str


@dataclass(frozen=True, slots=True)
class Contents:
    """What is inside a receptacle now; `more`: there may be others."""

    held: tuple[Inside, ...]
    more: bool


def headline(journey: Journey) -> str:
    """Return how it stands with an item: what its addressee reads; of a receptacle, which has none, the newest step."""
    if journey.receptacle:
        newest = next((entry.step for entry in journey.timeline if not entry.corrected), None)
        said = step_name(newest) if newest is not None else _("not scanned yet")
        return said[:1].upper() + said[1:]
    return journey.headline or _(CODES[journey.step].customer)


def contents(found: WireContents, timeline: Sequence[TimelineEntry]) -> Contents:
    """Return what is inside, each since its loading, told as the events beside it are: in the zone where it then was.

    `timeline` is the receptacle's own, newest first. Before its first event with a place, that one's zone counts.
    """
    placed = [entry for entry in timeline if entry.place is not None]

    def told(one: Held) -> Inside:
        near = next((entry for entry in placed if entry.event_time <= one.since), placed[-1] if placed else None)
        at = one.since.astimezone(shown.zone_of(near.place if near else None))
        words = f"{moments.narrow(at)} {moments.zone_name(at)}"
        return Inside(one.number, words, moments.exact(at), at.isoformat())

    return Contents(tuple(told(one) for one in found.held), found.more)


def link(**wanted: object) -> str:
    """Return the desk's address with these parameters; empty ones are left out."""
    chosen = {name: value for name, value in wanted.items() if value not in {"", None}}
    return "/app/desk/" + (f"?{urlencode(chosen)}" if chosen else "")


def queues(open_by_kind: Mapping[str, int], *, queue: str, kind: str) -> tuple[Queue, ...]:
    """Return the queues that need somebody, the fullest first; quarantine always, because its emptiness is news too."""
    kinds = {k: n for k, n in open_by_kind.items() if k != QUARANTINE and n}
    everything = Queue(
        _("All exceptions"), sum(kinds.values()), link(queue="alerts"), current=queue == "alerts" and not kind
    )
    ordered = sorted(kinds.items(), key=lambda pair: (-pair[1], pair[0]))
    each = tuple(
        Queue(kind_name(k), n, link(queue="alerts", kind=k), current=queue == "alerts" and kind == k)
        for k, n in ordered
    )
    refused = Queue(
        kind_name(QUARANTINE), open_by_kind.get(QUARANTINE, 0), link(queue=QUARANTINE), current=queue == QUARANTINE
    )
    return (everything, *each, refused)


def pages(part: Part[Any], total: int, *, queue: str, kind: str) -> Pages:
    """Return where this part of a list stands, and the ways to what is newer and older."""

    def address(start: int | None) -> str:
        return "" if start is None else link(queue=queue, kind=kind, **{"from": start or ""})

    # Counted in two questions a moment apart: what came in between must not make it say "1 to 50 of 49".
    total = max(total, part.before + len(part.rows))
    words = count(total)
    if part.newer is not None or part.older is not None:
        first, last = part.before + bool(part.rows), part.before + len(part.rows)
        words = _("%(first)s to %(last)s of %(total)s") % {
            "first": count(first),
            "last": count(last),
            "total": count(total),
        }
    return Pages(words, address(part.newer), address(part.older))


def alert_rows(alerts: Sequence[AlertRow], *, kind: str, row: int, start: int, now: dt.datetime) -> tuple[Row, ...]:
    """Return alerts as lines of the list."""
    return tuple(
        Row(
            key=f"row-{a.alert_id}",
            href=link(queue="alerts", kind=kind, row=a.alert_id, **{"from": start or ""}),
            title=shown.grouped(a.item_number) if a.item_number else a.handover or a.facility,
            is_code=True,
            beside=a.facility if kind and (a.item_number or a.handover) else kind_name(a.kind),
            words=a.words,
            ago=moments.ago(a.opened_at, now=now),
            exact=moments.exact(a.opened_at.astimezone(moments.zone_of(a.time_zone))),
            iso=a.opened_at.isoformat(),
            current=a.alert_id == row,
        )
        for a in alerts
    )


def quarantine_rows(refused: Sequence[QuarantinedRow], *, row: int, start: int, now: dt.datetime) -> tuple[Row, ...]:
    """Return quarantined events as lines of the list."""
    return tuple(
        Row(
            key=f"row-{q.quarantine_id}",
            href=link(queue=QUARANTINE, row=q.quarantine_id, **{"from": start or ""}),
            title=kind_name(q.code),
            is_code=False,
            beside=q.source_name,
            words=_(q.message),
            ago=moments.ago(q.received_at, now=now),
            exact=moments.said(q.received_at),
            iso=q.received_at.isoformat(),
            current=q.quarantine_id == row,
        )
        for q in refused
    )


def event_rows(
    stories: Sequence[EventStory], timeline: Sequence[TimelineEntry], *, now: dt.datetime
) -> tuple[EventRow, ...]:
    """Return an item's story, newest first: every event with its source and its place in the log.

    Between them stands what follows from the container that it was in, or from a manifest, and is said to be so.
    """
    told: list[tuple[TimelineEntry, EventStory | None]] = [(story.entry, story) for story in stories]
    told += [(entry, None) for entry in timeline if entry.source != "observed"]
    told.sort(key=lambda pair: pair[0].event_time, reverse=True)
    local = [entry.event_time.astimezone(shown.zone_of(entry.place)) for entry, _story in told]
    several = len({moments.zone_name(at) for at in local}) > 1
    return tuple(
        _event_row(entry, story, at, number=number, zone=moments.zone_name(at) if several else "", now=now)
        for number, ((entry, story), at) in enumerate(zip(told, local, strict=True))
    )


def _event_row(
    entry: TimelineEntry, story: EventStory | None, at: dt.datetime, *, number: int, zone: str, now: dt.datetime
) -> EventRow:
    by = story.device_name if story else (_("derived") if entry.source == "derived" else _("assumed"))
    waiting = "…" if story else "—"
    return EventRow(
        key=entry.event_id.hex if entry.event_id else f"n{number}",
        day_time=moments.narrow(at, today=now.astimezone(at.tzinfo).date()),
        zone=zone,
        clock=at.tzinfo,
        exact=moments.exact(at),
        iso=at.isoformat(),
        step=_step_words(entry, story),
        place=entry.place.name if entry.place else "",
        by=by,
        log=f"#{count(story.log_index)}" if story and story.log_index is not None else waiting,
        receptacle=entry.receptacle,
        notes=shown.notes(entry),
        struck=entry.corrected,
        story=story,
    )


def _step_words(entry: TimelineEntry, story: EventStory | None) -> str:
    """Return what happened; a correction repeats the step that it declares wrong, so it says that it is one."""
    said = step_name(entry.step)
    return said if story is None or story.corrects is None else _("correction of %(step)s") % {"step": said}


def spark(per_second: Sequence[float]) -> Spark | None:
    """Draw the rate of the last ten minutes from zero up; None where there is nothing to draw."""
    if not per_second:
        return None
    top = max(*per_second, 1.0)
    room = SPARK_HEIGHT - 2 * SPARK_PAD
    ordered = sorted(per_second)
    low, high = ordered[int(USUAL_LOW * (len(ordered) - 1))], ordered[int(USUAL_HIGH * (len(ordered) - 1))]

    def y(value: float) -> float:
        return SPARK_PAD + room * (1 - value / top)

    stride = SPARK_WIDTH / max(1, len(per_second) - 1)
    points = " ".join(f"{i * stride:.1f},{y(value):.1f}" for i, value in enumerate(per_second))
    usual = _("usually %(low)s to %(high)s") % {"low": _rate(low), "high": _rate(high)}
    words = _("Events a second over the last ten minutes: now %(now)s, at most %(most)s") % {
        "now": _rate(per_second[-1]),
        "most": _rate(max(per_second)),
    }
    return Spark(points, f"{y(high):.1f}", f"{max(1.0, y(low) - y(high)):.1f}", words, usual, _rate(per_second[-1]))


def _rate(value: float) -> str:
    return count(value, decimals=0 if value >= 10 or value == int(value) else 1)  # noqa: PLR2004 -- two figures are enough


def figures(live: Throughput, *, witnesses: int) -> tuple[Figure, ...]:
    """Return the live figures beside the sparkline; `witnesses` is how many are set up."""
    age: State = "good"
    if live.log_behind and live.checkpoint_age_s > AGE_WAIT_S:
        age = "bad" if live.checkpoint_age_s > AGE_BAD_S else "wait"
    behind: State = "good" if live.log_behind == 0 or age == "good" else age
    state_words = {
        "good": _("as it should be"),
        "wait": _("slower than usual"),
        "bad": _("standing still: look at the worker"),
    }
    unwitnessed = live.log_size - live.witnessed_size
    seen = _("all of it") if unwitnessed <= 0 else _("%(n)s to go") % {"n": count(unwitnessed)}
    return (
        Figure(_("Today"), count(live.events_today), _("events"), "", "plain", ""),
        Figure(_("In the log"), count(live.log_size), _("entries"), "", "plain", "/log/checkpoint"),
        Figure(_("Waiting"), count(live.log_behind), _("entries"), state_words[behind], behind, ""),
        Figure(
            _("Last checkpoint"),
            count(live.checkpoint_age_s, decimals=0 if live.checkpoint_age_s >= AGE_WAIT_S else 1),
            _("s ago"),
            state_words[age],
            age,
            "/log/checkpoint",
        ),
        Figure(_("Witnessed"), count(live.witnessed_size), _("entries"), seen, "plain", "/log/checkpoint/witnessed")
        if witnesses
        else Figure(_("Witnessed"), "—", "", _("no witness is set up"), "plain", ""),
    )
