"""Devices that send as devices do on a bad day: twice, half, out of order, with a wrong clock, without listening."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import json
import random
import socket
import threading
import time
import uuid
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.faults.plant import Plant

from parcelward.base.standards import s10
from parcelward.doors.simulator import signing

STEPS = ("accepted", "left_sorting", "at_delivery_office", "out_for_delivery", "delivery_failed")
SIZES = (1, 1, 1, 1, 2, 5, 20, 100, 250, 600)
DELIVER_WAIT_S = 180.0
DEEDS = {"send": 55, "twice": 8, "lost_answer": 9, "half": 8, "reorder": 7, "rebatch": 9, "clock": 4}


class Ledger:
    """What was acknowledged, in a file of our own, and what went against a promise."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.write_text("")
        self._lock = threading.Lock()
        self.acknowledged: set[str] = set()
        self.statuses: Counter[int | str] = Counter()
        self.deeds: Counter[str] = Counter()
        self.broken: list[str] = []

    def acknowledge(self, ids: list[str]) -> None:
        with self._lock:
            self.acknowledged.update(ids)
            with self._path.open("a") as file:
                file.writelines(f"{one}\n" for one in ids)

    def count(self, status: int | str) -> None:
        with self._lock:
            self.statuses[status] += 1

    def broke(self, what: str) -> None:
        with self._lock:
            self.broken.append(what)


class Device:
    """One enrolled device. All that it decides comes from the seed."""

    def __init__(
        self,
        plant: Plant,
        ledger: Ledger,
        *,
        seed: int,
        nth: int,
        deeds: Mapping[str, int] = DEEDS,
        patient: bool = False,  # signs and sends again when told that its signature is of another time
    ) -> None:
        self.ahead_s = 0  # of this device's clock, before the right time
        self._deeds = deeds
        self._patient = patient
        self.rng = random.Random(f"{seed}/{nth}")
        self.ledger = ledger
        self._url = plant.url
        self._key = Ed25519PrivateKey.from_private_bytes(self.rng.randbytes(32))
        public = base64.b64encode(self._key.public_key().public_bytes_raw()).decode()
        said = httpx.post(
            f"{plant.url}/api/v1/devices",
            json={"name": f"fault device {nth}", "public_key_ed25519_base64": public, "simulated": True},
            headers={**plant.headers, "Idempotency-Key": str(uuid.uuid4())},
            timeout=60,
        )
        said.raise_for_status()
        self._key_id = said.json()["key_id"]
        self._sequence = 0
        self._serial = nth * 1_000_000
        self._numbers: list[str] = []
        self._began = dt.datetime.now(dt.UTC) - dt.timedelta(hours=3)
        self._made = 0
        self._client = httpx.Client(timeout=30)

    def next_sequence(self) -> int:
        self._sequence += 1
        return self._sequence

    def events(self, count: int, *, ahead: dt.timedelta = dt.timedelta()) -> list[dict[str, Any]]:
        made = []
        for _ in range(count):
            self._made += 1
            if not self._numbers or self.rng.random() < 0.3:
                self._serial += 1
                self._numbers.append(str(s10.make("RF", self._serial, "US")))
            when = self._began + dt.timedelta(milliseconds=20 * self._made) + ahead
            made.append(
                {
                    "event_id": str(uuid.UUID(int=self.rng.getrandbits(128), version=4)),
                    "event_time": when.isoformat(),
                    "step": self.rng.choice(STEPS),
                    "facility": "FAULT-A",
                    "item_id": self.rng.choice(self._numbers[-40:]),
                }
            )
        return made

    def headers(self, body: bytes, sequence: int, *, clock_ahead_s: int = 0) -> dict[str, str]:
        created = int(time.time()) + self.ahead_s + clock_ahead_s
        signed = signing.headers(self._key, key_id=self._key_id, body=body, sequence=sequence, created=created)
        return {**signed, "Content-Type": "application/json"}

    def once(self, body: bytes, sequence: int, *, clock_ahead_s: int = 0, timeout: float = 30) -> httpx.Response | None:
        """Send once; None when no answer came."""
        headers = self.headers(body, sequence, clock_ahead_s=clock_ahead_s)
        try:
            said = self._client.post(f"{self._url}/api/v1/scans", content=body, headers=headers, timeout=timeout)
        except httpx.HTTPError:
            self.ledger.count("no answer")
            return None
        self.ledger.count(said.status_code)
        return said

    def deliver(self, events: list[dict[str, Any]], sequence: int) -> bytes:
        """Send the same batch until it is acknowledged, as every device must; return the answer."""
        body = json.dumps(events).encode()
        deadline = time.monotonic() + DELIVER_WAIT_S
        while time.monotonic() < deadline:
            said = self.once(body, sequence)
            if said is not None and said.status_code == 200:
                answer = said.json()
                bad = {one["index"] for one in answer["quarantined"]}
                good = [one["event_id"] for at, one in enumerate(events) if at not in bad]
                if answer["accepted"] + answer["duplicates"] != len(good):
                    self.ledger.broke(f"{len(good)} good events, but the answer counts {said.text[:200]}")
                self.ledger.acknowledge(good)
                return said.content
            if said is not None and self._patient and said.json().get("code") == "signature_too_old":
                pass  # the server's clock is wrong: what was not acknowledged is kept and sent again
            elif said is not None and said.status_code not in {429, 503}:
                self.ledger.broke(f"a good batch was answered {said.status_code}: {said.text[:200]}")
            elif said is not None and "Retry-After" not in said.headers:
                self.ledger.broke(f"{said.status_code} without Retry-After")
            time.sleep(self.rng.uniform(0.05, 0.4))
        self.ledger.broke(f"a batch was not acknowledged within {DELIVER_WAIT_S:.0f} s")
        return b""

    def cut_off(self, body: bytes, sequence: int, *, part: float) -> None:
        """Send a part of the request (1: all of it) and hang up without reading."""
        address = urlsplit(self._url)
        lines = {"Host": address.netloc, "Content-Length": str(len(body)), **self.headers(body, sequence)}
        head = "POST /api/v1/scans HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in lines.items()) + "\r\n"
        whole = head.encode() + body
        with (
            contextlib.suppress(OSError),
            socket.create_connection((str(address.hostname), int(address.port or 80)), timeout=10) as line,
        ):
            line.sendall(whole if part == 1 else whole[: len(head) + int(len(body) * part)])

    def close(self) -> None:
        self._client.close()

    # Deeds ------------------------------------------------------------------------------------------------------------

    def act(self) -> None:
        """Do one thing of the plan."""
        deed = self.rng.choices(list(self._deeds), list(self._deeds.values()))[0]
        self.ledger.deeds[deed] += 1
        getattr(self, f"_{deed}")(self.events(self.rng.choice(SIZES)))

    def _send(self, events: list[dict[str, Any]]) -> None:
        self.deliver(events, self.next_sequence())

    def _twice(self, events: list[dict[str, Any]]) -> None:
        sequence = self.next_sequence()
        first, again = self.deliver(events, sequence), self.deliver(events, sequence)
        if first != again:
            self.ledger.broke("the same batch got another answer")

    def _lost_answer(self, events: list[dict[str, Any]]) -> None:
        sequence = self.next_sequence()
        self.cut_off(json.dumps(events).encode(), sequence, part=1)
        self.deliver(events, sequence)

    def _half(self, events: list[dict[str, Any]]) -> None:
        sequence = self.next_sequence()
        self.cut_off(json.dumps(events).encode(), sequence, part=self.rng.random() * 0.99)
        self.deliver(events, sequence)

    def _reorder(self, events: list[dict[str, Any]]) -> None:
        early, late = self.next_sequence(), self.next_sequence()
        self.deliver(events, late)
        self.deliver(self.events(3), early)

    def _rebatch(self, events: list[dict[str, Any]]) -> None:
        """Lose track of what was sent and put it into a new batch, shuffled, with something new."""
        self.deliver(events, self.next_sequence())
        mixed = events[-500:] + self.events(5)
        self.rng.shuffle(mixed)
        self.deliver(mixed, self.next_sequence())

    def _clock(self, events: list[dict[str, Any]]) -> None:
        body, sequence = json.dumps(events).encode(), self.next_sequence()
        said = self.once(body, sequence, clock_ahead_s=self.rng.choice((-86_400, -3_600, 3_600, 86_400)))
        if said is not None and said.status_code not in {401, 429, 503}:
            self.ledger.broke(f"a signature of another day was answered {said.status_code}")
        tomorrow = self.events(2, ahead=dt.timedelta(days=1))
        answer = json.loads(self.deliver(tomorrow, sequence) or b"{}")
        if answer and [one["code"] for one in answer["quarantined"]] != ["clock_ahead"] * 2:
            self.ledger.broke("events of tomorrow were not quarantined")
        self.deliver(events, self.next_sequence())


def probe(device: Device) -> tuple[float, int]:
    """Send one event until it is acknowledged; return how long that took (s) and the batch that holds it."""
    began = time.monotonic()
    events, sequence = device.events(1), device.next_sequence()
    body = json.dumps(events).encode()
    while time.monotonic() - began < DELIVER_WAIT_S:
        said = device.once(body, sequence, timeout=5)
        if said is not None and said.status_code == 200:
            device.ledger.acknowledge([events[0]["event_id"]])
            return time.monotonic() - began, int(said.json()["receipt"].split("\nbatch ")[1].split("\n")[0])
        time.sleep(0.05)
    raise TimeoutError("nothing was acknowledged any more")
