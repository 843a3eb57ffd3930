"""Where station keys are wrapped and unwrapped, and the key that makes label codes: the one place that knows how.

The key-encryption key is a file with strict rights in the home. AES-256-GCM; a box begins with the key's version and is
bound to it and to what it is for.
"""

from __future__ import annotations

import functools
import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from parcelward.base import config, db
from parcelward.privacy.sealing.errors import KeyNotThere

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
VERSION: Final = b"\x00\x01"  # of the key-encryption key: a box says under which one it was wrapped


@functools.cache
def _kept(name: str) -> bytes:
    return bytes.fromhex(db.secret_file(config.get().home / "keys" / name, lambda: secrets.token_hex(KEY_BYTES)))


def wrap(key: bytes, context: bytes) -> bytes:
    """Return `key` encrypted, to be opened with the same context only."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return VERSION + nonce + AESGCM(_kept("station-kek")).encrypt(nonce, key, VERSION + context)


def unwrap(box: bytes, context: bytes) -> bytes:
    """Return what was wrapped. Raises KeyNotThere when the box, its context or the key-encryption key is another."""
    start = len(VERSION) + NONCE_BYTES
    try:
        return AESGCM(_kept("station-kek")).decrypt(
            box[len(VERSION) : start], box[start:], box[: len(VERSION)] + context
        )
    except InvalidTag:
        raise KeyNotThere(
            "This station key does not open: its row or the key file was changed", code="bad_box"
        ) from None


def binding_key() -> bytes:
    """Return the key that label codes are made with."""
    return _kept("label-code")
