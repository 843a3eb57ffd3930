"""What callers say of themselves where a proxy would: only the hops that are configured are believed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from tests.attacks.passkey_door import Near

from parcelward.base import config
from parcelward.doors import throttle
from parcelward.doors.portals.accounts.sign_in import TRIES_PER_MINUTE

OTHERS = ("X-Real-IP", "Forwarded", "True-Client-IP", "CF-Connecting-IP", "X-Client-IP", "X-Forwarded")


@pytest.fixture
def behind(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return what sets how many proxies stand in front."""
    real = config.get()

    def proxies(count: int) -> None:
        monkeypatch.setattr(config, "get", lambda: dataclasses.replace(real, trusted_proxies=count))

    return proxies


@pytest.fixture
def near(installation: Any) -> Iterator[Near]:
    one = Near()
    yield one
    one.http.close()


@pytest.mark.asvs("4.1.3", "15.3.4")
@pytest.mark.parametrize(
    ("proxies", "said", "believed"),
    [
        (0, "203.0.113.9", "10.0.0.1"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "198.51.100.7, 203.0.113.9", "203.0.113.9"),  # the first was typed by the caller
        (1, "198.51.100.7,, 203.0.113.9 ,", "203.0.113.9"),
        (2, "198.51.100.7, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        (2, "203.0.113.9", "10.0.0.1"),  # a request that went past a proxy
        (1, "", "10.0.0.1"),
    ],
)
def test_the_hop_that_our_own_proxy_wrote_is_believed(behind: Any, proxies: int, said: str, believed: str) -> None:
    behind(proxies)
    assert throttle.address_of("10.0.0.1", said) == believed


@pytest.mark.asvs("4.1.3", "15.3.4")
@pytest.mark.parametrize(
    ("proxies", "said"),
    [
        (0, {"X-Forwarded-For": "198.51.100.{n}"}),
        (0, dict.fromkeys(OTHERS, "198.51.100.{n}")),
        (1, {"X-Forwarded-For": "198.51.100.{n}, 203.0.113.9"}),
        (1, {"X-Forwarded-For": "203.0.113.10", **dict.fromkeys(OTHERS, "198.51.100.{n}")}),
    ],
)
def test_who_types_other_addresses_is_throttled_as_one(near: Near, behind: Any, proxies: int, said: Any) -> None:
    behind(proxies)
    throttle._buckets.clear()
    token = near.token("/accounts/join")
    answers = []
    for n in range(TRIES_PER_MINUTE + 5):
        head = {name: value.format(n=n) for name, value in said.items()}
        sent = near.http.post("/accounts/join", data={"csrfmiddlewaretoken": token, "code": "x"}, headers=head)
        answers.append(sent.status_code)
    assert answers[:TRIES_PER_MINUTE] == [404] * TRIES_PER_MINUTE
    assert 429 in answers[TRIES_PER_MINUTE:]


@pytest.mark.asvs("4.1.3")
def test_no_header_makes_a_request_https_or_of_another_host(near: Near) -> None:
    assert settings.SECURE_PROXY_SSL_HEADER is None, "no proxy is configured here"
    assert not settings.USE_X_FORWARDED_HOST
    assert not settings.USE_X_FORWARDED_PORT
    said = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "X-Forwarded-Port": "444"}
    answer = near.http.get("/app/account", headers={**said, "X-Original-URL": "/metrics", "X-Rewrite-URL": "/metrics"})
    assert answer.status_code == 302
    assert answer.headers["location"].startswith("/accounts/sign-in")
    assert "evil.example" not in str(answer.headers) + answer.text
