"""What readers are told: the tracker's ten statuses, and only reasons that somebody gave."""

from __future__ import annotations

import datetime as dt

import httpx
import pytest
from tests.scanner import event

from parcelward.base.standards import steps
from parcelward.base.standards.steps import CODES, Step
from parcelward.parcels import told
from parcelward.parcels.models import ItemStatus
from parcelward.parcels.rules import State
from parcelward.parcels.wire import TimelineEntry

TRACKERS = {
    "in_transit": "accepted left_sorting arrived_outward_office left_outward_office arrived_inward_office "
    "presented_to_customs held_by_customs left_inward_office at_delivery_office",
    "out_for_delivery": "out_for_delivery",
    "failure": "delivery_failed",
    "available_for_pickup": "at_collection_point",
    "delivered": "delivered",
    "return_to_sender": "returning returned",
    "cancelled": "cancelled",
    "error": "lost damaged",
}
"""Tracker status -> our steps. The other two of the ten have no step: nobody has seen the item."""


def seen(step: Step) -> list[TimelineEntry]:
    now = dt.datetime(2026, 11, 26, tzinfo=dt.UTC)
    return [TimelineEntry(None, step, now, None, "observed", "", corrected=False, proven=False)]


@pytest.mark.parametrize(("tracker", "words"), TRACKERS.items())
def test_each_step_has_its_tracker_status(tracker: str, words: str) -> None:
    for word in words.split():
        step = steps.parse(word)
        assert step is not Step.UNKNOWN, word
        assert told.tracker(ItemStatus(step=step, flags=0), seen(step)) == tracker


def test_what_is_beside_the_journey_leaves_the_tracker_status_as_it_was() -> None:
    named = {steps.parse(word) for words in TRACKERS.values() for word in words.split()}
    beside = set(Step) - named - {Step.UNKNOWN}
    assert beside == {Step.LOADED, Step.UNLOADED, Step.HANDED_OVER, Step.SEALED, Step.HELD, Step.RELEASED}
    assert {CODES[step].tracker for step in beside} == {""}
    for step in beside:
        in_hand = step not in {Step.HELD, Step.RELEASED}  # an item that was sold can be held before it is handed in
        alone = told.tracker(ItemStatus(step=Step.UNKNOWN, flags=0), seen(step))
        assert alone == ("in_transit" if in_hand else "pre_transit"), step
        assert told.tracker(ItemStatus(step=Step.LEFT_SORTING, flags=0), seen(step)) == "in_transit"


def test_what_is_only_held_is_not_on_its_way_and_what_was_handed_in_is() -> None:
    held = ItemStatus(step=Step.HELD, flags=State.HELD)
    assert told.tracker(held, seen(Step.HELD)) == "pre_transit"
    assert told.tracker(held, [*seen(Step.HELD), *seen(Step.ACCEPTED)]) == "in_transit"


def test_before_the_first_scan_and_with_nothing_but_an_unknown_one() -> None:
    assert told.tracker(ItemStatus(step=Step.UNKNOWN, flags=0), []) == "pre_transit"
    assert told.tracker(ItemStatus(step=Step.UNKNOWN, flags=State.UNKNOWN_STEP), []) == "unknown"


def test_what_is_held_is_in_transit_until_it_was_delivered() -> None:
    assert told.tracker(ItemStatus(step=Step.OUT_FOR_DELIVERY, flags=State.HELD), []) == "in_transit"
    assert told.tracker(ItemStatus(step=Step.DELIVERED, flags=State.HELD | State.DELIVERED), []) == "delivered"


@pytest.mark.parametrize(
    ("step", "scanned", "told_reason"),
    [
        ("held", "security_hold", "security_hold"),
        ("held", "customs_papers", "customs_hold"),
        ("held", "see my note", ""),
        ("held", None, ""),
        ("held_by_customs", None, "customs_hold"),
        ("delivery_failed", "addressee_absent", "addressee_not_reached"),
        ("delivery_failed", "carrier_vehicle_broke_down", "carrier_delay"),
        ("delivery_failed", "weather_flood", "weather_delay"),
        ("delivery_failed", "dog", ""),
        ("delivery_failed", None, ""),
        ("out_for_delivery", "weather_flood", ""),
    ],
)
def test_a_reason_is_told_only_when_a_scan_gave_one(installation, scanner, number, step, scanned, told_reason) -> None:
    more = {} if scanned is None else {"reason": scanned}
    scanner.send(event(number, "accepted", reason="carrier_other"), event(number, step, minutes=5, **more))
    said = httpx.get(f"{installation.url}/api/v1/items/{number}", timeout=30).json()
    assert (said["reason"], said["status_detail"], said["action_required"]) == (told_reason, said["step"], None)


def test_the_newest_scan_that_counts_gives_the_reason(installation, scanner, number) -> None:
    wrong = event(number, "delivery_failed", minutes=9, reason="addressee_refused")
    undo = {"event_id": wrong["event_id"], "declares": "did_not_occur", "reason": "other door"}
    scanner.send(event(number, "delivery_failed", minutes=5, reason="weather_flood"), wrong)
    where = f"{installation.url}/api/v1/items/{number}"
    assert httpx.get(where, timeout=30).json()["reason"] == "addressee_not_reached"
    scanner.send(event(number, "delivery_failed", minutes=10, corrects=undo))
    assert httpx.get(where, timeout=30).json()["reason"] == "weather_delay"


def test_what_waits_to_be_collected_says_who_must_act(installation, scanner, number) -> None:
    scanner.send(event(number, "at_collection_point"))
    required = httpx.get(f"{installation.url}/api/v1/items/{number}", timeout=30).json()["action_required"]
    assert required["who"] == "addressee"
    assert required["what"]
    assert required["by"] is None
