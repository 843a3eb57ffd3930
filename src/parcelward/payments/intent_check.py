"""Compare payments, refunds and disputes with the newest entry of each: part of `verify-log`."""

from __future__ import annotations

from typing import Any, Final

from parcelward.base import db
from parcelward.custody.queries import Findings, told

INTENT: Final = "payments.intent"
REFUND: Final = "payments.refund"
DISPUTE: Final = "payments.dispute"

_INTENTS: Final = (
    "SELECT id::text AS intent, about::text AS about, amount_minor, captured_minor, currency, owner::text AS owner, "
    "purpose, coalesce(nullif(reference, ''), page) AS reference, refunded_minor, state, tax_minor, verb "
    "FROM payments_intent"
)
_REFUNDS: Final = (
    "SELECT id::text AS refund, intent_id::text AS intent, amount_minor, state, reason, reference FROM payments_refund"
)
_DISPUTES: Final = (
    "SELECT reference AS dispute, intent_id::text AS intent, amount_minor, state, reason FROM payments_dispute"
)
_ROWS: Final = {INTENT: ("intent", _INTENTS), REFUND: ("refund", _REFUNDS), DISPUTE: ("dispute", _DISPUTES)}
"""What is told of -> the entry's field that names it, its rows as entries spell them."""
_WORDS: Final = {INTENT: "Payment", REFUND: "Refund", DISPUTE: "Dispute"}


def check_intents(findings: Findings) -> None:
    """Note every payment, refund and dispute that is not as the newest entry about it says."""
    for kind, (name, statement) in _ROWS.items():
        newest: dict[str, tuple[dict[str, Any], int | None]] = {}
        for _, entry, index in told(kind):
            newest[entry[name]] = entry, index
        with db.cursor() as cur:
            cur.execute(statement)
            names = [column.name for column in cur.description or ()]
            rows = {row[0]: dict(zip(names, row, strict=True)) for row in cur.fetchall()}
        for key, row in rows.items():
            entry, index = newest.pop(key, ({}, None))
            differing = sorted(field for field, value in row.items() if entry.get(field) != value)
            if differing:
                words = f"{_WORDS[kind]} {key} is not as it was recorded: {', '.join(differing)}."
                findings.note(words, differs="payments", index=index)
        for key, (_, index) in newest.items():
            findings.note(f"{_WORDS[kind]} {key} was recorded and is gone.", differs="payments", index=index)
