"""Our few lines of RFC 9421 against an independent implementation, and the table of who may do what."""

from __future__ import annotations

import base64
import datetime as dt
import random
import time
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from http_message_signatures import HTTPMessageSigner, HTTPMessageVerifier, HTTPSignatureKeyResolver, algorithms
from tests.scanner import SEED

from parcelward.base import ed25519
from parcelward.custody.wire import pack_signed, unpack_signed
from parcelward.doors.simulator import signing
from parcelward.people import roles, rules
from parcelward.people.errors import BadSignature, MayNot
from parcelward.people.wire import CERTIFIED, Person, Role, Task

KEY = Ed25519PrivateKey.generate()
COVERED = ("@method", "@path", "content-digest", "device-sequence")
URL = "http://post.example/api/v1/scans"


class OneKey(HTTPSignatureKeyResolver):
    def resolve_private_key(self, key_id):
        return KEY

    def resolve_public_key(self, key_id):
        return KEY.public_key()


def request(body, headers):
    return SimpleNamespace(method="POST", url=URL, headers=headers, body=body, content=body)


@pytest.mark.parametrize("nth", range(20))
def test_what_our_devices_sign_another_implementation_verifies(nth):
    rng = random.Random(SEED + nth)
    body = rng.randbytes(rng.choice((0, 1, 500)))
    headers = signing.headers(KEY, key_id="dev-oracle", body=body, sequence=nth + 1, created=int(time.time()))
    verifier = HTTPMessageVerifier(signature_algorithm=algorithms.ED25519, key_resolver=OneKey())
    found = verifier.verify(request(body, headers), max_age=dt.timedelta(minutes=5), body=body)
    assert [*found[0].covered_components] == [*(f'"{name}"' for name in COVERED), '"@signature-params"']


@pytest.mark.parametrize("nth", range(20))
def test_what_another_implementation_signs_we_verify(nth):
    rng = random.Random(SEED + nth)
    body, now = rng.randbytes(rng.choice((0, 1, 500))), int(time.time())
    sent = request(body, {"Content-Digest": signing.content_digest(body), "Device-Sequence": str(nth + 1)})
    signer = HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=OneKey())
    signer.sign(
        sent,
        key_id="dev-oracle",
        created=dt.datetime.fromtimestamp(now, dt.UTC),
        label="sig1",
        covered_component_ids=COVERED,
        body=body,
        use_existing_digest=True,
    )
    headers = {name.lower(): value for name, value in sent.headers.items()}
    signed = rules.parse_signature(method="POST", path="/api/v1/scans", headers=headers, body=body)
    assert (signed.key_id, signed.created_s, signed.sequence) == ("dev-oracle", now, nth + 1)
    KEY.public_key().verify(signed.signature, signed.base)  # raises when the bases differ
    rules.require_fresh(signed, now_s=now)


def test_what_was_signed_is_made_again_from_the_few_values_that_are_kept():
    headers = signing.headers(KEY, key_id="dev-oracle", body=b"[]", sequence=7, created=1_800_000_000)
    lower = {name.lower(): value for name, value in headers.items()}
    signed = rules.parse_signature(method="POST", path="/api/v1/scans", headers=lower, body=b"[]")
    (kept,) = unpack_signed(pack_signed([(3, signed.sequence, signed.created_s, signed.digest, signed.signature)]))
    KEY.public_key().verify(kept.signature, kept.base("dev-oracle").encode())
    assert kept.base("dev-oracle").encode() == signed.base


def test_two_spellings_of_one_value_would_be_signed_otherwise_than_they_are_kept():
    """So only the one spelling is taken: base64 whose spare bits are zero, a time without zeros in front."""
    body = b"[]"
    headers = signing.headers(KEY, key_id="dev-oracle", body=body, sequence=7, created=1_800_000_000)
    digest = headers["Content-Digest"]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    spare = digest[:-3] + alphabet[alphabet.index(digest[-3]) + 1] + digest[-2:]
    assert base64.b64decode(spare[9:-1]) == base64.b64decode(digest[9:-1])
    for name, value in (
        ("Content-Digest", spare),
        ("Signature-Input", headers["Signature-Input"].replace("=1800000000", "=01800000000")),
    ):
        lower = {each.lower(): text for each, text in (headers | {name: value}).items()}
        with pytest.raises(BadSignature) as caught:
            rules.parse_signature(method="POST", path="/api/v1/scans", headers=lower, body=body)
        assert caught.value.code in {"bad_digest", "bad_signature_input"}


@pytest.mark.asvs("9.2.1")
@pytest.mark.parametrize("apart_s", [-301, 301])
def test_a_signature_of_another_time_is_not_fresh(apart_s):
    headers = signing.headers(KEY, key_id="dev-oracle", body=b"", sequence=1, created=1_800_000_000)
    lower = {name.lower(): value for name, value in headers.items()}
    signed = rules.parse_signature(method="POST", path="/api/v1/scans", headers=lower, body=b"")
    rules.require_fresh(signed, now_s=1_800_000_000 + apart_s - apart_s // abs(apart_s))
    with pytest.raises(BadSignature) as caught:
        rules.require_fresh(signed, now_s=1_800_000_000 + apart_s)
    assert caught.value.code == "signature_too_old"


@pytest.mark.asvs("11.6.1")
def test_only_points_of_small_order_are_weak_keys():
    """The eight points of small order (their y in RFC 8032's form), whatever the sign bit; and no real key."""
    order_8 = bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")
    p = 2**255 - 19
    weak = {0, 1, p - 1, p, p + 1, int.from_bytes(order_8, "little"), p - int.from_bytes(order_8, "little")}
    for y in weak:
        for sign in (0, 1 << 255):
            with pytest.raises(ValueError, match="not an Ed25519 public key"):
                ed25519.PublicKey((y | sign).to_bytes(32, "little"))
    for _ in range(200):
        ed25519.PublicKey(Ed25519PrivateKey.generate().public_key().public_bytes_raw())


def test_with_a_weak_key_anybody_could_sign():
    """Why such keys are refused: OpenSSL accepts this forgery, made without any private key."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    neutral = (1).to_bytes(32, "little")
    Ed25519PublicKey.from_public_bytes(neutral).verify(neutral + bytes(32), b"whatever anybody wants")


@pytest.mark.asvs("8.1.1")
@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("task", list(Task))
def test_every_role_may_do_what_the_table_says_and_nothing_else(role, task):
    person = Person(id=None, role=role, source=1, name="x")  # type: ignore[arg-type]  # not asked for here
    if task in roles.MAY[role] and task in CERTIFIED:
        with pytest.raises(ValueError, match="certificate"):
            roles.require(person, task)
    elif task in roles.MAY[role]:
        roles.require(person, task)
    else:
        with pytest.raises(MayNot):
            roles.require(person, task)


@pytest.mark.asvs("8.1.1")
def test_nobody_holds_too_much():
    """The cells that matter most, by hand: a change of the table has to be meant."""
    who = {task: {role for role in Role if task in roles.MAY[role]} for task in Task}
    assert who[Task.SCAN] == {Role.DEVICE, Role.PARTNER}
    assert roles.MAY[Role.DEVICE] == {Task.SCAN, Task.OPEN_LABEL}
    assert who[Task.MANAGE_PEOPLE] == who[Task.CHANGE_ROLES] == who[Task.MANAGE_ORGANISATIONS] == {Role.ADMINISTRATOR}
    assert who[Task.BACK_UP] == who[Task.TURN_SECRETS] == {Role.ADMINISTRATOR}
    assert who[Task.MANAGE_KEYS] == {Role.ADMINISTRATOR, Role.SENDER_ADMIN}
    assert who[Task.ENROL_DEVICE] == {Role.ADMINISTRATOR, Role.HUB_AGENT}
    assert who[Task.READ_TRAIL] == {Role.ADMINISTRATOR, Role.AUDITOR}
    assert who[Task.PROVE_OTHERS] == {Role.CLERK}
    assert who[Task.DISCLOSE] == {Role.INSPECTOR}
    assert Role.ADMINISTRATOR not in who[Task.REVEAL] | who[Task.FIND_PERSON]
    assert who[Task.CORRECT] == who[Task.HOLD] == {Role.ADMINISTRATOR, Role.INSPECTOR}
