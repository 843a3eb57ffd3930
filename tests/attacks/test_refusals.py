"""Who tries to get in, or does what they may not, leaves a line in the log: the kind, the route, who; nothing typed."""

from __future__ import annotations

import re
import secrets
import time
import uuid
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from tests.attacks.passkey_door import Near
from tests.attacks.test_second_factor import Protected, second
from tests.scanner import Scanner, until

from parcelward.doors import refusals, throttle
from parcelward.people import actions, queries
from parcelward.people.wire import Role

LINE = re.compile(
    r"^refused kind=([\w-]+) route=(\S+) status=(\d{3}) person=(-|[0-9a-f-]{36}) request=req_\w{16} more=\d+$"
)


def canary(what: str) -> str:
    return f"cnry{what}{secrets.token_hex(8)}"


@pytest.fixture(autouse=True)
def afresh(installation: Any) -> None:
    """Let no test before have used up the lines of a kind."""
    refusals._allowances.clear()


@pytest.fixture
def near() -> Iterator[Callable[[], Near]]:
    opened: list[Near] = []

    def one() -> Near:
        opened.append(Near())
        return opened[-1]

    yield one
    for each in opened:
        each.http.close()


class Heard:
    """What this process prints, which is all that it logs."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.text = ""

    def __call__(self) -> list[tuple[str, ...]]:
        """Return the refusals since it was last asked, all of one shape: kind, route, status, person."""
        self.text = self._capsys.readouterr().err
        said = [
            line.partition(refusals.log.name)[2][1:] for line in self.text.splitlines() if refusals.log.name in line
        ]
        found = [LINE.match(each) for each in said]
        assert all(found), said
        return [each.groups() for each in found if each]


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Heard:
    return Heard(capsys)


def address_of(near: Near) -> str:
    transport = near.http._transport
    assert isinstance(transport, httpx.WSGITransport)
    return transport.remote_addr


@pytest.mark.asvs("16.3.1", "16.2.1", "16.2.5")
def test_each_refused_way_in_leaves_its_kind_and_nothing_that_was_typed(
    near: Any, lines: Heard, installation: Any
) -> None:
    typed = {name: canary(name) for name in ("passkey", "mail", "code", "link", "agent")}
    token = f"pw_test_{canary('key')}"
    one = near()
    one.http.headers["User-Agent"] = typed["agent"]
    one.http.headers["X-Forwarded-For"] = "203.0.113.77"
    one.options()
    assert one.answer(f'{{"id": "{typed["passkey"]}"}}').status_code == 401
    email = f"{typed['mail']}@example.com"
    assert one.ask_code(email).status_code == 302
    assert one.type_code(typed["code"]).status_code == 422
    assert one.post("/accounts/join", "/accounts/join", code=typed["link"]).status_code == 404
    assert one.http.get("/api/v1/keys", headers={"Authorization": f"Bearer {token}"}).status_code == 401
    assert one.http.get("/epcis/events", headers={"Authorization": f"Bearer {token}"}).status_code == 401
    assert [(kind, route, status) for kind, route, status, _person in lines()] == [
        ("passkey_refused", "accounts/sign-in/passkey", "401"),
        ("bad_code", "accounts/sign-in/code/typed", "422"),
        ("not_found", "accounts/join", "404"),
        ("bad_api_key", "api/v1/keys", "401"),
        ("bad_api_key", "epcis/events", "401"),
    ]
    for secret in (*typed.values(), token, "203.0.113.77", address_of(one)):
        assert secret not in lines.text


@pytest.mark.asvs("16.3.1")
def test_a_wrong_second_proof_says_whose_account_it_is(near: Any, lines: Heard, installation: Any) -> None:
    protected = Protected(near(), installation.home)
    thief = protected.asked(near())
    lines()
    assert second(thief, "000000").status_code == 401
    assert lines() == [("bad_code", "accounts/sign-in/second", "401", str(protected.user.pk))]


@pytest.mark.asvs("16.3.2", "16.3.3")
def test_a_deed_that_one_may_not_do_leaves_who_tried(near: Any, lines: Heard, link: Any) -> None:
    clerk = near()
    assert clerk.join(link("clerk")).status_code == 302
    me = str(clerk.user_id)
    lines()
    assert clerk.http.get("/app/keys/").status_code in {403, 404}
    assert clerk.post("/app/desk/items/RA473012345GB/hold", "/app/account", reason="x").status_code in {403, 404}
    forged = clerk.http.post("/app/account/act", data={"csrfmiddlewaretoken": "x" * 64})
    assert forged.status_code == 403
    found = lines()
    assert [(route, person) for _kind, route, _status, person in found] == [
        ("app/keys/", me),
        ("app/desk/items/<str:item_id>/hold", me),
        ("app/account/act", me),
    ]
    assert found[-1][0] == "csrf"
    assert "RA473012345GB" not in lines.text


@pytest.mark.asvs("16.3.2")
def test_a_key_that_may_not_is_named_by_its_id(near: Any, lines: Heard) -> None:
    made = actions.new_key("may little", Role.PARTNER, by=actions.installer(), mode="test", simulated=True)
    lines()
    head = {"Authorization": f"Bearer {made.token}"}
    assert near().http.get("/api/v1/devices", headers=head).status_code == 403
    assert [(kind, status, person) for kind, _route, status, person in lines()] == [("may_not", "403", str(made.id))]
    assert queries.key_holder(made.token).id == made.id


def test_what_is_allowed_or_an_address_that_is_not_there_leaves_none(near: Any, lines: Heard) -> None:
    one = near()
    for address in ("/", "/accounts/sign-in", "/nothing/here", "/app/", "/track/RA473012345GB"):
        one.http.get(address)
    assert lines() == []


@pytest.mark.asvs("16.3.3")
def test_input_that_is_wrong_leaves_its_kind_and_nothing_that_was_typed(near: Any, lines: Heard) -> None:
    typed = canary("wrong")
    key = actions.new_key("sends what is wrong", Role.PARTNER, by=actions.installer(), mode="test", simulated=True)
    head = {"Authorization": f"Bearer {key.token}"}
    one = near()
    lines()
    assert one.http.get(f"/api/v1/keys?limit={typed}", headers=head).status_code in {403, 422}
    assert one.http.get(f"/epcis/events?EQ_{typed}=x", headers=head).status_code == 400
    assert one.http.get(f"/epcis/events?perPage={typed}", headers=head).status_code == 400
    assert one.http.get(f"/?number={typed}&number={typed}").status_code == 400
    assert one.http.post("/api/v1/receipts", content=f"{{{typed}").status_code in {400, 422}
    assert one.http.post("/epcis/capture", content=f"<{typed}>", headers=head).status_code == 415
    said = lines()
    assert [(route, status) for _kind, route, status, _person in said] == [
        ("api/v1/keys", said[0][2]),
        ("epcis/events", "400"),
        ("epcis/events", "400"),
        ("-", "400"),
        ("api/v1/receipts", said[4][2]),
        ("epcis/capture", "415"),
    ]
    assert typed not in lines.text
    assert said[1][3] == str(key.id)


@pytest.mark.asvs("16.3.3")
def test_batches_of_scans_that_are_wrong_leave_a_line(installation: Any) -> None:
    scanner, typed = Scanner(installation), canary("batch")
    log = installation.home / "up.log"

    def said() -> bool:  # a line comes by way of a pipe; and other tests may have used the lines of this kind up
        sent = scanner.post(f"[{typed}".encode())
        assert sent.status_code in {400, 422}
        time.sleep(1)
        return f"request={sent.headers['x-request-id']}" in log.read_text(errors="replace")

    until(said, seconds=90)
    assert typed not in log.read_text(errors="replace")


@pytest.mark.asvs("16.3.2")
def test_a_flood_writes_few_lines_and_says_how_many_there_were(
    near: Any, lines: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = {"Authorization": "Bearer pw_test_flood"}
    one = near()
    clock = time.monotonic()
    monkeypatch.setattr(refusals, "time", SimpleNamespace(monotonic=lambda: clock))
    for _ in range(3 * refusals.LINES_PER_MINUTE):
        assert one.http.get("/api/v1/keys", headers=head).status_code == 401
    assert len(lines()) == refusals.LINES_PER_MINUTE
    clock += 2
    assert refusals._allowed("bad_api_key") == 2 * refusals.LINES_PER_MINUTE
    for kind in range(2 * refusals.KINDS_MAX):
        refusals._allowed(f"kind-{kind}")
    assert len(refusals._allowances) <= refusals.KINDS_MAX + 1


@pytest.mark.asvs("16.2.2", "16.3.1")
def test_the_door_of_scans_leaves_its_lines_too(installation: Any) -> None:
    head = {"Authorization": f"Bearer pw_test_{canary('scans')}"}
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:  # another test's flood may have used up the lines: one comes back every 2 s
        answer = httpx.post(f"{installation.url}/api/v1/scans", json=[], headers=head, timeout=30)
        assert answer.status_code in {401, 429}
        mark = f"request={answer.headers['x-request-id']}"
        written = (installation.home / "up.log").read_text(errors="replace")
        said = [line for line in written.splitlines() if mark in line]
        if said:
            assert re.search(
                r"\d{4}-\d\d-\d\dT[\d:]{8}[+-]\d{4} WARNING parcelward.refusals refused kind=\w+ ", said[0]
            )
            assert "route=/api/v1/scans" in said[0]
            assert "cnryscans" not in written
            return
        time.sleep(1)
    pytest.fail("no refusal of the door of scans was written")


@pytest.mark.asvs("2.4.1")
def test_who_sends_more_forms_than_hands_can_is_told_when_to_come_back_and_others_go_on(
    near: Any, installation: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said as a page with Retry-After, and is no fault of ours."""
    clock = time.monotonic()  # stands: a slow machine would get what it may send back while it sends
    monkeypatch.setattr(throttle, "time", SimpleNamespace(monotonic=lambda: clock))
    mine, other = near(), near()
    for each in (mine, other):
        assert each.by_code(f"hands-{uuid.uuid4().hex[:8]}@example.com", installation.home).status_code == 302
    said = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', mine.http.get("/app/account").text)
    assert said
    form, head = {"csrfmiddlewaretoken": said[1]}, {"Referer": f"{installation.url}/app/account"}
    for _ in range(throttle.DEEDS_PER_MINUTE + 1):
        answer = mine.http.post("/app/account/act", data=form, headers=head)
        assert answer.status_code < 500
        if answer.status_code == 429:
            break
    assert (answer.status_code, int(answer.headers["Retry-After"]) >= 1) == (429, True)
    assert "Too many questions in a short time" in answer.text
    assert other.post("/app/contacts/open", "/app/contacts/open", item="x").status_code == 422, "who is somebody else"
