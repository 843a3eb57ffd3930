"""Send a parcel as a small shop does, on a telephone and a screen: the form, the prices, the payment, the label."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import io
import os
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.models import F
from PIL import Image
from playwright.sync_api import Locator, Page, expect
from tests.browser.conftest import focused, picture, storage, violations
from tests.joined import apart
from tests.passkey import Browser as PasskeyBrowser
from tests.shipping import shop as shops
from tests.shipping.sample_labels import pages, read

from parcelward.doors.api.order_shapes import OrderIn
from parcelward.parcels import actions as parcels
from parcelward.people import actions
from parcelward.people.models import Membership, User
from parcelward.people.queries import person_of
from parcelward.people.wire import OrganisationKind, Person, Role
from parcelward.privacy.sealing.wire import from_base45, parse
from parcelward.shipping import actions as shipping
from parcelward.shipping import queries
from parcelward.shipping.models import Order, OrderItem
from parcelward.shipping.wire import State

pytestmark = pytest.mark.browser
WIDTHS = {1280: 800, 375: 812}
TO = {
    "to_name": shops.NAME,
    "to_street": shops.STREET,
    "to_town": "Springfield",
    "to_area": "IL",
    "to_postcode": "62701",
}
FROM = {
    "from_name": "Marrow & Pith",
    "from_street": "5 Market Square",
    "from_town": "Springfield",
    "from_postcode": "62703",
}
FIELDS = """[...document.querySelectorAll("form.pw-order :is(input, select, textarea)")]
  .filter((each) => each.type !== "hidden" && each.checkVisibility())
  .map((each) => each.name)"""
"""What the form asks that can be seen: a group of choices is one field."""


@dataclasses.dataclass(frozen=True)
class Sender:
    """Somebody who sends for a new organisation of their own, signed in."""

    person: Person
    cookies: Any


@pytest.fixture(scope="module")
def sender(installation: Any, live_url: str) -> Iterator[Callable[..., Sender]]:
    """Make a shop with so much in its balance."""
    apart(shops.open_shop)
    with contextlib.ExitStack() as end:

        def make(amount_minor: int = 0) -> Sender:
            mine = PasskeyBrowser(live_url)
            end.callback(mine.http.close)
            by = apart(actions.installer)
            name = f"Shop {os.urandom(3).hex()}"
            shop = apart(lambda: actions.make_organisation(OrganisationKind.SENDER, name, by=by, simulated=True))
            _id, code = apart(lambda: actions.invite(shop, Role.SENDER_ADMIN, by=by))
            assert mine.join(f"{live_url}/accounts/join#code={code}").status_code == 302
            if amount_minor:
                apart(lambda: shops.give(shop, amount_minor))
            return Sender(apart(lambda: _person(mine.user_id)), storage(mine))

        yield make


def _person(user_id: uuid.UUID) -> Person:
    user = User.objects.get(id=user_id)
    user.acting = Membership.objects.get(user=user, ended_at=None).id
    return person_of(user)


@pytest.fixture(scope="module")
def shop(sender: Callable[..., Sender]) -> Sender:
    return sender(100_000)


def holds(page: Page, axe: str, width: int, name: str, scheme: str = "light") -> None:
    """Assert what must be true of every screen, and take its picture."""
    assert violations(page, axe) == [], page.url
    assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{page.url} scrolls sideways"
    assert page.locator("h1").count() == 1, page.url
    picture(page, f"orders-{name}-{width}-{scheme}", kept=scheme == "light" and name in {"form", "offers", "bought"})


def fill(page: Page, **changed: str) -> None:
    """Fill in what the form asks of a parcel; the sender's address where it is asked."""
    known = page.locator("#from_name").is_visible()
    for name, text in {**(FROM if known else {}), **TO, **changed}.items():
        page.fill(f"#{name}", text)
    page.fill("#weight", changed.get("weight", "0.9"))
    page.get_by_label("Small box").check()
    page.fill("#contents", changed.get("contents", "Two cotton T-shirts"))
    page.get_by_label("No battery").check()


def more(page: Page) -> None:
    """Unfold what most parcels do without."""
    page.click("summary:has-text('Tell the addressee')")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_from_the_form_to_the_label(
    opened: Any, shop: Sender, live_url: str, axe: str, width: int, scheme: str
) -> None:
    page = opened(width, WIDTHS[width], color_scheme=scheme, storage_state=shop.cookies)
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url))
    page.goto(f"{live_url}/app/orders/new")
    holds(page, axe, width, "empty-form", scheme)
    fill(page)
    holds(page, axe, width, "form", scheme)
    page.click("button:has-text('See prices')")
    expect(page.locator("h1")).to_have_text("Choose a service")
    holds(page, axe, width, "offers", scheme)
    page.get_by_role("button", name="Parcel, tracked").click()
    expect(page.locator("h1")).to_have_text("Paid")
    holds(page, axe, width, "bought", scheme)
    with page.expect_download() as got:
        page.click("text=4 x 6 inches")
    found = read(pages(Path(got.value.path()).read_bytes())[0])
    number = page.locator("h2 .pw-number").inner_text().replace(" ", "")
    assert found["]C0"] == number
    assert parse(from_base45(next(text for kind, text in found.items() if kind != "]C0"))).item == number
    with page.expect_download() as got:
        page.click("text=PNG")
    assert read(Image.open(io.BytesIO(Path(got.value.path()).read_bytes())))["]C0"] == number
    private = ("Quillfeather", "Zanzibar", "62701", "shirts", "Marrow")
    assert [url for url in urls for word in private if word.lower() in url.lower()] == []


class Hand:
    """A person at the keyboard: types as fast as people do, and counts what they had to do."""

    def __init__(self, page: Page) -> None:
        self.page, self.clicks, self.fields = page, 0, 0

    def click(self, what: Locator) -> None:
        """Click once."""
        what.click()
        self.clicks += 1

    def type(self, field: str, text: str) -> None:
        """Go on to a field and type: 60 words a minute."""
        if self.page.evaluate("document.activeElement?.name") != field:
            self.page.focus(f"#{field}")
        self.page.keyboard.type(text, delay=200)
        self.page.keyboard.press("Tab")
        self.fields += 1


def test_the_first_label_within_three_minutes(opened: Any, sender: Callable[..., Sender], live_url: str) -> None:
    page = opened(1280, 800, storage_state=sender(2_000).cookies)
    hand, begun = Hand(page), time.monotonic()
    page.goto(f"{live_url}/app/")
    hand.click(page.get_by_role("link", name="Send a parcel"))
    page.wait_for_load_state()  # until its style is there, more of it could be seen
    asked = set(page.evaluate(FIELDS))
    assert len(asked) <= 14, sorted(asked)
    for name, text in {**FROM, **TO}.items():
        hand.type(name, text)
    hand.type("weight", "0.9")
    hand.click(page.get_by_label("Small box"))
    hand.type("contents", "Two cotton T-shirts")
    hand.click(page.get_by_label("No battery"))
    hand.click(page.get_by_role("button", name="See prices"))
    hand.click(page.get_by_role("button", name="Parcel, tracked"))
    with page.expect_download() as got:
        hand.click(page.get_by_role("link", name="PNG"))
    taken_s = time.monotonic() - begun
    found = read(Image.open(io.BytesIO(Path(got.value.path()).read_bytes())))
    assert parse(from_base45(next(text for kind, text in found.items() if kind != "]C0"))).item == found["]C0"]
    assert (hand.fields + len({"size", "battery"}), hand.clicks) == (13, 6), (
        "13 of 14 are typed or chosen: the country stands there"
    )
    assert taken_s < 180, taken_s


@pytest.mark.parametrize("width", WIDTHS)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_lost(
    opened: Any, shop: Sender, live_url: str, axe: str, width: int
) -> None:
    page = opened(width, WIDTHS[width], storage_state=shop.cookies)
    page.goto(f"{live_url}/app/orders/new")
    page.click("button:has-text('See prices')")
    said = page.locator(".govuk-error-summary__list a")
    for words in ("Enter whose name", "Enter the weight", "Choose the size", "Say in a few words", "battery in it"):
        expect(said.filter(has_text=words)).to_have_count(1)
    for href in said.evaluate_all("all => all.map((each) => each.getAttribute('href'))"):
        assert page.locator(href).count() == 1, href
    holds(page, axe, width, "nothing-typed")
    more(page)
    fill(page, to_area="AK", weight="900", note="Ring twice")
    page.get_by_label("Another size").check()
    page.fill("#sides", "thirty")
    page.click("button:has-text('See prices')")
    assert page.input_value("#to_street") == shops.STREET
    assert page.input_value("#note") == "Ring twice"
    holds(page, axe, width, "wrong")
    page.fill("#sides", "30 x 20 x 10 cm")
    page.click("button:has-text('Take 900 g')")
    assert page.input_value("#weight") == "900 g"
    expect(page.locator("#to_area-error")).to_contain_text("postcode does not belong")
    holds(page, axe, width, "did-you-mean")
    page.click("button:has-text('Take IL')")
    expect(page.locator("h1")).to_have_text("Choose a service")
    page.click("button:has-text('Change')")
    assert page.input_value("#to_area") == "IL"
    assert page.input_value("#sides") == "30 x 20 x 10 cm"
    page.fill("#to_area", "AK")
    page.click("button:has-text('See prices')")
    page.click("button:has-text('The addresses are right as they are')")
    expect(page.locator("h1")).to_have_text("Choose a service")
    assert "?" not in page.url


@pytest.mark.parametrize("width", WIDTHS)
def test_what_matters_about_its_contents_is_asked(
    opened: Any, shop: Sender, live_url: str, axe: str, width: int
) -> None:
    page = opened(width, WIDTHS[width], storage_state=shop.cookies)
    page.goto(f"{live_url}/app/orders/new")
    fill(page, contents="laptop")
    page.get_by_label("Lithium-ion").check()
    page.click("button:has-text('See prices')")
    expect(page.locator(".pw-asked")).to_contain_text("Where is the battery")
    focused(page, ".pw-asked")
    holds(page, axe, width, "asked")
    page.get_by_label("In the device").check()
    page.click("button:has-text('See prices')")
    expect(page.locator(".pw-asked")).to_contain_text("watt-hours")
    holds(page, axe, width, "asked-a-number")
    page.fill("#a_watt_hours", "50")
    page.click("button:has-text('See prices')")
    for _ in range(4):
        if page.locator("h1").inner_text() == "Choose a service":
            break
        page.locator(".pw-asked fieldset").last.locator("input[value=skip], button[value=skip]").click()
        if page.locator("h1").inner_text() != "Choose a service":
            page.click("button:has-text('See prices')")
    expect(page.locator("h1")).to_have_text("Choose a service")
    expect(page.locator(".pw-offers li").first).to_contain_text("We look at what is in it")
    holds(page, axe, width, "inspected")


def test_what_may_not_be_posted_is_refused_with_its_clause_before_anything_is_kept(
    opened: Any, shop: Sender, live_url: str, axe: str
) -> None:
    page = opened(375, 812, storage_state=shop.cookies)
    page.goto(f"{live_url}/app/orders/new")
    before = apart(Order.objects.count)
    fill(page, contents="fireworks, 20 rockets")
    page.click("button:has-text('See prices')")
    expect(page.locator("#contents-error")).to_contain_text("Fireworks")
    expect(page.locator("main")).to_contain_text("Ask for a person")
    expect(page.locator("main")).to_contain_text("The rule:")
    holds(page, axe, 375, "refused-at-once")
    assert apart(Order.objects.count) == before
    page.click("button:has-text('Have a person look at it')")
    page.get_by_role("button", name="Parcel, tracked").click()
    expect(page.locator("h1")).to_have_text("A person looks at it")
    expect(page.locator("main")).to_contain_text("You asked that a person looks at it")
    holds(page, axe, 375, "appealed")
    page.goto(f"{live_url}/app/orders/new")
    fill(page, contents="perfume 50 ml")
    page.click("button:has-text('See prices')")
    expect(page.locator(".pw-unsold")).to_contain_text("Express, next day")
    assert page.locator(".pw-offers").get_by_role("button", name="Express").count() == 0


@pytest.mark.parametrize("width", WIDTHS)
def test_by_card_on_the_providers_page(
    opened: Any, sender: Callable[..., Sender], live_url: str, axe: str, width: int
) -> None:
    page = opened(width, WIDTHS[width], storage_state=sender().cookies)
    page.goto(f"{live_url}/app/orders")
    expect(page.locator("main")).to_contain_text("Nothing was sent yet")
    holds(page, axe, width, "no-orders")
    page.click("text=Send your first parcel")
    fill(page)
    page.click("button:has-text('See prices')")
    expect(page.get_by_label("By card")).to_be_checked()
    page.get_by_label("From your balance").check()
    page.get_by_role("button", name="Parcel, tracked").click()
    expect(page.get_by_role("alert")).to_contain_text("does not hold enough")
    holds(page, axe, width, "not-enough")
    page.get_by_label("By card").check()
    page.get_by_role("button", name="Parcel, tracked").click()
    page.wait_for_url("**/pay/cs_*")
    page.click("text=Cancel and go back")
    expect(page.locator("h1")).to_have_text("Not paid yet")
    holds(page, axe, width, "not-paid")
    page.click("text=Go on to pay")
    page.wait_for_url("**/pay/cs_*")
    page.click("button:has-text('Pay')")
    expect(page.locator("h1")).to_have_text("Paid")
    assert page.get_by_role("button", name="Print the label").count() == 1


def test_an_order_that_is_not_paid_can_be_given_up(opened: Any, shop: Sender, live_url: str, axe: str) -> None:
    page = opened(375, 812, storage_state=shop.cookies)
    page.goto(f"{live_url}/app/orders/new")
    fill(page)
    page.click("button:has-text('See prices')")
    page.get_by_label("By card").check()
    page.get_by_role("button", name="Packet").click()
    page.wait_for_url("**/pay/cs_*")
    page.click("text=Cancel and go back")
    page.click("button:has-text('Do not send it')")
    expect(page.locator("h1")).to_have_text("Closed, nothing was paid")
    holds(page, axe, 375, "given-up")


def test_a_second_click_and_another_button_buy_nothing_more(opened: Any, shop: Sender, live_url: str) -> None:
    page = opened(1280, 800, storage_state=shop.cookies)
    page.goto(f"{live_url}/app/orders/new")
    fill(page)
    page.click("button:has-text('See prices')")
    before = apart(lambda: bought_by(shop))
    form = page.evaluate("""[...new FormData(document.querySelector("form[action='/app/orders/buy']"))]""")
    sent = [
        page.request.post(
            f"{live_url}/app/orders/buy",
            form=dict(form) | {"product": product},
            headers={"Origin": live_url},
            max_redirects=0,
        )
        for product in ("parcel", "parcel", "express")
    ]
    assert len({each.headers.get("location") for each in sent}) == 1, [each.status for each in sent]
    assert apart(lambda: bought_by(shop)) == before + 1


def bought_by(shop: Sender) -> int:
    """Return how many orders a shop has."""
    assert shop.person.organisation
    return Order.objects.filter(owner=shop.person.organisation).count()


def placed(shop: Sender, **changed: Any) -> uuid.UUID:
    """Return an order of a shop, as its system sends it."""
    wanted = OrderIn.model_validate(shops.order(**changed)).value()
    return apart(lambda: shipping.place_within(uuid.uuid4(), wanted, by=shop.person))


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (375, "dark")])
def test_the_list_and_what_needs_attention(
    opened: Any, sender: Callable[..., Sender], live_url: str, axe: str, width: int, scheme: str
) -> None:
    mine = sender(21_000)
    page = opened(width, WIDTHS[width], color_scheme=scheme, storage_state=mine.cookies)
    page.goto(f"{live_url}/app/sender")
    holds(page, axe, width, "nothing-to-do", scheme)
    orders = [placed(mine) for _ in range(21)]
    refused = placed(mine, item_contents={"description": "fireworks, 20 rockets"})
    placed(mine, item_contents={"description": "spare parts", "un": "UN9999"})
    placed(mine, paid_by="card")
    for back, order in enumerate(orders):
        apart(functools.partial(_older, order, back))
    item = apart(lambda: OrderItem.objects.get(order=orders[0]).item)
    apart(lambda: _hold(item))
    page.goto(f"{live_url}/app/sender")
    said = page.locator(".pw-attention")
    for words in ("1 order is not paid yet", "A person looks at 1 order", "1 order was refused", "is held", "is low"):
        expect(said).to_contain_text(words)
    expect(page.locator("#spent")).to_contain_text("of postage in the last 30 days")
    holds(page, axe, width, "attention", scheme)
    page.click("text=The same as a table")
    assert page.locator("table tbody tr").count() > 10
    page.goto(f"{live_url}/app/orders")
    assert page.locator(".pw-orders li").count() == 20
    expect(page.locator(".pw-orders")).not_to_contain_text("Quillfeather")
    holds(page, axe, width, "list", scheme)
    page.click("text=Older")
    assert page.locator(".pw-orders li").count() == 4
    page.click(".pw-filter a:has-text('We cannot take this')")
    page.click(".pw-orders a")
    assert page.url.endswith(str(refused))
    expect(page.locator("main")).to_contain_text("The rule:")
    expect(page.locator("main")).to_contain_text("Ask for a person")
    holds(page, axe, width, "refused", scheme)
    page.click("text=Have a person look at it")
    page.click("button:has-text('Have a person look')")
    expect(page.locator("h1")).to_have_text("A person looks at it")


def _older(order: uuid.UUID, days: int) -> None:
    Order.objects.filter(pk=order).update(created_at=F("created_at") - timedelta(days=days))


def _hold(item: uuid.UUID | None) -> None:
    assert item
    parcels.hold(item, "address_query", by=actions.installer())


def test_a_label_is_printed_anew_after_a_question(opened: Any, shop: Sender, live_url: str, axe: str) -> None:
    order = placed(shop)
    apart(lambda: shipping.labels(order, by=shop.person))
    apart(lambda: _given_out_before(order))
    page = opened(375, 812, storage_state=shop.cookies)
    page.goto(f"{live_url}/app/orders/{order}")
    expect(page.locator("main")).to_contain_text("The label was given out")
    holds(page, axe, 375, "given-out")
    page.click("text=Print it anew")
    expect(page.locator("main")).to_contain_text("It can be printed anew 3 times more")
    holds(page, axe, 375, "anew")
    page.click("button:has-text('Print it anew')")
    expect(page.locator("main")).to_contain_text("There is a new label")
    with page.expect_download() as got:
        page.click("text=ZPL")
    assert Path(got.value.path()).read_bytes()[:4] == b"^XA^"
    assert apart(lambda: queries.order(order, by=shop.person)).items[0].printings_left == 2


def test_what_was_not_handed_in_is_cancelled_after_a_question(
    opened: Any, shop: Sender, live_url: str, axe: str
) -> None:
    order = placed(shop)
    page = opened(375, 812, storage_state=shop.cookies)
    page.goto(f"{live_url}/app/orders/{order}")
    page.click("a:has-text('Cancel the order')")
    expect(page.locator("main")).to_contain_text("9.10")
    holds(page, axe, 375, "cancel")
    page.click("button:has-text('Cancel the order')")
    expect(page.locator("h1")).to_have_text("Cancelled")
    assert page.locator("text=Print the label").count() == 0
    holds(page, axe, 375, "cancelled")


def _given_out_before(order: uuid.UUID) -> None:
    OrderItem.objects.filter(order=order).update(printed_at=F("printed_at") - timedelta(hours=1))


def test_by_the_keyboard_alone(opened: Any, shop: Sender, live_url: str) -> None:
    page = opened(1280, 800, storage_state=shop.cookies)
    page.goto(f"{live_url}/app/orders/new")
    keys = page.keyboard

    def to(selector: str) -> None:
        for _ in range(40):
            keys.press("Tab")
            if page.evaluate("selector => document.activeElement.matches(selector)", selector):
                return
        raise AssertionError(f"Tab does not lead to {selector}")

    for name, text in TO.items():
        to(f"#{name}")
        keys.type(text)
    to("#weight")
    keys.type("0.9")
    to("[name=size]")
    keys.press("Space")
    keys.press("ArrowDown")
    to("#contents")
    keys.type("Two cotton T-shirts")
    to("[name=battery]")
    keys.press("Space")
    to("button[value=prices]")
    keys.press("Enter")
    page.wait_for_selector("h1:has-text('Choose a service')")
    to("button[value=packet]")
    keys.press("Enter")
    page.wait_for_selector("h1:has-text('Paid')")
    to("a[download]")
    with page.expect_download() as got:
        keys.press("Enter")
    assert Path(got.value.path()).read_bytes()[:4] == b"%PDF"


def test_without_scripts(opened: Any, shop: Sender, live_url: str) -> None:
    page = opened(375, 812, storage_state=shop.cookies, java_script_enabled=False)
    page.goto(f"{live_url}/app/orders/new")
    fill(page)
    page.get_by_label("Weight").press("Enter")
    expect(page.locator("h1")).to_have_text("Choose a service")
    page.get_by_role("button", name="Packet").click()
    expect(page.locator("h1")).to_have_text("Paid")


def test_in_another_language(opened: Any, shop: Sender, live_url: str, axe: str) -> None:
    page = opened(375, 812, storage_state=shop.cookies, locale="es")
    page.goto(f"{live_url}/app/orders/new")
    expect(page.locator("h1")).to_have_text("Enviar un paquete")
    expect(page.locator("#to_country option:checked")).to_have_text("Estados Unidos")
    for name, text in TO.items():
        page.fill(f"#{name}", text)
    page.fill("#weight", "0,9")
    page.locator("[name=size][value=small]").check()
    page.fill("#contents", "Dos camisetas de algodón")
    page.locator("[name=battery][value=none]").check()
    page.click("button:has-text('Ver precios')")
    expect(page.locator("h1")).to_have_text("Elija un servicio")
    holds(page, axe, 375, "spanish")


@pytest.mark.asvs("8.2.2")
def test_nobody_sees_anothers_order(opened: Any, shop: Sender, sender: Callable[..., Sender], live_url: str) -> None:
    order = placed(shop)
    page = opened(1280, 800, storage_state=sender().cookies)
    for path in ("", "/labels/0/4x6", "/labels/0/anew"):
        assert page.goto(f"{live_url}/app/orders/{order}{path}").status == 404, path
    page.goto(f"{live_url}/app/orders")
    expect(page.locator("main")).to_contain_text("Nothing was sent yet")
    assert apart(lambda: Order.objects.get(pk=order)).state == State.BOUGHT
