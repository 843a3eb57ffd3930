"""A shop that sends: places, routes, what is sold, a sender with money, and orders as its system sends them."""

from __future__ import annotations

import dataclasses
import uuid
from typing import Any

import httpx
from tests.payments.provided import sender
from tests.shipping.bodies import ADDRESS, ITEM, NAME, ORDER, SENDER, STREET, order

from parcelward.base import config
from parcelward.base.standards import money
from parcelward.network import actions as network
from parcelward.network.wire import RouteRow
from parcelward.payments import ledger, rules
from parcelward.people import actions as people
from parcelward.people.queries import key_holder
from parcelward.people.wire import OrganisationKind, Person, Role
from parcelward.shipping import actions

HUB, OFFICE, EXCHANGE = "ORD-HUB", "ORD-OFFICE", "ORD-EXCHANGE"
USD = money.currency("USD")


def open_shop() -> None:
    """Describe places and routes, and say what is sold. Doing it again changes nothing."""
    by = people.installer()
    for code, kind in ((HUB, "hub"), (OFFICE, "office"), (EXCHANGE, "exchange")):
        network.put_facility(
            code,
            name=f"Order {kind}",
            kind=kind,
            country="US",
            time_zone="America/Chicago",
            coarse_place="Springfield, IL",
            position=(-89.65, 39.8),
            simulated=True,
            by=by,
        )
    network.put_routes(
        [RouteRow("US", "", OFFICE, HUB, "R12"), RouteRow("*", "", EXCHANGE, HUB, "AIR")],
        by=by,
    )
    settings = config.get()
    actions.sell_by_sample(settings.currency, settings.country, by=by)


def give(owner: uuid.UUID, amount_minor: int) -> None:
    """Put money into somebody's balance."""
    lines = rules.top_up_lines(amount_minor, USD, owner=owner)
    ledger.post(uuid.uuid4(), lines, reason="top_up", by=people.machinery())


def shopkeeper(amount_minor: int = 100_000) -> Person:
    """Return somebody who sends for an organisation of their own, with so much in its balance."""
    who = dataclasses.replace(sender(), simulated=True)
    assert who.organisation
    if amount_minor:
        give(who.organisation, amount_minor)
    return who


@dataclasses.dataclass
class Shop:
    """A sender's system with a key that may spend."""

    url: str
    token: str
    organisation: uuid.UUID
    key: uuid.UUID

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers of every call."""
        return {"Authorization": f"Bearer {self.token}"}

    def buy(self, body: dict[str, Any], key: str = "") -> httpx.Response:
        """Send an order."""
        headers = self.headers | {"Idempotency-Key": key or str(uuid.uuid4())}
        return httpx.post(f"{self.url}/api/v1/orders", json=body, headers=headers, timeout=60)

    def get(self, path: str) -> httpx.Response:
        """Look at something."""
        return httpx.get(f"{self.url}{path}", headers=self.headers, timeout=60)

    def post(self, path: str, body: Any = None) -> httpx.Response:
        """Ask for something."""
        return httpx.post(f"{self.url}{path}", json=body or {}, headers=self.headers, timeout=60)

    @property
    def balance_minor(self) -> int:
        """Return what is in its balance."""
        from parcelward.payments.wire import Account, Kind

        return ledger.balance(Account(Kind.POSTAGE_BALANCE, USD, self.organisation)).available_minor


def shop(installation: Any, amount_minor: int = 100_000, cap_minor: int = 10**9) -> Shop:
    """Return a sender's system, its balance and its key's grant."""
    import datetime as dt

    by = people.installer()
    organisation = people.make_organisation(OrganisationKind.SENDER, f"Shop {uuid.uuid4().hex[:8]}", by=by)
    if amount_minor:
        give(organisation, amount_minor)
    made = people.new_key("shop checkout", Role.SENDER_ADMIN, by=by, mode="test", organisation=organisation)
    token = made.token
    holder = key_holder(token)
    if cap_minor:
        people.grant_spending(
            holder.id,
            currency="USD",
            cap_payment_minor=cap_minor,
            cap_day_minor=cap_minor,
            cap_month_minor=None,
            lifetime=dt.timedelta(days=1),
            by=by,
        )
    return Shop(installation.url, token, organisation, holder.id)


__all__ = [
    "ADDRESS",
    "ITEM",
    "NAME",
    "ORDER",
    "SENDER",
    "STREET",
    "Shop",
    "give",
    "open_shop",
    "order",
    "shop",
    "shopkeeper",
]
