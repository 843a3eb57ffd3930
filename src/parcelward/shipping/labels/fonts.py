"""The font that comes with the program, for what a printer's or a reader's own has not (fonts/LICENSE.txt)."""

from __future__ import annotations

import functools
from importlib import resources
from typing import Final

from PIL import Image, ImageDraw, ImageFont
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

NAME: Final = "DejaVuSansCondensed-Bold"
OWN: Final = "Helvetica-Bold"
"""Of every PDF reader. Label printers' font 0 is narrower, so what fits in this fits there."""


def _path() -> str:
    return str(resources.files(__package__).joinpath(f"fonts/{NAME}.ttf"))


@functools.cache
def embedded() -> str:
    """Return the font's name in a PDF; only the letters that are used are put in."""
    pdfmetrics.registerFont(TTFont(NAME, _path()))
    return NAME


@functools.cache
def _letters() -> frozenset[int]:
    return frozenset(pdfmetrics.getFont(embedded()).face.charToGlyph)


def has(letter: str) -> bool:
    """Return whether the font has this letter."""
    return ord(letter) in _letters()


@functools.lru_cache(maxsize=200)
def pillow(size: int) -> ImageFont.FreeTypeFont:
    """Return the font in a size of dots; basic layout, for the scripts that are printed need no other."""
    return ImageFont.truetype(_path(), size, layout_engine=ImageFont.Layout.BASIC)


def fitting(text: str, size: int, width: int) -> ImageFont.FreeTypeFont:
    """Return the font at this size, or at the smaller one at which the text is no wider."""
    font = pillow(size)
    wide = font.getlength(text)
    return font if wide <= width else pillow(max(1, int(size * width / wide)))


def picture(text: str, size: int, width: int) -> tuple[Image.Image, int]:
    """Return a line as a picture of one bit a dot, 1 for black, and how far its baseline is from the top."""
    font = fitting(text, size, width)
    left, top, right, bottom = font.getbbox(text, anchor="ls")
    drawn = Image.new("1", (max(1, int(right - min(left, 0))), max(1, int(bottom - top))), 0)
    ImageDraw.Draw(drawn).text((-min(left, 0), -top), text, font=font, fill=1, anchor="ls")
    return drawn, int(-top)
