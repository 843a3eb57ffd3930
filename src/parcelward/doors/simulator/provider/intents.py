"""Payment intents: an amount is authorised, by the payer's bank where it must, then captured or not."""

from __future__ import annotations

import copy
import hashlib
from typing import Final

from parcelward.doors.simulator.provider.book import Book
from parcelward.doors.simulator.provider.givebacks import open_dispute
from parcelward.doors.simulator.provider.words import (
    METHODS,
    Params,
    Refusal,
    Thing,
    amount_of,
    currency_of,
    expansions,
    found,
    metadata_of,
)

FEE_MILLIONTHS: Final = 15_000
FEE_FIXED_MINOR: Final = 25
DECLINES: Final = frozenset({"card_declined", "insufficient_funds", "stolen_card"})


def create_intent(book: Book, _: str, params: Params) -> Thing:
    """Authorise an amount, at once where a method is given and confirmed."""
    if params.get("confirm") == "true":
        require_method(params.get("payment_method", ""))
    intent = new_intent(book, amount_of(params, "amount"), params)
    book.intents[intent["id"]] = intent
    if params.get("confirm") == "true":
        confirm(book, intent, params.get("payment_method", ""))
    return seen(book, intent, params)


def new_intent(book: Book, amount: int, params: Params) -> Thing:
    """Return an intent that nobody has paid yet."""
    return {
        "id": book.new_id("pi"),
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": 0,
        "amount_received": 0,
        "currency": currency_of(params),
        "capture_method": params.get("capture_method", "automatic"),
        "return_url": params.get("return_url", ""),
        "metadata": metadata_of(params),
        "status": "requires_payment_method",
        "payment_method": None,
        "latest_charge": None,
        "last_payment_error": None,
        "next_action": None,
        "created": book.now,
        "livemode": False,
    }


def require_method(method: str) -> None:
    """Raise Refusal where no such card is known."""
    if method not in METHODS:
        raise Refusal(400, "resource_missing", f"No such PaymentMethod: '{method[:40]}'")


def confirm(book: Book, intent: Thing, method: str, *, authenticated: bool = False) -> None:
    """Authorise with a card: at once, once the payer's bank has asked them, or not at all."""
    require_method(method)
    effect = METHODS[method][2]
    if effect == "authenticate" and not authenticated:
        url = f"{book.page_url}/authenticate/{intent['id']}"
        intent["next_action"] = {"type": "redirect_to_url", "redirect_to_url": {"url": url}}
        intent["status"], intent["payment_method"] = "requires_action", method
        book.tell("payment_intent.requires_action", intent)
        return
    intent["next_action"] = None
    if effect in DECLINES:
        decline(book, intent, "card_declined", "generic_decline" if effect == "card_declined" else effect)
        # The intent stays, as it does at Stripe; the answer to the call that confirmed says so as an error.
        raise Refusal(
            402,
            "card_declined",
            "Your card was declined.",
            decline_code=intent["last_payment_error"]["decline_code"],
            payment_intent=copy.deepcopy(intent),
        )
    charge = _new_charge(book, intent, method, authenticated=authenticated)
    intent["latest_charge"], intent["payment_method"] = charge["id"], method
    intent["amount_capturable"], intent["status"] = intent["amount"], "requires_capture"
    book.tell("payment_intent.amount_capturable_updated", intent)
    if intent["capture_method"] != "manual":
        _capture(book, intent, intent["amount"])


def decline(book: Book, intent: Thing, code: str, decline_code: str) -> None:
    """Note that a card was declined; the intent waits for another."""
    intent["status"], intent["payment_method"] = "requires_payment_method", None
    intent["last_payment_error"] = {"type": "card_error", "code": code, "decline_code": decline_code}
    book.tell("payment_intent.payment_failed", intent)


def _new_charge(book: Book, intent: Thing, method: str, *, authenticated: bool) -> Thing:
    brand, country, _ = METHODS[method]
    card = {
        "brand": brand,
        "country": country,
        "fingerprint": hashlib.sha256(method.encode()).hexdigest()[:16],
        "funding": "credit",
        "three_d_secure": {"result": "authenticated"} if authenticated else None,
    }
    charge = {
        "id": book.new_id("ch"),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": 0,
        "amount_refunded": 0,
        "captured": False,
        "currency": intent["currency"],
        "payment_intent": intent["id"],
        "payment_method_details": {"type": "card", "card": card},
        "disputed": False,
        "created": book.now,
    }
    book.charges[charge["id"]] = charge
    return charge


def look_intent(book: Book, key: str, params: Params) -> Thing:
    """Say how an intent is."""
    return seen(book, found(book.intents, key, "payment_intent"), params)


def seen(book: Book, intent: Thing, params: Params) -> Thing:
    """Return an intent as the caller wants to see it."""
    if "latest_charge" in expansions(params) and intent["latest_charge"]:
        return {**intent, "latest_charge": book.charges[intent["latest_charge"]]}
    return intent


def capture_intent(book: Book, key: str, params: Params) -> Thing:
    """Take what was authorised, or a part of it; the rest is given back."""
    intent = found(book.intents, key, "payment_intent")
    if intent["status"] != "requires_capture":
        _unexpected(intent, "captured")
    amount = amount_of(params, "amount_to_capture") if "amount_to_capture" in params else intent["amount"]
    if amount > intent["amount_capturable"]:
        raise Refusal(400, "amount_too_large", "The requested capture amount is greater than what was authorized.")
    _capture(book, intent, amount)
    return seen(book, intent, params)


def _capture(book: Book, intent: Thing, amount: int) -> None:
    charge = book.charges[intent["latest_charge"]]
    charge["amount_captured"], charge["captured"] = amount, True
    intent["amount_received"], intent["amount_capturable"], intent["status"] = amount, 0, "succeeded"
    fee = -(-amount * FEE_MILLIONTHS // 1_000_000) + FEE_FIXED_MINOR
    book.move("charge", charge["id"], amount, intent["currency"], fee=min(fee, amount))
    book.tell("payment_intent.succeeded", intent)
    if METHODS[intent["payment_method"]][2] == "dispute":
        open_dispute(book, charge, intent)


def cancel_intent(book: Book, key: str, params: Params) -> Thing:
    """Give back what was authorised."""
    intent = found(book.intents, key, "payment_intent")
    if intent["status"] in {"succeeded", "canceled", "processing"}:
        _unexpected(intent, "canceled")
    cancel(book, intent)
    return seen(book, intent, params)


def cancel(book: Book, intent: Thing) -> None:
    """End an intent; what was authorised is given back."""
    intent["status"], intent["amount_capturable"], intent["next_action"] = "canceled", 0, None
    book.tell("payment_intent.canceled", intent)


def _unexpected(intent: Thing, verb: str) -> None:
    words = f"This PaymentIntent could not be {verb} because it has a status of {intent['status']}."
    raise Refusal(400, "payment_intent_unexpected_state", words, payment_intent=copy.deepcopy(intent))


def authenticate(book: Book, key: str, params: Params) -> Thing:
    """Hear what the payer did on the page of their bank (3-D Secure)."""
    intent = found(book.intents, key, "payment_intent")
    if intent["status"] != "requires_action":
        _unexpected(intent, "authenticated")
    if params.get("outcome") == "approved":
        confirm(book, intent, intent["payment_method"], authenticated=True)
    else:
        intent["next_action"] = None
        decline(book, intent, "payment_intent_authentication_failure", "authentication_failed")
    return intent
