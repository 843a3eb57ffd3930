"""Keys that sign notes: C2SP signed-note (Ed25519, type 0x01) and tlog-cosignature (0x04 Ed25519, 0x06 ML-DSA-44)."""

from __future__ import annotations

import enum
import hashlib
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, NewType

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey

from parcelward.base import ed25519
from parcelward.custody import checkpoints, lines
from parcelward.custody.errors import BadCheckpoint, BadKey, BadNote
from parcelward.custody.tree import SIZE_MAX

KeyName = NewType("KeyName", str)
"""A checked key name. Only `key_name` makes one."""

KEY_NAME_CHARS_MAX: Final = 255  # ML-DSA-44 cosignatures carry the name behind a one-byte length
SEED_BYTES: Final = 32  # of an Ed25519 and of an ML-DSA-44 private key alike
TIMESTAMP_BYTES: Final = 8
_KEY_ID_HEX = re.compile(r"[0-9a-f]{8}", re.ASCII)
_SUBTREE_LABEL: Final = b"subtree/v1\n\x00"


class SignatureType(enum.IntEnum):
    """The signature type identifier bytes that we speak (C2SP signed-note, "Signature types")."""

    ED25519 = 0x01
    COSIGNATURE = 0x04
    COSIGNATURE_MLDSA44 = 0x06

    @property
    def timed(self) -> bool:
        """Whether its signatures carry a time."""
        return self is not SignatureType.ED25519


PUBLIC_KEY_BYTES: Final = {
    SignatureType.ED25519: 32,
    SignatureType.COSIGNATURE: 32,
    SignatureType.COSIGNATURE_MLDSA44: 1312,
}
assert PUBLIC_KEY_BYTES.keys() == set(SignatureType), "every type has its key length"  # noqa: S101 - a table is complete


def key_name(text: str) -> KeyName:
    """Return `text` as a KeyName, or raise BadKey: not empty, no Unicode spaces, no plus, no control characters."""
    if not text or "+" in text or any(c.isspace() or c < " " for c in text):
        raise BadKey("A key's name is not empty and holds neither spaces nor plus signs.")
    try:
        if len(text.encode("utf-8")) > KEY_NAME_CHARS_MAX:
            raise BadKey("A key's name is too long.")
    except UnicodeEncodeError:
        raise BadKey("A key's name is text.") from None
    return KeyName(text)


@dataclass(frozen=True)
class Verifier:
    """A public key that may have signed a note: its name, its signature type, its raw public key.

    Raises BadKey when the key has another length than its type wants.
    """

    name: KeyName
    kind: SignatureType
    public_key: bytes

    def __post_init__(self) -> None:
        if len(self.public_key) != PUBLIC_KEY_BYTES[self.kind]:
            raise BadKey("The public key has another length than its type wants.")
        self._loaded  # noqa: B018 - a key that is no point of the curve is refused now, not at its first signature

    @cached_property
    def key_id(self) -> bytes:
        """The four bytes that a signature line names this key by."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public_key).digest()[:4]

    @property
    def vkey(self) -> str:
        """The verifier key as text: `<name>+<hex key id>+<base64(type || public key)>`."""
        return f"{self.name}+{self.key_id.hex()}+{lines.base64_text(bytes([self.kind]) + self.public_key)}"

    @cached_property
    def _loaded(self) -> ed25519.PublicKey | MLDSA44PublicKey:
        try:
            if self.kind is SignatureType.COSIGNATURE_MLDSA44:
                return MLDSA44PublicKey.from_public_bytes(self.public_key)
            return ed25519.PublicKey(self.public_key)
        except ValueError:
            raise BadKey("The public key is not a key.") from None

    def verify(self, text: str, signature: bytes) -> int:
        """Return the time that a cosignature states (POSIX seconds; 0 for a plain signature), or raise BadNote."""
        timestamp_s = 0
        if self.kind.timed:
            timestamp_s = int.from_bytes(signature[:TIMESTAMP_BYTES], "big")
            signature = signature[TIMESTAMP_BYTES:]
        try:
            self._loaded.verify(signature, _message(self.kind, self.name, text, timestamp_s))
        except InvalidSignature:
            raise BadNote("A signature of a known key does not verify.") from None
        except BadCheckpoint:
            raise BadNote("A cosignature stands under a text that is not a checkpoint.") from None
        return timestamp_s


def parse_vkey(text: str) -> Verifier:
    """Return the Verifier that a vkey describes, or raise BadKey (malformed, unknown type, key id that is not its)."""
    name, _, rest = text.partition("+")
    key_id, _, material = rest.partition("+")
    if _KEY_ID_HEX.fullmatch(key_id) is None:
        raise BadKey("Not a verifier key.")
    data = lines.base64_bytes(material, BadKey)
    try:
        kind = SignatureType(data[0])
    except (ValueError, IndexError):
        raise BadKey("The verifier key is of a type that we do not speak.") from None
    verifier = Verifier(key_name(name), kind, data[1:])
    if verifier.key_id.hex() != key_id:
        raise BadKey("The verifier key's id is not that of its name and key.")
    return verifier


def vkeys_in(text: str) -> list[str]:
    """Return the verifier keys of a text that has one a line, as /log/vkey does, but for comments (#)."""
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]


@dataclass(frozen=True)
class Signer:
    """A private key that signs notes, from its 32-byte `seed` (RFC 8032, FIPS 204).

    Its `repr` shows no secret.
    """

    name: KeyName
    kind: SignatureType
    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.seed) != SEED_BYTES:
            raise BadKey("A private key's seed has 32 bytes.")

    @cached_property
    def _loaded(self) -> ed25519.PrivateKey | MLDSA44PrivateKey:
        if self.kind is SignatureType.COSIGNATURE_MLDSA44:
            return MLDSA44PrivateKey.from_seed_bytes(self.seed)
        return ed25519.PrivateKey(self.seed)

    @cached_property
    def verifier(self) -> Verifier:
        """The public half."""
        return Verifier(self.name, self.kind, _public(self._loaded))

    def sign(self, text: str, *, timestamp_s: int = 0) -> bytes:
        """Return the signature bytes of a note's text, without the key id.

        Cosigning states a time, so `timestamp_s` (POSIX seconds) must then be given; BadNote otherwise. BadCheckpoint
        when a cosigner is shown another text than a checkpoint.
        """
        if self.kind.timed and not 0 < timestamp_s <= SIZE_MAX:
            raise BadNote("A cosignature needs the time at which it is made.")
        signature = self._loaded.sign(_message(self.kind, self.name, text, timestamp_s))
        return timestamp_s.to_bytes(TIMESTAMP_BYTES, "big") + signature if self.kind.timed else signature


def _public(key: ed25519.PrivateKey | MLDSA44PrivateKey) -> bytes:
    return key.public_key if isinstance(key, ed25519.PrivateKey) else key.public_key().public_bytes_raw()


def _message(kind: SignatureType, name: KeyName, text: str, timestamp_s: int) -> bytes:
    """Return the bytes that a key of this kind signs for a note's text."""
    if kind is SignatureType.ED25519:
        return text.encode()
    checkpoint = checkpoints.parse(text)
    if timestamp_s > SIZE_MAX:
        raise BadNote("A cosignature states a time beyond all times.")
    if kind is SignatureType.COSIGNATURE:
        return f"cosignature/v1\ntime {timestamp_s}\n{text}".encode()
    origin = checkpoint.origin.encode()
    if len(origin) > KEY_NAME_CHARS_MAX:
        raise BadNote("The log's origin is too long for an ML-DSA-44 cosignature.")
    return b"".join(
        (
            _SUBTREE_LABEL,
            bytes([len(name.encode())]),
            name.encode(),
            timestamp_s.to_bytes(8, "big"),
            bytes([len(origin)]),
            origin,
            (0).to_bytes(8, "big"),
            checkpoint.size.to_bytes(8, "big"),
            checkpoint.root,
        )
    )
