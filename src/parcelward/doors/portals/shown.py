"""From a journey to what people read: days, local times, steps, sentences. Values in, values out; `now` is passed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final, Literal
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from parcelward.base.standards import identify
from parcelward.base.standards.steps import CODES, Step
from parcelward.doors.portals import moments
from parcelward.doors.portals.desk_words import step_name
from parcelward.parcels.wire import ActionRequired, Journey, Place, TimelineEntry

DERAILED: Final = frozenset({"return_to_sender", "cancelled", "error"})
"""Tracker statuses under which the five usual stages no longer describe what happens."""

grouped = identify.grouped


@dataclass(frozen=True, slots=True)
class Stage:
    """One of the five usual stages."""

    name: str
    state: Literal["done", "current", "todo"]
    words: str  # the state for those who cannot see it


@dataclass(frozen=True, slots=True)
class Line:
    """One entry as it is read."""

    time: str  # 06:12, in the place's own time
    zone: str  # named only where two zones are involved, else empty
    exact: str  # full date, time and zone
    iso: str
    words: str
    place: str
    notes: tuple[str, ...]  # derived, assumed, corrected, not yet proven: in words
    struck: bool
    observed: bool
    moves: bool  # False: an observation of custody beside the journey, set in a lighter weight
    inner: tuple[Line, ...] = ()  # what was seen of the container meanwhile, folded away


@dataclass(frozen=True, slots=True)
class Day:
    """The entries of one local day, newest first."""

    name: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Proof:
    """What the mark beside a history says: how much of it is proven."""

    whole: bool
    title: str
    words: str


@dataclass(frozen=True, slots=True)
class Spot:
    """A coarse place on the map and in the list beside it."""

    name: str
    longitude: float | None
    latitude: float | None
    newest: bool


def zone_of(place: Place | None) -> ZoneInfo:
    """Return the place's own zone, UTC where there is no place or its zone is not known here."""
    return moments.zone_of(place.time_zone if place else None)


def notes(entry: TimelineEntry, *, receptacle: bool = False) -> tuple[str, ...]:
    """Say in words how we know, and what is not settled."""
    said = []
    if entry.source == "derived" and receptacle:
        said.append(_("Inside another container that was scanned; this one was not scanned singly"))
    elif entry.source == "derived":
        said.append(_("Inside a container that was scanned; this parcel was not scanned singly"))
    if entry.source == "assumed":
        said.append(_("Announced to us; nobody has seen it here yet"))
    if entry.corrected:
        said.append(_("Recorded by mistake. The correction is part of the history"))
    if entry.source == "observed" and not entry.proven:
        said.append(_("Recorded; it joins the proven history within seconds"))
    return tuple(said)


def one_zone(timeline: Sequence[TimelineEntry]) -> str:
    """Return the zone that all the times are in; empty where each time names its own, or there is none."""
    names = {moments.zone_name(entry.event_time.astimezone(zone_of(entry.place))) for entry in timeline}
    return names.pop() if len(names) == 1 else ""


def days(timeline: Sequence[TimelineEntry], *, now: dt.datetime, receptacle: bool = False) -> tuple[Day, ...]:
    """Group entries (newest first) by the local day of their place; name zones where two are involved.

    A receptacle has no addressee: its steps are said in the desk's words.
    """
    local = [(entry, entry.event_time.astimezone(zone_of(entry.place))) for entry in timeline]
    several = len({moments.zone_name(at) for _entry, at in local}) > 1
    shown = []
    # To take a hold off afterwards is nothing odd.
    late = {entry.event_id for entry in after_delivery(timeline) if entry.step is not Step.RELEASED}
    for day, members in groupby(local, key=lambda pair: (pair[1].date(), now.astimezone(pair[1].tzinfo).date())):
        lines = []
        for (derived, _place), run in groupby(
            members, key=lambda pair: (pair[0].source == "derived", _coarse(pair[0]))
        ):
            said = [
                _line(
                    entry,
                    at,
                    zone=moments.zone_name(at) if several else "",
                    late=entry.event_id in late,
                    receptacle=receptacle,
                )
                for entry, at in run
            ]
            lines += [_folded(said, receptacle=receptacle)] if derived and len(said) > 1 else said
        shown.append(Day(moments.day_name(*day), tuple(lines)))
    return tuple(shown)


def after_delivery(timeline: Sequence[TimelineEntry]) -> Sequence[TimelineEntry]:
    """Return what was scanned after the delivery, newest first: perhaps a copy of the label, on another parcel."""
    ends = [
        i for i, e in enumerate(timeline) if e.step is Step.DELIVERED and e.source == "observed" and not e.corrected
    ]
    return timeline[: ends[-1]] if ends else ()


def _coarse(entry: TimelineEntry) -> str:
    return entry.place.coarse if entry.place else ""


def _folded(seen: Sequence[Line], *, receptacle: bool) -> Line:
    """Return one line for what was seen, one after the other, of the container that the item was in."""
    words = ngettext(
        "The container was scanned %(n)s time; this parcel was not scanned singly",
        "The container was scanned %(n)s times; this parcel was not scanned singly",
        len(seen),
    )
    if receptacle:
        words = ngettext(
            "The outer container was scanned %(n)s time", "The outer container was scanned %(n)s times", len(seen)
        )
    inner = tuple(replace(line, notes=()) for line in seen)
    return replace(seen[0], words=_("Inside a container"), notes=(words % {"n": len(seen)},), inner=inner)


def _line(entry: TimelineEntry, at: dt.datetime, *, zone: str, late: bool, receptacle: bool) -> Line:
    words = (
        _("Handed to us, the sender says") if entry.source == "assumed" else _step(entry.step, receptacle=receptacle)
    )
    doubt = (_("Scanned after the delivery; we are looking into it"),) if late and not entry.corrected else ()
    return Line(
        time=moments.time_of_day(at),
        zone=zone,
        exact=moments.exact(at),
        iso=at.isoformat(),
        words=words,
        place=_coarse(entry),
        notes=doubt + notes(entry, receptacle=receptacle),
        struck=entry.corrected,
        observed=entry.source == "observed",
        moves=CODES[entry.step].moves,
    )


def _step(step: Step, *, receptacle: bool) -> str:
    said = step_name(step) if receptacle else _(CODES[step].customer)
    return said[:1].upper() + said[1:]


def stages(journey: Journey) -> tuple[Stage, ...]:
    """Return the five usual stages, or none where the item has left the usual way."""
    if journey.tracker in DERAILED:
        return ()
    names = (_("Posted"), _("Sorted"), _("At your office"), _("Out for delivery"), _("Delivered"))
    said = {"done": _("done"), "current": _("now"), "todo": _("not yet")}
    shown = []
    for number, name in enumerate(names, start=1):
        state: Literal["done", "current", "todo"] = "todo"
        if number <= journey.stage:
            state = "current" if number == journey.stage else "done"
        shown.append(Stage(name, state, said[state]))
    return tuple(shown)


def opening(place: Place, opens: dt.datetime, closes: dt.datetime, *, now: dt.datetime) -> str:
    """Say when a place is open next, or now, by its own clock."""
    values = {
        "place": place.name,
        "day": moments.day_name(opens.date(), now.astimezone(opens.tzinfo).date()),
        "opens": moments.around(opens, moments.time_of_day(opens)),
        "closes": moments.around(closes, moments.time_of_day(closes)),
        "zone": moments.zone_name(opens),
    }
    return moments.sentence(_("%(place)s is open: %(day)s, %(opens)s to %(closes)s (%(zone)s)."), values)


def action(required: ActionRequired | None, *, now: dt.datetime, zone: dt.tzinfo) -> str:
    """Say who must do what by when, or that the reader need do nothing."""
    if required is None:
        return _("You need do nothing.")
    what = required.what
    if required.by is not None:
        by = required.by.astimezone(zone)
        day = moments.day_name(by.date(), now.astimezone(zone).date())
        at = moments.around(by, f"{day}, {moments.time_of_day(by)} {moments.zone_name(by)}")
        what = moments.sentence(_("%(what)s By: %(at)s."), {"what": what, "at": at})
    said = {
        "addressee": "%(what)s",
        "sender": _("The sender has something to do: %(what)s"),
        "carrier": _("You need do nothing. We have something to do: %(what)s"),
        "customs": _("You need do nothing. Customs has something to do: %(what)s"),
    }
    return moments.sentence(said[required.who], {"what": what})


def why(reason: str) -> str:
    """Return one line for a reason code, by the party that stands in front of it; empty for none."""
    said = {
        "carrier": _("The cause lies with us."),
        "sender": _("The cause lies with what the sender told us."),
        "addressee": _("Something at the delivery address kept us from delivering."),
        "customs": _("Customs is looking at it."),
        "weather": _("The weather is holding it up."),
        "security": _("Some parcels are picked out for a closer look."),
    }
    return said.get(reason.partition("_")[0], "")


def proof(journey: Journey) -> Proof:
    """Return what the mark beside a history may say: never more than what was published."""
    total, proven = journey.events_total, journey.events_proven
    if journey.shredded:
        return Proof(
            whole=False, title=_("History erased"), words=_("Its entries stay in the record but nobody can open them.")
        )
    if total == 0:
        return Proof(
            whole=False,
            title=_("Nothing recorded yet"),
            words=_("From the first scan on, anyone can check that no entry was changed."),
        )
    if proven < total:
        words = ngettext(
            "%(proven)s of %(total)s event is proven. The newest joins within seconds.",
            "%(proven)s of %(total)s events are proven. The newest joins within seconds.",
            total,
        )
        return Proof(whole=False, title=_("History being proven"), words=words % {"proven": proven, "total": total})
    words = ngettext(
        "%(total)s event, not changed since it was recorded.",
        "%(total)s events, none changed since they were recorded.",
        total,
    )
    return Proof(whole=True, title=_("History proven"), words=words % {"total": total})


def spots(timeline: Sequence[TimelineEntry]) -> tuple[Spot, ...]:
    """Return the coarse places in the order of the journey, oldest first; a place passed twice in a row is one."""
    seen: list[Place] = []
    for entry in reversed(timeline[len(after_delivery(timeline)) :]):
        place = entry.place
        if place and not entry.corrected and (not seen or seen[-1].coarse != place.coarse):
            seen.append(place)
    last = len(seen) - 1
    return tuple(
        Spot(
            place.coarse,
            place.position[0] if place.position else None,
            place.position[1] if place.position else None,
            newest=i == last,
        )
        for i, place in enumerate(seen)
    )
