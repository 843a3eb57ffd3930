"""How second factors are stored: base64 of nonce and AES-256-GCM, under a key that follows from the house's secret.

What is sealed is bound to whose it is and what it is: a row that somebody copied to another account opens nothing.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
import os
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from typing import Final, NamedTuple
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES: Final = 12
_BOUND: Final = b"parcelward second factor v2"


class Shut(ValueError):
    """What is stored opens under no secret of ours at this account: it was moved, changed, or sealed elsewhere."""


class Whose(NamedTuple):
    """What a sealed text is bound to: the account, and which kind of second factor it is."""

    user: UUID
    kind: str

    @property
    def bound(self) -> bytes:
        """The associated data."""
        return b"\0".join((_BOUND, self.kind.encode(), self.user.bytes))


_whose: ContextVar[Whose] = ContextVar("whose second factor")


@contextlib.contextmanager
def of(user: UUID, kind: str) -> Iterator[None]:
    """Let the library, which says neither, seal and open this account's second factor of this kind."""
    before = _whose.set(Whose(user, str(kind)))
    try:
        yield
    finally:
        _whose.reset(before)


def whose() -> Whose:
    """Return whose second factor the library is about to seal or open. Raises LookupError where nobody said it."""
    return _whose.get()


def seal(text: str, secret: str, owner: Whose) -> str:
    """Return what is stored."""
    nonce = os.urandom(NONCE_BYTES)
    return base64.b64encode(nonce + _cipher(secret).encrypt(nonce, text.encode(), owner.bound)).decode()


def opened(stored: str, secrets: Sequence[str], owner: Whose) -> str:
    """Return what was sealed for this owner under any of the secrets. Raises Shut."""
    try:
        raw = base64.b64decode(stored, validate=True)
    except binascii.Error:
        raise Shut("no second factor") from None
    for secret in secrets:
        with contextlib.suppress(InvalidTag, ValueError):
            return _cipher(secret).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], owner.bound).decode()
    raise Shut("sealed under another secret, or for another account")


def resealing(secret: str, others: Sequence[str]) -> Callable[[str, UUID, str], str | None]:
    """Return what gives a stored text anew under `secret`: the same when it is already, None when none opens it."""

    def reseal(stored: str, user: UUID, kind: str) -> str | None:
        owner = Whose(user, kind)
        for secrets in ([secret], others):
            try:
                text = opened(stored, secrets, owner)
            except Shut:
                continue
            return stored if secrets == [secret] else seal(text, secret, owner)
        return None

    return reseal


def _cipher(secret: str) -> AESGCM:
    return AESGCM(hmac.digest(secret.encode(), b"parcelward/v1/second-factor", hashlib.sha256))
