"""Passkeys, as WebAuthn has them: the library checks the signature, and here is what it leaves to its user.

Beyond what the library checks: our one exact origin, no frame of another site, user verification always, only
algorithms that we offered, a challenge that is good once wherever it is answered, a count that must rise, and a
credential that no other account has (W3C Web Authentication level 3, sections 7.1 and 7.2).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final, TypeVar

from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal import auth
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from fido2 import cbor
from fido2.utils import websafe_decode

from parcelward.base import config
from parcelward.people import actions as people
from parcelward.people.errors import BadProof

ANSWER_BYTES_MAX: Final = 16_000
NAME_MAX: Final = 40
_T = TypeVar("_T")
_WHATEVER: Final = (ValidationError, ValueError, LookupError, TypeError, AttributeError, AssertionError, OverflowError)
"""What the library and its parsers raise over bytes that a stranger made."""


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


def _read(request: HttpRequest, answer: str, expected: str) -> tuple[dict[str, Any], bytes]:
    """Return the answer and the challenge that it is for, with what the library does not look at checked."""
    if len(answer) > ANSWER_BYTES_MAX:
        raise _refused()
    state = request.session.get(auth.STATE_SESSION_KEY)
    if not state:
        raise _refused()
    given = _safely(lambda: json.loads(answer))
    if not isinstance(given, dict) or not isinstance(given.get("response"), dict):
        raise _refused()
    said = _safely(lambda: json.loads(websafe_decode(given["response"]["clientDataJSON"])))
    if not isinstance(said, dict) or said.get("type") != expected or said.get("origin") != config.get().public_url:
        raise _refused()
    if said.get("crossOrigin", False) is not False or "topOrigin" in said or said.get("tokenBinding"):
        raise _refused()
    return given, websafe_decode(state["challenge"])


def registered(request: HttpRequest, user: AbstractBaseUser, *, name: str, answer: str) -> Authenticator:
    """Return the passkey that was made, stored as one of this person's, in one transaction with its entry.

    Raises BadProof for whatever does not hold, Conflict when an account has it already.
    """
    given, challenge = _read(request, answer, "webauthn.create")
    try:
        _safely(lambda: _require_whole(given))
        made = _safely(lambda: auth.complete_registration(given))
    finally:
        auth.clear_state()
    if not made.is_user_verified() or made.credential_data is None:
        raise _refused()
    key = made.credential_data
    if key.public_key.get(3) not in {one.alg for one in auth.get_server().allowed_algorithms}:
        raise _refused()
    with transaction.atomic():
        people.spend_challenge(challenge)
        stored = auth.WebAuthn.add(user, name.strip()[:NAME_MAX] or "Passkey", given).instance
        people.add_passkey(
            user.pk,
            stored,
            credential_id=key.credential_id,
            public_key=cbor.encode(dict(key.public_key)),
            signatures=made.counter,
        )
    found: Authenticator = stored
    return found


def _require_whole(given: dict[str, Any]) -> None:
    """Raise ValueError where the attestation holds no credential: the library takes it for granted."""
    data = auth.parse_registration_response(given).response.attestation_object.auth_data
    if data.credential_data is None or given.get("type", "public-key") != "public-key":
        raise ValueError("no credential")


def signed(request: HttpRequest, *, answer: str, user: AbstractBaseUser | None = None) -> tuple[Any, Authenticator]:
    """Return whose passkey signed the challenge that went out, and which it was; counted, and the challenge spent.

    Raises BadProof for whatever does not hold: who guesses learns nothing of which accounts there are.
    """
    given, challenge = _read(request, answer, "webauthn.get")
    try:
        response = _safely(lambda: auth.parse_authentication_response(given))
        found = user or _safely(lambda: auth.extract_user_from_response(given))
        stored = _safely(lambda: auth.complete_authentication(found, given))
    finally:
        auth.clear_state()
    data = response.response.authenticator_data
    handle = given["response"].get("userHandle")
    if not data.is_user_verified() or (handle and _safely(lambda: websafe_decode(handle)) != str(found.pk).encode()):
        raise _refused()
    key = stored.wrap().authenticator_data.credential_data.public_key
    with transaction.atomic():
        people.spend_challenge(challenge)
        people.use_passkey(stored, public_key=cbor.encode(dict(key)), signatures=data.counter)
        stored.record_usage()
    return found, stored
