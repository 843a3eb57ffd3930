"""A proven parcel, and a page that fails its test when the console shows an error."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page
from tests.browser.proof.reading import (
    published,
)
from tests.scanner import Scanner, event, new_number


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    held = chromium.new_context(viewport={"width": 375, "height": 800}, locale="en-GB", accept_downloads=True)
    yield held
    held.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A page that fails its test when the console shows an error, such as a refusal by the CSP."""
    opened = context.new_page()
    opened.on("pageerror", lambda error: pytest.fail(f"script error: {error}"))
    return opened


@pytest.fixture(scope="module")
def scanner(installation: Any, facilities: tuple[str, ...]) -> Scanner:
    return Scanner(installation, name="proof page scanner")


@pytest.fixture(scope="module")
def parcel(scanner: Scanner) -> str:
    """A parcel of four events, one of them a correction, all in a published checkpoint."""
    number = new_number()
    wrong = event(number, "out_for_delivery", minutes=10, facility="TEST-B")
    correction = {"event_id": wrong["event_id"], "declares": "did_not_occur", "reason": "wrong parcel"}
    scanner.send(
        event(number, "accepted", weight_g=1200),
        event(number, "at_delivery_office", minutes=5, facility="TEST-B"),
        wrong,
    )
    scanner.send(event(number, "out_for_delivery", minutes=11, facility="TEST-B", corrects=correction))
    return published(scanner.url, number, 4)
