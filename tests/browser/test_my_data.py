"""My data and the desk that answers, on a telephone and a screen, in both themes: usable by everybody."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page
from tests.browser.conftest import Someone, picture, violations
from tests.joined import apart, signed_in_as
from tests.passkey import Browser as PasskeyBrowser

from parcelward.base.vault import VaultToken
from parcelward.people import actions
from parcelward.people.wire import Person, Role
from parcelward.privacy import actions as privacy
from parcelward.privacy import queries
from parcelward.privacy.wire import Field, Kind, Purpose, RequestState, Subject

pytestmark = pytest.mark.browser
WIDTHS = {1280: 800, 375: 812}


@pytest.fixture(scope="module")
def admin(enter: Any) -> Someone:
    return enter(Role.ADMINISTRATOR)  # type: ignore[no-any-return]  # a fixture's own function


@pytest.fixture(scope="module")
def inspector(enter: Any) -> Someone:
    return enter(Role.INSPECTOR)  # type: ignore[no-any-return]  # as above


def home(owner: Person) -> VaultToken:
    fields = {
        Field.NAME: "Katharina Hohenlohe-Langenburg",
        Field.ADDRESS: f"{os.urandom(2).hex()} Evergreen Terrace\nApartment 12",
        Field.POSTCODE: "62701",
        Field.LOCALITY: "Springfield",
        Field.COUNTRY: "US",
        Field.PHONE: "+1 555 0100 200",
    }
    return privacy.put(fields, kind=Kind.ADDRESSEE, by=actions.machinery(), account=owner.id)


def looked(token: VaultToken, owner: Person) -> None:
    """Let the house open an entry."""
    with privacy.reveal(
        token,
        [Field.NAME, Field.ADDRESS, Field.POSTCODE, Field.LOCALITY],
        purpose=Purpose.LETTER,
        by=actions.machinery(),
    ):
        pass


def holds(page: Page, axe: str, width: int, name: str, scheme: str) -> None:
    """Assert what must be true of every screen, and take its picture."""
    assert violations(page, axe) == [], page.url
    assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{page.url} scrolls sideways"
    assert page.locator("h1").count() == 1, page.url
    picture(
        page, f"my-data-{name}-{width}-{scheme}", kept=scheme == "light" and name in {"overview", "looks", "answer"}
    )


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_person_sees_corrects_takes_along_and_restricts(
    opened: Any, enter: Any, live_url: str, axe: str, width: int, scheme: str
) -> None:
    anna = enter(Role.ADDRESSEE)
    token = apart(lambda: home(anna.person))
    apart(lambda: looked(token, anna.person))
    page = opened(width, WIDTHS[width], color_scheme=scheme, storage_state=anna.cookies)
    page.goto(f"{live_url}/app/")
    page.click("text=My data")
    page.wait_for_selector("text=K. H****")
    holds(page, axe, width, "overview", scheme)
    page.click("text=See who looked")
    page.wait_for_selector("text=opened your name and address to print a letter to you on")
    holds(page, axe, width, "looks", scheme)
    page.goto(f"{live_url}/app/my-data/held")
    page.wait_for_selector("text=Katharina Hohenlohe-Langenburg")
    holds(page, axe, width, "held", scheme)
    page.goto(f"{live_url}/app/my-data/looks")
    page.wait_for_selector("text=You opened your own")
    page.goto(f"{live_url}/app/my-data/correct")
    page.click("text=Continue")
    page.wait_for_selector("text=Choose what is wrong.")
    holds(page, axe, width, "correct-none", scheme)
    page.check(f"input[value='{token}:name']")
    page.press(f"input[value='{token}:name']", "Enter")
    page.wait_for_selector("text=What is it really?")
    page.press("#name", "Enter")
    page.wait_for_selector("#name-error")
    holds(page, axe, width, "correct-empty", scheme)
    page.fill("#name", "Katharina Hohenlohe")
    page.press("#name", "Enter")
    page.wait_for_selector("text=Is this right?")
    holds(page, axe, width, "correct-sure", scheme)
    page.click("text=Correct it")
    page.wait_for_selector("text=It is corrected")
    page.goto(f"{live_url}/app/my-data/export")
    holds(page, axe, width, "export", scheme)
    with page.expect_download() as download:
        page.click("text=Download my data")
    given = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    assert (given["schema"], given["schema_version"]) == ("parcelward.my-data", 1)
    assert "Katharina Hohenlohe" in [entry["fields"].get("name") for entry in given["entries"]]
    assert given["looks"][0] | {"at": ""} == {
        "at": "",
        "by": "you",
        "purpose": "own_data",
        "fields": given["looks"][0]["fields"],
        "about": "export",
        "searched": False,
    }
    assert given["account"]["id"] == str(anna.person.id)
    page.goto(f"{live_url}/app/my-data/restrict")
    holds(page, axe, width, "restrict", scheme)
    page.click("button:has-text('Leave my data alone')")
    page.wait_for_selector("text=Your data is left alone from now on.")
    holds(page, axe, width, "restricted", scheme)
    page.click("text=Let my data be used again")
    holds(page, axe, width, "end", scheme)
    page.click("button:has-text('Let my data be used again')")
    page.wait_for_selector("text=It is ended.")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_objection_and_an_erasure_are_answered_by_two_people(
    opened: Any, enter: Any, admin: Someone, inspector: Someone, live_url: str, axe: str, width: int, scheme: str
) -> None:
    ben = enter(Role.ADDRESSEE)
    apart(lambda: home(ben.person))
    page = opened(width, WIDTHS[width], color_scheme=scheme, storage_state=ben.cookies)
    page.goto(f"{live_url}/app/my-data/object")
    page.click("main button[type=submit]")
    page.wait_for_selector("text=Choose what you object to.")
    holds(page, axe, width, "object-none", scheme)
    page.check("#subject-1")
    page.press("#subject-1", "Enter")
    page.wait_for_selector("text=Your objection is noted.")
    page.goto(f"{live_url}/app/my-data/erase")
    holds(page, axe, width, "erase", scheme)
    page.click("text=Ask to erase everything")
    page.wait_for_selector("text=Tick the box")
    holds(page, axe, width, "erase-not-sure", scheme)
    page.check("#sure")
    page.press("#sure", "Enter")
    page.wait_for_selector("text=Your request is noted.")
    holds(page, axe, width, "asked", scheme)
    erasure, objection = apart(lambda: queries.requests_of(by=ben.person))
    desk = opened(width, WIDTHS[width], color_scheme=scheme, storage_state=admin.cookies)
    desk.goto(f"{live_url}/app/")
    desk.click("text=Requests about personal data")
    holds(desk, axe, width, "queue", scheme)
    desk.goto(f"{live_url}/app/desk/rights/{objection.request_id}")
    holds(desk, axe, width, "answer", scheme)
    desk.click("button:has-text('Refuse')")
    desk.wait_for_selector("text=Choose the reason for refusing.")
    desk.select_option("#refuse-reason", "compelling_grounds")
    desk.click("button:has-text('Refuse')")
    desk.wait_for_selector("text=Note this decision?")
    holds(desk, axe, width, "answer-sure", scheme)
    desk.click("text=Note it")
    desk.wait_for_selector("text=The person reads it on their own page.")
    for staff in (admin, inspector):
        desk = opened(width, WIDTHS[width], color_scheme=scheme, storage_state=staff.cookies)
        desk.goto(f"{live_url}/app/desk/rights/{erasure.request_id}")
        holds(desk, axe, width, f"erasure-{staff.person.role.value}", scheme)
        desk.click("text=Agree to erase")
        desk.click("text=Note it")
        desk.wait_for_selector("text=Noted.")
    page.goto(f"{live_url}/app/my-data")
    page.wait_for_selector("text=until then you can call it off")
    page.wait_for_selector("text=There are compelling reasons to go on")
    page.goto(f"{live_url}/my-data/erased/{erasure.request_id}")
    holds(page, axe, width, "erased", scheme)
    page.goto(f"{live_url}/app/my-data")
    page.click("text=Keep my data after all")
    page.click("button:has-text('Keep my data after all')")
    page.wait_for_selector("text=It is ended.")
    assert apart(lambda: queries.requests_of(by=ben.person))[0].state is RequestState.WITHDRAWN


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_yet_says_what_will_appear(opened: Any, admin: Someone, live_url: str, axe: str, width: int) -> None:
    page = opened(width, WIDTHS[width], storage_state=admin.cookies)
    for address in ("looks", "correct", "erase"):
        page.goto(f"{live_url}/app/my-data/{address}")
        holds(page, axe, width, f"empty-{address}", "light")


def test_strangers_reach_nothing(enter: Any, live_url: str, installation: Any) -> None:
    anna, mine = enter(Role.ADDRESSEE), PasskeyBrowser(live_url)
    stranger = signed_in_as(mine, Role.ADDRESSEE, installation)
    request = apart(lambda: privacy.object_to(Subject.NOTICES, by=anna.person))
    token = apart(lambda: home(anna.person))
    assert mine.http.get("/app/desk/rights").status_code == 404
    assert mine.http.get(f"/app/desk/rights/{request}").status_code == 404
    assert mine.http.get(f"/app/my-data/requests/{request}/end").status_code in {403, 404}
    assert mine.http.get(f"/my-data/erased/{request}").status_code == 404
    answer = mine.post(
        "/app/my-data/correct", "/app/my-data/correct", what=f"{token}:name", name="x", typed="yes", sure="yes"
    )
    assert answer.status_code == 422
    assert apart(lambda: queries.looks([token], by=anna.person)) == ()
    assert stranger.id != anna.person.id
    mine.http.close()


def test_what_is_sensitive_asks_for_a_fresh_proof(live_url: str, installation: Any) -> None:
    import datetime as dt

    from parcelward.people.models import SignedIn

    mine = PasskeyBrowser(live_url)
    person = signed_in_as(mine, Role.ADDRESSEE, installation)
    old = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=11)
    apart(lambda: SignedIn.objects.filter(user=person.id).update(proved_at=old))
    for address in ("held", "correct", "export", "restrict", "object", "erase"):
        answer = mine.http.get(f"/app/my-data/{address}")
        assert answer.status_code == 302, address
        assert "/app/account/prove" in answer.headers["location"]
    mine.http.close()
