"""Who keeps the key-encryption key: a file of strict rights, or a hardware module (PKCS#11).

    home/keys/vault-kek     the versions of the key that wraps the data keys of people and bodies, and stations' keys
    home/keys/vault-index   the versions of the secret that the blind index is keyed by
    home/keys/label-code    the versions of the key that label codes are made with

With `PARCELWARD_KEK` the first lies in a token instead, and never leaves it.
"""

from __future__ import annotations

import datetime as dt
import functools
import secrets
from pathlib import Path
from typing import Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from parcelward.base import config, db
from parcelward.custody.queries import fact_exists
from parcelward.privacy import cipher, facts
from parcelward.privacy.errors import KeysAway, NotAuthentic
from parcelward.privacy.keyfiles import KeyFile, Version

KEK_FILE: Final = "vault-kek"
INDEX_FILE: Final = "vault-index"
CODES_FILE: Final = "label-code"


class KeyKeeper(Protocol):
    """Wraps and unwraps keys with the key-encryption key, of which it keeps every version in use.

    Raises KeysAway when a version is not there or the keeper does not answer, NotAuthentic when a wrapped key is not
    of this context, version and key. Calls may come from many threads and processes at once.
    """

    def versions(self) -> tuple[int, ...]:
        """Return the versions that it has, oldest first."""
        ...

    def wrap(self, key: bytes, context: bytes, kek_version: int) -> bytes:
        """Return a key as it is stored, bound to `context`, which says whose it is (`cipher.person_context`)."""
        ...

    def unwrap(self, wrapped: bytes, context: bytes, kek_version: int) -> bytes:
        """Return the key."""
        ...

    def make(self, *, now: dt.datetime) -> int:
        """Make a new version, and return its number."""
        ...

    def destroy(self, version: int) -> None:
        """Destroy a version; the caller has seen that nothing uses it."""
        ...


class FileKeeper:
    """Keeps the key in a file, and wraps with AES-256-GCM.

    A version wraps with random nonces at most 2^32 keys (NIST SP 800-38D, 8.3): rotate before four billion people.
    """

    def __init__(self, path: Path) -> None:
        self._file = KeyFile(path, in_use=_keys_exist)

    def versions(self) -> tuple[int, ...]:
        """Return the versions in the file, oldest first."""
        return tuple(sorted(self._file.versions()))

    def wrap(self, key: bytes, context: bytes, kek_version: int) -> bytes:
        """Return a key as it is stored: nonce, ciphertext, tag."""
        nonce = secrets.token_bytes(cipher.NONCE_BYTES)
        bound = cipher.wrap_context(context, kek_version)
        return nonce + AESGCM(self._version(kek_version).secret).encrypt(nonce, key, bound)

    def unwrap(self, wrapped: bytes, context: bytes, kek_version: int) -> bytes:
        """Return the key."""
        nonce, closed = wrapped[: cipher.NONCE_BYTES], wrapped[cipher.NONCE_BYTES :]
        bound = cipher.wrap_context(context, kek_version)
        try:
            return AESGCM(self._version(kek_version).secret).decrypt(nonce, closed, bound)
        except (InvalidTag, ValueError):
            raise NotAuthentic("A wrapped key was changed or moved: it does not open.") from None

    def make(self, *, now: dt.datetime) -> int:
        """Make a new version, and return its number."""
        return self._file.add(now=now).number

    def destroy(self, version: int) -> None:
        """Take a version out of the file."""
        self._file.remove(version)

    def _version(self, number: int) -> Version:
        known = self._file.versions()
        if number not in known:
            raise KeysAway(f"Version {number} of the key-encryption key is not here: copy the file from your backup")
        return known[number]


def _keys_exist() -> bool:
    with db.cursor("keys") as cur:
        cur.execute(
            "SELECT EXISTS (SELECT FROM privacy_personkey) "
            "OR EXISTS (SELECT FROM privacy_bodykey) "
            "OR EXISTS (SELECT FROM privacy_stationkey WHERE destroyed_at IS NULL)"
        )
        return bool(cur.fetchall()[0][0])


def _index_exists() -> bool:
    with db.cursor() as cur:
        cur.execute("SELECT EXISTS (SELECT FROM privacy_blind_index)")
        return bool(cur.fetchall()[0][0])


@functools.cache
def _keeper(settings: config.Config) -> KeyKeeper:
    if settings.kek:
        from parcelward.privacy.hardware import TokenKeeper  # noqa: PLC0415 -- an optional package, used where asked for

        return TokenKeeper(settings.kek, in_use=_keys_exist)
    return FileKeeper(settings.home / "keys" / KEK_FILE)


def keeper() -> KeyKeeper:
    """Return who keeps the key-encryption key of this installation."""
    return _keeper(config.get())


@functools.cache
def _index_file(settings: config.Config) -> KeyFile:
    return KeyFile(settings.home / "keys" / INDEX_FILE, in_use=_index_exists)


def index_secrets() -> dict[int, Version]:
    """Return the versions of the secret that the blind index is keyed by; the newest has the highest number."""
    return _index_file(config.get()).versions()


def make_index_secret(*, now: dt.datetime) -> int:
    """Make a new version, by which whatever is written from now on is marked."""
    return _index_file(config.get()).add(now=now).number


def drop_index_secret(version: int) -> None:
    """Throw a version away; the caller has seen that no mark is made by it."""
    _index_file(config.get()).remove(version)


@functools.cache
def _codes_file(settings: config.Config) -> KeyFile:
    return KeyFile(settings.home / "keys" / CODES_FILE, in_use=lambda: fact_exists(facts.LABELS_SEALED, ""))


def label_codes() -> KeyFile:
    """Return where the keys of label codes are: the newest makes them, all are believed."""
    return _codes_file(config.get())
