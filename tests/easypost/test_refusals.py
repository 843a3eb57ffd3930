"""What goes wrong is said in EasyPost's shape, and nobody sees what is somebody else's."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from easypost.easypost_client import EasyPostClient
from easypost.errors import (
    ForbiddenError,
    InvalidRequestError,
    NotFoundError,
    PaymentError,
    UnauthorizedError,
    UnknownApiError,
)
from easypost.requestor import RequestMethod
from tests.easypost.test_client import FROM, PARCEL, TO, client_of
from tests.joined import tenant
from tests.shipping import shop as shops
from tests.shipping.shop import Shop

from parcelward.doors.easypost.urls import urlpatterns
from parcelward.people import actions as people
from parcelward.people.wire import OrganisationKind, Role, Task
from parcelward.privacy.models import Disclosure
from parcelward.shipping.models import Order, Remembered


@pytest.fixture(scope="module")
def mine(installation: Any) -> Shop:
    shops.open_shop()
    return shops.shop(installation)


@pytest.fixture
def client(mine: Shop) -> EasyPostClient:
    return client_of(mine)


def test_the_key_is_a_bearer_token_or_the_name_of_http_basic(mine: Shop) -> None:
    for auth in (httpx.BasicAuth(mine.token, ""), None):
        headers = {} if auth else mine.headers
        answer = httpx.get(f"{mine.url}/easypost/v2/shipments", auth=auth, headers=headers, timeout=30)
        assert answer.json() == {"shipments": [], "has_more": False}


@pytest.mark.parametrize("token", ["-", "pw_test_nobody", "x" * 300])
def test_who_has_no_key_learns_nothing(mine: Shop, token: str) -> None:
    for auth in (httpx.BasicAuth(token, ""), None):
        headers = {} if auth else {"Authorization": f"Bearer {token}"}
        answer = httpx.get(f"{mine.url}/easypost/v2/addresses", auth=auth, headers=headers, timeout=30)
        assert answer.status_code == 401
        assert answer.json()["error"]["code"] == "UNAUTHORIZED"
        assert "Basic" in answer.headers["www-authenticate"]
    with pytest.raises(UnauthorizedError):
        EasyPostClient("pw_test_nobody", api_base=f"{mine.url}/easypost/v2").address.all()


def test_every_address_refuses_strangers_and_keys_without_the_right(mine: Shop, installation: Any) -> None:
    partner = people.make_key("no sender", Role.PARTNER, by=people.installer(), mode="test")
    ids = {"address_id": "adr", "parcel_id": "prcl", "item_id": "cstitem", "info_id": "cstinfo", "shipment_id": "shp"}
    ids |= {"tracker_id": "trk", "form_id": "sf", "refund_id": "rfnd", "webhook_id": "hook", "event_id": "evt"}
    reached = 0
    for pattern in urlpatterns:
        route = str(pattern.pattern)
        if route.startswith("labels/") or "<str:name>" in route:
            continue
        path = re.sub(r"<str:(\w+)>", lambda m: f"{ids.get(m[1], 'rate')}_{'0' * 32}", route)
        for method in ("GET", "POST"):
            stranger = httpx.request(method, f"{mine.url}/easypost/v2/{path}", timeout=30)
            assert stranger.status_code == 401, (method, path)
            head = {"Authorization": f"Bearer {partner}"}
            body = BODY if method == "POST" else None
            answer = httpx.request(method, f"{mine.url}/easypost/v2/{path}", headers=head, json=body, timeout=30)
            assert answer.status_code in {403, 404, 405, 422, 501}, (method, path, answer.text)
            assert set(answer.json()["error"]) == {"code", "message", "errors"}
            reached += answer.status_code == 403
    assert reached >= 12


BODY = {
    "address": TO,
    "parcel": PARCEL,
    "customs_item": {"description": "T-shirt", "quantity": 1, "value": "5", "weight": 3},
    "customs_info": {"customs_items": []},
    "shipment": {"to_address": TO, "from_address": FROM, "parcel": PARCEL},
    "tracker": {"tracking_code": "RR473124829US"},
    "shipments": [f"shp_{'0' * 32}"],
    "tracking_codes": ["RR473124829US"],
}


def test_another_shops_key_sees_nothing_of_it(client: Any, mine: Shop, installation: Any) -> None:
    to = client.address.create(**TO)
    parcel = client.parcel.create(**PARCEL)
    shipment = client.shipment.create(to_address=to, from_address=FROM, parcel=parcel)
    bought = client.shipment.buy(shipment.id, rate=shipment.lowest_rate())
    other = client_of(shops.shop(installation))
    for look, ident in (
        (other.address.retrieve, to.id),
        (other.address.verify, to.id),
        (other.parcel.retrieve, parcel.id),
        (other.shipment.retrieve, shipment.id),
        (other.shipment.label, shipment.id),
        (other.shipment.regenerate_rates, shipment.id),
        (other.rate.retrieve, bought.selected_rate.id),
        (other.tracker.retrieve, bought.tracker.id),
    ):
        with pytest.raises(NotFoundError):
            look(ident)
    with pytest.raises(NotFoundError):
        other.shipment.buy(shipment.id, rate=shipment.lowest_rate())
    with pytest.raises(InvalidRequestError) as refused:
        other.shipment.create(to_address=to, from_address=FROM, parcel=parcel)
    assert {one["field"] for one in refused.value.errors} == {"to_address.id", "parcel.id"}
    for what in ("addresses", "shipments", "trackers"):
        found = httpx.get(
            f"{mine.url}/easypost/v2/{what}", headers={"Authorization": f"Bearer {other.api_key}"}, timeout=30
        )
        assert found.json() == {what: [], "has_more": False}


def test_everything_that_is_wrong_is_said_at_once_by_their_names(client: Any) -> None:
    before = Remembered.objects.count()
    with pytest.raises(InvalidRequestError) as refused:
        client.shipment.create(
            to_address=TO | {"country": "Atlantis", "verify_strict": True},
            from_address=FROM,
            parcel={"length": -1, "width": "wide", "weight": 5},
            options={"hazmat": "LITHIUM", "saturday_delivery": True, "label_format": "EPL2"},
            reference="Canary Quillfeather <3",
        )
    assert refused.value.code == "SHIPMENT.INVALID"
    assert {one["field"] for one in refused.value.errors} == {
        *("to_address.country", "parcel.length", "parcel.width", "parcel.height"),
        *("options.hazmat", "options.saturday_delivery", "options.label_format", "reference"),
    }
    assert Remembered.objects.count() == before, "nothing is remembered of it"


def test_an_address_is_verified_by_its_form(client: Any) -> None:
    wrong = TO | {"state": "AK"}
    made = client.address.create(verify=True, **wrong)
    assert made.verifications.delivery.success is False
    assert [one.field for one in made.verifications.delivery.errors] == ["state"]
    for look in (lambda: client.address.create(verify_strict=True, **wrong), lambda: client.address.verify(made.id)):
        with pytest.raises(InvalidRequestError) as refused:
            look()
        assert (refused.value.code, refused.value.errors[0]["field"]) == ("ADDRESS.VERIFY.FAILURE", "state")
    assert client.address.create_and_verify(**TO).verifications.delivery.success
    assert client.address.create(**TO).verifications.to_dict() == {}, "nobody asked"


def test_what_is_not_sold_says_why_where_the_order_says_it(client: Any) -> None:
    shipment = client.shipment.create(to_address=TO | {"name": "", "street1": ""}, from_address=FROM, parcel=PARCEL)
    with pytest.raises(InvalidRequestError) as refused:
        client.shipment.buy(shipment.id, rate=shipment.lowest_rate())
    assert refused.value.code == "SHIPMENT.POSTAGE.FAILURE"
    assert {one["field"] for one in refused.value.errors} == {"to_address.name", "to_address.street1"}
    with pytest.raises(InvalidRequestError):
        client.shipment.buy(shipment.id, rate={"id": "rate_0"})


def test_without_money_nothing_is_bought(installation: Any, mine: Shop) -> None:
    poor = client_of(shops.shop(installation, amount_minor=100))
    shipment = poor.shipment.create(to_address=TO, from_address=FROM, parcel=PARCEL)
    before = Order.objects.count()
    with pytest.raises(PaymentError) as refused:
        poor.shipment.buy(shipment.id, rate=shipment.lowest_rate())
    assert refused.value.code == "PAYMENT.INSUFFICIENT_FUNDS"
    assert Order.objects.count() == before
    assert poor.shipment.retrieve(shipment.id).postage_label is None


def test_what_is_not_offered_says_so(client: Any) -> None:
    shipment = client.shipment.create(to_address=TO, from_address=FROM, parcel=PARCEL)
    for ask in (
        lambda: client.pickup.create(address=TO, shipment=shipment),
        lambda: client.insurance.create(amount="100"),
        lambda: client.claim.create(tracking_code="x"),
        lambda: client.webhook.create(url="https://shop.example/hooks"),
        client.event.all,
        lambda: client.shipment.insure(shipment.id, amount="100"),
        lambda: client.shipment.buy(shipment.id, rate=shipment.lowest_rate(), insurance="100.00"),
    ):
        with pytest.raises(UnknownApiError) as refused:
            ask()
        assert (refused.value.http_status, refused.value.code) == (501, "NOT_IMPLEMENTED")
    assert not Order.objects.filter(pk=shipment.id.removeprefix("shp_")).exists()
    with pytest.raises(NotFoundError):
        client.make_api_call(RequestMethod.GET, "/nothing", {})


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"[]", 400),
        (b'{"parcel": NaN}', 400),
        (b"[" * 100_000, 400),
        (b'{"address": 5}', 422),
        (b'{"address": {"name": {"a": 1}}}', 422),
        (b'{"address": {"name": "a\\u0000b"}}', 422),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_in_the_same_shape(mine: Shop, body: bytes, status: int) -> None:
    head = mine.headers | {"Content-Type": "application/json"}
    answer = httpx.post(f"{mine.url}/easypost/v2/addresses", content=body, headers=head, timeout=30)
    assert answer.status_code == status, answer.text
    assert set(answer.json()["error"]) == {"code", "message", "errors"}


def test_a_method_that_is_not_there_and_a_path_that_leads_nowhere(mine: Shop) -> None:
    answer = httpx.delete(f"{mine.url}/easypost/v2/addresses", headers=mine.headers, timeout=30)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST, GET")
    answer = httpx.get(f"{mine.url}/easypost/v3", headers=mine.headers, timeout=30)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")


def test_a_member_without_the_scope_is_refused(mine: Shop, installation: Any) -> None:
    of = tenant(OrganisationKind.SENDER)
    made = people.new_key(
        "reader", Role.SENDER_ADMIN, by=people.installer(), mode="test", organisation=of, scopes=[Task.READ_ORDERS]
    )
    reader = EasyPostClient(made.token, api_base=f"{mine.url}/easypost/v2")
    with pytest.raises(ForbiddenError):
        reader.address.create(**TO)


def test_no_name_lies_in_clear_and_who_looked_is_on_record(client: Any, mine: Shop) -> None:
    to = client.address.create(**TO)
    row = Remembered.objects.get(pk=to.id.removeprefix("adr_"))
    assert row.token is not None
    assert TO["name"] not in str(row.facts)
    assert "Zanzibar" not in str(row.facts)
    before = Disclosure.objects.filter(person=row.token).count()
    client.address.retrieve(to.id)
    look = Disclosure.objects.filter(person=row.token).order_by("-id")
    assert look.count() == before + 1
    assert look[0].about.startswith("source/")
