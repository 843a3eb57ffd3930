"""Shops buy while processes are killed; then every order is done or undone, and what was paid is what was sold.

    python -m tests.faults.purchases --orders 10000 --kills 200

The seed is printed and decides what each shop does and what is killed; moments in time are the machine's own.
"""

from __future__ import annotations

import argparse
import dataclasses
import random
import tempfile
import threading
import time
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import psycopg
from tests.faults.plant import Plant, until
from tests.shipping.bodies import order

KINDS = ("web_worker", "web", "worker", "provider", "backend", "database", "databases")
SHOPS = 8
GAP_S = (0.5, 3.0)
TRY_FOR_S = 300.0
CARDS = ("pm_card_visa", "pm_card_visa", "pm_card_visa", "pm_card_chargeDeclined")
OPEN = "('paying', 'making')"

_SENDER = """
import datetime as dt, os, uuid
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "parcelward.doors.settings")
import django
django.setup()
from parcelward.base.standards import money
from parcelward.payments import ledger, rules
from parcelward.people import actions
from parcelward.people.wire import OrganisationKind, Role
by = actions.installer()
owner = actions.make_organisation(OrganisationKind.SENDER, "Fault shop", by=by)
lines = rules.top_up_lines(10**11, money.currency("USD"), owner=owner)
ledger.post(uuid.uuid4(), lines, reason="top_up", by=actions.machinery())
key = actions.new_key("fault shop", Role.SENDER_ADMIN, by=by, mode="test", organisation=owner)
actions.grant_spending(key.id, currency="USD", cap_payment_minor=10**9, cap_day_minor=10**14, cap_month_minor=None,
                       lifetime=dt.timedelta(days=1), by=by)
print(key.token)
"""
_PLACES = [
    ("FAULT-HUB", "hub"),
    ("FAULT-OFFICE", "office"),
]


@dataclasses.dataclass
class Bought:
    """What the shops were told."""

    lock: threading.Lock = dataclasses.field(default_factory=threading.Lock)
    said: dict[str, str] = dataclasses.field(default_factory=dict)  # key -> order id
    states: Counter[str] = dataclasses.field(default_factory=Counter)
    wrong: list[str] = dataclasses.field(default_factory=list)


def open_house(plant: Plant) -> dict[str, str]:
    """Describe places and routes, give a sender money and a key that may spend it; return the key's headers."""
    for code, kind in _PLACES:
        place = {"name": code, "kind": kind, "country": "US", "time_zone": "America/Chicago", "coarse_place": code}
        plant.put(f"/api/v1/facilities/{code}", place | {"simulated": True})
    route = {"country": "US", "prefix": "", "office": "FAULT-OFFICE", "hub": "FAULT-HUB", "round_code": "R1"}
    plant.put("/api/v1/routes", {"routes": [route]})
    return {"Authorization": f"Bearer {plant.python(_SENDER).strip()}"}


def shop(plant: Plant, headers: dict[str, str], rng: random.Random, orders: int, bought: Bought) -> None:
    """Buy so many times, each until it is said how it ended; whoever is not answered asks again with the same key."""
    with httpx.Client(base_url=plant.url, headers=headers, timeout=30) as http:
        for _ in range(orders):
            key = str(uuid.UUID(int=rng.getrandbits(128), version=4))
            body = order(paid_by=rng.choice(("balance", "balance", "card")))
            fate = rng.random()
            try:
                said = _until_ended(http, key, body, rng.choice(CARDS), gives_up=fate < 0.1, leaves=0.1 <= fate < 0.15)
            except Exception as failed:  # noqa: BLE001 -- every failure of every shop is a finding
                with bought.lock:
                    bought.wrong.append(f"{key}: {type(failed).__name__} {failed}"[:300])
                continue
            with bought.lock:
                bought.said[key] = said["id"]
                bought.states[said["state"]] += 1


def _until_ended(
    http: httpx.Client, key: str, body: dict[str, Any], card: str, *, gives_up: bool, leaves: bool
) -> dict[str, Any]:
    """Ask until an order has ended, paying where it asks for that; who leaves comes back no more."""
    deadline = time.monotonic() + TRY_FOR_S
    names: set[str] = set()
    while time.monotonic() < deadline:
        answer = _asked(http, "POST", "/api/v1/orders", body, {"Idempotency-Key": key})
        if answer is None or answer.status_code in {409, 429, 500, 502, 503}:
            time.sleep(0.2)
            continue
        if answer.status_code != 201:
            raise AssertionError(f"{answer.status_code} {answer.text[:200]}")
        said: dict[str, Any] = answer.json()
        names.add(said["id"])
        assert len(names) == 1, "one key, one order"
        if said["state"] in {"bought", "undone"} or leaves:
            return said
        if gives_up:
            _asked(http, "POST", f"/api/v1/orders/{said['id']}/give-up", {}, {})
        elif said["state"] == "requires_action":
            _asked(http, "POST", said["pay_url"], None, {}, data={"payment_method": card})
            if card == "pm_card_chargeDeclined":
                gives_up = True
        time.sleep(0.1)
    raise AssertionError("it never ended")


def _asked(
    http: httpx.Client, method: str, path: str, body: Any, headers: dict[str, str], **more: Any
) -> httpx.Response | None:
    try:
        return http.request(method, path, json=body, headers=headers, **more)
    except httpx.HTTPError:
        return None


def problems(plant: Plant, bought: Bought) -> list[str]:
    """Return what is wrong with what was bought, once everything has come to its end."""
    with plant.database() as db:
        until(lambda: not _open(db), seconds=240, what="the end of every order")
        found = [f"{name}: {count}" for name, count in _counts(db).items() if count]
        known = {row[0].hex for row in db.execute("SELECT id FROM shipping_order").fetchall()}
    found += [f"{key} was answered and is gone" for key, name in bought.said.items() if name[4:] not in known]
    verified = plant.run("verify-log")
    if verified.returncode:
        found.append(f"verify-log: {(verified.stdout + verified.stderr)[-800:]}")
    return [*found, *bought.wrong]


def _open(db: psycopg.Connection[Any]) -> int:
    """Return how many orders are on their way; those whose payer left wait for a day, and are left out."""
    waits = "SELECT FROM payments_intent i WHERE i.id = o.intent AND i.state = 'waits' AND i.verb = ''"
    row = db.execute(f"SELECT count(*) FROM shipping_order o WHERE o.state IN {OPEN} AND NOT EXISTS ({waits})")
    return int(row.fetchall()[0][0])


def _counts(db: psycopg.Connection[Any]) -> dict[str, int]:
    """Return how many orders break each law."""
    laws = {
        "bought without all its items": (
            "SELECT count(*) FROM shipping_order o WHERE o.state = 'bought' AND EXISTS ("
            "SELECT FROM shipping_orderitem i LEFT JOIN parcels_item p ON p.item = i.item "
            "WHERE i.order_id = o.id AND (p.item IS NULL OR i.label IS NULL))"
        ),
        "bought and not paid, or paid otherwise": (
            "SELECT count(*) FROM shipping_order o LEFT JOIN payments_intent i ON i.id = o.intent LEFT JOIN LATERAL "
            "(SELECT sum(l.amount_minor) AS paid FROM payments_posting p JOIN payments_line l ON l.posting_id = p.id "
            "JOIN payments_account a ON a.number = l.account_id WHERE p.about = o.id AND p.state = 'posted' "
            "AND a.kind = CASE o.paid_by WHEN 'card' THEN 'provider' ELSE 'postage_balance' END) m ON true "
            "WHERE o.state = 'bought' AND (coalesce(m.paid, 0) <> o.total_minor "
            "OR (o.paid_by = 'card' AND i.captured_minor IS DISTINCT FROM o.total_minor))"
        ),
        "undone and paid": (
            "SELECT count(*) FROM shipping_order o JOIN payments_intent i ON i.id = o.intent "
            "WHERE o.state = 'undone' AND i.captured_minor > 0"
        ),
        "undone with a label that stands": (
            "SELECT count(*) FROM shipping_order o JOIN shipping_orderitem i ON i.order_id = o.id "
            "JOIN parcels_label l ON l.item = i.item WHERE o.state = 'undone' AND l.voided_at IS NULL"
        ),
        "items that nobody ordered": (
            "SELECT count(*) FROM parcels_solditem s LEFT JOIN shipping_orderitem i ON i.item = s.item "
            "WHERE i.item IS NULL"
        ),
    }
    return {name: int(db.execute(law).fetchall()[0][0]) for name, law in laws.items()}


def drive(plant: Plant, *, seed: int, orders: int, kills: int) -> tuple[Bought, Counter[str]]:
    """Let shops buy while processes are killed; return what they were told, and what was killed."""
    headers, bought, killed = open_house(plant), Bought(), Counter[str]()
    threads = [
        threading.Thread(
            target=shop,
            args=(plant, headers, random.Random(f"{seed}/{nth}"), orders // SHOPS + (nth < orders % SHOPS), bought),
            daemon=True,
        )
        for nth in range(SHOPS)
    ]
    for thread in threads:
        thread.start()
    rng = random.Random(f"{seed}/kills")
    plan = [KINDS[nth % len(KINDS)] for nth in range(kills)]
    rng.shuffle(plan)
    for kind in plan:
        time.sleep(rng.uniform(*GAP_S))
        if not any(thread.is_alive() for thread in threads):
            break
        if plant.kill(kind, rng) != "nothing to kill":
            killed[kind] += 1
    for thread in threads:
        thread.join()
    return bought, killed


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="pw-purchases-") as folder:
        plant = Plant(Path(folder) / "home")
        try:
            began = time.monotonic()
            bought, killed = drive(plant, seed=options.seed, orders=options.orders, kills=options.kills)
            took = time.monotonic() - began
            wrong = problems(plant, bought)
        finally:
            plant.close()
    print(f"{sum(bought.states.values())} orders in {took:.0f} s: {dict(bought.states)}")
    print(f"killed: {dict(killed)}")
    print("\n".join(wrong) or "every order is done or undone, and what was paid is what was sold")
    raise SystemExit(bool(wrong))


if __name__ == "__main__":
    main()
