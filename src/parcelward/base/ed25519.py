"""Ed25519 signatures (RFC 8032) by libsodium.

A device signs every request and the log every receipt, so this is the dearest step of a scan that comes alone.
libsodium verifies in half the CPU that the OpenSSL within `cryptography` needs, and refuses what no honest signer
makes: public keys and nonces of small order, and encodings that are not canonical. Devices of the simulator and of
the tests sign with `cryptography`: another implementation is on the other side, as it will be in the field.
"""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidSignature
from nacl import bindings
from nacl.exceptions import BadSignatureError

KEY_BYTES: Final = 32
SEED_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64


class PublicKey:
    """A public key of KEY_BYTES. Raises ValueError unless it is a point of the curve's prime-order subgroup.

    With a key of small order anybody could sign.
    """

    __slots__ = ("_raw",)

    def __init__(self, raw: bytes) -> None:
        if len(raw) != KEY_BYTES or not bindings.crypto_core_ed25519_is_valid_point(raw):
            raise ValueError("not an Ed25519 public key")
        self._raw = raw

    def verify(self, signature: bytes, message: bytes) -> None:
        """Raise InvalidSignature (the exception that keys of `cryptography` raise) unless this key signed `message`."""
        if len(signature) != SIGNATURE_BYTES:
            raise InvalidSignature
        try:
            bindings.crypto_sign_open(signature + message, self._raw)
        except BadSignatureError:
            raise InvalidSignature from None


class PrivateKey:
    """A private key from its seed of SEED_BYTES; ValueError for another length."""

    __slots__ = ("_secret", "public_key")

    def __init__(self, seed: bytes) -> None:
        if len(seed) != SEED_BYTES:
            raise ValueError("not the seed of an Ed25519 key")
        self.public_key, self._secret = bindings.crypto_sign_seed_keypair(seed)

    def sign(self, message: bytes) -> bytes:
        """Return the signature, SIGNATURE_BYTES."""
        return bindings.crypto_sign(message, self._secret)[:SIGNATURE_BYTES]
