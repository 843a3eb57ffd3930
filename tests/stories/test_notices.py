"""What customers are told: what has happened just now, once it is in the log; nothing that has not happened."""

from __future__ import annotations

import json
import uuid

from tests.scanner import event, new_number, until

from parcelward.base.standards.identify import item_id
from parcelward.parcels.queries import find


def told(installation, number):
    found = find(number)
    assert found is not None
    item = item_id(found)
    lines = [
        line for path in (installation.home / "notices").glob("*.ndjson") for line in path.read_text().splitlines()
    ]
    return [str(uuid.UUID(said["event"])) for said in map(json.loads, lines) if said["item"] == item]


def passed(scanner, installation, marker):
    """Wait until the follower has gone past everything that was sent before."""
    sent = event(marker, "delivered")
    scanner.send(sent)
    until(lambda: told(installation, marker) == [sent["event_id"]])


def test_a_delivery_is_told_once(installation, scanner, number):
    sent = event(number, "delivered", minutes=1)
    scanner.send(event(number, "accepted"), sent)
    until(lambda: told(installation, number) == [sent["event_id"]])


def test_a_correction_of_a_delivery_is_no_delivery(installation, scanner, number):
    wrong = event(number, "delivered", minutes=1)
    declared = {"event_id": wrong["event_id"], "declares": "did_not_occur", "reason": "wrong_item"}
    scanner.send(wrong)
    scanner.send(event(number, "delivered", minutes=2, corrects=declared))
    passed(scanner, installation, new_number())
    assert told(installation, number) == [wrong["event_id"]]


def test_what_is_learnt_years_later_is_no_news(installation, scanner, number):
    old = {**event(number, "delivered"), "event_time": "2018-03-04T05:06:07Z", "event_id": str(uuid.uuid4())}
    assert scanner.send(old)["accepted"] == 1
    passed(scanner, installation, new_number())
    assert told(installation, number) == []
