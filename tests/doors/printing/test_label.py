"""A printed label: its size in whole dots, and what machines read from the picture of its PDF."""

from __future__ import annotations

import re
import subprocess
import sys
from itertools import pairwise

import pytest
import zxingcpp
from PIL import Image, ImageDraw, ImageFilter
from tests.privacy.label_desk import wanted

from parcelward.base.vault import Personal
from parcelward.doors.printing import label
from parcelward.privacy.sealing import rules, wire
from parcelward.privacy.sealing.wire import Hop

DPI = 25.4 * label.DOTS_PER_MM  # 203.2
_RECT = re.compile(rb"n ([\d.-]+) ([\d.-]+) ([\d.-]+) ([\d.-]+) re f")
_BOX = re.compile(rb"/MediaBox \[ 0 0 ([\d.]+) ([\d.]+) \]")


def rendered(pdf: bytes, *, dpi: float = DPI) -> Image.Image:
    """Paint every filled rectangle of the page, as any PDF reader would; text is not needed to read codes."""
    box = _BOX.search(pdf)
    assert box
    wide, high = (float(side) * dpi / 72 for side in box.groups())
    picture = Image.new("L", (round(wide), round(high)), 255)
    draw = ImageDraw.Draw(picture)
    for found in _RECT.finditer(pdf):
        x, y, w, h = (float(number) * dpi / 72 for number in found.groups())
        left, top, right, bottom = round(x), round(high - y - h), round(x + w) - 1, round(high - y) - 1
        draw.rectangle((left, top, max(left, right), max(top, bottom)), fill=0)
    return picture


def read(picture: Image.Image) -> dict[str, zxingcpp.Barcode]:
    return {each.format.name: each for each in zxingcpp.read_barcodes(picture)}


def keys() -> tuple[bytes, bytes]:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    private = X25519PrivateKey.generate()
    return private.private_bytes_raw(), private.public_key().public_bytes_raw()


def made(item: str = "RA473012345GB", **other) -> tuple[bytes, wire.Sealed, bytes]:
    private, public = keys()
    raw = rules.seal(wanted(item, **other), epoch=360, hub_key=public, office_key=public, binding_key=bytes(32))
    sealed = wire.Sealed(item, raw)
    said = label.Printed("Example Post", item, "LS1-4471", "C. Q.", "LS1", "SAMPLE - simulated")
    return label.pdf(label.drawing(said, sealed.text), title="t"), sealed, private


LONG_DOOR = wire.Doorstep(
    Personal("Ana María Fernández de la Muestra"),
    (Personal("Σπίτι των δοκιμών 12β"), Personal("second courtyard, staircase C, fourth floor")),
    Personal("Ring twice; the bell of the flat below does not work"),
)


def test_the_code_has_at_most_40_mm_and_whole_dots_and_the_next_version_would_not_fit():
    assert pytest.approx(203, abs=0.5) == label.DOTS_PER_MM * 25.4
    modules = 17 + 4 * label.QR_VERSION
    assert label.qr_side() == (modules + 2 * 4) * 4 == 308
    assert label.qr_side() / label.DOTS_PER_MM == 38.5  # of 40 mm
    assert (modules + 4 + 2 * 4) * 4 / label.DOTS_PER_MM > 40, "version 14 does not fit"
    assert (modules + 2 * 4) * 5 / label.DOTS_PER_MM > 40, "five dots a module do not fit"
    bars = list(label.qr_bars("A" * 483, 0, 0))
    assert {side % 4 for bar in bars for side in (bar.x, bar.y, bar.width, bar.height)} == {0}
    assert min(bar.x for bar in bars) == min(bar.y for bar in bars) == 16
    assert max(bar.x + bar.width for bar in bars) == 308 - 16


@pytest.mark.parametrize("size", wire.TEXT_BYTES[Hop.COURIER])
def test_every_label_fits_into_the_code(size):
    """The longest item number in both forms; the short one with the better error correction."""
    length = 2 + 2 + 8 + 1 + wire.ITEM_LENGTH_MAX + (12 + 48) + (32 + 48) + (size + 48) + 8
    letters = len(wire.to_base45(b"P" * length))
    assert letters <= (483 if size == 92 else 619)
    with pytest.raises(ValueError, match="more letters"):
        list(label.qr_bars("A" * 620, 0, 0))


@pytest.mark.parametrize(
    ("item", "other"),
    [("RA473012345GB", {}), ("00340123450000000018", {}), ("RA473012345GB", {"doorstep": LONG_DOOR})],
    ids=["short", "longest number", "long address"],
)
def test_the_picture_of_the_pdf_is_read_and_opened(item, other):
    pdf, sealed, private = made(item, **other)
    picture = rendered(pdf)
    assert picture.size == (800, 1200)
    codes = read(picture)
    assert codes["Code128"].text == item
    assert codes["QRCode"].text == sealed.text
    assert codes["QRCode"].ec_level == ("L" if other else "M")
    opened = rules.open_part(wire.parse(wire.from_base45(codes["QRCode"].text)), Hop.COURIER, private, item=item)
    assert opened[0] == (LONG_DOOR.name.text if other else "Canary Quillfeather")
    corners = codes["QRCode"].position
    side = max(abs(a.x - b.x) for a, b in pairwise((corners.top_left, corners.top_right)))
    assert side / label.DOTS_PER_MM <= 40


def test_a_poor_picture_is_read_too():
    """Turned by three degrees, blurred, taken at another resolution, with a scratch across the code."""
    pdf, sealed, _ = made()
    picture = rendered(pdf, dpi=300)
    ImageDraw.Draw(picture).line((120, 560, 460, 960), fill=255, width=5)
    poor = picture.rotate(3, expand=True, fillcolor=255).filter(ImageFilter.GaussianBlur(1.2))
    codes = read(poor)
    assert codes["QRCode"].text == sealed.text
    assert codes["Code128"].text == sealed.item


def test_the_printed_text_keeps_routing_code_initials_and_area_only():
    pdf, sealed, _ = made()
    shown = re.findall(rb"\((.*?)\) Tj", pdf)
    assert {text.decode() for text in shown} == {
        *("Example Post", "LS1-4471", "For", "C. Q.", "Area", "LS1", "RA 473 012 345 GB", "SAMPLE - simulated"),
    }
    for word in (b"Canary", b"Quillfeather", b"Zanzibar", b"no. 29"):
        assert word not in pdf
    assert sealed.raw not in pdf


@pytest.mark.parametrize(
    ("name", "said"),
    [("Ana Sample", "A. S."), ("Łucja Żak", "Z."), ("", ""), ("émile  du  bois jr", "E. D. B."), ("王小明", "")],
)
def test_initials(name, said):
    assert label.initials(name) == said


@pytest.mark.parametrize(
    ("mode", "marked"), [("test", b"SAMPLE - simulated"), ("production", b"SAMPLE - not for post")]
)
def test_the_command_prints_a_sample_that_is_marked_as_one(tmp_path, monkeypatch, mode, marked):
    monkeypatch.setenv("PARCELWARD_MODE", mode)
    monkeypatch.setenv("PARCELWARD_PUBLIC_URL", "https://post.example")
    out = tmp_path / "label.pdf"
    command = [sys.executable, "-m", "parcelward.doors.console", "label", "--sample"]
    done = subprocess.run([*command, str(out)], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    pdf = out.read_bytes()
    assert marked in pdf
    codes = read(rendered(pdf))
    assert wire.parse(wire.from_base45(codes["QRCode"].text)).item == codes["Code128"].text == "RA473012345GB"
    for word in (b"Ana", b"Harrogate"):
        assert word not in pdf
    nowhere = [*command, str(tmp_path / "no" / "folder.pdf")]
    refused = subprocess.run(nowhere, capture_output=True, text=True, timeout=120, check=False)
    assert (refused.returncode, "cannot be written" in refused.stderr) == (1, True)
