"""Parcels that leave: sold, held until customs knows what is in them, let go by that; their forms and advance data."""

from __future__ import annotations

import copy
import secrets
import uuid
from typing import Any

import httpx
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.people.staffing import somebody, trained
from tests.scanner import Scanner, event
from tests.shipping import shop as shops
from tests.shipping.sample_labels import pages, read, text_of
from tests.shipping.shop import Shop, order

from parcelward.base.errors import Conflict
from parcelward.custody.queries import Findings
from parcelward.parcels import actions as parcels
from parcelward.parcels import queries as seen
from parcelward.people import actions as people
from parcelward.people.wire import Role
from parcelward.shipping import queries
from parcelward.shipping.actions import customs
from parcelward.shipping.models import CustomsData, OrderItem

ABROAD = {
    "country": "FR",
    "addressee": "Canary Quillfeather",
    "street_lines": ["3 rue des Lilas"],
    "locality": "Lyon",
    "postcode": "69003",
}
SAID: dict[str, Any] = {
    "reason": "sale_of_goods",
    "goods": [
        {
            "description": "Cotton T-shirts",
            "quantity": 2,
            "net_weight_g": 400,
            "value_minor": 4000,
            "currency": "USD",
            "origin": "PT",
            "hs_code": "6109.10",
        },
        {
            "description": "Zanzibar nutmeg soap",
            "quantity": 3,
            "net_weight_g": 300,
            "value_minor": 1250,
            "currency": "USD",
            "origin": "TZ",
            "hs_code": "3401110000",
        },
    ],
    "sender_contact": "+1 217 555 0175",
    "importer_reference": "FR-VAT-77",
}


@pytest.fixture(scope="module")
def mine(installation: Any) -> Shop:
    shops.open_shop()
    return shops.shop(installation, 10_000_000)


def abroad(said: dict[str, Any] | None = None, **changed: Any) -> dict[str, Any]:
    to = {"address": ABROAD | {"addressee": f"Canary {secrets.token_hex(4)}"}, "email": "canary@mail.example"}
    body = order(item_to=to, item_product="world", **changed)
    return body if said is None else body | {"items": [body["items"][0] | {"customs": said}]}


def put(shop: Shop, order_id: str, said: dict[str, Any], place: int = 0) -> httpx.Response:
    path = f"{shop.url}/api/v1/orders/{order_id}/customs?place={place}"
    return httpx.put(path, json=said, headers=shop.headers, timeout=60)


def held(number: str) -> bool:
    item = seen.find(number)
    assert item is not None
    return seen.journey(item).held


def wrong(answer: httpx.Response) -> set[tuple[str, str]]:
    return {(one["pointer"], one["code"]) for one in answer.json()["errors"]}


@pytest.fixture
def waiting(mine: Shop) -> dict[str, Any]:
    """Buy a parcel of which customs knows nothing yet."""
    answer = mine.buy(abroad())
    assert answer.status_code == 201, answer.text
    bought: dict[str, Any] = answer.json()
    return bought


def test_what_stays_is_not_asked_about_customs_and_costs_no_question(mine: Shop) -> None:
    said = mine.buy(order()).json()
    assert said["items"][0]["customs"] is None
    assert not CustomsData.objects.filter(item__number=said["items"][0]["number"]).exists()
    row = OrderItem.objects.get(number=said["items"][0]["number"])
    house = people.machinery()
    with CaptureQueriesContext(connection) as asked:
        customs.hold_within([row], by=house)
        assert customs.mark_of(row) == ""
    assert asked.captured_queries == []


def test_it_is_sold_and_held_until_customs_knows(
    mine: Shop, waiting: dict[str, Any], installation: Any, facilities: Any
) -> None:
    item = waiting["items"][0]
    assert (waiting["state"], item["customs"]["state"], item["customs"]["form"]) == ("bought", "missing", "CN 23")
    assert [(one["pointer"], one["code"]) for one in item["customs"]["missing"]] == [("", "missing")]
    assert held(item["number"])
    told = Scanner(installation).send(event(item["number"], "accepted"))
    assert [one["do"] for one in told["instructions"]] == ["HOLD"]
    refused = mine.get(f"/api/v1/orders/{waiting['id']}/customs")
    assert (refused.status_code, refused.json()["code"]) == (409, "customs_data")
    done = put(mine, waiting["id"], SAID)
    assert done.status_code == 200, done.text
    assert done.json()["items"][0]["customs"]["state"] == "complete"
    assert not held(item["number"])


def test_all_that_is_missing_is_said_at_once_and_nothing_is_changed(mine: Shop, waiting: dict[str, Any]) -> None:
    poor: dict[str, Any] = copy.deepcopy(SAID) | {"sender_contact": "", "reason": ""}
    poor["goods"][0] |= {"description": "2 gifts", "origin": "XX", "hs_code": "9999.99"}
    poor["goods"][1] |= {"quantity": 0, "net_weight_g": 9_000, "value_minor": 0, "currency": "EUR", "hs_code": "12"}
    answer = put(mine, waiting["id"], poor)
    assert answer.status_code == 422
    assert wrong(answer) == {
        ("/reason", "missing"),
        ("/sender_contact", "missing"),
        ("/goods", "too_heavy"),
        ("/goods/0/description", "vague"),
        ("/goods/0/origin", "bad_country"),
        ("/goods/0/hs_code", "unknown_code"),
        ("/goods/1/quantity", "missing"),
        ("/goods/1/value_minor", "missing"),
        ("/goods/1/currency", "other_currency"),
        ("/goods/1/hs_code", "bad_code"),
    }
    assert held(waiting["items"][0]["number"])
    assert mine.get(f"/api/v1/orders/{waiting['id']}").json()["items"][0]["customs"]["state"] == "missing"


def test_an_order_that_says_all_is_never_held(mine: Shop) -> None:
    said = mine.buy(abroad(SAID)).json()
    (item,) = said["items"]
    assert (item["customs"]["state"], item["customs"]["missing"]) == ("complete", [])
    assert not held(item["number"])


def test_the_form_says_what_was_declared_and_its_code_is_the_number(mine: Shop) -> None:
    said = mine.buy(abroad(SAID)).json()
    (item,) = said["items"]
    form = mine.get(item["customs"]["document_url"].removeprefix(mine.url))
    assert (form.status_code, form.headers["content-type"]) == (200, "application/pdf")
    words = text_of(form.content)
    for part in (
        *("CN 23", "2 x Cotton T-shirts", "610910", "40.00 USD", "PT", "3 x Zanzibar nutmeg soap", "3401110000"),
        *("Total: 0.700 kg net, 0.900 kg gross, 52.50 USD", "3 rue des Lilas", "69003 LYON", "FRANCE"),
        *("5 Market Square", "+1 217 555 0175", "canary@mail.example", "FR-VAT-77"),
    ):
        assert part in words, part
    assert read(pages(form.content)[0])["]C0"] == item["number"]
    label = mine.get(item["label_url"].removeprefix(mine.url))
    assert "CN 23" in text_of(label.content)


def test_advance_data_say_the_same(mine: Shop) -> None:
    said = mine.buy(abroad(SAID)).json()
    number = said["items"][0]["number"]
    found = mine.get(f"/api/v1/items/{number}/customs").json()
    assert (found["item_identifier"], found["mail_class"], found["customs_form"]) == (number, "C", "CN 23")
    assert (found["origin_country"], found["destination_country"]) == ("US", "FR")
    assert (found["gross_weight_g"], found["nature_of_transaction"]) == (900, "sale_of_goods")
    assert (found["sender"]["telephone"], found["addressee"]["email"]) == ("+1 217 555 0175", "canary@mail.example")
    assert found["addressee"]["customs_reference"] == "FR-VAT-77"
    shirts, soap = found["content_pieces"]
    assert (shirts["tariff_heading"], shirts["number_of_units"], shirts["net_weight_g"]) == ("610910", 2, 400)
    assert shirts["tariff_words"].startswith("T-shirts")
    assert (soap["declared_value_minor"], soap["currency"], soap["origin_country"]) == (1250, "USD", "TZ")


@pytest.mark.parametrize("by_device", [True, False])
def test_giving_customs_its_data_ends_no_other_hold(
    mine: Shop, waiting: dict[str, Any], installation: Any, facilities: Any, by_device: bool
) -> None:
    number, inspector = waiting["items"][0]["number"], somebody(Role.INSPECTOR)
    item = seen.find(number)
    assert item is not None
    if by_device:
        Scanner(installation).send(event(number, "held", reason="looks_damp"))
    else:
        parcels.hold(item, "looks damp", by=inspector)
    assert put(mine, waiting["id"], SAID).status_code == 200
    assert held(number)
    parcels.release(item, "it is dry", by=inspector)
    assert not held(number)


def test_the_desk_ends_its_own_hold_and_not_that_of_customs(mine: Shop, waiting: dict[str, Any]) -> None:
    number, inspector = waiting["items"][0]["number"], somebody(Role.INSPECTOR)
    item = seen.find(number)
    assert item is not None
    with pytest.raises(Conflict, match="customs data"):
        parcels.release(item, "let it go", by=inspector)
    parcels.hold(item, "looks damp", by=inspector)
    parcels.release(item, "it is dry", by=inspector)
    assert held(number), "customs still knows nothing"
    assert put(mine, waiting["id"], SAID).status_code == 200
    assert not held(number)


def test_what_is_declared_is_screened_for_dangerous_goods(mine: Shop, waiting: dict[str, Any]) -> None:
    said = copy.deepcopy(SAID)
    said["goods"][1] |= {"description": "Lighter fluid", "hs_code": "2710.12"}
    assert put(mine, waiting["id"], said).status_code == 200
    number = waiting["items"][0]["number"]
    assert held(number), "customs knows it; somebody has to look into it"
    item = seen.find(number)
    assert item is not None
    parcels.release(item, "looked into it", by=trained(Role.INSPECTOR))
    assert not held(number)
    assert mine.buy(abroad(said)).json()["state"] in {"refused", "review"}


def test_a_parcel_that_is_only_held_is_printed_anew_and_cancelled(mine: Shop, waiting: dict[str, Any]) -> None:
    where = f"/api/v1/orders/{waiting['id']}"
    assert mine.get(f"{where}/labels/0").status_code == 200
    assert mine.post(f"{where}/labels/0").status_code == 200
    assert mine.post(f"{where}/cancel").json()["state"] == "cancelled"
    refused = put(mine, waiting["id"], SAID)
    assert (refused.status_code, refused.json()["code"]) == (409, "not_now")


def test_a_row_that_was_changed_behind_our_back_is_found(waiting: dict[str, Any]) -> None:
    rows = CustomsData.objects.filter(item__number=waiting["items"][0]["number"])
    before = rows.values("standing", "form").get()
    assert differs() is None
    rows.update(form="CN 22")
    assert differs() == "customs"
    rows.update(**before)
    rows.update(standing="complete")
    assert differs() == "customs"
    rows.update(**before)
    assert differs() is None


def differs() -> str | None:
    findings = Findings()
    queries.check_orders(findings)
    return None if findings.first is None else findings.first.differs


def test_nobody_declares_or_reads_for_another(mine: Shop, waiting: dict[str, Any], installation: Any) -> None:
    other, number = shops.shop(installation), waiting["items"][0]["number"]
    assert put(other, waiting["id"], SAID).status_code == 404
    assert put(mine, waiting["id"], SAID).status_code == 200
    for path in (f"/api/v1/orders/{waiting['id']}/customs", f"/api/v1/items/{number}/customs"):
        assert (other.get(path).status_code, mine.get(path).status_code) == (404, 200)


def test_what_stays_has_no_customs(mine: Shop) -> None:
    said = mine.buy(order()).json()
    refused = put(mine, said["id"], SAID)
    assert (refused.status_code, refused.json()["code"]) == (409, "no_customs")
    assert put(mine, said["id"], SAID, place=1).status_code == 404


def test_once_handed_in_what_was_declared_stands(mine: Shop, installation: Any, facilities: Any) -> None:
    said = mine.buy(abroad(SAID)).json()
    changed = SAID | {"importer_reference": "FR-VAT-78"}
    assert put(mine, said["id"], changed).status_code == 200
    Scanner(installation).send(event(said["items"][0]["number"], "accepted"))
    refused = put(mine, said["id"], SAID)
    assert (refused.status_code, refused.json()["code"]) == (409, "tendered")
    assert put(mine, said["id"], changed).status_code == 200, "the same again changes nothing"


def test_what_is_inside_is_in_no_table_in_clear(mine: Shop) -> None:
    canary = f"Nutmeg{uuid.uuid4().hex}"
    said = copy.deepcopy(SAID)
    said["goods"][0]["description"] = canary
    made = mine.buy(abroad(said))
    assert made.json()["items"][0]["customs"]["state"] == "complete"
    assert canary not in made.text
    with connection.cursor() as cur:
        cur.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        tables = [row[0] for row in cur.fetchall()]
        for table in tables:
            cur.execute(f"SELECT count(*) FROM {table} AS t WHERE t::text LIKE %s", (f"%{canary}%",))
            assert cur.fetchone() == (0,), table


def test_words_find_tariff_codes(mine: Shop) -> None:
    found = mine.get("/api/v1/hs-codes?q=cotton%20t-shirt").json()
    assert len(found) == 5
    assert "610910" in {one["code"] for one in found[:2]}
    assert found[0]["heading"].startswith("T-shirts")
    assert mine.get("/api/v1/hs-codes?q=").status_code == 422
    assert httpx.get(f"{mine.url}/api/v1/hs-codes?q=tea", timeout=30).status_code == 401
