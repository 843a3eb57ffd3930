"""Kept questions, browsable lists, and the parts of the standard that are honestly not there."""

from __future__ import annotations

import itertools
import uuid
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from tests.epcis_partner import Partner, at, event, item, place
from tests.scanner import Scanner, new_number, new_receptacle
from tests.scanner import event as scan


@pytest.fixture(scope="module")
def partner(installation, facilities):
    return Partner(installation)


def test_a_kept_question_is_answered_page_by_page(partner, number):
    partner.capture(*(event(item(number), minutes=m) for m in range(3)), event(item(new_number())))
    asked = {"MATCH_epc": [item(number)], "EQ_bizStep": ["accepting", "departing"], "eventType": ["ObjectEvent"]}
    answer = partner.ask("POST", "/queries", json={"name": "mine", "query": asked})
    assert answer.status_code == 201, answer.text
    assert partner.get(answer.headers["Location"]).json() == {"name": "mine", "query": asked}
    assert len(partner.events("/queries/mine/events", perPage="2")) == 3
    document = partner.get("/queries/mine/events").json()
    assert document["epcisBody"]["queryResults"]["queryName"] == "mine"
    taken = partner.ask("POST", "/queries", json={"name": "mine", "query": {}})
    assert (taken.status_code, taken.json()["code"]) == (409, "query_name_taken")
    assert [query["name"] for query in partner.get("/queries").json()] == ["mine"]
    assert partner.ask("DELETE", "/queries/mine").status_code == 204
    assert partner.get("/queries/mine").status_code == 404
    assert partner.ask("DELETE", "/queries/mine").status_code == 404


def test_kept_questions_belong_to_who_keeps_them(installation, partner):
    partner.ask("POST", "/queries", json={"name": "private", "query": {}})
    other = Partner(installation)
    assert other.get("/queries").json() == []
    assert other.get("/queries/private").status_code == 404
    assert other.get("/queries/private/events").status_code == 404
    assert other.ask("DELETE", "/queries/private").status_code == 404
    assert partner.get("/queries/private").status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"name": "x", "query": {"EQ_mood": ["good"]}},
        {"name": "", "query": {}},
        {"name": "a/b", "query": {}},
        {"name": "x" * 101, "query": {}},
        {"name": "x"},
        {"query": {}},
        [],
    ],
)
def test_a_bad_question_is_not_kept(partner, body):
    before = partner.get("/queries").json()
    assert partner.ask("POST", "/queries", json=body).status_code == 400
    assert partner.get("/queries").json() == before


def test_the_lists_show_what_the_partners_events_carry(installation, facilities):
    partner, epc, step = Partner(installation), item(new_number()), "https://example.com/steps/waving"
    partner.capture(event(epc, bizStep=step, disposition="in_transit", readPoint=place(), bizLocation=place("TEST-B")))
    top = partner.get("/").json()
    assert set(top["member"]) >= {"capture", "events", "queries", "eventTypes", "epcs", "bizSteps", "readPoints"}
    assert partner.get("/epcs").json()["member"] == [epc]
    assert step in partner.get("/bizSteps", perPage="100").json()["member"]
    assert "accepting" in partner.get("/bizSteps", perPage="100").json()["member"]
    assert place()["id"] in partner.get("/readPoints", perPage="1000").json()["member"]
    assert place("TEST-B")["id"] in partner.get("/bizLocations", perPage="1000").json()["member"]
    assert "in_transit" in partner.get("/dispositions", perPage="100").json()["member"]
    assert len(partner.get("/eventTypes").json()["member"]) == 5
    values = {"epcs": epc, "bizSteps": step, "readPoints": place()["id"], "dispositions": "in_transit"}
    for kind, value in {**values, "eventTypes": "ObjectEvent"}.items():
        where = f"/{kind}/{quote(value, safe='')}"
        assert partner.get(where).json()["member"] == ["events"], where
        assert [e["epcList"] for e in partner.events(f"{where}/events")] == [[epc]], where
    assert partner.get("/bizSteps/waving").status_code == 404
    assert partner.get("/eventTypes/PartyEvent/events").status_code == 404


def test_lists_are_paged_without_gap_or_repeat(installation, facilities):
    partner, numbers = Partner(installation), sorted(item(new_number()) for _ in range(7))
    partner.capture(event(*numbers))
    found, answer = [], partner.get("/epcs", perPage="3")
    while True:
        found += answer.json()["member"]
        if "next" not in answer.links:
            break
        answer = partner.get(answer.links["next"]["url"])
    assert found == numbers


def announce(partner, number):
    """Say that an item will come, in a manifest: nobody has seen it."""
    said = {"manifest_id": f"M-{uuid.uuid4()}", "facility": "TEST-A", "event_time": at(), "items": [number]}
    headers = {"Authorization": f"Bearer {partner.key}", "Idempotency-Key": str(uuid.uuid4())}
    httpx.post(f"{partner.url}/api/v1/manifests", json=said, headers=headers, timeout=30).raise_for_status()


def every(asker, path, per_page):
    """Return the members of every page."""
    found, answer = [], asker.get(path, perPage=str(per_page))
    while True:
        assert answer.status_code == 200, answer.text
        assert len(answer.json()["member"]) <= per_page
        found += answer.json()["member"]
        if "next" not in answer.links:
            return found
        answer = asker.get(answer.links["next"]["url"])


def test_who_sees_every_event_browses_the_epcs_of_our_own_scans_too(installation, partner):
    ours, theirs, both, announced = (new_number() for _ in range(4))
    bag, scanner = new_receptacle(), Scanner(installation)
    scanner.send(scan(ours, "accepted"), scan(ours, "loaded", minutes=1, receptacle=bag), scan(both, "accepted"))
    partner.capture(event(item(theirs), item(both)))
    announce(partner, announced)
    link, cage = f"{installation.url}/track/{ours}", f"https://id.gs1.org/00/{bag}"
    for role in ("administrator", "inspector"):
        desk = Partner(installation, role=role)
        found = every(desk, "/epcs", 1000)
        assert {link, cage, item(theirs), item(both)} <= set(found), role
        assert not {f"{installation.url}/track/{one}" for one in (theirs, both, announced)} & set(found), "each once"
        assert len(found) == len(set(found))
        assert every(desk, "/epcs", 7) == found, "without gap or repeat"
        for epc in (link, cage, item(ours)):
            where = f"/epcs/{quote(epc, safe='')}"
            assert desk.get(where).json()["member"] == ["events"], epc
            assert desk.events(f"{where}/events"), epc
        assert desk.get(f"/epcs/{quote(item(new_number()), safe='')}").status_code == 404
    assert not {link, cage} & set(every(partner, "/epcs", 1000)), "a partner sees what it sent itself"
    assert not {link, cage} & set(partner.get("/epcs", nextPageToken="/", perPage="1000").json()["member"])
    assert partner.get(f"/epcs/{quote(link, safe='')}").status_code == 404


def test_a_question_that_takes_too_long_to_compare_is_ended(installation, facilities, monkeypatch):
    """A page goes as far as the time does; who cannot even be told of one event, or wants a count, is told why."""
    from parcelward.base.standards.epcis.query import read_query
    from parcelward.parcels import captured
    from parcelward.people import queries as people

    partner, number = Partner(installation), new_number()
    partner.capture(*(event(item(number), minutes=m) for m in range(4)))
    by = people.key_holder(partner.key)
    asked: dict[str, Any] = {"MATCH_epc": [item(number)]}
    seconds = itertools.count()
    monkeypatch.setattr(captured, "time", SimpleNamespace(monotonic=lambda: next(seconds)))
    monkeypatch.setattr(captured, "COMPARING_S", 5)  # two looks at the clock an event
    page = captured.events(read_query(asked), by=by)
    assert (len(page.events), page.next_page_token != "") == (2, True)
    rest = captured.events(read_query({**asked, "nextPageToken": page.next_page_token}), by=by)
    assert len(rest.events) == 2
    monkeypatch.setattr(captured, "COMPARING_S", -1)
    for more in ({}, {"maxEventCount": 9}, {"orderBy": "recordTime"}):
        with pytest.raises(captured.QueryTooComplex):
            captured.events(read_query({**asked, **more}), by=by)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/queries/mine/subscriptions"),
        ("GET", "/queries/mine/subscriptions"),
        ("DELETE", "/queries/mine/subscriptions/1"),
        ("GET", "/queries/mine/events?stream=true"),
        ("GET", "/queries/mine/events?minute=5"),
        ("DELETE", "/nextPageToken/abc"),
    ],
)
def test_what_is_not_offered_says_so(partner, method, path):
    answer = partner.ask(method, path)
    assert (answer.status_code, answer.json()["type"]) == (501, "epcisException:ImplementationException")


def test_epcs_are_given_out_as_digital_links_where_that_is_asked(partner):
    epc = "urn:epc:id:sgtin:4012345.011111.9876"
    partner.capture(event(epc, readPoint=None))
    path = f"/epcs/{quote(epc, safe='')}/events"
    for form, shown in (
        ("Never_Translates", epc),
        ("Always_GS1_Digital_Link", "https://id.gs1.org/01/04012345111118/21/9876"),
    ):
        answer = partner.ask("GET", path, headers={"GS1-EPC-Format": form})
        (given,) = answer.json()["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
        assert given["epcList"] == [shown]
    assert partner.ask("GET", path, headers={"GS1-EPC-Format": "Always_EPC_URN"}).status_code == 406


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("/events?EQ_bizStep=accepting%00", "/EQ_bizStep"),
        ("/events?MATCH_epc=urn:epc:id:giai:4000001.111&eventType=%00", "/eventType"),
        ("/events?EQ_a%2Fb%00=x", "/EQ_a~1b?"),
        ("/events?nextPageToken=%00", "/nextPageToken"),
        ("/epcs?nextPageToken=a%00b", "/nextPageToken"),
        ("/epcs?perPage=5&perPage=%00", "/perPage"),
        ("/queries?nextPageToken=%00", "/nextPageToken"),
        ("/queries/mine/events?nextPageToken=%00", "/nextPageToken"),
        ("/capture?nextPageToken=%00", "/nextPageToken"),
        ("/?x=%00", "/x"),
    ],
)
def test_a_nul_in_a_parameter_is_refused_by_the_parameters_name(partner, path, named):
    answer = partner.get(path)
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/problem+json"), answer.text
    said = answer.json()
    assert (said["type"], said["code"]) == ("epcisException:QueryParameterException", "query_parameter")
    assert [(one["pointer"], one["code"]) for one in said["errors"]] == [(named, "bad_character")]


def test_a_nul_in_a_parameter_tells_a_stranger_nothing(installation):
    answer = httpx.get(f"{installation.url}/epcis/events?EQ_bizStep=%00", timeout=30)
    assert answer.status_code == 401
    assert httpx.get(f"{installation.url}/epcis/nothing?x=%00", timeout=30).status_code == 404
