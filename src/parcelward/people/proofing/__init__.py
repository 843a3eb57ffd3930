"""Proving who one is, by levels with evidence: a code by message, a letter to the address, a document at a counter."""

from parcelward.people.proofing.check import check_proofs
from parcelward.people.proofing.counter import (
    Check,
    cancel_check,
    decide_check,
    find_check,
    review_check,
    start_check,
    waiting_check,
)
from parcelward.people.proofing.letters import (
    Printed,
    Requested,
    cancel_letter,
    confirm_letter,
    print_letter,
    request_letter,
    require_may_ask,
)
from parcelward.people.proofing.levels import confirm_message, end_proofs, require_address_level
from parcelward.people.proofing.reads import (
    LetterSeen,
    Mine,
    Proven,
    check_in_review,
    checks_in_review,
    letter_to_print,
    letters_printed,
    letters_to_print,
    level_of,
    mine,
    of_check,
    of_letter,
    of_review,
)
from parcelward.people.proofing.wallets import CredentialVerifier, Presented

__all__ = [
    "Check",
    "CredentialVerifier",
    "LetterSeen",
    "Mine",
    "Presented",
    "Printed",
    "Proven",
    "Requested",
    "cancel_check",
    "cancel_letter",
    "check_in_review",
    "check_proofs",
    "checks_in_review",
    "confirm_letter",
    "confirm_message",
    "decide_check",
    "end_proofs",
    "find_check",
    "letter_to_print",
    "letters_printed",
    "letters_to_print",
    "level_of",
    "mine",
    "of_check",
    "of_letter",
    "of_review",
    "print_letter",
    "request_letter",
    "require_address_level",
    "require_may_ask",
    "review_check",
    "start_check",
    "waiting_check",
]
