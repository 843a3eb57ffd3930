"""What the simulated provider keeps: payments, pages, refunds, disputes, what its balance did, what it has to tell."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field

from parcelward.doors.simulator.provider.words import Thing


@dataclass
class Book:
    """All that one provider holds. Ids are counted, so the same calls give the same ones."""

    page_url: str = "http://localhost:8010"  # where payers are sent
    intents: dict[str, Thing] = field(default_factory=dict)
    charges: dict[str, Thing] = field(default_factory=dict)
    refunds: dict[str, Thing] = field(default_factory=dict)
    disputes: dict[str, Thing] = field(default_factory=dict)
    sessions: dict[str, Thing] = field(default_factory=dict)
    movements: list[Thing] = field(default_factory=list)  # what its balance did: the report
    events: list[Thing] = field(default_factory=list)  # what it tells by webhook, in order
    now: int = 0  # seconds since 1970; it never goes back
    count: int = 0
    mark: str = "sim"  # in every id

    def new_id(self, prefix: str) -> str:
        """Return the next id."""
        self.count += 1
        return f"{prefix}_{self.mark}{self.count:010d}"

    def tell(self, kind: str, thing: Thing) -> None:
        """Note what is told to whoever listens."""
        event = {"id": self.new_id("evt"), "object": "event", "type": kind, "created": self.now, "livemode": False}
        self.events.append({**event, "data": {"object": copy.deepcopy(thing)}})

    def move(self, kind: str, source: str, amount: int, currency: str, *, fee: int = 0) -> None:
        """Note what the balance did."""
        self.movements.append(
            {
                "id": self.new_id("txn"),
                "object": "balance_transaction",
                "type": kind,
                "source": source,
                "amount": amount,
                "fee": fee,
                "net": amount - fee,
                "currency": currency,
                "created": self.now,
            }
        )
