"""What the desk shows: every event and what follows from it, and words and figures in the reader's language."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from uuid import uuid4

from django.utils import translation

from parcelward.base.standards.steps import Step
from parcelward.doors.portals import desk_shown, desk_words
from parcelward.parcels.wire import EventStory, Place, TimelineEntry
from parcelward.people.wire import Role

NOW = dt.datetime(2026, 11, 22, 12, 0, tzinfo=dt.UTC)
DENVER = Place("US-DEN-1", "Denver hub", "Denver, CO", "America/Denver", (-104.99, 39.74), simulated=True)
TOKYO = replace(DENVER, code="JP-TYO-1", name="Tokyo hub", time_zone="Asia/Tokyo")


def entry(step: Step, hours_ago: float, place: Place = DENVER, **other: object) -> TimelineEntry:
    made = TimelineEntry(uuid4(), step, NOW - dt.timedelta(hours=hours_ago), place, "observed", "", False, True)
    return replace(made, **other)  # type: ignore[arg-type]  # fields of the entry, by name


def story(told: TimelineEntry, log_index: int = 11_204) -> EventStory:
    return EventStory(told, "door 7", 3, 12, told.event_time, log_index, None, "{}", "00" * 32)


def test_what_was_seen_of_the_container_stands_between_the_items_own_events_and_says_so() -> None:
    loaded, unloaded = entry(Step.LOADED, 3, receptacle="395212340439206643"), entry(Step.UNLOADED, 1)
    inside = entry(Step.LEFT_SORTING, 2, source="derived", event_id=None, receptacle="395212340439206643")
    rows = desk_shown.event_rows([story(unloaded), story(loaded)], [unloaded, inside, loaded], now=NOW)
    assert [(row.step, row.by, row.log) for row in rows] == [
        ("unloaded", "door 7", "#11,204"),
        ("left sorting", "derived", "—"),
        ("loaded", "door 7", "#11,204"),
    ]
    assert [row.receptacle for row in rows] == ["", "395212340439206643", "395212340439206643"]
    assert [row.story is None for row in rows] == [False, True, False]


def test_a_story_in_two_zones_names_them_and_one_in_a_single_zone_does_not() -> None:
    here, there = entry(Step.AT_DELIVERY_OFFICE, 1), entry(Step.ACCEPTED, 9, TOKYO)
    both = desk_shown.event_rows([story(here), story(there)], [], now=NOW)
    assert [row.zone for row in both] == ["MST", "JST"]
    assert {row.zone for row in desk_shown.event_rows([story(here)], [], now=NOW)} == {""}


def test_steps_roles_and_figures_are_those_of_the_readers_language() -> None:
    english = [desk_words.step_name(step) for step in Step]
    assert english[Step.ACCEPTED] == "accepted"
    assert desk_words.role_name(Role.HUB_AGENT) == "hub agent"
    assert len({desk_words.role_says(role) for role in Role}) == len(Role)
    assert desk_words.count(11_204) == "11,204"
    with translation.override("es"):
        assert not set(english) & {desk_words.step_name(step) for step in Step}
        assert desk_words.count(11_204) != "11,204"
        assert desk_words.count(0.5, decimals=1) == "0,5"


def test_an_unknown_reason_is_shown_as_it_is_written() -> None:
    assert desk_words.kind_name("never_heard_of") == "Never heard of"
