"""A forged, borrowed, bent or copied passkey opens nothing: each way in is refused in the same words."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from tests.attacks.passkey_door import REFUSED, Near, bent, nothing_done, random_id, shape, signed_over
from tests.passkey import AT, BE, BS, UP, UV, Passkey, b64, unb64

from parcelward.base import config
from parcelward.people import actions
from parcelward.people.models import Passkey as PasskeyRow

Bend = Callable[[Passkey, dict[str, Any]], Any]
HERE = config.get().public_url
PORT = urlsplit(HERE).port
OTHER_KEY = ec.generate_private_key(ec.SECP256R1())


def twice(text: str, name: str, value: str) -> str:
    """Return JSON that says a field twice: first what it said, then `value`."""
    return text[:-1] + f', "{name}": {value}}}'


def client(key: Passkey, options: dict[str, Any], **said: Any) -> dict[str, Any]:
    """Return an answer whose client data is bent and rightly signed."""
    whole = json.loads(key.client_data("webauthn.get", options["publicKey"]["challenge"]))
    whole = {name: value for name, value in {**whole, **said}.items() if value is not ...}
    return signed_over(key, options, said=json.dumps(whole).encode())


def cut(answer: dict[str, Any], field: str, by: int) -> dict[str, Any]:
    return bent(answer, "response", field, to=b64(unb64(answer["response"][field])[:by]))


def flipped(answer: dict[str, Any], field: str, at: int) -> dict[str, Any]:
    raw = bytearray(unb64(answer["response"][field]))
    raw[at] ^= 1
    return bent(answer, "response", field, to=b64(bytes(raw)))


def from_origin(at: Any) -> Bend:
    return lambda key, options: client(key, options, origin=at)


ORIGINS: dict[str, Any] = {
    "another host": "http://evil.example",
    "another port": f"http://localhost:{(PORT or 80) + 1}",
    "no port": "http://localhost",
    "https for http": HERE.replace("http:", "https:"),
    "a slash at the end": f"{HERE}/",
    "a subdomain": HERE.replace("://", "://login."),
    "a name that begins like ours": HERE.replace("localhost", "localhost.evil.example"),
    "our host as a user name": "http://localhost@evil.example",
    "capital letters": HERE.replace("localhost", "LOCALHOST"),
    "null": "null",
    "an app": "android:apk-key-hash:AAAA",
    "nothing": "",
    "a number": 1,
    "a list": [HERE],
    "no origin": ...,
}
BENT: dict[str, Bend] = {
    **{f"origin: {name}": from_origin(at) for name, at in ORIGINS.items()},
    "in another site's frame": lambda k, o: client(k, o, crossOrigin=True),
    "perhaps in another site's frame": lambda k, o: client(k, o, crossOrigin="false"),
    "below another site": lambda k, o: client(k, o, topOrigin="https://evil.example"),
    "below ourselves, framed": lambda k, o: client(k, o, topOrigin=HERE),
    "with a token binding": lambda k, o: client(k, o, tokenBinding={"status": "present", "id": "AAAA"}),
    "type: create for get": lambda k, o: client(k, o, type="webauthn.create"),
    "type: payment": lambda k, o: client(k, o, type="payment.get"),
    "type: none": lambda k, o: client(k, o, type=...),
    "another relying party": lambda k, o: k.get(o, rp_id="evil.example"),
    "a relying party above ours": lambda k, o: k.get(o, rp_id="host"),
    "nobody was present": lambda k, o: k.get(o, flags=UV),
    "nobody was verified": lambda k, o: k.get(o, flags=UP),
    "no flags": lambda k, o: k.get(o, flags=0),
    "backed up, and not eligible for it": lambda k, o: k.get(o, flags=UP | UV | BS),
    "eligible for backup all at once": lambda k, o: k.get(o, flags=UP | UV | BE),
    "a challenge never given": lambda k, o: k.get(o, challenge=random_id()),
    "an empty challenge": lambda k, o: k.get(o, challenge=""),
    "no challenge": lambda k, o: client(k, o, challenge=...),
    "a challenge that is a number": lambda k, o: client(k, o, challenge=1),
    "the challenge with more behind it": lambda k, o: k.get(o, challenge=o["publicKey"]["challenge"] + "AAAA"),
    "another key": lambda k, o: k.get(o, key=OTHER_KEY),
    "a signature cut short": lambda k, o: cut(k.get(o), "signature", -1),
    "no signature": lambda k, o: bent(k.get(o), "response", "signature", to=""),
    "one bit of the signature": lambda k, o: flipped(k.get(o), "signature", 20),
    "a signature over other client data": lambda k, o: bent(
        k.get(o), "response", "clientDataJSON", to=k.get(o, extra="x")["response"]["clientDataJSON"]
    ),
    "a signature over other authenticator data": lambda k, o: flipped(k.get(o), "authenticatorData", 36),
    "a counter raised after signing": lambda k, o: flipped(k.get(o), "authenticatorData", 33),
    "authenticator data cut short": lambda k, o: signed_over(k, o, data=k.auth_data(UP | UV)[:20]),
    "authenticator data with bytes behind it": lambda k, o: signed_over(k, o, data=k.auth_data(UP | UV) + b"\0"),
    "extensions that are cut short": lambda k, o: signed_over(k, o, data=k.auth_data(UP | UV | 0x80) + b"\xbb\0"),
    "extensions that nest without end": lambda k, o: signed_over(
        k, o, data=k.auth_data(UP | UV | 0x80) + b"\x81" * 5_000 + b"\0"
    ),
    "a list of 2**64 extensions": lambda k, o: signed_over(
        k, o, data=k.auth_data(UP | UV | 0x80) + b"\x9b" + b"\xff" * 8
    ),
    "an attested key that is cut short": lambda k, o: signed_over(
        k, o, data=k.auth_data(UP | UV | AT) + bytes(16) + struct.pack(">H", 65_535) + b"x"
    ),
    "an unknown credential": lambda k, o: {**k.get(o), "id": (name := random_id()), "rawId": name},
    "a credential of two names": lambda k, o: bent(k.get(o), "id", to=random_id()),
    "no credential id": lambda k, o: bent(bent(k.get(o), "id", to=...), "rawId", to=...),
    "an empty user handle": lambda k, o: bent(k.get(o), "response", "userHandle", to=""),
    "no user handle": lambda k, o: bent(k.get(o), "response", "userHandle", to=...),
    "a user handle that is null": lambda k, o: bent(k.get(o), "response", "userHandle", to=None),
    "an unknown user handle": lambda k, o: k.get(o, handle=b"6b1f3a4e-0000-4000-8000-000000000000"),
    "a user handle that is no id": lambda k, o: k.get(o, handle=b"' OR 1=1 --"),
    "a user handle with NUL": lambda k, o: k.get(o, handle=k.user_handle + b"\0"),
    "a user handle that is not text": lambda k, o: k.get(o, handle=b"\xff\xfe\xfd"),
    "the user handle in another spelling": lambda k, o: k.get(o, handle=b"{" + k.user_handle + b"}"),
    "another type": lambda k, o: bent(k.get(o), "type", to="password"),
    "no response": lambda k, o: bent(k.get(o), "response", to=...),
    "a response that is a list": lambda k, o: bent(k.get(o), "response", to=[]),
    "an answer to registration": lambda k, o: {**k.get(o), "response": {"attestationObject": "oA"}},
    "more than a browser sends": lambda k, o: {**k.get(o), "is_admin": True},
    "fields said twice": lambda k, o: twice(json.dumps(k.get(o)), "type", '"public-key"'),
    "client data that says its origin twice": lambda k, o: signed_over(
        k,
        o,
        said=twice(
            json.dumps({**json.loads(k.client_data("webauthn.get", o["publicKey"]["challenge"])), "origin": "null"}),
            "origin",
            json.dumps(HERE),
        ).encode(),
    ),
    "client data in UTF-16": lambda k, o: signed_over(
        k, o, said=k.client_data("webauthn.get", o["publicKey"]["challenge"]).decode().encode("utf-16")
    ),
    "client data that is no UTF-8": lambda k, o: signed_over(
        k, o, said=k.client_data("webauthn.get", o["publicKey"]["challenge"])[:-1] + b', "x": "\xff"}'
    ),
    "client data that is a list": lambda k, o: signed_over(k, o, said=b"[]"),
    "client data that is null": lambda k, o: signed_over(k, o, said=b"null"),
    "client data that nests without end": lambda k, o: signed_over(k, o, said=b"[" * 9_000),
    "base64 with garbage in it": lambda k, o: bent(
        (a := k.get(o)),
        "response",
        "signature",
        to=a["response"]["signature"][:8] + "!\n" + a["response"]["signature"][8:],
    ),
    "base64 of the other alphabet": lambda k, o: bent(
        (a := k.get(o)), "response", "signature", to="+/" + a["response"]["signature"][2:]
    ),
    "base64 that is not ASCII": lambda k, o: bent(k.get(o), "response", "signature", to="ünïcödé"),
    "not JSON": lambda k, o: "x",
    "nothing": lambda k, o: "",
    "null": lambda k, o: "null",
    "a number": lambda k, o: "1",
    "a list": lambda k, o: "[]",
    "NaN": lambda k, o: "NaN",
    "an empty object": lambda k, o: "{}",
    "JSON that nests without end": lambda k, o: "[" * 15_000,
    "a number of 5,000 digits": lambda k, o: '{"response": ' + "9" * 5_000 + "}",
    "NUL in the JSON": lambda k, o: json.dumps(k.get(o)) + "\0",
    "half a surrogate pair": lambda k, o: json.dumps({**k.get(o), "id": "\ud800"}),
    "larger than any answer": lambda k, o: json.dumps(k.get(o)) + " " * 20_000,
}
FIELDS = (
    ("id",),
    ("rawId",),
    ("type",),
    ("response",),
    *(("response", name) for name in ("clientDataJSON", "authenticatorData", "signature", "userHandle")),
)
WRONG: tuple[Any, ...] = (0, 1, 1.5, True, False, [], {}, [[]], {"x": 1}, "", "A", ["AAAA"])


@pytest.fixture
def mine(link):
    """Somebody who has joined with a passkey and signed out, in a browser of their own."""
    browser = Near()
    joined = browser.join(link())
    assert joined.status_code == 302, joined.text
    browser.sign_out()
    yield browser
    browser.http.close()


@pytest.fixture(scope="module")
def refusal(installation):
    """What the plainest refusal looks like: an answer that says nothing."""
    browser = Near()
    browser.options()
    answer = browser.answer("{}")
    assert (answer.status_code, REFUSED in answer.text) == (401, True), answer.text
    return shape(answer)


def refused(browser: Near, answer: Any, refusal: tuple[int, str]) -> None:
    said = browser.answer(answer)
    assert shape(said) == refusal
    assert not browser.signed_in()


@pytest.mark.asvs("6.3.3")
@pytest.mark.parametrize("attack", BENT)
def test_a_bent_answer_opens_nothing(mine, refusal, attack):
    options = mine.options()
    answer = BENT[attack](mine.passkey, options)
    with nothing_done():
        refused(mine, answer, refusal)
    mine.passkey.count += 5
    assert mine.sign_in().status_code == 302, "the real passkey still does"
    assert mine.signed_in()


@pytest.mark.asvs("15.3.5")
@pytest.mark.parametrize("path", FIELDS, ids="/".join)
def test_a_field_of_another_type_or_none_opens_nothing(mine, refusal, path):
    with nothing_done():
        for wrong in (*WRONG, None, ...):
            refused(mine, bent(mine.passkey.get(mine.options()), *path, to=wrong), refusal)
    assert mine.sign_in().status_code == 302


@pytest.mark.asvs("16.3.3")
@pytest.mark.parametrize("count", [0, 4, 5], ids=["starting over", "lower", "the same"])
def test_a_copied_passkey_is_noticed_by_its_count(mine, count):
    mine.passkey.count = 5
    mine.answer(mine.passkey.get(mine.options(), count=5))
    mine.sign_out()
    with nothing_done():
        answer = mine.answer(mine.passkey.get(mine.options(), count=count))
        assert (answer.status_code, mine.signed_in()) == (401, False)
        assert "may have been copied" in answer.text
    assert mine.answer(mine.passkey.get(mine.options(), count=6)).status_code == 302


def test_a_passkey_that_never_counts_signs_in_each_time(mine):
    for _ in range(2):
        assert mine.answer(mine.passkey.get(mine.options(), count=0)).status_code == 302
        mine.sign_out()


def test_somebody_elses_credential_with_ones_own_signature_opens_nothing(mine, refusal, link):
    other = Near()
    other.join(link())
    other.sign_out()
    theirs = b64(other.passkey.id)
    with nothing_done():
        for handle in (other.passkey.user_handle, mine.passkey.user_handle):
            answer = mine.passkey.get(mine.options(), handle=handle)
            refused(mine, {**answer, "id": theirs, "rawId": theirs}, refusal)
    assert other.sign_in().status_code == mine.sign_in().status_code == 302


def test_ones_own_passkey_under_somebody_elses_handle_opens_nothing(mine, refusal, link):
    other = Near()
    other.join(link())
    with nothing_done():
        refused(mine, mine.passkey.get(mine.options(), handle=other.passkey.user_handle), refusal)
    assert mine.sign_in().status_code == 302


def test_a_locked_account_is_told_from_no_other(mine, refusal):
    from parcelward.people.models import User

    login = User.objects.get(id=mine.passkey.user_handle.decode()).login
    actions.lock_person(login, by=actions.installer())
    with nothing_done():
        refused(mine, mine.passkey.get(mine.options()), refusal)
    actions.unlock_person(login, by=actions.installer())
    assert mine.sign_in().status_code == 302


def test_a_key_exchanged_in_the_database_opens_nothing(mine):
    from allauth.mfa.models import Authenticator

    thief = Passkey(HERE)
    thief.id = mine.passkey.id
    options = {"publicKey": {"user": {"id": b64(mine.passkey.user_handle)}, "challenge": random_id()}}
    row = Authenticator.objects.get(user_id=mine.passkey.user_handle.decode())
    kept = row.data["credential"]
    row.data["credential"] = thief.create(options)
    row.save()
    with nothing_done():
        answer = mine.answer(thief.get(mine.options()))
        assert (answer.status_code, mine.signed_in()) == (401, False)
    row.data["credential"] = kept
    row.save()
    assert mine.sign_in().status_code == 302


def test_a_passkey_moved_to_another_account_in_the_database_opens_nothing(mine, link):
    from allauth.mfa.models import Authenticator

    thief = Near()
    thief.join(link())
    thief.sign_out()
    row = PasskeyRow.objects.get(user_id=thief.passkey.user_handle.decode()).authenticator
    Authenticator.objects.filter(id=row.id).update(user_id=mine.passkey.user_handle.decode())
    with nothing_done():
        answer = thief.answer(thief.passkey.get(thief.options(), handle=mine.passkey.user_handle))
        assert (answer.status_code, thief.signed_in()) == (401, False)
    Authenticator.objects.filter(id=row.id).update(user_id=thief.passkey.user_handle.decode())
    assert thief.sign_in().status_code == mine.sign_in().status_code == 302
