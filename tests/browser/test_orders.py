"""Send a parcel as a small shop does, on a telephone and a screen: the form, the prices, the payment, the label."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect
from tests.browser.conftest import picture, storage, violations
from tests.joined import apart
from tests.shipping import shop as shops
from tests.shipping.sample_labels import pages, read

from parcelward.people.models import Membership
from parcelward.privacy.sealing.wire import from_base45, parse

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


@pytest.fixture(scope="module")
def shop(staff: Any, installation: Any) -> Iterator[Any]:
    mine = staff("sender_admin")
    apart(shops.open_shop)
    owner = apart(lambda: Membership.objects.get(user_id=mine.user_id, ended_at=None).organisation_id)
    apart(lambda: shops.give(owner, 100_000))
    yield mine
    mine.http.close()


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


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_from_the_form_to_the_label(
    opened: Any, shop: Any, live_url: str, axe: str, width: int, scheme: str
) -> None:
    page = opened(width, WIDTHS[width], color_scheme=scheme, storage_state=storage(shop))
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
        page.click("text=Download the label")
    found = read(pages(Path(got.value.path()).read_bytes())[0])
    number = page.locator("h2 .pw-number").inner_text().replace(" ", "")
    assert found["]C0"] == number
    assert parse(from_base45(next(text for kind, text in found.items() if kind != "]C0"))).item == number
    with page.expect_download() as got:
        page.click("text=PNG")
    assert read(Image.open(io.BytesIO(Path(got.value.path()).read_bytes())))["]C0"] == number
