"""GS1's own example documents through the real capture and query addresses of a running installation.

The examples use some event ids for several different events, so each document is sent by a partner of its own: names
count per source, and a partner sees only what it sent.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import jsonschema
import pytest
from tests import shared_data

from parcelward.base.standards.epcis import canonical, parse
from parcelward.base.standards.epcis.event import Event

pytestmark = pytest.mark.shared


def _examples() -> list[Path]:
    return sorted(shared_data.path("epcis/gs1-EPCIS/JSON").rglob("*.jsonld"))


@dataclass(frozen=True)
class Sent:
    """One document, and the partner that sent it."""

    name: str
    body: bytes
    events: tuple[Event, ...]
    key: dict[str, str]
    job: dict[str, Any]


@pytest.fixture(scope="module")
def api(installation: Any) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{installation.url}/epcis", timeout=60, trust_env=False) as client:
        yield client


def _capture(api: httpx.Client, body: bytes, key: dict[str, str]) -> dict[str, Any]:
    answer = api.post("/capture", content=body, headers={"Content-Type": "application/json", **key})
    assert answer.status_code == 202, answer.text
    job: dict[str, Any] = api.get("/capture/" + answer.headers["Location"].rpartition("/")[2], headers=key).json()
    assert job["running"] is False
    return job


def _events(api: httpx.Client, sent: Sent, **parameters: str) -> list[Event]:
    found: list[Event] = []
    answer = api.get("/events", params={"perPage": "2", **parameters}, headers=sent.key)
    while True:
        assert answer.status_code == 200, answer.text
        found += parse.read_document(answer.content).events
        link = answer.links.get("next")
        if link is None:
            return found
        answer = api.get(link["url"], headers=sent.key)


def _meanings(given: list[Event], asked: tuple[Event, ...]) -> list[str]:
    """What events mean; a name that we gave to an event without one is no part of it."""
    named = {event.event_id for event in asked}
    values = [canonical.event_value(event) for event in given]
    for value, event in zip(values, given, strict=True):
        if event.event_id not in named:
            value.pop("eventID", None)
    return sorted(map(canonical.text, values))


@pytest.fixture(scope="module")
def everything(api: httpx.Client) -> list[Sent]:
    from parcelward.people import actions
    from parcelward.people.wire import Role

    found = []
    for path in _examples():
        token = actions.make_key(f"conformance {path.name}"[:80], Role.PARTNER, by=actions.installer(), mode="test")
        key, body = {"Authorization": f"Bearer {token}"}, path.read_bytes()
        found.append(Sent(path.name, body, parse.read_document(body).events, key, _capture(api, body, key)))
    return found


def test_all_47_documents_are_captured_whole(everything: list[Sent]) -> None:
    assert len(everything) == 47
    assert sum(len(sent.events) for sent in everything) == 56
    for sent in everything:
        assert (sent.job["success"], sent.job["errors"]) == (True, []), sent.name
        assert sent.job["parcelward:captured"] == len(sent.events), sent.name


def test_all_47_documents_come_back_equal_in_meaning(api: httpx.Client, everything: list[Sent]) -> None:
    for sent in everything:
        given = _events(api, sent)
        assert _meanings(given, sent.events) == sorted(
            canonical.text(canonical.event_value(event)) for event in sent.events
        ), sent.name
        assert all(event.event_id and event.record_time for event in given), sent.name


def test_the_same_documents_again_change_nothing(api: httpx.Client, everything: list[Sent]) -> None:
    for sent in everything:
        before = [(e.event_id, e.record_time) for e in _events(api, sent)]
        job = _capture(api, sent.body, sent.key)
        assert (job["success"], job["parcelward:captured"]) == (True, 0), sent.name
        assert [(e.event_id, e.record_time) for e in _events(api, sent)] == before, sent.name


def test_each_event_is_found_by_its_own_name(api: httpx.Client, everything: list[Sent]) -> None:
    for sent in everything:
        for event in _events(api, sent):
            answer = api.get("/events/" + quote(event.event_id or "", safe=""), headers=sent.key)
            assert answer.status_code == 200, (sent.name, answer.text)
            found = parse.read_document(answer.content).events
            assert canonical.event_value(event) in [canonical.event_value(one) for one in found], sent.name


def test_each_event_is_found_by_each_of_its_epcs(api: httpx.Client, everything: list[Sent]) -> None:
    """Instances are written as EPC URIs and as Digital Links of several domains: each finds its event, and no other."""
    for sent in everything:
        for event in sent.events:
            for epc in event.epcs:
                found = _events(api, sent, MATCH_anyEPC=epc)
                assert found, (sent.name, epc)
                assert len(found) == sum(epc in other.epcs for other in sent.events), (sent.name, epc)


def test_what_is_given_out_meets_gs1s_schema(api: httpx.Client, everything: list[Sent]) -> None:
    schema = json.loads(shared_data.path("epcis/gs1-EPCIS/EPCIS-JSON-Schema.json").read_bytes())
    validator = jsonschema.Draft7Validator(schema, format_checker=jsonschema.Draft7Validator.FORMAT_CHECKER)
    for sent in everything:
        document = api.get("/events", headers=sent.key).json()
        assert [f"{e.json_path}: {e.message[:150]}" for e in validator.iter_errors(document)] == [], sent.name
