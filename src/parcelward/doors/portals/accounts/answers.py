"""What a browser answers for a passkey, parsed once: a closed shape, and every byte string in its one spelling.

Nothing that is not of this shape reaches the library, and nothing else of it is stored.
"""

from __future__ import annotations

import json
from typing import Any, Final, Literal

import msgspec
from fido2.utils import websafe_decode, websafe_encode

ANSWER_BYTES_MAX: Final = 16_000
CREDENTIAL_BYTES_MAX: Final = 1_023  # WebAuthn level 3, section 7.1, step 25
TRANSPORTS_MAX: Final = 10
TRANSPORTS: Final = frozenset({"usb", "nfc", "ble", "smart-card", "hybrid", "internal"})


class _Signed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The response of `navigator.credentials.get`."""

    client_data: str = msgspec.field(name="clientDataJSON")
    authenticator_data: str = msgspec.field(name="authenticatorData")
    signature: str
    user_handle: str | None = msgspec.field(name="userHandle", default=None)


class _Made(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The response of `navigator.credentials.create`."""

    client_data: str = msgspec.field(name="clientDataJSON")
    attestation: str = msgspec.field(name="attestationObject")
    transports: list[str] = msgspec.field(default_factory=list)


class _Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What both have around it."""

    id: str
    raw_id: str = msgspec.field(name="rawId")
    type: Literal["public-key"]
    response: dict[str, Any]
    client_extension_results: dict[str, Any] = msgspec.field(name="clientExtensionResults", default_factory=dict)
    authenticator_attachment: str | None = msgspec.field(name="authenticatorAttachment", default=None)


class Answer(msgspec.Struct, frozen=True):
    """An answer that has the right shape: `whole` is what the library is given, and what is stored of a new passkey."""

    whole: dict[str, Any]
    said: dict[str, Any]  # the client data
    credential_id: bytes
    user_handle: bytes | None


def parsed(text: str, *, kind: Literal["webauthn.create", "webauthn.get"]) -> Answer:
    """Return the answer in `text`. Raises ValueError, TypeError or RecursionError for whatever is not of its shape."""
    if len(text) > ANSWER_BYTES_MAX:
        raise ValueError("too long")
    outer = msgspec.convert(_json(text), _Answer)
    credential_id = _bytes(outer.raw_id)
    if outer.id != outer.raw_id or not 0 < len(credential_id) <= CREDENTIAL_BYTES_MAX:
        raise ValueError("the credential has two names, or none")
    response, handle = _made(outer) if kind == "webauthn.create" else _signed(outer)
    said = _json(_bytes(response["clientDataJSON"]).decode())
    if not isinstance(said, dict) or said.get("type") != kind:
        raise ValueError("client data of something else")
    resident = outer.client_extension_results.get("credProps", {})
    extensions = {"credProps": {"rk": True}} if isinstance(resident, dict) and resident.get("rk") is True else {}
    whole = {"id": outer.id, "rawId": outer.raw_id, "type": outer.type, "clientExtensionResults": extensions}
    return Answer({**whole, "response": response}, said, credential_id, handle)


def _signed(outer: _Answer) -> tuple[dict[str, Any], bytes | None]:
    found = msgspec.convert(outer.response, _Signed)
    for each in (found.authenticator_data, found.signature):
        _bytes(each)
    handle = None if found.user_handle is None else _bytes(found.user_handle)
    return dict(outer.response), handle


def _made(outer: _Answer) -> tuple[dict[str, Any], None]:
    found = msgspec.convert(outer.response, _Made)
    _bytes(found.attestation)
    known = [one for one in found.transports[:TRANSPORTS_MAX] if one in TRANSPORTS]
    return {"clientDataJSON": found.client_data, "attestationObject": found.attestation, "transports": known}, None


def _bytes(text: str) -> bytes:
    """Return what base64url without padding says, or raise ValueError: decoders pass over what is no letter of it."""
    found = websafe_decode(text)
    if websafe_encode(found) != text:
        raise ValueError("another spelling")
    return found


def _json(text: str) -> Any:
    """Return what JSON says, or raise ValueError: two readers may take two values of one that says a name twice."""
    return json.loads(text, object_pairs_hook=_once, parse_constant=_never)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name comes twice")
    return found


def _never(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")
