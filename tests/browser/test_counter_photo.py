"""A clerk photographs a parcel: what a telephone takes is made small by the page, and the marks are read."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import expect
from tests.browser.conftest import storage, violations
from tests.parcels.photos.pictures import parcel
from tests.scanner import event, new_number

pytestmark = pytest.mark.browser


def large() -> bytes:
    """Return a photo of more bytes than a body may have, turned by what its file says."""
    seen = Image.open(io.BytesIO(parcel("FLAMMABLE LIQUID", "UN1263"))).resize((4200, 3000))
    grain = Image.effect_noise(seen.size, 60).convert("RGB")
    exif = seen.getexif()
    exif[0x0112] = 3
    sent = io.BytesIO()
    Image.blend(seen, grain, 0.25).rotate(180).save(sent, "JPEG", quality=95, exif=exif)
    return sent.getvalue()


def test_what_a_telephone_takes_is_made_small_and_read(
    opened: Any, staff: Any, world: Any, live_url: str, axe: str
) -> None:
    number, photo = new_number(), large()
    assert len(photo) > 2_097_152
    world.scanner.send(event(number, "accepted"))
    page = opened(375, 812, storage_state=storage(staff("clerk")))
    page.goto(f"{live_url}/app/counter/photo")
    assert violations(page, axe) == []
    page.fill("#number", number)
    page.set_input_files("#photo", {"name": "large.jpg", "mimeType": "image/jpeg", "buffer": photo})
    page.click("button:has-text('Read it')")
    expect(page.get_by_role("status")).to_contain_text("Stop: this was not declared", timeout=60_000)
    expect(page.get_by_role("status")).to_contain_text("liquids that burn")
    assert violations(page, axe) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
