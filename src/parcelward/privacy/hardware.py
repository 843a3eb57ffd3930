"""The key-encryption key in a hardware module (PKCS#11): it is made there, and never leaves.

A data key is wrapped by AES key wrap (RFC 3394, CKM_AES_KEY_WRAP). That binds it to nothing, so what is wrapped is the
data key and a hash of what it is bound to; a wrapped key that was moved shows another hash. The module is asked for
each key, one call at a time a process.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import os
import re
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar
from urllib.parse import parse_qs, unquote

import pkcs11
from pkcs11 import Attribute, KeyType, Mechanism, MechanismFlag, ObjectClass
from pkcs11.exceptions import (
    EncryptedDataInvalid,
    PKCS11Error,
    UserAlreadyLoggedIn,
    WrappedKeyInvalid,
    WrappedKeyLenRange,
)

from parcelward.base.config import BadSetting
from parcelward.privacy import cipher
from parcelward.privacy.errors import KeysAway, NotAuthentic

T = TypeVar("T")

LABEL: Final = "vault-kek"
_SECRET: Final = {
    Attribute.TOKEN: False,
    Attribute.EXTRACTABLE: True,
    Attribute.SENSITIVE: False,
}
_AWAY: Final = "The token that keeps the vault's key does not answer: see that it is there and that its PIN is right"


class TokenAddress(NamedTuple):
    """What a pkcs11: address (RFC 7512) says."""

    module: str
    token: str
    label: str
    pin_file: Path


def parse(uri: str) -> TokenAddress:
    """Return what the address says, or raise BadSetting."""
    path, _, query = uri.removeprefix("pkcs11:").partition("?")
    named = dict(part.split("=", 1) for part in path.split(";") if "=" in part)
    asked = parse_qs(query, separator="&")
    module, pin = asked.get("module-path", [""])[-1], asked.get("pin-source", [""])[-1]
    token, label = unquote(named.get("token", "")), unquote(named.get("object", LABEL))
    if not token or not module or not pin or "pin-value" in asked:
        raise BadSetting(
            "PARCELWARD_KEK needs token=, module-path= and pin-source= (a file with the PIN); pin-value= is refused, "
            "for the environment is no place for a PIN"
        )
    return TokenAddress(module, token, label, Path(pin.removeprefix("file://").removeprefix("file:")))


def _pin(path: Path) -> str:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise BadSetting(f"others may read {path}, which holds a PIN: run `chmod 600 {path}`")
        return path.read_text().strip()
    except OSError:
        raise BadSetting(f"the file with the token's PIN, {path}, cannot be read") from None


class TokenKeeper:
    """Keeps the key-encryption key in a PKCS#11 token, a version an object: vault-kek-1, vault-kek-2 ..."""

    def __init__(self, uri: str, *, in_use: Callable[[], bool]) -> None:
        self._address = parse(uri)
        self._in_use = in_use
        self._turn = threading.Lock()
        self._session: Any = None
        self._process = 0
        self._keys: dict[int, Any] = {}

    def versions(self) -> tuple[int, ...]:
        """Return the versions in the token, oldest first; the first one is made where there was never any."""
        found = self._asked(self._list)
        if not found:
            if self._in_use():
                raise KeysAway("The token holds no key of the vault, and what is kept was closed with it")
            self._asked(lambda session: self._generate(session, 1))
            found = self._asked(self._list)
        return found

    def wrap(self, key: bytes, context: bytes, kek_version: int) -> bytes:
        """Return a key as it is stored."""
        body = key + _bound(context, kek_version)

        def work(session: Any) -> bytes:
            secret = session.create_object(
                {
                    **_SECRET,
                    Attribute.CLASS: ObjectClass.SECRET_KEY,
                    Attribute.KEY_TYPE: KeyType.GENERIC_SECRET,
                    Attribute.VALUE: body,
                }
            )
            try:
                return bytes(self._key(session, kek_version).wrap_key(secret, mechanism=Mechanism.AES_KEY_WRAP))
            finally:
                secret.destroy()

        return self._asked(work)

    def unwrap(self, wrapped: bytes, context: bytes, kek_version: int) -> bytes:
        """Return the key."""

        def work(session: Any) -> bytes:
            kek = self._key(session, kek_version)
            secret = kek.unwrap_key(
                ObjectClass.SECRET_KEY,
                KeyType.GENERIC_SECRET,
                wrapped,
                mechanism=Mechanism.AES_KEY_WRAP,
                store=False,
                template=_SECRET,
            )
            try:
                return bytes(secret[Attribute.VALUE])
            finally:
                secret.destroy()

        body = self._asked(work)
        key, bound = body[: cipher.KEY_BYTES], body[cipher.KEY_BYTES :]
        if not hmac.compare_digest(bound, _bound(context, kek_version)):
            raise NotAuthentic("A wrapped key was changed or moved: it does not open.")
        return key

    def make(self, *, now: dt.datetime) -> int:  # noqa: ARG002 -- a token keeps its own time
        """Make a new version in the token, and return its number."""
        number = max(self.versions()) + 1
        self._asked(lambda session: self._generate(session, number))
        return number

    def destroy(self, version: int) -> None:
        """Destroy a version in the token."""
        self._asked(lambda session: self._key(session, version).destroy())
        self._keys.pop(version, None)

    def _asked(self, work: Callable[[Any], T]) -> T:
        """Ask the token, once more on a new session when the one that we had is no good."""
        with self._turn:
            for last in (False, True):
                try:
                    return work(self._opened())
                except (WrappedKeyInvalid, WrappedKeyLenRange, EncryptedDataInvalid):
                    raise NotAuthentic("A wrapped key was changed or moved: it does not open.") from None
                except PKCS11Error as err:
                    self._forget()
                    if last:
                        raise KeysAway(f"{_AWAY} ({type(err).__name__})") from None
        raise AssertionError("unreachable")  # pragma: no cover -- the loop returns or raises

    def _opened(self) -> Any:
        if self._session is None or self._process != os.getpid():
            library = pkcs11.lib(self._address.module)
            if self._process not in {0, os.getpid()}:  # a fork inherits no session
                library.reinitialize()
            token = library.get_token(token_label=self._address.token)
            try:
                self._session = token.open(rw=True, user_pin=_pin(self._address.pin_file))
            except UserAlreadyLoggedIn:  # a process signs in once, for all its sessions
                self._session = token.open(rw=True)
            self._process, self._keys = os.getpid(), {}
        return self._session

    def _forget(self) -> None:
        session, self._session, self._keys = self._session, None, {}
        if session is not None:
            try:
                session.close()
            except PKCS11Error:
                return

    def _key(self, session: Any, version: int) -> Any:
        if version not in self._keys:
            try:
                self._keys[version] = session.get_key(
                    object_class=ObjectClass.SECRET_KEY, label=f"{self._address.label}-{version}"
                )
            except pkcs11.NoSuchKey:
                raise KeysAway(f"Version {version} of the key-encryption key is not in the token") from None
        return self._keys[version]

    def _list(self, session: Any) -> tuple[int, ...]:
        form = re.compile(rf"{re.escape(self._address.label)}-(\d+)")
        labels = [key.label or "" for key in session.get_objects({Attribute.CLASS: ObjectClass.SECRET_KEY})]
        return tuple(sorted(int(found[1]) for label in labels if (found := form.fullmatch(label))))

    def _generate(self, session: Any, number: int) -> None:
        session.generate_key(
            KeyType.AES,
            cipher.KEY_BYTES * 8,
            label=f"{self._address.label}-{number}",
            store=True,
            capabilities=MechanismFlag.WRAP | MechanismFlag.UNWRAP,
            template={Attribute.EXTRACTABLE: False, Attribute.SENSITIVE: True},
        )


def _bound(context: bytes, kek_version: int) -> bytes:
    return hashlib.sha256(cipher.wrap_context(context, kek_version)).digest()
