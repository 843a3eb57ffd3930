"""The desk in use, in both widths and themes: what was chosen, refused or is not there, usable by everybody."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page
from tests.browser.conftest import World, hold_up, picture, violations
from tests.scanner import event, new_number, until

from parcelward.doors.portals.desk import ROWS_MAX

pytestmark = pytest.mark.browser

WIDTHS = {1280: 800, 375: 812}


@pytest.fixture(scope="module")
def busy(world: World) -> World:
    """More in quarantine than one part of the list holds."""
    world.scanner.send(*(event(new_number(), "accepted", facility="NOWHERE") for _ in range(ROWS_MAX + 5)))
    return world


def _holds(page: Page, axe: str, width: int) -> None:
    assert violations(page, axe) == [], page.url
    assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{page.url} scrolls sideways"


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_desk_in_use_holds_up(
    opened: Any, signed_in: Any, live_url: str, busy: World, axe: str, width: int, scheme: str
) -> None:
    page = opened(width, WIDTHS[width], color_scheme=scheme, storage_state=signed_in)

    def seen(name: str, *, kept: bool = False) -> None:
        _holds(page, axe, width)
        picture(page, f"{name}-{width}-{scheme}", kept=kept and scheme == "light")

    page.goto(f"{live_url}/app/desk/?queue=quarantine")
    page.locator(".pw-list [data-row]").first.click()
    page.wait_for_selector("#repaired")
    seen("desk-quarantined", kept=True)
    page.click("text=Dismiss this event")
    page.wait_for_selector("#reason-error")
    seen("desk-refused")
    page.goto(f"{live_url}/app/desk/?queue=quarantine")
    page.locator("[data-older]").click()
    page.wait_for_selector("[data-newer]")
    seen("desk-older")
    until(lambda: page.goto(f"{live_url}/app/desk/") and page.locator(".pw-list [data-row]").count() > 0)
    page.locator(".pw-list [data-row]").first.click()
    page.wait_for_selector("#story .pw-case")
    seen("desk-alert", kept=True)
    page.keyboard.press("?")
    page.wait_for_selector("#keys", state="visible")
    seen("desk-keys")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_forms_and_empty_lists_hold_up(
    opened: Any, signed_in: Any, live_url: str, busy: World, axe: str, width: int, scheme: str
) -> None:
    page = opened(width, WIDTHS[width], color_scheme=scheme, storage_state=signed_in)
    for name, address in {"empty": "?queue=alerts&kind=stuck", "oldest": "?queue=quarantine&from=1"}.items():
        hold_up(page, f"{live_url}/app/desk/{address}", axe, width)
        if name == "empty":
            assert "Nothing of this kind needs you." in page.inner_text(".pw-empty >> nth=0"), "others do"
        picture(page, f"desk-{name}-{width}-{scheme}", kept=scheme == "light" and name == "empty")
    page.goto(f"{live_url}/app/desk/items/{busy.derived}/hold")
    page.click("main button")
    page.wait_for_selector("#reason-error")
    assert page.get_attribute("#reason", "aria-invalid") == "true"
    _holds(page, axe, width)
    picture(page, f"hold-refused-{width}-{scheme}", kept=False)
    page.goto(f"{live_url}/app/desk/?item={busy.delivered}")
    page.locator(".pw-events summary").first.click()
    _holds(page, axe, width)
    picture(page, f"desk-event-{width}-{scheme}", kept=False)
    page.get_by_role("link", name="declare it wrong").first.click()
    page.wait_for_url("**/correct")
    page.click("main button")
    page.wait_for_selector("#declares-error")
    assert page.get_attribute("fieldset", "aria-describedby") == "declares-error"
    _holds(page, axe, width)
    picture(page, f"correct-refused-{width}-{scheme}", kept=False)
