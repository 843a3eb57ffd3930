"""Who may not see or change an item learns nothing about it and changes nothing."""

from __future__ import annotations

import datetime as dt
import json
import re
import uuid
from typing import Any

import httpx
import pytest
from tests.attacks.untouched import untouched
from tests.epcis_partner import Partner
from tests.epcis_partner import item as epcis_item
from tests.scanner import Scanner, event, new_number

from parcelward.parcels import actions, queries
from parcelward.people.queries import key_holder
from parcelward.people.wire import Person, Role

PRIVATE: dict[str, Any] = {
    "weight_g": 4_321,
    "label_code": "LABEL-PRIVATE-7",
    "reason": "private_reason_7",
    "position": [-89.651234, 39.78],
}


@pytest.fixture(scope="module")
def theirs(installation, facilities):
    number = new_number()
    scanner = Scanner(installation, name="their scanner")
    delivered = event(number, "delivered", minutes=10, **PRIVATE)
    scanner.send(event(number, "accepted", **PRIVATE), delivered)
    return number, delivered


@pytest.mark.asvs("8.2.3", "15.3.1")
@pytest.mark.parametrize("path", ["/track/{}", "/track/{}?format=json", "/track/{}/proof", "/api/v1/items/{}",
                                  "/api/v1/items/{}/events", "/api/v1/items/{}/proofs"])  # fmt: skip
def test_a_stranger_sees_the_public_part_alone(installation, theirs, path):
    number, _ = theirs
    with untouched():
        said = httpx.get(installation.url + path.format(number), timeout=30)
    assert said.status_code == 200
    for private in ("4321", "LABEL-PRIVATE-7", "private_reason_7", "89.651234"):
        assert not re.search(rf"\b{re.escape(private)}\b", said.text), private  # a hash may hold it by chance


@pytest.mark.asvs("8.2.2")
def test_a_stranger_gets_no_event_over_epcis_and_no_screen_of_the_desk(installation, theirs):
    number, _ = theirs
    with untouched():
        for path in (f"/epcis/events?MATCH_epc={number}", f"/epcis/epcs/{number}/events"):
            assert httpx.get(installation.url + path, timeout=30).status_code == 401, path
        for path in ("/app/", f"/app/desk/items/{number}", "/app/desk"):
            answer = httpx.get(installation.url + path, timeout=30)
            assert answer.status_code in {301, 302, 404}, path
            assert "delivered" not in answer.text.lower()


@pytest.mark.asvs("8.2.2")
def test_another_device_may_not_correct_what_it_did_not_see(installation, theirs):
    number, delivered = theirs
    other = Scanner(installation, name="stranger's scanner")
    before = httpx.get(f"{installation.url}/api/v1/items/{number}", timeout=30).json()
    corrects = {"event_id": delivered["event_id"], "declares": "did_not_occur", "reason": "mine_now"}
    other.send(event(number, "out_for_delivery", minutes=12, corrects=corrects))
    after = httpx.get(f"{installation.url}/api/v1/items/{number}", timeout=30).json()
    assert (after["step"], after["status"]) == (before["step"], before["status"]), "the delivery stands"
    lines = httpx.get(f"{installation.url}/api/v1/items/{number}/events", timeout=30).json()
    assert not any(line["corrected"] for line in lines)


@pytest.mark.parametrize("earlier", [True, False])
def test_an_id_that_is_used_again_takes_nobodys_event_back(installation, facilities, earlier):
    """A stranger's device reads the id of a hold, makes an event under it at another time, and corrects that id."""
    mine, other, number = Scanner(installation), Scanner(installation, name="stranger's scanner"), new_number()
    mine.send(event(number, "accepted"))
    admin = key_holder(installation.api_key)
    item = queries.find(number)
    assert item is not None
    actions.hold(item, "security_check", by=Person(uuid.uuid4(), Role.INSPECTOR, admin.source, "inspector"))
    where = f"{installation.url}/api/v1/items/{number}"
    lines = httpx.get(f"{where}/events", timeout=30).json()
    (held,) = (uuid.UUID(line["id"].removeprefix("evt_")) for line in lines if line["step"] == "held")
    again = event(number, "left_sorting", minutes=5) | {"event_id": str(held)}
    if not earlier:
        again |= {"event_time": (dt.datetime.now(dt.UTC) + dt.timedelta(minutes=2)).isoformat()}
    undo = {"event_id": str(held), "declares": "did_not_occur", "reason": "oops"}
    other.send(again)
    other.send(event(number, "left_sorting", minutes=6, corrects=undo))
    assert httpx.get(where, timeout=30).json()["held"], "the hold stands"
    assert other.send(event(number, "out_for_delivery", minutes=30))["instructions"][0]["do"] == "HOLD"
    struck = {line["step"]: line["corrected"] for line in httpx.get(f"{where}/events", timeout=30).json()}
    assert (struck["held"], struck["left_sorting"]) == (False, True)
    told = Partner(installation, role="inspector").events(MATCH_epc=epcis_item(number))
    assert len(told) == 5, "each once; a correction repeats what it declares wrong, the stranger's own"


def test_a_made_up_internal_id_reaches_nothing(installation, theirs):
    answers = []
    with untouched():
        for guess in ("itm_" + uuid.uuid4().hex, "itm_" + "0" * 32, new_number()):
            said = httpx.get(f"{installation.url}/api/v1/items/{guess}", timeout=30)
            answers.append((said.status_code, json.dumps({k: v for k, v in said.json().items() if k != "request_id"})))
    assert len(set(answers)) == 1, "unknown and forbidden look alike"
    assert answers[0][0] == 404
