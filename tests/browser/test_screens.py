"""Every screen in both widths, light and dark, in each language and from right to left: usable by everybody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.browser.conftest import World, hold_up, picture
from tests.browser.serving import serving
from tests.scanner import new_number

pytestmark = pytest.mark.browser

WIDTHS = {1280: 800, 375: 812}
UNKNOWN = new_number()  # well formed, and nobody has ever seen it
PUBLIC: dict[str, Callable[[World], str]] = {
    "home": lambda world: "/",
    "home-other-carrier": lambda world: "/?number=1Z5R89390357567127",
    "home-mistyped": lambda world: "/?number=RA473012346GB",
    "home-unknown": lambda world: f"/?number={UNKNOWN}",
    "track-delivered": lambda world: f"/track/{world.delivered}",
    "track-inside": lambda world: f"/track/{world.derived}",
    "track-held": lambda world: f"/track/{world.held}",
    "check-message": lambda world: "/check-message",
    "terms": lambda world: "/terms",
    "reference": lambda world: "/api/v1/docs",
    "sign-in": lambda world: "/accounts/sign-in",
    "not-found": lambda world: "/track/nothing",
    "proof": lambda world: f"/track/{world.derived}/proof",
}
STAFF: dict[str, Callable[[World], str]] = {
    "start": lambda world: "/app/",
    "desk": lambda world: "/app/desk/?queue=alerts",
    "desk-quarantine": lambda world: "/app/desk/?queue=quarantine",
    "desk-item": lambda world: f"/app/desk/?item={world.derived}",
    "desk-not-found": lambda world: f"/app/desk/?item={UNKNOWN}",
    "hold": lambda world: f"/app/desk/items/{world.derived}/hold",
}

PICTURED_DARK = ("home", "track-inside", "proof", "desk", "desk-item")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_public_screens_hold_up(opened: Any, live_url: str, world: World, axe: str, width: int, scheme: str) -> None:
    page = opened(width, WIDTHS[width], color_scheme=scheme)
    for name, address in PUBLIC.items():
        hold_up(page, live_url + address(world), axe, width)
        picture(page, f"{name}-{width}-{scheme}", kept=scheme == "light" or name in PICTURED_DARK)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_staff_screens_hold_up(
    opened: Any, signed_in: Any, live_url: str, world: World, axe: str, width: int, scheme: str
) -> None:
    page = opened(width, WIDTHS[width], color_scheme=scheme, storage_state=signed_in)
    for name, address in STAFF.items():
        hold_up(page, live_url + address(world), axe, width)
        picture(page, f"{name}-{width}-{scheme}", kept=scheme == "light" or name in PICTURED_DARK)


@pytest.mark.parametrize("width", WIDTHS)
def test_spanish_screens_hold_up(
    opened: Any, signed_in: Any, live_url: str, world: World, axe: str, width: int
) -> None:
    page = opened(width, WIDTHS[width], storage_state=signed_in, locale="es-MX")
    for name, address in {**PUBLIC, **STAFF}.items():
        hold_up(page, live_url + address(world), axe, width)
        assert page.get_attribute("html", "lang") == "es"
        picture(page, f"{name}-{width}-es", kept=name in {"track-inside", "desk-item"})


@pytest.fixture(scope="module")
def mirrored_url(installation: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The same screens over the same data in a made-up right-to-left language, a third longer than English."""
    pytest.importorskip("babel", reason="Babel makes the made-up language")
    from django.core.wsgi import get_wsgi_application
    from django.test import override_settings
    from scripts import pseudo_messages

    folder: Path = tmp_path_factory.mktemp("pseudo")
    pseudo_messages.main(folder)
    changed = override_settings(LANGUAGES=[("en", "English"), ("ar-xb", "Pseudo")], LOCALE_PATHS=[folder])
    with changed, serving(get_wsgi_application()) as url:
        yield url


@pytest.mark.parametrize("width", WIDTHS)
def test_screens_hold_up_from_right_to_left(
    opened: Any, signed_in: Any, mirrored_url: str, world: World, axe: str, width: int
) -> None:
    page = opened(width, WIDTHS[width], storage_state=signed_in, locale="ar-XB")
    for name, address in {**PUBLIC, **STAFF}.items():
        hold_up(page, mirrored_url + address(world), axe, width)
        assert page.get_attribute("html", "dir") == "rtl"
        assert "[" in page.inner_text("h1"), f"{name}: a heading that was not marked for translation"
        picture(page, f"{name}-{width}-rtl", kept=name == "track-inside")


def test_nothing_important_of_the_desk_lies_below_the_fold(
    opened: Any, signed_in: Any, live_url: str, world: World
) -> None:
    page = opened(1280, 800, storage_state=signed_in)
    page.goto(f"{live_url}/app/desk/?item={world.derived}")
    assert page.evaluate("document.documentElement.scrollHeight") <= 800
    for part in ("#figures", ".pw-queues", ".pw-list", "#story h2", "#search"):
        box = page.locator(part).first.bounding_box()
        assert box is not None
        assert box["y"] + min(box["height"], 40) <= 800, part
    rows = page.eval_on_selector_all(".pw-queues [data-row]", "all => all.map(row => row.offsetHeight)")
    assert rows
    assert max(rows) <= 32


def test_targets_on_public_pages_are_large_enough_for_a_thumb(opened: Any, live_url: str, world: World) -> None:
    page = opened(375)
    for name in ("home", "home-other-carrier", "track-inside", "sign-in", "check-message", "proof", "reference"):
        page.goto(live_url + PUBLIC[name](world))
        if name == "proof":
            page.wait_for_selector('#proof[data-state="done"]')
        small = page.eval_on_selector_all(
            "button, input:not([type=hidden]), a:not(.govuk-skip-link), summary",
            "all => all.filter(e => e.offsetParent && e.offsetHeight < 44).map(e => e.outerHTML.slice(0, 80))",
        )
        assert small == [], name


def test_on_paper_a_page_is_dark_on_white_and_has_nothing_to_press(opened: Any, live_url: str, world: World) -> None:
    page = opened(1280, 800, color_scheme="dark")
    page.goto(f"{live_url}/track/{world.derived}/proof")
    page.wait_for_selector('#proof[data-state="done"]')
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator("button:visible").count() == 0


@pytest.mark.parametrize(
    ("name", "kilobytes"), [("home", 40), ("track-inside", 60), ("check-message", 40), ("desk", 100)]
)
def test_pages_are_light(opened: Any, signed_in: Any, live_url: str, world: World, name: str, kilobytes: int) -> None:
    """Everything over the wire but the map, which is fetched only when it comes into view."""
    page = opened(375, storage_state=signed_in)
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    urls: dict[str, str] = {}
    received: dict[str, int] = {}
    session.on("Network.responseReceived", lambda e: urls.update({e["requestId"]: e["response"]["url"]}))
    session.on("Network.loadingFinished", lambda e: received.update({e["requestId"]: int(e["encodedDataLength"])}))
    page.goto(live_url + {**PUBLIC, **STAFF}[name](world))
    page.wait_for_load_state("networkidle")
    maps = ("/static/map/", "maplibre", "base-map")
    total = sum(size for request, size in received.items() if not any(part in urls.get(request, "") for part in maps))
    hosts = {url.split("/")[2] for url in urls.values() if url.startswith("http")}
    assert total < kilobytes * 1000, f"{name}: {total} bytes"
    assert hosts == {live_url.split("/")[2]}, "no page asks another host for anything"
