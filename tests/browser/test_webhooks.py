"""Webhooks on a telephone and a screen: add, copy the secret once, run the program shown, test, see, send again."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.browser.conftest import picture, storage, violations
from tests.joined import apart
from tests.scanner import Scanner, event, new_number
from tests.shipping.hooked import receiver, watch

from parcelward.parcels import queries as parcels
from parcelward.people import queries as people
from parcelward.people.models import Membership, User
from parcelward.people.wire import Person
from parcelward.shipping.models import WebhookDelivery

pytestmark = pytest.mark.browser
WIDTHS = {1280: 800, 375: 812}


@pytest.fixture(scope="module")
def shop(staff: Any) -> Any:
    return staff("sender_admin")


def person(shop: Any) -> Person:
    user = User.objects.get(id=shop.user_id)
    user.acting = Membership.objects.get(user=user, ended_at=None).id
    return people.person_of(user)


def holds(page: Page, axe: str, width: int, name: str, scheme: str) -> None:
    """Assert what must be true of every screen, and take its picture."""
    assert violations(page, axe) == [], page.url
    assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{page.url} scrolls sideways"
    assert page.locator("h1").count() == 1, page.url
    picture(page, f"webhooks-{name}-{width}-{scheme}", kept=scheme == "light" and name == "told")


def until(page: Page, words: str) -> None:
    """Load the page again until it says something."""
    deadline = time.monotonic() + 30
    while words not in page.locator("main").inner_text():
        assert time.monotonic() < deadline, page.locator("main").inner_text()
        time.sleep(0.3)
        page.reload()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_add_an_address_test_it_and_send_again_what_was_given_up(
    opened: Any, shop: Any, scanner: Scanner, live_url: str, axe: str, width: int, scheme: str
) -> None:
    shop.prove()
    page = opened(width, WIDTHS[width], color_scheme=scheme, storage_state=storage(shop))
    page.goto(f"{live_url}/app/webhooks")
    holds(page, axe, width, "none" if "none yet" in page.content() else "list", scheme)
    with receiver() as there:
        page.click("text=Add an address")
        page.fill("#url", "https://10.0.0.1/hooks")
        page.click("button:has-text('Add it')")
        expect(page.get_by_role("alert")).to_contain_text("not on the public internet")
        expect(page.locator("#url")).to_have_value("https://10.0.0.1/hooks")
        holds(page, axe, width, "wrong", scheme)
        page.fill("#url", there.url)
        page.fill("#name", f"Checkout {width} {scheme}")
        page.click("button:has-text('Add it')")
        expect(page.locator("#secret")).to_contain_text("whsec_")
        holds(page, axe, width, "secret", scheme)
        page.click("text=I have copied it")
        holds(page, axe, width, "empty", scheme)
        page.click("button:has-text('Send a test')")
        until(page, "answered 204")
        there.answers = lambda _: (500, {})
        number = new_number()
        scanner.send(event(number, "accepted"))
        apart(lambda: watch(number, person(shop)))
        scanner.send(event(number, "out_for_delivery", minutes=1))
        until(page, "answered 500")
        expect(page.locator(".pw-lines li").first).to_contain_text(number)
        expect(page.locator("main")).to_contain_text("the last message did not arrive")
        holds(page, axe, width, "told", scheme)
        page.click(f"a:has-text('{number}')")
        expect(page.locator("main")).to_contain_text("answered 500")
        holds(page, axe, width, "one", scheme)
        there.answers = lambda _: (204, {})
        page.click("button:has-text('Send again')")
        until(page, "answered 204")
        page.click("text=What it was told")
        apart(lambda: _give_up(number))
        page.click("a:has-text('Given up')")
        expect(page.locator(".pw-lines li")).to_have_count(1)
        page.click("button:has-text('Send them again')")
        expect(page.get_by_role("status").first).to_contain_text("1 are sent again")
        _a_new_secret_a_pause_and_the_end(page, axe, width, scheme)


def _a_new_secret_a_pause_and_the_end(page: Page, axe: str, width: int, scheme: str) -> None:
    page.click("text=New one")
    holds(page, axe, width, "rotate", scheme)
    page.click("button:has-text('Make it')")
    expect(page.locator("main")).to_contain_text("two signatures")
    page.click("text=I have copied it")
    page.click("button:has-text('Pause it')")
    expect(page.locator("main")).to_contain_text("Paused by your organisation")
    page.click("text=Remove it")
    holds(page, axe, width, "remove", scheme)
    page.click("button:has-text('Remove it')")
    expect(page.locator("main")).to_contain_text("It is removed.")


def _give_up(number: str) -> None:
    from django.utils import timezone

    mine = WebhookDelivery.objects.filter(message__item=parcels.find(number))
    mine.update(state="parked", try_at=None, ended_at=timezone.now())


def test_the_program_on_the_page_says_what_is_from_us(opened: Any, shop: Any, live_url: str, tmp_path: Path) -> None:
    """Copied as it stands, but for the port, and started: our message is believed, a forged one is not."""
    import httpx

    shop.prove()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    page = opened(1280, 800, storage_state=storage(shop))
    page.goto(f"{live_url}/app/webhooks/new")
    page.fill("#url", f"http://127.0.0.1:{port}/")
    page.click("button:has-text('Add it')")
    program = tmp_path / "receive.py"
    program.write_text(page.locator("#example").inner_text().replace("8080", str(port)))
    running = subprocess.Popen([sys.executable, str(program)], stdout=subprocess.PIPE, text=True)
    said: list[str] = []
    assert running.stdout is not None
    lines = running.stdout
    reads = threading.Thread(target=lambda: said.extend(iter(lines.readline, "")), daemon=True)
    reads.start()
    try:
        page.click("text=I have copied it")
        _listens(port)
        page.click("button:has-text('Send a test')")
        until(page, "answered 204")
        forged = {"webhook-id": "msg_1", "webhook-timestamp": str(int(time.time())), "webhook-signature": "v1,AAAA"}
        assert httpx.post(f"http://127.0.0.1:{port}/", content=b"{}", headers=forged, timeout=10).status_code == 400
    finally:
        running.terminate()
        running.wait(10)
        reads.join(10)
        lines.close()
    assert [line.split(":")[0] for line in said if "from us" in line] == ["from us", "NOT from us"]


def _listens(port: int) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        else:
            return


def test_it_works_without_scripts(opened: Any, shop: Any, live_url: str) -> None:
    shop.prove()
    with receiver() as there:
        page = opened(1280, 800, storage_state=storage(shop), java_script_enabled=False)
        page.goto(f"{live_url}/app/webhooks/new")
        page.fill("#url", there.url)
        page.click("button:has-text('Add it')")
        expect(page.locator("#secret")).to_contain_text("whsec_")
        page.click("text=I have copied it")
        page.click("button:has-text('Send a test')")
        until(page, "answered 204")
        assert there.wait(1)
