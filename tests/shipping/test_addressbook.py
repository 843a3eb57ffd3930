"""The address book: kept in the vault, shown masked, found by who it is, and gone when it is taken out."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest
from tests.shipping import lists
from tests.shipping import shop as shops
from tests.shipping.shop import ADDRESS, SENDER, Shop

from parcelward.base.vault import VaultToken
from parcelward.privacy.models import KeptPerson
from parcelward.privacy.queries import kept
from parcelward.shipping.models import AddressEntry, Upload

BOOK = "/api/v1/addressbook"


@pytest.fixture(scope="module")
def mine(installation: Any) -> Shop:
    shops.open_shop()
    return shops.shop(installation)


def add(shop: Shop, body: dict[str, Any]) -> httpx.Response:
    headers = shop.headers | {"Idempotency-Key": str(uuid.uuid4())}
    return httpx.post(f"{shop.url}{BOOK}", json=body, headers=headers, timeout=60)


def test_an_entry_is_masked_found_written_anew_and_gone(mine: Shop, installation: Any) -> None:
    body = {"address": ADDRESS, "email": "canary.quillfeather@mail.example", "phone": "+1 217 555 0147"}
    made = add(mine, body)
    assert made.status_code == 201, made.text
    said = made.json()
    assert (said["name"], said["postcode"], said["country"]) == ("C. Q****", "627***", "US")
    assert "Quillfeather" not in made.text
    where = f"{BOOK}/{said['id']}"
    assert mine.get(where).json() == said
    assert said["id"] in {one["id"] for one in mine.get(BOOK).json()}
    found = mine.post(f"{BOOK}/find", {"by": "name", "value": "canary quillfeather"}).json()
    assert [one["id"] for one in found] == [said["id"]]
    other = shops.shop(installation)
    assert other.get(where).status_code == 404
    assert other.post(f"{BOOK}/find", {"by": "name", "value": "canary quillfeather"}).json() == []
    anew = {"address": ADDRESS | {"addressee": "Ana Sample"}}
    put = httpx.put(f"{mine.url}{where}", json=anew, headers=mine.headers, timeout=60)
    assert (put.json()["name"], put.json()["email"]) == ("A. S****", "")
    token = AddressEntry.objects.get(pk=uuid.UUID(said["id"].removeprefix("adr_"))).token
    assert httpx.delete(f"{mine.url}{where}", headers=mine.headers, timeout=60).status_code == 204
    assert mine.get(where).status_code == 404
    assert kept(VaultToken(token)).fields == (), "nothing is left of it in the vault"


def test_what_nobody_could_send_to_is_not_kept(mine: Shop) -> None:
    before = KeptPerson.objects.count()
    refused = add(mine, {"address": {"country": "QQ"}})
    assert refused.status_code == 422
    assert {one["pointer"] for one in refused.json()["errors"]} >= {"/address/country", "/address/street_lines"}
    assert KeptPerson.objects.count() == before


def test_a_list_can_be_from_an_entry(mine: Shop, installation: Any) -> None:
    entry = add(mine, SENDER | {"own": True}).json()["id"]
    said = lists.send(mine, lists.text([lists.row(0)])).json()
    looked = lists.mapped(mine, said, sender=None, sender_address=entry)
    row = Upload.objects.get(pk=uuid.UUID(looked["id"].removeprefix("upl_")))
    assert row.sender == AddressEntry.objects.get(pk=uuid.UUID(entry.removeprefix("adr_"))).token
    other = shops.shop(installation)
    theirs = lists.send(other, lists.text([lists.row(0)])).json()
    columns = [one["field"] for one in theirs["columns"]]
    body = {"columns": columns, "sender_address": entry}
    assert other.post(f"/api/v1/uploads/{theirs['id']}/mapping", body).status_code == 404
