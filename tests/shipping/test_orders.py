"""Orders through the API: bought, printed, scanned; refused with everything that is wrong; paid by card in steps."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from typing import Any

import httpx
import pytest
from tests.payments.provided import pay
from tests.people.staffing import acting, member, somebody
from tests.scanner import Scanner, event, until
from tests.shipping import shop as shops
from tests.shipping.bodies import SENDER
from tests.shipping.sample_labels import pages, read, text_of
from tests.shipping.shop import NAME, Shop, order

from parcelward.base.errors import NotAllowed
from parcelward.parcels.models import Item, ItemAlias
from parcelward.people import actions as people
from parcelward.people.queries import key_holder
from parcelward.people.wire import Person, Role
from parcelward.privacy.models import KeptPerson
from parcelward.privacy.sealing.wire import from_base45, parse
from parcelward.risk import queries as decided
from parcelward.shipping import actions as shipping
from parcelward.shipping.actions import Because
from parcelward.shipping.errors import NotNow
from parcelward.shipping.models import Order, OrderItem
from parcelward.shipping.wire import State


@pytest.fixture(scope="module")
def mine(installation: Any) -> Shop:
    shops.open_shop()
    return shops.shop(installation)


def rows() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (Order, OrderItem, Item, ItemAlias, KeptPerson))


def codes(answer: httpx.Response) -> set[tuple[str, str]]:
    return {(one["pointer"], one["code"]) for one in answer.json()["errors"]}


def test_one_call_pays_makes_and_prints(mine: Shop) -> None:
    before = mine.balance_minor
    answer = mine.buy(order())
    assert answer.status_code == 201, answer.text
    said = answer.json()
    (item,) = said["items"]
    assert said["state"] == "bought"
    assert before - mine.balance_minor == said["total_minor"] == item["total_minor"] == 910  # 8.50 and 7 % of it
    assert item["price"] == [{"code": "parcel", "words": "Parcel, tracked", "amount_minor": 850}]
    label = mine.get(item["label_url"].removeprefix(mine.url))
    assert label.headers["content-type"] == "application/pdf"
    found = read(pages(label.content)[0])
    assert found["]C0"] == item["number"]
    sealed = next(text for kind, text in found.items() if kind != "]C0")
    assert parse(from_base45(sealed)).item == item["number"]
    assert NAME.encode() not in label.content
    track = httpx.get(f"{mine.url}/track/{item['number']}?format=json", timeout=30)
    assert track.status_code == 200
    assert NAME not in track.text + answer.text


def test_everything_that_is_wrong_is_said_at_once_and_nothing_is_kept(mine: Shop) -> None:
    body = order(item_weight_g=1_999_999, item_to={"address": shops.ADDRESS | {"country": "QQ"}})
    body["items"].append(order(item_product="nothing", item_contents={"description": " "})["items"][0])
    before, balance = rows(), mine.balance_minor
    answer = mine.buy(body)
    assert answer.status_code == 422
    assert codes(answer) == {
        ("/items/0/to/address/country", "country_unknown"),
        ("/items/1/contents/description", "missing"),
    }
    other = mine.buy(order(item_product="nothing"))
    assert codes(other) == {("/items/0/product", "unknown_product")}
    assert other.json()["errors"][0]["suggestion"] == "packet, parcel, express", "what could be bought instead"
    assert (rows(), mine.balance_minor) == (before, balance)


def test_strict_refuses_what_is_else_advice(mine: Shop) -> None:
    wrong = order(item_to={"address": shops.ADDRESS | {"administrative_area": "AK"}})
    assert mine.buy(wrong).status_code == 201
    assert codes(mine.buy(wrong | {"strict_addresses": True})) == {
        ("/items/0/to/address/administrative_area", "postcode_not_in_area")
    }


def test_the_same_key_is_the_same_order(mine: Shop) -> None:
    key, before, body = str(uuid.uuid4()), mine.balance_minor, order()
    first, again = mine.buy(body, key), mine.buy(body, key)
    assert first.json()["id"] == again.json()["id"]
    assert first.json() == again.json()
    assert before - mine.balance_minor == first.json()["total_minor"], "paid once"
    other = mine.buy(order(reference="another"), key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


def test_each_parcel_of_an_order_has_its_own_number(mine: Shop) -> None:
    body = order()
    body["items"] = [order(item_reference=f"R-{nth}", item_weight_g=500 * (1 + nth))["items"][0] for nth in range(3)]
    said = mine.buy(body).json()
    assert len({one["number"] for one in said["items"]}) == 3
    assert [one["reference"] for one in said["items"]] == ["R-0", "R-1", "R-2"]
    assert said["total_minor"] == sum(one["total_minor"] for one in said["items"])


def test_without_money_or_a_grant_nothing_is_bought(installation: Any) -> None:
    poor = shops.shop(installation, amount_minor=900)
    before = rows()
    refused = poor.buy(order())
    assert (refused.status_code, refused.json()["code"]) == (409, "not_enough")
    bound = shops.shop(installation, cap_minor=900)
    refused = bound.buy(order())
    assert (refused.status_code, refused.json()["code"]) == (403, "over_cap")
    assert bound.balance_minor == 100_000
    assert rows() == before, "not even an addressee is kept"


def test_what_is_in_it_decides_whether_it_is_sold(mine: Shop) -> None:
    before = mine.balance_minor
    said = mine.buy(order(item_contents={"description": "fireworks, 20 rockets"})).json()
    assert (said["state"], said["items"][0]["item"]) == ("refused", None)
    (why,) = said["reasons"]
    assert (why["code"], why["item"]) == ("hazmat_refuse", 0)
    assert why["clause"], "a refusal names its clause"
    unknown = {"description": "spare parts", "un": "UN9999"}
    assert mine.buy(order(item_contents=unknown)).json()["state"] == "review"
    assert mine.balance_minor == before


def test_an_item_abroad_has_an_s10_number(mine: Shop) -> None:
    abroad = {
        "country": "FR",
        "addressee": "Canary Quillfeather",
        "street_lines": ["3 rue des Lilas"],
        "locality": "Lyon",
        "postcode": "69003",
    }
    said = mine.buy(order(item_to={"address": abroad}, item_product="world")).json()
    assert said["state"] == "bought", said
    number = said["items"][0]["number"]
    assert (number[:2], number[-2:], len(number)) == ("CP", "US", 13)


def test_nobody_sees_or_prints_anothers_order(mine: Shop, installation: Any) -> None:
    said = mine.buy(order()).json()
    other = shops.shop(installation)
    for path in (f"/api/v1/orders/{said['id']}", f"/api/v1/orders/{said['id']}/labels/0"):
        assert other.get(path).status_code == 404
        assert mine.get(path).status_code == 200
    assert other.post(f"/api/v1/orders/{said['id']}/give-up").status_code == 404
    assert other.get("/api/v1/orders").json() == []
    assert said["id"] in {one["id"] for one in mine.get("/api/v1/orders").json()}


@pytest.mark.parametrize("form", ["pdf", "png", "zpl"])
def test_a_label_comes_in_three_forms(mine: Shop, form: str) -> None:
    said = mine.buy(order()).json()
    label = mine.get(f"/api/v1/orders/{said['id']}/labels/0?form={form}")
    assert label.status_code == 200
    assert label.headers["content-disposition"].endswith(f'"{said["items"][0]["number"]}.{form}"')
    assert label.content[:4] == {"pdf": b"%PDF", "png": b"\x89PNG", "zpl": b"^XA^"}[form]


def test_a_senders_long_address_stands_on_the_label_whole(mine: Shop) -> None:
    name, lines = "The Marrow, Pith and Long Names Company of Upper Springfield", ["Building 7", "Entrance C", "5 Mews"]
    address = SENDER["address"] | {"organisation": name, "street_lines": lines}
    said = mine.buy(order(sender={"address": address})).json()
    label = mine.get(f"/api/v1/orders/{said['id']}/labels/0")
    words = text_of(label.content).replace(",", "").split()
    assert {*name.replace(",", "").split(), "Building", "Entrance", "Mews", "62703"} <= set(words)


def test_a_label_is_printed_anew_three_times_and_no_more(mine: Shop) -> None:
    said = mine.buy(order()).json()
    where = f"/api/v1/orders/{said['id']}/labels/0"
    first = mine.get(f"{where}?form=zpl").content
    printed = [mine.post(f"{where}?form=zpl") for _ in range(4)]
    assert [one.status_code for one in printed] == [200, 200, 200, 409]
    assert printed[3].json()["code"] == "printed_out"
    assert len({first, *(one.content for one in printed[:3])}) == 4, "each is another label"
    assert mine.get(f"{where}?form=zpl").content == printed[2].content, "the last one stands"


def test_a_quote_holds_its_price_for_one_parcel(mine: Shop) -> None:
    made = mine.post("/api/v1/quotes", {"to": shops.ADDRESS, "weight_g": 900, "size_mm": [300, 200, 100]}).json()
    assert [(one["product"], one["total_minor"]) for one in made["offers"]] == [
        ("packet", 685),
        ("parcel", 910),
        ("express", 2771),
    ]
    assert mine.buy(order(quote=made["id"])).json()["total_minor"] == 910
    heavier = mine.buy(order(quote=made["id"], item_weight_g=1_500))
    assert (heavier.status_code, heavier.json()["code"]) == (409, "quote_over")


def test_nothing_is_quoted_to_nowhere(mine: Shop) -> None:
    wrong = {"to": shops.ADDRESS | {"country": "0" * 77}, "weight_g": 900, "size_mm": [300, 200, 100]}
    answer = mine.post("/api/v1/quotes", wrong)
    assert (answer.status_code, codes(answer)) == (422, {("/to/country", "country_unknown")})


class TestByCard:
    """Paid on the provider's page; nothing is printed before the money is taken."""

    def test_it_waits_for_its_payer_and_goes_on_under_the_same_key(self, mine: Shop) -> None:
        key, body = str(uuid.uuid4()), order(paid_by="card")
        said = mine.buy(body, key).json()
        assert (said["state"], said["items"][0]["number"]) == ("requires_action", "")
        refused = mine.get(f"/api/v1/orders/{said['id']}/labels/0")
        assert (refused.status_code, refused.json()["code"]) == (409, "not_now")
        pay(said["pay_url"])
        again = mine.buy(body, key).json()
        assert (again["id"], again["state"], again["pay_url"]) == (said["id"], "bought", None)
        assert mine.get(f"/api/v1/orders/{said['id']}/labels/0").status_code == 200
        seen = decided.decision(uuid.UUID(said["id"].removeprefix("ord_")), by=key_holder(mine.token))
        assert seen.decision.answer.value in {"allow", "review"}, "its sender may read what was decided"

    def test_one_that_is_given_up_is_undone(self, mine: Shop) -> None:
        said = mine.buy(order(paid_by="card")).json()
        done = mine.post(f"/api/v1/orders/{said['id']}/give-up").json()
        assert (done["state"], [why["code"] for why in done["reasons"]]) == ("undone", ["not_paid"])
        pay(said["pay_url"])
        assert mine.get(f"/api/v1/orders/{said['id']}").json()["state"] == "undone"


class TestCancelled:
    """What was bought and not handed in can be cancelled; all of the money goes back to where it came from."""

    def test_by_balance(self, mine: Shop) -> None:
        before = mine.balance_minor
        said = mine.buy(order()).json()
        done = mine.post(f"/api/v1/orders/{said['id']}/cancel").json()
        assert (done["state"], done["refunded_minor"]) == ("cancelled", said["total_minor"])
        assert mine.balance_minor == before
        again = mine.post(f"/api/v1/orders/{said['id']}/cancel")
        assert (again.status_code, mine.balance_minor) == (200, before), "once"
        track = httpx.get(f"{mine.url}/api/v1/items/{said['items'][0]['number']}", timeout=30).json()
        assert track["status"] == "cancelled"
        assert mine.get(f"/api/v1/orders/{said['id']}/labels/0").status_code == 409

    def test_by_card(self, mine: Shop) -> None:
        from parcelward.payments.models import Refund

        key, body = str(uuid.uuid4()), order(paid_by="card")
        said = mine.buy(body, key).json()
        pay(said["pay_url"])
        until(lambda: mine.buy(body, key).json()["state"] == "bought")
        assert mine.post(f"/api/v1/orders/{said['id']}/cancel").json()["state"] == "cancelled"
        refund = Refund.objects.get(intent__about=uuid.UUID(said["id"].removeprefix("ord_")))
        assert (refund.amount_minor, refund.state) == (said["total_minor"], "succeeded")

    def test_not_after_it_was_handed_in(self, mine: Shop, installation: Any, facilities: Any) -> None:
        said = mine.buy(order()).json()
        Scanner(installation).send(event(said["items"][0]["number"], "accepted"))
        refused = mine.post(f"/api/v1/orders/{said['id']}/cancel")
        assert (refused.status_code, refused.json()["code"]) == (409, "tendered")
        assert mine.get(f"/api/v1/orders/{said['id']}").json()["state"] == "bought"


def clerk(*, trained: bool = True) -> Person:
    """Return a clerk, with a certificate for dangerous goods or without."""
    who, today = acting(*member(Role.CLERK)), dt.datetime.now(dt.UTC).date()
    if trained:
        month = today + dt.timedelta(days=30)
        people.certify(who.id, "dangerous_goods", valid_from=today, valid_until=month, by=somebody(Role.ADMINISTRATOR))
    return who


def state_of(found: uuid.UUID) -> State:
    return State(Order.objects.values_list("state", flat=True).get(pk=found))


class TestReview:
    """What stopped is looked at by a person, who must be trained where it is about dangerous goods."""

    def stopped(self, mine: Shop) -> uuid.UUID:
        said = mine.buy(order(item_contents={"description": "spare parts", "un": "UN9999"})).json()
        assert said["state"] == "review"
        return uuid.UUID(said["id"].removeprefix("ord_"))

    def test_the_caps_of_the_key_that_ordered_hold_for_what_a_person_lets_go_on(self, installation: Any) -> None:
        capless = shops.shop(installation, cap_minor=0)
        found = self.stopped(capless)
        with pytest.raises(people.OverCap):
            shipping.review(found, allow=True, because=Because.HARMLESS, by=clerk())
        assert state_of(found) is State.REVIEW
        assert capless.balance_minor == 100_000

    def test_a_person_lets_it_go_on_and_it_is_bought(self, mine: Shop) -> None:
        found, before = self.stopped(mine), mine.balance_minor
        with pytest.raises(NotAllowed):
            shipping.review(found, allow=True, because=Because.HARMLESS, by=clerk(trained=False))
        assert shipping.review(found, allow=True, because=Because.HARMLESS, by=clerk()) is State.BOUGHT
        assert mine.balance_minor < before
        with pytest.raises(NotNow):
            shipping.review(found, allow=False, because=Because.FRAUD, by=clerk())

    def test_a_refusal_can_be_appealed_against_once(self, mine: Shop) -> None:
        said = mine.buy(order(item_contents={"description": "fireworks, 20 rockets"})).json()
        where = f"/api/v1/orders/{said['id']}/appeal"
        assert mine.post(where).json()["state"] == "review"
        found = uuid.UUID(said["id"].removeprefix("ord_"))
        assert shipping.review(found, allow=False, because=Because.DANGEROUS, by=clerk()) is State.REFUSED
        again = mine.post(where)
        assert (again.status_code, again.json()["code"]) == (409, "appealed_before")

    def test_one_addressee_of_many_accounts_is_held(self, installation: Any) -> None:
        name = {"address": shops.ADDRESS | {"addressee": f"Mule {uuid.uuid4().hex[:8]}"}}
        answers = []
        for _ in range(9):
            answers.append(shops.shop(installation).buy(order(item_to=name)).json())
            time.sleep(1.1)  # what another process saw counts a turn later
        assert [one["state"] for one in answers[:7]] == ["bought"] * 7
        held = answers[-1]
        assert (held["state"], held["reasons"][0]["code"]) == ("review", "risk_hold")
        assert held["reasons"][0]["words"] == ["Many accounts send to one addressee: what is sent may be passed on"]
