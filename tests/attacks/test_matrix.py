"""Every role, at every address, on an object of the operator's: what the table of roles says, and nothing else.

Who may not is answered as if there was nothing, or that they may not; nothing is changed. A new address fails until its
right is declared in `rights_of_routes`.
"""

from __future__ import annotations

import re
import uuid
from typing import Any

import httpx
import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from tests.attacks.rights_of_routes import API, OF_ONE_TENANT, OPEN_CALLS, OWN, SCREENS, SELF, Right
from tests.joined import tenant
from tests.passkey import Browser
from tests.scanner import Scanner, event, new_number

from parcelward.custody.models import Fact
from parcelward.people import actions
from parcelward.people.models import ApiKey, Membership, Organisation
from parcelward.people.roles import KEY_ROLES, MAY, ROLES_OF, TENANTS
from parcelward.people.wire import OrganisationKind, Role

PEOPLE = [role for role in Role if role not in {Role.DEVICE, Role.MACHINERY}]
REFUSED = {403, 404}
OPERATORS = ROLES_OF[OrganisationKind.OPERATOR]


def routes(patterns: list[URLPattern | URLResolver], before: str = "/") -> set[str]:
    found: set[str] = set()
    for pattern in patterns:
        route = before + str(pattern.pattern)
        found |= routes(pattern.url_patterns, route) if isinstance(pattern, URLResolver) else {route}
    return found


@pytest.mark.asvs("8.1.1", "8.2.1")
def test_every_screen_declares_its_right() -> None:
    walked = {route for route in routes(get_resolver().url_patterns) if route.startswith("/app/")}
    assert walked - SCREENS.keys() == set(), "declare who may in tests/attacks/rights_of_routes.py"
    assert SCREENS.keys() - walked == set(), "these are gone"


@pytest.mark.asvs("8.1.1", "8.2.1")
def test_every_call_declares_its_right(installation: Any) -> None:
    described = httpx.get(f"{installation.url}/api/v1/openapi.json", timeout=30).json()
    calls = {
        (method.upper(), path): operation
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
        if not path.startswith("/log/")
    }
    closed = {call for call, operation in calls.items() if operation.get("security")}
    assert closed == API.keys() | OWN.keys()
    in_session = {call for call, operation in calls.items() if {"Session": []} in operation.get("security", [])}
    assert in_session == OWN.keys()
    assert calls.keys() - closed == OPEN_CALLS


def may(role: Role, right: Right) -> bool:
    return right == SELF or bool(MAY[role] & right)  # type: ignore[operator]  # a set, if it is no word


@pytest.fixture(scope="module")
def objects(installation: Any, facilities: Any, staff: Any) -> dict[str, str]:
    """Return what stands in an address for each kind of object: one that there is, of the operator's."""
    staff("clerk")
    number = new_number()
    Scanner(installation).send(event(number, "accepted"))
    item = httpx.get(f"{installation.url}/api/v1/items/{number}/events", timeout=30).json()[0]["id"]
    operator = Organisation.objects.get(kind="operator")
    key = ApiKey.objects.filter(organisation=None).latest("created_at")
    member = Membership.objects.filter(organisation=operator, ended_at=None).latest("since")
    return {
        "str:item_id": number,
        "item_id": number,
        "str:event_key": item.removeprefix("evt_"),
        "uuid:organisation_id": str(operator.id),
        "uuid:membership": str(member.id),
        "uuid:key_id": str(key.id),
        "key_id": f"key_{key.id.hex}",
        "code": "TEST-A",
        "origin": "TEST-A",
        "destination": "TEST-B",
        "value": "x",
        "name": "none",
    }


def address(route: str, objects: dict[str, str]) -> str:
    def stands(found: re.Match[str]) -> str:
        name = found[1]
        if name in objects:
            return objects[name]
        return "1" if name.startswith("int:") else str(uuid.UUID(int=7))

    return re.sub(r"[<{]([^>}]+)[>}]", stands, route)


@pytest.fixture(scope="module")
def people(installation: Any, staff: Any) -> Any:
    """Return somebody signed in with each role, freshly proven."""
    reader = Browser(installation.url)
    assert reader.by_code(f"matrix-{uuid.uuid4().hex[:8]}@example.com", installation.home).status_code == 302

    def one(role: Role) -> Browser:
        mine: Browser = reader if role is Role.ADDRESSEE else staff(role.value)
        if role is not Role.ADDRESSEE:
            mine.prove()
        return mine

    yield one
    reader.http.close()


def facts() -> int:
    return Fact.objects.exclude(kind__startswith="privacy.").count()


@pytest.mark.asvs("3.5.3", "8.2.1", "8.3.1", "8.4.1")
@pytest.mark.parametrize("role", PEOPLE)
def test_each_role_sees_the_screens_that_the_table_gives_it(role: Role, people: Any, objects: dict[str, str]) -> None:
    mine: Browser = people(role)
    before, wrong = facts(), []
    for route, right in SCREENS.items():
        where = address(route, objects)
        answer = mine.http.get(where)
        posts_only = answer.status_code == 405
        if posts_only and right != SELF and not may(role, right):
            answer = mine.post(where, "/app/account", reason="x", repaired="{}")
        allowed = may(role, right)
        if right == SELF and posts_only:
            continue
        if not allowed and answer.status_code not in REFUSED:
            wrong.append(f"{role} got {answer.status_code} at {route}")
        if allowed and not posts_only and answer.status_code == 403:
            wrong.append(f"{role} was refused at {route}")
        mine_alone = any(mark in route for mark in OF_ONE_TENANT) and role not in OPERATORS
        if mine_alone and answer.status_code not in REFUSED:
            wrong.append(f"{role} of another tenant got {answer.status_code} at {route}")
    assert wrong == []
    assert facts() == before


@pytest.mark.asvs("8.2.1", "8.3.1")
def test_nobody_sees_any_screen(installation: Any, objects: dict[str, str]) -> None:
    with httpx.Client(base_url=installation.url, timeout=30) as stranger:
        for route in SCREENS:
            answer = stranger.get(address(route, objects))
            signed_out = answer.status_code == 302 and answer.headers["location"].startswith("/accounts/sign-in")
            assert signed_out or answer.status_code in {405, *REFUSED}, (route, answer.status_code)


@pytest.mark.asvs("8.2.1", "8.3.1")
@pytest.mark.parametrize("role", sorted(KEY_ROLES))
def test_each_key_makes_the_calls_that_the_table_gives_its_role(
    role: Role, installation: Any, objects: dict[str, str]
) -> None:
    of = None
    if role in TENANTS:
        of = tenant(next(kind for kind, held in ROLES_OF.items() if role in held))
    made = actions.new_key(f"matrix {role}", role, by=actions.installer(), mode="test", organisation=of, simulated=True)
    wrong = []
    head = {"Authorization": f"Bearer {made.token}", "Idempotency-Key": str(uuid.uuid4())}
    with httpx.Client(base_url=installation.url, timeout=30, headers=head) as client:
        for (method, route), right in API.items():
            where = address(route, objects)
            if route.endswith("/rotate"):  # a key renews itself, and no other
                where = address(route, objects | {"key_id": f"key_{made.id.hex}"})
            if method == "DELETE" and may(role, right):
                where = address(route, objects | {"key_id": f"key_{uuid.uuid4().hex}", "device_id": "dev_" + "0" * 32})
            answer = client.request(method, where, json=[] if route.endswith("scans") else {})
            # What is asked is read before it is asked whether one may: a body that is none is said to be.
            refused = answer.status_code in {*REFUSED, 400, 406, 409, 415, 422}
            if answer.status_code >= 500:
                wrong.append(f"{role} broke {method} {route}")
            if not may(role, right) and not refused:
                wrong.append(f"{role} got {answer.status_code} for {method} {route}")
            if may(role, right) and answer.status_code in {401, 403}:
                wrong.append(f"{role} was refused {method} {route}: {answer.text[:200]}")
        for method, route in OWN:
            answer = client.request(method, address(route, objects), json={})
            if answer.status_code != 403:
                wrong.append(f"{role} got {answer.status_code} for {method} {route}, which is a person's alone")
    assert wrong == []


@pytest.mark.asvs("8.2.1", "8.3.1")
@pytest.mark.parametrize("role", PEOPLE)
def test_each_role_calls_for_itself_in_a_session_what_the_table_gives_it(
    role: Role, people: Any, objects: dict[str, str]
) -> None:
    mine: Browser = people(role)
    token = mine.http.get("/api/v1/me").json().get("csrf_token", "")
    before, wrong = facts(), []
    for (method, route), right in OWN.items():
        if method == "POST" and route.endswith(("export", "restriction")):
            continue  # needs no body, so it would be done: tests/api/test_own_data does it
        head = {"X-CSRFToken": token, "Idempotency-Key": str(uuid.uuid4())}
        answer = mine.http.request(method, address(route, objects), json={}, headers=head)
        if answer.status_code >= 500 or may(role, right) == (answer.status_code in {401, 403}):
            wrong.append(f"{role} got {answer.status_code} for {method} {route}: {answer.text[:200]}")
    assert wrong == []
    assert facts() == before
