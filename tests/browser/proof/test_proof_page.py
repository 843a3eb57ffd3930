"""The proof page in a real Chromium over a real installation, and what is kept of it: what holds."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route
from scripts import build_verify_html
from tests.browser.proof.reading import (
    WITHOUT_ED25519,
    alarmed,
    alter_proofs,
    cosigned,
    states,
    visit,
)
from tests.custody.sample_bundle import edit, made, resigned, written
from tests.custody.sample_log import STEPS, Item, SampleLog, witness
from tests.scanner import Scanner, event, new_number, until

pytestmark = pytest.mark.browser


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
        assert said == 'Event 1: weighed: 1,200 g\n{"size_mm":null,"weight_g":1200}'
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

    @pytest.mark.asvs("14.2.3")
    def test_it_asks_nobody(self, page: Page, tmp_path: Path) -> None:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        held = tmp_path / "nothing"
        held.write_bytes(b"nothing")
        assert self.check(page, held).startswith("This does not hold.")
        assert asked == [build_verify_html.TARGET.as_uri()]
