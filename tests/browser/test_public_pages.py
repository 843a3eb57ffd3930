"""What people do on the public pages: by keyboard, without JavaScript, and while the parcel moves."""

from __future__ import annotations

import json
import re
import time
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from tests.browser.conftest import World, focused
from tests.scanner import event, new_number, new_receptacle, until

pytestmark = pytest.mark.browser


def test_a_parcel_is_found_and_its_proof_reached_by_keyboard_alone(opened: Any, live_url: str, world: World) -> None:
    page = opened(1280, 800)
    page.goto(live_url)
    page.keyboard.press("Tab")
    focused(page, ".govuk-skip-link")
    page.keyboard.press("Enter")
    focused(page, "#main")
    page.keyboard.press("Tab")
    focused(page, "#number")
    page.keyboard.type(f" {world.delivered[:5].lower()} {world.delivered[5:]} ")
    page.keyboard.press("Enter")
    page.wait_for_url("**/track/*")
    assert page.inner_text("h1") == "Delivered"
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "proof-link":
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/proof")


def test_a_mistyped_number_is_kept_and_the_error_stands_beside_it(opened: Any, live_url: str) -> None:
    page = opened()
    page.goto(live_url)
    page.fill("#number", "RA 4730 1234 6 GB")
    page.keyboard.press("Enter")
    page.wait_for_selector("#number-error")
    assert page.input_value("#number") == "RA 4730 1234 6 GB"
    assert "check digit" in page.inner_text("#number-error")
    focused(page, ".govuk-error-summary")
    page.click(".govuk-error-summary a")
    focused(page, "#number")


def test_another_carriers_number_is_recognised_as_theirs(opened: Any, live_url: str) -> None:
    page = opened()
    page.goto(f"{live_url}/?number=1Z5R89390357567127")
    assert "UPS" in page.inner_text("main")
    link = page.get_attribute("main a[rel~=external]", "href")
    assert link is not None
    assert "1Z5R89390357567127" in link


def test_a_number_of_our_own_country_is_not_called_another_carriers(live_url: str) -> None:
    ours = httpx.get(f"{live_url}/", params={"number": new_number()}, timeout=30)  # well formed, of the US, as we are
    assert ours.status_code == 404
    assert "another carrier" not in ours.text
    abroad = httpx.get(f"{live_url}/", params={"number": "RA473012345GB"}, timeout=30)
    assert "Royal Mail" in abroad.text


def test_the_journey_is_whole_without_javascript(opened: Any, live_url: str, world: World) -> None:
    page = opened(java_script_enabled=False)
    page.goto(f"{live_url}/track/{world.derived}")
    assert page.locator(".pw-entry").count() >= 4
    text = page.inner_text("main")
    assert "Recorded by mistake" in text
    assert "this parcel was not scanned singly" in text
    assert "Springfield, IL" in page.inner_text(".pw-spots")
    assert not page.is_visible("#map")
    assert not page.is_visible("#copy")
    page.goto(live_url)
    page.fill("#number", world.delivered)
    page.click("main button")
    page.wait_for_url("**/track/*")
    assert page.inner_text("h1") == "Delivered"


def test_an_open_page_follows_the_parcel_and_says_only_what_changed(opened: Any, live_url: str, world: World) -> None:
    number = new_number()
    world.scanner.send(event(number, "accepted"))
    page = opened()
    page.goto(f"{live_url}/track/{number}")
    page.wait_for_function("() => typeof htmx === 'object'")
    look = "document.getElementById('journey').dispatchEvent(new Event('look'))"

    def looked(status: int) -> None:
        with page.expect_response(lambda answer: "/track/itm_" in answer.url and answer.status == status):
            page.evaluate(look)

    until(lambda: page.goto(page.url) and "History proven" in page.inner_text("#proof-link"))
    page.wait_for_function("() => typeof htmx === 'object'")
    page.evaluate(
        "() => { window.said = [];"
        " new MutationObserver(() => said.push(announce.textContent)).observe(announce, { childList: true }); }"
    )
    looked(304)
    world.scanner.send(event(number, "out_for_delivery", minutes=30))
    looked(200)
    page.wait_for_function("() => said.length")  # the new part settles, and is announced, a moment after it is shown
    assert page.inner_text("h1") == "Out for delivery today"
    assert "Out for delivery" in page.title()

    def proven() -> bool:
        page.evaluate(look)
        return "History proven" in page.inner_text("#proof-link") and page.locator(".pw-entry__note").count() == 0

    until(proven)  # that the entry is in the log now is shown, and is not said as if something had happened again
    page.wait_for_function("() => !document.querySelector('.htmx-settling, .htmx-request')")
    assert page.evaluate("said") == ["Something changed: Out for delivery today, Springfield, IL"]


def test_a_page_that_updates_itself_takes_neither_the_focus_nor_what_was_unfolded(
    opened: Any, live_url: str, world: World
) -> None:
    page = opened()
    page.goto(f"{live_url}/track/{world.derived}")
    page.locator(".pw-inner summary").focus()
    page.keyboard.press("Enter")
    focusable = "#journey :is(a, button, summary):not(#map *)"
    unnamed = page.eval_on_selector_all(focusable, "all => all.filter(e => !e.id).map(e => e.outerHTML)")
    assert unnamed == [], "without an id the focus is lost when the part is swapped"
    page.evaluate("document.getElementById('announce').dataset.etag = ''; etag = ''")
    page.evaluate("document.getElementById('journey').toBeReplaced = true")
    page.evaluate("document.getElementById('journey').dispatchEvent(new Event('look'))")
    page.wait_for_function("() => !document.getElementById('journey').toBeReplaced")
    focused(page, ".pw-inner[open] summary")


def test_copying_gives_the_bare_number(opened: Any, live_url: str, world: World) -> None:
    page = opened(permissions=["clipboard-read", "clipboard-write"])
    page.goto(f"{live_url}/track/{world.delivered}")
    page.click("#copy")
    page.wait_for_function("() => document.getElementById('announce').textContent === 'Copied'")
    assert page.evaluate("navigator.clipboard.readText()") == world.delivered


@pytest.mark.asvs("14.2.3")
def test_the_map_draws_itself_from_our_own_files(opened: Any, live_url: str, world: World) -> None:
    page = opened(1280, 800)
    page.goto(f"{live_url}/track/{world.derived}")
    page.wait_for_selector("#map canvas")
    page.wait_for_selector(".pw-map__spot--newest")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.emulate_media(color_scheme="dark")  # repainted, names and all, from what is there
    page.wait_for_load_state("networkidle")
    assert [url for url in asked if "/track/" not in url] == []  # the page itself looks every 15 s


APART = """async (spots) => {
  const old = document.getElementById("map"), box = old.cloneNode(false);
  old.replaceWith(box);
  const { draw } = await import(box.dataset.module);
  await draw(box, spots);
  const [first, last] = [...box.querySelectorAll(".pw-map__spot")].map((spot) => spot.getBoundingClientRect());
  return [Math.hypot(first.x - last.x, first.y - last.y), box.getBoundingClientRect().width];
}"""


def test_a_journey_inside_one_city_is_fitted_and_never_closer_than_a_city(
    opened: Any, live_url: str, world: World
) -> None:
    page = opened(1280, 800)
    page.goto(f"{live_url}/track/{world.derived}")
    page.wait_for_selector("#map canvas")
    inside, _width = page.evaluate(APART, [["North", -1.55, 53.80, False], ["South", -1.43, 53.86, True]])
    assert inside > 40  # two spots of 16 pixels that can be told apart; at the zoom of a country they are one
    near, width = page.evaluate(APART, [["North", -1.55, 53.80, False], ["Beside", -1.54, 53.80, True]])
    assert near < width / 20  # a kilometre does not fill the map


def test_what_lies_beside_the_journey_of_a_delivered_parcel_is_doubted(
    opened: Any, live_url: str, world: World
) -> None:
    page = opened()
    page.goto(f"{live_url}/track/{world.delivered}")
    assert "Scanned after the delivery" in page.inner_text(".pw-entry >> nth=0")
    assert page.get_attribute(".pw-stage >> nth=4", "aria-current") == "step"


def test_a_container_is_called_one_and_told_in_the_desks_words(opened: Any, live_url: str, world: World) -> None:
    cage = new_receptacle()
    world.scanner.send(event(None, "left_sorting", receptacle_id=cage))
    page = opened()
    page.goto(f"{live_url}/track/{cage}")
    said = page.inner_text("#journey").lower()
    assert "container" in said
    assert "parcel" not in said
    assert page.inner_text("#headline") in page.title()


def test_a_program_that_asks_too_often_is_told_so_in_its_own_form(live_url: str) -> None:
    with httpx.Client(timeout=30) as client:  # one connection, so one process: its tokens go faster than they come
        for _ in range(400):
            answer = client.get(f"{live_url}/track/nothing", params={"format": "json"})
            if answer.status_code == 429:
                break
    assert answer.status_code == 429
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert int(answer.headers["retry-after"]) >= 1
    time.sleep(12)  # the tests after this one need the tokens that this one took


def test_unknown_malformed_and_forbidden_look_alike(live_url: str) -> None:
    def shown(name: str) -> tuple[int, str]:
        answer = httpx.get(f"{live_url}/track/{name}", timeout=30)
        without_ids = re.sub(r"req_[0-9a-f]+|nonce=\"[^\"]+\"|next=[^\"]+", "", answer.text)
        return answer.status_code, without_ids

    unknown = new_number()  # well formed, and nobody has ever seen it
    assert shown(unknown) == shown("itm_" + "0" * 32) == shown("nonsense")
    assert shown(unknown)[0] == 404


def test_the_json_says_the_same_as_the_page(live_url: str, world: World) -> None:
    answer = httpx.get(f"{live_url}/track/{world.derived}", params={"format": "json"}, timeout=30)
    assert answer.headers["content-type"].startswith("application/ld+json")
    page = httpx.get(f"{live_url}/track/{world.derived}", timeout=30).text
    embedded = re.search(r'<script type="application/ld\+json" nonce="[^"]+">(.*?)</script>', page, re.DOTALL)
    assert embedded
    told = answer.json()
    assert json.loads(embedded[1]) == told
    assert told["trackingNumber"] == world.derived
    assert {"observed", "derived"} <= {entry["source"] for entry in told["deliveryStatus"]}
    assert any(entry["corrected"] for entry in told["deliveryStatus"])
    for address in told["@context"][1].values():
        page, _, term = address.partition("#")
        said = httpx.get(live_url + urlsplit(page).path, timeout=30)
        assert (said.status_code, f'id="{term}"' in said.text) == (200, True), address
    missing = httpx.get(f"{live_url}/track/RR000000995US", params={"format": "json"}, timeout=30)
    assert missing.status_code == 404
    assert missing.headers["content-type"].startswith("application/problem+json")


@pytest.mark.asvs("1.2.2", "3.7.2")
def test_a_language_is_remembered_and_leads_back_only_to_us(live_url: str) -> None:
    with httpx.Client(base_url=live_url, timeout=30) as reader:
        answer = reader.get("/language/es", params={"next": "/check-message"})
        assert answer.headers["location"] == "/check-message"
        assert "¿Es realmente nuestro" in reader.get("/check-message").text
        for elsewhere in ("https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example"):
            assert reader.get("/language/en", params={"next": elsewhere}).headers["location"] == "/"
        assert "set-cookie" not in reader.get("/language/xx").headers


@pytest.mark.asvs("3.5.1")
def test_a_form_without_its_token_is_refused_with_words(live_url: str) -> None:
    answer = httpx.post(f"{live_url}/accounts/sign-in/passkey", data={"credential": "a"}, timeout=30)
    assert answer.status_code == 403
    assert "open for too long" in answer.text
    assert "req_" in answer.text


def test_the_page_of_the_api_names_every_operation_and_every_shape_without_a_script(opened: Any, live_url: str) -> None:
    page = opened(1280, 800, java_script_enabled=False)
    page.goto(f"{live_url}/api/v1/docs")
    described = httpx.get(f"{live_url}/api/v1/openapi.json", timeout=30).json()
    calls = {f"{method.upper()} {path}" for path, methods in described["paths"].items() for method in methods}
    assert set(page.locator(".pw-operations code").all_inner_texts()) == calls
    shapes = set(page.locator("[id^=shape-] h3").all_inner_texts())
    assert shapes == set(described["components"]["schemas"])
    addresses = page.eval_on_selector_all("main a[href^='#']", "links => links.map(link => link.hash.slice(1))")
    assert [each for each in set(addresses) if not page.locator(f"[id='{each}']").count()] == []
    assert "list of ScanIn, at least 1, at most 2000" in page.inner_text("[id='post-api-v1-scans']")


def test_a_place_with_a_very_long_name_does_not_push_the_page_aside(
    opened: Any, installation: Any, live_url: str, world: World
) -> None:
    place = {"name": "W" * 80, "kind": "office", "country": "US", "time_zone": "America/Chicago"}
    httpx.put(
        f"{installation.url}/api/v1/facilities/LONG-NAME",
        json=place | {"coarse_place": "W" * 80, "position": [-89.6, 39.8]},
        headers=installation.headers,
        timeout=30,
    ).raise_for_status()
    number = new_number()
    world.scanner.send(event(number, "accepted", facility="LONG-NAME"))
    page = opened()
    page.goto(f"{live_url}/track/{number}")
    assert "W" * 80 in page.inner_text("main")
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
