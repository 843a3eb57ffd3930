"""Where an item is while it travels inside others: computed on read, from what was truly seen of those."""

from __future__ import annotations

import httpx
import pytest
from tests.scanner import Scanner, event, new_receptacle


@pytest.fixture(scope="module")
def scanner(installation, facilities):
    return Scanner(installation)


def derived(installation, number):
    lines = httpx.get(f"{installation.url}/api/v1/items/{number}/events", timeout=30).json()
    return [(line["step"], line["facility"]) for line in lines if line["source"] == "derived"]


def test_a_scan_of_a_cage_that_was_declared_wrong_moves_nothing_in_it(installation, scanner, number):
    cage = new_receptacle()
    wrong = event(None, "left_sorting", minutes=3, receptacle_id=cage, facility="TEST-HUB")
    scanner.send(event(number, "accepted"), event(number, "loaded", minutes=1, receptacle=cage), wrong)
    assert derived(installation, number) == [("left_sorting", "TEST-HUB")]
    declared = {"event_id": wrong["event_id"], "declares": "did_not_occur", "reason": "wrong_cage"}
    scanner.send(event(None, "left_sorting", minutes=4, receptacle_id=cage, facility="TEST-HUB", corrects=declared))
    assert derived(installation, number) == []


def test_a_loading_that_was_declared_wrong_puts_no_bag_into_a_cage(installation, scanner, number):
    bag, cage = new_receptacle(), new_receptacle()
    wrong = event(None, "loaded", minutes=2, receptacle_id=bag, receptacle=cage)
    scanner.send(event(number, "loaded", minutes=1, receptacle=bag), wrong)
    scanner.send(event(None, "left_sorting", minutes=3, receptacle_id=cage, facility="TEST-HUB"))
    assert derived(installation, number) == [("left_sorting", "TEST-HUB")]
    declared = {"event_id": wrong["event_id"], "declares": "incorrect_data", "reason": "wrong_cage"}
    scanner.send(event(None, "loaded", minutes=4, receptacle_id=bag, receptacle=cage, corrects=declared))
    assert derived(installation, number) == []


def test_receptacles_that_are_said_to_hold_each_other_are_counted_once(installation, scanner, number):
    one, other = new_receptacle(), new_receptacle()
    scanner.send(
        event(number, "loaded", minutes=1, receptacle=one),
        event(None, "loaded", minutes=2, receptacle_id=one, receptacle=other),
        event(None, "loaded", minutes=3, receptacle_id=other, receptacle=one),
        event(None, "left_sorting", minutes=4, receptacle_id=other, facility="TEST-HUB"),
        event(None, "left_sorting", minutes=5, receptacle_id=one, facility="TEST-B"),
    )
    assert derived(installation, number) == [("left_sorting", "TEST-B"), ("left_sorting", "TEST-HUB")]
