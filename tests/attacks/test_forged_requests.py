"""Who sends must be who signs: every altered, borrowed, stale or revoked proof is refused, and nothing is recorded."""

from __future__ import annotations

import base64
import hashlib
import json
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.attacks.untouched import untouched
from tests.scanner import Scanner, event, new_number, public_key

from parcelward.doors.simulator import signing

OTHER_KEY = Ed25519PrivateKey.generate()


@pytest.fixture(scope="module")
def scanner(installation, facilities):
    scanner = Scanner(installation, name="honest scanner")
    scanner.send(event(new_number(), "accepted"))  # the server has seen it: its key is in memory
    return scanner


@pytest.fixture(scope="module")
def other(installation, facilities):
    return Scanner(installation, name="another scanner")


def signed(scanner, body, **changed):
    """Return a request's headers; what is `changed` is what was signed, not what is sent."""
    given = {"key_id": scanner.key_id, "sequence": scanner.sequence + 1, "created": int(time.time()), **changed}
    return signing.headers(changed.pop("key", scanner.key), body=body, **{k: v for k, v in given.items() if k != "key"})


def body_of(events):
    return json.dumps(events).encode()


def send(scanner, body, headers, path="/api/v1/scans"):
    return httpx.post(f"{scanner.url}{path}", content=body, headers=headers, timeout=60)


def otherwise(headers, name, old, new):
    assert old in headers[name]
    return {**headers, name: headers[name].replace(old, new)}


def without(headers, name):
    return {key: value for key, value in headers.items() if key != name}


def twisted(headers):
    """Return the headers with one bit of the signature turned."""
    raw = bytearray(base64.b64decode(headers["Signature"][6:-1]))
    raw[5] ^= 1
    return {**headers, "Signature": f"sig1=:{base64.b64encode(raw).decode()}:"}


FORGERIES = {
    "another key": (lambda s, b: signed(s, b, key=OTHER_KEY), "bad_signature"),
    "one bit of the signature": (lambda s, b: twisted(signed(s, b)), "bad_signature"),
    "another body, its own digest": (
        lambda s, b: {**signed(s, b"[]"), "Content-Digest": signing.content_digest(b)},
        "bad_signature",
    ),
    "another body": (lambda s, b: signed(s, b"[]"), "bad_digest"),
    "another sequence": (lambda s, b: {**signed(s, b), "Device-Sequence": "900"}, "bad_signature"),
    "another path": (lambda s, b: signed(s, b, path="/api/v1/devices"), "bad_signature"),
    "a query in the signed path": (lambda s, b: signed(s, b, path="/api/v1/scans?x=1"), "bad_signature"),
    "another method": (lambda s, b: signed(s, b, method="PUT"), "bad_signature"),
    "a component fewer": (
        lambda s, b: otherwise(signed(s, b), "Signature-Input", ' "device-sequence"', ""),
        "bad_signature_input",
    ),
    "a component more": (
        lambda s, b: otherwise(signed(s, b), "Signature-Input", '"@path"', '"@path" "@authority"'),
        "bad_signature_input",
    ),
    "components in another order": (
        lambda s, b: otherwise(signed(s, b), "Signature-Input", '"@method" "@path"', '"@path" "@method"'),
        "bad_signature_input",
    ),
    "another algorithm": (
        lambda s, b: otherwise(signed(s, b), "Signature-Input", "ed25519", "hmac-sha256"),
        "bad_signature_input",
    ),
    "no algorithm": (
        lambda s, b: otherwise(signed(s, b), "Signature-Input", ';alg="ed25519"', ""),
        "bad_signature_input",
    ),
    "signed ten minutes ago": (lambda s, b: signed(s, b, created=int(time.time()) - 600), "signature_too_old"),
    "signed in ten minutes": (lambda s, b: signed(s, b, created=int(time.time()) + 600), "signature_too_old"),
    "a stale signature made fresh": (
        lambda s, b: otherwise(
            signed(s, b, created=1_700_000_000), "Signature-Input", "1700000000", str(int(time.time()))
        ),
        "bad_signature",
    ),
    "an unknown device": (lambda s, b: signed(s, b, key_id="dev-0123456789abcdef0123"), "unknown_device"),
    "no digest": (lambda s, b: without(signed(s, b), "Content-Digest"), "bad_digest"),
    "no sequence": (lambda s, b: without(signed(s, b), "Device-Sequence"), "bad_sequence"),
    "no signature": (lambda s, b: without(signed(s, b), "Signature"), "bad_signature_header"),
    "no signature at all": (lambda s, b: {}, "not_known"),
    "a signature of nothing": (
        lambda s, b: {**signed(s, b), "Signature": f"sig1=:{base64.b64encode(bytes(64)).decode()}:"},
        "bad_signature",
    ),
    "sequence zero": (lambda s, b: signed(s, b, sequence=0), "bad_sequence"),
    "a sequence beyond what JSON holds": (lambda s, b: signed(s, b, sequence=2**53), "bad_sequence"),
    "a weaker digest": (
        lambda s, b: {
            **signed(s, b),
            "Content-Digest": f"md5=:{base64.b64encode(hashlib.md5(b).digest()).decode()}:",
        },
        "bad_digest",
    ),
}


@pytest.mark.asvs("9.1.1", "9.1.2")
@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_request_is_refused(scanner, number, forgery):
    body = scanner.body([event(number, "accepted")])
    make, code = FORGERIES[forgery]
    with untouched():
        answer = send(scanner, body, make(scanner, body))
        assert (answer.status_code, answer.json()["code"]) == (401, code)
        assert "WWW-Authenticate" in answer.headers


@pytest.mark.asvs("9.1.3")
def test_another_devices_signature_is_not_mine(scanner, other, number):
    body = scanner.body([event(number, "accepted")])
    with untouched():
        answer = send(scanner, body, signed(other, body, key_id=scanner.key_id))
        assert (answer.status_code, answer.json()["code"]) == (401, "bad_signature")


@pytest.mark.asvs("15.3.7", "4.2.1")
def test_a_header_that_comes_twice_is_refused(scanner, number):
    body = scanner.body([event(number, "accepted")])
    headers = [*signed(scanner, body).items(), ("Device-Sequence", "77")]
    with untouched():
        answer = httpx.post(f"{scanner.url}/api/v1/scans", content=body, headers=headers, timeout=60)
        assert answer.status_code == 401


@pytest.mark.asvs("9.2.2", "9.2.3")
def test_a_signed_request_does_not_open_another_address(scanner):
    body = b'{"name": "x", "public_key_ed25519_base64": ""}'
    with untouched():
        headers = {**signed(scanner, body, path="/api/v1/devices"), "Content-Type": "application/json"}
        assert send(scanner, body, headers, path="/api/v1/devices").status_code == 401


@pytest.mark.asvs("9.1.1")
def test_a_sequence_replayed_with_another_body_is_refused(scanner, number):
    scanner.send(event(number, "accepted"))
    body = scanner.body([event(number, "delivered", minutes=5)])
    with untouched():
        answer = scanner.post(body, sequence=scanner.sequence)
        assert (answer.status_code, answer.json()["code"]) == (409, "sequence_reused")


def test_a_sequence_behind_the_window_is_refused(installation, facilities, number):
    scanner = Scanner(installation)
    scanner.post(scanner.body([event(number, "accepted")]), sequence=5_000)
    late = scanner.body([event(number, "left_sorting", minutes=1)])
    with untouched():
        answer = scanner.post(late, sequence=5_000 - 1_024)
        assert (answer.status_code, answer.json()["code"]) == (409, "sequence_too_old")
    assert scanner.post(late, sequence=5_000 - 1_023).json()["accepted"] == 1, "the window's edge is inside"


@pytest.mark.asvs("8.2.1")
def test_a_revoked_devices_next_batch_is_refused_by_every_web_worker(installation, facilities, number):
    scanner = Scanner(installation)
    first = scanner.body([event(number, "accepted")])
    with ThreadPoolExecutor(8) as pool:  # each web worker has the device's key in memory
        bodies = [scanner.body([event(new_number(), "accepted")]) for _ in range(8)]
        for answer in pool.map(lambda n: scanner.post(bodies[n], sequence=n + 1), range(8)):
            assert answer.status_code == 200
    scanner.sequence = 8
    httpx.delete(
        f"{installation.url}/api/v1/devices/{scanner.device_id}", headers=installation.headers, timeout=30
    ).raise_for_status()
    with untouched():
        for sequence in range(9, 17):
            answer = scanner.post(first, sequence=sequence)
            assert (answer.status_code, answer.json()["code"]) == (401, "revoked")
        assert scanner.post(bodies[0], sequence=1).status_code == 401, "not even for an answer that was given before"


def test_a_revoked_api_key_is_refused(installation, facilities, number):
    from parcelward.people import actions
    from parcelward.people.models import ApiKey
    from parcelward.people.wire import Role

    token = actions.make_key("partner", Role.PARTNER, by=actions.installer(), mode="test")
    body = body_of([event(number, "accepted")])

    def post(token):
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.post(f"{installation.url}/api/v1/scans", content=body, headers=headers, timeout=60)

    assert post(token).status_code == 200
    actions.revoke_key(ApiKey.objects.latest("created_at").id, by=actions.installer())
    with untouched():
        for wrong in (token, token[:-1], "x", "x" * 5_000):
            assert post(wrong).status_code == 401


@pytest.mark.asvs("8.2.1")
def test_an_administrators_key_may_not_scan_and_a_partners_not_administrate(installation, facilities, number):
    from parcelward.people import actions
    from parcelward.people.wire import Role

    body = body_of([event(number, "accepted")])
    partner = actions.make_key("partner", Role.PARTNER, by=actions.installer(), mode="test")
    theirs = {"Authorization": f"Bearer {partner}", "Idempotency-Key": str(uuid.uuid4())}
    device = {"name": "x", "public_key_ed25519_base64": base64.b64encode(public_key()).decode()}
    place = {"name": "x", "kind": "hub", "country": "US", "time_zone": "UTC", "coarse_place": "x"}
    with untouched():
        mine = httpx.post(f"{installation.url}/api/v1/scans", content=body, headers=installation.headers, timeout=60)
        assert (mine.status_code, mine.json()["code"]) == (403, "may_not")
        for method, path, sent in (
            ("POST", "/api/v1/devices", device),
            ("PUT", "/api/v1/facilities/TEST-A", place),
            ("PUT", "/api/v1/lanes/TEST-A/TEST-B", {"usual_duration_s": 60}),
            ("DELETE", f"/api/v1/devices/{uuid.uuid4()}", None),
        ):
            answer = httpx.request(method, f"{installation.url}{path}", json=sent, headers=theirs, timeout=30)
            assert answer.status_code == 403, path
            assert httpx.request(method, f"{installation.url}{path}", json=sent, timeout=30).status_code == 401, path


@pytest.mark.asvs("8.2.2", "8.4.1")
def test_a_partner_may_not_correct_what_another_saw(installation, scanner, number):
    from parcelward.parcels.models import ItemStatus
    from parcelward.parcels.queries import find
    from parcelward.people import actions
    from parcelward.people.wire import Role

    delivered = event(number, "delivered", minutes=10)
    scanner.send(event(number, "accepted"), delivered)
    found = find(number)
    assert found is not None
    before = ItemStatus.objects.get(item=found)
    token = actions.make_key("partner", Role.PARTNER, by=actions.installer(), mode="test")
    corrects = {"event_id": delivered["event_id"], "declares": "did_not_occur", "reason": "wrong_item"}
    body = body_of([event(number, "delivered", minutes=20, corrects=corrects)])
    httpx.post(
        f"{installation.url}/api/v1/scans", content=body, headers={"Authorization": f"Bearer {token}"}, timeout=60
    )
    after = ItemStatus.objects.get(item=found)
    assert (after.step, after.step_time) == (before.step, before.step_time), "the delivery stands"
    shown = httpx.get(f"{installation.url}/api/v1/items/{number}/events", timeout=30).json()
    assert not any(line["corrected"] for line in shown)


@pytest.mark.asvs("11.6.1")
@pytest.mark.parametrize("y", [0, 1, 2**255 - 20, 2**255 - 19, 2**255 - 18, 2**255 - 1 - 2**255 + 2**255 - 18])
def test_a_key_with_which_anybody_could_sign_is_not_enrolled(installation, y):
    for sign in (0, 1):
        key = (y % 2**255 | sign << 255).to_bytes(32, "little")
        with untouched():
            answer = httpx.post(
                f"{installation.url}/api/v1/devices",
                json={"name": "weak", "public_key_ed25519_base64": base64.b64encode(key).decode()},
                headers={**installation.headers, "Idempotency-Key": str(uuid.uuid4())},
                timeout=30,
            )
            assert (answer.status_code, answer.json()["code"]) == (422, "bad_key")
