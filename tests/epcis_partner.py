"""A partner's system in the tests' hands: sends EPCIS documents and asks for events over HTTP with a key of its own."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from typing import Any
from urllib.parse import quote

import httpx

CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
NOW = dt.datetime.now(dt.UTC).replace(microsecond=0) - dt.timedelta(hours=6)


def at(minutes: float = 0) -> str:
    return (NOW + dt.timedelta(minutes=minutes)).isoformat()


def item(number: str) -> str:
    """An item's EPC as a partner may write it."""
    return f"urn:example:s10:{number}"


def place(code: str = "TEST-A") -> dict[str, str]:
    return {"id": f"urn:example:place:{code}"}


def event(*epcs: str, minutes: float = 0, named: bool = True, **changed: Any) -> dict[str, Any]:
    said = {
        "type": "ObjectEvent",
        "eventID": f"urn:uuid:{uuid.uuid4()}" if named else None,
        "eventTime": at(minutes),
        "eventTimeZoneOffset": "-06:00",
        "action": "OBSERVE",
        "bizStep": "accepting",
        "epcList": list(epcs),
        "readPoint": place(),
        **changed,
    }
    return {name: value for name, value in said.items() if value is not None}


def packed(parent: str, *children: str, minutes: float = 0, action: str = "ADD", **changed: Any) -> dict[str, Any]:
    said = event(minutes=minutes, type="AggregationEvent", action=action, bizStep="loading", **changed)
    del said["epcList"]
    return {**said, "parentID": parent, "childEPCs": list(children)}


def document(*events: dict[str, Any], **changed: Any) -> dict[str, Any]:
    said: dict[str, Any] = {
        "@context": [CONTEXT],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": at(),
        "epcisBody": {"eventList": list(events)},
    }
    return {**said, **changed}


class Partner:
    """One key. `capture` sends a document and returns its job; the others answer with the raw response."""

    def __init__(self, installation: Any, *, role: str = "partner", key: str = "") -> None:
        from parcelward.people import actions
        from parcelward.people.wire import Role

        self.url = installation.url
        self.key = key or actions.make_key(f"test {role}", Role(role), by=actions.installer(), mode="test")

    def ask(self, method: str, path: str, **how: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.key}", **how.pop("headers", {})}
        if "json" in how:
            how["content"] = json.dumps(how.pop("json"))
        if "content" in how:
            headers.setdefault("Content-Type", "application/json")
        url = path if path.startswith("http") else f"{self.url}/epcis{path}"
        return httpx.request(method, url, headers=headers, timeout=60, trust_env=False, **how)

    def get(self, path: str, **parameters: str) -> httpx.Response:
        return self.ask("GET", path, params=parameters or None)

    def send(self, body: Any, **headers: str) -> httpx.Response:
        return self.ask("POST", "/capture", json=body, headers=headers)

    def job(self, answer: httpx.Response) -> dict[str, Any]:
        assert answer.status_code == 202, answer.text
        found: dict[str, Any] = self.get("/capture/" + answer.headers["Location"].rpartition("/")[2]).json()
        return found

    def capture(self, *events: dict[str, Any], **headers: str) -> dict[str, Any]:
        job = self.job(self.send(document(*events), **headers))
        assert job["running"] is False
        return job

    def events(self, path: str = "/events", **parameters: str) -> list[dict[str, Any]]:
        """Every event of every page."""
        found: list[dict[str, Any]] = []
        answer = self.get(path, **parameters)
        while True:
            assert answer.status_code == 200, answer.text
            found += answer.json()["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
            link = answer.links.get("next")
            if link is None:
                return found
            answer = self.get(link["url"])

    def named(self, event_id: str) -> httpx.Response:
        return self.get("/events/" + quote(event_id, safe=""))
