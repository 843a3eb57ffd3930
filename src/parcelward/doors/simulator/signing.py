"""How a device signs a batch: RFC 9421 (HTTP Message Signatures) with RFC 9530 digests, in one strict profile.

Pure: takes values, returns headers. The order of the covered components and parameters is fixed, so that a verifier
needs no parser of structured fields. Also used by the load generator and by tests.
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SCANS_PATH = "/api/v1/scans"
_COVERED = '("@method" "@path" "content-digest" "device-sequence")'


def content_digest(body: bytes) -> str:
    """Return the `Content-Digest` field for a body (RFC 9530 section 2, sha-256)."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def parameters(*, key_id: str, created: int) -> str:
    """Return the signature's parameters as they stand in `Signature-Input` (RFC 9421 section 2.3)."""
    return f'{_COVERED};created={created};keyid="{key_id}";alg="ed25519"'


def signature_base(*, method: str, path: str, digest: str, sequence: int, params: str) -> bytes:
    """Return the exact bytes that are signed (RFC 9421 section 2.5)."""
    return (
        f'"@method": {method}\n"@path": {path}\n"content-digest": {digest}\n'
        f'"device-sequence": {sequence}\n"@signature-params": {params}'
    ).encode("ascii")


def headers(
    key: Ed25519PrivateKey,
    *,
    key_id: str,
    body: bytes,
    sequence: int,
    created: int,
    method: str = "POST",
    path: str = SCANS_PATH,
) -> dict[str, str]:
    """Return the four header fields that make a request a device's own.

    `sequence` is the device's batch number, rising by one; `created` is Unix seconds; `path` without a query.
    """
    digest = content_digest(body)
    params = parameters(key_id=key_id, created=created)
    base = signature_base(method=method, path=path, digest=digest, sequence=sequence, params=params)
    return {
        "Content-Digest": digest,
        "Device-Sequence": str(sequence),
        "Signature-Input": f"sig1={params}",
        "Signature": f"sig1=:{base64.b64encode(key.sign(base)).decode()}:",
    }
