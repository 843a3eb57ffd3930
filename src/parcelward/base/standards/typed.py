"""What people type and scanners send, made comparable: no spaces, no hyphens, capital letters, plain ASCII."""

from __future__ import annotations

import unicodedata
from typing import Final

TEXT_LENGTH_MAX: Final = 512
"""Characters. Longer text is refused unread; the longest useful one is a GS1 Digital Link with a long query."""

_DASHES: Final = "-\u00ad\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"
_INVISIBLE: Final = (
    "\u180e\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
)
_SPACES: Final = (
    "\t\n\v\f\r \x85\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
)

# East Asian keyboards give full-width letters and digits (U+FF01 to U+FF5E), each 0xFEE0 above its ASCII twin.
_FULL_WIDTH: Final = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_NO_SPACES: Final = {**_FULL_WIDTH, **dict.fromkeys(map(ord, _SPACES + _INVISIBLE), None)}
_COMPACT: Final = {**_NO_SPACES, **dict.fromkeys(map(ord, _DASHES), None)}

assert all(unicodedata.category(c) in {"Zs", "Cc", "Cf", "Zl", "Zp"} for c in _SPACES + _INVISIBLE), "only blanks"  # noqa: S101 -- a wrong table must stop the start


def without_spaces(text: str) -> str:
    """Return `text` without spaces and invisible characters; case and hyphens stay, as GS1 serials need them."""
    return text.translate(_NO_SPACES)


def compact(text: str) -> str:
    """Return `text` without spaces, hyphens and invisible characters, in capitals. What is not ASCII stays as it is."""
    if text.isascii():
        # The common case by a wide margin, and `isalnum` is one pass in C.
        return text.upper() if text.isalnum() else text.translate(_COMPACT).upper()
    plain = text.translate(_COMPACT)
    # `upper` of a non-ASCII letter may grow ("ß" becomes "SS") and so invent letters nobody typed.
    return plain.upper() if plain.isascii() else plain
