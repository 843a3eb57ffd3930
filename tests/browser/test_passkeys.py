"""Real Chromium with a passkey of its own: join, sign in, add, rename, remove; refused and given up in words."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page
from tests.browser.conftest import focused, picture, violations

pytestmark = pytest.mark.browser

WIDTHS = {1280: 800, 375: 812}


class Device:
    """Chromium's virtual authenticator, as a fingerprint reader in the machine or a security key beside it."""

    def __init__(self, page: Page, *, transport: str = "internal") -> None:
        self.session = page.context.new_cdp_session(page)
        self.session.send("WebAuthn.enable")
        self.options = {
            "protocol": "ctap2",
            "transport": transport,
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        self.id = self._add()

    def _add(self) -> str:
        made = self.session.send("WebAuthn.addVirtualAuthenticator", {"options": self.options})
        return str(made["authenticatorId"])

    def exchanged(self) -> None:
        """Put it away and take another one."""
        self.session.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": self.id})
        self.id = self._add()

    def verifies(self, whether: bool) -> None:
        said = {"authenticatorId": self.id, "isUserVerified": whether}
        self.session.send("WebAuthn.setUserVerified", said)

    def credentials(self) -> list[Any]:
        return list(self.session.send("WebAuthn.getCredentials", {"authenticatorId": self.id})["credentials"])


def joined(page: Page, url: str, name: str = "computer") -> Device:
    device = Device(page)
    page.goto(url)
    page.select_option("#name", name)
    page.click("text=Make the passkey and join")
    page.wait_for_url("**/app/")
    return device


def holds(page: Page, axe: str, width: int) -> None:
    assert violations(page, axe) == [], page.url
    assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{page.url} scrolls sideways"
    assert page.locator("h1").count() == 1, page.url


def sign_out(page: Page) -> None:
    menu = page.locator("header summary")
    if menu.is_visible():  # on a telephone
        menu.click()
    page.locator("header").get_by_role("button", name="Sign out").click()
    page.wait_for_load_state()


@pytest.mark.asvs("7.4.4")
def test_join_sign_out_sign_in_add_rename_remove(opened: Any, live_url: str, link: Callable[..., str]) -> None:
    page = opened(1280, 800)
    url = link()
    device = Device(page)
    page.goto(url)
    page.wait_for_selector("#name")
    assert page.url == f"{live_url}/accounts/join", "the code has left the address bar"
    page.go_back()
    assert "code" not in page.url, "and stands in no history"
    page.goto(url)
    page.select_option("#name", "computer")
    page.click("text=Make the passkey and join")
    page.wait_for_url("**/app/")
    assert [one["isResidentCredential"] for one in device.credentials()] == [True]
    sign_out(page)
    page.goto(f"{live_url}/accounts/sign-in?next=/app/account")
    page.click("text=Sign in with a passkey")
    page.wait_for_url(f"{live_url}/app/account")
    device.exchanged()
    page.click("text=Add a passkey")
    page.select_option("#name", "security_key")
    page.click("text=Make the passkey")
    page.wait_for_url("**/app/account")
    assert page.inner_text(".pw-said") == "The passkey was added."
    assert len(device.credentials()) == 1
    page.get_by_role("link", name="Change On a security key").click()
    page.select_option("#name", "phone")
    page.click("main button")
    page.wait_for_url("**/app/account")
    page.get_by_role("link", name="Remove On a computer").click()
    page.wait_for_url("**/remove")
    assert "On a computer" in page.inner_text("h1")
    page.click("text=Leave it as it is")
    assert "On a computer" in page.inner_text("main"), "a look is no deed"
    page.get_by_role("link", name="Remove On a computer").click()
    page.click("main button")
    page.wait_for_url("**/app/account")
    assert page.inner_text(".pw-said") == "The passkey was removed."
    listed = page.locator("section:has(#passkeys) .pw-lines").inner_text()
    assert "On a phone" in listed
    assert "On a computer" not in listed
    page.get_by_role("link", name="Remove On a phone").click()
    page.click("main button")
    page.wait_for_selector(".govuk-error-summary")
    assert "your last passkey" in page.inner_text(".govuk-error-summary"), "staff keep one"
    sign_out(page)
    page.goto(f"{live_url}/accounts/sign-in")
    page.click("text=Sign in with a passkey")
    page.wait_for_url("**/app/")


@pytest.mark.asvs("6.3.3")
def test_without_verification_it_says_what_to_do_and_then_works(
    opened: Any, live_url: str, link: Callable[..., str]
) -> None:
    page = opened(375)
    url = link()
    device = Device(page)
    device.verifies(False)
    page.goto(url)
    page.click("text=Make the passkey and join")
    page.wait_for_selector(".pw-passkey-problem:visible")
    assert page.inner_text(".pw-passkey-problem") == "No passkey was made. Try again."
    assert device.credentials() == []
    device.verifies(True)
    page.click("text=Make the passkey and join")
    page.wait_for_url("**/app/")
    sign_out(page)
    device.verifies(False)
    page.goto(f"{live_url}/accounts/sign-in")
    page.click("text=Sign in with a passkey")
    page.wait_for_selector(".pw-passkey-problem:visible")
    assert page.inner_text(".pw-passkey-problem") == "No passkey was used. Try again, or use another device."
    assert page.locator("main button[type=submit]").first.is_enabled(), "given up is not given away"
    device.verifies(True)
    page.click("text=Sign in with a passkey")
    page.wait_for_url("**/app/")


def test_an_answer_that_the_house_refuses_is_said_in_words(
    opened: Any, live_url: str, link: Callable[..., str]
) -> None:
    page = opened(375)
    joined(page, link())
    sign_out(page)
    page.goto(f"{live_url}/accounts/sign-in")
    page.evaluate("document.querySelector('[name=credential]').value = '{}'")
    page.click("text=Sign in with a passkey")
    page.wait_for_selector(".govuk-error-summary")
    assert "This passkey was not accepted. Try again" in page.inner_text(".govuk-error-summary")
    focused(page, ".govuk-error-summary")
    page.click("text=Sign in with a passkey")
    page.wait_for_url("**/app/")


def test_a_passkey_that_is_here_already_is_not_made_twice(opened: Any, live_url: str, link: Callable[..., str]) -> None:
    page = opened(1280, 800)
    device = joined(page, link())
    page.goto(f"{live_url}/app/account/passkeys/add")
    page.click("main button")
    page.wait_for_selector(".pw-passkey-problem:visible")
    assert "has a passkey of yours already" in page.inner_text(".pw-passkey-problem")
    assert len(device.credentials()) == 1


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_accounts_screens_hold_up(
    opened: Any, live_url: str, axe: str, link: Callable[..., str], width: int, scheme: str
) -> None:
    page = opened(width, WIDTHS[width], color_scheme=scheme)

    def seen(name: str) -> None:
        holds(page, axe, width)
        picture(page, f"{name}-{width}-{scheme}", kept=scheme == "light" and name in {"account", "join-offered"})

    page.goto(f"{live_url}/accounts/join")
    seen("join")
    page.goto(f"{live_url}/accounts/join#code=nothing")
    page.wait_for_selector(".govuk-error-summary")
    seen("join-closed")
    url = link()
    device = Device(page)
    device.verifies(False)
    page.goto(url)
    page.wait_for_selector("#name")
    seen("join-offered")
    page.click("text=Make the passkey and join")
    page.wait_for_selector(".pw-passkey-problem:visible")
    seen("join-given-up")
    device.verifies(True)
    page.click("text=Make the passkey and join")
    page.wait_for_url("**/app/")
    page.goto(f"{live_url}/accounts/join")
    seen("join-signed-in")
    page.goto(f"{live_url}/app/account")
    seen("account-new")
    page.goto(f"{live_url}/app/account/prove")
    seen("prove")
    page.goto(f"{live_url}/app/account/passkeys/add")
    seen("passkey-add")
    device.exchanged()
    page.select_option("#name", "security_key")
    page.click("main button")
    page.wait_for_url("**/app/account")
    seen("account")
    page.locator(".pw-lines__do a", has_text=re.compile("Change")).first.click()
    seen("passkey-rename")
    page.goto(f"{live_url}/app/account")
    page.locator(".pw-lines__do a", has_text=re.compile("Remove")).first.click()
    seen("passkey-remove")
    sign_out(page)
    device.verifies(False)
    page.goto(f"{live_url}/accounts/sign-in")
    page.click("text=What is a passkey?")
    page.click("text=Sign in with a passkey")
    page.wait_for_selector(".pw-passkey-problem:visible")
    seen("sign-in-given-up")
    page.evaluate("document.querySelector('[name=credential]').value = '{}'")
    page.click("text=Sign in with a passkey")
    page.wait_for_selector(".govuk-error-summary")
    seen("sign-in-refused")


def test_targets_are_large_enough_for_a_thumb(opened: Any, live_url: str, link: Callable[..., str]) -> None:
    page = opened(375)
    joined(page, link())
    for address in ("/app/account", "/app/account/prove", "/app/account/passkeys/add"):
        page.goto(live_url + address)
        small = page.eval_on_selector_all(
            "main button, main input:not([type=hidden]), main a, main summary",
            "all => all.filter(e => e.offsetParent && e.offsetHeight < 40).map(e => e.outerHTML.slice(0, 80))",
        )
        assert small == [], address
