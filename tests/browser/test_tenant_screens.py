"""Organisations, roles and what takes two people: every page in both widths and themes, usable by everybody."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from playwright.sync_api import Page
from tests.browser.conftest import World, hold_up, picture, storage, violations
from tests.joined import apart

pytestmark = pytest.mark.browser
WIDTHS = {1280: 800, 375: 812}
LIST = "/app/desk/two-people"


def _prepared(held: str, erased: str) -> dict[str, str]:
    """Make what the pages show, and return the addresses that name it."""
    from tests.people.staffing import member, operator, sender, somebody

    from parcelward.parcels import actions as parcels
    from parcelward.parcels import queries
    from parcelward.people import actions
    from parcelward.people.wire import Role

    anna = somebody(Role.ADMINISTRATOR)
    user, membership = member(Role.CLERK)
    item = queries.find(held)
    assert item is not None
    request = actions.ask_for_role(membership.id, Role.SORTER, "moves to the sorting hall", by=anna)
    lost = actions.ask_to_re_enrol(member(Role.COURIER)[0].login, "passport", by=anna)
    actions.invite(operator(), Role.INSPECTOR, by=anna)
    other = queries.find(erased)
    assert other is not None
    parcels.request_erasure(other, "asked by the sender", by=anna)
    shop = sender("Stamps and Albums")
    member(Role.SENDER_ADMIN, shop, owner=True)
    seller = member(Role.SENDER_MEMBER, shop)[1]
    invited = actions.invite(shop, Role.SENDER_MEMBER, by=actions.installer())[0]
    today = dt.datetime.now(dt.UTC).date()
    noted = actions.certify(
        user.id, "dangerous_goods", valid_from=today, valid_until=today + dt.timedelta(days=365), by=anna
    )
    here = f"/app/organisation/members/{membership.id}"
    return {
        "roles": "/app/roles",
        "organisation": "/app/organisation",
        "organisations": "/app/organisations",
        "organisation-make": "/app/organisations/make",
        "organisation-sender": f"/app/organisations/{shop}",
        "organisation-suspend": f"/app/organisations/{shop}/suspend",
        "invite": f"/app/organisations/{operator()}/invite",
        "invitation-withdraw": f"/app/organisations/{shop}/invitations/{invited}/withdraw",
        "member": here,
        "member-end": f"{here}/end",
        "member-role": f"{here}/role",
        "member-certify": f"{here}/certificates",
        "member-revoke": f"{here}/certificates/{noted}/revoke",
        "member-hand-over": f"/app/organisation/members/{seller.id}/hand-over",
        "two-people": LIST,
        "two-people-agree": f"{LIST}/requests/{request}/agree",
        "two-people-refuse": f"{LIST}/requests/{lost}/refuse",
        "re-enrol": "/app/desk/re-enrol",
        "erase": f"/app/desk/items/{erased}/erase",
        "legal-hold": f"/app/desk/items/{erased}/legal-hold",
    }


@pytest.fixture(scope="module")
def addresses(world: World) -> dict[str, str]:
    return apart(lambda: _prepared(world.held, world.delivered))


@pytest.fixture
def boss(staff: Any) -> dict[str, Any]:
    """The cookies of an administrator who has just proven who they are."""
    browser = staff("administrator")
    browser.prove()
    return storage(browser)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_hold_up(
    opened: Any, boss: Any, live_url: str, addresses: dict[str, str], axe: str, width: int, scheme: str
) -> None:
    page = opened(width, WIDTHS[width], color_scheme=scheme, storage_state=boss)
    kept = {"organisation", "roles", "two-people", "member"}
    for name, address in addresses.items():
        hold_up(page, live_url + address, axe, width)
        assert page.url == live_url + address, name
        picture(page, f"{name}-{width}-{scheme}", kept=scheme == "light" and name in kept)


def test_what_each_role_may_do_fits_a_narrow_telephone_in_spanish(opened: Any, boss: Any, live_url: str) -> None:
    """The marks of certificates are long in Spanish, and wrap there."""
    page = opened(320, 640, storage_state=boss, locale="es-ES")
    page.goto(f"{live_url}/app/roles")
    assert page.evaluate("document.documentElement.lang") == "es"
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def _holds(page: Page, axe: str, width: int) -> None:
    assert violations(page, axe) == [], page.url
    assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{page.url} scrolls sideways"


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_forms_answer_holds_up(
    opened: Any, boss: Any, live_url: str, addresses: dict[str, str], axe: str, width: int, scheme: str
) -> None:
    page = opened(width, WIDTHS[width], color_scheme=scheme, storage_state=boss)
    for name in ("invite", "member-role", "member-certify", "organisation-make", "re-enrol", "erase"):
        page.goto(live_url + addresses[name])
        page.click("main form button[type=submit]")
        page.wait_for_selector(".govuk-error-summary")
        _holds(page, axe, width)
        picture(page, f"{name}-refused-{width}-{scheme}", kept=False)
    page.goto(live_url + addresses["invite"])
    page.get_by_label("Clerk").check()
    page.click("main form button[type=submit]")
    page.wait_for_selector(".pw-link")
    _holds(page, axe, width)
    assert page.locator("button[data-copy]").is_visible()
    picture(page, f"invited-{width}-{scheme}", kept=False)


def _invited() -> tuple[uuid.UUID, str]:
    from tests.people.staffing import operator, somebody

    from parcelward.people import actions
    from parcelward.people.wire import Role

    return actions.invite(operator(), Role.INSPECTOR, by=somebody(Role.ADMINISTRATOR))


@pytest.mark.parametrize("width", WIDTHS)
def test_the_second_code_is_shown_once_and_asked_for(
    opened: Any, boss: Any, live_url: str, axe: str, width: int
) -> None:
    invitation, code = apart(_invited)
    page = opened(width, WIDTHS[width], storage_state=boss)
    page.goto(f"{live_url}{LIST}/invitations/{invitation}/agree")
    page.click("main form button[type=submit]")
    page.wait_for_selector("#second")
    _holds(page, axe, width)
    assert page.locator("button[data-copy]").is_visible()
    second = page.locator("#second").inner_text()
    comes = opened(width, WIDTHS[width])
    comes.goto(f"{live_url}/accounts/join#code={code}")
    comes.get_by_label("Second code").fill("2222-2222")
    _holds(comes, axe, width)
    comes.keyboard.press("Enter")
    comes.wait_for_selector(".govuk-error-summary")
    assert "not right" in comes.locator(".govuk-error-summary").inner_text()
    _holds(comes, axe, width)
    comes.get_by_label("Second code").fill(second.lower())
    comes.keyboard.press("Enter")
    comes.wait_for_selector("[data-passkey]")
    _holds(comes, axe, width)


def test_it_works_without_javascript(opened: Any, boss: Any, live_url: str, addresses: dict[str, str]) -> None:
    page = opened(storage_state=boss, java_script_enabled=False)
    page.goto(live_url + addresses["organisation-make"])
    name = f"Shop {uuid.uuid4().hex[:6]}"
    page.get_by_label("Sender").check()
    page.get_by_label("Name").fill(name)
    page.click("main form button[type=submit]")
    assert page.locator("h1").inner_text() == name
    page.get_by_role("link", name="Suspend this organisation").click()
    page.click("main form button[type=submit]")
    assert "suspended" in page.locator("main").inner_text()
