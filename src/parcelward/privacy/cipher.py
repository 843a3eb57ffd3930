"""Sealing one value for one person, and the marks of the blind index. No database, no files.

A sealed value is nonce (12 bytes), ciphertext, tag (16). What it is bound to (the associated data) is table, column,
row, person and the key's version: copied to any other place it does not open.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Final, NamedTuple
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from parcelward.privacy.errors import NotAuthentic
from parcelward.privacy.wire import Field

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
PADDED_TO: Final = 32
"""Values are padded (ISO/IEC 7816-4) to multiples of this, or the sizes in a table would tell who is called Ng."""

MARK_BITS: Final = 20
"""How much of the HMAC the index keeps.

A whole one would tell whoever has the table that two rows hold the same value, and let a stolen key confirm a guess.
With n values under one key each mark is shared by n / 2^20 strangers on average: one at a million people, a hundred
at a hundred million, whom a search opens and drops (about 0.1 ms each). Fewer bits would make searches slow, more would
make marks names. Truncated indexes are advised to give between 2 and the square root of n strangers: 20 bits do from
two million people on; with fewer people a mark says a little more, and there is less to be found.
"""

_VALUE: Final = b"parcelward vault value v1"
_WRAP: Final = b"parcelward vault key v1"
_STATION: Final = b"parcelward station key v1"
_BODY: Final = b"parcelward body key v1"
_MARK: Final = b"parcelward blind index v1"


class Place(NamedTuple):
    """Where a sealed value stands."""

    table: str
    column: str
    person: UUID  # or the body, where what is sealed is what somebody sent (`bodies`)
    version: int  # of its key
    row: UUID | None = None  # where a table has several rows of a person

    @property
    def bound(self) -> bytes:
        """The associated data."""
        row = b"" if self.row is None else self.row.bytes
        head = b"\0".join((_VALUE, self.table.encode(), self.column.encode(), b""))
        return head + self.person.bytes + self.version.to_bytes(4, "big") + row


def seal(key: bytes, text: str, place: Place) -> bytes:
    """Return a value as it is stored."""
    return seal_bytes(key, text.encode(), place)


def seal_bytes(key: bytes, content: bytes, place: Place) -> bytes:
    """Return bytes as they are stored."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    plain = content + b"\x80"
    return nonce + AESGCM(key).encrypt(nonce, plain + bytes(-len(plain) % PADDED_TO), place.bound)


def unseal(key: bytes, sealed: bytes, place: Place) -> str:
    """Return the value. Raises NotAuthentic for anything that was not sealed by this key for this place."""
    return unseal_bytes(key, sealed, place).decode()


def unseal_bytes(key: bytes, sealed: bytes, place: Place) -> bytes:
    """Return the bytes. Raises NotAuthentic, as above."""
    try:
        plain = AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place.bound)
    except (InvalidTag, ValueError):
        raise NotAuthentic(
            f"A sealed value in {place.table}.{place.column} was changed or moved: it does not open."
        ) from None
    return plain.rstrip(b"\0")[:-1]


def person_context(person: UUID, version: int) -> bytes:
    """Return whose a person's data key is: what it is bound to when it is wrapped."""
    return _WRAP + person.bytes + version.to_bytes(4, "big")


def body_context(body: UUID) -> bytes:
    """Return whose a body's data key is; never what a person's or a station's is bound to."""
    return _BODY + body.bytes


def station_context(facility: str, epoch: int, public_key: bytes) -> bytes:
    """Return whose a station's key is; never what any person's key is bound to."""
    return b"\0".join((_STATION, facility.encode(), str(epoch).encode(), public_key))


def wrap_context(context: bytes, kek_version: int) -> bytes:
    """Return what a wrapped key is bound to: whose it is, and the version of what wraps it."""
    return context + kek_version.to_bytes(4, "big")


def mark(secret: bytes, field: Field, tenant: UUID | None, form: str) -> int:
    """Return the mark of a value in its normal form; column and tenant have a key of their own."""
    scope = b"\0" + field.encode() + b"\0" + (b"" if tenant is None else tenant.bytes)
    own = hmac.digest(secret, _MARK + scope, hashlib.sha256)
    return int.from_bytes(hmac.digest(own, form.encode(), hashlib.sha256)[:4], "big") >> (32 - MARK_BITS)
