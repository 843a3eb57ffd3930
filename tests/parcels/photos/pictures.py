"""Pictures of parcels with marks, drawn here: turned, blurred, and in small letters."""

from __future__ import annotations

import io
from importlib import resources
from typing import Any

from PIL import Image, ImageDraw, ImageFilter, ImageFont


def font(size: float) -> Any:
    """Return letters of a size."""
    folder = resources.files("parcelward.shipping.labels") / "fonts"
    name = next(one for one in sorted(folder.iterdir(), key=lambda each: each.name) if one.name.endswith(".ttf"))
    return ImageFont.truetype(io.BytesIO(name.read_bytes()), size)


def parcel(*lines: str, turned: float = 0, blurred: float = 0, size: float = 54) -> bytes:
    """Return a photo of a brown box with a white label that says some lines."""
    box = Image.new("RGB", (1400, 1000), (176, 138, 96))
    draw = ImageDraw.Draw(box)
    draw.rectangle((120, 120, 1280, 180 + len(lines) * (size + 34)), fill="white", outline="red", width=8)
    for place, line in enumerate(lines):
        draw.text((160, 150 + place * (size + 34)), line, fill="black", font=font(size))
    seen = box.rotate(turned, expand=True, fillcolor=(90, 90, 96)).filter(ImageFilter.GaussianBlur(blurred))
    sent = io.BytesIO()
    seen.save(sent, "JPEG", quality=80)
    return sent.getvalue()
