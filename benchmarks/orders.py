"""How many orders can be bought in a second, end to end over HTTP, and what does one cost each part?

Every order is checked, priced, screened, decided, paid out of a balance, made as an item with a sealed label and put
on record; every tenth label is drawn as ZPL. There is one shop a thread; what sends the orders is left out of the CPU.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import threading
import time
import uuid
from typing import Any

import httpx
from benchmarks.ingest import percentile
from benchmarks.installation import ROLES, SEED, Installation, report, running

SHOPS = 8
WARM_S = 4.0
LABEL_EVERY = 10
_SENDER = """
import datetime as dt, uuid
import django
django.setup()
from parcelward.base.standards import money
from parcelward.payments import ledger, rules
from parcelward.people import actions
from parcelward.people.wire import OrganisationKind, Role
by = actions.installer()
for nth in range({shops}):
    owner = actions.make_organisation(OrganisationKind.SENDER, f"Measured shop {{nth}}", by=by, simulated=True)
    lines = rules.top_up_lines(10**11, money.currency("USD"), owner=owner)
    ledger.post(uuid.uuid4(), lines, reason="top_up", by=actions.machinery())
    key = actions.new_key("measured", Role.SENDER_ADMIN, by=by, mode="test", organisation=owner, simulated=True)
    actions.grant_spending(key.id, currency="USD", cap_payment_minor=10**9, cap_day_minor=10**14, cap_month_minor=None,
                           lifetime=dt.timedelta(days=1), by=by)
    print(key.token)
"""


def senders(installation: Installation, shops: int) -> list[str]:
    """Describe places and routes, make shops with money, and return their keys."""
    with httpx.Client(base_url=installation.url, headers=installation.headers, timeout=60) as admin:
        for code, kind in (("BENCH-HUB", "hub"), ("BENCH-OFFICE", "office")):
            place = {"name": code, "kind": kind, "country": "US", "time_zone": "America/Chicago", "coarse_place": code}
            admin.put(f"/api/v1/facilities/{code}", json=place | {"simulated": True}).raise_for_status()
        route = {"country": "US", "prefix": "", "office": "BENCH-OFFICE", "hub": "BENCH-HUB", "round_code": "R1"}
        admin.put("/api/v1/routes", json={"routes": [route]}).raise_for_status()
    env = {name: value for name, value in os.environ.items() if not name.startswith("PARCELWARD_")}
    env |= {
        "DJANGO_SETTINGS_MODULE": "parcelward.doors.settings",
        "PARCELWARD_HOME": str(installation.home),
        "PARCELWARD_PORT": installation.url.rsplit(":", 1)[1],
    }
    done = subprocess.run(
        [sys.executable, "-c", _SENDER.format(shops=shops)], env=env, capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def order(dice: random.Random) -> dict[str, Any]:
    """Return an order of one parcel to somebody who is drawn."""
    place = {"country": "US", "locality": "Springfield", "administrative_area": "IL"}
    to = place | {
        "addressee": f"Invented Reader {dice.randrange(10**9)}",
        "street_lines": [f"{dice.randrange(1, 999)} Zanzibar Mews"],
        "postcode": f"627{dice.randrange(1, 99):02}",
    }
    sender = place | {"organisation": "Measured Shop", "street_lines": ["5 Market Square"], "postcode": "62703"}
    contents = {"description": dice.choice(["Two cotton T-shirts", "A book", "Ceramic cups"]), "number": 2}
    item = {
        "to": {"address": to, "email": f"reader{dice.randrange(10**9)}@mail.example"},
        "product": "parcel",
        "weight_g": dice.randrange(100, 4_000),
        "size_mm": [300, 200, 100],
        "contents": contents | {"answers": {"battery": "none"}},
        "value_minor": 4_000,
    }
    return {"sender": {"address": sender}, "items": [item]}


def shop(url: str, token: str, seed: str, stop: threading.Event, seen: list[tuple[float, float]]) -> None:
    """Buy until asked to stop; note when each answer came and how long it took (s)."""
    dice, bought = random.Random(seed), 0
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=60) as http:
        while not stop.is_set():
            body = json.dumps(order(dice)).encode()
            headers = {"Idempotency-Key": str(uuid.uuid4()), "Content-Type": "application/json"}
            began = time.perf_counter()
            answer = http.post("/api/v1/orders", content=body, headers=headers)
            took = time.perf_counter() - began
            said = answer.json()
            if answer.status_code != 201 or said["state"] != "bought":
                raise SystemExit(f"an order was not bought: {answer.status_code} {answer.text[:300]}")
            seen.append((time.perf_counter(), took))
            bought += 1
            if bought % LABEL_EVERY == 0:
                http.get(f"/api/v1/orders/{said['id']}/labels/0?form=zpl").raise_for_status()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="orders")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--shops", type=int, default=SHOPS)
    parser.add_argument("--web-workers", type=int, default=2)
    options = parser.parse_args()
    with running(PARCELWARD_WEB_WORKERS=str(options.web_workers)) as installation:
        tokens = senders(installation, options.shops)
        seen: list[tuple[float, float]] = []
        stop = threading.Event()
        threads = [
            threading.Thread(target=shop, args=(installation.url, token, f"{SEED} {nth}", stop, seen))
            for nth, token in enumerate(tokens)
        ]
        for thread in threads:
            thread.start()
        time.sleep(WARM_S)
        began, before = time.perf_counter(), installation.cpu_seconds()
        time.sleep(options.seconds)
        ended, after = time.perf_counter(), installation.cpu_seconds()
        stop.set()
        for thread in threads:
            thread.join()
    took = [each for at, each in seen if began <= at <= ended]
    cpu = {role: (after[role] - before[role]) / max(1, len(took)) * 1e3 for role in ROLES}
    report(
        "orders",
        [
            ("orders_per_second", len(took) / (ended - began), "1/s"),
            ("orders", float(len(took)), ""),
            ("answer_p50_ms", percentile(took, 0.5) * 1e3, "ms"),
            ("answer_p99_ms", percentile(took, 0.99) * 1e3, "ms"),
            *((f"cpu_ms_per_order_{role}", value, "ms") for role, value in cpu.items()),
            ("cpu_ms_per_order_total", sum(cpu.values()), "ms"),
        ],
    )


if __name__ == "__main__":
    main()
