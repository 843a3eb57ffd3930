"""Pure decisions about codes and proofs: what was typed, how often one may ask, what a level needs."""

from __future__ import annotations

import datetime as dt
import unicodedata
from typing import Final

from parcelward.people.wire import CounterState, LetterState

CODE_DIGITS: Final = 6
CODE_DIGITS_UNDER_ATTACK: Final = 10
CODE_HOLDS: Final = dt.timedelta(minutes=10)
CODE_TRIES_MAX: Final = 5
CODE_TYPED_MAX: Final = 64
ASKED_WITHIN: Final = dt.timedelta(hours=1)
PER_BROWSER_MAX: Final = 5  # codes in an hour, for one recipient in one browser
PER_NETWORK_MAX: Final = 60  # codes in an hour, asked for from one network address
PER_RECIPIENT_FREE: Final = 10  # codes in an hour; beyond them a new browser waits
NEW_BROWSER_WAITS: Final = dt.timedelta(minutes=5)
WRONG_TRIES_BEFORE_LONGER: Final = 30  # in an hour, over all codes of a recipient
KNOWN_FOR: Final = dt.timedelta(days=30)  # a browser that spent a code of this recipient

ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Of what people read from paper and type: no 0 and O, no 1, I and L, no U. 30 characters, 4.9 bits each."""
INVITATION_CODE_CHARS: Final = 8  # 39 bits against five tries, and short enough for the telephone
INVITATION_TRIES_MAX: Final = 5
LETTER_CODE_CHARS: Final = 10  # 49 bits against five tries
LETTER_TRIES_MAX: Final = 5
LETTER_HOLDS: Final = dt.timedelta(days=30)
LETTERS_MAX: Final = 4  # in `LETTERS_WITHIN`, to one address, and for one person
LETTERS_WITHIN: Final = dt.timedelta(days=30)
SENT_TWICE_WITHIN: Final = dt.timedelta(minutes=10)
PRINTED_MAX: Final = 3  # times; each makes another code
CHECK_HOLDS: Final = dt.timedelta(days=30)
CHECKS_MAX: Final = 4  # in `CHECKS_WITHIN`, for one person
CHECKS_WITHIN: Final = dt.timedelta(days=30)
TOLD_AFTER: Final = dt.timedelta(hours=1)  # so that nobody is pressed at the counter
STRIKES_BEFORE_REVIEW: Final = 2  # failed or withdrawn after a check, in `STRIKES_WITHIN`
STRIKES_WITHIN: Final = dt.timedelta(days=90)
MESSAGE_PROVES: Final = dt.timedelta(days=365)
MESSAGE_RENEWED_AFTER: Final = dt.timedelta(days=30)  # a later code of the same address is new evidence
LETTER_PROVES: Final = dt.timedelta(days=730)  # people move
COUNTER_PROVES: Final = dt.timedelta(days=1826)

_SKIPPED: Final = frozenset({"Zs", "Zl", "Zp", "Pd", "Cf", "Cc"})  # spaces, dashes, marks that are not seen


def normal_code(typed: str) -> str:
    """Return what was meant by a code as somebody typed it: no spaces or dashes, capitals, plain digits.

    It is used before a code is compared and before it is marked as used: two spellings are one code.
    """
    text = unicodedata.normalize("NFKC", typed[:CODE_TYPED_MAX])
    kept = (c for c in text.upper() if unicodedata.category(c) not in _SKIPPED)
    return "".join(str(unicodedata.decimal(c, c)) for c in kept)


def digits_for(wrong_tries: int) -> int:
    """Return how long the next code of a recipient is, after so many tries of any of their codes in an hour.

    Guessing with many browsers from many networks must not pay, and must not lock out who reads the messages: so codes
    become longer instead of rarer. 100,000 tries an hour at six digits would hit in one hour of ten, at ten digits in
    one of 100,000.
    """
    return CODE_DIGITS_UNDER_ATTACK if wrong_tries >= WRONG_TRIES_BEFORE_LONGER else CODE_DIGITS


def letter_state(state: LetterState, *, expires_at: dt.datetime, now: dt.datetime) -> LetterState:
    """Return where a letter stands: what waits is expired when its time is over, whether anybody noted it or not."""
    waits = state in {LetterState.REQUESTED, LetterState.PRINTED}
    return LetterState.EXPIRED if waits and expires_at <= now else state


def check_state(
    state: CounterState, *, expires_at: dt.datetime, told_from: dt.datetime | None, now: dt.datetime
) -> CounterState:
    """Return where a check stands for the person it is about: pending until they are told."""
    if told_from is not None and state is not CounterState.CANCELLED:
        return state if told_from <= now else CounterState.PENDING
    return CounterState.EXPIRED if state is CounterState.PENDING and expires_at <= now else state


def decided(wanted: CounterState, *, strikes: int) -> CounterState:
    """Return what a clerk's decision comes to: who failed often is passed by an inspector only."""
    if wanted is CounterState.PASSED and strikes >= STRIKES_BEFORE_REVIEW:
        return CounterState.IN_FRAUD_REVIEW
    return wanted
