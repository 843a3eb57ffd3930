"""Pure decisions about codes and proofs: what was typed, how often one may ask, what a level needs."""

from __future__ import annotations

import datetime as dt
import unicodedata
from typing import Final

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
