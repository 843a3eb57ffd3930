"""RFC 3161 timestamps of archive checkpoints: a third party's word that a checkpoint existed at a time.

The log's own signatures say when it claims to have signed. A timestamping authority (TSA) says so for the SHA-256 of a
whole archive checkpoint, signatures included, under a certificate chain that courts already know. What is kept is the
authority's answer as it came: `openssl ts -verify -in FILE.tsr -data FILE -CAfile ROOT` reads it too.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from typing import Final, NamedTuple

from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    TimeStampRequest,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from parcelward.custody.errors import BadTimestamp, TimestampAway

SUFFIX: Final = ".tsr"
REQUEST_TYPE: Final = "application/timestamp-query"
ANSWER_TYPE: Final = "application/timestamp-reply"
ANSWER_BYTES_MAX: Final = 65_536  # a certificate chain of four is about 8 kB
CLOCK_SKEW_MAX: Final = dt.timedelta(minutes=5)
_SHA256: Final = x509.ObjectIdentifier("2.16.840.1.101.3.4.2.1")
_GRANTED: Final = 0
_UNREADABLE: Final = "Not an answer of a timestamping authority (RFC 3161)."

Roots = Sequence[x509.Certificate]


def read_roots(pem: bytes) -> Roots:
    """Return the certificates of a PEM file; BadTimestamp when it holds none."""
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError:
        raise BadTimestamp("The file holds no certificate in PEM form.") from None


def request(note: bytes) -> TimeStampRequest:
    """Return a request for the note's SHA-256, with a fresh nonce, that asks for the authority's certificates."""
    return TimestampRequestBuilder().data(note).hash_algorithm(HashAlgorithm.SHA256).build()


def accept(answer: bytes, note: bytes, asked: TimeStampRequest, *, roots: Roots, now: dt.datetime) -> dt.datetime:
    """Return the time that an authority's answer to `asked` states, once all of it holds.

    Raises TimestampAway when the authority says that it will not, BadTimestamp when it answers something else than it
    was asked, or states a time that is not about now.
    """
    status = _parse(answer).status
    if status != _GRANTED:
        raise TimestampAway(f"It grants no timestamp (PKI status {status}).")
    said = _said(answer)
    # The time is looked at before the chain: certificates are judged as of the time that the token itself states.
    if abs(said.at - now) > CLOCK_SKEW_MAX:
        raise BadTimestamp("The timestamp's time is more than five minutes from this machine's.")
    if asked.nonce is None or said.nonce != asked.nonce:
        raise BadTimestamp("The timestamp answers another request.")
    return verify(answer, note, roots=roots)


def verify(answer: bytes, note: bytes, *, roots: Roots) -> dt.datetime:
    """Return the time at which an authority below one of `roots` saw the note, or raise BadTimestamp."""
    at = stated(answer, note)
    try:
        VerifierBuilder(roots=list(roots)).build().verify_message(_parse(answer), note)
    except (VerificationError, ValueError):
        raise BadTimestamp("The timestamp is not signed by an authority below the root that you trust.") from None
    return at


def stated(answer: bytes, note: bytes) -> dt.datetime:
    """Return the time that an answer states about this very note; says nothing about who signed it."""
    if _parse(answer).status != _GRANTED:
        raise BadTimestamp("The answer grants no timestamp.")
    said = _said(answer)
    if said.algorithm != _SHA256 or said.hashed != hashlib.sha256(note).digest():
        raise BadTimestamp("The timestamp is of something else.")
    return said.at


class _Said(NamedTuple):
    """What a granted timestamp states."""

    at: dt.datetime
    nonce: int | None
    algorithm: x509.ObjectIdentifier
    hashed: bytes


def _said(answer: bytes) -> _Said:
    """Return what a granted answer states. The library reads each part when it is asked for."""
    parsed = _parse(answer)
    try:
        info = parsed.tst_info
        imprint = info.message_imprint
        return _Said(info.gen_time, info.nonce, imprint.hash_algorithm, imprint.message)
    except ValueError:
        raise BadTimestamp(_UNREADABLE) from None


def _parse(answer: bytes) -> TimeStampResponse:
    if len(answer) > ANSWER_BYTES_MAX:
        raise BadTimestamp("The answer is too large for a timestamp.")
    try:
        return decode_timestamp_response(answer)
    except ValueError:
        raise BadTimestamp(_UNREADABLE) from None
