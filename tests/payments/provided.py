"""The simulated provider as tests use it: calls to it, faults in it, and who pays on its page."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

import httpx

from parcelward.base import config
from parcelward.base.standards import money
from parcelward.payments.providers.by_stripe import Stripe
from parcelward.payments.providers.simulated import secrets_of
from parcelward.people import actions as people
from parcelward.people.wire import Person, Role

EUR = money.currency("EUR")
NO_FAULTS = dict.fromkeys(("lost_before", "lost_after", "too_many", "hang_ms", "lost", "doubled", "late_ms"), "0")


def url() -> str:
    settings = config.get()
    return f"http://{settings.bind}:{settings.provider_port}"


def simulated(**more: Any) -> Stripe:
    known = secrets_of(config.get().home)
    return Stripe(known.api_key, webhook_secret=known.webhook_secret, api=url(), name="simulated", **more)


def post(path: str, data: dict[str, str], **headers: str) -> httpx.Response:
    bearer = {"authorization": f"Bearer {secrets_of(config.get().home).api_key}"}
    return httpx.post(f"{url()}{path}", data=data, headers=bearer | headers)


@contextlib.contextmanager
def faults(**some: int | str) -> Iterator[None]:
    """Let the provider fail so often, in thousandths."""
    post("/v1/simulated/faults", {name: str(value) for name, value in some.items()})
    try:
        yield
    finally:
        post("/v1/simulated/faults", NO_FAULTS)


def pay(page: str, **chosen: str) -> httpx.Response:
    """Choose a card on the page where somebody pays."""
    return httpx.post(page, data=chosen or {"payment_method": "pm_card_visa"})


def signed(body: bytes, *, at: int | None = None, secret: str = "") -> str:
    at = int(time.time()) if at is None else at
    secret = secret or secrets_of(config.get().home).webhook_secret
    mac = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={mac}"


def told(notice: str = "evt_1", **thing: str) -> bytes:
    return json.dumps({"id": notice, "object": "event", "type": "x", "data": {"object": thing}}).encode()


def sender(role: Role = Role.SENDER_ADMIN) -> Person:
    """Return somebody who acts for a sender of their own."""
    return Person(uuid.uuid4(), role, people.machinery().source, "test", organisation=uuid.uuid4())


def staff(role: Role = Role.ADMINISTRATOR) -> Person:
    return Person(uuid.uuid4(), role, people.machinery().source, "test")
