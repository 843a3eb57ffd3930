"""How second factors are stored: base64 of nonce and AES-256-GCM, under a key that follows from the house's secret."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from collections.abc import Callable, Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES: Final = 12


def seal(text: str, secret: str) -> str:
    """Return what is stored."""
    nonce = os.urandom(NONCE_BYTES)
    return base64.b64encode(nonce + _cipher(secret).encrypt(nonce, text.encode(), b"mfa")).decode()


def opened(stored: str, secrets: Sequence[str]) -> str:
    """Return what was sealed under any of the secrets, or raise ValueError."""
    raw = base64.b64decode(stored)
    for secret in secrets:
        try:
            return _cipher(secret).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], b"mfa").decode()
        except InvalidTag:
            continue
    raise ValueError("sealed under another secret")


def resealing(secret: str, others: Sequence[str]) -> Callable[[str], str | None]:
    """Return what gives a stored text anew under `secret`: the same when it is already, None when none opens it."""

    def reseal(stored: str) -> str | None:
        for secrets in ([secret], others):
            try:
                text = opened(stored, secrets)
            except ValueError:
                continue
            return stored if secrets == [secret] else seal(text, secret)
        return None

    return reseal


def _cipher(secret: str) -> AESGCM:
    return AESGCM(hmac.digest(secret.encode(), b"parcelward/v1/second-factor", hashlib.sha256))
