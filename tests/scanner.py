"""A device in the tests' hands: enrols over HTTP, signs and sends as every scanner does."""

from __future__ import annotations

import base64
import datetime as dt
import itertools
import json
import os
import random
import time
import uuid
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from parcelward.base.standards import gs1, s10
from parcelward.doors.simulator import signing

SEED = int(os.environ.get("PARCELWARD_TEST_SEED") or random.SystemRandom().randrange(2**31))
_serial = itertools.count(random.Random(SEED).randrange(10_000_000, 80_000_000))


def new_number() -> str:
    """Return an item number that no other test uses."""
    return str(s10.make("RR", next(_serial), "US"))


def new_receptacle() -> str:
    """Return an SSCC that no other test uses."""
    return gs1.make_sscc(3, "9521234", next(_serial)).value


def public_key() -> bytes:
    """Return the raw public key of a device that nobody has."""
    return Ed25519PrivateKey.generate().public_key().public_bytes_raw()


class Scanner:
    """One enrolled device. `send` signs a batch with the next sequence."""

    def __init__(self, installation: Any, *, name: str = "test scanner") -> None:
        self.url = installation.url
        self.key = Ed25519PrivateKey.generate()
        public = base64.b64encode(self.key.public_key().public_bytes_raw()).decode()
        answer = httpx.post(
            f"{self.url}/api/v1/devices",
            json={"name": name, "public_key_ed25519_base64": public, "simulated": True},
            headers={**installation.headers, "Idempotency-Key": str(uuid.uuid4())},
            timeout=30,
        )
        answer.raise_for_status()
        self.device_id, self.key_id = answer.json()["device_id"], answer.json()["key_id"]
        self.sequence = 0

    def body(self, events: list[dict[str, Any]]) -> bytes:
        return json.dumps(events).encode()

    def post(self, body: bytes, *, sequence: int | None = None, **changed: str) -> httpx.Response:
        if sequence is None:
            self.sequence += 1
            sequence = self.sequence
        headers = signing.headers(self.key, key_id=self.key_id, body=body, sequence=sequence, created=int(time.time()))
        headers.update({"Content-Type": "application/json", **changed})
        return httpx.post(f"{self.url}/api/v1/scans", content=body, headers=headers, timeout=60)

    def send(self, *events: dict[str, Any]) -> dict[str, Any]:
        answer = self.post(self.body(list(events)))
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


def event(item: str | None, step: str, *, minutes: float = 0, facility: str = "TEST-A", **more: Any) -> dict[str, Any]:
    """Return one event, `minutes` after a fixed moment two hours ago."""
    when = dt.datetime.now(dt.UTC).replace(second=0, microsecond=0) - dt.timedelta(hours=2)
    when += dt.timedelta(minutes=minutes)
    made: dict[str, Any] = {
        "event_id": str(uuid.uuid4()),
        "event_time": when.isoformat(),
        "step": step,
        "facility": facility,
        **more,
    }
    if item is not None:
        made["item_id"] = item
    return made


def until(condition: Any, *, seconds: float = 60.0) -> Any:
    """Return the condition's value as soon as it is true, or fail."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, "what was waited for did not happen"
        time.sleep(0.05)
