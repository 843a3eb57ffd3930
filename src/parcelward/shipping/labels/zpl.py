"""A label for a printer that speaks ZPL II: 4 by 6 inches, 203 dpi.

Bars are the printer's own (^BC). The QR code is sent as a picture (^GF): ^BQ would carry the text in its manual
alphanumeric mode, but no binary content (its 8-bit mode is a Japanese character set), and version and mask are then the
printer's choice; a printer that takes another mode makes a code of more than 40 mm, and nobody would see it before it
is on paper. As a picture it is the same as in the PDF, dot for dot, and costs five kilobytes.

What users wrote goes through `_data` alone: every byte that is no plain letter, digit or space is sent in hexadecimal
(^FH), so no text can begin a command.
"""

from __future__ import annotations

import re
from typing import Final

from reportlab.pdfbase import pdfmetrics

from parcelward.shipping.labels import code128, fonts, layout
from parcelward.shipping.labels.layout import INCH_4X6, Bar, Linear, Square, Words, dots
from parcelward.shipping.labels.lettering import is_plain
from parcelward.shipping.labels.wire import LabelFacts

_ESCAPED: Final = re.compile(rb"[^A-Za-z0-9 .,()/-]")
_LEFT, _TOP = (dots(mm) for mm in INCH_4X6.fields[0])
_SHEET: Final = f"^PW{dots(INCH_4X6.width)}^LL{dots(INCH_4X6.height)}"
_HEX: Final = str.maketrans("01", "0F")
_DOTS_PER_HEX: Final = 4  # a module of the QR code is one digit


def render(facts: LabelFacts) -> bytes:
    """Return one label's commands."""
    fields = "".join(_field(part) for part in layout.drawing(facts))
    return f"^XA^CI28{_SHEET}^LH{_LEFT},{_TOP}^LS0\n{fields}^PQ1^XZ\n".encode("ascii")


def _field(part: layout.Part) -> str:
    match part:
        case Bar():
            thick = min(part.width, part.height)
            return f"^FO{part.x},{part.y}^GB{part.width},{part.height},{thick},B,0^FS\n"
        case Linear():
            data = code128.zpl_data(part.text, gs1=part.gs1)
            return f"^FO{part.x},{part.y}^BY{part.module}^BCN,{part.height},N,N,N,N^FD{data}^FS\n"
        case Square():
            return f"^FO{part.x},{part.y}{_modules(part)}^FS\n"
        case Words():
            return _words(part)


def _words(part: Words) -> str:
    """Return a line in the printer's own font, or as a picture where that has not all of its letters."""
    if not is_plain(part.text):
        return _pictured(part)
    wide = pdfmetrics.stringWidth(part.text, fonts.OWN, part.size)
    width = part.size if wide <= part.width else int(part.size * part.width / wide)
    return f"^FT{part.x},{part.y}^A0N,{part.size},{width}^FH_^FD{_data(part.text)}^FS\n"


def _data(text: str) -> str:
    return _ESCAPED.sub(lambda found: b"_%02X" % found[0][0], text.encode()).decode("ascii")


def _pictured(part: Words) -> str:
    drawn, above = fonts.picture(part.text, part.size, part.width)
    across = (drawn.width + 7) // 8
    raw = drawn.tobytes()  # a row begins with a whole byte, as ^GF wants it
    hexes = "".join(raw[at : at + across].hex().upper() for at in range(0, len(raw), across))
    return f"^FO{part.x},{part.y - above}^GFA,{len(raw)},{len(raw)},{across},{hexes}^FS\n"


def _modules(square: Square) -> str:
    """Return a QR code as a picture: a row of modules in hex, and `:` for each row of dots that repeats it."""
    if square.module != _DOTS_PER_HEX:
        raise ValueError("a module of the QR code is four dots")  # a change of the layout, not input
    across = (len(square.rows[0]) + 1) // 2
    total = across * len(square.rows) * square.module
    again = ":" * (square.module - 1)
    rows = "".join(row.translate(_HEX).ljust(2 * across, "0") + again for row in square.rows)
    return f"^GFA,{total},{total},{across},{rows}"
