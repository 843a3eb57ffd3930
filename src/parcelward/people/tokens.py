"""The form of an API key's token: where it is valid, 256 random bits, and a checksum.

Leak scanners find it by `PATTERN` and tell it from anything else by the checksum, as GitHub's tokens are found: the
CRC-32 of all that stands before it, in six characters of base 62. The checksum is no secret and proves nothing to us.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import zlib
from typing import Final

RANDOM_BITS: Final = 256
RANDOM_LENGTH: Final = 43  # 62**43 > 2**256
CHECKSUM_LENGTH: Final = 6  # 62**6 > 2**32
PREFIX_LENGTH: Final = 14  # pw_test_abcdef: what lists show of it
PATTERN: Final = re.compile(rf"\bpw_(?:test|live)_[0-9A-Za-z]{{{RANDOM_LENGTH + CHECKSUM_LENGTH}}}\b")
"""What SECURITY.md tells the operators of leak scanners."""

_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))


def checksum(text: str) -> str:
    """Return the six characters that follow `text` in a whole token."""
    return _base62(zlib.crc32(text.encode()), CHECKSUM_LENGTH)


def new(*, production: bool) -> str:
    """Return a new token."""
    text = f"pw_{'live' if production else 'test'}_{_base62(secrets.randbits(RANDOM_BITS), RANDOM_LENGTH)}"
    return text + checksum(text)


def is_token(text: str) -> bool:
    """Return whether `text` has the form of a token and its checksum fits; it says nothing about its being valid."""
    return PATTERN.fullmatch(text) is not None and checksum(text[:-CHECKSUM_LENGTH]) == text[-CHECKSUM_LENGTH:]


def digest(token: str) -> bytes:
    """Return what is stored of a token."""
    return hashlib.sha256(token.encode()).digest()


def mistyped(token: str) -> bool:
    """Return whether a token of our form has a checksum that does not fit: no database need be asked.

    Tokens of the first version had no checksum and another length; those are asked for.
    """
    return PATTERN.fullmatch(token) is not None and not is_token(token)
