"""An item that is held for security goes on when two people at the desk agree, and in no other way."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from tests.epcis_partner import Partner, item
from tests.epcis_partner import event as epcis_event
from tests.people.staffing import somebody
from tests.scanner import Scanner, event

from parcelward.parcels import actions, queries
from parcelward.parcels.epcis.numbers import NAMESPACE
from parcelward.people.wire import Role


def is_held(number: str) -> bool:
    found = queries.find(number)
    assert found is not None
    return queries.held_for_security(found) and queries.journey(found).held


@pytest.fixture
def by_device(scanner: Scanner, number: str) -> str:
    scanner.send(event(number, "accepted"), event(number, "held", minutes=5, reason="Security_hold"))
    assert is_held(number)
    return number


@pytest.fixture
def at_the_desk(scanner: Scanner, number: str) -> str:
    scanner.send(event(number, "accepted"))
    found = queries.find(number)
    assert found is not None
    actions.hold(found, "security check of contents", by=somebody(Role.INSPECTOR))
    assert is_held(number)
    return number


@pytest.mark.asvs("8.2.1")
@pytest.mark.parametrize("role", ["administrator", "partner"])
@pytest.mark.parametrize("hold", ["by_device", "at_the_desk"])
def test_no_key_says_over_epcis_that_it_was_released(installation, request, role, hold):
    number = request.getfixturevalue(hold)
    partner = Partner(installation, role=role)
    for ahead_s in (0, 120):
        when = (dt.datetime.now(dt.UTC) + dt.timedelta(seconds=ahead_s)).isoformat()
        said = epcis_event(item(number), eventTime=when, bizStep="other") | {f"{NAMESPACE}step": "released"}
        assert partner.capture(said)["success"]
    assert is_held(number)


@pytest.mark.parametrize("hold", ["by_device", "at_the_desk"])
def test_no_key_declares_the_hold_wrong(installation, request, hold):
    number = request.getfixturevalue(hold)
    partner = Partner(installation, role="administrator")
    held = next(each for each in partner.events(MATCH_anyEPC=item(number)) if "held" in json.dumps(each))
    wrong = {"declarationTime": held["eventTime"], "reason": "did_not_occur"}
    spelt_out = json.loads(json.dumps(held).replace('"parcelward:', f'"{NAMESPACE}'))
    partner.capture(spelt_out | {"errorDeclaration": wrong})
    assert is_held(number)


def test_a_device_neither_takes_its_hold_back_nor_releases_it(scanner, number):
    held = event(number, "held", minutes=5, reason="security_hold")
    scanner.send(event(number, "accepted"), held)
    wrong = {"event_id": held["event_id"], "declares": "did_not_occur", "reason": "wrong parcel"}
    scanner.send(event(number, "held", minutes=7, corrects=wrong))
    assert is_held(number)
    scanner.send(event(number, "released", minutes=9))
    assert is_held(number)


def test_a_hold_for_another_reason_is_released_by_whoever_scans_it(scanner, number):
    scanner.send(event(number, "accepted"), event(number, "held", minutes=5, reason="address_query"))
    scanner.send(event(number, "released", minutes=9))
    assert not is_held(number)
