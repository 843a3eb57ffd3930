"""A shop sends its list, says what the columns mean, mends a row where it stands, places it and prints the labels."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.browser.conftest import picture, storage, violations
from tests.joined import apart
from tests.shipping import lists
from tests.shipping import shop as shops

from parcelward.people.models import Membership

pytestmark = pytest.mark.browser
WIDTHS = {1280: 800, 375: 812}


@pytest.fixture(scope="module")
def shop(staff: Any) -> Any:
    mine = staff("sender_admin")
    apart(shops.open_shop)
    organisation = apart(lambda: Membership.objects.get(user=mine.user_id, ended_at=None).organisation_id)
    apart(lambda: shops.give(organisation, 10_000_000))
    return mine


def holds(page: Page, axe: str, width: int, name: str, scheme: str) -> None:
    """Assert what must be true of every screen, and take its picture."""
    assert violations(page, axe) == [], page.url
    assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{page.url} scrolls sideways"
    assert page.locator("h1").count() == 1, page.url
    picture(page, f"uploads-{name}-{width}-{scheme}", kept=scheme == "light" and name == "preview")


def sent(page: Page, url: str, body: bytes, name: str = "orders.csv") -> None:
    page.goto(f"{url}/app/uploads")
    page.set_input_files("#file", {"name": name, "mimeType": "text/csv", "buffer": body})
    page.click("button:has-text('Send and look at it')")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_list_from_the_file_to_its_labels(
    opened: Any, shop: Any, live_url: str, axe: str, width: int, scheme: str
) -> None:
    page = opened(width, WIDTHS[width], color_scheme=scheme, storage_state=storage(shop))
    page.goto(f"{live_url}/app/uploads")
    page.click("button:has-text('Send and look at it')")
    expect(page.get_by_role("alert")).to_contain_text("Choose a file first.")
    holds(page, axe, width, "none", scheme)
    mark = f"{scheme[0].upper()}{width}"
    rows = [lists.row(nth, order_no=f"{mark}-{nth}") for nth in range(4)]
    rows[1] = lists.row(1, order_no=f"{mark}-1", name="", weight="heavy")
    sent(page, live_url, lists.text(rows))
    expect(page.locator("h1")).to_have_text("What the columns mean")
    expect(page.get_by_label("ZIP", exact=True)).to_have_value("postcode")
    page.get_by_label("ZIP", exact=True).select_option("")
    page.click("button:has-text('Look at the rows')")
    expect(page.get_by_role("alert")).to_contain_text("No column is the Postcode.")
    holds(page, axe, width, "wrong-columns", scheme)
    page.get_by_label("ZIP", exact=True).select_option("postcode")
    page.get_by_label("Service").last.select_option("parcel")
    for name, text in (("organisation", "Marrow & Pith"), ("street", "5 Market Square"), ("locality", "Springfield")):
        page.fill(f"#from-{name}", text)
    page.fill("#from-administrative_area", "IL")
    page.fill("#from-postcode", "62703")
    holds(page, axe, width, "columns", scheme)
    page.click("button:has-text('Look at the rows')")
    expect(page.locator("h1")).to_have_text("Ready to look at and place")
    expect(page.locator("#row-1")).to_contain_text("Row 2")
    holds(page, axe, width, "preview", scheme)
    page.fill("#r1-addressee", "Ana Sample")
    page.click("button:has-text('Mend row 2')")
    expect(page.get_by_role("status")).to_contain_text("Row 2 has something wrong still.")
    page.fill("#r1-weight_g", "750")
    page.click("button:has-text('Mend row 2')")
    expect(page.get_by_role("status")).to_contain_text("Row 2 is good now.")
    page.click("button:has-text('order 4 parcels')")
    expect(page.locator("h1")).to_have_text("Placed", timeout=60_000)
    holds(page, axe, width, "placed", scheme)
    with page.expect_download() as coming:
        page.click("a:has-text('Labels as one PDF')")
    file = coming.value.path().read_bytes()
    assert file[:5] == b"%PDF-"
    page.goto(f"{live_url}/app/uploads")
    expect(page.locator(".pw-lines li").first).to_contain_text("Placed")
    holds(page, axe, width, "overview", scheme)


@pytest.mark.parametrize("width", WIDTHS)
def test_a_list_is_given_up_after_a_question(opened: Any, shop: Any, live_url: str, axe: str, width: int) -> None:
    page = opened(width, WIDTHS[width], storage_state=storage(shop))
    sent(page, live_url, lists.text([lists.row(0)]))
    page.click("a:has-text('Give this list up')")
    expect(page.locator("h1")).to_have_text("Give this list up?")
    holds(page, axe, width, "give-up", "light")
    page.click("button:has-text('Give it up')")
    expect(page.get_by_role("status")).to_contain_text("The list is given up.")
    expect(page.locator(".pw-lines li").first).to_contain_text("Given up")


def test_what_is_no_list_is_said_beside_the_field(opened: Any, shop: Any, live_url: str) -> None:
    page = opened(1280, 800, storage_state=storage(shop))
    sent(page, live_url, b"PK\x03\x04 nothing", "orders.xlsx")
    expect(page.get_by_role("alert")).to_contain_text("This workbook cannot be")
