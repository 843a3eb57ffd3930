"""The proof page in a real Chromium over a real installation: what must not pass unnoticed."""

from __future__ import annotations

import json
import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from django.db import connections
from playwright.sync_api import Page, Route
from tests.browser.proof.reading import (
    alarmed,
    alter_proofs,
    cosigned,
    erase,
    published,
    states,
    visit,
)
from tests.custody.sample_log import witness
from tests.scanner import Scanner, event, new_number

from parcelward.custody import notes
from parcelward.custody.keys import KeyName, SignatureType, Signer
from parcelward.parcels import queries

pytestmark = pytest.mark.browser


def edit_correction(parcel: str, edit: str, *values: Any) -> Any:
    """Change what the parcel's fourth event, a correction, says that it corrects; return what it said."""
    item = queries.find(parcel)
    with connections["default"].cursor() as cur:
        cur.execute("SELECT corrects FROM parcels_scan_event WHERE item = %s AND item_seq = 4", (item,))
        (before,) = cur.fetchone()
        cur.execute(f"UPDATE parcels_scan_event e SET {edit} WHERE item = %s AND item_seq = 4", (*values, item))
    connections.close_all()
    return before


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

    @pytest.mark.parametrize(
        "edit",
        [
            "corrects = (SELECT event_id FROM parcels_scan_event x WHERE x.item = e.item AND x.item_seq = 1)",
            "corrects = NULL",
        ],
    )
    def test_an_entry_that_the_database_strikes_out_or_no_longer_does(
        self, page: Page, live_url: str, parcel: str, edit: str
    ) -> None:
        """Who edits what a correction names could make a delivery look undone; the record says what it named."""
        with ThreadPoolExecutor(1) as apart:  # the browser's driver keeps an event loop in this thread
            before = apart.submit(edit_correction, parcel, edit).result()
            try:
                visit(page, live_url, parcel)
                alarmed(page, "What this page shows is not what was recorded", 1)
            finally:
                apart.submit(edit_correction, parcel, "corrects = %s", before).result()
        assert visit(page, live_url, parcel) == "done"

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
            rest = rest.partition("</tr>")[2].replace(' class="pw-corrected"', "").replace(" data-struck", "")
            route.fulfill(response=answer, body=head + rest)

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
