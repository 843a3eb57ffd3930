"""A parameter that comes twice where it counts once is refused: nobody can say which was meant."""

from __future__ import annotations

import re
import uuid
from typing import Any

import httpx
import pytest
from tests.attacks.untouched import untouched
from tests.epcis_partner import Partner
from tests.joined import joined

from parcelward.people import queries
from parcelward.people.models import ApiKey
from parcelward.people.wire import Role

pytestmark = pytest.mark.asvs("15.3.7")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    ("address", "once"),
    [
        ("/?number=RA473012345GB&number=RA473012356GB", "/?number=RA473012345GB"),
        ("/accounts/sign-in?next=/app/&next=/app/account", "/accounts/sign-in?next=/app/"),
        ("/terms?utm=a&utm=a", "/terms?utm=a"),
    ],
)
def test_a_page_is_asked_with_each_word_once(installation: Any, address: str, once: str) -> None:
    answer = httpx.get(installation.url + address, timeout=30)
    assert answer.status_code == 400
    assert "Something came twice that counts once" in answer.text
    assert httpx.get(installation.url + once, timeout=30).status_code in {200, 302, 404}


@pytest.mark.parametrize(
    "address",
    [
        "/api/v1/items/RA473012345GB/events?format=json&format=xml",
        "/log/checkpoint?a=1&a=2",
        "/epcis/events?perPage=1&perPage=2",
        "/epcis/eventTypes?perPage=1&perPage=2",
    ],
)
def test_a_call_is_made_with_each_word_once(installation: Any, address: str) -> None:
    head = {"Authorization": f"Bearer {Partner(installation).key}"}
    answer = httpx.get(installation.url + address, headers=head, timeout=30)
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert "once" in answer.text


def token(page: str) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert found
    return found[1]


@pytest.mark.parametrize("kind", ["plain", "parts"])
def test_a_form_is_sent_with_each_field_once(installation: Any, staff: Any, kind: str) -> None:
    mine = staff("administrator")
    mine.prove()
    where = "/app/organisations/make"
    sent = [("csrfmiddlewaretoken", mine.token("/app/account")), ("name", "One Post"), ("name", "Other Post")]
    body: dict[str, Any] = {"content": str(httpx.QueryParams(sent)), "headers": FORM}
    if kind == "parts":
        body = {"files": [(name, (None, value)) for name, value in sent]}
    body.setdefault("headers", {})
    with untouched():
        answer = mine.http.post(where, **{**body, "headers": {**body["headers"], "Referer": installation.url}})
    assert answer.status_code == 400
    assert "Something came twice" in answer.text


def test_a_token_against_forgery_counts_once_too(installation: Any, staff: Any) -> None:
    mine = staff("administrator")
    good = mine.token("/app/account")
    body = f"csrfmiddlewaretoken=x&csrfmiddlewaretoken={good}"
    answer = mine.http.post("/accounts/sign-out", content=body, headers={**FORM, "Referer": installation.url})
    assert answer.status_code == 400
    assert mine.http.get("/app/account").status_code == 200


def test_boxes_that_are_ticked_are_a_list(installation: Any, staff: Any) -> None:
    mine = staff("administrator")
    mine.prove()
    tenant = queries.tenants(by=joined(Role.ADMINISTRATOR))[0]
    where = f"/app/keys/new?organisation={tenant.ident}&role=hub_agent"
    page = mine.http.get(where).text
    offered = re.findall(r'name="scopes" id="[^"]+" value="([^"]+)"', page)
    assert len(offered) > 1, page
    name = f"two scopes {uuid.uuid4().hex[:6]}"
    once = {"once": str(uuid.uuid4()), "days": "30", "limited": "yes", "name": name}
    fields = [("csrfmiddlewaretoken", token(page)), *once.items(), *(("scopes", scope) for scope in offered[:2])]
    sent = str(httpx.QueryParams(fields))
    answer = mine.http.post(where, content=sent, headers={**FORM, "Referer": installation.url})
    assert answer.status_code == 200, answer.text
    assert sorted(ApiKey.objects.get(source__name=name).scopes or []) == sorted(offered[:2])
