"""A label's facts, and what machines read from a picture."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import pypdfium2
import zxingcpp
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from PIL import Image, ImageFilter
from tests.privacy.label_desk import wanted

from parcelward.privacy.sealing import rules
from parcelward.privacy.sealing.wire import Sealed
from parcelward.shipping.labels import wire
from parcelward.shipping.labels.layout import DOTS_PER_MM
from parcelward.shipping.labels.png import DPI
from parcelward.shipping.labels.wire import LabelFacts

SSCC = "106141412345678908"
NUMBER = "RA473012345GB"


def sealed(item: str = NUMBER, **other: Any) -> Sealed:
    """Return a label of an invented addressee, sealed to a key that is thrown away."""
    public = X25519PrivateKey.generate().public_key().public_bytes_raw()
    raw = rules.seal(wanted(item, **other), epoch=360, hub_key=public, office_key=public, binding_key=bytes(32))
    return Sealed(item, raw)


def facts(number: str = NUMBER, **other: Any) -> LabelFacts:
    """Return the facts of a label that uses every place on it."""
    label = sealed(number)
    home = wire.return_lines("Acme Ltd", "1 Road Street", "Leeds", postcode="LS1 1AA", country="GB")
    said: dict[str, Any] = {
        "operator": "Example Post",
        "service": "Parcel 24, signed for",
        "number": number,
        "weight_g": 1250,
        "routing_code": "LS1-4471",
        "initials": "C. Q.",
        "postcode_area": "LS1",
        "sealed": label.text,
        "binding": label.label_code[:16],
        "sscc": SSCC,
        "return_lines": home,
        "country_lines": wire.country_lines(here="GB", to="DE"),
        "customs": "CN 22",
        "marked": "SAMPLE - simulated",
    }
    return LabelFacts(**(said | other))


def pages(pdf: bytes, *, dpi: float = DPI) -> list[Image.Image]:
    """Return what PDFium, the renderer of a widely used browser, paints."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        return [page.render(scale=dpi / 72).to_pil().convert("L") for page in document]
    finally:
        document.close()


def text_of(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    try:
        return "\n".join(page.get_textpage().get_text_bounded() for page in document)
    finally:
        document.close()


def read(picture: Image.Image) -> dict[str, str]:
    """Return what is read: by symbology (]C0 Code 128, ]C1 GS1-128, ]Q QR code) its text."""
    return {each.symbology_identifier[:3].rstrip("1" if "Q" in each.symbology_identifier else ""): each.text
            for each in zxingcpp.read_barcodes(picture)}  # fmt: skip


def side_mm(picture: Image.Image, *, dots_per_mm: float = DOTS_PER_MM) -> float:
    """Return how wide the QR code is, its quiet zone included, as a reader sees it."""
    (code,) = [each for each in zxingcpp.read_barcodes(picture) if each.format is zxingcpp.BarcodeFormat.QRCode]
    at = code.position
    corners = (at.top_left, at.top_right, at.bottom_right)
    longest: float = max(((a.x - b.x) ** 2 + (a.y - b.y) ** 2) ** 0.5 for a, b in pairwise(corners))
    return longest / dots_per_mm * 77 / 69


def printed(picture: Image.Image, *, seed: int) -> Image.Image:
    """Return a label as a poor printer prints it and a poor camera sees it, from the dots at 203 dpi.

    Black grows into white by a third of a dot, 2 in 1,000 dots fall out or are spilt, the sheet lies a few degrees
    askew, focus and sensor are bad.
    """
    chance = random.Random(seed)
    dots = picture.convert("L")
    for _ in range(dots.width * dots.height // 500):
        dots.putpixel((chance.randrange(dots.width), chance.randrange(dots.height)), chance.choice((0, 255)))
    seen = dots.resize((dots.width * 3 // 2, dots.height * 3 // 2), Image.Resampling.BILINEAR)
    seen = Image.blend(seen, seen.filter(ImageFilter.MinFilter(3)), 0.3)
    seen = seen.rotate(chance.uniform(-6, 6), expand=True, fillcolor=255, resample=Image.Resampling.BICUBIC)
    seen = seen.filter(ImageFilter.GaussianBlur(1.1))
    grain = Image.effect_noise(seen.size, 40)
    return Image.blend(seen, grain, 0.15)
