"""The letter as PDF, A4, for a window envelope: a code for who asked, or a notice to their other address.

The QR code holds the code and nothing else: no address to open. Who gets used to scanning links from a letter will scan
a swindler's as well.
"""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Mapping
from typing import Final

from django.utils.translation import gettext as _
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.lib.utils import simpleSplit
from reportlab.pdfgen.canvas import Canvas

from parcelward.base import config
from parcelward.base.vault import Personal
from parcelward.doors.portals import moments
from parcelward.doors.portals.codes_drawn import qr_squares
from parcelward.people.proofing import Printed
from parcelward.people.wire import LetterKind
from parcelward.privacy.wire import Field

LEFT: Final = 25 * mm
WINDOW: Final = 235 * mm  # the address's first line, from below: DIN 5008 form B's window
BODY: Final[float] = 175 * mm
LINE: Final[float] = 6 * mm
WIDTH: Final = A4[0] - 2 * LEFT
QR_SIDE: Final = 35 * mm
FONT: Final = ("Helvetica", 11)


def pdf(letter: Printed, to: Mapping[Field, Personal]) -> bytes:
    """Return the page. `to` is what the vault opened for it."""
    out = io.BytesIO()
    page = Canvas(out, pagesize=A4, invariant=1)
    page.setTitle(_("Letter"))
    page.setFont(*FONT)
    page.drawString(LEFT, 265 * mm, _latin(config.get().operator))
    if not config.get().production:
        page.drawRightString(
            A4[0] - LEFT, 265 * mm, _latin(_("Simulated"))
        )  # paper lies about for longer than a screen
    y = WINDOW
    for line in _address(to):
        page.drawString(LEFT, y, _latin(line))
        y -= 5 * mm
    page.drawRightString(A4[0] - LEFT, 195 * mm, _latin(moments.day(letter.asked_at)))
    if letter.kind is LetterKind.CODE:
        _with_code(page, letter)
    else:
        _notice(page, letter)
    page.showPage()
    page.save()
    return out.getvalue()


def grouped(code: str) -> str:
    """Return a code as it is read aloud: ABCDE FGHJK."""
    return f"{code[:5]} {code[5:]}"


def _with_code(page: Canvas, letter: Printed) -> None:
    until = moments.day(letter.expires_at)
    y = _heading(page, _("Your code to prove this address"))
    first = _(
        "Somebody, we hope you, asked to receive information about mail for this address. Was it you? Then sign in,"
    )
    y = _text(page, y, f"{first} " + _("choose “Prove who you are”, then “Enter the code”, and type:"))
    page.setFont("Courier-Bold", 22)
    page.drawString(LEFT, y - 6 * mm, grouped(letter.code))
    _qr(page, letter.code, x=A4[0] - LEFT - QR_SIDE, y=y - QR_SIDE + 2 * mm)
    y -= QR_SIDE + 4 * mm
    y = _text(
        page, y, _("The code holds until %(until)s, and only in the account that asked for it.") % {"until": until}
    )
    y = _text(
        page, y, _("It was not you? Then do nothing: without this code nobody receives anything about your mail.")
    )
    _text(page, y, _("Give the code to nobody. We never ask for it by telephone, by message or at your door."))


def _notice(page: Canvas, letter: Printed) -> None:
    y = _heading(page, _("A letter was asked for in your name"))
    asked = moments.day(letter.asked_at)
    words = _("On %(day)s somebody who is signed in as you asked to prove another address than this one.") % {
        "day": asked
    }
    y = _text(page, y, words)
    y = _text(page, y, _("Was it you? Then there is nothing to do."))
    _text(
        page, y, _("It was not you? Then sign in as you always do, look at “Prove who you are”, and cancel it there.")
    )


def _heading(page: Canvas, words: str) -> float:
    page.setFont("Helvetica-Bold", 15)
    page.drawString(LEFT, BODY, _latin(words))
    return BODY - 2 * LINE


def _text(page: Canvas, y: float, words: str) -> float:
    page.setFont(*FONT)
    for line in simpleSplit(_latin(words), *FONT, WIDTH):
        page.drawString(LEFT, y, line)
        y -= LINE
    return y - LINE / 2


def _qr(page: Canvas, text: str, *, x: float, y: float) -> None:
    rows = qr_squares(text)
    side = QR_SIDE / len(rows)
    for down, row in enumerate(rows):
        for across, dark in enumerate(row):
            if dark:
                page.rect(x + across * side, y + QR_SIDE - (down + 1) * side, side, side, stroke=0, fill=1)


def _address(to: Mapping[Field, Personal]) -> list[str]:
    text = {field: to[field].text if field in to else "" for field in Field}
    town = f"{text[Field.POSTCODE]} {text[Field.LOCALITY]}".strip()
    country = "" if text[Field.COUNTRY] == config.get().country else text[Field.COUNTRY]
    return [line for line in (text[Field.NAME], *text[Field.ADDRESS].splitlines(), town, country) if line]


def _latin(text: str) -> str:
    """Return what the built-in fonts draw; accents that they lack are left out (`latin` found no other letters)."""
    return "".join(c if latin(c) else unicodedata.normalize("NFKD", c)[0] for c in text)


def latin(text: str) -> bool:
    """Return whether the built-in fonts draw every character."""
    try:
        text.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True


def printable(text: str) -> bool:
    """Return whether a text can be printed, if need be without an accent."""
    return all(latin(c) or latin(unicodedata.normalize("NFKD", c)[0]) for c in text)
