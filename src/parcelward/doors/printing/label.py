"""Draw a sealed label in a printer's dots, and write it as PDF: what is measured and read back is what is printed.

A label printer of 203 dpi has 8 dots a millimetre. Every bar and module is a whole number of dots, so none is blurred.
"""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import qrcode
from qrcode.constants import ERROR_CORRECT_L, ERROR_CORRECT_M
from qrcode.util import MODE_ALPHA_NUM, QRData
from reportlab.graphics.barcode.code128 import Code128
from reportlab.pdfgen.canvas import Canvas

DOTS_PER_MM: Final = 8
WIDTH_MM, HEIGHT_MM = 100, 150
POINTS_PER_DOT: Final = 72 / 25.4 / DOTS_PER_MM
MARGIN: Final = 4 * DOTS_PER_MM
QR_VERSION: Final = 13  # 69 modules; 14 would be wider than 40 mm
QR_MODULE: Final = 4  # dots
QR_QUIET: Final = 4  # modules on each side (ISO/IEC 18004)
QR_LETTERS: Final = {ERROR_CORRECT_M: 483, ERROR_CORRECT_L: 619}
"""What version 13 holds in alphanumeric mode; the better correction where it fits."""
BAR_MODULE: Final = 3  # dots: 0.375 mm, as UPU S10 asks (at least 0.33)
BAR_QUIET: Final = 10  # modules on each side (ISO/IEC 15417)
BAR_HEIGHT: Final = 20 * DOTS_PER_MM


@dataclass(frozen=True, slots=True)
class Bar:
    """A black rectangle; x and y of its upper left corner, all in dots from the label's upper left."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Words:
    """A line of text on its baseline."""

    x: int
    y: int
    size_pt: float
    text: str


@dataclass(frozen=True, slots=True)
class Printed:
    """What a label says in clear: nothing that a stranger could find a door with."""

    operator: str
    item: str
    routing_code: str
    initials: str
    postcode_area: str
    marked: str  # SAMPLE ...; empty on a label that travels


def initials(name: str) -> str:
    """Return the first letters of a name's words, three at most: what a neighbour's parcel is told apart by."""
    first = [unicodedata.normalize("NFKD", word)[0].upper() for word in name.split()]
    return " ".join(f"{letter}." for letter in first[:3] if letter.isascii() and letter.isalpha())


def qr_bars(text: str, x: int, y: int) -> Iterator[Bar]:
    """Yield the QR code of a label's text, its quiet zone within; neighbours in a row are one bar.

    Raises ValueError for what is longer than a label can be.
    """
    level = next((level for level, most in QR_LETTERS.items() if len(text) <= most), None)
    if level is None:
        raise ValueError("more letters than a label's code holds")
    code = qrcode.QRCode(version=QR_VERSION, error_correction=level, border=0)
    code.add_data(QRData(text.encode("ascii"), mode=MODE_ALPHA_NUM), optimize=0)
    code.make(fit=False)
    quiet = QR_QUIET * QR_MODULE
    for row, modules in enumerate(code.get_matrix()):
        start = None
        for column, black in enumerate([*modules, False]):
            if black and start is None:
                start = column
            elif not black and start is not None:
                left = x + quiet + start * QR_MODULE
                yield Bar(left, y + quiet + row * QR_MODULE, (column - start) * QR_MODULE, QR_MODULE)
                start = None


def qr_side() -> int:
    """Return the width and height of the QR code with its quiet zone, in dots."""
    return (17 + 4 * QR_VERSION + 2 * QR_QUIET) * QR_MODULE


def barcode_bars(number: str, x: int, y: int) -> Iterator[Bar]:
    """Yield a Code 128 of an item's number; the quiet zone is the caller's to leave."""
    code = Code128(number, quiet=False)
    code.validate()
    code.encode()
    code.decompose()
    at = x
    for letter in code.decomposed:  # capitals are bars, small letters gaps; A is one module wide, D four
        width = (ord(letter.lower()) - ord("a") + 1) * BAR_MODULE
        if letter.isupper():
            yield Bar(at, y, width, BAR_HEIGHT)
        at += width


def drawing(said: Printed, code_text: str) -> list[Bar | Words]:
    """Return everything on a label of 100 by 150 mm."""
    wide, side = WIDTH_MM * DOTS_PER_MM, qr_side()
    right, code_top = MARGIN + side + 24, 360
    items: list[Bar | Words] = [
        Words(MARGIN, 80, 16, said.operator),
        Words(MARGIN, 250, 46, said.routing_code),
        Bar(MARGIN, 300, wide - 2 * MARGIN, 3),
        *qr_bars(code_text, MARGIN, code_top),
        Words(right, code_top + 60, 11, "For"),
        Words(right, code_top + 120, 24, said.initials),
        Words(right, code_top + 200, 11, "Area"),
        Words(right, code_top + 275, 34, said.postcode_area),
        Bar(MARGIN, 720, wide - 2 * MARGIN, 3),
        *barcode_bars(said.item, MARGIN + BAR_QUIET * BAR_MODULE, 780),
        Words(MARGIN + BAR_QUIET * BAR_MODULE, 990, 18, grouped(said.item)),
    ]
    if said.marked:
        items += [Words(MARGIN, 1110, 26, said.marked), Bar(MARGIN, 1040, wide - 2 * MARGIN, 8)]
        items += [Bar(MARGIN, 1140, wide - 2 * MARGIN, 8)]
    return items


def grouped(item: str) -> str:
    """Return a number in groups that people can compare: RA 473 012 345 GB."""
    middle = item[2:-2]
    return " ".join((item[:2], *(middle[at : at + 3] for at in range(0, len(middle), 3)), item[-2:]))


def pdf(parts: list[Bar | Words], *, title: str) -> bytes:
    """Return the drawing as a PDF of one page; nothing in it says whose it is, when or by what it was made."""
    out, high = io.BytesIO(), HEIGHT_MM * DOTS_PER_MM
    size = (WIDTH_MM * DOTS_PER_MM * POINTS_PER_DOT, high * POINTS_PER_DOT)
    canvas = Canvas(out, pagesize=size, invariant=1, pageCompression=0)
    canvas.setTitle(title)
    canvas.setFillGray(0)
    for part in parts:
        if isinstance(part, Words):
            canvas.setFont("Helvetica-Bold", part.size_pt)
            canvas.drawString(part.x * POINTS_PER_DOT, (high - part.y) * POINTS_PER_DOT, part.text)
        else:
            bottom = (high - part.y - part.height) * POINTS_PER_DOT
            wide, tall = part.width * POINTS_PER_DOT, part.height * POINTS_PER_DOT
            canvas.rect(part.x * POINTS_PER_DOT, bottom, wide, tall, stroke=0, fill=1)
    canvas.save()
    return out.getvalue()
