"""Orders as a sender's system sends them: no framework, so that a driver of its own may use them, too."""

from __future__ import annotations

import copy
import secrets
from typing import Any

NAME, STREET = "Canary Quillfeather", "27 Zanzibar Mews"
ADDRESS = {
    "country": "US",
    "addressee": NAME,
    "street_lines": [STREET],
    "locality": "Springfield",
    "administrative_area": "IL",
    "postcode": "62701",
}
SENDER = {
    "address": {
        "country": "US",
        "organisation": "Marrow & Pith",
        "street_lines": ["5 Market Square"],
        "locality": "Springfield",
        "administrative_area": "IL",
        "postcode": "62703",
    }
}
ITEM = {
    "to": {"address": ADDRESS, "email": "canary.quillfeather@mail.example"},
    "product": "parcel",
    "weight_g": 900,
    "size_mm": [300, 200, 100],
    "contents": {"description": "Two cotton T-shirts", "answers": {"battery": "none"}},
    "value_minor": 4_000,
}
ORDER = {"sender": SENDER, "items": [ITEM]}


def order(**changed: Any) -> dict[str, Any]:
    """Return an order as a system sends it; `item_...` changes its one parcel."""
    body = copy.deepcopy(ORDER)
    # Many accounts that send to one addressee look like fraud, and tests are many accounts.
    body["items"][0]["to"]["address"]["addressee"] = f"{NAME} {secrets.token_hex(4)}"  # type: ignore[index]  # as below
    for name, value in changed.items():
        if name.startswith("item_"):
            body["items"][0][name.removeprefix("item_")] = value  # type: ignore[index]  # a list of dicts
        else:
            body[name] = value
    return body
