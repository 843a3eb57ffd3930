"""What the line-based texts of C2SP share: one spelling for a number, one for bytes. Another spelling is refused.

Two spellings of one fact would let two notes say the same with different hashes; so nothing is forgiven here.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Final

from parcelward.custody.tree import HASH_BYTES, SIZE_MAX

if TYPE_CHECKING:
    from parcelward.base.errors import Invalid

_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
CONTROL: Final = re.compile(rb"[\x00-\x09\x0b-\x1f]")  # ASCII control characters other than newline


def number(text: str, error: type[Invalid]) -> int:
    """Return a decimal without leading zeros, at most 2**63 - 1; raise `error` for anything else."""
    if _NUMBER.fullmatch(text) is None or int(text) > SIZE_MAX:
        raise error("A number is not a plain decimal below 2^63.")
    return int(text)


def base64_bytes(text: str, error: type[Invalid]) -> bytes:
    """Return the bytes of canonical standard base64 (RFC 4648, section 4); raise `error` for anything else."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise error("Base64 is malformed.") from None
    if base64_text(data) != text:
        raise error("Base64 is not in its one canonical spelling.")
    return data


def hash_bytes(text: str, error: type[Invalid]) -> bytes:
    """Return a hash of 32 bytes from its base64; raise `error` for anything else."""
    data = base64_bytes(text, error)
    if len(data) != HASH_BYTES:
        raise error("A hash does not have 32 bytes.")
    return data


def base64_text(data: bytes) -> str:
    """Return canonical standard base64."""
    return base64.b64encode(data).decode("ascii")


def utf8(data: bytes, error: type[Invalid]) -> str:
    """Return the text; raise `error` unless it is UTF-8 without ASCII control characters other than newline."""
    if CONTROL.search(data):
        raise error("The text holds control characters.")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise error("The text is not UTF-8.") from None
