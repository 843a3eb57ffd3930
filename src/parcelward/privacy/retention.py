"""How long what is kept of people is kept: ONE table, by class of data and country, each row with its ground.

A row without a country holds wherever no other does. The country is that of the entry where it has one, and of the
operator otherwise. What is not here, and in no room's `KEPT_FOR_GOOD`, fails `tests/privacy/test_retention.py`.
No framework, no clock, no database.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Kept:
    """How long one class is kept in one country, why, and where that stands."""

    kept_class: str
    country: str  # ISO 3166-1 alpha-2; "" where no other row holds
    days: int
    ground: str
    source: str


_INQUIRY: Final = "an inquiry about an item can be made for six months from the day after posting"
_CONTRACT: Final = "GDPR article 6(1)(b); Universal Postal Convention, inquiries: six months"
_SECURITY: Final = "GDPR article 6(1)(f) and 32: to see that somebody came in who should not have"
_PROVABLE: Final = "GDPR article 5(2): we must be able to show it while a claim can be brought"

TABLE: Final[tuple[Kept, ...]] = (
    Kept("addressee", "", 190, f"After the last use: {_INQUIRY}, and a week to answer.", _CONTRACT),
    Kept(
        "addressee",
        "FR",
        380,
        "After the last use: a claim against the carrier lapses in one year.",
        "CPCE article L. 10",
    ),
    Kept("sender", "", 190, f"After the last use: {_INQUIRY}, and a week to answer.", _CONTRACT),
    Kept(
        "sender", "FR", 380, "After the last use: a claim against the carrier lapses in one year.", "CPCE article L. 10"
    ),
    Kept("staff", "", 1_095, "After the last use: claims from the work relation.", _PROVABLE),
    Kept(
        "pending",
        "",
        0,
        "Nobody knows yet who it is: it goes at the hour that was set when it came.",
        "GDPR article 5(1)(e)",
    ),
    Kept(
        "messages",
        "",
        90,
        "That a message was sent, without what it said: to answer who asks whether it was ours.",
        _SECURITY,
    ),
    Kept("disclosures", "", 1_095, "Who looked at whose data.", _PROVABLE),
    Kept("disclosures", "DE", 1_460, "Who looked: three years from the end of the year (BGB 195, 199).", _PROVABLE),
    Kept("rights_requests", "", 1_095, "What somebody asked of their data, and what was answered.", _PROVABLE),
    Kept("sessions", "", 90, "Where and how somebody was signed in; addresses go with the session itself.", _SECURITY),
    Kept("session_cookies", "", 1, "A session that is over opens nothing.", _SECURITY),
    Kept("security_history", "", 730, "What happened to an account, for its own person.", _SECURITY),
    Kept("known_browsers", "", 400, "A browser that has not been back for a year is new again.", _SECURITY),
    Kept("codes", "", 31, "Keyed hashes that count tries and know a browser again.", _SECURITY),
    Kept("challenges", "", 1, "A sign-in that nobody finished, or a code that must not be used twice.", _SECURITY),
    Kept("answers", "", 30, "The same answer to who asks again.", "docs: Idempotency-Key, 30 days"),
    Kept("letters", "", 1_095, "That a letter went to an address, for a dispute about who proved it.", _PROVABLE),
    Kept("counter_checks", "", 1_095, "That a clerk saw a document; never its number.", _PROVABLE),
    Kept("proofs", "", 1_095, "What was proven and ended.", _PROVABLE),
    Kept("proof_notices", "", 365, "That somebody else asked for an address that was proven.", _SECURITY),
    Kept(
        "quarantined_bodies",
        "",
        90,
        "Bytes that could not be read, after somebody dealt with them.",
        "GDPR article 5(1)(c)",
    ),
    Kept(
        "observations",
        "",
        400,
        "What fraud is told by, under keyed hashes: disputes come for 180 days, and a year has all its seasons.",
        "GDPR article 6(1)(f), recital 47",
    ),
    Kept(
        "decisions",
        "",
        400,
        "What was decided about an order and why, with no name in it: for whoever contests it, and to try rules on.",
        "GDPR article 22(3); 6(1)(f), recital 47",
    ),
    Kept(
        "snoozes",
        "",
        400,
        "After its end: that a rule did not count for a customer, who let it and why.",
        "GDPR article 6(1)(f), recital 47",
    ),
    Kept(
        "webhook_messages",
        "",
        30,
        "What a sender's systems were told of parcels, to tell it again: numbers and statuses, of nobody.",
        "docs/webhooks.md: thirty days",
    ),
    Kept(
        "uploaded_rows",
        "",
        30,
        "A row of a list that no order was made of, after the list was last worked on.",
        "GDPR article 5(1)(e)",
    ),
    Kept("captured_documents", "", 90, "A document whose capture was given up.", "GDPR article 5(1)(c)"),
)
"""Days are counted from the end: of use, of a session, of a proof, of a request."""
CLASSES: Final = tuple(dict.fromkeys(row.kept_class for row in TABLE))
_BY_KEY: Final[Mapping[tuple[str, str], Kept]] = {(row.kept_class, row.country): row for row in TABLE}
assert len(_BY_KEY) == len(TABLE), "one row for a class and a country"  # noqa: S101 -- a doubled row must stop the start
assert all((name, "") in _BY_KEY for name in CLASSES), "a class has a row for all other countries"  # noqa: S101 -- as above

KEPT_FOR_GOOD: Final[Mapping[str, str]] = {
    "privacy_personkey": "goes with its person: shredded, or forgotten by age",
    "privacy_bodykey": "goes with the body that it opens: settled, or forgotten by age",
    "privacy_blind_index": "as above: keyed hashes that find nobody without their entry",
    "privacy_tombstone": "a token and a time: says for good that the person is gone, also to a restored backup",
    "privacy_shred_request": "who agreed that a token was shredded: without it a shredding could not be shown",
    "privacy_hold": "that a token had to be kept, and until when: the same",
    "privacy_stationkey": "destroyed by a round of its own when its claim period is over (privacy/sealing)",
    "privacy_loan": "which device had which office's key, and when: no personal data",
    "privacy_contact": "two tokens and an item: ended 14 days after delivery, and shown by verify-log",
    "privacy_contact_end": "the same: a token and an address of ours that opens nothing once it is ended",
    "privacy_contact_mail": "which mail went through, by a digest: no address and no words",
}
"""Table -> why its rows do not go by age."""


def of(kept_class: str, country: str) -> Kept:
    """Return the row that holds for a class in a country."""
    return _BY_KEY.get((kept_class, country)) or _BY_KEY[(kept_class, "")]


def before(kept_class: str, country: str, *, now: dt.datetime) -> dt.datetime:
    """Return the moment before which what ended goes."""
    return now - dt.timedelta(days=of(kept_class, country).days)


def shortest(kept_class: str) -> int:
    """Return the fewest days that any country keeps a class."""
    return min(row.days for row in TABLE if row.kept_class == kept_class)
