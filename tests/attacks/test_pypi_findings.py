"""What an audit of PyPI found in 2026, tried here: each finding by its number and name.

Those of API keys (6, 8), of second factors (9) and of organisations (12, 13) are tried where those are:
here stands of them what accounts, devices and passkeys have of the same kind.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import httpx
import psycopg
import pytest
from django.db import connection, transaction
from django.urls import URLPattern, URLResolver, get_resolver
from tests.attacks.passkey_door import Near, nothing_done
from tests.attacks.untouched import untouched
from tests.scanner import Scanner, event, new_number, until

from parcelward.custody.models import Fact
from parcelward.custody.queries import Findings
from parcelward.doors import throttle
from parcelward.doors.simulator import signing
from parcelward.people import actions, queries, rules
from parcelward.people.errors import BadProof
from parcelward.people.models import Membership, Organisation, SignedIn, User
from parcelward.people.models import Passkey as PasskeyRow
from parcelward.people.wire import Role


@pytest.fixture
def mine(link):
    """Somebody who has joined and is signed in."""
    browser = Near()
    assert browser.join(link()).status_code == 302
    yield browser
    browser.http.close()


@pytest.fixture(scope="module")
def scanner(installation, facilities):
    return Scanner(installation, name="scanner of the findings")


def person_of(browser: Near) -> User:
    return User.objects.get(id=browser.passkey.user_handle.decode())


def signed_at(scanner: Scanner, body: bytes, *, sequence: int, created: int) -> httpx.Response:
    headers = signing.headers(scanner.key, key_id=scanner.key_id, body=body, sequence=sequence, created=created)
    headers["Content-Type"] = "application/json"
    return httpx.post(f"{scanner.url}/api/v1/scans", content=body, headers=headers, timeout=60)


@pytest.mark.asvs("9.2.1")
def test_1_what_is_spent_is_remembered_for_as_long_as_it_could_be_fresh(mine, scanner, number):
    """A replay lock shorter than the token's leeway: ours is the absence of the challenge, and the device's mark."""
    mine.sign_out()
    options = mine.options()
    answer = mine.passkey.get(options)
    assert mine.answer(answer).status_code == 302
    mine.sign_out()
    later = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=9)
    actions.forget_challenges(later)
    mine.options()
    with nothing_done():
        assert mine.answer(answer).status_code == 401, "forgetting a challenge spends it"
    # The newest and the oldest moment at which a device's signature is still taken: its number is spent at both.
    body = scanner.body([event(number, "accepted")])
    now = int(time.time())
    first = signed_at(scanner, body, sequence=scanner.sequence + 1, created=now + rules.CLOCK_SKEW_MAX_S - 20)
    assert first.status_code == 200, first.text
    scanner.sequence += 1
    other = scanner.body([event(number, "delivered", minutes=5)])
    with untouched():
        for created in (now - rules.CLOCK_SKEW_MAX_S + 20, now, now + rules.CLOCK_SKEW_MAX_S - 20):
            again = signed_at(scanner, other, sequence=scanner.sequence, created=created)
            assert (again.status_code, again.json()["code"]) == (409, "sequence_reused")
        late = signed_at(scanner, body, sequence=scanner.sequence, created=now - rules.CLOCK_SKEW_MAX_S - 20)
        assert late.status_code == 401


@pytest.mark.asvs("2.3.4")
def test_2_of_twenty_uses_at_once_one_counts(scanner):
    """A race in the single-use check: of a challenge (see test_webauthn_sessions.py), and of a device's number."""
    bodies = [scanner.body([event(new_number(), "accepted")]) for _ in range(20)]
    scanner.sequence += 1

    def sent(body: bytes) -> int:
        """Return what a device hears in the end: one that was told to come back, for others hold the row, does."""
        while (answer := scanner.post(body, sequence=scanner.sequence)).status_code == 503:
            time.sleep(float(answer.headers["Retry-After"]))
        return int(answer.status_code)

    with ThreadPoolExecutor(20) as pool:
        said = list(pool.map(sent, bodies))
    assert sorted(said) == [200] + [409] * 19
    challenge = b"a challenge of finding two"
    actions.give_challenge(challenge)
    spent = []

    def spend(_n: int) -> None:
        try:
            actions.spend_challenge(challenge)
            spent.append(1)
        except BadProof:
            pass
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(spend, range(20)))
    assert len(spent) == 1


@pytest.mark.asvs("15.3.3")
def test_3_no_address_and_no_text_sets_the_seal(installation, scanner, number):
    """A bypass of a verification badge: where nothing was recorded nothing is proven, and proofs are the reader's."""
    scanner.send(event(number, "accepted", reason="history_proven"))
    for query in ("", "?proven=1", "?state=done&number=History+proven", "?verified=true"):
        said = httpx.get(f"{installation.url}/track/{new_number()}{query}", timeout=30).text
        assert "History proven" not in said, query
        page = httpx.get(f"{installation.url}/track/{number}/proof{query}", timeout=30).text
        assert 'data-state="done"' not in page, "only the script that has checked says so"


@pytest.mark.asvs("2.3.3", "16.5.3")
def test_4_what_cannot_be_entered_in_the_log_is_not_done(mine):
    """Audit events silently dropped: with a log that takes nothing, nothing is changed."""
    user = person_of(mine)
    key = PasskeyRow.objects.get(user=user).authenticator
    by = queries.person_of(user)
    deeds = [
        lambda: actions.lock_person(user.login, by=actions.installer()),
        lambda: actions.rename_passkey(key.id, "another", by=by),
        lambda: actions.invite(Organisation.objects.get(kind="operator").id, Role.CLERK, by=actions.installer()),
        lambda: actions.make_key("x", Role.PARTNER, by=actions.installer(), mode="test"),
        lambda: actions.end_membership(Membership.objects.get(user=user).id, by=actions.installer()),
    ]
    actions.installer()
    with nothing_done():
        for deed in deeds:
            with transaction.atomic():
                with connection.cursor() as cur:
                    cur.execute(
                        "CREATE FUNCTION pg_temp.no_entry() RETURNS trigger LANGUAGE plpgsql AS "
                        "$$ BEGIN RAISE EXCEPTION 'the log takes nothing'; END $$; "
                        "CREATE TRIGGER no_entry BEFORE INSERT ON custody_fact "
                        "FOR EACH ROW EXECUTE FUNCTION pg_temp.no_entry()"
                    )
                with pytest.raises(psycopg.errors.RaiseException, match="takes nothing"):
                    deed()
                transaction.set_rollback(True)
        assert mine.signed_in()


@pytest.mark.asvs("6.3.4", "6.4.2")
def test_5_nothing_resets_a_way_in_and_no_answer_tells_the_privileged(installation):
    """A password reset reveals privileged accounts: there is none, of anything, and nobody has a password."""
    for address in (
        *("accounts/password/reset", "accounts/password/reset/", "accounts/signup", "accounts/signup/"),
        *("accounts/login", "accounts/login/", "accounts/2fa/", "accounts/email/", "accounts/confirm-email/"),
        *("admin", "admin/", "accounts/inactive/", "accounts/reauthenticate/", "accounts/password/change/"),
    ):
        assert httpx.get(f"{installation.url}/{address}", timeout=30).status_code == 404, address
    assert not [user for user in User.objects.all() if user.has_usable_password()]
    browser, seen = Near(), set()
    for user in User.objects.all()[:20]:
        said = browser.answer(browser.passkey.get(browser.options(), handle=str(user.id).encode()))
        seen.add((said.status_code, len(said.content)))
        browser = Near()
    assert len(seen) == 1, seen


@pytest.mark.asvs("2.4.1", "4.1.3", "6.3.1", "15.3.4")
def test_6_who_asks_too_often_is_stopped_with_a_key_in_hand_too(installation, monkeypatch):
    """An IP ban not applied to API tokens: neither a key nor a made-up address opens another bucket."""
    clock = time.monotonic()  # stands: a slow machine would be given new tries while it asks
    monkeypatch.setattr(throttle, "time", SimpleNamespace(monotonic=lambda: clock))
    browser = Near()
    token = browser.token("/accounts/sign-in")
    stopped = 0
    for n in range(45):
        headers = {"Authorization": f"Bearer {installation.api_key}"} if n % 2 else {"X-Forwarded-For": f"10.1.1.{n}"}
        answer = browser.http.post(
            "/accounts/sign-in/passkey", data={"csrfmiddlewaretoken": token, "credential": "{}"}, headers=headers
        )
        stopped += answer.status_code == 429
        assert answer.status_code in {401, 429}
        assert ("retry-after" in answer.headers) == (answer.status_code == 429)
    assert stopped >= 20


@pytest.mark.asvs("8.2.1")
def test_7_who_may_only_look_changes_nothing(installation, staff, facilities):
    """Write without the write right: an auditor's every button is refused."""
    auditor = staff("auditor")
    number = new_number()
    with untouched("people", "log"):
        for address, fields in POSTS.items():
            page = auditor.http.get("/app/account").text
            token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
            assert token
            sent = {"csrfmiddlewaretoken": token[1], **fields}
            answer = auditor.http.post(address.replace("NUMBER", number), data=sent)
            assert answer.status_code in {403, 404}, (address, answer.status_code)


POSTS = {
    "/app/desk/alerts/1/close": {"finding": "explained"},
    "/app/desk/quarantine/1/resubmit": {"facility": "TEST-A"},
    "/app/desk/quarantine/1/dismiss": {"reason": "noise"},
    "/app/desk/items/NUMBER/hold": {"reason": "security_hold"},
    "/app/desk/items/NUMBER/release": {},
}


@pytest.mark.asvs("3.5.3", "8.2.1")
def test_8_no_right_to_look_is_a_right_to_change(installation, facilities):
    """A GET right guarding a POST: what a partner's key may read, it may not write with any other method."""
    key = actions.make_key("reader", Role.PARTNER, by=actions.installer(), mode="test")
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": str(uuid.uuid4())}
    with untouched():
        for address in ("/api/v1/facilities/TEST-A", "/api/v1/devices", f"/api/v1/devices/{uuid.uuid4()}",
                        "/api/v1/lanes/TEST-A/TEST-B"):  # fmt: skip
            for method in ("POST", "PUT", "PATCH", "DELETE"):
                for override in ({}, {"X-HTTP-Method-Override": "GET"}, {"X-HTTP-Method": "GET"}):
                    answer = httpx.request(method, installation.url + address, headers=headers | override, json={})
                    assert answer.status_code in {401, 403, 405, 422}, (method, address, answer.text)


def test_10_what_nobody_vouches_for_is_not_served(installation, scanner, number):
    """Unverified metadata served: an event from a place that nobody described is kept, and no public page tells it."""
    scanner.send(event(number, "accepted"), event(number, "delivered", facility="NOBODYS-PLACE", minutes=5))
    for page in (f"/track/{number}", f"/track/{number}?format=json", f"/api/v1/items/{number}/events",
                 f"/api/v1/items/{number}"):  # fmt: skip
        said = httpx.get(installation.url + page, timeout=30)
        assert said.status_code == 200
        assert "NOBODYS-PLACE" not in said.text
    assert httpx.get(f"{installation.url}/api/v1/items/{number}", timeout=30).json()["step"] == "accepted"


@pytest.mark.asvs("7.5.2", "8.2.2")
def test_11_what_is_somebody_elses_is_not_removed(mine, link):
    """Deleting another's token: neither their passkey nor their session, and it looks as if there were none."""
    other = Near()
    other.join(link())
    key = PasskeyRow.objects.get(user=person_of(other)).authenticator_id
    session = SignedIn.objects.get(user=person_of(other), ended_at=None).id
    with nothing_done():
        for theirs, nobodys in (
            (f"/app/account/passkeys/{key}/remove", "/app/account/passkeys/999999999/remove"),
            (f"/app/account/passkeys/{key}/rename", "/app/account/passkeys/999999999/rename"),
            (f"/app/account/sessions/{session}/end", f"/app/account/sessions/{uuid.uuid4()}/end"),
        ):
            answers = [mine.post(address, "/app/account", name="mine now") for address in (theirs, nobodys)]
            assert [answer.status_code for answer in answers] == [404, 404]
        membership = str(Membership.objects.get(user=person_of(other)).id)
        assert mine.post("/app/account/act", "/app/account", membership=membership).status_code == 404
        assert other.signed_in()


def test_12_a_passkey_is_looked_up_within_its_own_account_alone(mine, link):
    """An issuer not isolated in a look-up: here a credential, which only its own person's handle finds."""
    other = Near()
    other.join(link())
    mine.sign_out()
    with nothing_done():
        answer = mine.passkey.get(mine.options(), handle=other.passkey.user_handle)
        assert mine.answer(answer).status_code == 401
    assert mine.sign_in().status_code == 302


@pytest.mark.asvs("7.2.1", "8.2.1")
def test_13_a_role_that_ended_opens_nothing_in_a_session_that_goes_on(installation, link):
    """Rights surviving a transfer: the next request is already without them."""
    mine = Near()
    mine.join(link("inspector"))
    assert mine.http.get("/app/desk/").status_code == 200
    membership = Membership.objects.get(user=person_of(mine), ended_at=None)
    actions.end_membership(membership.id, by=actions.installer())
    answer = mine.http.get("/app/desk/")
    assert answer.status_code in {302, 403, 404}
    mine.sign_in()
    assert mine.http.get("/app/desk/").status_code == 403
    with nothing_done():
        back = mine.post("/app/account/act", "/app/account", membership=str(membership.id))
        assert back.status_code == 404


@pytest.mark.asvs("16.2.1")
def test_14_who_becomes_administrator_is_in_the_log_and_who_edits_a_role_is_found(installation, link):
    """A change of the admin flag not logged: the role is a membership, which begins and ends with an entry."""
    browser = Near()
    browser.join(link("administrator"))
    user = person_of(browser)
    row = Membership.objects.get(user=user)
    said = [json.loads(bytes(fact.body)) for fact in Fact.objects.filter(kind="people.member_began")]
    assert [(one["role"], one["person"]) for one in said if one["membership"] == str(row.id)] == [
        ("administrator", str(user.id))
    ]
    assert not {"is_staff", "is_superuser", "is_admin"} & {field.name for field in User._meta.get_fields()}
    columns = {field.name for field in User._meta.get_fields()}
    assert "role" not in columns or user.role == ""
    until(lambda: _difference() is None)
    Membership.objects.filter(id=row.id).update(role="auditor")
    try:
        assert "another role than it began with" in str(_difference())
    finally:
        Membership.objects.filter(id=row.id).update(role="administrator")


def _difference() -> Exception | None:
    findings = Findings()
    queries.check_memberships(findings)
    return findings.first


@pytest.mark.asvs("8.2.2")
def test_no_address_with_a_rows_number_opens_anything_to_a_stranger(installation):
    """A proof of delivery whose code is just a row's number: ours asks who it is, wherever a number stands."""

    def walk(patterns: list[URLPattern | URLResolver], before: str) -> list[str]:
        found = []
        for pattern in patterns:
            route = before + str(pattern.pattern)
            found += walk(pattern.url_patterns, route) if isinstance(pattern, URLResolver) else [route]
        return found

    numbered = [route for route in walk(get_resolver().url_patterns, "/") if re.search(r"<(int|uuid):", route)]
    assert len(numbered) >= 6
    for route in numbered:
        for number in ("1", "2"):
            given = re.sub(r"<int:[^>]+>", number, re.sub(r"<uuid:[^>]+>", str(uuid.UUID(int=int(number))), route))
            address = re.sub(r"<[^>]+>", "x", given)
            answer = httpx.get(installation.url + address, timeout=30)
            assert answer.status_code in {302, 401, 403, 404, 405}, address


@pytest.mark.asvs("6.4.1", "11.5.1")
def test_a_links_code_is_no_number_and_is_kept_as_a_hash(link):
    from parcelward.people.models import Invitation

    code = link().partition("#code=")[2]
    assert len(code) >= 43, "256 bits"
    row = Invitation.objects.latest("made_at")
    assert code.encode() not in bytes(row.digest)
    assert str(row.id) not in code
    assert not Fact.objects.filter(body__contains=code.encode()).exists()
