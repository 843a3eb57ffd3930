"""Passkeys, as WebAuthn has them: the library checks the signature, and here is what it leaves to its user.

Beyond what the library checks: our one exact origin, no frame of another site, user verification always, only
algorithms that we offered with whole keys of their type, a challenge that is good once wherever it is answered, a
count that must rise, and a credential that no other account has (W3C Web Authentication level 3, sections 7.1, 7.2).
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Callable
from typing import Any, Final, Literal, TypeVar
from uuid import UUID

from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal import auth
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from fido2 import cbor
from fido2.cose import ES256, CoseKey
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import (
    Aaguid,
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

from parcelward.base import config, ed25519
from parcelward.doors.portals.accounts import answers
from parcelward.doors.portals.accounts.answers import Answer
from parcelward.people import actions as people
from parcelward.people import queries as who
from parcelward.people import rules
from parcelward.people.errors import BadProof

KEY_TYPES: Final = {-7: 2, -35: 2, -36: 2, -47: 2, -8: 1, -257: 3, -37: 3, -48: 7, -49: 7, -50: 7}
"""COSE algorithm -> the type of key that it works with (RFC 9053 sections 2 and 7, RFC 8812, RFC 9964)."""
NOBODY: Final = UUID(int=0)
EDDSA: Final = -8
RSA: Final = 3
RSA_BITS_MIN: Final = 2_048  # NIST SP 800-131A
_T = TypeVar("_T")
_WHATEVER: Final = (
    *(ValidationError, ValueError, LookupError, TypeError, AttributeError, AssertionError, ArithmeticError),
    *(RuntimeError, struct.error, UnsupportedAlgorithm),
)
"""What the library and its parsers raise over bytes that a stranger made: RecursionError is a RuntimeError."""


def registration_options(request: HttpRequest, user: AbstractBaseUser) -> dict[str, Any]:
    """Return what the browser makes a passkey from; its challenge goes out with it, good for one answer."""
    options: dict[str, Any] = auth.begin_registration(user, passwordless=True)
    _given(request)
    return options


def sign_in_options(request: HttpRequest, user: AbstractBaseUser | None = None) -> dict[str, Any]:
    """Return what a passkey signs: any of ours, or one of this person's."""
    options: dict[str, Any] = auth.begin_authentication(user)
    _given(request)
    return options


def _given(request: HttpRequest) -> None:
    people.give_challenge(websafe_decode(request.session[auth.STATE_SESSION_KEY]["challenge"]))


def _refused() -> BadProof:
    return BadProof("This passkey was not accepted. Try again, or use another one.", code="passkey_refused")


def _safely(work: Callable[[], _T]) -> _T:
    """Return what the library answers. Whatever it raises over bytes that a stranger made is one refusal."""
    try:
        return work()
    except _WHATEVER:
        raise _refused() from None


def _read(request: HttpRequest, text: str, kind: Literal["webauthn.create", "webauthn.get"]) -> tuple[Answer, bytes]:
    """Return the answer and the challenge that it is for, with what the library does not look at checked."""
    state = request.session.get(auth.STATE_SESSION_KEY)
    if not state:
        raise _refused()
    answer = _safely(lambda: answers.parsed(text, kind=kind))
    said = answer.said
    if said.get("origin") != config.get().public_url:
        raise _refused()
    if said.get("crossOrigin", False) is not False or "topOrigin" in said or said.get("tokenBinding"):
        raise _refused()
    return answer, websafe_decode(state["challenge"])


def registered(request: HttpRequest, user: AbstractBaseUser, *, name: str, answer: str) -> Authenticator:
    """Return the passkey that was made, stored as one of this person's, in one transaction with its entry.

    Raises BadProof for whatever does not hold, Conflict when an account has it already.
    """
    try:
        given, challenge = _read(request, answer, "webauthn.create")
        key, count = _safely(lambda: _made(given))
    finally:
        auth.clear_state()
    with transaction.atomic():
        people.spend_challenge(challenge)
        stored = auth.WebAuthn.add(user, rules.passkey_name(name), given.whole).instance
        people.add_passkey(
            user.pk,
            stored,
            credential_id=given.credential_id,
            public_key=cbor.encode(dict(key)),
            signatures=count,
        )
    found: Authenticator = stored
    return found


def _made(given: Answer) -> tuple[CoseKey, int]:
    """Return the key that was made and its count. Raises ValueError, or what the library raises, for a bad one."""
    data = auth.parse_registration_response(given.whole).response.attestation_object.auth_data
    if data.credential_data is None:  # the library takes it for granted
        raise ValueError("no credential")
    auth.complete_registration(given.whole)
    if not data.is_user_verified() or not _backup_holds(data):
        raise ValueError("nobody was verified")
    if data.credential_data.credential_id != given.credential_id:
        raise ValueError("another credential than it says")
    _require_usable(data.credential_data.public_key)
    return data.credential_data.public_key, data.counter


def _require_usable(key: CoseKey) -> None:
    """Raise ValueError unless this is a whole key, of an algorithm that we offered, with which not anybody signs."""
    offered = {one.alg for one in auth.get_server().allowed_algorithms}
    algorithm = key[3]
    if algorithm not in offered or KEY_TYPES[algorithm] != key[1]:
        raise ValueError("not of an algorithm that was offered")
    if algorithm == EDDSA:
        ed25519.PublicKey(key[-2])  # refuses the points under which anybody's signature holds
    if key[1] == RSA and int.from_bytes(key[-1], "big").bit_length() < RSA_BITS_MIN:
        raise ValueError("too short")
    try:
        key.verify(b"", bytes(64))
    except InvalidSignature:
        return  # the key could be read, and the signature is not its own
    raise ValueError("a key with which anything is signed")


def _backup_holds(data: AuthenticatorData) -> bool:
    """Return whether the flags make sense: only what may be backed up can be (level 3, section 6.1.3)."""
    return data.is_backup_eligible() or not data.is_backed_up()


def signed(request: HttpRequest, *, answer: str, user: AbstractBaseUser | None = None) -> tuple[Any, Authenticator]:
    """Return whose passkey signed the challenge that went out, and which it was; counted, and the challenge spent.

    Raises BadProof for whatever does not hold: who guesses learns nothing of which accounts there are, or are locked.
    """
    try:
        given, challenge = _read(request, answer, "webauthn.get")
        stored, data = _safely(lambda: _checked(given, request.session[auth.STATE_SESSION_KEY], user))
    finally:
        auth.clear_state()
    made = stored.wrap().authenticator_data
    # Whether a passkey may be backed up never changes (level 3, section 7.2, step 20).
    if not _backup_holds(data) or data.is_backup_eligible() != made.is_backup_eligible():
        raise _refused()
    with transaction.atomic():
        people.spend_challenge(challenge)
        public_key = cbor.encode(dict(made.credential_data.public_key))
        people.use_passkey(stored, public_key=public_key, signatures=data.counter)
        stored.record_usage()
    return stored.user, stored


def _checked(
    given: Answer, state: dict[str, Any], user: AbstractBaseUser | None
) -> tuple[Authenticator, AuthenticatorData]:
    """Return the passkey that signed, and what it said. Raises ValueError, or what the library raises.

    Where there is no such person or passkey, one of nobody's is read and checked in its place: it takes as long.
    """
    person = _person_in(given, user)
    stored = who.passkey_of(person, given.credential_id)
    known = stored or Authenticator(type=Authenticator.Type.WEBAUTHN, data={"credential": _nobodys()})
    key = known.wrap().authenticator_data.credential_data
    named = AttestedCredentialData.create(key.aaguid, given.credential_id, key.public_key)
    auth.get_server().authenticate_complete(state, [named], given.whole)
    data = auth.parse_authentication_response(given.whole).response.authenticator_data
    if stored is None or not data.is_user_verified():
        raise ValueError("nobody's, or nobody was verified")
    return stored, data


def _person_in(given: Answer, user: AbstractBaseUser | None) -> UUID:
    """Return the person that the answer names, in the one spelling of their id; nobody's id where it names none."""
    if given.user_handle is None and user is not None:
        return UUID(str(user.pk))
    try:
        found = UUID((given.user_handle or b"").decode())
    except ValueError:
        return NOBODY
    if str(found).encode() != given.user_handle or (user is not None and found != user.pk):
        return NOBODY
    return found


@functools.cache
def _nobodys() -> dict[str, Any]:
    """Return a registration as the library stores one, with a key that is thrown away."""
    point = ec.generate_private_key(ec.SECP256R1()).public_key().public_numbers()
    key = ES256({1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")})
    attested = AttestedCredentialData.create(Aaguid.NONE, bytes(32), key)
    flags = AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.UV | AuthenticatorData.FLAG.AT
    data = AuthenticatorData.create(bytes(32), flags, 0, attested)
    response = {
        "clientDataJSON": websafe_encode(CollectedClientData.create("webauthn.create", bytes(32), "")),
        "attestationObject": websafe_encode(AttestationObject.create("none", data, {})),
    }
    name = websafe_encode(bytes(32))
    return {"id": name, "rawId": name, "type": "public-key", "response": response}
