"""A parcel's life through the public API: what the hand that scans is told, and what the customer sees."""

from __future__ import annotations

import uuid

import httpx
import pytest
from tests.quarantined import as_sent
from tests.scanner import Scanner, event, new_receptacle, until

from parcelward.parcels import queries as parcels
from parcelward.parcels.models import Quarantine


def journey(installation, number):
    return httpx.get(f"{installation.url}/api/v1/items/{number}", timeout=30).json()


def lines(installation, number):
    return httpx.get(f"{installation.url}/api/v1/items/{number}/events", timeout=30).json()


def test_from_acceptance_to_delivery_every_step_is_shown_and_proven(installation, scanner, number):
    for minute, step in enumerate(("accepted", "left_sorting", "at_delivery_office", "out_for_delivery", "delivered")):
        said = scanner.send(event(number, step, minutes=minute))
        assert (said["accepted"], said["quarantined"]) == (1, [])
    seen = until(lambda: (j := journey(installation, number))["events_proven"] == 5 and j)
    assert (seen["status"], seen["headline"], seen["unannounced"]) == ("delivered", "Delivered", True)
    assert lines(installation, number)[0]["step"] == "delivered"


def stage(number):
    item = parcels.find(number)
    assert item is not None
    return parcels.journey(item).stage


def test_an_item_whose_first_scan_was_missed_is_not_called_unseen(installation, scanner, number):
    scanner.send(event(number, "loaded", receptacle=new_receptacle()))
    seen = journey(installation, number)
    assert (seen["headline"], seen["status"], stage(number)) == ("We have your parcel", "in_transit", 1)


def test_an_item_of_which_only_an_unknown_step_is_known_stays_unknown(installation, scanner, number):
    scanner.send(event(number, "frobnicated"))
    seen = journey(installation, number)
    assert (seen["headline"], seen["status"]) == ("Something was recorded that we are checking", "unknown")
    assert stage(number) == 0


def test_the_stage_is_where_it_is_now_and_not_the_farthest_it_came(installation, scanner, number):
    steps = (
        "accepted",
        "at_delivery_office",
        "out_for_delivery",
        "delivery_failed",
        "at_collection_point",
        "delivered",
    )
    found = []
    for minute, step in enumerate(steps):
        scanner.send(event(number, step, minutes=minute))
        found.append(stage(number))
    assert found == [1, 3, 4, 3, 3, 5]
    scanner.send(event(number, "left_sorting", minutes=9))  # after the delivery: doubted, and nothing goes back
    assert stage(number) == 5


def test_the_same_batch_twice_gives_the_same_answer_and_changes_nothing(installation, scanner, number):
    body = scanner.body([event(number, "accepted")])
    scanner.sequence += 1
    first = scanner.post(body, sequence=scanner.sequence)
    again = scanner.post(body, sequence=scanner.sequence)
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.content == again.content
    assert journey(installation, number)["events_total"] == 1


def test_a_sequence_with_another_body_is_refused(installation, scanner, number):
    scanner.send(event(number, "accepted"))
    other = scanner.post(scanner.body([event(number, "delivered", minutes=3)]), sequence=scanner.sequence)
    assert (other.status_code, other.json()["code"]) == (409, "sequence_reused")
    assert journey(installation, number)["step"] == "accepted"


def test_a_rebatched_event_is_a_duplicate(installation, scanner, number):
    one = event(number, "accepted")
    scanner.send(one)
    said = scanner.send(one, event(number, "left_sorting", minutes=1))
    assert (said["accepted"], said["duplicates"]) == (1, 1)
    assert journey(installation, number)["events_total"] == 2


@pytest.mark.parametrize("together", [True, False])
def test_another_event_under_a_known_id_is_set_aside_and_not_lost(installation, scanner, number, together):
    one = event(number, "out_for_delivery")
    other = {**one, "step": "delivered"}
    if together:
        said = scanner.send(one, other, one)
    else:
        scanner.send(one)
        said = scanner.send(other, one)
    assert [bad["code"] for bad in said["quarantined"]] == ["event_id_reused"]
    assert said["duplicates"] == 1
    assert journey(installation, number)["step"] == "out_for_delivery"
    kept = [as_sent(row) for row in Quarantine.objects.filter(code="event_id_reused")]
    assert sum(one["event_id"].encode() in raw for raw in kept) == 1


def test_late_events_fold_into_the_right_status(installation, scanner, number):
    scanner.send(event(number, "out_for_delivery", minutes=30))
    scanner.send(event(number, "accepted", minutes=1))
    assert journey(installation, number)["step"] == "out_for_delivery"
    assert [line["step"] for line in lines(installation, number)] == ["out_for_delivery", "accepted"]


def test_nothing_undelivers_but_a_correction(installation, scanner, number):
    delivered = event(number, "delivered", minutes=10)
    scanner.send(event(number, "out_for_delivery", minutes=5), delivered)
    said = scanner.send(event(number, "at_delivery_office", minutes=20))
    assert said["instructions"][0]["do"] == "STOP"
    assert journey(installation, number)["step"] == "delivered"
    corrects = {"event_id": delivered["event_id"], "declares": "did_not_occur", "reason": "wrong_item"}
    scanner.send(event(number, "delivered", minutes=25, corrects=corrects))
    assert journey(installation, number)["step"] == "at_delivery_office"
    assert any(line["corrected"] for line in lines(installation, number))


def test_another_device_may_not_correct(installation, scanner, number):
    delivered = event(number, "delivered", minutes=10)
    scanner.send(delivered)
    corrects = {"event_id": delivered["event_id"], "declares": "did_not_occur", "reason": "wrong_item"}
    Scanner(installation).send(event(number, "delivered", minutes=25, corrects=corrects))
    assert journey(installation, number)["step"] == "delivered"


def test_an_item_on_hold_tells_whoever_scans_it(installation, scanner, number):
    scanner.send(event(number, "accepted"), event(number, "held", minutes=1, reason="address_query"))
    said = scanner.send(event(number, "left_sorting", minutes=2))
    assert [i["do"] for i in said["instructions"]] == ["HOLD"]
    scanner.send(event(number, "released", minutes=3))
    assert scanner.send(event(number, "left_sorting", minutes=4))["instructions"] == []


def test_what_is_in_a_scanned_cage_gets_a_derived_position(installation, scanner, number):
    bag, cage = new_receptacle(), new_receptacle()
    scanner.send(event(number, "accepted"), event(number, "loaded", minutes=1, receptacle=bag))
    scanner.send(
        event(None, "loaded", minutes=2, receptacle_id=bag, receptacle=cage),
        event(None, "left_sorting", minutes=3, receptacle_id=cage, facility="TEST-HUB"),
        event(None, "unloaded", minutes=5, receptacle_id=bag, receptacle=cage),
        event(None, "left_sorting", minutes=6, receptacle_id=cage, facility="TEST-B"),
    )
    derived = [line for line in lines(installation, number) if line["source"] == "derived"]
    assert ("TEST-HUB", "left_sorting") in {(line["facility"], line["step"]) for line in derived}
    assert "TEST-B" not in {line["facility"] for line in derived}, "it had left the cage"
    assert journey(installation, number)["events_total"] == 2, "nobody saw the item itself"


def test_in_a_bag_in_a_cage_in_a_truck(installation, scanner, number):
    bag, cage, truck = new_receptacle(), new_receptacle(), new_receptacle()
    scanner.send(event(number, "accepted"), event(number, "loaded", minutes=1, receptacle=bag))
    scanner.send(
        event(None, "loaded", minutes=2, receptacle_id=bag, receptacle=cage),
        event(None, "loaded", minutes=3, receptacle_id=cage, receptacle=truck),
        event(None, "left_sorting", minutes=4, receptacle_id=truck, facility="TEST-HUB"),
        event(None, "unloaded", minutes=6, receptacle_id=cage, receptacle=truck),
        event(None, "left_sorting", minutes=7, receptacle_id=truck, facility="TEST-B"),
    )
    derived = [line for line in lines(installation, number) if line["source"] == "derived"]
    assert ("TEST-HUB", truck) in {(line["facility"], line["receptacle"]) for line in derived}
    assert "TEST-B" not in {line["facility"] for line in derived}, "its cage had left the truck"


def test_a_wrong_seal_is_an_instruction_in_the_same_answer(installation, scanner):
    bag = new_receptacle()
    scanner.send(event(None, "sealed", receptacle_id=bag, seal={"number": "S1", "did": "applied"}))
    said = scanner.send(event(None, "sealed", minutes=1, receptacle_id=bag, seal={"number": "S2", "did": "checked"}))
    assert [i["do"] for i in said["instructions"]] == ["SEAL_MISMATCH"]


def test_a_wrong_seal_is_told_also_when_the_scans_come_late(installation, scanner):
    bag = new_receptacle()
    scanner.send(event(None, "left_sorting", minutes=9, receptacle_id=bag))
    said = scanner.send(
        event(None, "sealed", receptacle_id=bag, seal={"number": "S1", "did": "applied"}),
        event(None, "sealed", minutes=1, receptacle_id=bag, seal={"number": "S2", "did": "checked"}),
    )
    assert [i["do"] for i in said["instructions"]] == ["SEAL_MISMATCH"]


def test_a_seal_that_was_properly_removed_makes_room_for_another(installation, scanner):
    bag = new_receptacle()
    said = scanner.send(
        event(None, "sealed", receptacle_id=bag, seal={"number": "S1", "did": "applied"}),
        event(None, "sealed", minutes=1, receptacle_id=bag, seal={"number": "S1", "did": "removed"}),
        event(None, "sealed", minutes=2, receptacle_id=bag, seal={"number": "S2", "did": "applied"}),
    )
    assert said["instructions"] == []


def test_a_bad_event_is_quarantined_and_the_rest_goes_on(installation, scanner, number):
    said = scanner.send(
        event(number, "accepted"),
        event(number, "left_sorting", minutes=60 * 5),
        event("RR000000000US", "accepted"),
        event(number, "left_sorting", minutes=1, facility="NOWHERE"),
        {"event_id": str(uuid.uuid4()), "step": "accepted"},
        event(number, "at_delivery_office", minutes=2),
    )
    assert said["accepted"] == 2
    assert [(q["index"], q["code"]) for q in said["quarantined"]] == [
        (1, "clock_ahead"),
        (2, "check_digit_wrong"),
        (3, "unknown_facility"),
        (4, "bad_event"),
    ]


def test_an_unknown_step_stays_unknown_and_is_raised(installation, scanner, number):
    scanner.send(event(number, "accepted"), event(number, "teleported", minutes=1))
    assert journey(installation, number)["step"] == "accepted"
    from parcelward.parcels.models import Alert
    from parcelward.parcels.queries import find

    assert Alert.objects.filter(kind="unknown_step", item=find(number)).count() == 1
