"""Keys and devices in a browser: made, shown once, rotated, revoked; a device that enrols itself from a QR code."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from playwright.sync_api import Page
from tests.browser.conftest import focused, picture, storage, violations
from tests.joined import joined, tenant
from tests.scanner import Scanner, event, new_number, until

from parcelward.people import actions as people
from parcelward.people import queries
from parcelward.people.models import ApiKey, Device, Organisation
from parcelward.people.wire import OrganisationKind, Role, Task

pytestmark = pytest.mark.browser
ROWS = "n => document.querySelectorAll('.pw-list [data-row]').length === n"
WIDTHS = {1280: 800, 375: 812}
SCHEMES = ("light", "dark")


@pytest.fixture(autouse=True)
def beside_the_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this thread look into the database: the driver's event loop stands still meanwhile."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


@pytest.fixture(scope="module")
def administrator(staff: Callable[[str], Any]) -> Any:
    """The cookies of an administrator who has signed in with a passkey."""
    return storage(staff("administrator"))


def device_key() -> bytes:
    return Ed25519PrivateKey.generate().public_key().public_bytes_raw()


def holds(page: Page, axe: str, width: int) -> None:
    assert violations(page, axe) == [], page.url
    assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{page.url} scrolls sideways"
    assert page.locator("h1").count() == 1, page.url


def key_of(name: str) -> ApiKey:
    return ApiKey.objects.get(source__name=name)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_key_is_made_and_its_token_shown_once(
    opened: Any, administrator: Any, live_url: str, axe: str, width: int, scheme: str
) -> None:
    page, name = (
        opened(width, WIDTHS[width], color_scheme=scheme, storage_state=administrator),
        f"shop {width} {scheme}",
    )

    def seen(what: str) -> None:
        holds(page, axe, width)
        picture(page, f"{what}-{width}-{scheme}", kept=scheme == "light")

    page.goto(f"{live_url}/app/keys/")
    page.click("text=Make a key")
    seen("key-whose")
    page.locator(".pw-choices a", has_text="partner").first.click()
    page.click("main button[type=submit]")
    page.wait_for_selector("#id_name_error")
    seen("key-refused")
    page.fill("#id_name", name)
    page.check("#some")
    page.locator("label", has_text="send scans").locator("input").check()
    seen("key-new")
    page.click("main button[type=submit]")
    page.wait_for_selector("#token")
    token = page.inner_text("#token")
    seen("key-shown")
    holder = queries.key_holder(token)
    assert (holder.role, holder.scopes) == (Role.PARTNER, frozenset({Task.SCAN}))
    page.click("text=I have copied it")
    page.wait_for_selector("#story .pw-case")
    assert token not in page.content()
    assert token[:14] in page.inner_text("#story")
    seen("keys")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_key_is_rotated_may_spend_and_is_revoked(
    opened: Any, administrator: Any, live_url: str, axe: str, width: int, scheme: str
) -> None:
    page = opened(width, WIDTHS[width], color_scheme=scheme, storage_state=administrator)

    def seen(what: str) -> None:
        holds(page, axe, width)
        picture(page, f"{what}-{width}-{scheme}", kept=scheme == "light")

    made = people.new_key(f"till {width} {scheme}", Role.PARTNER, by=people.installer(), mode="test")
    token, holder = made.token, queries.key_holder(made.token)
    page.goto(f"{live_url}/app/keys/?key={made.id}")
    page.click("text=Rotate this key")
    seen("key-rotate")
    page.click("main button[type=submit]")
    page.wait_for_selector("#token")
    fresh = page.inner_text("#token")
    assert queries.key_holder(fresh) == queries.key_holder(token) == holder
    page.click("text=I have copied it")
    page.wait_for_selector("#story .pw-case")
    assert "valid until" in page.inner_text("#story")
    page.click("text=Let it spend")
    page.fill("#id_currency", "EUR")
    page.fill("#id_payment", "2500")
    page.click("main button[type=submit]")
    page.wait_for_selector(".govuk-error-summary")
    seen("key-grant")
    assert page.inner_text("main button[type=submit]") == "Let this key spend"
    page.fill("#id_day", "10000")
    page.click("main button[type=submit]")
    page.wait_for_selector(".pw-said")
    assert "0 of 10000" in page.inner_text("#story")
    seen("key-spends")
    page.click("text=end this grant")
    page.click("main button[type=submit]")
    page.wait_for_selector(".pw-said")
    page.click("text=Revoke this key")
    seen("key-revoke")
    assert queries.key_is_valid(fresh), "only asked so far"
    page.click("main button[type=submit]")
    page.wait_for_selector(".pw-said")
    assert not queries.key_is_valid(fresh)
    assert not queries.key_is_valid(token)
    assert page.locator("text=Rotate this key").count() == 0


def test_a_form_that_is_sent_twice_makes_one_key(opened: Any, administrator: Any, live_url: str) -> None:
    page = opened(1280, 800, storage_state=administrator)
    page.goto(f"{live_url}/app/keys/new?organisation=operator&role=partner")
    page.fill("#id_name", "sent twice")
    form = page.evaluate("new URLSearchParams(new FormData(document.querySelector('main form'))).toString()")
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Referer": page.url}
    answers = [page.request.post(page.url, data=form, headers=headers) for _ in range(2)]
    assert [each.status for each in answers] == [200, 409]
    assert "pw_test_" not in answers[1].text()
    assert ApiKey.objects.filter(source__name="sent twice").count() == 1


def test_the_keys_of_the_keyboard_lead_through_both_lists(opened: Any, administrator: Any, live_url: str) -> None:
    people.new_key("with the keyboard", Role.PARTNER, by=people.installer(), mode="test")
    page = opened(1280, 800, storage_state=administrator)
    for address in ("/app/keys/", "/app/desk/devices/"):
        page.goto(f"{live_url}{address}")
        page.keyboard.press("j")
        focused(page, "[id^=row-]")
        first = page.evaluate("document.activeElement.id")
        page.keyboard.press("Enter")
        page.wait_for_selector("#story .pw-case")
        page.wait_for_selector(f"#{first}[aria-current=true]")
        focused(page, f"#{first}")
        page.keyboard.press("/")  # among keys there is nothing to find: nothing happens
        if address == "/app/desk/devices/":
            focused(page, "#search")
            page.focus(f"#{first}")
        page.keyboard.press("?")
        page.wait_for_selector("#keys", state="visible")
        page.keyboard.press("Escape")


def code_in(page: Page) -> str:
    """Read the QR code from the picture that a camera would see."""
    import zxingcpp
    from PIL import Image

    shot = page.locator(".pw-qr__frame").screenshot()
    found = zxingcpp.read_barcodes(Image.open(io.BytesIO(shot)))
    assert len(found) == 1
    return str(found[0].text)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_device_enrols_itself_from_the_picture_and_is_revoked_at_the_desk(
    opened: Any, administrator: Any, live_url: str, axe: str, width: int, scheme: str
) -> None:
    desk = opened(width, WIDTHS[width], color_scheme=scheme, storage_state=administrator)
    device = opened(375, 812, color_scheme=scheme)
    name = f"dock {width} {scheme}"
    desk.goto(f"{live_url}/app/desk/devices/")
    holds(desk, axe, width)
    picture(desk, f"devices-{width}-{scheme}", kept=scheme == "light")
    desk.click("text=Enrol a device")
    desk.fill("#id_name", name)
    desk.fill("#id_facility", "no place")
    desk.click("main button[type=submit]")
    desk.wait_for_selector("#id_facility_error")
    holds(desk, axe, width)
    desk.fill("#id_facility", "TEST-A")
    desk.click("main button[type=submit]")
    desk.wait_for_selector(".pw-qr")
    holds(desk, axe, width)
    picture(desk, f"device-qr-{width}-{scheme}", kept=scheme == "light")
    address = code_in(desk)
    assert address.startswith(f"{live_url}/enrol/device#code=")
    device.goto(address)
    device.wait_for_selector("#enrol[data-state=enrolled]")
    assert f"Enrolled as {name} at TEST-A" in device.inner_text("main")
    assert "code" not in device.url
    assert violations(device, axe) == []
    picture(device, f"device-enrolled-375-{scheme}", kept=scheme == "light" and width == 375)
    desk.wait_for_selector(f"text={name} is enrolled.")  # the desk's page saw it come by itself
    row = Device.objects.get(source__name=name)
    kept = device.evaluate("""async () => {
        const open = indexedDB.open("parcelward-device", 1);
        await new Promise((done) => (open.onsuccess = done));
        const get = open.result.transaction("keys").objectStore("keys").get("device");
        await new Promise((done) => (get.onsuccess = done));
        const { key_id, pair } = get.result;
        const secret = await crypto.subtle.exportKey("pkcs8", pair.privateKey).then(() => "leaves", () => "stays");
        const open_key = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
        return { key_id, secret, open_key: [...open_key] };
    }""")
    assert (kept["key_id"], kept["secret"]) == (row.key_id, "stays")
    assert bytes(kept["open_key"]) == bytes(row.public_key)
    device.reload()
    device.wait_for_selector("#enrol[data-state=enrolled]")
    other = opened(375, 812)
    other.goto(address)  # somebody photographed the screen
    other.wait_for_selector("#enrol[data-state=refused]")
    picture(other, "device-refused-375-light", kept=width == 375 and scheme == "light")
    assert Device.objects.filter(source__name=name).count() == 1
    desk.click("text=See the device")
    desk.wait_for_selector("#story .pw-case")
    holds(desk, axe, width)
    picture(desk, f"device-{width}-{scheme}", kept=scheme == "light")
    desk.click("text=Revoke this device")
    holds(desk, axe, width)
    picture(desk, f"device-revoke-{width}-{scheme}", kept=False)
    desk.click("main button[type=submit]")
    desk.wait_for_selector(".pw-said")
    row.refresh_from_db()
    assert row.revoked_at is not None


def test_a_code_is_withdrawn_and_the_page_that_waits_says_so(opened: Any, administrator: Any, live_url: str) -> None:
    desk = opened(1280, 800, storage_state=administrator)
    desk.goto(f"{live_url}/app/desk/devices/enrol")
    desk.fill("#id_name", "never comes")
    desk.click("main button[type=submit]")
    desk.wait_for_selector(".pw-qr")
    address = code_in(desk)
    desk.click("text=Withdraw the code")
    desk.click("main button[type=submit]")
    desk.wait_for_selector(".pw-said")
    device = opened(375, 812)
    device.goto(address)
    device.wait_for_selector("#enrol[data-state=refused]")
    assert not Device.objects.filter(source__name="never comes").exists()


def test_a_browser_that_is_not_enrolled_says_what_to_do(opened: Any, live_url: str, axe: str) -> None:
    page = opened(375, 812)
    page.goto(f"{live_url}/enrol/device")
    page.wait_for_selector("#enrol[data-state=no-code]")
    assert violations(page, axe) == []


def test_when_a_device_was_last_heard_and_how_its_clock_stands(
    opened: Any, administrator: Any, installation: Any, facilities: Any, live_url: str
) -> None:
    scanner = Scanner(installation, name="heard scanner")
    page = opened(1280, 800, storage_state=administrator)
    page.goto(f"{live_url}/app/desk/devices/?device={scanner.device_id}")
    assert "never" in page.inner_text("#story")
    scanner.send(event(new_number(), "accepted"))
    until(lambda: page.reload() and "right" in page.inner_text("#story .pw-facts"))
    assert "never" not in page.inner_text("#story")


@pytest.mark.parametrize("width", WIDTHS)
def test_a_device_is_found_by_its_name_or_its_place(
    opened: Any, administrator: Any, live_url: str, axe: str, width: int, facilities: Any
) -> None:
    """Among thousands: from the keyboard, in parts as the whole list, with what is found kept while one looks."""
    page, mark = opened(width, WIDTHS[width], storage_state=administrator), f"Gate {width}"
    for number in range(52):
        people.enrol_device(f"{mark} no. {number:02}", device_key(), by=people.installer(), facility="TEST-HUB")
    people.enrol_device(f"100%_{width} belt", device_key(), by=people.installer(), facility="TEST-B")
    page.goto(f"{live_url}/app/desk/devices/")
    page.locator("h1").click()
    page.keyboard.press("/")
    focused(page, "#search")
    page.keyboard.type(f"gate {width} no. 07")
    page.keyboard.press("Enter")
    page.wait_for_url("**/?find=*")
    assert page.locator(".pw-list [data-row]").count() == 1
    assert page.input_value("#search") == f"gate {width} no. 07"
    holds(page, axe, width)
    picture(page, f"devices-found-{width}", kept=False)
    page.click(".pw-list [data-row]")
    page.wait_for_selector("#story .pw-case")
    assert page.locator(".pw-list [data-row]").count() == 1, "what was found stays beside it"

    page.goto(f"{live_url}/app/desk/devices/?find={mark}")
    assert page.locator(".pw-list [data-row]").count() == 50
    page.click("[data-older]")
    page.wait_for_function(ROWS, arg=2)
    page.click("[data-newer]")
    page.wait_for_function(ROWS, arg=50)

    def shown(find: str) -> str:
        page.goto(f"{live_url}/app/desk/devices/?find={find}")
        return str(page.inner_text(".pw-list"))

    assert f"100%_{width} belt" in shown("test-b")
    assert f"100%_{width} belt" not in shown("est-b"), "a place by its beginning"
    assert f"100%_{width} belt" in shown("%25_")
    assert mark not in shown("%25_"), "a sign is that sign and no joker"
    assert "No device fits." in shown("nowhere+such")
    holds(page, axe, width)
    picture(page, f"devices-none-found-{width}", kept=False)
    assert "No device fits." in shown("x" * 500)
    assert len(page.input_value("#search")) == 80
    page.click("text=Show all")
    assert "?" not in page.url


def test_looking_for_a_device_finds_nobody_elses(staff: Callable[[str], Any]) -> None:
    """As the list itself: the operator's own for the operator, and for whom the list is not, nothing."""
    ours, theirs = staff("administrator"), staff("inspector")
    people.enrol_device("a belt that is sought", device_key(), by=people.installer())
    assert "belt that is sought" in ours.http.get("/app/desk/devices/", params={"find": "IS SOUGHT"}).text
    assert theirs.http.get("/app/desk/devices/", params={"find": "IS SOUGHT"}).status_code == 404
    assert ours.http.get("/app/desk/devices/", params={"find": "\0"}).status_code < 500
    agent = joined(Role.HUB_AGENT, organisation=tenant(OrganisationKind.CONTRACTOR))
    assert [each.name for each in queries.devices(by=agent, named="sought")] == []


def test_empty_lists_say_what_will_appear(opened: Any, administrator: Any, live_url: str, axe: str) -> None:
    """A page behind the last row is the emptiest that a whole installation has."""
    page = opened(1280, 800, storage_state=administrator)
    first = Device.objects.order_by("enrolled_at", "pk").first()
    assert first is not None
    page.goto(f"{live_url}/app/desk/devices/?after={first.pk}")
    assert "There is nothing older." in page.inner_text(".pw-empty >> nth=0")
    holds(page, axe, 1280)


def test_whoever_may_not_finds_nothing_there(opened: Any, signed_in: Any, live_url: str) -> None:
    page = opened(1280, 800, storage_state=signed_in)
    key = people.new_key("an inspector's wish", Role.PARTNER, by=people.installer(), mode="test")
    for address in ("/app/keys/", "/app/keys/new", f"/app/keys/{key.id}/revoke", "/app/desk/devices/"):
        answer = page.goto(f"{live_url}{address}")
        assert answer is not None
        assert answer.status == 404
    assert Organisation.objects.filter(name="an inspector's wish").count() == 0
    assert queries.key_is_valid(key.token)
