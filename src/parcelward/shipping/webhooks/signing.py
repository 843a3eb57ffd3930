"""Signatures of Standard Webhooks: HMAC-SHA256 over id, time and body, one for each secret that counts. Pure."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Final

PREFIX: Final = "whsec_"


def shown(secret: bytes) -> str:
    """Return a secret as its owner copies it."""
    return PREFIX + base64.b64encode(secret).decode()


def headers(message_id: str, at_s: int, body: bytes, secrets: Sequence[bytes]) -> Mapping[str, str]:
    """Return the three headers. Each secret signs: while one replaces another, both do."""
    signed = f"{message_id}.{at_s}.".encode() + body
    signatures = [base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode() for secret in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(at_s),
        "webhook-signature": " ".join(f"v1,{each}" for each in signatures),
    }
