"""What this room keeps, and why none of its rows goes by age: of people they hold tokens, and the vault forgets."""

from __future__ import annotations

from typing import Final

KEPT_FOR_GOOD: Final = {
    "shipping_tariffversion": "prices that somebody was asked for",
    "shipping_quote": "a parcel's measures, a country and a zone: of nobody",
    "shipping_senderaddress": "a token and a keyed hash: says nothing once the vault has forgotten",
    "shipping_order": "what was bought, for the books; of people a token",
    "shipping_orderitem": "the same, and a label that nobody opens once its stations' keys are gone",
}
"""Table -> why."""
