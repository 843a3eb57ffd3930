"""The simulated provider's words: what a call may say, and how it is refused. They are Stripe's API's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

Params = Mapping[str, str]  # flat, as a form sends them: `payment_intent_data[capture_method]`
Thing = dict[str, Any]

AMOUNT_MAX: Final = 99_999_999

METHODS: Final = {
    "pm_card_visa": ("visa", "US", ""),
    "pm_card_mastercard": ("mastercard", "DE", ""),
    "pm_card_authenticationRequired": ("visa", "FR", "authenticate"),
    "pm_card_chargeDeclined": ("visa", "US", "card_declined"),
    "pm_card_chargeDeclinedInsufficientFunds": ("visa", "US", "insufficient_funds"),
    "pm_card_chargeDeclinedStolenCard": ("visa", "US", "stolen_card"),
    "pm_card_createDispute": ("visa", "US", "dispute"),
}
"""The provider's test cards, by the names it gives them: brand, country, and what happens. No number is ever typed."""


class Refusal(Exception):
    """The call is refused, and nothing changed."""

    def __init__(self, status: int, code: str, message: str, **more: Any) -> None:
        super().__init__(message)
        kind = "card_error" if status == 402 else "invalid_request_error"  # noqa: PLR2004 -- the HTTP status is the name
        self.status = status
        self.body: Thing = {"error": {"type": kind, "code": code, "message": message, **more}}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call is answered with."""

    status: int
    body: Thing
    replayed: bool = False  # the same call was answered before; nothing happened now


def amount_of(params: Params, name: str) -> int:
    """Return an amount in minor units. Raises Refusal for what is none."""
    text = params.get(name, "")
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= AMOUNT_MAX:
        raise Refusal(400, "parameter_invalid_integer", f"Invalid integer: {text[:20]}", param=name)
    return int(text)


def currency_of(params: Params, name: str = "currency") -> str:
    """Return a currency in the provider's small letters."""
    text = params.get(name, "")
    if not (len(text) == 3 and text.isascii() and text.isalpha()):  # noqa: PLR2004 -- ISO 4217
        raise Refusal(400, "parameter_missing", f"Invalid currency: {text[:10]}", param=name)
    return text.lower()


def metadata_of(params: Params, prefix: str = "metadata") -> dict[str, str]:
    """Return what the caller wants to read again."""
    start = f"{prefix}["
    return {name[len(start) : -1]: text for name, text in params.items() if name.startswith(start)}


def expansions(params: Params) -> set[str]:
    """Return the names of what is to be shown whole."""
    return {text for name, text in params.items() if name.startswith("expand[")}


def number_of(params: Params, name: str, default: int) -> int:
    """Return a whole number that a call may leave out. Raises Refusal."""
    text = params.get(name, str(default))
    if not text.isascii() or not text.isdigit():
        raise Refusal(400, "parameter_invalid_integer", f"Invalid integer: {text[:20]}", param=name)
    return int(text)


def found(things: Mapping[str, Thing], key: str, what: str) -> Thing:
    """Return what is named. Raises Refusal."""
    if key not in things:
        raise Refusal(404, "resource_missing", f"No such {what}: '{key[:60]}'")
    return things[key]
