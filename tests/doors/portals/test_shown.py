"""What people read of a journey: local days, named zones, honest notes, never more than was published."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.utils import translation

from parcelward.base.standards.steps import CODES, Step
from parcelward.doors.portals import jsonld, moments, shown
from parcelward.parcels.wire import ActionRequired, Journey, Place, TimelineEntry

NOW = dt.datetime(2026, 11, 22, 12, 0, tzinfo=dt.UTC)
LEEDS = Place("GB-LDS-1", "Leeds North post office", "Leeds", "Europe/London", (-1.55, 53.81), simulated=True)
DENVER = Place("US-DEN-1", "Denver hub", "Denver, CO", "America/Denver", (-104.99, 39.74), simulated=True)
NOWHERE = replace(LEEDS, coarse="Nowhere", time_zone="Mars/Olympus", position=None)


def entry(step: Step, hours_ago: float, place: Place | None = LEEDS, **other: object) -> TimelineEntry:
    made = TimelineEntry(uuid4(), step, NOW - dt.timedelta(hours=hours_ago), place, "observed", "", False, True)
    return replace(made, **other)  # type: ignore[arg-type]  # fields of the entry, by name


def journey(*timeline: TimelineEntry, **other: object) -> Journey:
    observed = [e for e in timeline if e.source == "observed"]
    made = Journey(
        item=UUID(int=1),
        public_id="itm_" + "0" * 31 + "1",
        number="RA473012345GB",
        step=timeline[0].step if timeline else Step.UNKNOWN,
        tracker="in_transit",
        headline="On its way",
        next_step="",
        reason="",
        stage=2,
        action_required=None,
        timeline=timeline,
        unannounced=False,
        receptacle=False,
        simulated=True,
        mode="test",
        held=False,
        shredded=False,
        events_total=len(observed),
        events_proven=sum(e.proven for e in observed),
        created_at=NOW,
        updated_at=NOW,
    )
    return replace(made, **other)  # type: ignore[arg-type]  # fields of the journey, by name


@pytest.mark.parametrize(
    ("number", "read"),
    [
        ("RA473012345GB", "RA 4730 1234 5 GB"),
        ("PW1234567890128", "PW 1234 5678 9012 8"),
        ("003401234567890120", "0034 0123 4567 8901 20"),
        ("1Z5R89390357567127", "1Z5R89390357567127"),
        ("itm_00", "itm_00"),
    ],
)
def test_numbers_are_read_aloud_in_groups(number: str, read: str) -> None:
    assert shown.grouped(number) == read


def test_days_are_those_of_the_place_and_not_of_the_server() -> None:
    late = entry(Step.LEFT_SORTING, 6.5, DENVER)  # 05:30 UTC on the 22nd is 22:30 on the 21st in Denver
    assert [day.name for day in shown.days([late], now=NOW)] == ["Yesterday"]
    assert shown.days([late], now=NOW)[0].lines[0].time == "22:30"
    early = NOW.replace(hour=3)  # still the 21st in Denver: what happened an hour ago happened today
    assert [day.name for day in shown.days([entry(Step.LEFT_SORTING, 10, DENVER)], now=early)] == ["Today"]


def test_zones_are_named_only_where_two_are_involved() -> None:
    one = shown.days([entry(Step.AT_DELIVERY_OFFICE, 1), entry(Step.LEFT_SORTING, 2)], now=NOW)
    assert {line.zone for day in one for line in day.lines} == {""}
    two = shown.days([entry(Step.AT_DELIVERY_OFFICE, 1), entry(Step.LEFT_SORTING, 2, DENVER)], now=NOW)
    assert {line.zone for day in two for line in day.lines} == {"GMT", "MST"}


@pytest.mark.parametrize(
    ("zone", "name"), [("Asia/Bangkok", "UTC+7"), ("Asia/Kathmandu", "UTC+5:45"), ("Asia/Tokyo", "JST")]
)
def test_a_zone_without_letters_is_named_by_its_distance(zone: str, name: str) -> None:
    at = NOW.astimezone(shown.zone_of(replace(LEEDS, time_zone=zone)))
    assert moments.zone_name(at) == name


def test_a_place_with_a_zone_that_nobody_knows_is_shown_in_utc() -> None:
    assert shown.days([entry(Step.ACCEPTED, 1, NOWHERE)], now=NOW)[0].lines[0].time == "11:00"


def test_each_doubt_is_said_in_words() -> None:
    assert shown.notes(entry(Step.ACCEPTED, 1)) == ()
    assert "not scanned singly" in shown.notes(entry(Step.ACCEPTED, 1, source="derived"))[0]
    assert "nobody has seen it" in shown.notes(entry(Step.ACCEPTED, 1, source="assumed"))[0]
    assert "mistake" in shown.notes(entry(Step.ACCEPTED, 1, corrected=True))[0]
    assert "within seconds" in shown.notes(entry(Step.ACCEPTED, 1, proven=False))[0]


def test_sightings_of_the_container_fold_into_one_line_and_scans_of_the_item_never_do() -> None:
    inside = [entry(Step.HANDED_OVER, n, source="derived", event_id=None) for n in (2, 3, 4)]
    (day,) = shown.days([entry(Step.UNLOADED, 1), *inside, entry(Step.LOADED, 5)], now=NOW)
    assert [line.words for line in day.lines] == [
        "Taken out of a container",
        "Inside a container",
        "Placed in a container",
    ]
    assert len(day.lines[1].inner) == 3
    assert "3 times" in day.lines[1].notes[0]
    (seen,) = shown.days([entry(Step.UNLOADED, 1), entry(Step.UNLOADED, 2)], now=NOW)
    assert len(seen.lines) == 2


def test_the_seal_never_says_more_than_was_published() -> None:
    assert shown.proof(journey(entry(Step.ACCEPTED, 1))).whole
    behind = shown.proof(journey(entry(Step.LEFT_SORTING, 1, proven=False), entry(Step.ACCEPTED, 2)))
    assert not behind.whole
    assert "1 of 2" in behind.words
    assert not shown.proof(journey()).whole
    assert not shown.proof(journey(entry(Step.ACCEPTED, 1), shredded=True)).whole


def test_the_usual_stages_are_not_shown_to_a_parcel_that_left_them() -> None:
    assert [stage.state for stage in shown.stages(journey())] == ["done", "current", "todo", "todo", "todo"]
    for tracker in shown.DERAILED:
        assert shown.stages(journey(tracker=tracker)) == ()


def test_who_must_act_is_said_and_otherwise_that_nobody_must() -> None:
    zone = shown.zone_of(LEEDS)
    assert shown.action(None, now=NOW, zone=zone) == "You need do nothing."
    mine = ActionRequired("addressee", "Collect it.", NOW + dt.timedelta(days=2))
    assert shown.action(mine, now=NOW, zone=zone) == "Collect it. By: Tuesday 24 November, 12:00 GMT."
    assert shown.action(ActionRequired("customs", "Pay.", None), now=NOW, zone=zone).startswith("You need do nothing.")


def test_places_follow_the_journey_and_a_correction_takes_its_place_off_the_map() -> None:
    line = [entry(Step.AT_DELIVERY_OFFICE, 1), entry(Step.UNLOADED, 2, DENVER, corrected=True), entry(Step.ACCEPTED, 3)]
    assert [(spot.name, spot.newest) for spot in shown.spots(line)] == [("Leeds", True)]
    assert [spot.name for spot in shown.spots([entry(Step.UNLOADED, 1, DENVER), line[2]])] == ["Leeds", "Denver, CO"]


def test_what_is_scanned_after_the_delivery_is_doubted_and_moves_nothing_on_the_map() -> None:
    line = [entry(Step.LEFT_SORTING, 1, DENVER), entry(Step.DELIVERED, 2), entry(Step.ACCEPTED, 3)]
    (_, after), (_, delivered), _ = [(day, one) for day in shown.days(line, now=NOW) for one in day.lines]
    assert "after the delivery" in after.notes[0]
    assert delivered.notes == ()
    assert [(spot.name, spot.newest) for spot in shown.spots(line)] == [("Leeds", True)]
    taken_back = [line[0], replace(line[1], corrected=True), line[2]]
    assert shown.days(taken_back, now=NOW)[0].lines[0].notes == ()
    assert [spot.name for spot in shown.spots(taken_back)] == ["Leeds", "Denver, CO"]


def test_a_manifest_is_quoted_and_not_believed() -> None:
    (day,) = shown.days([entry(Step.ACCEPTED, 1, source="assumed", event_id=None)], now=NOW)
    assert day.lines[0].words == "Handed to us, the sender says"


@pytest.mark.asvs("1.2.3")
@pytest.mark.parametrize("step", list(Step))
def test_the_json_tells_every_step_and_can_stand_in_a_page(step: Step) -> None:
    told = jsonld.parcel_delivery(journey(entry(step, 1)), public_url="https://post.example", operator="</script><b>")
    assert told["@type"] == "ParcelDelivery"
    assert told["deliveryStatus"][0]["name"] == CODES[step].customer
    assert told["deliveryStatus"][0]["location"]["name"] == "Leeds"
    assert "Leeds North" not in str(told), "the facility is finer than what the public may know"
    assert "<" not in jsonld.in_page(told)


SCHEMA_ORG = {
    "ParcelDelivery": {
        *("identifier", "trackingNumber", "trackingUrl", "provider", "description", "deliveryStatus", "dateModified")
    },
    "DeliveryEvent": {"identifier", "name", "startDate", "location"},
    "Place": {"name", "geo"},
    "GeoCoordinates": {"longitude", "latitude"},
    "Organization": {"name"},
}
"""What schema.org calls the properties that we use of each type; dateModified is lent from its CreativeWork."""


def assert_every_word_is_defined(node: Any, ours: dict[str, str]) -> None:
    if isinstance(node, list):
        for one in node:
            assert_every_word_is_defined(one, ours)
    elif isinstance(node, dict):
        known = SCHEMA_ORG[node["@type"]] if "@type" in node else set()
        for word, value in node.items():
            assert word.startswith("@") or word in known or word in ours, word
            if word != "@context":
                assert_every_word_is_defined(value, ours)


def test_every_word_of_the_json_is_schema_orgs_or_one_that_the_context_leads_to() -> None:
    lines = [entry(Step.HELD_BY_CUSTOMS, 1), entry(Step.LEFT_SORTING, 2, source="derived", event_id=None)]
    asked = ActionRequired(who="addressee", what="pay", by=NOW)
    told = jsonld.parcel_delivery(
        replace(journey(*lines), action_required=asked), public_url="https://post.example", operator="Post"
    )
    first, ours = told["@context"]
    assert first == "https://schema.org"
    assert ours == {term: f"https://post.example/terms#{term}" for term in jsonld.TERMS}
    assert not set(ours) & {word for words in SCHEMA_ORG.values() for word in words}, (
        "a term of ours must not change one of theirs"
    )
    assert told["@id"] == told["trackingUrl"] == f"https://post.example/track/{told['identifier']}"
    assert_every_word_is_defined(told, ours)
    assert json.loads(jsonld.in_page(told)) == told


def test_every_step_reads_in_spanish() -> None:
    with translation.override("es"):
        (day,) = shown.days([entry(step, 1) for step in Step], now=NOW)
        untranslated = [line.words for line in day.lines if line.words in {codes.customer for codes in CODES.values()}]
    assert untranslated == []


def test_how_long_ago_is_in_the_largest_whole_unit() -> None:
    ago = [moments.ago(NOW - dt.timedelta(seconds=s), now=NOW) for s in (-5, 59, 60, 3599, 3600, 86_399, 86_400)]
    assert ago == ["0 s", "59 s", "1 min", "59 min", "1 h", "23 h", "1 d"]
