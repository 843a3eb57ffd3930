"""One's own data over HTTP: each call does what the screen does, for the person alone, and changes nothing twice."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from django.db.models import Q
from django.utils import timezone
from tests.joined import joined, signed_in_as
from tests.passkey import Browser

from parcelward.base.vault import VaultToken
from parcelward.custody.models import Fact
from parcelward.people import actions as people
from parcelward.people import proofing
from parcelward.people.models import Evidence, SignedIn
from parcelward.people.roles import KEY_ROLES, TENANTS
from parcelward.people.wire import Level, Method, Person, Role
from parcelward.privacy import actions, queries
from parcelward.privacy.models import RightsRequest
from parcelward.privacy.wire import Field, Kind, Purpose

ME = "/api/v1/me"
READS = ["", "/data", "/looks", "/erasure", "/requests"]
PROVEN_READS = ["/data/opened"]
DEEDS: list[tuple[str, str, Any]] = [
    ("POST", "/corrections", {"entry": "ent_" + "0" * 32, "name": "Anna Right"}),
    ("POST", "/export", None),
    ("POST", "/restriction", None),
    ("POST", "/objections", {"subject": "contact"}),
    ("POST", "/erasure", {"everything": True}),
    ("DELETE", f"/requests/req_{'0' * 32}", None),
]


class Program:
    """Somebody's own program: their session's cookie, the token against forged requests, a key for each try."""

    def __init__(self, installation: Any) -> None:
        self.browser = Browser(installation.url)
        self.person: Person = signed_in_as(self.browser, Role.ADDRESSEE, installation)
        self.http = self.browser.http
        self.csrf = self.get("").json()["csrf_token"]

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.http.get(ME + path, **more)

    def send(self, method: str, path: str, body: Any = None, *, key: str = "", csrf: bool = True) -> httpx.Response:
        head = {"Idempotency-Key": key or str(uuid.uuid4()), "Referer": self.browser.url}
        if csrf:
            head["X-CSRFToken"] = self.csrf
        return self.http.request(method, ME + path, json=body, headers=head)

    def stale(self) -> None:
        """Let the last proof be older than ten minutes."""
        found = SignedIn.objects.filter(user=self.person.id, ended_at=None)
        found.update(proved_at=timezone.now() - dt.timedelta(minutes=11))


@pytest.fixture
def anna(installation: Any) -> Iterator[Program]:
    mine = Program(installation)
    yield mine
    mine.http.close()


@pytest.fixture
def ben(installation: Any) -> Iterator[Program]:
    mine = Program(installation)
    yield mine
    mine.http.close()


def home(owner: Person, name: str = "Anna Kowalska") -> VaultToken:
    fields = {Field.NAME: name, Field.ADDRESS: "7 Old Mill Lane", Field.POSTCODE: "62701"}
    fields |= {Field.LOCALITY: "Springfield", Field.COUNTRY: "US"}
    return actions.put(fields, kind=Kind.ADDRESSEE, by=people.machinery(), account=owner.id)


def code(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["Content-Type"] == "application/problem+json", answer.text
    return answer.status_code, answer.json()["code"]


def told() -> int:
    """Return how many facts the log has, but for those that the worker writes by itself, as each ten minutes."""
    own = Q(kind__startswith="privacy.station_keys") | Q(kind__startswith="parcels.") | Q(kind="custody.tombstone")
    return Fact.objects.exclude(own).count()


def left(person: Person) -> tuple[int, int]:
    """Return what a deed would change: somebody's requests, and the log's facts."""
    return RightsRequest.objects.filter(account=person.id).count(), told()


def test_one_sees_who_one_is_here_and_how_fresh_the_proof(anna: Program) -> None:
    said = anna.get("").json()
    assert (said["object"], said["role"], said["strong"]) == ("me", "addressee", False)
    assert said["proved_at"] < said["fresh_until"]
    assert said["prove_at"].endswith("/app/account/prove")
    assert "no-store" in anna.get("").headers["Cache-Control"]


def test_what_is_held_is_masked_and_in_full_only_after_a_proof(anna: Program) -> None:
    token = home(anna.person)
    masked = {one["id"]: one["fields"] for one in anna.get("/data").json()}
    assert masked[f"ent_{token.hex}"]["name"] == "A. K****"
    opened = anna.get("/data/opened")
    assert "no-store" in opened.headers["Cache-Control"]
    fields = {one["id"]: one["fields"] for one in opened.json()}
    assert fields[f"ent_{token.hex}"]["address"] == "7 Old Mill Lane"
    assert queries.looks([token], by=anna.person)[0].by == anna.person.source
    said = anna.get("/looks").json()[0]
    assert (said["by"], said["purpose"]) == ("you", "own_data")
    assert said["says"].startswith("You opened your own")


def test_who_looked_is_told_by_role(anna: Program) -> None:
    token = home(anna.person)
    with actions.reveal(token, [Field.NAME], purpose=Purpose.LETTER, by=people.machinery()):
        pass
    said = anna.get("/looks", params={"limit": 1}).json()
    assert [(one["by"], one["purpose"], one["fields"]) for one in said] == [("machinery", "letter", ["name"])]


def test_the_export_is_the_screens_document(anna: Program) -> None:
    home(anna.person)
    mine = anna.send("POST", "/export").json()
    page = anna.browser.post("/app/my-data/export", "/app/my-data/export").json()
    assert mine.keys() == page.keys()
    assert mine["schema"] == "parcelward.my-data"
    assert mine["entries"] == page["entries"]
    assert mine["account"]["id"] == page["account"]["id"] == str(anna.person.id)


def test_a_correction_is_written_once(anna: Program) -> None:
    token = home(anna.person)
    body = {"entry": f"ent_{token.hex}", "name": "Anna Right"}
    key = str(uuid.uuid4())
    first = anna.send("POST", "/corrections", body, key=key)
    assert (first.status_code, first.json()["fields"]) == (201, ["name"])
    before = left(anna.person)
    again = anna.send("POST", "/corrections", body, key=key)
    assert (again.status_code, again.json()) == (201, first.json())
    assert left(anna.person) == before
    with actions.reveal(token, [Field.NAME], purpose=Purpose.OWN_DATA, by=anna.person) as kept:
        assert kept[Field.NAME].text == "Anna Right"
    assert code(anna.send("POST", "/corrections", body | {"name": "Other"}, key=key)) == (422, "idempotency_key_reused")


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": " "},
        {},
        {"phone": "+1 555 0100 200"},
        {"email": "thief@example.com"},
        {"address": {"address": "1 Elm St"}},
    ],
)
def test_what_cannot_be_corrected_is_refused(anna: Program, wrong: dict[str, Any]) -> None:
    token = home(anna.person)
    before = left(anna.person)
    assert anna.send("POST", "/corrections", {"entry": f"ent_{token.hex}"} | wrong).status_code == 422
    assert left(anna.person) == before


@pytest.mark.asvs("8.2.2")
def test_nobody_corrects_a_strangers_entry(anna: Program, ben: Program) -> None:
    token = home(anna.person)
    before = left(anna.person)
    assert code(ben.send("POST", "/corrections", {"entry": f"ent_{token.hex}", "name": "Mine"})) == (404, "not_found")
    assert left(anna.person) == before


@pytest.mark.parametrize(
    ("path", "body", "state"),
    [
        ("/restriction", None, "in_force"),
        ("/objections", {"subject": "notices"}, "open"),
        ("/erasure", {"everything": True}, "open"),
    ],
)
def test_a_request_is_made_once_seen_and_withdrawn(anna: Program, path: str, body: Any, state: str) -> None:
    home(anna.person)
    key = str(uuid.uuid4())
    first = anna.send("POST", path, body, key=key)
    assert first.status_code == 201, first.text
    said = first.json()
    assert (said["object"], said["state"], said["can_withdraw"]) == ("request", state, True)
    assert said["says"]
    before = left(anna.person)
    assert anna.send("POST", path, body, key=key).json() == said
    assert anna.send("POST", path, body).json()["id"] == said["id"], "another key finds the request that stands"
    assert left(anna.person) == before
    shown = anna.get(f"/requests/{said['id']}").json()
    assert shown == said
    assert [one["id"] for one in anna.get("/requests").json()] == [said["id"]]
    assert anna.send("DELETE", f"/requests/{said['id']}").status_code == 204
    before = left(anna.person)
    assert anna.send("DELETE", f"/requests/{said['id']}").status_code == 204
    assert left(anna.person) == before
    assert anna.get(f"/requests/{said['id']}").json()["state"] == "withdrawn"


def test_an_erasure_says_what_a_legal_hold_keeps(anna: Program, installation: Any) -> None:
    token = home(anna.person)
    assert anna.get("/erasure").json()["legal_hold"] is None
    inspector = joined(Role.INSPECTOR)
    actions.hold(token, "claim 7", by=inspector)
    try:
        terms = anna.get("/erasure").json()
        assert (terms["legal_holds"], terms["roles"]) == (1, [])
        assert terms["legal_hold"].startswith("A legal hold keeps some of it")
        assert terms["legal_hold"] in anna.http.get("/app/my-data/erase").text, "the words of the screen"
        asked = anna.send("POST", "/erasure", {"everything": True}).json()
        assert asked["legal_hold"] == terms["legal_hold"]
        assert asked["afterwards"].endswith(f"/my-data/erased/{uuid.UUID(asked['id'].removeprefix('req_'))}")
        anna.send("DELETE", f"/requests/{asked['id']}")
    finally:
        actions.lift(token, by=inspector)


@pytest.mark.parametrize("body", [None, {}, {"everything": False}, {"everything": True, "more": 1}])
def test_an_erasure_is_never_asked_for_by_accident(anna: Program, body: Any) -> None:
    before = left(anna.person)
    assert anna.send("POST", "/erasure", body).status_code == 422
    assert left(anna.person) == before


@pytest.mark.asvs("8.2.2", "8.4.1")
def test_another_persons_request_is_not_there(anna: Program, ben: Program, installation: Any) -> None:
    answers = Browser(installation.url)
    signed_in_as(answers, Role.INSPECTOR, installation)
    asked = anna.send("POST", "/restriction").json()["id"]
    before = left(anna.person)
    assert code(ben.get(f"/requests/{asked}")) == (404, "not_found")
    assert code(ben.send("DELETE", f"/requests/{asked}")) == (404, "not_found")
    assert ben.get("/requests").json() == []
    assert code(answers.http.get(f"{ME}/requests/{asked}")) == (404, "not_found"), "who answers has the desk for it"
    answers.http.close()
    assert left(anna.person) == before
    assert anna.get(f"/requests/{asked}").json()["state"] == "in_force"


@pytest.mark.asvs("7.5.1")
def test_without_a_fresh_proof_nothing_is_opened_or_done(anna: Program) -> None:
    token = home(anna.person)
    standing = anna.send("POST", "/restriction").json()["id"]
    anna.stale()
    before, looked = left(anna.person), queries.looks([token], by=anna.person)
    for path in PROVEN_READS:
        assert code(anna.get(path)) == (403, "proof_not_fresh")
    for method, path, body in [*DEEDS, ("DELETE", f"/requests/{standing}", None)]:
        answer = anna.send(method, path, body)
        assert code(answer) == (403, "proof_not_fresh"), path
        assert "/app/account/prove" in answer.json()["detail"]
    assert (left(anna.person), queries.looks([token], by=anna.person)) == (before, looked)
    for path in READS:
        assert anna.get(path).status_code == 200, path


@pytest.mark.asvs("7.5.1")
def test_who_has_proven_an_address_needs_more_than_a_code(anna: Program) -> None:
    token = home(anna.person)
    proofing.confirm_message(token, Method.EMAIL_CODE, by=anna.person, now=timezone.now())
    Evidence.objects.filter(user=anna.person.id).update(level=int(Level.ADDRESS))
    try:
        before = left(anna.person)
        assert code(anna.send("POST", "/export")) == (403, "stronger_proof")
        assert code(anna.send("POST", "/erasure", {"everything": True})) == (403, "stronger_proof")
        assert left(anna.person) == before
    finally:
        Evidence.objects.filter(user=anna.person.id).update(level=int(Level.MESSAGE))  # as the log says


@pytest.mark.asvs("3.5.1")
@pytest.mark.parametrize("token", [None, "x" * 64])
def test_a_forged_request_changes_nothing(anna: Program, token: str | None) -> None:
    home(anna.person)
    before = left(anna.person)
    for method, path, body in DEEDS:
        head = {"Idempotency-Key": str(uuid.uuid4())} | ({} if token is None else {"X-CSRFToken": token})
        assert code(anna.http.request(method, ME + path, json=body, headers=head)) == (403, "csrf"), path
        head |= {"X-CSRFToken": anna.csrf, "Origin": "https://elsewhere.example"}
        assert code(anna.http.request(method, ME + path, json=body, headers=head)) == (403, "csrf"), path
    assert left(anna.person) == before


@pytest.mark.asvs("8.2.1", "8.3.1")
@pytest.mark.parametrize("role", sorted(KEY_ROLES - TENANTS))
def test_a_key_has_no_data_of_its_own(anna: Program, installation: Any, role: Role) -> None:
    made = people.new_key(f"own data {role}", role, by=people.installer(), mode="test", simulated=True)
    head = {"Authorization": f"Bearer {made.token}", "Idempotency-Key": str(uuid.uuid4())}
    before = told()
    calls = [*(("GET", path, None) for path in [*READS, *PROVEN_READS]), *DEEDS]
    for method, path, body in calls:
        answer = httpx.request(method, installation.url + ME + path, json=body, headers=head, timeout=30)
        assert code(answer) == (403, "no_person"), path
        answer = anna.http.request(method, ME + path, json=body, headers=head | {"X-CSRFToken": anna.csrf})
        assert code(answer) == (403, "no_person"), "not even beside a session"
    assert told() == before


@pytest.mark.asvs("7.4.1", "8.3.1")
def test_nobody_is_told_to_sign_in(anna: Program, installation: Any) -> None:
    for method, path, body in [*(("GET", path, None) for path in [*READS, *PROVEN_READS]), *DEEDS]:
        assert code(httpx.request(method, installation.url + ME + path, json=body, timeout=30)) == (401, "not_known")
    cookies = dict(anna.http.cookies)
    people.end_session(SignedIn.objects.get(user=anna.person.id, ended_at=None).id, by=anna.person)
    answer = httpx.get(installation.url + ME + "/data", cookies=cookies, timeout=30)
    assert code(answer) == (401, "not_known"), "a session that was ended elsewhere"


@pytest.mark.asvs("2.4.1")
def test_one_person_is_told_to_wait(anna: Program, ben: Program) -> None:
    late = next((one for one in (anna.get("") for _ in range(500)) if one.status_code != 200), None)
    assert late is not None, "500 calls, of which 120 a minute are heard by each worker"
    assert code(late) == (429, "too_many")
    assert int(late.headers["Retry-After"]) >= 1
    assert ben.get("").status_code == 200
