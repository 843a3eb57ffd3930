"""Our few lines of RFC 9421 against an independent implementation of it."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any

import http_message_signatures as oracle
import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from parcelward.doors.simulator import signing

KEY = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"a test's own key").digest())
CREATED = 1_772_409_600


class Keys(oracle.HTTPSignatureKeyResolver):
    def resolve_public_key(self, key_id: str) -> Any:
        assert key_id == "key-1"
        return KEY.public_key()

    def resolve_private_key(self, key_id: str) -> Any:
        assert key_id == "key-1"
        return KEY


def request(body: bytes = b'{"event_id":"1"}\n', sequence: int = 17) -> httpx.Request:
    headers = signing.headers(KEY, key_id="key-1", body=body, sequence=sequence, created=CREATED)
    return httpx.Request("POST", "http://localhost:8000/api/v1/scans", headers=headers, content=body)


def check(message: httpx.Request) -> Any:
    verifier = oracle.HTTPMessageVerifier(signature_algorithm=oracle.algorithms.ED25519, key_resolver=Keys())
    return verifier.verify(message, max_age=None)  # signed on a fixed day


def test_an_independent_library_accepts_our_signature() -> None:
    (result,) = check(request())
    assert set(result.covered_components) == {
        '"@method"', '"@path"', '"content-digest"', '"device-sequence"', '"@signature-params"',
    }  # fmt: skip


def test_an_independent_library_makes_the_very_same_signature() -> None:
    ours = request()
    theirs = httpx.Request("POST", ours.url, headers={
        "Content-Digest": ours.headers["Content-Digest"], "Device-Sequence": "17",
    })  # fmt: skip
    signer = oracle.HTTPMessageSigner(signature_algorithm=oracle.algorithms.ED25519, key_resolver=Keys())
    signer.sign(
        theirs, key_id="key-1", label="sig1", body=b'{"event_id":"1"}\n', use_existing_digest=True,
        created=dt.datetime.fromtimestamp(CREATED, dt.UTC),
        covered_component_ids=("@method", "@path", "content-digest", "device-sequence"),
    )  # fmt: skip
    assert theirs.headers["Signature-Input"] == ours.headers["Signature-Input"]
    assert theirs.headers["Signature"] == ours.headers["Signature"]


@pytest.mark.parametrize("field", ["Content-Digest", "Device-Sequence"])
def test_a_changed_field_breaks_the_signature(field: str) -> None:
    message = request()
    message.headers[field] = {"Content-Digest": signing.content_digest(b"other"), "Device-Sequence": "18"}[field]
    with pytest.raises(oracle.InvalidSignature):
        check(message)


def test_the_digest_is_that_of_rfc_9530() -> None:
    # RFC 9530, appendix B.1: the sha-256 digest of {"hello": "world"} with a line end.
    assert signing.content_digest(b'{"hello": "world"}\n') == "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"


def test_the_signature_base_is_written_exactly_so() -> None:
    params = signing.parameters(key_id="k", created=5)
    base = signing.signature_base(method="POST", path="/api/v1/scans", digest="sha-256=:x:", sequence=17, params=params)
    assert base == (
        b'"@method": POST\n"@path": /api/v1/scans\n"content-digest": sha-256=:x:\n"device-sequence": 17\n'
        b'"@signature-params": ("@method" "@path" "content-digest" "device-sequence")'
        b';created=5;keyid="k";alg="ed25519"'
    )
