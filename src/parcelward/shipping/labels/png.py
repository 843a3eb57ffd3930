"""A label as a picture of 203 dpi, 4 by 6 inches, in black and white: each of its dots is one of the printer's.

Drawn by Pillow, which is there as a part of reportlab, from the same layout as the others: rendering the PDF instead
would need one more library, take longer, and blur what is whole dots here.
"""

from __future__ import annotations

import io
from typing import Final

from PIL import Image, ImageDraw

from parcelward.shipping.labels import code128, fonts, layout
from parcelward.shipping.labels.layout import DOTS_PER_MM, INCH_4X6, Bar, Linear, Paper, Square, Words, dots
from parcelward.shipping.labels.pdf import runs
from parcelward.shipping.labels.wire import LabelFacts

DPI: Final = 25.4 * DOTS_PER_MM
_WHITE, _BLACK = 1, 0


def render(facts: LabelFacts, paper: Paper = INCH_4X6) -> bytes:
    """Return one label as PNG."""
    out = io.BytesIO()
    picture(facts, paper).save(out, "PNG", dpi=(DPI, DPI))
    return out.getvalue()


def picture(facts: LabelFacts, paper: Paper = INCH_4X6) -> Image.Image:
    """Return one label as a picture of one bit a dot; of a paper of several, on its first field."""
    drawn = Image.new("1", (dots(paper.width), dots(paper.height)), _WHITE)
    draw = ImageDraw.Draw(drawn)
    left, top = (dots(mm) for mm in paper.fields[0])
    for part in layout.drawing(facts):
        x, y = left + part.x, top + part.y
        match part:
            case Bar():
                draw.rectangle((x, y, x + part.width - 1, y + part.height - 1), fill=_BLACK)
            case Linear():
                for start, end in runs(code128.widths(part.text, gs1=part.gs1)):
                    bar = (x + start * part.module, y, x + end * part.module - 1, y + part.height - 1)
                    draw.rectangle(bar, fill=_BLACK)
            case Square():
                drawn.paste(modules(part), (x, y))
            case Words():
                font = fonts.fitting(part.text, part.size, part.width)
                draw.text((x, y), part.text, font=font, fill=_BLACK, anchor="ls")
    return drawn


def modules(square: Square) -> Image.Image:
    """Return a QR code in dots."""
    side = len(square.rows)
    bits = bytes(_WHITE * 255 if module == "0" else _BLACK for module in "".join(square.rows))
    small = Image.frombytes("L", (side, side), bits).convert("1", dither=Image.Dither.NONE)
    return small.resize((side * square.module, side * square.module), Image.Resampling.NEAREST)
