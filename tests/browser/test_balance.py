"""Pay into a balance, on a telephone and a screen, in both themes: to the provider's page and back."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.browser.conftest import picture, storage, violations

pytestmark = pytest.mark.browser
WIDTHS = {1280: 800, 375: 812}


@pytest.fixture(scope="module")
def shop(staff: Any) -> Any:
    return staff("sender_admin")  # everybody's in this process: who closes it takes it from the files after this one


def holds(page: Page, axe: str, width: int, name: str, scheme: str) -> None:
    """Assert what must be true of every screen, and take its picture."""
    assert violations(page, axe) == [], page.url
    assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{page.url} scrolls sideways"
    assert page.locator("h1").count() == 1, page.url
    picture(page, f"balance-{name}-{width}-{scheme}", kept=scheme == "light" and name == "paid")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pay_in_on_the_providers_page_and_see_it(
    opened: Any, shop: Any, live_url: str, axe: str, width: int, scheme: str
) -> None:
    page = opened(width, WIDTHS[width], color_scheme=scheme, storage_state=storage(shop))
    page.goto(f"{live_url}/app/balance")
    holds(page, axe, width, "before", scheme)
    page.fill("#amount", "1,000.00")
    page.click("button:has-text('Go on to pay')")
    expect(page.get_by_role("alert")).to_contain_text("Enter an amount such as 25.00")
    expect(page.locator("#amount")).to_have_value("1,000.00")
    holds(page, axe, width, "wrong", scheme)
    page.fill("#amount", "25.50")
    page.click("button:has-text('Go on to pay')")
    page.wait_for_url("**/pay/cs_*")
    expect(page.locator(".amount")).to_have_text("25.50 USD")
    holds(page, axe, width, "provider", scheme)
    page.get_by_label("A card that is declined").check()
    page.click("button:has-text('Pay')")
    expect(page.get_by_role("alert")).to_contain_text("declined")
    page.get_by_label("A card whose bank asks first").check()
    page.click("button:has-text('Pay')")
    page.wait_for_selector("text=Your bank asks")
    holds(page, axe, width, "bank", scheme)
    page.click("button:has-text('Yes, approve')")
    page.wait_for_url("**/app/balance")
    expect(page.locator("main")).to_contain_text("25.50\N{NO-BREAK SPACE}USD was paid in.")
    expect(page.locator(".pw-moved li").first).to_contain_text("Paid in")
    holds(page, axe, width, "paid", scheme)


@pytest.mark.parametrize("width", WIDTHS)
def test_a_payment_that_is_left_open_can_be_gone_on_with_or_closed(
    opened: Any, shop: Any, live_url: str, axe: str, width: int
) -> None:
    page = opened(width, WIDTHS[width], storage_state=storage(shop))
    page.goto(f"{live_url}/app/balance")
    page.fill("#amount", "10")
    page.click("button:has-text('Go on to pay')")
    page.wait_for_url("**/pay/cs_*")
    page.click("text=Cancel and go back")
    page.wait_for_selector("h1:has-text('Not paid yet')")
    holds(page, axe, width, "open", "light")
    page.goto(f"{live_url}/app/balance")
    page.click("a:has-text('10.00')")
    page.click("button:has-text('Do not pay')")
    expect(page.locator("main")).to_contain_text("It is closed: nothing was paid.")
    holds(page, axe, width, "closed", "light")
