"""Who has a key of their own and wants more: each is refused, looks like nothing, and changes nothing."""

from __future__ import annotations

import base64
import datetime as dt
import json
import uuid
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from tests.attacks.untouched import untouched
from tests.people.staffing import member
from tests.people.tenants import organisation, suspended, token_of
from tests.scanner import event, new_number, until

from parcelward.base.errors import NotFound
from parcelward.people import actions as people
from parcelward.people import queries, seen
from parcelward.people.models import ApiKey, GivenAnswer, SpendGrant, Spending
from parcelward.people.wire import Role, Task


def made(role=Role.PARTNER, **more):
    return people.new_key("attacker's own", role, by=people.installer(), mode="test", simulated=True, **more)


def ask(installation, token, method, path, body=None, *, once=True):
    headers = {"Authorization": f"Bearer {token}"} | ({"Idempotency-Key": str(uuid.uuid4())} if once else {})
    return httpx.request(method, f"{installation.url}/api/v1{path}", json=body, headers=headers, timeout=60)


def key_path(key):
    return f"/keys/key_{key.id.hex}"


GRANT = {"currency": "EUR", "cap_payment_minor": 500, "cap_day_minor": 1_000}


@pytest.mark.asvs("8.2.2", "8.4.1")
@pytest.mark.parametrize(
    ("method", "more", "body"),
    [
        ("DELETE", "", None),
        ("GET", "", None),
        ("POST", "/rotate", {}),
        ("GET", "/grants", None),
        ("POST", "/grants", GRANT),
    ],
)
def test_another_tenants_token_is_neither_deleted_nor_seen(installation, method, more, body):
    """PyPI's eleventh: whoever may delete a token may delete their own. Unknown and somebody else's look alike."""
    mine, theirs = token_of(organisation()), token_of(organisation())
    with untouched("answers"):
        foreign = ask(installation, mine.token, method, key_path(theirs) + more, body)
        unknown = ask(installation, mine.token, method, f"/keys/key_{uuid.uuid4().hex}{more}", body)
    assert foreign.status_code == unknown.status_code == 404
    same = [{name: value for name, value in each.json().items() if name != "request_id"} for each in (foreign, unknown)]
    assert same[0] == same[1]
    assert queries.key_is_valid(theirs.token)
    assert ApiKey.objects.get(pk=theirs.id).revoked_at is None


@pytest.mark.asvs("8.2.2", "8.4.1")
def test_a_grant_is_ended_only_under_its_own_key_by_its_own_tenant(installation):
    mine, theirs = token_of(organisation()), token_of(organisation())
    grant = people.grant_spending(
        theirs.id,
        currency="EUR",
        cap_payment_minor=5,
        cap_day_minor=5,
        cap_month_minor=None,
        lifetime=dt.timedelta(days=1),
        by=people.installer(),
    )
    for path in (key_path(theirs), key_path(mine)):
        answer = ask(installation, mine.token, "DELETE", f"{path}/grants/grt_{grant.hex}")
        assert answer.status_code == 404
    with pytest.raises(NotFound):  # not even who sees both ends it under another's
        people.withdraw_spending(grant, key_id=mine.id, by=people.installer())
    assert SpendGrant.objects.get(pk=grant).withdrawn_at is None


@pytest.mark.asvs("8.2.1")
def test_the_right_to_read_is_not_the_right_to_write(installation):
    """PyPI's seventh: a key that may look may not change, at any address that changes something."""
    reader = made(Role.ADMINISTRATOR, scopes=[Task.READ_EVENTS, Task.READ_DESK])
    other = made()
    device = {"name": "x", "public_key_ed25519_base64": "k9SFeHUzi5MzoDPM1HPGHBGsq8JZ+N1rJbFAbFAVJEg="}
    place = {"name": "x", "kind": "hub", "country": "US", "time_zone": "UTC", "coarse_place": "x"}
    with untouched():
        for method, path, body in (
            ("POST", "/keys", {"name": "x", "role": "partner"}),
            ("DELETE", key_path(other), None),
            ("POST", f"{key_path(other)}/rotate", {}),
            ("POST", f"{key_path(other)}/grants", GRANT),
            ("POST", "/devices", device),
            ("DELETE", f"/devices/{uuid.uuid4()}", None),
            ("PUT", "/facilities/TEST-A", place),
        ):
            answer = ask(installation, reader.token, method, path, body)
            assert (answer.status_code, answer.json()["code"]) == (403, "scope"), (method, path)


@pytest.mark.asvs("8.2.1")
def test_the_right_of_a_get_does_not_guard_its_post(installation):
    """PyPI's eighth: each method of an address asks for itself."""
    reader = made(Role.ADMINISTRATOR, scopes=[Task.MANAGE_KEYS])
    other = made()
    assert ask(installation, reader.token, "GET", f"{key_path(other)}/grants").status_code == 200
    with untouched():
        answer = ask(installation, reader.token, "POST", f"{key_path(other)}/grants", GRANT)
        assert (answer.status_code, answer.json()["code"]) == (403, "scope")
    assert not SpendGrant.objects.filter(key=other.id).exists()


@pytest.mark.asvs("8.2.1")
def test_a_scope_is_never_more_than_the_role(installation):
    with untouched():
        body = {"name": "x", "role": "partner", "scopes": ["scan", "shred"]}
        answer = ask(installation, installation.api_key, "POST", "/keys", body)
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_scope")
    # And where a row says so all the same, the table of roles still rules.
    key = made()
    ApiKey.objects.filter(pk=key.id).update(scopes=["scan", "shred", "manage_keys"])
    try:
        with untouched():
            assert ask(installation, key.token, "DELETE", key_path(key)).json()["code"] == "may_not"
    finally:
        ApiKey.objects.filter(pk=key.id).update(scopes=None)


@pytest.mark.asvs("8.2.1")
@pytest.mark.parametrize("scopes", [None, ["manage_keys", "grant_spending"], ["hold"]])
def test_a_limited_key_makes_no_wider_one(installation, scopes):
    limited = made(Role.ADMINISTRATOR, scopes=[Task.MANAGE_KEYS, Task.READ_DESK])
    with untouched():
        body = {"name": "wider", "role": "administrator", "scopes": scopes}
        answer = ask(installation, limited.token, "POST", "/keys", body)
        assert (answer.status_code, answer.json()["code"]) == (403, "scope")
    narrow = {"name": "narrower", "role": "administrator", "scopes": ["read_desk"]}
    assert ask(installation, limited.token, "POST", "/keys", narrow).status_code == 201


def test_a_limited_key_does_not_get_a_wider_keys_new_token(installation):
    limited, wide = made(Role.ADMINISTRATOR, scopes=[Task.MANAGE_KEYS]), made(Role.ADMINISTRATOR)
    with untouched():
        answer = ask(installation, limited.token, "POST", f"{key_path(wide)}/rotate", {"overlap_hours": 0})
        assert (answer.status_code, answer.json()["code"]) == (403, "scope")
    assert queries.key_is_valid(wide.token)


def test_a_key_does_not_let_itself_spend(installation):
    key = made(Role.ADMINISTRATOR)
    answer = ask(installation, key.token, "POST", f"{key_path(key)}/grants", GRANT)
    assert (answer.status_code, answer.json()["code"]) == (403, "own_grant")
    assert not SpendGrant.objects.filter(key=key.id).exists()


def test_nor_does_it_let_spend_what_it_made_nor_the_operators_key_a_senders(installation):
    tenant = organisation("sender")
    own = token_of(tenant, Role.SENDER_ADMIN)
    child = ask(installation, own.token, "POST", "/keys", {"name": "child", "role": "sender_member"}).json()["id"]
    refused = ask(installation, own.token, "POST", f"/keys/{child}/grants", GRANT)
    assert (refused.status_code, refused.json()["code"]) == (403, "own_grant")
    member(Role.SENDER_ADMIN, tenant.id, owner=True)  # from now on people of its own keep its keys
    refused = ask(installation, made(Role.ADMINISTRATOR).token, "POST", f"{key_path(own)}/grants", GRANT)
    assert (refused.status_code, refused.json()["code"]) == (403, "not_theirs")
    assert not SpendGrant.objects.filter(key__organisation=tenant).exists()


def test_a_token_of_a_suspended_organisation_opens_nothing_and_looks_like_any_wrong_one(installation, facilities):
    tenant = organisation("partner")
    token = token_of(tenant, Role.PARTNER).token
    batch = [event(new_number(), "accepted")]

    def answers():
        return [
            ask(installation, token, "POST", "/scans", batch, once=False),
            ask(installation, token, "GET", "/keys", once=False),
            httpx.get(f"{installation.url}/epcis/events", headers={"Authorization": f"Bearer {token}"}, timeout=30),
        ]

    assert [each.status_code for each in answers()] == [200, 403, 200]
    with suspended(tenant), untouched():
        for each in answers():
            assert (each.status_code, each.json()["code"]) == (401, "bad_api_key")
    assert [each.status_code for each in answers()] == [200, 403, 200]


def test_a_rotated_keys_old_token_opens_nothing_after_its_overlap(installation, facilities):
    key = made()
    fresh = people.rotate_key(key.id, dt.timedelta(seconds=8), by=people.installer(), mode="test")
    batch = [event(new_number(), "accepted")]
    assert ask(installation, key.token, "POST", "/scans", batch, once=False).status_code == 200
    until(lambda: not queries.key_is_valid(key.token), seconds=60)
    with untouched():
        answer = ask(installation, key.token, "POST", "/scans", [event(new_number(), "accepted")], once=False)
        assert (answer.status_code, answer.json()["code"]) == (401, "bad_api_key")
    assert ask(installation, fresh.token, "POST", "/scans", batch, once=False).status_code == 200


@pytest.mark.asvs("14.2.2")
def test_what_is_kept_for_who_asks_again_has_no_token(installation):
    """Stored answers are kept for 30 days, and a copy of the database must not open anything."""
    headers = {**installation.headers, "Idempotency-Key": str(uuid.uuid4())}
    body = {"name": "asked for twice", "role": "partner", "simulated": True}
    first, again = (
        httpx.post(f"{installation.url}/api/v1/keys", json=body, headers=headers, timeout=30) for _ in range(2)
    )
    assert (first.status_code, again.status_code) == (201, 201)
    token = first.json()["token"]
    assert queries.key_is_valid(token)
    assert again.json() == first.json() | {"token": None}
    kept = GivenAnswer.objects.get(key=headers["Idempotency-Key"])
    assert token[14:].encode() not in bytes(kept.answer or b"")
    assert ApiKey.objects.filter(source__name="asked for twice").count() == 1


@pytest.mark.asvs("2.3.2", "2.3.4")
def test_twenty_reservations_at_once_never_exceed_the_cap(installation):
    key = made()
    people.grant_spending(
        key.id,
        currency="EUR",
        cap_payment_minor=100,
        cap_day_minor=1_000,
        cap_month_minor=100_000,
        lifetime=dt.timedelta(days=1),
        by=people.installer(),
    )

    def reserve(_):
        from django.db import connection

        try:
            people.reserve_spend(key.id, 100, "EUR", reservation=uuid.uuid4())
        except people.OverCap:
            return 0
        finally:
            connection.close()
        return 100

    with ThreadPoolExecutor(20) as pool:
        spent = sum(pool.map(reserve, range(20)))
    assert spent == 1_000
    counted = Spending.objects.filter(grant__key=key.id).values_list("amount_minor", flat=True)
    assert sum(counted) == 1_000


@pytest.mark.asvs("2.4.1", "6.3.1")
def test_who_guesses_keys_is_told_to_wait_and_blocks_no_good_one(installation):
    from parcelward.doors.throttle import BAD_KEYS_PER_MINUTE

    other = {"X-Forwarded-For": "192.0.2.7"}  # believed by nobody here: no proxy is configured
    with httpx.Client(base_url=installation.url, timeout=30) as client, untouched():
        for _ in range(2 * BAD_KEYS_PER_MINUTE + 20):  # two web processes, each of which counts by itself
            answer = client.get("/api/v1/keys", headers={"Authorization": "Bearer pw_test_guess", **other})
            assert answer.status_code in {401, 429}
            if answer.status_code == 429:
                break
        assert answer.status_code == 429
        assert int(answer.headers["Retry-After"]) >= 1
        assert client.get("/api/v1/keys", headers=installation.headers).status_code == 200


def every_worker_says(status: int, installation) -> bool:
    """Say whether a ban, or its end, is known to each web process: a connection stays with one, so each opens one."""

    def answer(_n: int) -> httpx.Response:
        return httpx.get(f"{installation.url}/api/v1/keys", headers=installation.headers, timeout=30)

    with ThreadPoolExecutor(8) as pool:  # at once, so that no process takes them all
        said = list(pool.map(answer, range(24)))
    return all(each.status_code == status for each in said)


def test_a_banned_address_is_heard_with_no_token_either(installation):
    """PyPI's sixth: a ban of an address goes for API tokens too, and for scans."""
    batch = json.dumps([event(new_number(), "accepted")])
    partner = made()
    before = {"Authorization": f"Bearer {partner.token}"}
    try:
        people.ban_address("127.0.0.1", dt.timedelta(minutes=5), by=people.installer())
        people.ban_address("::1", dt.timedelta(minutes=5), by=people.installer())
        until(lambda: every_worker_says(403, installation))
        with httpx.Client(base_url=installation.url, timeout=30) as client:
            assert client.get("/api/v1/keys", headers=installation.headers).json()["code"] == "address_banned"
            with untouched():
                assert client.post("/api/v1/scans", content=batch, headers=before).json()["code"] == "address_banned"
                assert client.get("/epcis/events", headers=before).status_code == 403
                assert client.get("/accounts/sign-in").status_code == 403
    finally:
        for address in ("127.0.0.1", "::1"):
            people.end_ban(address, by=people.installer())
        until(lambda: every_worker_says(200, installation))


def test_of_a_banned_address_only_a_keyed_hash_is_kept(installation):
    from parcelward.custody.models import Fact
    from parcelward.people.models import BannedAddress

    address = "2001:db8:1:2::77"
    ban = people.ban_address(address, dt.timedelta(minutes=1), by=people.installer())
    try:
        row = BannedAddress.objects.get(pk=ban)
        told = Fact.objects.filter(kind="people.address_banned").latest("record_time")
        assert bytes(row.digest).hex() not in bytes(told.body).decode()
        assert "2001" not in bytes(told.body).decode()
        same = people.ban_address("2001:db8:1:2:ffff::1", dt.timedelta(minutes=1), by=people.installer())
        assert not BannedAddress.objects.filter(pk=ban).exists(), "one household is one address"
        assert BannedAddress.objects.get(pk=same).digest == row.digest
    finally:
        people.end_ban(address, by=people.installer())


def test_who_was_heard_is_written_and_not_by_the_request(installation):
    key = made()
    holder = queries.key_holder(key.token)
    assert queries.key(key.id, by=people.installer()).last_used_at is None
    seen.write()
    first = queries.key(key.id, by=people.installer()).last_used_at
    assert first is not None
    queries.key_holder(key.token)
    assert seen.write() == 0 or queries.key(key.id, by=people.installer()).last_used_at == first, "once a minute"
    assert holder.id == key.id


def test_a_device_of_a_suspended_organisation_sends_nothing(installation, facilities):
    """Its key is in the web processes' memory; the transaction that records asks all the same."""
    from tests.scanner import Scanner

    from parcelward.people.models import Device

    tenant, scanner = organisation("contractor"), Scanner(installation, name="contractor's scanner")
    Device.objects.filter(pk=scanner.device_id).update(organisation=tenant)
    try:
        scanner.send(event(new_number(), "accepted"))
        with suspended(tenant), untouched():
            for sequence in range(2, 8):
                answer = scanner.post(scanner.body([event(new_number(), "accepted")]), sequence=sequence)
                assert (answer.status_code, answer.json()["code"]) == (401, "revoked")
        scanner.sequence = 10
        scanner.send(event(new_number(), "accepted"))
    finally:
        Device.objects.filter(pk=scanner.device_id).update(organisation=None)  # as the log says


@pytest.mark.asvs("2.4.1", "6.3.1")
def test_who_guesses_enrolment_codes_is_told_to_wait(installation):
    """A code has 128 random bits; whoever tries all the same is slowed down, and what they try changes nothing."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from parcelward.doors.portals.enrolling import TRIES_PER_MINUTE
    from parcelward.people import rules

    pair = Ed25519PrivateKey.generate()
    with httpx.Client(base_url=installation.url, timeout=30) as client, untouched():
        page = client.get("/enrol/device")
        csrf = page.text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]

        def guess(nth):
            code = f"guess-{nth}"
            body = {
                "code": code,
                "public_key": base64.b64encode(pair.public_key().public_bytes_raw()).decode(),
                "signature": base64.b64encode(pair.sign(rules.enrolment_message(code))).decode(),
            }
            return client.post("/enrol/device", json=body, headers={"X-CSRFToken": csrf})

        answers = [guess(nth) for nth in range(2 * TRIES_PER_MINUTE + 3)]  # two web processes
        assert {each.status_code for each in answers} == {404, 429}
        waits = [each for each in answers if each.status_code == 429]
        assert all(int(each.headers["Retry-After"]) >= 1 for each in waits)
        assert client.post("/enrol/device", json={}).status_code == 403, "nor does another page send the form"
