"""What staff do at the desk: with hands on the keyboard, and nothing typed is ever lost."""

from __future__ import annotations

from typing import Any

import pytest
from tests.browser.conftest import World, focused, picture, storage, violations
from tests.scanner import event, new_number, new_receptacle, until

from parcelward.doors.portals.desk import ROWS_MAX
from parcelward.doors.portals.shown import grouped

pytestmark = pytest.mark.browser


def test_the_keys_lead_through_the_list_to_the_story(opened: Any, signed_in: Any, live_url: str, world: World) -> None:
    page = opened(1280, 800, storage_state=signed_in)
    until(lambda: page.goto(f"{live_url}/app/desk/") and page.locator(".pw-list [data-row]").count() > 0)
    page.keyboard.press("j")
    focused(page, "[id^=row-]")
    first = page.evaluate("document.activeElement.id")
    page.keyboard.press("Enter")
    page.wait_for_selector("#story .pw-case")
    page.wait_for_selector(f"#{first}[aria-current=true]")  # htmx sets a row's attributes when the swap has settled
    focused(page, f"#{first}")  # the focus stays where the hands were
    page.keyboard.press("?")
    page.wait_for_selector("#keys", state="visible")
    page.keyboard.press("Escape")
    page.wait_for_selector("#keys", state="hidden")
    page.keyboard.press("/")
    focused(page, "#search")
    page.keyboard.type("j k ?")
    assert page.input_value("#search") == "j k ?", "letters typed into a field are letters"


def test_n_and_p_turn_to_the_older_and_newer_part_of_a_long_list_and_stay_in_it(
    opened: Any, signed_in: Any, live_url: str, world: World
) -> None:
    world.scanner.send(*(event(new_number(), "accepted", facility="NOWHERE") for _ in range(ROWS_MAX + 5)))
    page = opened(1280, 800, storage_state=signed_in)
    page.goto(f"{live_url}/app/desk/?queue=quarantine")
    newest = page.eval_on_selector_all(".pw-list [data-row]", "rows => rows.map(row => row.id)")
    assert len(newest) == ROWS_MAX
    page.keyboard.press("p")  # there is nothing newer: nothing happens
    page.keyboard.press("n")
    page.wait_for_url("**from=*")
    focused(page, ".pw-list li:first-child [data-row]")
    older = page.eval_on_selector_all(".pw-list [data-row]", "rows => rows.map(row => row.id)")
    assert set(older).isdisjoint(newest)
    page.keyboard.press("j")
    focused(page, ".pw-list li:nth-child(2) [data-row]")
    page.keyboard.press("p")
    page.wait_for_selector(f"#{newest[0]}")
    focused(page, f"#{newest[0]}")
    assert page.eval_on_selector_all(".pw-list [data-row]", "rows => rows.map(row => row.id)") == newest
    page.keyboard.press("n")
    page.wait_for_selector(f"#{older[0]}")
    page.locator("[data-newer]").focus()
    page.keyboard.press("Enter")  # as somebody does who goes by Tab
    focused(page, f"#{newest[0]}")


def test_the_live_figures_do_not_take_the_focus(opened: Any, signed_in: Any, live_url: str, world: World) -> None:
    page = opened(1280, 800, storage_state=signed_in)
    page.goto(f"{live_url}/app/desk/")
    page.locator("#figures a").first.focus()
    page.evaluate("document.getElementById('figures').toBeReplaced = true")
    page.evaluate("htmx.ajax('GET', '/app/desk/', {source: '#figures', target: '#figures', swap: 'outerHTML'})")
    page.wait_for_function("() => !document.getElementById('figures').toBeReplaced")
    focused(page, "#figures a")


def test_what_opens_beside_the_list_is_said(opened: Any, signed_in: Any, live_url: str, world: World) -> None:
    page = opened(1280, 800, storage_state=signed_in)
    page.goto(f"{live_url}/app/desk/?queue=quarantine")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.getElementById('announce').textContent.startsWith('Story: ')")
    assert page.inner_text("#story h2") in page.inner_text("#announce")
    assert page.get_attribute("#announce", "role") == "status"


def test_any_number_leads_to_the_whole_story_with_its_proofs(
    opened: Any, signed_in: Any, live_url: str, world: World
) -> None:
    page = opened(1280, 800, storage_state=signed_in)
    page.goto(f"{live_url}/app/desk/")
    page.fill("#search", world.derived)
    page.keyboard.press("Enter")
    page.wait_for_selector(".pw-events")
    row = page.locator(".pw-events details").first
    row.locator("summary").click()
    facts = row.inner_text()
    assert "screens scanner" in facts
    assert "Commitment" in facts
    assert row.locator("a").first.get_attribute("href").startswith("/track/itm_")
    assert page.locator(".pw-struck").count() == 1


def test_an_item_is_held_and_released_with_a_reason(opened: Any, signed_in: Any, live_url: str, world: World) -> None:
    number = new_number()
    world.scanner.send(event(number, "accepted"))
    page = opened(1280, 800, storage_state=signed_in)
    page.goto(f"{live_url}/app/desk/?item={number}")
    page.click("text=Hold this item")
    page.click("main button")
    assert page.inner_text("#reason-error").startswith("Error:")
    page.fill("#reason", "weighs more than declared")
    page.click("main button")
    page.wait_for_url("**/app/desk/**")
    assert "is held" in page.inner_text(".pw-said")
    page.click("text=Release this item")
    page.fill("#reason", "weighed again")
    page.click("main button")
    page.wait_for_url("**/app/desk/**")
    assert "is released" in page.inner_text(".pw-said")
    page.reload()
    assert page.locator(".pw-said").count() == 0, "what was done is said once"


def test_an_item_on_hold_that_was_sent_on_can_still_be_released(
    opened: Any, signed_in: Any, live_url: str, world: World
) -> None:
    number = new_number()
    world.scanner.send(event(number, "held", reason="customs"), event(number, "left_sorting", minutes=4))
    page = opened(1280, 800, storage_state=signed_in)
    page.goto(f"{live_url}/app/desk/?item={number}")
    assert page.locator("text=Hold this item").count() == 0
    page.click("text=Release this item")
    page.fill("#reason", "looked at")
    page.click("main button")
    page.wait_for_selector(".pw-said")
    page.wait_for_selector("text=Hold this item")


def test_a_reason_that_is_too_long_is_refused_before_it_is_kept(
    opened: Any, signed_in: Any, live_url: str, world: World
) -> None:
    number = new_number()
    world.scanner.send(event(number, "accepted"))
    page = opened(1280, 800, storage_state=signed_in)
    page.goto(f"{live_url}/app/desk/items/{number}/hold")
    assert page.get_attribute("#reason", "maxlength") == "40"
    page.eval_on_selector("#reason", "field => field.removeAttribute('maxlength')")
    page.fill("#reason", "x" * 41)
    page.click("main button")
    page.wait_for_selector("#reason-error")
    assert "at most 40 characters" in page.inner_text("#reason-error")
    assert page.input_value("#reason") == "x" * 41


def test_the_story_tells_the_containers_way_and_every_time_can_be_read(
    opened: Any, signed_in: Any, live_url: str, world: World
) -> None:
    number = new_number()
    world.scanner.send(event(number, "accepted", minutes=-3 * 24 * 60))
    page = opened(1280, 800, storage_state=signed_in)
    for item, unseen in ((world.derived, 2), (number, 0)):
        page.goto(f"{live_url}/app/desk/?item={item}")
        assert page.locator(".pw-event--unseen").count() == unseen
        cut = page.eval_on_selector_all(".pw-events time", "all => all.filter(e => e.scrollWidth > e.clientWidth)")
        assert cut == []
    page.goto(f"{live_url}/app/desk/?item={world.derived}")
    assert page.locator(".pw-event__note a.pw-number").count() == 4  # loaded, unloaded, and seen twice between


def _quarantined(page: Any, live_url: str, code: str) -> None:
    """Open the quarantined event that names this place."""
    page.goto(f"{live_url}/app/desk/?queue=quarantine")
    for address in page.eval_on_selector_all(".pw-list [data-row]", "all => all.map(row => row.href)"):
        page.goto(address)
        if page.locator("#repaired").count() and code in page.input_value("#repaired"):
            return
    pytest.fail(f"{code} is not in quarantine")


def test_a_bad_event_is_repaired_and_what_was_typed_survives_a_refusal(
    opened: Any, signed_in: Any, live_url: str, world: World
) -> None:
    code = f"NOWHERE-{new_number()[2:10]}"
    world.scanner.send(event(new_number(), "accepted", facility=code))
    page = opened(1280, 800, storage_state=signed_in)
    _quarantined(page, live_url, code)
    raw = page.input_value("#repaired")
    still_wrong = raw.replace(code, "NOWHERE-STILL")
    page.fill("#repaired", still_wrong)
    page.click("text=Send the repaired event")
    page.wait_for_selector("#repaired-error")
    assert page.input_value("#repaired") == still_wrong
    page.fill("#repaired", raw.replace(code, "TEST-A"))
    page.click("text=Send the repaired event")
    page.wait_for_selector(".pw-said")
    assert "sent again" in page.inner_text(".pw-said")


def test_dismissing_needs_a_reason(opened: Any, signed_in: Any, live_url: str, world: World) -> None:
    code = f"NOWHERE-{new_number()[2:10]}"
    world.scanner.send(event(new_number(), "accepted", facility=code))
    page = opened(1280, 800, storage_state=signed_in)
    _quarantined(page, live_url, code)
    page.click("text=Dismiss this event")
    page.wait_for_selector("#reason-error")
    page.fill("#reason", "sent by a device on trial")
    page.click("text=Dismiss this event")
    page.wait_for_selector(".pw-said")
    assert "dismissed" in page.inner_text(".pw-said")


def test_an_alert_is_closed_and_leaves_the_list(opened: Any, signed_in: Any, live_url: str, world: World) -> None:
    page = opened(1280, 800, storage_state=signed_in)
    number = new_number()
    world.scanner.send(event(number, "delivered"), event(number, "left_sorting", minutes=1))
    row = page.locator(".pw-list [data-row]", has_text=grouped(number))
    until(lambda: page.goto(f"{live_url}/app/desk/?queue=alerts&kind=after_delivery") and row.count() == 1)
    row.click()
    page.wait_for_selector("text=Close this alert")
    page.click("text=Close this alert")
    page.wait_for_selector(".pw-said")
    assert row.count() == 0


@pytest.mark.parametrize("width", [1280, 375])
def test_a_broken_seal_is_shown_at_its_event_and_a_container_is_called_one(
    opened: Any, signed_in: Any, live_url: str, world: World, axe: str, width: int
) -> None:
    """An alert about one event marks it in the story; a bag has no addressee to whom it is "your parcel"."""
    bag, inside = new_receptacle(), new_number()
    world.scanner.send(
        event(None, "sealed", receptacle_id=bag, seal={"number": "S1", "did": "applied"}),
        event(inside, "loaded", minutes=1, receptacle=bag),
        event(None, "sealed", minutes=5, receptacle_id=bag, seal={"number": "S1", "did": "broken"}),
        event(None, "left_sorting", minutes=9, receptacle_id=bag),
    )
    page = opened(width, 900, storage_state=signed_in)
    row = page.locator(".pw-list [data-row]", has_text=grouped(bag))
    until(lambda: page.goto(f"{live_url}/app/desk/?queue=alerts&kind=seal_mismatch") and row.count() > 0)
    row.first.click()
    page.wait_for_selector("#story .pw-events")
    story = page.locator("#story")
    marked = page.locator(".pw-events > li", has=page.locator("#marked"))
    assert marked.count() == 1
    assert "The alert above is about this event." in marked.inner_text()
    assert "sealed" in marked.inner_text()
    assert marked.evaluate("one => [...one.parentElement.children].indexOf(one)") == 1, "the broken one, not the first"
    said = story.inner_text()
    assert "Left sorting" in said
    assert "Hold this container" in said
    assert "your parcel" not in said
    assert "item" not in said.lower()
    since = page.inner_text(".pw-inside time")
    assert since.endswith(("CST", "CDT")), "in the zone of the events beside it"
    assert violations(page, axe) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    picture(page, f"desk-seal-{width}", kept=False)
    page.click("text=Hold this container")
    page.wait_for_selector("h1:has-text('Hold this container?')")
    assert "addressee" not in page.inner_text("main")
    page.goto(f"{live_url}/app/desk/?item={bag}")
    assert page.locator("#marked").count() == 0, "without an alert beside it nothing is marked"


def test_who_has_not_signed_in_is_asked_to(opened: Any, live_url: str) -> None:
    page = opened(1280, 800)
    page.goto(f"{live_url}/app/desk/?queue=quarantine")
    assert page.url == f"{live_url}/accounts/sign-in?next=/app/desk/%3Fqueue%3Dquarantine"


@pytest.mark.asvs("7.4.1", "7.4.4")
def test_signing_out_ends_the_session(opened: Any, browser: Any, link: Any, live_url: str) -> None:
    mine = browser()
    mine.join(link("administrator"))
    page = opened(1280, 800, storage_state=storage(mine))
    page.goto(f"{live_url}/app/")
    page.click("text=Sign out")
    page.wait_for_url(f"{live_url}/")
    page.goto(f"{live_url}/app/")
    assert "/accounts/sign-in" in page.url


def test_the_page_that_declares_an_event_wrong_can_be_read_by_everybody(
    opened: Any, signed_in: Any, live_url: str, world: World, axe: str
) -> None:
    page = opened(375, 812, storage_state=signed_in)
    page.goto(f"{live_url}/app/desk/?item={world.delivered}")
    page.locator(".pw-events summary").first.click()
    page.get_by_role("link", name="declare it wrong").first.click()
    page.wait_for_url("**/correct")
    assert violations(page, axe) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    assert page.get_by_role("radio", name="It did not happen").count() == 1
