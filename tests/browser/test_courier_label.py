"""A courier's device in a real browser: fetch a lent key, lose the network, open the part of the label in hand."""

from __future__ import annotations

import base64
import datetime as dt
import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser
from scripts import make_label_vectors as oracle
from tests import joined
from tests.browser.conftest import hold_up, picture, storage, violations
from tests.privacy.label_desk import CLERK, DOOR, HUB, OFFICE, OTHER, make_keys, wanted
from tests.scanner import new_number

from parcelward.people.wire import Role
from parcelward.privacy.sealing import actions
from parcelward.privacy.sealing.wire import Sealed

pytestmark = pytest.mark.browser

WIDTHS = {1280: 800, 375: 812}
PAGE = "/app/courier/label"
KEPT = """
  const done = (ask) => new Promise((then) => { ask.onsuccess = () => then(ask.result); });
  const db = await done(indexedDB.open("parcelward-device"));
  const all = await done(db.transaction("keys").objectStore("keys").getAll());
"""
LENT_KEYS = f"async () => {{ {KEPT} return all.filter((each) => each?.loan && each.privateKey).length; }}"
LEND = f"/app/office/lend?facility={OFFICE}"


def apart(work: Callable[..., Any], *args: Any, **how: Any) -> Any:
    """Ask the database with these words, where no browser is driven."""
    return joined.apart(lambda: work(*args, **how))


@pytest.fixture(scope="module")
def states(staff: Callable[[str], Any]) -> dict[Role, Any]:
    """A courier and a hub agent who have signed in with a passkey, as Chromium begins."""
    apart(make_keys)
    return {role: storage(staff(role.value)) for role in (Role.COURIER, Role.HUB_AGENT)}


def label(item: str = "", **other: Any) -> Sealed:
    now = dt.datetime.now(dt.UTC)
    made: list[Sealed] = apart(actions.seal_labels, [wanted(item, **other)], by=CLERK, now=now)
    return made[0]


def enrolled(page: Any, live_url: str) -> uuid.UUID:
    """Open the page, and enrol the key that it shows, as the office does."""
    from parcelward.people import actions as people

    page.goto(live_url + PAGE)
    page.wait_for_selector("#label[data-state=ready]")
    shown = page.text_content("#device-key")
    key = base64.urlsafe_b64decode(shown + "=" * (-len(shown) % 4))
    name = f"telephone {uuid.uuid4().hex[:6]}"
    made = apart(people.enrol_device, name, key, by=apart(people.installer), facility=OFFICE)
    assert page.text_content("#key-id") == made.key_id
    device: uuid.UUID = made.device_id
    return device


def lend_on_screen(opened: Any, states: dict[Role, Any], live_url: str, device: uuid.UUID) -> None:
    page = opened(1280, 800, storage_state=states[Role.HUB_AGENT])
    page.goto(live_url + LEND)
    page.select_option("#device", str(device))
    page.fill("#round", "R12")
    page.get_by_role("button", name="Lend", exact=True).click()
    page.wait_for_selector("text=Lent. On the device")
    assert page.locator(".pw-loans li", has_text="R12").count() >= 1


def fetch(page: Any) -> None:
    page.click("#fetch")
    page.wait_for_function(
        "() => document.getElementById('fetched').textContent || !document.getElementById('refused').hidden"
    )


def open_label(page: Any, item: str, code: str) -> None:
    page.fill("#item", item)
    page.fill("#code", code)
    page.click("#open")
    page.wait_for_selector("#result:not([hidden]), #refused:not([hidden])")


def refused(page: Any) -> str:
    assert page.is_hidden("#result")
    for word in DOOR:
        assert word not in page.content()
    words: str = page.text_content("#refused-words")
    return words


@pytest.fixture
def courier(opened: Any, states: dict[Role, Any], live_url: str) -> Any:
    """A page that has its keys and has lost the network."""
    page = opened(375, 812, storage_state=states[Role.COURIER])
    device = enrolled(page, live_url)
    lend_on_screen(opened, states, live_url, device)
    fetch(page)
    assert "You can go offline" in page.text_content("#fetched")
    page.context.set_offline(True)
    page.device = device
    return page


@pytest.mark.asvs("14.3.1")
def test_whose_session_is_over_sees_no_address_but_can_open_the_next_label(
    chromium: Browser, opened: Any, enter: Any, states: dict[Role, Any], live_url: str
) -> None:
    someone = enter(Role.COURIER)
    page = chromium.new_context(storage_state=someone.cookies).new_page()  # its console says that nobody answers
    device = enrolled(page, live_url)
    lend_on_screen(opened, states, live_url, device)
    fetch(page)
    page.context.set_offline(True)
    made = label()
    open_label(page, made.item, made.text)
    assert DOOR[0] in page.content()
    page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    assert page.is_visible("#result"), "no network is no reason"
    page.context.set_offline(False)
    other = page.context.new_page()
    other.goto(f"{live_url}/app/account")
    other.locator("header").get_by_role("button", name="Sign out").click()
    page.wait_for_selector("#result", state="hidden")
    for word in (*DOOR, someone.person.name, "Sign out"):
        assert word not in page.content()
    assert page.input_value("#code") == page.input_value("#item") == ""
    assert page.url == live_url + PAGE
    open_label(page, made.item, made.text)
    assert page.is_visible("#result"), "the key was lent for the round"
    page.context.close()


def test_the_courier_opens_the_part_without_a_network(courier: Any, axe: str) -> None:
    made = label()
    said: list[str] = []
    courier.on("request", lambda request: said.append(request.url))
    grouped = f"{made.item[:2]} {made.item[2:-2]} {made.item[-2:]}"
    for code in (made.text, base64.urlsafe_b64encode(made.raw).decode().rstrip("="), made.text + "\r\n"):
        open_label(courier, grouped.lower(), code)
        name, note, *lines = DOOR
        assert courier.text_content("#name") == name
        assert courier.inner_text("#lines").split("\n") == lines
        assert courier.text_content("#note") == note
    assert violations(courier, axe) == []
    picture(courier, "courier-label-opened-375")
    courier.click("#next")
    assert not any(word in courier.content() for word in DOOR), "it is forgotten"
    assert courier.input_value("#code") == ""
    assert said == [], "nothing was asked of anybody"


def test_wrong_items_and_strangers_labels_are_refused_in_words(courier: Any) -> None:
    made, other = label(), label()
    open_label(courier, other.item, made.text)
    assert f"belongs to another item, {made.item}" in refused(courier)
    elsewhere = label(office=OTHER)
    open_label(courier, elsewhere.item, elsewhere.text)
    assert "for another office" in refused(courier)
    open_label(courier, made.item, made.text[:-30])
    assert "damaged" in refused(courier)
    for nonsense in ("hello", "https://example.org/x?y", "AAAA", ":::"):
        open_label(courier, made.item, nonsense)
        assert "no sealed label" in refused(courier)
    swapped = made.raw[:-148] + other.raw[-148:]
    open_label(courier, made.item, Sealed(made.item, swapped).text)
    assert "changed, or put together from two" in refused(courier)
    renamed = made.raw.replace(made.item.encode(), other.item.encode())
    open_label(courier, other.item, Sealed(other.item, renamed).text)
    assert "changed" in refused(courier)
    open_label(courier, "", made.text)
    assert "Enter the number" in refused(courier)


def test_a_loan_that_is_over_opens_nothing_and_its_key_is_gone(courier: Any) -> None:
    made = label()
    open_label(courier, made.item, made.text)
    assert courier.is_visible("#result")
    courier.click("#next")
    courier.clock.set_fixed_time(dt.datetime.now(dt.UTC) + dt.timedelta(hours=8, seconds=2))
    open_label(courier, made.item, made.text)
    assert "ended with its round" in refused(courier)
    assert courier.locator("#loans li[data-state=over]").count() == 1
    assert courier.evaluate(LENT_KEYS) == 0, "the key is deleted, not only refused"
    courier.clock.set_fixed_time(dt.datetime.now(dt.UTC))
    open_label(courier, made.item, made.text)
    assert "went backwards" in refused(courier)


@pytest.mark.asvs("14.3.3")
def test_no_script_can_read_the_lent_key(courier: Any) -> None:
    tried = f"""async () => {{ {KEPT}
      const keys = all.map((each) => each?.privateKey ?? each?.pair?.privateKey).filter(Boolean), said = [];
      for (const key of keys) for (const form of ["pkcs8", "jwk", "raw"]) {{
        try {{ await crypto.subtle.exportKey(form, key); said.push("read"); }} catch {{ said.push("refused"); }}
      }}
      return said;
    }}"""
    said = courier.evaluate(tried)
    assert len(said) >= 6  # the device's own key and a lent one, three forms each
    assert set(said) == {"refused"}


def test_a_revoked_device_loses_its_keys_when_it_asks_and_an_ended_loan_too(courier: Any) -> None:
    from parcelward.people import actions as people

    apart(people.revoke_device, courier.device, by=apart(people.installer))
    made = label()
    open_label(courier, made.item, made.text)
    assert courier.is_visible("#result"), "offline it cannot know: the key dies at its expiry"
    fetch(courier)
    assert "no network" in refused(courier)
    courier.context.set_offline(False)
    fetch(courier)
    assert "revoked" in refused(courier)
    assert courier.evaluate(LENT_KEYS) == 0
    open_label(courier, made.item, made.text)
    assert "No key on this device" in refused(courier)


def test_an_ended_loan_is_deleted_at_the_next_fetch(
    courier: Any, opened: Any, states: dict[Role, Any], live_url: str
) -> None:
    from parcelward.privacy.models import Loan

    loan = apart(Loan.objects.get, device=courier.device)
    office = opened(1280, 800, storage_state=states[Role.HUB_AGENT])
    office.goto(live_url + LEND)
    office.click(f"form[action*='{loan.id}'] button")
    office.wait_for_selector("text=Ended.")
    courier.context.set_offline(False)
    fetch(courier)
    assert "Nothing is lent" in courier.text_content("#fetched")
    assert courier.evaluate(LENT_KEYS) == 0


def test_a_telephone_that_enrolled_itself_from_a_qr_code_takes_a_loan(
    opened: Any, states: dict[Role, Any], live_url: str
) -> None:
    """One key pair for both pages: whoever scanned the office's code has nothing more to show to it."""
    from parcelward.people import actions as people
    from parcelward.people.models import Enrolment

    named = f"telephone {uuid.uuid4().hex[:6]}"
    made = apart(people.open_enrolment, named, by=apart(people.installer), facility=OFFICE)
    page = opened(375, 812, storage_state=states[Role.COURIER])
    page.goto(f"{live_url}/enrol/device#code={made.code}")
    page.wait_for_selector("#enrol[data-state=enrolled]")
    device = apart(Enrolment.objects.get, pk=made.id).device_id
    page.goto(live_url + PAGE)
    page.wait_for_selector("#label[data-state=ready]")
    lend_on_screen(opened, states, live_url, device)
    fetch(page)
    assert "You can go offline" in page.text_content("#fetched")
    page.context.set_offline(True)
    sealed = label()
    open_label(page, sealed.item, sealed.text)
    assert page.text_content("#name") == DOOR[0]


def test_a_device_that_is_not_enrolled_gets_nothing(opened: Any, states: dict[Role, Any], live_url: str) -> None:
    page = opened(375, 812, storage_state=states[Role.COURIER])
    page.goto(live_url + PAGE)
    page.wait_for_selector("#label[data-state=ready]")
    fetch(page)
    assert "not enrolled yet" in refused(page)


def test_the_browser_opens_the_vectors(opened: Any, states: dict[Role, Any], live_url: str) -> None:
    """The same file that the product is compared with: both labels and the loan."""
    vectors = json.loads(oracle.TARGET.read_text(encoding="utf-8"))
    page = opened(375, 812, storage_state=states[Role.COURIER])
    page.goto(live_url + PAGE)
    page.wait_for_selector("#label[data-state=ready]")
    opens = """async (vectors) => {
      const label = await import("/static/parcelward/label.js");
      const bytes = (text) => Uint8Array.from(text.match(/../g), (pair) => parseInt(pair, 16));
      const told = vectors.loan, head = bytes("302e020100300506032b656e04220420");
      const raw = Uint8Array.from([...head, ...bytes(told.reader_private)]);
      const key = await crypto.subtle.importKey("pkcs8", raw, {name: "X25519"}, true, ["deriveBits"]);
      const jwk = await crypto.subtle.exportKey("jwk", key);
      const reader = {privateKey: key, public: label.unbase64url(jwk.x)};
      const [sealed, mine] = [told.sealed, told.public].map((each) => label.base64url(bytes(each)));
      const handed = {...told, sealed, public: mine, round: "R12"};
      const loan = await label.openLoan(handed, reader);
      let longer = "opened";
      const changed = {...handed, expires_at: told.expires_at + 1};
      try { await label.openLoan(changed, reader); } catch (error) { longer = error.code; }
      const out = [];
      for (const each of vectors.labels) {
        const parsed = label.parse(label.bytesOf(each.text));
        out.push(await label.openCourier(parsed, each.item, [{...loan, epoch: each.epoch}], told.expires_at - 1));
      }
      return {out, longer, weeks: [0, 53, 360, 361, 366].map(label.week)};
    }"""
    said = page.evaluate(opens, vectors)
    for each, found in zip(vectors["labels"], said["out"], strict=True):
        name, note, *lines = each["parts"]["courier"]["texts"]
        assert found == {"name": name, "note": note, "lines": lines}
    assert said["longer"] == "not_this_device", "a loan whose expiry was changed opens nothing"
    assert said["weeks"] == ["2020-W01", "2021-W01", "2026-W48", "2026-W49", "2027-W01"]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_screens_hold_up(
    opened: Any, states: dict[Role, Any], live_url: str, axe: str, width: int, scheme: str
) -> None:
    for role, address, name in ((Role.COURIER, PAGE, "courier-label"), (Role.HUB_AGENT, LEND, "office-lend")):
        page = opened(width, WIDTHS[width], color_scheme=scheme, storage_state=states[role])
        hold_up(page, live_url + address, axe, width)
        if role is Role.COURIER:
            page.wait_for_selector("#label[data-state=ready]")
            assert violations(page, axe) == []
        picture(page, f"{name}-{width}-{scheme}", kept=scheme == "light")


def test_only_this_page_may_ask_for_the_camera(
    opened: Any, states: dict[Role, Any], live_url: str, installation: Any
) -> None:
    page = opened(375, 812, storage_state=states[Role.COURIER])
    policies = {path: page.goto(live_url + path).headers["permissions-policy"] for path in (PAGE, "/app/", "/")}
    assert "camera=(self)" in policies[PAGE]
    assert all("camera=()" in policies[path] for path in ("/app/", "/"))
    assert all("microphone=()" in policy for policy in policies.values())


def test_what_must_be_read_to_trust_the_page_is_short() -> None:
    import parcelward.doors

    folder = Path(parcelward.doors.__path__[0]) / "static" / "parcelward"
    for name in ("device.js", "label.js", "label-page.js"):
        assert len((folder / name).read_text(encoding="utf-8").splitlines()) < 300
    assert HUB != OFFICE
    assert new_number() != new_number()
