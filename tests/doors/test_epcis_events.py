"""EPCIS events as journeys, our scans as EPCIS events, and who may see which."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest
from tests import scanner
from tests.epcis_partner import Partner, at, event, item, packed, place
from tests.scanner import Scanner, new_number, new_receptacle, until

from parcelward.people import actions as people
from parcelward.people.wire import Role, Task

SHOWN = "https://parcelward.example/epcis/"


@pytest.fixture(scope="module")
def partner(installation, facilities):
    return Partner(installation)


@pytest.fixture(scope="module")
def desk(installation, facilities):
    return Partner(installation, key=installation.api_key)


@pytest.fixture(scope="module")
def device(installation, facilities):
    return Scanner(installation)


def journey(installation, number):
    return httpx.get(f"{installation.url}/api/v1/items/{number}", timeout=30).json()


def lines(installation, number):
    found = httpx.get(f"{installation.url}/api/v1/items/{number}/events", timeout=30).json()
    return sorted((line["event_time"], line["step"], line["facility"], line["corrected"]) for line in found)


# Captured events as journeys ------------------------------------------------------------------------------------------


def test_object_events_are_followed_like_scans(partner, installation, number):
    partner.capture(
        event(item(number), bizStep="accepting"),
        event(item(number), minutes=30, bizStep="departing", readPoint=place("TEST-HUB")),
        event(item(number), minutes=60, bizStep="arriving", readPoint=place("TEST-B")),
        event(item(number), minutes=90, bizStep="transporting", readPoint=place("TEST-B")),
    )
    steps = [(step, where) for _, step, where, _ in lines(installation, number)]
    assert steps == [
        ("accepted", "TEST-A"),
        ("left_sorting", "TEST-HUB"),
        ("at_delivery_office", "TEST-B"),
        ("out_for_delivery", "TEST-B"),
    ]
    until(lambda: journey(installation, number)["events_proven"] == 4)


@pytest.mark.parametrize("said", [{}, {"disposition": "completeness_verified"}, {"bizLocation": {"id": "urn:x:a"}}])
def test_receiving_is_not_told_as_delivered_unless_somebody_has_it(partner, installation, number, said):
    partner.capture(event(item(number)), event(item(number), minutes=1, bizStep="receiving", **said))
    assert journey(installation, number)["step"] == "accepted"
    given = {"type": "possessing_party", "destination": "urn:example:party:1"}
    whole: dict[str, Any] = {"disposition": "completeness_verified", "destinationList": [given]}
    partner.capture(event(item(number), minutes=2, bizStep="receiving", **whole))
    assert journey(installation, number)["step"] == "delivered"


def test_an_unknown_business_step_stays_unknown_and_asks_for_a_person(partner, installation, number):
    from parcelward.parcels import queries
    from parcelward.parcels.models import Alert

    partner.capture(event(item(number), bizStep="commissioning"))
    assert [step for _, step, _, _ in lines(installation, number)] == ["unknown"]
    alert = Alert.objects.get(item=queries.find(number), kind="unknown_step")
    assert alert.details["word"] == "commissioning"


def test_what_is_put_into_a_container_travels_with_it(partner, installation, number):
    cage, other = new_receptacle(), new_number()
    link = f"https://id.gs1.org/00/{cage}"
    partner.capture(
        event(item(number), item(other)),
        packed(link, item(number), item(other), minutes=5),
        event(link, minutes=10, bizStep="departing", readPoint=place("TEST-HUB")),
        packed(link, item(number), minutes=20, action="DELETE", readPoint=place("TEST-B")),
        event(link, minutes=30, bizStep="departing", readPoint=place("TEST-B")),
    )
    mine = [step for _, step, _, _ in lines(installation, number)]
    theirs = [step for _, step, _, _ in lines(installation, other)]
    assert mine == ["accepted", "loaded", "left_sorting", "unloaded"]
    assert theirs == ["accepted", "loaded", "left_sorting", "left_sorting"]


def test_sensor_readings_and_seals_stay_with_the_container(partner, installation):
    from parcelward.custody.queries import item_keys
    from parcelward.custody.wire import open_body
    from parcelward.parcels import queries
    from parcelward.parcels.models import ItemStatus, ScanEvent

    cage = new_receptacle()
    said = packed(f"https://id.gs1.org/00/{cage}", "urn:epc:id:giai:4000001.111")
    reading = {"sensorReport": [{"type": "Temperature", "value": 4.5, "uom": "CEL"}]}
    seal = {f"{SHOWN}seal": {"number": "S-77", "did": "applied"}}
    partner.capture({**said, "type": "AssociationEvent", "bizStep": "packing", "sensorElementList": [reading], **seal})
    found = queries.find(cage)
    assert found is not None
    assert ItemStatus.objects.get(item=found).seal == "S-77"
    row = ScanEvent.objects.get(item=found)
    opened = open_body(item_keys([found])[found], row.event_id.bytes, bytes(row.body))
    assert b'"Temperature"' in opened.groups["restricted"]


def test_the_number_is_the_same_in_every_spelling(partner, installation, number):
    spellings = [
        item(number),
        f"{installation.url}/track/{number}",
        f"urn:epc:id:giai:4012345.{number}",
        f"https://id.gs1.org/8004/4012345{number}",
    ]
    partner.capture(*(event(epc, minutes=minute) for minute, epc in enumerate(spellings)))
    assert journey(installation, number)["events_total"] == len(spellings)
    for epc in spellings:
        assert len(partner.events(MATCH_epc=epc)) == len(spellings), epc


def test_a_bad_number_is_nobodys_parcel(partner, installation, number):
    wrong = number[:10] + str((int(number[10]) + 1) % 10) + number[11:]
    partner.capture(event(item(wrong)))
    assert len(partner.events(MATCH_epc=item(wrong))) == 1
    assert journey(installation, number).get("code") == "not_found"


def test_a_declared_error_corrects_the_scans_and_both_events_stay(partner, installation, number):
    wrong = event(item(number), minutes=5, bizStep="departing", readPoint=place("TEST-HUB"))
    partner.capture(event(item(number)), wrong)
    assert journey(installation, number)["step"] == "left_sorting"
    declared = {**wrong, "errorDeclaration": {"declarationTime": at(20), "reason": "did_not_occur"}}
    assert partner.capture(declared)["success"]
    assert journey(installation, number)["step"] == "accepted"
    assert [(step, corrected) for _, step, _, corrected in lines(installation, number)] == [
        ("accepted", False),
        ("left_sorting", True),
    ]
    both = partner.events(EQ_eventID=wrong["eventID"])
    assert sorted("errorDeclaration" in e for e in both) == [False, True]
    assert len(partner.events(EXISTS_errorDeclaration="true", MATCH_epc=item(number))) == 1
    assert partner.capture(declared)["parcelward:duplicates"] == 1
    assert len(partner.events(EQ_eventID=wrong["eventID"])) == 2


def test_a_partner_cannot_correct_anothers_event_and_an_administrator_can(partner, desk, installation, number):
    wrong = event(item(number), minutes=5, bizStep="departing")
    partner.capture(event(item(number)), wrong)
    declared = {**wrong, "errorDeclaration": {"declarationTime": at(20), "reason": "incorrect_data"}}
    Partner(installation).capture(declared)
    assert journey(installation, number)["step"] == "left_sorting"
    desk.capture(declared)
    assert journey(installation, number)["step"] == "accepted"


def test_an_administrators_key_that_may_only_capture_corrects_nobody_elses_event(partner, installation, number):
    """A document is captured by a job, which has no more rights than the key that sent it."""
    wrong = event(item(number), minutes=5, bizStep="departing")
    partner.capture(event(item(number)), wrong)
    made = people.make_key("captures", Role.ADMINISTRATOR, by=people.installer(), mode="test", scopes=[Task.CAPTURE])
    declared = {**wrong, "errorDeclaration": {"declarationTime": at(20), "reason": "incorrect_data"}}
    Partner(installation, key=made).capture(declared)
    assert journey(installation, number)["step"] == "left_sorting"


def test_a_place_is_known_by_its_gln(desk, partner, installation, number):
    body = {
        "name": "GLN office",
        "kind": "office",
        "country": "US",
        "time_zone": "America/Chicago",
        "coarse_place": "Springfield, IL",
        "position": None,
        "simulated": True,
        "gln": "9521321000001",
    }
    httpx.put(
        f"{installation.url}/api/v1/facilities/TEST-GLN", json=body, headers=installation.headers, timeout=30
    ).raise_for_status()
    partner.capture(
        event(item(number), readPoint={"id": "urn:epc:id:sgln:9521321.00000.dock4"}),
        event(item(number), minutes=1, readPoint=None, bizLocation={"id": "https://example.com/414/9521321000001"}),
    )
    assert [where for _, _, where, _ in lines(installation, number)] == ["TEST-GLN", "TEST-GLN"]


# Our scans as EPCIS events --------------------------------------------------------------------------------------------


def test_our_own_scans_are_given_out_as_epcis_events(desk, device, installation, number):
    cage = new_receptacle()
    device.send(
        scanner.event(number, "accepted"),
        scanner.event(number, "loaded", minutes=1, receptacle=cage),
        scanner.event(number, "unloaded", minutes=2, receptacle=cage, facility="TEST-B"),
        scanner.event(number, "delivered", minutes=3, facility="TEST-B"),
    )
    given = desk.events(MATCH_anyEPC=item(number), orderBy="eventTime", orderDirection="ASC")
    assert [(e["type"], e["action"], e["bizStep"], e["parcelward:step"]) for e in given] == [
        ("ObjectEvent", "OBSERVE", "accepting", "accepted"),
        ("AggregationEvent", "ADD", "loading", "loaded"),
        ("AggregationEvent", "DELETE", "unloading", "unloaded"),
        ("ObjectEvent", "OBSERVE", "receiving", "delivered"),
    ]
    assert given[0]["epcList"] == [f"{installation.url}/track/{number}"]
    assert given[1]["parentID"] == f"https://id.gs1.org/00/{cage}"
    assert given[0]["readPoint"] == {"id": f"{installation.url}/facilities/TEST-A"}
    for e in given:
        assert [one["eventID"] for one in desk.events(EQ_eventID=e["eventID"])] == [e["eventID"]]
    found = desk.events(MATCH_parentID=f"urn:epc:id:sscc:{cage[1:8]}.{cage[0]}{cage[8:17]}")
    assert [e["parcelward:step"] for e in found] == ["unloaded", "loaded"]


def test_what_another_installation_gives_out_is_read_back_as_the_same_steps(desk, installation, device):
    """Every step goes out and comes in again: where CBV has one word for several, our extension says which."""
    from parcelward.base.standards.steps import Step

    told = [s for s in Step if s not in {Step.UNKNOWN, Step.LOADED, Step.UNLOADED}]
    for step in told:
        first, second = new_number(), new_number()
        device.send(scanner.event(first, step.word))
        (given,) = desk.events(MATCH_epc=item(first))
        again = {k: v for k, v in given.items() if k not in {"eventID", "recordTime"}}
        again |= {"epcList": [item(second)], f"{SHOWN}step": again.pop("parcelward:step")}
        desk.capture(again)
        assert [line[1] for line in lines(installation, second)] == [step.word]


def test_a_correction_at_the_desk_is_given_out_as_an_error_declaration(desk, device, installation, number):
    from parcelward.parcels import actions, queries
    from parcelward.people import queries as people

    said = scanner.event(number, "left_sorting")
    device.send(scanner.event(number, "accepted", minutes=-5), said)
    by, found = people.key_holder(installation.api_key), queries.find(number)
    assert found is not None
    actions.correct(found, uuid.UUID(said["event_id"]), "did_not_occur", "wrong cage", by=by)
    given = desk.events(MATCH_epc=item(number))
    (declared,) = [e for e in given if "errorDeclaration" in e]
    assert declared["errorDeclaration"]["reason"] == "did_not_occur"
    (wrong,) = [e for e in given if e["eventID"] == declared["eventID"] and "errorDeclaration" not in e]
    assert (wrong["eventTime"], wrong["bizStep"]) == (declared["eventTime"], declared["bizStep"])


def test_an_event_that_made_scans_is_given_once(desk, partner, number):
    partner.capture(event(item(number)))
    assert len(desk.events(MATCH_anyEPC=item(number))) == 1


def test_captured_events_and_scans_come_as_one_stream_in_any_page_size(desk, partner, device, number):
    for minute in range(0, 12, 2):
        partner.capture(event(item(number), minutes=minute))
        device.send(scanner.event(number, "left_sorting", minutes=minute))
    whole = [e["eventID"] for e in desk.events(MATCH_epc=item(number), perPage="100")]
    assert len(whole) == len(set(whole)) == 12
    for size in ("1", "3", "5", "12"):
        assert [e["eventID"] for e in desk.events(MATCH_epc=item(number), perPage=size)] == whole, size
    ascending = desk.events(MATCH_epc=item(number), orderBy="eventTime", orderDirection="ASC", perPage="5")
    assert [e["eventID"] for e in ascending] == whole[::-1]
    by_record = desk.events(MATCH_epc=item(number), orderBy="recordTime", orderDirection="ASC", perPage="5")
    assert sorted(e["eventID"] for e in by_record) == sorted(whole)
    times = [e["recordTime"] for e in by_record if "recordTime" in e]
    assert times == sorted(times)


def test_limits_of_a_query_are_kept(desk, partner, number):
    partner.capture(*(event(item(number), minutes=m) for m in range(5)))
    first = partner.events(
        MATCH_epc=item(number), orderBy="eventTime", orderDirection="ASC", eventCountLimit="3", perPage="2"
    )
    assert [e["eventTime"] for e in first] == sorted(e["eventTime"] for e in first)
    assert len(first) == 3
    assert len(partner.events(MATCH_epc=item(number), maxEventCount="5")) == 5
    answer = partner.get("/events", MATCH_epc=item(number), maxEventCount="4")
    assert (answer.status_code, answer.json()["type"]) == (413, "epcisException:QueryTooLargeException")


def test_conditions_hold_for_captured_events_and_scans_alike(desk, partner, device, number):
    partner.capture(event(item(number), bizStep="inspecting", disposition="damaged"))
    device.send(scanner.event(number, "delivered", facility="TEST-B"))
    epc = {"MATCH_epc": item(number)}
    cases = [
        ({"EQ_bizStep": "inspecting"}, 1),
        ({"EQ_bizStep": "receiving|inspecting"}, 2),
        ({"EQ_disposition": "damaged"}, 1),
        ({"EQ_action": "ADD"}, 0),
        ({"eventType": "ObjectEvent"}, 2),
        ({"eventType": "TransactionEvent"}, 0),
        ({"EQ_readPoint": place()["id"]}, 1),
        ({"GE_eventTime": at(-1), "LT_eventTime": at(1)}, 1),
        ({"GE_eventTime": at(1)}, 1),
        ({"GE_recordTime": "2020-01-01T00:00:00Z"}, 1),
        ({"LT_recordTime": "2020-01-01T00:00:00Z"}, 0),
        ({"EXISTS_errorDeclaration": "true"}, 0),
        ({"MATCH_parentID": item(number)}, 0),
    ]
    for asked, count in cases:
        found = desk.events(**epc, **asked)
        least = [e for e in found if "recordTime" in e] if "GE_recordTime" in asked else found
        assert len(least) >= count if "GE_recordTime" in asked else len(found) == count, asked


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ({"EQ_bizSteps": "accepting"}, "/EQ_bizSteps"),
        ({"GE_eventTime": "yesterday"}, "/GE_eventTime"),
        ({"perPage": "0"}, "/perPage"),
        ({"perPage": "1001"}, "/perPage"),
        ({"nextPageToken": "bm9uc2Vuc2U"}, "/nextPageToken"),
        ({"nextPageToken": "%%%"}, "/nextPageToken"),
        ({"orderBy": "mood"}, "/orderBy"),
    ],
)
def test_a_wrong_question_is_refused_by_the_name_of_what_is_wrong(partner, asked, pointer):
    answer = partner.get("/events", **asked)
    assert answer.status_code == 400, answer.text
    assert [problem["pointer"] for problem in answer.json()["errors"]] == [pointer]
    assert answer.json()["type"].startswith("epcisException:")


def test_a_parameter_given_twice_is_refused(partner):
    answer = partner.ask("GET", "/events?EQ_action=ADD&EQ_action=DELETE")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "repeated")


# Who sees what --------------------------------------------------------------------------------------------------------


def test_a_partner_sees_its_own_events_and_nobody_elses(installation, partner, desk, device, number):
    other = Partner(installation)
    mine, theirs = event(item(number)), event(item(number), minutes=1)
    partner.capture(mine)
    other.capture(theirs)
    device.send(scanner.event(number, "left_sorting", minutes=2))
    assert [e["eventID"] for e in partner.events(MATCH_anyEPC=item(number))] == [mine["eventID"]]
    assert [e["eventID"] for e in other.events(MATCH_anyEPC=item(number))] == [theirs["eventID"]]
    assert len(desk.events(MATCH_anyEPC=item(number))) == 3
    assert len(Partner(installation, role="inspector").events(MATCH_anyEPC=item(number))) == 3
    assert partner.named(theirs["eventID"]).status_code == 404
    token = desk.get("/events", MATCH_anyEPC=item(number), perPage="1").links["next"]["url"]
    assert [e["eventID"] for e in partner.events(token)] == [mine["eventID"]], "a token opens nothing"
    assert item(number) in other.get("/epcs", perPage="1000").json()["member"]
    third = Partner(installation)
    assert third.get("/epcs").json()["member"] == []
    assert third.events() == []
    assert third.get(f"/epcs/{item(number)}").status_code == 404


def test_scans_sent_with_a_key_are_seen_by_that_key(installation, partner, number):
    body = [scanner.event(number, "accepted")]
    headers = {"Authorization": f"Bearer {partner.key}"}
    httpx.post(f"{installation.url}/api/v1/scans", json=body, headers=headers, timeout=30).raise_for_status()
    assert [e["parcelward:step"] for e in partner.events(MATCH_epc=item(number))] == ["accepted"]
    assert Partner(installation).events(MATCH_epc=item(number)) == []


def test_whoever_names_an_event_of_somebody_elses_as_wrong_is_told_nothing_of_it(installation, device, number):
    """Into which container it was loaded is the operator's alone."""
    cage, curious = new_receptacle(), Partner(installation)
    loaded = scanner.event(number, "loaded", minutes=1, receptacle=cage)
    device.send(scanner.event(number, "accepted"), loaded)
    corrects = {"event_id": loaded["event_id"], "declares": "did_not_occur", "reason": "mine_now"}
    body = [scanner.event(number, "out_for_delivery", minutes=2, corrects=corrects)]
    headers = {"Authorization": f"Bearer {curious.key}"}
    httpx.post(f"{installation.url}/api/v1/scans", json=body, headers=headers, timeout=30).raise_for_status()
    given = curious.events(MATCH_anyEPC=item(number))
    assert len(given) == 1
    assert cage not in str(given)
    assert "AggregationEvent" not in str(given)
