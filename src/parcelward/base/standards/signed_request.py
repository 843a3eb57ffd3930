"""What a device signs of a request: the signature base of RFC 9421 (section 2.5) in our one strict profile.

A verified signature is kept beside the events that its request recorded; from the few values here its base is made
again, byte for byte, years later and by whoever has no database.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Final

METHOD: Final = "POST"
SCANS_PATH: Final = "/api/v1/scans"
COVERED: Final = '("@method" "@path" "content-digest" "device-sequence")'


def key_id_of(public_key: bytes) -> str:
    """Return the name under which a device's key signs: it follows from the key."""
    return f"dev-{hashlib.sha256(public_key).hexdigest()[:20]}"


def content_digest(digest: bytes) -> str:
    """Return the `Content-Digest` field of a body with this SHA-256 (RFC 9530 section 2)."""
    return f"sha-256=:{base64.b64encode(digest).decode()}:"


def parameters(*, created_s: int, key_id: str) -> str:
    """Return the signature's parameters (RFC 9421 section 2.3); `created_s` is Unix seconds."""
    return f'{COVERED};created={created_s};keyid="{key_id}";alg="ed25519"'


def base(*, path: str, digest: bytes, sequence: int, params: str, method: str = METHOD) -> str:
    """Return the text that is signed; `digest` is the body's SHA-256."""
    return (
        f'"@method": {method}\n"@path": {path}\n"content-digest": {content_digest(digest)}\n'
        f'"device-sequence": {sequence}\n"@signature-params": {params}'
    )
