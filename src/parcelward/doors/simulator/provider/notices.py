"""Tell whoever listens what happened: signed, again until it is taken, and as badly as somebody asks for."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx

from parcelward.doors.simulator.provider.book import Book
from parcelward.doors.simulator.provider.words import Thing

TOLD: Final = frozenset(
    {
        "checkout.session.completed",
        "checkout.session.expired",
        "payment_intent.succeeded",
        "payment_intent.payment_failed",
        "payment_intent.canceled",
        "charge.refunded",
        "charge.dispute.created",
        "charge.dispute.closed",
    }
)
"""What a listener asked to hear; a provider lets each endpoint choose."""
AGAIN_AFTER_S: Final = (1.0, 2.0, 5.0, 15.0, 60.0)  # the last one repeats; a real one waits for hours
AT_ONCE: Final = 4
LOOK_S: Final = 0.2


@dataclass
class _Waiting:
    event: Thing
    at: float
    tries: int = 0


@dataclass
class Notices:
    """What is still to be told. Which were taken is kept in a file, so that a start does not tell all again."""

    path: Path
    secret: str
    to: str  # nobody listens where it is empty
    lost: int = 0  # thousandths that are never sent
    doubled: int = 0
    late_ms: int = 0  # at most
    dice: random.Random = field(default_factory=random.Random)
    book: Book = field(default_factory=Book)
    read: int = 0  # how many of the book's events were looked at
    waiting: list[_Waiting] = field(default_factory=list)

    def open(self, book: Book) -> None:
        """Begin with what the book holds and nobody took."""
        self.book = book
        taken = set(self.path.read_text().split()) if self.path.exists() else set()
        self.waiting = [_Waiting(one, 0.0) for one in book.events if one["type"] in TOLD and one["id"] not in taken]
        self.read = len(book.events)

    def set_faults(self, params: Mapping[str, str]) -> None:
        """Lose, double and delay so many."""
        self.lost, self.doubled = int(params.get("lost", self.lost)), int(params.get("doubled", self.doubled))
        self.late_ms = int(params.get("late_ms", self.late_ms))
        if "seed" in params:
            self.dice = random.Random(params["seed"])  # noqa: S311 -- faults to be played again

    async def run(self) -> None:
        """Send what is due, for as long as the server lives."""
        async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
            while True:
                self._take_new()
                due = [one for one in self.waiting if one.at <= time.time()][: 16 * AT_ONCE]
                turns = asyncio.Semaphore(AT_ONCE)
                await asyncio.gather(*(self._send(client, one, turns) for one in due))
                if not due:
                    await asyncio.sleep(LOOK_S)

    def _take_new(self) -> None:
        new, self.read = self.book.events[self.read :], len(self.book.events)
        for event in new:
            if event["type"] not in TOLD or not self.to or self.dice.randrange(1000) < self.lost:
                continue
            times = 2 if self.dice.randrange(1000) < self.doubled else 1
            for _ in range(times):
                self.waiting.append(_Waiting(event, time.time() + self.dice.uniform(0, self.late_ms) / 1000))

    async def _send(self, client: httpx.AsyncClient, one: _Waiting, turns: asyncio.Semaphore) -> None:
        body = json.dumps(one.event).encode()
        headers = {
            "content-type": "application/json",
            "stripe-signature": signature(body, self.secret, int(time.time())),
        }
        async with turns:
            try:
                answer = await client.post(self.to, content=body, headers=headers)
                taken = answer.is_success
            except httpx.HTTPError:
                taken = False
        if taken:
            self.waiting.remove(one)
            with self.path.open("a") as told:
                told.write(one.event["id"] + "\n")
            return
        one.at = time.time() + AGAIN_AFTER_S[min(one.tries, len(AGAIN_AFTER_S) - 1)]
        one.tries += 1


def signature(body: bytes, secret: str, at: int) -> str:
    """Return the header that proves who tells (Stripe's scheme v1: HMAC-SHA256 over time and body)."""
    mac = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={mac}"
