"""Every state that a parcel can be in, and every result of a proof, as their readers see them: usable by everybody."""

from __future__ import annotations

import datetime as dt
import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest
from scripts import build_verify_html
from tests.browser.conftest import hold_up, picture
from tests.browser.proof.reading import erase, published
from tests.custody.sample_bundle import made, written
from tests.custody.sample_log import STEPS, Item, SampleLog
from tests.joined import apart
from tests.scanner import Scanner, event, new_number

from parcelward.people import actions as people
from parcelward.people.wire import Role

pytestmark = pytest.mark.browser

WIDTHS = {1280: 800, 375: 812}
USUAL = ("accepted", "left_sorting", "at_delivery_office", "out_for_delivery")
ABROAD = ("accepted", "left_sorting", "arrived_outward_office", "left_outward_office", "arrived_inward_office")
STATES: dict[str, tuple[str, ...]] = {
    "announced": (),
    "accepted": USUAL[:1],
    "on-its-way": USUAL[:2],
    "abroad": ABROAD,
    "customs": (*ABROAD, "presented_to_customs", "held_by_customs"),
    "office": USUAL[:3],
    "out": USUAL,
    "missed": (*USUAL, "delivery_failed"),
    "collect": (*USUAL, "delivery_failed", "at_collection_point"),
    "released": ("accepted", "held", "released"),
    "returning": (*USUAL, "delivery_failed", "returning"),
    "returned": (*USUAL, "delivery_failed", "returning", "returned"),
    "cancelled": ("accepted", "cancelled"),
    "lost": (*USUAL[:2], "lost"),
    "damaged": (*USUAL[:2], "damaged"),
    "erased": USUAL[:2],
}
PICTURED = ("accepted", "customs", "collect", "returned", "lost", "erased")
PICTURED_DARK = ("collect", "proven")


def _partner_key() -> str:
    return people.make_key("states", Role.PARTNER, by=people.installer(), mode="test", simulated=True)


@pytest.fixture(scope="module")
def journeys(installation: Any, facilities: tuple[str, ...]) -> dict[str, str]:
    """Bring one parcel into each state, through the public API; the erased one as two people do."""
    places = {
        "TEST-OUT": ("Chicago Exchange", "US", "America/Chicago", "Chicago, IL", [-87.9, 41.98]),
        "TEST-IN": ("Frankfurt Exchange", "DE", "Europe/Berlin", "Frankfurt am Main", [8.57, 50.03]),
    }
    for code, (name, country, zone, coarse, position) in places.items():
        place = {"name": name, "kind": "exchange", "country": country, "time_zone": zone}
        httpx.put(
            f"{installation.url}/api/v1/facilities/{code}",
            json=place | {"coarse_place": coarse, "position": position, "simulated": True},
            headers=installation.headers,
            timeout=30,
        ).raise_for_status()
    scanner, numbers = Scanner(installation, name="states scanner"), {name: new_number() for name in STATES}
    for name, steps in STATES.items():
        for sequence, step in enumerate(steps):
            inward = "inward" in step or "customs" in step
            where = "TEST-IN" if inward else "TEST-OUT" if "outward" in step else "TEST-A"
            reason = {"reason": "security_hold"} if step == "held" else {}
            scanner.send(event(numbers[name], step, minutes=sequence * 9 - 600, facility=where, **reason))
    token = apart(_partner_key)
    published(installation.url, numbers["erased"], 2)
    apart(lambda: erase(numbers["erased"]))
    said = {"manifest_id": f"M-{uuid.uuid4()}", "facility": "TEST-A", "items": [numbers["announced"]]}
    httpx.post(
        f"{installation.url}/api/v1/manifests",
        json=said | {"event_time": (dt.datetime.now(dt.UTC) - dt.timedelta(hours=3)).isoformat()},
        headers={"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid.uuid4())},
        timeout=30,
    ).raise_for_status()
    return numbers


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_state_of_a_parcel_holds_up(
    opened: Any, live_url: str, journeys: dict[str, str], axe: str, width: int, scheme: str
) -> None:
    page = opened(width, WIDTHS[width], color_scheme=scheme)
    for name, number in journeys.items():
        hold_up(page, f"{live_url}/track/{number}", axe, width)
        if name == "erased":
            assert "Next:" not in page.inner_text("main"), "nothing comes next"
        kept = name in PICTURED if scheme == "light" else name in PICTURED_DARK
        picture(page, f"track-{name}-{width}-{scheme}", kept=kept)


@pytest.fixture(scope="module")
def waiting(installation: Any) -> str:
    """Leave a parcel at a counter that has said when it is open."""
    counter = f"{installation.url}/api/v1/facilities/TEST-COUNTER"
    place = {"name": "Main Street counter", "kind": "collection_point", "country": "US", "time_zone": "America/Chicago"}
    hours = [{"weekday": day, "opens": "09:00", "closes": "17:30"} for day in range(1, 8)]
    for what, said in {"": place | {"coarse_place": "Springfield, IL"}, "/calendar": {"opening_hours": hours}}.items():
        httpx.put(f"{counter}{what}", json=said, headers=installation.headers, timeout=30).raise_for_status()
    scanner, number = Scanner(installation, name="counter scanner"), new_number()
    for sequence, step in enumerate(STATES["collect"]):
        scanner.send(event(number, step, minutes=sequence * 9, facility="TEST-COUNTER"))
    return number


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_when_a_parcel_can_be_collected_stands_with_what_to_do(
    opened: Any, live_url: str, waiting: str, axe: str, width: int, scheme: str
) -> None:
    page = opened(width, WIDTHS[width], color_scheme=scheme)
    hold_up(page, f"{live_url}/track/{waiting}", axe, width)
    assert page.inner_text(".pw-hours").startswith("Main Street counter is open: ")
    action, hours, proof = (page.locator(part).bounding_box() for part in (".pw-action", ".pw-hours", ".pw-proof"))
    assert hours["y"] == action["y"] + action["height"], "one notice: nothing between them"
    assert hours["x"] == action["x"]
    inside = "part => parseFloat(getComputedStyle(part).paddingInlineStart)"
    assert page.eval_on_selector(".pw-hours", inside) == page.eval_on_selector(".pw-action", inside), "in line"
    assert proof["y"] - (hours["y"] + hours["height"]) >= 16
    picture(page, f"track-hours-{width}-{scheme}", kept=False)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_result_of_a_proof_holds_up(
    opened: Any, installation: Any, live_url: str, journeys: dict[str, str], axe: str, width: int, scheme: str
) -> None:
    page = opened(width, WIDTHS[width], color_scheme=scheme)
    number = new_number()
    Scanner(installation, name="proof pictures scanner").send(event(number, "accepted", weight_g=1200))
    published(live_url, number, 1)
    links = httpx.post(f"{live_url}/api/v1/items/{number}/links", headers=installation.headers, timeout=30)
    shown = {"erased": f"{journeys['erased']}/proof", "proven": f"{journeys['collect']}/proof"}
    for name, address in {**shown, "addressee": links.json()["url"].partition("/track/")[2]}.items():
        hold_up(page, f"{live_url}/track/{address}", axe, width)
        assert page.get_attribute("#proof", "data-state") == "done"
        page.locator("#step-1 summary").click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        picture(page, f"proof-{name}-{width}-{scheme}", kept=scheme == "light" or name in PICTURED_DARK)
    page.route("**/log/checkpoint", lambda route: route.fulfill(body="nonsense", content_type="text/plain"))
    hold_up(page, f"{live_url}/track/{journeys['collect']}/proof", axe, width)
    assert page.get_attribute("#proof", "data-state") == "failed"
    picture(page, f"proof-altered-{width}-{scheme}")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_stand_alone_verifier_holds_up(opened: Any, axe: str, tmp_path: Path, width: int, scheme: str) -> None:
    page = opened(width, WIDTHS[width], color_scheme=scheme)
    address = build_verify_html.TARGET.as_uri()
    hold_up(page, address, axe, width)
    picture(page, f"verify-{width}-{scheme}", kept=False)
    log, item = SampleLog(), Item("one")
    for step in STEPS:
        log.record(item, step)
    for name, data in {"good": written(log, made(log, item)), "bad": b"nothing"}.items():
        held = tmp_path / f"{name}.zip"
        held.write_bytes(data)
        page.set_input_files("#file", str(held))
        page.wait_for_selector(f'#result[data-state="{name}"]')
        assert page.evaluate("axe.run(document).then(found => found.violations.map(rule => rule.id))") == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        picture(page, f"verify-{name}-{width}-{scheme}", kept=scheme == "light")
