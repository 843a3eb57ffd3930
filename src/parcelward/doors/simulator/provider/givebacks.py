"""Refunds and disputes: what goes back to the payer, and what their bank takes back."""

from __future__ import annotations

from typing import Final

from parcelward.doors.simulator.provider.book import Book
from parcelward.doors.simulator.provider.words import Params, Refusal, Thing, amount_of, found, metadata_of

ANSWER_EVIDENCE_WITHIN_S: Final = 7 * 86_400
DISPUTE_FEE_MINOR: Final = 1500


def create_refund(book: Book, _: str, params: Params) -> Thing:
    """Give back what was captured, or a part; all refunds together no more than that."""
    intent = found(book.intents, params.get("payment_intent", ""), "payment_intent")
    charge = book.charges.get(intent["latest_charge"] or "")
    if charge is None or not charge["captured"]:
        raise Refusal(400, "charge_not_captured", "This PaymentIntent does not have a successful charge to refund.")
    if charge["disputed"]:
        raise Refusal(400, "charge_disputed", "This charge is disputed: it cannot be refunded.")
    left = charge["amount_captured"] - charge["amount_refunded"]
    amount = amount_of(params, "amount") if "amount" in params else left
    if not left:
        raise Refusal(400, "charge_already_refunded", "Charge has already been refunded.")
    if amount > left:
        raise Refusal(400, "amount_too_large", f"Refund amount ({amount}) is greater than unrefunded ({left}).")
    charge["amount_refunded"] += amount
    refund = {
        "id": book.new_id("re"),
        "object": "refund",
        "amount": amount,
        "currency": charge["currency"],
        "payment_intent": intent["id"],
        "charge": charge["id"],
        "status": "succeeded",
        "metadata": metadata_of(params),
        "created": book.now,
    }
    book.refunds[refund["id"]] = refund
    book.move("refund", refund["id"], -amount, charge["currency"])
    book.tell("charge.refunded", charge)
    return refund


def look_refund(book: Book, key: str, _: Params) -> Thing:
    """Say how a refund is."""
    return found(book.refunds, key, "refund")


def list_refunds(book: Book, _: str, params: Params) -> Thing:
    """List the refunds of a payment, the newest first."""
    some = [one for one in book.refunds.values() if one["payment_intent"] == params.get("payment_intent")]
    return {"object": "list", "data": some[::-1], "has_more": False, "url": "/v1/refunds"}


def open_dispute(book: Book, charge: Thing, intent: Thing) -> None:
    """Let the payer's bank take back what was captured, until it has decided."""
    charge["disputed"] = True
    amount = charge["amount_captured"] - charge["amount_refunded"]
    dispute = {
        "id": book.new_id("dp"),
        "object": "dispute",
        "amount": amount,
        "currency": charge["currency"],
        "charge": charge["id"],
        "payment_intent": intent["id"],
        "reason": "fraudulent",
        "status": "needs_response",
        "evidence_details": {"due_by": book.now + ANSWER_EVIDENCE_WITHIN_S, "has_evidence": False},
        "evidence": {},
        "created": book.now,
    }
    book.disputes[dispute["id"]] = dispute
    book.move("adjustment", dispute["id"], -amount, charge["currency"], fee=DISPUTE_FEE_MINOR)
    book.tell("charge.dispute.created", dispute)


def look_dispute(book: Book, key: str, _: Params) -> Thing:
    """Say how a dispute is."""
    return found(book.disputes, key, "dispute")


def answer_dispute(book: Book, key: str, params: Params) -> Thing:
    """Take evidence; sent once it is submitted, and never after the due time."""
    dispute = found(book.disputes, key, "dispute")
    if dispute["status"] != "needs_response":
        raise Refusal(400, "dispute_already_submitted", f"This dispute has a status of {dispute['status']}.")
    dispute["evidence"] |= {name[9:-1]: text for name, text in params.items() if name.startswith("evidence[")}
    dispute["evidence_details"]["has_evidence"] = bool(dispute["evidence"])
    if params.get("submit") == "true":
        dispute["status"], dispute["submitted_at"] = "under_review", book.now
        book.tell("charge.dispute.updated", dispute)
    return dispute


def close_dispute(book: Book, dispute: Thing, *, won: bool) -> None:
    """Decide: what was taken back is given again, or stays gone."""
    dispute["status"] = "won" if won else "lost"
    if won:
        book.move("adjustment", dispute["id"], dispute["amount"], dispute["currency"])
        book.charges[dispute["charge"]]["disputed"] = False
    book.tell("charge.dispute.closed", dispute)
