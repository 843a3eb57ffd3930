"""Whoever signs out leaves nothing behind: what other tabs show goes, and the way back shows nothing."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page
from tests import joined
from tests.browser.conftest import Someone
from tests.scanner import until

from parcelward.people import actions as people
from parcelward.people.models import SignedIn
from parcelward.people.wire import Role

pytestmark = [pytest.mark.browser, pytest.mark.asvs("14.3.1")]
SIGN_IN = "/accounts/sign-in"
STORED = "() => JSON.stringify([{...localStorage}, {...sessionStorage}])"
NO_STORAGE = "[{},{}]"


@pytest.fixture
def two(opened: Any, enter: Any, live_url: str) -> tuple[Page, Page, Someone]:
    """Two tabs of one browser, and who is signed in there: the account, which has a form, and the list of roles."""
    someone = enter(Role.CLERK)
    first = opened(1280, 800, storage_state=someone.cookies)
    second = first.context.new_page()
    first.goto(f"{live_url}/app/roles")
    second.goto(f"{live_url}/app/account")
    assert someone.person.name in second.content()
    return first, second, someone


def sign_out(page: Page) -> None:
    page.locator("header").get_by_role("button", name="Sign out").click()
    page.wait_for_url(lambda url: "/app/" not in url)


def is_empty_of(page: Page, someone: Someone, live_url: str) -> None:
    page.wait_for_url(live_url + SIGN_IN)
    assert someone.person.name not in page.content()
    assert page.evaluate(STORED) == NO_STORAGE


def seen_again(page: Page) -> None:
    """Let the page believe that its tab was chosen."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def end(someone: Someone) -> None:
    """End every session of somebody, as from another device."""

    def act() -> None:
        for row in SignedIn.objects.filter(user=someone.person.id, ended_at=None):
            people.end_session(row.id, by=someone.person)

    joined.apart(act)


def test_another_tab_forgets_when_one_signs_out(two: Any, live_url: str) -> None:
    first, second, someone = two
    sign_out(first)
    assert first.url == f"{live_url}/"
    is_empty_of(second, someone, live_url)


def test_the_way_back_shows_nothing(two: Any, live_url: str) -> None:
    first, second, someone = two
    first.goto(f"{live_url}/app/account")
    sign_out(first)
    first.go_back()
    is_empty_of_account(first, someone)
    is_empty_of(second, someone, live_url)
    second.go_back()
    is_empty_of_account(second, someone)


def is_empty_of_account(page: Page, someone: Someone) -> None:
    page.wait_for_load_state()
    assert "/app/account" not in page.url.partition("?")[0]
    assert someone.person.name not in page.content()


def test_a_page_that_the_browser_kept_whole_asks_before_it_shows(two: Any, live_url: str) -> None:
    _first, second, someone = two
    leave = "dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))"
    back = "dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))"
    seen = "getComputedStyle(document.documentElement).visibility"
    assert second.evaluate(f"{leave}; {seen}") == "hidden"
    second.evaluate(back)
    until(lambda: second.evaluate(seen) == "visible")
    end(someone)
    assert second.evaluate(f"{leave}; {seen}") == "hidden"
    assert second.evaluate(f"{back}; {seen}") == "hidden"
    is_empty_of(second, someone, live_url)


def test_signing_out_there_is_noticed_within_a_minute_or_when_the_tab_is_chosen(
    opened: Any, enter: Any, live_url: str
) -> None:
    someone = enter(Role.CLERK)
    first = opened(1280, 800, storage_state=someone.cookies)
    second = first.context.new_page()
    for page in (first, second):
        page.clock.install()
        page.goto(f"{live_url}/app/account")
    end(someone)
    first.clock.fast_forward("00:30")  # the clock goes on by itself, too: not near the minute
    assert someone.person.name in first.content()
    first.clock.fast_forward("00:31")
    is_empty_of(first, someone, live_url)
    second.clock.fast_forward("00:06")
    seen_again(second)
    is_empty_of(second, someone, live_url)


def test_a_hidden_tab_forgets_when_its_time_is_up_and_asks_no_earlier(opened: Any, enter: Any, live_url: str) -> None:
    someone = enter(Role.CLERK)
    page = opened(1280, 800, storage_state=someone.cookies)
    page.add_init_script("Object.defineProperty(document, 'hidden', { get: () => true })")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/session") else None)
    page.clock.install()
    page.goto(f"{live_url}/app/account")
    page.clock.fast_forward("29:50")
    assert asked == []
    with page.expect_response("**/accounts/session") as answered:
        page.clock.fast_forward("00:20")  # another tab was used meanwhile: it asks, and goes on
    answered.value.finished()  # before what it is told next time is changed
    page.wait_for_function("document.title !== ''")
    assert len(asked) == 1
    assert someone.person.name in page.content()
    long_ago = timezone.now() - dt.timedelta(minutes=31)
    joined.apart(lambda: SignedIn.objects.filter(user=someone.person.id).update(seen_at=long_ago))
    page.clock.fast_forward("31:00")
    is_empty_of(page, someone, live_url)
    assert len(asked) == 2


def test_without_a_network_a_page_forgets_when_its_time_is_up(chromium: Browser, enter: Any, live_url: str) -> None:
    someone = enter(Role.CLERK)
    context = chromium.new_context(storage_state=someone.cookies)  # whose console says that nobody answers
    page = context.new_page()
    page.clock.install()
    page.goto(f"{live_url}/app/account")
    page.route("**/accounts/session", lambda route: route.abort())
    page.clock.fast_forward("10:00")
    assert someone.person.name in page.content(), "what is not known changes nothing before the time is up"
    end(someone)
    page.clock.fast_forward("21:00")
    is_empty_of(page, someone, live_url)
    context.close()


def test_what_is_half_typed_stays_while_somebody_is_signed_in(opened: Any, enter: Any, live_url: str) -> None:
    someone = enter(Role.CLERK)
    first = opened(1280, 800, storage_state=someone.cookies)
    second = first.context.new_page()
    second.clock.install()
    second.goto(f"{live_url}/app/roles")
    second.evaluate("document.querySelector('main').append(document.createElement('input'))")
    second.locator("main input").last.fill("half a sentence")
    with second.expect_response("**/accounts/session") as answered:
        first.goto(f"{live_url}/app/account")
        first.evaluate("new BroadcastChannel('session').postMessage('')")  # what a stranger's link could do at most
    answered.value.finished()  # while it asks, it asks no second time
    second.clock.fast_forward("00:06")
    with second.expect_response("**/accounts/session") as answered:
        seen_again(second)
    answered.value.finished()
    with second.expect_response("**/accounts/session"):
        second.clock.fast_forward("01:00")
    assert second.locator("main input").last.input_value() == "half a sentence"
    assert second.url == f"{live_url}/app/roles"


def test_a_page_of_who_was_here_before_goes_when_somebody_else_signs_in(
    two: Any, opened: Any, enter: Any, live_url: str
) -> None:
    first, second, someone = two
    other = enter(Role.CLERK)
    first.context.clear_cookies()
    first.context.add_cookies(
        [
            {key: cookie[key] for key in ("name", "value", "domain", "path") if key in cookie}
            for cookie in other.cookies["cookies"]
        ]
    )
    first.goto(f"{live_url}/app/account")
    second.wait_for_url(lambda url: "/app/account" not in url)
    second.wait_for_load_state()
    assert someone.person.name not in second.content()
    assert other.person.name in first.content()


def test_asking_does_not_prolong_and_tells_strangers_nothing(two: Any, live_url: str) -> None:
    first, _second, someone = two
    answer = first.request.get(f"{live_url}/accounts/session")
    said = answer.json()
    assert "no-store" in answer.headers["cache-control"]
    assert 1700 < said["left_s"] <= 1800
    seen_at = timezone.now() - dt.timedelta(minutes=20)
    rows = SignedIn.objects.filter(user=someone.person.id)
    joined.apart(lambda: rows.update(seen_at=seen_at))
    assert 0 < first.request.get(f"{live_url}/accounts/session").json()["left_s"] <= 600
    assert joined.apart(lambda: rows.get().seen_at) == seen_at
    first.context.clear_cookies()
    assert json.loads(first.request.get(f"{live_url}/accounts/session").text()) == {"session": None, "left_s": 0}
