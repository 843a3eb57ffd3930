"""Whoever joins, or adds a passkey, with a bent answer gets neither an account nor a passkey, and keeps the link."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from fido2 import cbor
from fido2.cose import EdDSA
from tests.at_once import at_once
from tests.attacks.passkey_door import REFUSED, Near, bent, nothing_done, random_id
from tests.passkey import AT, BS, UP, UV, Passkey, b64, options_in, unb64

from parcelward.base import config
from parcelward.people import actions
from parcelward.people.models import Invitation, Organisation, User
from parcelward.people.models import Passkey as PasskeyRow
from parcelward.people.wire import Role

Bend = Callable[[Passkey, dict[str, Any]], Any]
HERE = config.get().public_url
SMALL_RSA = rsa.generate_private_key(65_537, 1_024).public_key().public_numbers()


def attested(key: Passkey, options: dict[str, Any], *, whole: bytes = b"", **parts: Any) -> dict[str, Any]:
    """Return an answer with another attestation object: `whole`, or its parts."""
    made = key.create(options)
    honest: Any = cbor.decode(unb64(made["response"]["attestationObject"]))
    parts = {name: value for name, value in {**honest, **parts}.items() if value is not ...}
    return bent(made, "response", "attestationObject", to=b64(whole or cbor.encode(parts)))


def data_with(key: Passkey, public: bytes, *, flags: int = UP | UV | AT, name: bytes | None = None) -> bytes:
    named = key.id if name is None else name
    return key.auth_data(flags, attested=bytes(16) + struct.pack(">H", len(named)) + named + public)


def keyed(**changed: Any) -> Bend:
    """Return an attack whose public key is bent: `k1` is the type, `k3` the algorithm, `m1` to `m3` its parameters."""
    label = {"k1": 1, "k3": 3, "m1": -1, "m2": -2, "m3": -3}

    def bend(key: Passkey, options: dict[str, Any]) -> Any:
        cose = {**key.cose, **{label[name]: value for name, value in changed.items()}}
        return key.create(options, cose={name: value for name, value in cose.items() if value is not ...})

    return bend


def data(make: Callable[[Passkey], bytes]) -> Bend:
    return lambda key, options: attested(key, options, authData=make(key))


def raw(whole: bytes) -> Bend:
    return lambda key, options: attested(key, options, whole=whole)


BENT: dict[str, Bend] = {
    "origin: another host": lambda k, o: k.create(o, origin="https://evil.example"),
    "origin: a slash at the end": lambda k, o: k.create(o, origin=HERE + "/"),
    "origin: null": lambda k, o: k.create(o, origin="null"),
    "in another site's frame": lambda k, o: k.create(o, crossOrigin=True),
    "below another site": lambda k, o: k.create(o, topOrigin="https://evil.example"),
    "type: get for create": lambda k, o: k.create(o, type="webauthn.get"),
    "another relying party": lambda k, o: k.create(o, rp_id="evil.example"),
    "nobody was present": lambda k, o: k.create(o, flags=UV | AT),
    "nobody was verified": lambda k, o: k.create(o, flags=UP | AT),
    "backed up, and not eligible for it": lambda k, o: k.create(o, flags=UP | UV | AT | BS),
    "no credential in it": lambda k, o: k.create(o, flags=UP | UV),
    "a challenge never given": lambda k, o: k.create(o, challenge=random_id()),
    "an algorithm that was not offered: RS1": keyed(k1=3, k3=-65_535, m1=b"\1" * 256, m2=b"\1\0\1", m3=...),
    "an algorithm that nobody has": keyed(k3=-9_999),
    "an algorithm that is a list": keyed(k3=[-7]),
    "an algorithm that is text": keyed(k3="ES256"),
    "no algorithm": keyed(k3=...),
    "the algorithm none": keyed(k3=0),
    "RSA's algorithm with a key of a curve": keyed(k3=-257),
    "EdDSA with a key of a curve": keyed(k3=-8),
    "a curve's algorithm with RSA's type": keyed(k1=3),
    "another curve": keyed(m1=2),
    "a point beside the curve": keyed(m3=b"\1" * 32),
    "the point at infinity": keyed(m2=bytes(32), m3=bytes(32)),
    "half a point": keyed(m3=...),
    "a point of text": keyed(m2="x" * 32),
    "RSA of 1,024 bits": keyed(k1=3, k3=-257, m1=SMALL_RSA.n.to_bytes(128, "big"), m2=b"\1\0\1", m3=...),
    "RSA whose signatures are their messages": keyed(k1=3, k3=-257, m1=b"\xff" * 256, m2=b"\1", m3=...),
    "an Ed25519 point with which anybody signs": keyed(k1=1, k3=-8, m1=6, m2=b"\1" + bytes(31), m3=...),
    "an Ed25519 point of zeros": keyed(k1=1, k3=-8, m1=6, m2=bytes(32), m3=...),
    "no public key": data(lambda k: data_with(k, b"")),
    "a public key that is a list": data(lambda k: data_with(k, b"\x80")),
    "a public key that nests without end": data(lambda k: data_with(k, b"\xa1\x01" + b"\x81" * 5_000)),
    "a public key of 2**64 pairs": data(lambda k: data_with(k, b"\xbb" + b"\xff" * 8)),
    "a public key cut short": data(lambda k: data_with(k, cbor.encode(k.cose)[:-5])),
    "bytes behind the public key": data(lambda k: data_with(k, cbor.encode(k.cose) + b"\0")),
    "a credential id that is longer than the rest": data(
        lambda k: k.auth_data(UP | UV | AT, attested=bytes(16) + b"\xff\xff" + k.id)
    ),
    "an empty credential id": lambda k, o: k.create(o, credential_id=b"") | {"id": "", "rawId": ""},
    "a credential id of 1,024 bytes": lambda k, o: k.create(o, credential_id=os.urandom(1_024)),
    "another credential than it says": lambda k, o: k.create(o) | {"id": (n := random_id()), "rawId": n},
    "a credential of two names": lambda k, o: k.create(o) | {"id": random_id()},
    "authenticator data cut short": data(lambda k: k.auth_data(UP | UV)[:36]),
    "authenticator data that is text": lambda k, o: attested(k, o, authData="x"),
    "authenticator data that is missing": lambda k, o: attested(k, o, authData=...),
    "no format": lambda k, o: attested(k, o, fmt=...),
    "no statement": lambda k, o: attested(k, o, attStmt=...),
    "an attestation cut short": lambda k, o: attested(
        k, o, whole=unb64(k.create(o)["response"]["attestationObject"])[:-9]
    ),
    "bytes behind the attestation": lambda k, o: attested(
        k, o, whole=unb64(k.create(o)["response"]["attestationObject"]) + b"\0"
    ),
    "CBOR that nests without end": raw(b"\x81" * 9_000),
    "a list of 2**64": raw(b"\x9b" + b"\xff" * 8),
    "bytes of 2**64": raw(b"\x5b" + b"\xff" * 8 + b"x"),
    "a length that is cut short": raw(b"\x5b\xff"),
    "a map whose name is a list": raw(b"\xa1\x80\x00"),
    "text that is no UTF-8": raw(b"\x62\xff\xfe"),
    "CBOR of a kind that is not there": raw(b"\xc0\xdf\xff"),
    "nothing in the attestation": lambda k, o: bent(k.create(o), "response", "attestationObject", to=""),
    "no attestation": lambda k, o: bent(k.create(o), "response", "attestationObject", to=...),
    "an answer to a sign-in": lambda k, o: k.get(o),
    "another type": lambda k, o: bent(k.create(o), "type", to="password"),
    "more than a browser sends": lambda k, o: {**k.create(o), "user": "somebody"},
    "transports that are a number": lambda k, o: bent(k.create(o), "response", "transports", to=1),
    "extensions that are a list": lambda k, o: {**k.create(o), "clientExtensionResults": []},
    "NaN in the extensions": lambda k, o: json.dumps({**k.create(o), "clientExtensionResults": {"x": float("nan")}}),
    "larger than any answer": lambda k, o: json.dumps({**k.create(o), "clientExtensionResults": {"x": "y" * 20_000}}),
    "nothing": lambda k, o: "",
    "a list": lambda k, o: "[]",
    "JSON that nests without end": lambda k, o: "[" * 15_000,
}


@pytest.fixture
def near():
    opened: list[Near] = []

    def open_one() -> Near:
        opened.append(Near())
        return opened[-1]

    yield open_one
    for one in opened:
        one.http.close()


@pytest.mark.asvs("11.6.1")
@pytest.mark.parametrize("attack", BENT)
def test_a_bent_passkey_makes_no_account_and_the_link_still_works(near, link, attack):
    browser = near()
    fields, options = browser.offered(url := link())
    answer = BENT[attack](browser.passkey, options)
    with nothing_done():
        refused = browser.finish(fields, answer)
        assert refused.status_code == 401, refused.text
        assert REFUSED in refused.text
        assert not browser.signed_in()
    honest = near()
    assert honest.join(url).status_code == 302, "who was meant still comes in"


def test_what_surrounds_a_passkey_is_not_stored(near, link):
    from allauth.mfa.models import Authenticator

    browser = near()
    fields, options = browser.offered(link())
    fields["name"] = "\0\u202ework\x1b[31m laptop" + "x" * 100
    made = browser.passkey.create(options)
    made["response"]["transports"] = ["internal", "\0", "carrier pigeon"]
    made["clientExtensionResults"] = {"credProps": {"rk": True}, "x": "\ud800\0"}
    made["authenticatorAttachment"] = "platform"
    assert browser.finish(fields, made).status_code == 302
    stored = Authenticator.objects.get(user_id=browser.passkey.user_handle.decode()).data
    assert stored["name"] == "passkey", "a kind that is to choose, and nothing else"
    assert stored["credential"]["response"]["transports"] == ["internal"]
    assert stored["credential"]["clientExtensionResults"] == {"credProps": {"rk": True}}
    browser.sign_out()
    assert browser.sign_in().status_code == 302


@pytest.mark.asvs("11.6.1")
@pytest.mark.parametrize("algorithm", ["EdDSA", "RS256", "ES384"])
def test_whole_keys_of_other_algorithms_that_were_offered_are_taken(near, link, algorithm):
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from fido2 import cose

    keys = {
        "EdDSA": lambda: EdDSA.from_cryptography_key(Ed25519PrivateKey.generate().public_key()),
        "RS256": lambda: cose.RS256.from_cryptography_key(rsa.generate_private_key(65_537, 2_048).public_key()),
        "ES384": lambda: cose.ES384.from_cryptography_key(ec.generate_private_key(ec.SECP384R1()).public_key()),
    }
    browser = near()
    fields, options = browser.offered(link())
    made = browser.passkey.create(options, cose=dict(keys[algorithm]()))
    assert browser.finish(fields, made).status_code == 302


def test_every_algorithm_that_is_offered_has_its_key_type(near, link):
    from parcelward.doors.portals.accounts.ceremony import KEY_TYPES

    _, options = near().offered(link())
    assert {one["alg"] for one in options["publicKey"]["pubKeyCredParams"]} <= set(KEY_TYPES)
    assert options["publicKey"]["authenticatorSelection"]["userVerification"] == "required"


def test_one_credential_is_never_of_two_accounts(near, link):
    first, second = near(), near()
    first.join(link())
    fields, options = second.offered(link())
    second.passkey.id, second.passkey.key = first.passkey.id, first.passkey.key
    with nothing_done():
        answer = second.finish(fields, second.passkey.create(options))
        assert (answer.status_code, second.signed_in()) == (409, False)
        assert "belongs to an account already" in answer.text
    first.sign_out()
    assert first.sign_in().status_code == 302


def test_a_registration_is_not_answered_twice(near, link):
    browser = near()
    fields, options = browser.offered(link())
    answer = browser.passkey.create(options)
    assert browser.finish(fields, answer).status_code == 302
    browser.sign_out()
    other_fields, _ = browser.offered(link())
    with nothing_done():
        refused = browser.finish(other_fields, answer)
        assert (refused.status_code, browser.signed_in()) == (401, False)


def test_a_passkey_without_an_invitation_opens_nothing(near, link):
    browser = near()
    used = link()
    near().join(used)
    fields, options = browser.offered(link())
    withdrawn = Invitation.objects.latest("made_at")
    actions.withdraw_invitation(withdrawn.id, by=actions.installer())
    answers = [used.partition("#code=")[2], fields["code"], "", "x", "\0", "x" * 5_000]
    with nothing_done():
        for code in answers:
            refused = browser.finish({**fields, "code": code}, browser.passkey.create(options))
            assert (refused.status_code, browser.signed_in()) == (404, False)
            assert "This link opens nothing" in refused.text


def test_a_stranger_who_was_never_offered_anything_is_sent_to_the_beginning(near, link):
    browser = near()
    fields = {"csrfmiddlewaretoken": browser.token("/accounts/join"), "code": link().partition("#code=")[2]}
    with nothing_done():
        answer = browser.finish(fields, "{}")
        assert (answer.status_code, answer.headers["location"]) == (302, "/accounts/join")
    assert not browser.signed_in()


@pytest.mark.asvs("6.4.1")
def test_ten_browsers_with_one_link_make_one_account(near, link):
    url = link()
    ready = []
    for _ in range(10):
        browser = near()
        fields, options = browser.offered(url)
        ready.append((browser, fields, browser.passkey.create(options)))
    before = User.objects.count(), PasskeyRow.objects.count()
    answers = at_once(*(lambda b=b, f=f, a=a: b.finish(f, a).status_code for b, f, a in ready))
    assert sorted(answers) == [302] + [404] * 9
    assert (User.objects.count(), PasskeyRow.objects.count()) == (before[0] + 1, before[1] + 1)
    assert sum(browser.signed_in() for browser, _, _ in ready) == 1


def test_one_page_with_two_links_makes_one_account(near, link):
    browser = near()
    first, options = browser.offered(link())
    second = {**first, "code": link().partition("#code=")[2]}
    answer = browser.passkey.create(options)
    before = User.objects.count(), PasskeyRow.objects.count()
    said = at_once(*(lambda f=f: browser.finish(f, answer).status_code for f in (first, second) * 4))
    assert said.count(302) >= 1
    assert max(said) < 500
    assert (User.objects.count(), PasskeyRow.objects.count()) == (before[0] + 1, before[1] + 1)


def test_two_who_were_invited_under_one_id_are_one_account(near):
    operator, login = Organisation.objects.get(kind="operator").id, f"twice-{os.urandom(4).hex()}"
    made = [actions.invite(operator, Role.SORTER, by=actions.installer(), login=login) for _ in range(2)]
    first, second = (f"{HERE}/accounts/join#code={code}" for _id, code in made)
    assert near().join(first).status_code == 302
    with nothing_done():
        refused = near().join(second)
        assert refused.status_code == 409
        assert "taken" in refused.text


@pytest.mark.parametrize(
    "attack", ["nobody was verified", "origin: another host", "RSA's algorithm with a key of a curve"]
)
def test_a_bent_passkey_is_not_added_to_an_account(near, link, attack):
    browser = near()
    browser.join(link())
    page = browser.http.get("/app/account/passkeys/add")
    other = Passkey(HERE)
    with nothing_done():
        answer = browser.post(
            "/app/account/passkeys/add",
            "/app/account",
            credential=json.dumps(BENT[attack](other, options_in(page.text))),
        )
        assert (answer.status_code, REFUSED in answer.text) == (401, True)
    browser.sign_out()
    assert browser.sign_in().status_code == 302


@pytest.mark.asvs("7.5.1")
def test_a_passkey_is_added_only_with_a_fresh_proof(near, link):
    from datetime import timedelta

    from parcelward.people.models import SignedIn

    browser = near()
    browser.join(link())
    options = options_in(browser.http.get("/app/account/passkeys/add").text)
    mine = SignedIn.objects.get(user=browser.passkey.user_handle.decode())
    SignedIn.objects.filter(id=mine.id).update(proved_at=mine.proved_at - timedelta(minutes=11))
    with nothing_done():
        made = Passkey(HERE).create(options)
        answer = browser.post("/app/account/passkeys/add", "/app/account", credential=json.dumps(made))
        assert (answer.status_code, answer.headers["location"][:18]) == (302, "/app/account/prove")
