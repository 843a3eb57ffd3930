"""EasyPost's own Python client, unmodified: only its base URL is ours."""

from __future__ import annotations

import json
import re
import secrets
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.test import RequestFactory
from easypost.easypost_client import EasyPostClient
from easypost.errors import InvalidRequestError, NotFoundError
from tests.scanner import Scanner, event, new_number
from tests.shipping import shop as shops
from tests.shipping.sample_labels import pages, read
from tests.shipping.shop import NAME, Shop

from parcelward.doors.easypost import labels
from parcelward.parcels.hazmat.wire import Answer
from parcelward.people.queries import key_holder
from parcelward.privacy.sealing.wire import from_base45, parse
from parcelward.shipping import actions, queries
from parcelward.shipping.errors import NotNow
from parcelward.shipping.models import OrderItem
from parcelward.shipping.wire import MemoryKind

TO = {
    "name": f"{NAME} {secrets.token_hex(4)}",  # many accounts that send to one addressee look like fraud
    "street1": "27 Zanzibar Mews",
    "city": "Springfield",
    "state": "IL",
    "zip": "62701",
    "country": "US",
    "email": "canary.quillfeather@mail.example",
}
FROM = {"company": "Marrow & Pith", "street1": "5 Market Square", "city": "Springfield", "state": "IL", "zip": "62703"}
SAID = {"content_description": "Two cotton T-shirts"}
PARCEL = {"length": 11.8, "width": 7.9, "height": 3.95, "weight": 31.7}


@pytest.fixture(scope="module")
def mine(installation: Any) -> Shop:
    shops.open_shop()
    return shops.shop(installation)


def client_of(shop: Shop) -> EasyPostClient:
    return EasyPostClient(shop.token, api_base=f"{shop.url}/easypost/v2")


@pytest.fixture
def client(mine: Shop) -> EasyPostClient:
    return client_of(mine)


def test_from_an_address_to_a_delivered_parcel(client: Any, mine: Shop, installation: Any, facilities: Any) -> None:
    to = client.address.create(verify=True, **TO)
    assert (to.id[:4], to.verifications.delivery.success) == ("adr_", True)
    assert client.address.retrieve(to.id).name == TO["name"]
    parcel = client.parcel.create(**PARCEL)
    before = mine.balance_minor
    shipment = client.shipment.create(to_address=to, from_address=FROM, parcel=parcel, reference="A-1", options=SAID)
    assert [(one.service, one.rate) for one in shipment.rates] == [
        ("packet", "6.85"),
        ("parcel", "9.10"),
        ("express", "27.71"),
    ]
    assert mine.balance_minor == before, "a rate costs nothing"
    bought = client.shipment.buy(shipment.id, rate=shipment.lowest_rate(services=["parcel"]))
    assert before - mine.balance_minor == 910
    assert bought.selected_rate.rate == "9.10"
    label = httpx.get(bought.postage_label.label_url, timeout=30)
    assert label.content[:4] == b"\x89PNG"
    found = read(pages(httpx.get(bought.postage_label.label_pdf_url, timeout=30).content)[0])
    assert found["]C0"] == bought.tracking_code
    sealed = next(text for kind, text in found.items() if kind != "]C0")
    assert parse(from_base45(sealed)).item == bought.tracking_code

    assert (bought.tracker.status, bought.status) == ("pre_transit", "pre_transit")
    Scanner(installation).send(
        event(bought.tracking_code, "accepted", minutes=1), event(bought.tracking_code, "delivered", minutes=2)
    )
    tracker = client.tracker.retrieve(bought.tracker.id)
    assert (tracker.status, tracker.finalized) == ("delivered", True)
    assert [one.status for one in tracker.tracking_details] == ["in_transit", "delivered"]
    assert client.tracker.create(tracking_code=bought.tracking_code).id == tracker.id, "one tracker for one number"
    assert NAME not in json.dumps(tracker.to_dict())


def test_the_example_of_the_page_runs(mine: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    page = (Path(__file__).parents[2] / "docs" / "easypost.md").read_text(encoding="utf-8")
    code = re.search(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert code
    exec(code[1].replace("pw_test_...", mine.token).replace("http://localhost:8000", mine.url), {})
    said = capsys.readouterr().out.split()
    assert (said[1], said[3]) == ("6.85", "pre_transit")


def bought(client: Any, **more: Any) -> Any:
    shipment = client.shipment.create(to_address=TO, from_address=FROM, parcel=PARCEL, **more)
    return client.shipment.buy(shipment.id, rate=shipment.lowest_rate())


def test_bought_twice_is_bought_once_and_at_one_rate(client: Any, mine: Shop) -> None:
    shipment = client.shipment.create(to_address=TO, from_address=FROM, parcel=PARCEL)
    before = mine.balance_minor
    with ThreadPoolExecutor(4) as pool:
        all_of = list(pool.map(lambda _: client_of(mine).shipment.buy(shipment.id, rate=shipment.rates[0]), range(4)))
    assert len({one.tracking_code for one in all_of}) == 1
    assert before - mine.balance_minor == 685
    with pytest.raises(InvalidRequestError) as refused:
        client.shipment.buy(shipment.id, rate=shipment.rates[1])
    assert refused.value.code == "SHIPMENT.POSTAGE.EXISTS"
    with pytest.raises(InvalidRequestError):
        client.shipment.regenerate_rates(shipment.id)
    assert before - mine.balance_minor == 685


def test_rates_are_made_anew_and_the_ones_before_hold(client: Any, mine: Shop) -> None:
    shipment = client.shipment.create(to_address=TO, from_address=FROM, parcel=PARCEL)
    stale = queries.memory(MemoryKind.SHIPMENT, uuid.UUID(shipment.id.removeprefix("shp_")), by=key_holder(mine.token))
    again = client.shipment.regenerate_rates(shipment.id).rates
    with pytest.raises(NotNow):
        actions.revise(stale, stale.facts, by=key_holder(mine.token))
    assert {one.id for one in again} & {one.id for one in shipment.rates} == set()
    assert client.rate.retrieve(shipment.rates[1].id).rate == "9.10"
    assert client.shipment.buy(shipment.id, rate=shipment.rates[1]).selected_rate.id == shipment.rates[1].id


def test_a_shipment_is_made_and_bought_in_one_call(client: Any) -> None:
    made = client.shipment.create(to_address=TO, from_address=FROM, parcel=PARCEL, service="express")
    assert made.selected_rate.rate == "27.71"
    assert made.tracking_code


def test_what_the_options_ask_for_is_bought(client: Any, mine: Shop) -> None:
    before = mine.balance_minor
    options = {"delivery_confirmation": "SIGNATURE", "label_format": "ZPL", "content_description": "Two T-shirts"}
    made = bought(client, options=options)
    assert before - mine.balance_minor == 1059, "6.40 and 3.50, and 7 % of it"
    assert made.postage_label.label_file_type == "application/zpl"
    assert httpx.get(made.postage_label.label_url, timeout=30).content[:4] == b"^XA^"
    row = OrderItem.objects.get(number=made.tracking_code)
    assert (row.extras, Answer(row.screened)) == (["signed_for"], Answer.ACCEPT)


def test_where_nobody_says_what_is_in_it_somebody_looks(client: Any) -> None:
    made = bought(client)
    row = OrderItem.objects.get(number=made.tracking_code)
    assert (Answer(row.screened), row.hazmat_rule) == (Answer.INSPECT, "not-understood")
    held = client.tracker.retrieve(made.tracker.id)
    assert (held.status, [one.status_detail for one in held.tracking_details]) == ("pre_transit", ["held"])


def test_what_may_not_be_sent_is_not_sold_and_nothing_is_charged(client: Any, mine: Shop) -> None:
    before = mine.balance_minor
    with pytest.raises(InvalidRequestError) as refused:
        bought(client, options={"content_description": "fireworks, 20 rockets"})
    assert refused.value.code == "SHIPMENT.POSTAGE.FAILURE"
    assert "hazmat_refuse" in refused.value.message
    assert mine.balance_minor == before


def test_what_is_declared_for_customs_goes_along(client: Any) -> None:
    item = client.customs_item.create(
        description="Cotton T-shirt",
        quantity=2,
        value="23.50",
        weight=10,
        hs_tariff_number="6109.10",
        origin_country="US",
    )
    info = client.customs_info.create(contents_type="merchandise", customs_certify=True, customs_items=[item])
    assert client.customs_info.retrieve(info.id).customs_items[0].description == "Cotton T-shirt"
    abroad = {"name": NAME, "street1": "3 rue des Lilas", "city": "Lyon", "zip": "69003", "country": "FR"}
    shipment = client.shipment.create(to_address=abroad, from_address=FROM, parcel=PARCEL, customs_info=info)
    made = client.shipment.buy(shipment.id, rate=shipment.lowest_rate())
    assert made.tracking_code[:2] + made.tracking_code[-2:] == "CPUS"
    row = OrderItem.objects.get(number=made.tracking_code)
    assert (row.value_minor, row.country) == (2350, "FR")
    missing = [where for where, _code in row.customs_data.missing]
    assert missing == ["/sender_contact", "/addressee_contact"], "all that the client said was understood"
    with pytest.raises(InvalidRequestError) as refused:
        client.customs_item.create(description="Pin", quantity=1, value="1", weight=1, currency="EUR")
    assert [one["field"] for one in refused.value.errors] == ["customs_item.currency"]


def test_lists_go_on_from_page_to_page(installation: Any) -> None:
    client = client_of(shops.shop(installation))
    ids = [client.shipment.create(to_address=TO, from_address=FROM, parcel=PARCEL).id for _ in range(3)]
    first = client.shipment.all(page_size=2)
    assert ([one.id for one in first.shipments], first.has_more) == (ids[:0:-1], True)
    assert first.shipments[0].to_address.name == TO["name"]
    rest = client.shipment.get_next_page(first, page_size=2)
    assert ([one.id for one in rest.shipments], rest.has_more) == (ids[:1], False)
    assert len(client.address.all(page_size=100).addresses) == 6


def test_what_was_handed_in_is_assumed(client: Any, mine: Shop, installation: Any) -> None:
    some = [bought(client) for _ in range(2)]
    form = client.scan_form.create(shipments=some)
    assert (form.status, sorted(form.tracking_codes)) == ("created", sorted(one.tracking_code for one in some))
    assert client.scan_form.create(shipments=some[::-1]).id == form.id, "the same manifest"
    assert client.scan_form.retrieve(form.id).tracking_codes == form.tracking_codes
    said = httpx.get(f"{mine.url}/track/{some[0].tracking_code}?format=json", timeout=30).json()
    assert "assumed" in str(said)
    assert client.tracker.retrieve(some[0].tracker.id).status == "pre_transit", "nobody has seen it"
    other = client_of(shops.shop(installation))
    with pytest.raises(InvalidRequestError) as refused:
        other.scan_form.create(shipments=some)
    assert [one["field"] for one in refused.value.errors] == ["shipments.0", "shipments.1"]


def test_what_was_not_handed_in_is_taken_back_whole(
    client: Any, mine: Shop, installation: Any, facilities: Any
) -> None:
    before = mine.balance_minor
    first, second, handed_in = (bought(client) for _ in range(3))
    again = client.shipment.refund(first.id)
    assert (again.refund_status, again.status, again.postage_label) == ("refunded", "cancelled", None)
    assert (again.fees[0].refunded, again.tracking_code) == (True, first.tracking_code)
    (refund,) = client.refund.create(carrier="any", tracking_codes=[second.tracking_code])
    assert (refund.status, refund.shipment_id) == ("refunded", second.id)
    assert client.refund.retrieve(refund.id).tracking_code == second.tracking_code
    assert [one.shipment_id for one in client.refund.all(page_size=2).refunds] == [second.id, first.id]
    client.shipment.refund(first.id)
    assert before - mine.balance_minor == 685, "each went back once"
    Scanner(installation).send(event(handed_in.tracking_code, "accepted"))
    with pytest.raises(InvalidRequestError) as refused:
        client.shipment.refund(handed_in.id)
    assert refused.value.code == "SHIPMENT.REFUND.UNAVAILABLE"
    other = client_of(shops.shop(installation))
    with pytest.raises(NotFoundError):
        other.shipment.refund(handed_in.id)
    with pytest.raises(NotFoundError):
        other.refund.create(carrier="any", tracking_codes=[handed_in.tracking_code])
    with pytest.raises(NotFoundError):
        other.refund.retrieve(refund.id)


def test_a_number_that_nobody_knows_is_followed_all_the_same(client: Any) -> None:
    made = client.tracker.create(tracking_code=new_number())
    assert (made.status, made.tracking_details) == ("unknown", [])
    assert made.id in {one.id for one in client.tracker.all(page_size=100).trackers}
    with pytest.raises(InvalidRequestError) as refused:
        client.tracker.create(tracking_code="not a number!")
    assert refused.value.errors[0]["field"] == "tracking_code"


def test_a_link_to_a_label_is_signed_and_ends(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    url = bought(client).postage_label.label_url
    assert httpx.get(url, timeout=30).status_code == 200
    for wrong in (url.replace("/labels/", "/labels/x"), url[:-4] + "x.png", url.removesuffix("png") + "exe"):
        answer = httpx.get(wrong, timeout=30)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")
    token = url.rpartition("/")[2].rpartition(".")[0]
    monkeypatch.setattr(labels, "LINK_FOR_S", -1)
    late = labels.fetch(RequestFactory().get("/"), token=token, form="png")
    assert late.status_code == 404
