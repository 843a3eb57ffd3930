"""Keys, grants and devices over HTTP: what each answer says, in parts that a cursor joins."""

from __future__ import annotations

import datetime as dt
import re
import uuid

import httpx
import pytest
from tests.people.tenants import organisation, token_of
from tests.scanner import Scanner, event, new_number, until

from parcelward.people import actions as people
from parcelward.people import queries, tokens
from parcelward.people.wire import Role


def client_of(installation, token):
    return httpx.Client(base_url=f"{installation.url}/api/v1", headers={"Authorization": f"Bearer {token}"}, timeout=30)


@pytest.fixture
def tenant(installation):
    """A sender of its own: its administrator's key sees no other's."""
    return organisation()


@pytest.fixture
def sender(installation, tenant):
    with client_of(installation, token_of(tenant).token) as client:
        yield client


@pytest.fixture
def administrator(installation):
    with client_of(installation, installation.api_key) as client:
        yield client


def once():
    return {"Idempotency-Key": str(uuid.uuid4())}


def test_a_sender_makes_rotates_and_revokes_a_key_of_its_own(installation, sender, tenant):
    asked = {"name": "checkout", "role": "sender_member", "scopes": ["reveal"], "expires_in_days": 90}
    made = sender.post("/keys", json=asked, headers=once())
    assert made.status_code == 201
    said = made.json()
    assert tokens.is_token(said["token"])
    assert said["token"].startswith(said["prefix"])
    assert (said["object"], said["mode"], said["state"]) == ("key", "test", "valid")
    assert (said["role"], said["scopes"]) == ("sender_member", ["reveal"])
    assert said["organisation"] == f"org_{tenant.id.hex}"
    lasts = dt.datetime.fromisoformat(said["expires_at"]) - dt.datetime.fromisoformat(said["created_at"])
    assert abs(lasts - dt.timedelta(days=90)) < dt.timedelta(minutes=1)
    rotated = sender.post(f"/keys/{said['id']}/rotate", json={"overlap_hours": 2}, headers=once()).json()
    assert (rotated["id"], rotated["previous"]["prefix"]) == (said["id"], said["prefix"])
    assert queries.key_holder(said["token"]) == queries.key_holder(rotated["token"])
    shown = sender.get(f"/keys/{said['id']}").json()
    assert shown == {name: value for name, value in rotated.items() if name != "token"}
    for _ in range(2):
        assert sender.delete(f"/keys/{said['id']}").status_code == 204
    assert sender.get(f"/keys/{said['id']}").json()["state"] == "revoked"
    assert not queries.key_is_valid(rotated["token"])


def test_the_list_has_every_key_once_however_it_is_cut(sender):
    made = [
        sender.post("/keys", json={"name": f"key {n}", "role": "sender_member"}, headers=once()).json()
        for n in range(5)
    ]
    seen, address = [], "/keys?limit=2"
    while address:
        answer = sender.get(address)
        assert len(answer.json()) <= 2
        seen += [key["id"] for key in answer.json()]
        link = re.search(r'<[^>]*/api/v1(/keys[^>]*)>; rel="next"', answer.headers.get("Link", ""))
        address = link[1] if link else ""
    assert seen[:5] == [key["id"] for key in reversed(made)]
    assert len(seen) == len(set(seen)) == 6, "with the one that asks"
    assert "token" not in sender.get("/keys").text
    foreign = token_of(organisation())
    assert sender.get(f"/keys?cursor=key_{foreign.id.hex}").status_code == 404, "nor is a cursor of somebody else's"


def test_a_key_is_granted_spending_and_loses_it(administrator, sender, tenant):
    made_by_a_person = token_of(tenant, Role.SENDER_MEMBER)
    key = {"id": f"key_{made_by_a_person.id.hex}", "token": made_by_a_person.token}
    asked = {"currency": "EUR", "cap_payment_minor": 500, "cap_day_minor": 900, "cap_month_minor": 2_000}
    made = sender.post(f"/keys/{key['id']}/grants", json=asked, headers=once())
    assert made.status_code == 201
    grant = made.json()
    assert {name: grant[name] for name in asked} == asked
    again = sender.post(f"/keys/{key['id']}/grants", json=asked, headers=once())
    assert (again.status_code, again.json()["code"]) == (409, "granted")
    holder = queries.key_holder(key["token"])
    people.reserve_spend(holder.id, 400, "EUR", reservation=uuid.uuid4())
    (shown,) = administrator.get(f"/keys/{key['id']}/grants").json()
    assert (shown["used_day_minor"], shown["used_month_minor"]) == (400, 400)
    assert sender.delete(f"/keys/{key['id']}/grants/{grant['id']}").status_code == 204
    assert sender.get(f"/keys/{key['id']}/grants").json()[0]["withdrawn_at"] is not None
    with pytest.raises(people.OverCap):
        people.reserve_spend(holder.id, 1, "EUR", reservation=uuid.uuid4())
    for bad in ({"cap_day_minor": None, "cap_month_minor": None}, {"cap_payment_minor": 0}, {"currency": "eur"}):
        assert sender.post(f"/keys/{key['id']}/grants", json=asked | bad, headers=once()).status_code == 422


@pytest.mark.parametrize(
    "wrong",
    [
        {"role": "device"},
        {"role": "nobody"},
        {"role": "partner", "scopes": ["nothing"]},
        {"role": "partner", "expires_in_days": 0},
        {"role": "partner", "expires_in_days": 5_000},
        {"role": "partner", "name": ""},
        {"role": "sender_admin"},
        {"role": "partner", "more": 1},
    ],
)
def test_a_key_that_cannot_be_is_refused(administrator, wrong):
    answer = administrator.post("/keys", json={"name": "wrong", **wrong}, headers=once())
    assert answer.status_code == 422, answer.text


def test_an_organisation_that_is_not_there_is_not_found(administrator):
    for named in (f"org_{uuid.uuid4().hex}", "org_x"):
        body = {"name": "x", "role": "sender_admin", "organisation": named}
        assert administrator.post("/keys", json=body, headers=once()).status_code == 404


def test_devices_are_listed_with_who_was_last_heard(installation, administrator, facilities):
    scanner = Scanner(installation, name="listed scanner")
    listed = administrator.get("/devices?limit=1")
    (newest,) = listed.json()
    assert (newest["device_id"], newest["name"], newest["last_seen_at"]) == (scanner.device_id, "listed scanner", None)
    assert f"cursor={newest['id']}" in listed.headers["Link"]
    scanner.send(event(new_number(), "accepted"))

    def heard():
        said = administrator.get(f"/devices/{newest['id']}").json()
        return said if said["last_seen_at"] else None

    assert abs(until(heard)["clock_ahead_s"]) <= 5
    assert administrator.delete(f"/devices/{newest['id']}").status_code == 204
    assert administrator.get(f"/devices/{newest['id']}").json()["revoked_at"] is not None


def test_the_time_of_last_use_comes_by_itself(installation):
    made = people.new_key("used", Role.PARTNER, by=people.installer(), mode="test", simulated=True)
    with client_of(installation, made.token) as client:
        assert client.get("/keys").status_code == 403, "it is known, and may not look at keys"
    until(lambda: queries.key(made.id, by=people.installer()).last_used_at)
