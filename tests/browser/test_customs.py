"""What customs has to know, on a telephone and a screen: asked on the order's page, found by words, then it goes on."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.browser.conftest import picture, storage, violations
from tests.joined import apart
from tests.passkey import Browser as PasskeyBrowser
from tests.shipping import shop as shops
from tests.shipping.sample_labels import text_of

from parcelward.doors.api.order_shapes import OrderIn
from parcelward.parcels import queries as parcels
from parcelward.people import actions
from parcelward.people.models import Membership, User
from parcelward.people.queries import person_of
from parcelward.people.wire import OrganisationKind, Person, Role
from parcelward.shipping import actions as shipping
from parcelward.shipping.models import OrderItem

pytestmark = pytest.mark.browser
WIDTHS = {1280: 900, 375: 812}
THERE = {"country": "FR", "addressee": shops.NAME, "street_lines": ["3 rue des Lilas"], "locality": "Lyon"}


@pytest.fixture(scope="module")
def seller(installation: Any, live_url: str) -> Iterator[tuple[Person, Any]]:
    """Return somebody who sends for a new organisation with money, and their browser's cookies."""
    apart(shops.open_shop)
    with contextlib.ExitStack() as end:
        mine = PasskeyBrowser(live_url)
        end.callback(mine.http.close)
        by = apart(actions.installer)
        name = f"Shop {os.urandom(3).hex()}"
        shop = apart(lambda: actions.make_organisation(OrganisationKind.SENDER, name, by=by, simulated=True))
        _id, code = apart(lambda: actions.invite(shop, Role.SENDER_ADMIN, by=by))
        assert mine.join(f"{live_url}/accounts/join#code={code}").status_code == 302
        apart(lambda: shops.give(shop, 1_000_000))
        yield apart(lambda: _person(mine.user_id)), storage(mine)


def _person(user_id: uuid.UUID) -> Person:
    user = User.objects.get(id=user_id)
    user.acting = Membership.objects.get(user=user, ended_at=None).id
    return person_of(user)


def bought(by: Person) -> uuid.UUID:
    """Buy a delivery abroad; nothing is said to customs."""
    to = {"address": THERE | {"postcode": "69003"}, "email": "canary.quillfeather@mail.example"}
    said = shops.order(item_to=to, item_product="world")
    return shipping.place_within(uuid.uuid4(), OrderIn.model_validate(said).value(), by=by)


def holds(page: Page, axe: str, width: int, name: str) -> None:
    """Assert what must be true of every screen, and take its picture."""
    assert violations(page, axe) == [], page.url
    assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{page.url} scrolls sideways"
    assert page.locator("h1").count() == 1, page.url
    picture(page, f"customs-{name}-{width}-light", kept=name in {"asked", "found"})


@pytest.mark.parametrize("width", WIDTHS)
def test_from_the_orders_page_to_the_form(
    opened: Any, seller: tuple[Person, Any], live_url: str, axe: str, width: int
) -> None:
    person, cookies = seller
    order = apart(lambda: bought(person))
    page = opened(width, WIDTHS[width], color_scheme="light", storage_state=cookies)
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url))
    page.goto(f"{live_url}/app/orders/{order}")
    expect(page.get_by_text("We hold the parcel until you have said so.")).to_be_visible()
    holds(page, axe, width, "asked")
    page.click("text=Say what is in it")
    expect(page.locator("#d1")).to_have_value("Two cotton T-shirts")
    expect(page.locator("#v1")).to_have_value("40.00")
    holds(page, axe, width, "form")
    page.click("button:has-text('Give it to customs')")
    summary = page.locator(".govuk-error-summary")
    for words in ("Choose why it is sent", "Enter how many of it", "Enter a telephone number"):
        expect(summary).to_contain_text(words)
    holds(page, axe, width, "wrong")
    page.get_by_label("It was sold").check()
    page.click("button:has-text('Find it')")
    expect(page.locator("#codes-1 li")).to_have_count(5)
    holds(page, axe, width, "found")
    page.click("text=Take 610910")
    expect(page.locator("#h1")).to_have_value("610910")
    page.click("text=Another kind of goods")
    for nth, (what, many, weight, worth) in enumerate((("", "2", "0.4", ""), ("Green tea", "1", "0.2", "9.50")), 1):
        for name, text in zip("dqwv", (what, many, weight, worth), strict=True):
            if text:
                page.fill(f"#{name}{nth}", text)
        page.select_option(f"#o{nth}", "PT")
    page.fill("#h2", "0902.10")
    page.fill("#sender_contact", "+1 217 555 0175")
    page.click("button:has-text('Give it to customs')")
    expect(page.get_by_role("status")).to_contain_text("Customs has what it needs")
    holds(page, axe, width, "given")
    item = apart(lambda: OrderItem.objects.values_list("item", flat=True).get(order=order))
    assert item is not None
    assert not apart(lambda: parcels.journey(item).held)
    with page.expect_download() as got:
        page.evaluate("(path) => { window.location.href = path }", f"/app/orders/{order}/customs/0/form")
    words = text_of(Path(got.value.path()).read_bytes())
    assert "2 x Two cotton T-shirts" in words
    assert "090210" in words
    private = ("Quillfeather", "Lilas", "shirts", "tea", "555")
    assert [url for url in urls for word in private if word.lower() in url.lower()] == []


def test_codes_are_found_without_scripts(opened: Any, seller: tuple[Person, Any], live_url: str) -> None:
    person, cookies = seller
    order = apart(lambda: bought(person))
    page = opened(375, 812, color_scheme="light", storage_state=cookies, java_script_enabled=False)
    page.goto(f"{live_url}/app/orders/{order}/customs/0")
    page.click("button:has-text('Find it')")
    page.click("text=Take 610910")
    expect(page.locator("#h1")).to_have_value("610910")
