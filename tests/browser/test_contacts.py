"""Write to the other side of a parcel, on a telephone and a screen, in both themes: usable by everybody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page
from tests.browser.conftest import picture, storage, violations
from tests.doors.portals.test_contacts import Parties, parties_of
from tests.joined import apart

pytestmark = pytest.mark.browser
WIDTHS = {1280: 800, 375: 812}


@pytest.fixture(scope="module")
def parties(installation: Any, facilities: Any) -> Iterator[Parties]:
    found = apart(lambda: parties_of(installation))
    yield found
    for each in (found.shop, found.anna):
        each.http.close()


def holds(page: Page, axe: str, width: int, name: str, scheme: str) -> None:
    """Assert what must be true of every screen, and take its picture."""
    assert violations(page, axe) == [], page.url
    assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{page.url} scrolls sideways"
    assert page.locator("h1").count() == 1, page.url
    picture(page, f"contacts-{name}-{width}-{scheme}", kept=scheme == "light" and name == "one")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_from_the_parcel_to_an_address_and_closed_again(
    opened: Any, parties: Parties, live_url: str, axe: str, width: int, scheme: str
) -> None:
    page = opened(width, WIDTHS[width], color_scheme=scheme, storage_state=storage(parties.anna))
    page.goto(f"{live_url}/track/{parties.item}")
    picture(page, f"contacts-track-{width}-{scheme}", kept=False)
    page.click("text=Write to the sender or the addressee")
    page.wait_for_selector("h1:has-text('Write to the sender')")
    holds(page, axe, width, "open", scheme)
    page.fill("#item", "RA473012345GB")
    page.click("button:has-text('Get an address')")
    page.wait_for_selector("text=There is a problem")
    holds(page, axe, width, "open-wrong", scheme)
    page.fill("#item", parties.item)
    page.click("button:has-text('Get an address')")
    page.wait_for_selector("text=What is hidden")
    holds(page, axe, width, "one", scheme)
    page.click("a:has-text('Close this contact')")
    page.wait_for_selector("text=Close this contact?")
    holds(page, axe, width, "close", scheme)
    page.click("button:has-text('Close it')")
    page.wait_for_selector("text=It is closed.")
    holds(page, axe, width, "overview", scheme)


@pytest.mark.parametrize("width", WIDTHS)
def test_a_senders_member_names_the_addressee(
    opened: Any, parties: Parties, live_url: str, axe: str, width: int
) -> None:
    page = opened(width, WIDTHS[width], storage_state=storage(parties.shop))
    page.goto(f"{live_url}/app/contacts/open?item={parties.item}")
    page.wait_for_selector("h1:has-text('Write to the addressee')")
    holds(page, axe, width, "sender", "light")
    page.click("button:has-text('Get an address')")
    page.wait_for_selector("text=There is a problem")
    holds(page, axe, width, "sender-wrong", "light")
