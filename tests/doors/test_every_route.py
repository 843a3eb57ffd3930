"""What holds for every address of the house, found by walking its own table: headers, and no deed by nobody."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator

import httpx
import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

SAMPLES = {
    "str:item_id": "RA473012345GB",
    "str:day": "2026-11-25",
    "path:path": "0/000",
    "path:name": "parcelward/site.js",
    "str:code": "es",
    "str:event_key": uuid.UUID(int=7).hex,
    "int:alert_id": "1",
    "int:quarantine_id": "1",
    "uuid:device_id": str(uuid.UUID(int=7)),
    "uuid:enrolment_id": str(uuid.UUID(int=7)),
    "uuid:key_id": str(uuid.UUID(int=7)),
    "uuid:grant_id": str(uuid.UUID(int=7)),
    "uuid:loan_id": str(uuid.UUID(int=7)),
    "uuid:request_id": str(uuid.UUID(int=7)),
    "uuid:contact": str(uuid.UUID(int=7)),
}
OPEN_TO_ALL = {
    "/api/v1/receipts": "checks what the log itself signed, and changes nothing",
    "/check-message": "answers about the words that were typed, and keeps nothing",
}
"""What anybody may send to, and why."""


def addresses(patterns: list[URLPattern | URLResolver], before: str = "/") -> Iterator[str]:
    """Yield one address for each route."""
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, route)
        else:
            yield re.sub(r"<([^>]+)>", lambda found: SAMPLES.get(found[1], "x"), route)


ADDRESSES = sorted({*addresses(get_resolver().url_patterns), "/api/v1/scans", "/nothing/here"})


def test_the_table_was_walked() -> None:
    assert len(ADDRESSES) > 40
    assert {"/", "/app/keys/", "/log/checkpoint", "/epcis/events", "/api/v1/devices"} <= set(ADDRESSES)


@pytest.mark.asvs("1.3.2", "3.2.1", "4.1.1", "3.4.2", "3.4.3", "3.4.4", "3.4.5", "3.4.6", "3.7.1", "14.2.3")
@pytest.mark.parametrize("address", ADDRESSES)
def test_every_answer_has_the_security_headers(installation, address):
    answer = httpx.get(installation.url + address, timeout=30)
    assert answer.status_code < 500
    headers = answer.headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "base-uri 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] in {"same-origin", "no-referrer"}
    assert headers["cross-origin-opener-policy"] == "same-origin"
    public = address.startswith("/log/") and answer.status_code == 200
    assert headers["cross-origin-resource-policy"] == ("cross-origin" if public else "same-origin")
    assert "geolocation=()" in headers["permissions-policy"]
    assert ("access-control-allow-origin" in headers) == public
    kind = headers.get("content-type", "")
    assert bool(kind) or not answer.content, "what has a body says what it is"
    assert not kind.startswith("text/") or kind.endswith("; charset=utf-8"), kind


@pytest.mark.asvs("3.4.1", "12.2.1")
@pytest.mark.parametrize("address", ["/", "/healthz", "/api/v1/items/RA473012345GB", "/log/vkey", "/nothing/here"])
def test_behind_https_browsers_are_told_to_stay_there(installation, settings_secure, address):
    said = Client().get(address)["Strict-Transport-Security"]
    assert said == "max-age=31536000; includeSubDomains; preload"


@pytest.fixture
def settings_secure(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.conf import settings

    monkeypatch.setattr(settings, "SECURE", True, raising=False)


@pytest.mark.asvs("13.4.4")
@pytest.mark.parametrize("address", ["/", "/app/", "/api/v1/scans", "/api/v1/keys", "/log/checkpoint", "/static/x"])
@pytest.mark.parametrize("method", ["TRACE", "TRACK"])
def test_nothing_is_echoed(installation, address, method):
    canary = uuid.uuid4().hex
    answer = httpx.request(method, installation.url + address, headers={"x-canary": canary}, timeout=30)
    assert not answer.is_success
    assert canary not in answer.text + str(answer.headers)


@pytest.mark.asvs("8.2.1", "8.3.1")
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("address", [one for one in ADDRESSES if one not in OPEN_TO_ALL])
def test_nobody_changes_anything(installation, address, method):
    """Who has not said who they are is asked to, or finds nothing to change."""
    answer = httpx.request(method, installation.url + address, json={}, timeout=30)
    assert answer.status_code in {401, 403, 404, 405, 411}, (answer.status_code, answer.text[:300])
