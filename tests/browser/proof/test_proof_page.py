"""The proof page in a real Chromium over a real installation: what holds, and what must not pass unnoticed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.db import connections
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page, Route
from scripts import build_verify_html
from tests.custody.sample_bundle import edit, made, resigned, written
from tests.custody.sample_log import STEPS, WITNESSED_AT_S, Item, SampleLog, witness
from tests.scanner import Scanner, event, new_number, until

from parcelward.custody import notes
from parcelward.custody.keys import KeyName, SignatureType, Signer
from parcelward.custody.models import Erasure
from parcelward.parcels import actions, queries
from parcelward.people.wire import Person, Role

pytestmark = pytest.mark.browser
WITHOUT_ED25519 = """const importKey = SubtleCrypto.prototype.importKey;
SubtleCrypto.prototype.importKey = function (format, data, algorithm, ...rest) {
  if ((algorithm.name ?? algorithm) === "Ed25519") {
    return Promise.reject(new DOMException("Unrecognized name.", "NotSupportedError"));
  }
  return importKey.call(this, format, data, algorithm, ...rest);
};"""
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


def erase(number: str) -> None:
    """Destroy the parcel's secret, as two people do."""
    item = queries.find(number)
    assert item is not None
    anna, ben = (Person(uuid.uuid4(), Role.INSPECTOR, source, "x") for source in (900_021, 900_022))
    erasure = actions.request_erasure(item, "asked for", by=anna)
    actions.approve_erasure(erasure, by=ben)
    Erasure.objects.filter(pk=erasure).update(not_before=timezone.now())
    actions.erase(erasure, by=ben)
    connections.close_all()


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
    assert not page.is_visible("text=What this proves"), "nothing is claimed beside an alarm"


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
        said = page.inner_text("#said")
        assert said.startswith(
            "1. This history was recorded: Proven. 2. The record only ever grew: Nothing to compare."
        )
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
        made = httpx.post(f"{live_url}/api/v1/items/{parcel}/links", headers=installation.headers, timeout=30)
        assert made.headers["Cache-Control"] == "no-store"
        fragment = made.json()["url"].partition("#k=")[2]
        program = [sys.executable, "-m", "parcelward.doors.console", "link", parcel]
        assert subprocess.check_output(program, text=True).strip() == made.json()["url"], "the console makes the same"
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url + str(request.headers)))
        page.goto(made.json()["url"])
        page.wait_for_selector('#proof[data-state="done"]')
        said = page.inner_text("#addressee-parts")
        assert said == 'Event 1: weighed: 1,200 g {"size_mm":null,"weight_g":1200}'
        assert not any(fragment in each for each in asked), "the key left the browser"

    def test_a_browser_without_ed25519_is_told_who_checked(self, page: Page, live_url: str, parcel: str) -> None:
        assert visit(page, live_url, parcel) == "done"
        assert not page.is_visible("#fallback")
        page.add_init_script(WITHOUT_ED25519)
        assert visit(page, live_url, parcel) == "done"
        assert states(page)[0] == "good"
        assert "cannot check Ed25519 signatures itself" in page.inner_text("#fallback")

        def forge(route: Route) -> None:
            answer = route.fetch()
            origin, size, *rest = answer.text().split("\n")
            route.fulfill(response=answer, body="\n".join([origin, str(int(size) + 1), *rest]))

        page.route("**/log/checkpoint", forge)
        visit(page, live_url, parcel)
        alarmed(page, "A signature on the record is false", 1)

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
                "size => { const [[key, held]] = Object.entries(localStorage); const seen = JSON.parse(held);"
                " localStorage.setItem(key, JSON.stringify({ ...seen, size, root: 'ab'.repeat(32) })); }",
                size,
            )
            visit(page, live_url, parcel)
            alarmed(page, words, 2)
        page.click("#forget")  # only a test system that was set up anew may be forgiven, and only by hand
        page.wait_for_selector('#proof[data-state="done"]')
        assert "has not been here before" in page.inner_text("#step-2")

    def test_a_log_of_another_name_is_no_fresh_start(self, page: Page, live_url: str, parcel: str) -> None:
        """A dishonest operator cannot begin a new log beside the one that this browser knows."""
        assert visit(page, live_url, parcel) == "done"
        other = Signer(KeyName("other.example/log"), SignatureType.ED25519, bytes(32))
        size, root = httpx.get(f"{live_url}/log/checkpoint", timeout=30).text.split("\n")[1:3]
        note = notes.sign(f"other.example/log\n{size}\n{root}\n", [other])
        page.route("**/log/checkpoint", lambda route: route.fulfill(body=note, content_type="text/plain"))
        alter_proofs(page, lambda proofs: proofs.update(origin="other.example/log", vkeys=[other.verifier.vkey]))
        visit(page, live_url, parcel)
        alarmed(page, "The record is not the one that it should be", 2)
        assert "other.example/log" in page.inner_text("#alert-figures")

    def test_an_event_that_this_browser_saw_cannot_be_held_back_or_exchanged(
        self, page: Page, live_url: str, parcel: str
    ) -> None:
        assert visit(page, live_url, parcel) == "done"
        assert "It now remembers the entries of this parcel, too." in page.inner_text("#step-2")
        assert visit(page, live_url, parcel) == "done"
        assert "Of this parcel it saw 4 entries before: they are the same today." in page.inner_text("#step-2")

        def without_the_newest(route: Route) -> None:
            answer = route.fetch()
            head, mark, rest = answer.text().partition("<tr data-event=")
            assert mark
            route.fulfill(response=answer, body=head + rest.partition("</tr>")[2])

        def shorter(proofs: dict[str, Any]) -> None:
            proofs["events"].pop()
            proofs["events_total"] -= 1

        page.route(f"**/track/{parcel}/proof", without_the_newest)
        alter_proofs(page, shorter)
        visit(page, live_url, parcel)
        alarmed(page, "saw other entries before: they were taken out or exchanged", 2)
        page.unroute_all()
        page.evaluate(
            "() => { const [[key, held]] = Object.entries(localStorage); const seen = JSON.parse(held);"
            " for (const known of Object.values(seen.parcels)) known[1] = 'ab'.repeat(32);"
            " localStorage.setItem(key, JSON.stringify(seen)); }"
        )
        visit(page, live_url, parcel)  # as if the entry at that place had been another one then
        alarmed(page, "saw other entries before: they were taken out or exchanged", 2)

    def test_another_parcel_under_a_number_that_this_browser_knows_is_said(
        self, page: Page, live_url: str, parcel: str
    ) -> None:
        """Numbers are used again, so it is no failure; but a second history for the same label must not pass unsaid."""
        assert visit(page, live_url, parcel) == "done"
        page.evaluate(
            "() => { const [[key, held]] = Object.entries(localStorage); const seen = JSON.parse(held);"
            " seen.parcels = { itm_earlier: Object.values(seen.parcels)[0] };"
            " localStorage.setItem(key, JSON.stringify(seen)); }"
        )
        assert visit(page, live_url, parcel) == "done"
        assert states(page)[:2] == ["good", "limited"]
        assert "this browser saw another parcel before" in page.inner_text("#step-2")

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

    def test_a_history_that_is_only_said_to_be_destroyed(self, page: Page, live_url: str, parcel: str) -> None:
        """The operator hides what happened behind a destruction that never was; or behind another parcel's."""
        tombstone: dict[str, Any] = {}

        def shred(proofs: dict[str, Any]) -> None:
            rows = [
                {**{k: each[k] for k in ("event_id", "log_index", "commitment")}, "public": None}
                for each in proofs["events"]
            ]
            proofs.update(shredded=True, events=rows, tombstone=tombstone or None)

        alter_proofs(page, shred)
        visit(page, live_url, parcel)
        alarmed(page, "the record has no entry that says so", 1)
        body = {"events": 4, "item": str(uuid.uuid4()), "kind": "custody.tombstone"}
        tombstone.update(body=json.dumps(body), salt="00" * 32, log_index=1, commitment="00" * 32)
        visit(page, live_url, parcel)
        alarmed(page, "the record has no entry that says so", 1)
        item = httpx.get(f"{live_url}/api/v1/items/{parcel}/proofs", timeout=30).json()["item_id"].removeprefix("itm_")
        tombstone.update(body=json.dumps(body | {"item": item}))
        visit(page, live_url, parcel)
        alarmed(page, "not in the public record", 1)

    def test_a_destroyed_history_says_so_and_shows_the_entry_that_destroyed_it(
        self, page: Page, live_url: str, scanner: Scanner
    ) -> None:
        number = new_number()
        scanner.send(event(number, "accepted"), event(number, "left_sorting", minutes=1))
        published(live_url, number, 2)
        assert visit(page, live_url, number) == "done"
        with ThreadPoolExecutor(1) as apart:  # the browser's driver keeps an event loop in this thread
            apart.submit(erase, number).result()
        assert visit(page, live_url, number) == "done"
        assert states(page)[0] == "limited"
        assert "nobody can open any more: 2 of 2" in page.inner_text("#step-1")
        assert "found there, unchanged: 2" in page.inner_text("#step-1")
        assert page.is_visible("#shredded")
        assert page.eval_on_selector(".pw-seal__wax", "wax => getComputedStyle(wax).fill") == "none"
        page.click("#step-1 summary")
        assert '"kind":"custody.tombstone"' in page.inner_text("#step-1 pre")
        assert "Of this parcel it saw 2 entries before" in page.inner_text("#step-2")

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
        page.wait_for_function("() => !['', 'Checking'].includes(document.getElementById('result').textContent)")
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

    def test_it_says_when_its_own_lines_checked_the_signatures(self, page: Page, tmp_path: Path) -> None:
        log, item = SampleLog(), Item("one")
        for step in STEPS:
            log.record(item, step)
        held = tmp_path / "bundle.zip"
        held.write_bytes(written(log, made(log, item)))
        assert self.check(page, held).startswith("Everything holds: bundle")
        assert "cannot check Ed25519" not in page.inner_text("#facts")
        page.add_init_script(WITHOUT_ED25519)
        assert self.check(page, held).startswith("Everything holds: bundle")
        assert "This browser cannot check Ed25519 signatures itself" in page.inner_text("#facts")

    def test_it_asks_nobody(self, page: Page, tmp_path: Path) -> None:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        held = tmp_path / "nothing"
        held.write_bytes(b"nothing")
        assert self.check(page, held).startswith("This does not hold.")
        assert asked == [build_verify_html.TARGET.as_uri()]
