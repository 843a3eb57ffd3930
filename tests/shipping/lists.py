"""Files of orders as shops send them, made for the tests."""

from __future__ import annotations

import csv
import io
import time
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

import httpx
from tests.shipping.shop import SENDER, Shop

HEADER = (
    "Order no",
    "Name",
    "Address 1",
    "City",
    "State",
    "ZIP",
    "Country",
    "E-mail",
    "Weight (g)",
    "Size",
    "Contents",
)
STREETS = ("Harrogate Street", "Market Square", "Mill Lane", "Zanzibar Mews")


def row(nth: int, **changed: str) -> list[str]:
    """Return one good row, with other texts in the columns that are named (`zip_`, `name_`)."""
    made = {
        "order_no": f"A-{nth}",
        "name": f"Canary Quillfeather {nth}",
        "address_1": f"{nth + 1} {STREETS[nth % len(STREETS)]}",
        "city": "Springfield",
        "state": "IL",
        "zip": "62701",
        "country": "US",
        "email": f"canary.{nth}@mail.example",
        "weight": "900",
        "size": "30x20x10 cm",
        "contents": "Two cotton T-shirts",
    }
    return list((made | changed).values())


def text(rows: Iterable[Sequence[str]], *, header: Sequence[str] = HEADER, delimiter: str = ",") -> bytes:
    """Return rows as a CSV file."""
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows([header, *rows])
    return out.getvalue().encode()


def send(shop: Shop, body: bytes, key: str = "") -> httpx.Response:
    """Send a file."""
    headers = shop.headers | {"Idempotency-Key": key or str(uuid.uuid4()), "Content-Type": "text/csv"}
    return httpx.post(f"{shop.url}/api/v1/uploads", content=body, headers=headers, timeout=120)


def mapped(shop: Shop, upload: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Confirm what the columns are taken for; return the list once its rows were looked at."""
    columns = [one["field"] for one in upload["columns"]]
    body = {"columns": columns, "defaults": {"product": "parcel"}, "sender": SENDER} | more
    answer = shop.post(f"/api/v1/uploads/{upload['id']}/mapping", body)
    assert answer.status_code == 200, answer.text
    return until(shop, upload["id"], "preview")


def until(shop: Shop, upload: str, *states: str, seconds: float = 60, reason: str | None = None) -> dict[str, Any]:
    """Return a list once it stands so."""
    end = time.monotonic() + seconds
    while True:
        said: dict[str, Any] = shop.get(f"/api/v1/uploads/{upload}").json()
        if said["state"] in states and reason in {None, said["reason"]}:
            return said
        assert time.monotonic() < end, said
        time.sleep(0.2)
