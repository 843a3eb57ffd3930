"""The page where a payer pays: one amount, with a test card, while it is open."""

from __future__ import annotations

from typing import Final

from parcelward.doors.simulator.provider.book import Book
from parcelward.doors.simulator.provider.intents import cancel, confirm, decline, new_intent, require_method, seen
from parcelward.doors.simulator.provider.words import (
    Params,
    Refusal,
    Thing,
    amount_of,
    currency_of,
    expansions,
    found,
    metadata_of,
)

PAGE_OPEN_FOR_S: Final = 86_400


def create_session(book: Book, _: str, params: Params) -> Thing:
    """Open a page where somebody pays one amount."""
    amount = amount_of(params, "line_items[0][price_data][unit_amount]")
    session: Thing = {
        "id": book.new_id("cs"),
        "object": "checkout.session",
        "amount_total": amount,
        "currency": currency_of(params, "line_items[0][price_data][currency]"),
        "name": params.get("line_items[0][price_data][product_data][name]", ""),
        "status": "open",
        "payment_status": "unpaid",
        "payment_intent": None,
        "success_url": params.get("success_url", ""),
        "cancel_url": params.get("cancel_url", ""),
        "client_reference_id": params.get("client_reference_id"),
        "capture_method": params.get("payment_intent_data[capture_method]", "automatic"),
        "metadata": metadata_of(params, "payment_intent_data[metadata]"),
        "expires_at": book.now + PAGE_OPEN_FOR_S,
        "created": book.now,
    }
    session["url"] = f"{book.page_url}/pay/{session['id']}"
    book.sessions[session["id"]] = session
    return session


def look_session(book: Book, key: str, params: Params) -> Thing:
    """Say how a page is, and with `expand` the payment made on it."""
    session = found(book.sessions, key, "checkout.session")
    wanted = expansions(params)
    if session["payment_intent"] and {"payment_intent", "payment_intent.latest_charge"} & wanted:
        inner = {"expand[0]": "latest_charge"} if "payment_intent.latest_charge" in wanted else {}
        return {**session, "payment_intent": seen(book, book.intents[session["payment_intent"]], inner)}
    return session


def expire_session(book: Book, key: str, _: Params) -> Thing:
    """Close a page on which nobody paid."""
    session = found(book.sessions, key, "checkout.session")
    if session["status"] != "open":
        raise Refusal(400, "checkout_session_not_open", "Only Checkout Sessions with a status of open can expire.")
    expire(book, session)
    return session


def expire(book: Book, session: Thing) -> None:
    """Close a page, and what was begun on it."""
    session["status"], session["url"] = "expired", None
    intent = book.intents.get(session["payment_intent"] or "")
    if intent is not None and intent["status"] in {"requires_action", "requires_payment_method"}:
        cancel(book, intent)
    book.tell("checkout.session.expired", session)


def pay(book: Book, key: str, params: Params) -> Thing:
    """Pay on the page, with a test card; one that is declined leaves the page open, for another."""
    session = found(book.sessions, key, "checkout.session")
    if session["status"] != "open":
        raise Refusal(400, "checkout_session_not_open", "This page is no longer open.")
    require_method(params.get("payment_method", ""))
    intent = book.intents.get(session["payment_intent"] or "")
    if intent is None:
        named = {"currency": session["currency"], "capture_method": session["capture_method"]}
        intent = new_intent(book, session["amount_total"], named)
        intent["metadata"], intent["return_url"] = dict(session["metadata"]), session["success_url"]
        book.intents[intent["id"]] = intent
        session["payment_intent"] = intent["id"]
    if params.get("outcome") == "refused":
        decline(book, intent, "payment_intent_authentication_failure", "authentication_failed")
        return look_session(book, key, {"expand[0]": "payment_intent"})
    confirm(book, intent, params.get("payment_method", ""), authenticated=params.get("outcome") == "approved")
    if intent["status"] in {"requires_capture", "succeeded"}:
        paid = intent["status"] == "succeeded"
        session["status"], session["payment_status"] = "complete", "paid" if paid else "unpaid"
        book.tell("checkout.session.completed", session)
    return look_session(book, key, {"expand[0]": "payment_intent"})
