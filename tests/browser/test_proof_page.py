"""The proof page in a real Chromium over a real installation: what holds, and what must not pass unnoticed."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route
from scripts import build_verify_html
from tests.custody.sample_bundle import edit, made, resigned, written
from tests.custody.sample_log import STEPS, WITNESSED_AT_S, Item, SampleLog, witness
from tests.scanner import Scanner, event, new_number, until

from parcelward.custody import notes
from parcelward.custody.keys import Signer

pytestmark = pytest.mark.browser
SETTLED = '#proof:not([data-state="new"]):not([data-state="checking"])'


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    held = chromium.new_context(viewport={"width": 375, "height": 800}, locale="en-GB", accept_downloads=True)
    yield held
    held.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A page that fails its test when the console shows an error, such as a refusal by the CSP."""
    opened = context.new_page()
    opened.on("pageerror", lambda error: pytest.fail(f"script error: {error}"))
    return opened


@pytest.fixture(scope="module")
def scanner(installation: Any, facilities: tuple[str, ...]) -> Scanner:
    return Scanner(installation, name="proof page scanner")


@pytest.fixture(scope="module")
def parcel(scanner: Scanner) -> str:
    """A parcel of four events, one of them a correction, all in a published checkpoint."""
    number = new_number()
    wrong = event(number, "out_for_delivery", minutes=10, facility="TEST-B")
    correction = {"event_id": wrong["event_id"], "declares": "did_not_occur", "reason": "wrong parcel"}
    scanner.send(
        event(number, "accepted", weight_g=1200),
        event(number, "at_delivery_office", minutes=5, facility="TEST-B"),
        wrong,
    )
    scanner.send(event(number, "out_for_delivery", minutes=11, facility="TEST-B", corrects=correction))
    return published(scanner.url, number, 4)


def published(url: str, number: str, events: int) -> str:
    """Return the number once that many of its events are in the log."""

    def covered() -> bool:
        proofs = httpx.get(f"{url}/api/v1/items/{number}/proofs", timeout=30).json()
        return len(proofs["events"]) == events and all(each["log_index"] is not None for each in proofs["events"])

    until(covered)
    return number


def visit(page: Page, url: str, number: str, fragment: str = "") -> str:
    """Open the proof page, wait until it has said what it has to say, and return its state."""
    page.goto(f"{url}/track/{number}/proof{fragment}")
    page.wait_for_selector(SETTLED, timeout=30_000)
    return page.get_attribute("#proof", "data-state") or ""


def states(page: Page) -> list[str]:
    return [page.get_attribute(f"#step-{number}", "data-state") or "" for number in (1, 2, 3)]


def alter_proofs(page: Page, change: Any) -> None:
    """Let the server's proofs answer arrive changed."""

    def answer(route: Route) -> None:
        proofs = route.fetch().json()
        change(proofs)
        route.fulfill(json=proofs)

    page.route("**/api/v1/items/*/proofs", answer)


def cosigned(url: str, *witnesses: Signer) -> Any:
    """Return an answer to /log/checkpoint/witnessed: the newest checkpoint, signed by these witnesses."""

    def answer(route: Route) -> None:
        note = httpx.get(f"{url}/log/checkpoint", timeout=30).content
        text = notes.parse(note).text
        lines = [notes.signature(text, each, timestamp_s=WITNESSED_AT_S) for each in witnesses]
        route.fulfill(body=notes.add_signatures(note, lines), content_type="text/plain")

    return answer


def alarmed(page: Page, words: str, step: int) -> None:
    """Assert that the failure is red, comes first, says whom to tell, and that nothing after it is called proven."""
    assert page.get_attribute("#proof", "data-state") == "failed"
    alert = page.locator("#alert")
    assert words in alert.inner_text()
    assert "tell somebody who does not work for" in alert.inner_text()
    assert alert.evaluate("e => getComputedStyle(e).borderTopColor") == "rgb(179, 38, 30)"
    above, below = (page.locator(name).evaluate("e => e.getBoundingClientRect().top") for name in ("#alert", "#step-1"))
    assert above < below
    assert states(page)[step - 1] == "bad"
    assert "good" not in states(page)[step - 1 :]


class TestHonest:
    def test_three_steps_are_run_and_the_second_visit_compares(
        self, page: Page, live_url: str, scanner: Scanner, parcel: str
    ) -> None:
        assert visit(page, live_url, parcel) == "done"
        assert states(page) == ["good", "limited", "limited"]
        assert "4 of 4" in page.inner_text("#step-1")
        assert "has not been here before" in page.inner_text("#step-2")
        assert "nobody outside vouches" in page.inner_text("#step-3")
        assert not page.is_visible("#alert")
        seen = page.evaluate("JSON.parse(Object.values(localStorage)[0]).size")
        scanner.send(event(new_number(), "accepted"))
        checkpoint = f"{live_url}/log/checkpoint"
        until(lambda: int(httpx.get(checkpoint, timeout=30).text.split("\n")[1]) > seen)
        assert visit(page, live_url, parcel) == "done"
        assert states(page) == ["good", "good", "limited"]
        assert "the record only grew: from" in page.inner_text("#step-2")

    def test_the_figures_are_there_for_who_looks_closer(self, page: Page, live_url: str, parcel: str) -> None:
        visit(page, live_url, parcel)
        proofs = httpx.get(f"{live_url}/api/v1/items/{parcel}/proofs", timeout=30).json()
        page.click("#step-1 summary")
        for each in proofs["events"]:
            assert each["commitment"] in page.inner_text("#step-1 pre")

    def test_a_corrected_entry_and_its_correction_are_both_shown(self, page: Page, live_url: str, parcel: str) -> None:
        visit(page, live_url, parcel)
        table = page.inner_text("#shown")
        assert "declared wrong by a later correction" in table
        assert "this entry corrects another one" in table
        assert page.locator("[data-event]").count() == 4

    def test_it_fits_a_small_telephone_and_says_who_made_it(self, page: Page, live_url: str, parcel: str) -> None:
        visit(page, live_url, parcel)
        assert page.evaluate("document.documentElement.scrollWidth") <= 375
        text = page.inner_text("main")
        for words in ("This page came from", "What this proves", "What it does not prove", "verify.html"):
            assert words in text
        assert len(page.inner_text("#verifier-hash").strip()) == 64

    def test_new_events_are_being_recorded_then_proven(self, page: Page, live_url: str, parcel: str) -> None:
        calls: list[int] = []

        def late(proofs: dict[str, Any]) -> None:
            calls.append(1)
            if len(calls) == 1:
                proofs["events"][3]["log_index"] = None

        alter_proofs(page, late)
        assert visit(page, live_url, parcel) == "done"
        assert len(calls) == 2

    def test_witnesses_that_signed_are_counted(self, page: Page, live_url: str, parcel: str) -> None:
        keys = [witness(number).verifier.vkey for number in (1, 2, 3)]
        alter_proofs(page, lambda proofs: proofs.update(witness_quorum=2, witness_vkeys=keys))
        page.route("**/log/checkpoint/witnessed", cosigned(live_url, witness(1), witness(3)))
        assert visit(page, live_url, parcel) == "done"
        assert states(page) == ["good", "limited", "good"]
        assert "2 of 3; last at 2026-11-18" in page.inner_text("#step-3")

    def test_the_addressees_link_opens_what_is_theirs(
        self, page: Page, live_url: str, installation: Any, parcel: str
    ) -> None:
        item = httpx.get(f"{live_url}/api/v1/items/{parcel}/proofs", timeout=30).json()["item_id"]
        program = (
            "import django, uuid; django.setup(); from parcelward.custody import queries;"
            f" item = uuid.UUID(hex={item.removeprefix('itm_')!r});"
            " print(queries.item_keys([item])[item].key('addressee').hex())"
        )
        key = bytes.fromhex(subprocess.check_output([sys.executable, "-c", program], text=True).strip())
        fragment = base64.urlsafe_b64encode(key).decode().rstrip("=")
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url + str(request.headers)))
        assert visit(page, live_url, parcel, f"#k={fragment}") == "done"
        assert page.inner_text("#addressee-parts") == 'Event 1: {"size_mm":null,"weight_g":1200}'
        assert not any(fragment in each for each in asked), "the key left the browser"

    def test_without_a_script_it_says_what_it_would_do(self, chromium: Browser, live_url: str, parcel: str) -> None:
        context = chromium.new_context(java_script_enabled=False)
        page = context.new_page()
        page.goto(f"{live_url}/track/{parcel}/proof")
        assert "With JavaScript, this page would now" in page.inner_text("main")
        assert not page.is_visible("#steps")
        assert "Proven" not in page.inner_text("main")
        hrefs = page.eval_on_selector_all("#without-script a", "links => links.map(link => link.href)")
        assert [httpx.get(href, timeout=30).status_code for href in hrefs] == [200, 200]
        context.close()

    def test_an_unknown_parcel_is_not_found(self, live_url: str) -> None:
        for name in (new_number(), f"itm_{uuid.uuid4().hex}", "nonsense"):
            assert httpx.get(f"{live_url}/track/{name}/proof", timeout=30).status_code == 404


class TestAttacks:
    def test_an_event_that_was_changed_in_the_proofs(self, page: Page, live_url: str, parcel: str) -> None:
        alter_proofs(page, lambda proofs: proofs["events"][1]["public"].update(salt="00" * 32))
        visit(page, live_url, parcel)
        alarmed(page, "An event was changed after it was recorded", 1)
        assert page.evaluate("localStorage.length") == 0

    def test_an_event_that_was_taken_out(self, page: Page, live_url: str, parcel: str) -> None:
        alter_proofs(page, lambda proofs: proofs["events"].pop(1))
        visit(page, live_url, parcel)
        alarmed(page, "Events are missing", 1)

    @pytest.mark.parametrize(
        ("shown", "instead"),
        [
            ("<code>TEST-B</code>", "<code>TEST-A</code>"),
            (">At your post office<", ">Delivered<"),
            (":00 UTC", ":01 UTC"),
        ],
    )
    def test_a_page_that_shows_something_else(
        self, page: Page, live_url: str, parcel: str, shown: str, instead: str
    ) -> None:
        def altered(route: Route) -> None:
            answer = route.fetch()
            assert shown in answer.text()
            route.fulfill(response=answer, body=answer.text().replace(shown, instead))

        page.route(f"**/track/{parcel}/proof", altered)
        visit(page, live_url, parcel)
        alarmed(page, "What this page shows is not what was recorded", 1)

    def test_a_row_that_is_hidden_or_marked_otherwise(self, page: Page, live_url: str, parcel: str) -> None:
        def altered(route: Route) -> None:
            answer = route.fetch()
            head, mark, rest = answer.text().partition("<tr data-event=")
            route.fulfill(response=answer, body=head + rest.partition("</tr>")[2] if mark else answer.text())

        page.route(f"**/track/{parcel}/proof", altered)
        visit(page, live_url, parcel)
        alarmed(page, "What this page shows is not what was recorded", 1)

    def test_another_parcels_history(self, page: Page, live_url: str, scanner: Scanner, parcel: str) -> None:
        other = new_number()
        scanner.send(event(other, "accepted"))
        published(live_url, other, 1)
        answer = httpx.get(f"{live_url}/api/v1/items/{other}/proofs", timeout=30).json()
        page.route("**/api/v1/items/*/proofs", lambda route: route.fulfill(json=answer))
        visit(page, live_url, parcel)
        alarmed(page, "What this page shows is not what was recorded", 1)

    def test_another_parcels_history_under_this_number(
        self, page: Page, live_url: str, scanner: Scanner, parcel: str
    ) -> None:
        """The operator alters page and proofs alike: genuine events of one parcel under the number of another."""
        other = new_number()
        scanner.send(event(other, "accepted"))
        published(live_url, other, 1)

        def renamed(route: Route) -> None:
            answer = route.fetch(url=f"{live_url}/track/{other}/proof")
            spelled = re.sub(r'(<span class="pw-number" dir="ltr">)[^<]*', rf"\g<1>{parcel}", answer.text())
            route.fulfill(response=answer, body=spelled)

        page.route(f"**/track/{parcel}/proof", renamed)
        visit(page, live_url, parcel)
        alarmed(page, "What this page shows is not what was recorded", 1)
        alter_proofs(page, lambda proofs: proofs.update(number=parcel))
        visit(page, live_url, parcel)
        alarmed(page, "belong to another parcel", 1)

    def test_a_damaged_log_and_a_false_signature(self, page: Page, live_url: str, parcel: str) -> None:
        def flip(route: Route) -> None:
            answer = route.fetch()
            body = bytearray(answer.body())
            body[:] = bytes(byte ^ 1 for byte in body)
            route.fulfill(response=answer, body=bytes(body))

        page.route("**/log/tile/**", flip)
        visit(page, live_url, parcel)
        alarmed(page, "not in the public record", 1)
        page.unroute("**/log/tile/**")

        def forge(route: Route) -> None:
            answer = route.fetch()
            origin, size, *rest = answer.text().split("\n")
            route.fulfill(response=answer, body="\n".join([origin, str(int(size) + 1), *rest]))

        page.route("**/log/checkpoint", forge)
        visit(page, live_url, parcel)
        alarmed(page, "A signature on the record is false", 1)

    def test_a_log_that_shrank_or_forked_since_the_last_visit(self, page: Page, live_url: str, parcel: str) -> None:
        assert visit(page, live_url, parcel) == "done"
        for size, words in ((10**6, "shorter than it was"), (1, "old entries were changed")):
            page.evaluate(
                "size => { const key = Object.keys(localStorage)[0];"
                " localStorage.setItem(key, JSON.stringify({ size, root: 'ab'.repeat(32) })); }",
                size,
            )
            visit(page, live_url, parcel)
            alarmed(page, words, 2)
        page.click("#forget")  # only a test system that was set up anew may be forgiven, and only by hand
        page.wait_for_selector('#proof[data-state="done"]')
        assert "has not been here before" in page.inner_text("#step-2")

    def test_a_promised_witness_that_did_not_sign(self, page: Page, live_url: str, parcel: str) -> None:
        alter_proofs(page, lambda proofs: proofs.update(witness_quorum=1, witness_vkeys=[witness(1).verifier.vkey]))
        page.route("**/log/checkpoint/witnessed", cosigned(live_url, witness(2)))
        visit(page, live_url, parcel)
        alarmed(page, "Too few independent witnesses", 3)
        assert page.evaluate("localStorage.length") == 0

    def test_a_log_that_does_not_answer_is_not_a_failure_and_not_a_proof(
        self, page: Page, live_url: str, parcel: str
    ) -> None:
        page.route("**/log/checkpoint", lambda route: route.abort())
        assert visit(page, live_url, parcel) == "failed"
        assert states(page) == ["unknown"] * 3
        assert "could not be checked just now" in page.inner_text("#alert")
        assert "tell somebody" not in page.inner_text("#alert")
        page.unroute("**/log/checkpoint")
        page.click("#again")
        page.wait_for_selector('#proof[data-state="done"]')
        assert not page.is_visible("#alert")

    def test_a_destroyed_history_says_so(self, page: Page, live_url: str, parcel: str) -> None:
        def shred(proofs: dict[str, Any]) -> None:
            rows = [
                {**{k: each[k] for k in ("event_id", "log_index", "commitment")}, "public": None}
                for each in proofs["events"]
            ]
            proofs.update(shredded=True, events=rows)

        alter_proofs(page, shred)
        visit(page, live_url, parcel)
        assert states(page)[0] == "limited"
        assert "nobody can open any more: 4 of 4" in page.inner_text("#step-1")
        assert "found there, unchanged: 4" in page.inner_text("#step-1")
        assert page.is_visible("#shredded")

    def test_a_wrong_link_opens_nothing(self, page: Page, live_url: str, parcel: str) -> None:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url + str(request.headers)))
        visit(page, live_url, parcel, "#k=" + "A" * 43)
        alarmed(page, "does not fit your link", 1)
        assert not page.is_visible("#addressee")
        assert not any("A" * 43 in each for each in asked), "the key left the browser"


class TestOffline:
    def check(self, page: Page, held: Path) -> str:
        page.goto(build_verify_html.TARGET.as_uri())
        page.set_input_files("#file", str(held))
        page.wait_for_function("!['', 'Checking'].includes(document.getElementById('result').textContent)")
        return page.inner_text("#result")

    def test_a_kept_proof_is_checked_from_the_disk(
        self, page: Page, live_url: str, parcel: str, tmp_path: Path
    ) -> None:
        visit(page, live_url, parcel)
        with page.expect_download() as download:
            page.click("#keep")
        held = tmp_path / "proof.json"
        download.value.save_as(held)
        assert self.check(page, held).startswith("Everything holds: saved proof")
        assert "4 of 4 events" in page.inner_text("#facts")
        saved = json.loads(held.read_text(encoding="utf-8"))
        saved["proofs"]["events"][0]["public"]["canon"] = saved["proofs"]["events"][0]["public"]["canon"].replace(
            "-A", "-B"
        )
        held.write_text(json.dumps(saved), encoding="utf-8")
        assert self.check(page, held).startswith("This does not hold.")
        assert not page.is_visible("#found")

    def test_a_bundle_is_checked_from_the_disk(self, page: Page, tmp_path: Path) -> None:
        log, item = SampleLog(), Item("one")
        for step in STEPS:
            log.record(item, step)
        data = written(log, made(log, item))
        held = tmp_path / "bundle.zip"
        held.write_bytes(data)
        assert self.check(page, held).startswith("Everything holds: bundle")
        assert page.locator("#events tr").count() == 6
        held.write_bytes(resigned(log, data, edit("events/itm_one/000002.json", body_hash="00" * 32)))
        assert "events/itm_one/000002.json" in self.check(page, held)

    def test_it_asks_nobody(self, page: Page, tmp_path: Path) -> None:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        held = tmp_path / "nothing"
        held.write_bytes(b"nothing")
        assert self.check(page, held).startswith("This does not hold.")
        assert asked == [build_verify_html.TARGET.as_uri()]
