"""The one strict profile of signed requests: RFC 9421 with Ed25519 over four components, RFC 9530 digest."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import re
from dataclasses import dataclass
from uuid import UUID

from parcelward.base.standards import signed_request
from parcelward.people.errors import BadSignature

CLOCK_SKEW_MAX_S = 300  # a signature's `created` may be this far from our clock, either way
SEQUENCE_MAX = 2**53 - 1  # what every JSON reader can hold

_INPUT = re.compile(
    r'sig1=(\("@method" "@path" "content-digest" "device-sequence"\);created=([1-9]\d{9,11});'
    r'keyid="([A-Za-z0-9_-]{4,40})";alg="ed25519")',
)
_SIGNATURE = re.compile(r"sig1=:([A-Za-z0-9+/]{86}==):")
_DIGEST = re.compile(r"sha-256=:([A-Za-z0-9+/]{43}=):")
_SEQUENCE = re.compile(r"[1-9]\d{0,15}")


key_id_of = signed_request.key_id_of

STAFF_SESSION = dt.timedelta(hours=12)
STAFF_IDLE = dt.timedelta(minutes=30)
SESSION = dt.timedelta(days=30)
IDLE = dt.timedelta(days=14)


def session_ends(began_at: dt.datetime, seen_at: dt.datetime, *, staff: bool) -> dt.datetime:
    """Return until when a session opens anything: 12 hours and 30 idle minutes for staff, 30 and 14 days else."""
    whole, idle = (STAFF_SESSION, STAFF_IDLE) if staff else (SESSION, IDLE)
    return min(began_at + whole, seen_at + idle)


def session_holds(began_at: dt.datetime, seen_at: dt.datetime, *, now: dt.datetime, staff: bool) -> bool:
    """Return whether a session still opens anything."""
    return now <= session_ends(began_at, seen_at, staff=staff)


PASSKEY_KINDS = ("computer", "phone", "tablet", "security_key")
"""On what a passkey is, for its owner to tell theirs apart. A name that they type could be anybody's."""


def passkey_name(text: str) -> str:
    """Return which kind of passkey somebody says it is; what is none of them is not kept."""
    return text if text in PASSKEY_KINDS else "passkey"


def login_hash(person: UUID, login: str) -> str:
    """Return what an entry of the log says of a person's staff id: a hash that holds it to this person."""
    return hashlib.sha256(b"parcelward/v1/login\x00" + person.bytes + login.encode()).hexdigest()


def enrolment_message(code: str) -> bytes:
    """Return what a device that takes a code signs with its new key: it has the key, and meant this code."""
    return b"parcelward/v1/enrol\x00" + code.encode()


@dataclass(frozen=True, slots=True)
class Signed:
    """A request's signature, taken apart: `base` is what the device signed."""

    key_id: str
    created_s: int
    sequence: int
    digest: bytes  # SHA-256 of the body
    signature: bytes
    base: bytes


def _input(signature_input: str) -> re.Match[str]:
    found = _INPUT.fullmatch(signature_input)
    if not found:
        raise BadSignature(
            'Signature-Input must be sig1=("@method" "@path" "content-digest" "device-sequence");'
            'created=...;keyid="...";alg="ed25519"',
            code="bad_signature_input",
        )
    return found


def key_id_in(signature_input: str) -> str:
    """Return the key that a Signature-Input names. Raises BadSignature when the field is not of our profile."""
    return _input(signature_input)[3]


def parse_signature(*, method: str, path: str, headers: dict[str, str], body: bytes) -> Signed:
    """Take a signed request apart and check everything but the key. Raises BadSignature and names the header.

    `headers` has the four header fields in lower case. RFC 9421 sections 2.5 and 3.2, RFC 9530 section 2.
    """
    found = _input(headers.get("signature-input", ""))
    signature = _SIGNATURE.fullmatch(headers.get("signature", ""))
    if not signature:
        raise BadSignature("Signature must be sig1=:<base64 of 64 bytes>:", code="bad_signature_header")
    sequence = headers.get("device-sequence", "")
    if not _SEQUENCE.fullmatch(sequence) or int(sequence) > SEQUENCE_MAX:
        raise BadSignature(
            "Device-Sequence must be a whole number from 1, rising by one with each batch",
            code="bad_sequence",
        )
    digest_text = headers.get("content-digest", "")
    if not _DIGEST.fullmatch(digest_text):
        raise BadSignature("Content-Digest must be sha-256=:<base64>:", code="bad_digest")
    actual = hashlib.sha256(body).digest()
    if digest_text != signed_request.content_digest(actual):  # its one spelling: from the bytes the text is made again
        raise BadSignature("Content-Digest does not fit the body", code="bad_digest")
    try:
        signature_bytes = base64.b64decode(signature[1], validate=True)
    except binascii.Error:
        raise BadSignature("Signature headers are not base64", code="bad_signature_header") from None
    base = signed_request.base(method=method, path=path, digest=actual, sequence=int(sequence), params=found[1])
    return Signed(
        key_id=found[3],
        created_s=int(found[2]),
        sequence=int(sequence),
        digest=actual,
        signature=signature_bytes,
        base=base.encode(),
    )


def is_fresh(signed: Signed, *, now_s: float) -> bool:
    """Return whether the signature was made near enough to now to be this request's."""
    return abs(now_s - signed.created_s) <= CLOCK_SKEW_MAX_S


def require_fresh(signed: Signed, *, now_s: float) -> None:
    """Raise BadSignature when the signature was made too far from now to be this request's."""
    if not is_fresh(signed, now_s=now_s):
        raise BadSignature(
            "The signature was made more than five minutes from our time. Set the device's clock and sign again.",
            code="signature_too_old",
        )
