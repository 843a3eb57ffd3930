"""The bar over the screens of whoever is signed in: one line, with a keyboard, and without JavaScript."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page
from tests.browser.conftest import picture, storage, violations
from tests.joined import apart as apart_from
from tests.joined import tenant

from parcelward.people.wire import OrganisationKind, Role

pytestmark = pytest.mark.browser
WIDTHS = {1280: 800, 375: 812, 320: 640}
LINE_MAX = 57  # pixels: what is large enough for a thumb, and a border
SCREENS = ("/app/", "/app/account", "/app/roles")
PARTS = (".pw-brand", ".pw-simulated", ".pw-menu > summary")


@pytest.fixture(scope="module")
def clerk(staff: Callable[[str], Any]) -> Any:
    return storage(staff("clerk"))


def apart(page: Page) -> bool:
    """Return whether no part of the line lies on another, or runs out of it."""
    boxes = [page.locator(part).bounding_box() for part in PARTS]
    assert all(boxes)
    ends = [(box["x"], box["x"] + box["width"]) for box in boxes if box]
    return all(one[1] <= next_one[0] for one, next_one in itertools.pairwise(ends))


def height(page: Page) -> float:
    found: float = page.evaluate("document.querySelector('header').getBoundingClientRect().height")
    return found


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "es"])
def test_the_header_is_one_line(
    opened: Any, clerk: Any, live_url: str, axe: str, width: int, scheme: str, language: str
) -> None:
    page = opened(width, WIDTHS[width], color_scheme=scheme, storage_state=clerk, locale=language)
    for where in SCREENS:
        page.goto(live_url + where)
        assert height(page) <= LINE_MAX, where
        assert page.evaluate("document.querySelector('header').scrollWidth") <= width, where
        assert page.locator("header button[type=submit]").is_visible() == (width == 1280)
        assert page.locator("summary", has_text="Men").first.is_visible() == (width < 1280)
        if width < 1280:
            assert apart(page), where
    page.goto(f"{live_url}/app/")
    assert violations(page, axe) == []
    picture(page, f"header-{language}-{width}-{scheme}", kept=False)


@pytest.mark.parametrize("width", [1280, 375])
@pytest.mark.parametrize("role", [Role.PLANNER, Role.OFFICER])
def test_a_role_without_screens_is_told_by_which_means_it_works(
    opened: Any, enter: Any, browser: Any, link: Any, live_url: str, axe: str, width: int, role: Role
) -> None:
    """And what the start page names is there."""
    if role is Role.OFFICER:
        police = apart_from(lambda: tenant(OrganisationKind.LAW_ENFORCEMENT))
        mine = browser()
        assert mine.join(link("officer", police)).status_code == 302
        cookies = storage(mine)
    else:
        cookies = enter(role).cookies
    page = opened(width, WIDTHS[width], storage_state=cookies)
    page.goto(f"{live_url}/app/")
    work = page.locator("section[aria-labelledby=by-program]")
    assert work.locator("p").first.inner_text()
    ways = work.locator("a").evaluate_all("all => all.map(one => one.getAttribute('href'))")
    assert ways
    for way in ways:
        assert page.request.get(live_url + way).status == 200, way
    assert violations(page, axe) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    picture(page, f"start-{role.value}-{width}", kept=False)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("script", [True, False])
def test_the_menu_opens_with_the_keyboard_and_pushes_the_page_down(
    opened: Any, clerk: Any, live_url: str, axe: str, scheme: str, script: bool
) -> None:
    page = opened(375, 812, color_scheme=scheme, storage_state=clerk, java_script_enabled=script)
    page.goto(f"{live_url}/app/")
    below = page.locator("h1").bounding_box()
    for _ in range(3):  # past the skip link and the name
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    leave = page.get_by_role("button", name="Sign out")
    assert leave.is_visible()
    pushed = page.locator("h1").bounding_box()
    assert below
    assert pushed
    assert pushed["y"] > below["y"] + 100, "the page is not covered"
    for control in page.locator(".pw-menu a, .pw-menu button").all():
        box = control.bounding_box()
        assert box
        assert box["height"] >= 44
    if script:
        assert violations(page, axe) == []
        picture(page, f"header-open-375-{scheme}", kept=False)
    page.keyboard.press("Enter")
    assert not leave.is_visible()
    page.keyboard.press("Enter")
    assert leave.is_visible()
