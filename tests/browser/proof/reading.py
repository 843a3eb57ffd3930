"""How the tests read the proof page and alter what it is told."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import httpx
from django.db import connections
from django.utils import timezone
from playwright.sync_api import Page, Route
from tests.custody.sample_log import WITNESSED_AT_S
from tests.scanner import until

from parcelward.custody import notes, shredding
from parcelward.custody.keys import Signer
from parcelward.parcels import actions, queries
from parcelward.people.wire import Person, Role

WITHOUT_ED25519 = """const importKey = SubtleCrypto.prototype.importKey;
SubtleCrypto.prototype.importKey = function (format, data, algorithm, ...rest) {
  if ((algorithm.name ?? algorithm) === "Ed25519") {
    return Promise.reject(new DOMException("Unrecognized name.", "NotSupportedError"));
  }
  return importKey.call(this, format, data, algorithm, ...rest);
};"""
SETTLED = '#proof:not([data-state="new"]):not([data-state="checking"])'


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
    shredding.approve(erasure, by=ben.source, now=timezone.now(), wait=dt.timedelta(0))
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
