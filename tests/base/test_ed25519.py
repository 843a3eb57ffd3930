"""Ed25519 by libsodium against the OpenSSL within `cryptography`, and what only a forger sends."""

from __future__ import annotations

import random

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from tests.scanner import SEED

from parcelward.base import ed25519

ORDER = 2**252 + 27742317777372353535851937790883648493  # RFC 8032 section 5.1


@pytest.mark.asvs("11.2.1")
@pytest.mark.parametrize("nth", range(50))
def test_both_libraries_make_the_same_signatures_and_verify_each_others(nth):
    chance = random.Random(SEED + nth)
    seed, message = chance.randbytes(32), chance.randbytes(chance.choice([0, 1, 63, 64, 65, 350, 5_000]))
    ours, other = ed25519.PrivateKey(seed), Ed25519PrivateKey.from_private_bytes(seed)
    assert ours.public_key == other.public_key().public_bytes_raw()
    signature = ours.sign(message)
    assert signature == other.sign(message)
    ed25519.PublicKey(ours.public_key).verify(signature, message)
    Ed25519PublicKey.from_public_bytes(ours.public_key).verify(signature, message)


def test_the_first_vector_of_the_standard():
    """RFC 8032 section 7.1, TEST 2."""
    key = ed25519.PrivateKey(bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"))
    assert key.public_key.hex() == "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    assert key.sign(b"\x72").hex() == (
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )


def test_no_changed_signature_message_or_key_verifies():
    key = ed25519.PrivateKey(random.Random(SEED).randbytes(32))
    public, message = ed25519.PublicKey(key.public_key), b"a scan"
    signature = key.sign(message)
    for at in range(len(signature) * 8):
        changed = bytearray(signature)
        changed[at // 8] ^= 1 << at % 8
        with pytest.raises(InvalidSignature):
            public.verify(bytes(changed), message)
    for other in (b"", b"a scaN", b"a scan ", signature):
        with pytest.raises(InvalidSignature):
            public.verify(signature, other)
    with pytest.raises(InvalidSignature):
        ed25519.PublicKey(ed25519.PrivateKey(bytes(32)).public_key).verify(signature, message)


def test_what_stands_between_signature_and_message_cannot_be_moved():
    key = ed25519.PrivateKey(bytes(32))
    public, signature = ed25519.PublicKey(key.public_key), key.sign(b"a scan")
    for cut in (0, 1, 63, 65, 70):
        whole = signature + b"a scan"
        with pytest.raises(InvalidSignature):
            public.verify(whole[:cut], whole[cut:])


def test_the_same_signature_has_one_form_only():
    """S and S + L are the same number to a careless verifier (RFC 8032 section 5.1.7)."""
    key = ed25519.PrivateKey(bytes(32))
    signature = key.sign(b"a scan")
    other = (int.from_bytes(signature[32:], "little") + ORDER).to_bytes(32, "little")
    with pytest.raises(InvalidSignature):
        ed25519.PublicKey(key.public_key).verify(signature[:32] + other, b"a scan")


def test_keys_of_other_lengths_are_no_keys():
    for length in (0, 31, 33, 64):
        with pytest.raises(ValueError, match="Ed25519"):
            ed25519.PublicKey(bytes(length))
        with pytest.raises(ValueError, match="Ed25519"):
            ed25519.PrivateKey(bytes(length))
