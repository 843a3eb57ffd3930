"""Keys that backups are encrypted for. The public half lies on the machine, the private half never does.

HPKE (RFC 9180) with the hybrid KEM of X25519 and ML-KEM-768: a backup that is stolen today must stay closed for as long
as the people in it live, so also to whoever has a quantum computer then. Both halves are one line of text:

    parcelward-backup-key+<16 hex digits>+<base64 of ML-KEM-768 and X25519 public keys, 1,216 bytes>
    PARCELWARD-BACKUP-PRIVATE-KEY+<the same digits>+<base64 of both seeds, 96 bytes>

The digits are the beginning of the public key's SHA-256.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from parcelward.base.backups.errors import BadKeyText, WrongKey

PUBLIC: Final = "parcelward-backup-key"
PRIVATE: Final = "PARCELWARD-BACKUP-PRIVATE-KEY"
ID_BYTES: Final = 8
SECRET_BYTES: Final = 32
WRAPPED_BYTES: Final = 1088 + 32 + SECRET_BYTES + 16  # ML-KEM-768 and X25519 shares, the secret, AES-GCM's tag
RECIPIENTS_MAX: Final = 16
_MLKEM_PUBLIC: Final = 1184
_MLKEM_SEED: Final = 64
_X25519: Final = 32
_SUITE: Final = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)


@dataclass(frozen=True)
class PublicKey:
    """Whom a backup is encrypted for."""

    raw: bytes  # ML-KEM-768, then X25519

    @cached_property
    def id(self) -> bytes:
        """The eight bytes that a sealed file names this key by."""
        return hashlib.sha256(self.raw).digest()[:ID_BYTES]

    @property
    def text(self) -> str:
        """The key as one line."""
        return f"{PUBLIC}+{self.id.hex()}+{base64.b64encode(self.raw).decode()}"

    def wrap(self, secret: bytes, *, info: bytes) -> bytes:
        """Return a 32-byte secret encrypted for this key; who opens it must know `info`."""
        return _SUITE.encrypt(secret, self._loaded, info=info)

    @cached_property
    def _loaded(self) -> hpke.MLKEM768X25519PublicKey:
        try:
            return hpke.MLKEM768X25519PublicKey(
                MLKEM768PublicKey.from_public_bytes(self.raw[:_MLKEM_PUBLIC]),
                X25519PublicKey.from_public_bytes(self.raw[_MLKEM_PUBLIC:]),
            )
        except ValueError:
            raise BadKeyText("This is no backup key: its digits are not those of a key.") from None


@dataclass(frozen=True)
class PrivateKey:
    """Who can open a backup. Its `repr` shows no secret."""

    seeds: bytes = field(repr=False)  # ML-KEM-768 (64 bytes), then X25519 (32)

    @cached_property
    def public(self) -> PublicKey:
        """The public half."""
        mlkem, x25519 = self._halves
        return PublicKey(mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw())

    @property
    def text(self) -> str:
        """The key as one line."""
        return f"{PRIVATE}+{self.public.id.hex()}+{base64.b64encode(self.seeds).decode()}"

    def unwrap(self, wrapped: bytes, *, info: bytes) -> bytes:
        """Return the secret, or raise WrongKey when it was wrapped for another key or for something else."""
        try:
            return _SUITE.decrypt(wrapped, hpke.MLKEM768X25519PrivateKey(*self._halves), info=info)
        except (InvalidTag, ValueError):
            raise WrongKey("This backup was not encrypted for the private key at hand.") from None

    @cached_property
    def _halves(self) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
        return (
            MLKEM768PrivateKey.from_seed_bytes(self.seeds[:_MLKEM_SEED]),
            X25519PrivateKey.from_private_bytes(self.seeds[_MLKEM_SEED:]),
        )


def make() -> PrivateKey:
    """Return a new key pair."""
    mlkem, x25519 = MLKEM768PrivateKey.generate(), X25519PrivateKey.generate()
    return PrivateKey(mlkem.private_bytes_raw() + x25519.private_bytes_raw())


def parse_public(text: str) -> PublicKey:
    """Return the key that the line is, or raise BadKeyText."""
    if PRIVATE in text:
        raise BadKeyText("This is a private key: it must not be on this machine. Give the public half.")
    key = PublicKey(_material(text, PUBLIC, _MLKEM_PUBLIC + _X25519))
    if key.text != text.strip():
        raise BadKeyText("This backup key was not copied whole: its digits do not match.")
    key._loaded  # noqa: B018, SLF001 -- what is no key is refused now, not in the first backup
    return key


def parse_private(text: str) -> PrivateKey:
    """Return the key in a text that has it in one line, among comments (#), or raise BadKeyText."""
    found = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if len(found) != 1:
        raise BadKeyText("The file of a private backup key holds it in one line.")
    if found[0].startswith(PUBLIC):
        raise BadKeyText("This is the public half of a backup key; restoring needs the private one.")
    key = PrivateKey(_material(found[0], PRIVATE, _MLKEM_SEED + _X25519))
    if key.text != found[0]:
        raise BadKeyText("This private backup key was not copied whole: its digits do not match.")
    return key


def _material(text: str, kind: str, length: int) -> bytes:
    try:
        said, _, encoded = text.strip().split("+", 2)
        raw = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error):
        raise BadKeyText(f"A backup key is one line that begins with {kind}.") from None
    if said != kind or len(raw) != length:
        raise BadKeyText(f"A backup key is one line that begins with {kind}, copied whole.")
    return raw
