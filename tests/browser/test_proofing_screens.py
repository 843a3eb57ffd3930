"""Proving who one is, on a telephone and at the counter, in both themes: usable by everybody, one thing at a time."""

from __future__ import annotations

import datetime as dt
import os
from typing import Any

import pytest
import zxingcpp
from django.utils import timezone
from PIL import Image
from playwright.sync_api import Page
from tests.browser.conftest import Someone, picture, violations
from tests.joined import apart

from parcelward.base.vault import VaultToken
from parcelward.people import actions, proofing
from parcelward.people.wire import CounterState, Document, Person, Role
from parcelward.privacy import actions as privacy
from parcelward.privacy.wire import Field, Kind

pytestmark = pytest.mark.browser
WIDTHS = {1280: 800, 375: 812}


@pytest.fixture(scope="module")
def clerk(enter: Any) -> Someone:
    return enter(Role.CLERK)  # type: ignore[no-any-return]  # a fixture's own function


def home(owner: Person) -> VaultToken:
    fields = {
        Field.NAME: "Katharina Hohenlohe-Langenburg",
        Field.ADDRESS: f"{os.urandom(2).hex()} Evergreen Terrace\nApartment 12",
        Field.POSTCODE: "62701",
        Field.LOCALITY: "Springfield",
        Field.COUNTRY: "US",
    }
    until = timezone.now() + dt.timedelta(days=60)
    return privacy.put(fields, kind=Kind.PENDING, by=actions.machinery(), account=owner.id, expires_at=until)


def holds(page: Page, axe: str, width: int, name: str, scheme: str) -> None:
    """Assert what must be true of every screen, and take its picture."""
    assert violations(page, axe) == [], page.url
    assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{page.url} scrolls sideways"
    assert page.locator("h1").count() == 1, page.url
    picture(page, f"proofing-{name}-{width}-{scheme}", kept=scheme == "light" and name in {"barcode", "check"})


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_person_asks_for_a_letter_and_types_its_code(
    opened: Any, enter: Any, clerk: Someone, live_url: str, axe: str, width: int, scheme: str
) -> None:
    anna = enter(Role.ADDRESSEE)
    page = opened(width, WIDTHS[width], color_scheme=scheme, storage_state=anna.cookies)
    page.goto(f"{live_url}/app/")
    page.click("text=Prove who you are")
    holds(page, axe, width, "nothing-yet", scheme)
    page.click("text=Ask for a letter")
    holds(page, axe, width, "name", scheme)
    page.click("text=Continue")
    page.wait_for_selector("#name-error")
    holds(page, axe, width, "name-missing", scheme)
    page.fill("#name", "Katharina Hohenlohe-Langenburg")
    page.press("#name", "Enter")
    page.wait_for_selector("#line1")
    holds(page, axe, width, "address", scheme)
    for field, text in {
        "line1": f"{os.urandom(3).hex()} Hill Road",
        "postcode": "62701",
        "locality": "Springfield",
    }.items():
        page.fill(f"#{field}", text)
    page.click("text=Continue")
    page.wait_for_selector("text=Is this right?")
    holds(page, axe, width, "is-this-right", scheme)
    page.click("text=Send the letter")
    page.wait_for_selector("text=Your letter is asked for")
    holds(page, axe, width, "letter-asked-for", scheme)
    now = timezone.now()
    mine = apart(lambda: proofing.mine(by=anna.person, now=now).letter)
    assert mine is not None
    code = apart(lambda: proofing.print_letter(mine.letter_id, by=clerk.person, now=now).code)
    page.goto(f"{live_url}/app/proofing")
    page.click("text=Enter the code")
    page.fill("#code", "22222 22222")
    page.press("#code", "Enter")
    page.wait_for_selector("#code-error, .govuk-error-summary")
    holds(page, axe, width, "code-wrong", scheme)
    page.fill("#code", f"{code[:5].lower()} {code[5:]}")
    page.press("#code", "Enter")
    page.wait_for_selector("text=Your address is proven")
    holds(page, axe, width, "address-proven", scheme)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_barcode_is_read_from_the_screen_and_the_clerk_decides(
    opened: Any, enter: Any, clerk: Someone, live_url: str, axe: str, width: int, scheme: str, tmp_path: Any
) -> None:
    ben = enter(Role.ADDRESSEE)
    begun = apart(lambda: proofing.start_check(home(ben.person), by=ben.person, now=timezone.now()))
    waits = enter(Role.ADDRESSEE)
    apart(lambda: proofing.request_letter(home(waits.person), same=(), by=waits.person, now=timezone.now()))
    page = opened(width, WIDTHS[width], color_scheme=scheme, storage_state=ben.cookies)
    page.goto(f"{live_url}/app/proofing/counter/barcode")
    page.wait_for_load_state("networkidle")
    holds(page, axe, width, "barcode", scheme)
    page.locator("figure").screenshot(path=tmp_path / "barcode.png")
    (found,) = zxingcpp.read_barcodes(Image.open(tmp_path / "barcode.png"))
    assert found.text == begun.reference
    page.goto(f"{live_url}/app/proofing/counter/cancel")
    holds(page, axe, width, "cancel", scheme)
    page.goto(f"{live_url}/app/proofing")
    holds(page, axe, width, "check-pending", scheme)

    page = opened(width, WIDTHS[width], color_scheme=scheme, storage_state=clerk.cookies)
    page.goto(f"{live_url}/app/counter/proofing")
    holds(page, axe, width, "queue", scheme)
    page.fill("#reference", "2222222222")
    page.press("#reference", "Enter")
    page.wait_for_selector("#reference-error")
    holds(page, axe, width, "queue-unknown", scheme)
    page.fill("#reference", found.text)
    page.press("#reference", "Enter")
    page.wait_for_selector("text=Open the data and begin")
    holds(page, axe, width, "one", scheme)
    page.click("text=Open the data and begin")
    page.wait_for_selector("text=Katharina Hohenlohe-Langenburg")
    holds(page, axe, width, "check", scheme)
    page.check("input[name=decision][value=passed]")
    page.click("text=Continue")
    page.wait_for_selector(".govuk-error-summary")
    holds(page, axe, width, "check-incomplete", scheme)
    page.check("input[name=document][value=passport]")
    for name in ("face", "name", "address", "holds", "whole"):
        page.check(f"input[name={name}]")
    page.click("text=Continue")
    page.wait_for_selector("text=Note this decision?")
    holds(page, axe, width, "sure", scheme)
    page.click("text=Note it")
    page.wait_for_selector("text=The person is told in an hour")
    told = timezone.now() + dt.timedelta(hours=1, minutes=1)
    check = apart(lambda: proofing.mine(by=ben.person, now=told).check)
    assert check is not None
    assert check.state is CounterState.PASSED


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_inspector_reviews(
    opened: Any, enter: Any, clerk: Someone, live_url: str, axe: str, width: int, scheme: str
) -> None:
    carla, inspector = enter(Role.ADDRESSEE), enter(Role.INSPECTOR)
    page = opened(width, WIDTHS[width], color_scheme=scheme, storage_state=inspector.cookies)
    page.goto(f"{live_url}/app/reviews/proofing")
    holds(page, axe, width, "reviews-before", scheme)
    now = timezone.now()
    begun = apart(lambda: proofing.start_check(home(carla.person), by=carla.person, now=now))
    review = CounterState.IN_FRAUD_REVIEW
    apart(lambda: proofing.decide_check(begun.check_id, review, Document.IDENTITY_CARD, by=clerk.person, now=now))
    page.reload()
    holds(page, axe, width, "reviews", scheme)
    page.click(f"a[href$='{begun.check_id}']")
    holds(page, axe, width, "review", scheme)
    page.click("text=Open name and address")
    page.wait_for_selector("text=Katharina Hohenlohe-Langenburg")
    holds(page, axe, width, "review-opened", scheme)
    page.check("input[name=decision][value=failed]")
    page.click("text=Continue")
    page.wait_for_selector("text=Note this decision?")
    page.click("text=Note it")
    page.wait_for_selector("text=Noted.")
    holds(page, axe, width, "reviews-after", scheme)
