"""CN 22 and CN 23 as PDF, to be put on a parcel beside its label.

The fields are those of the UPU's forms, in English and French; the drawing is ours. Nothing in a file says when or by
what it was made.
"""

from __future__ import annotations

import datetime as dt
import io
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfgen.canvas import Canvas

from parcelward.base.standards import money
from parcelward.base.vault import Personal
from parcelward.shipping.customs import rules
from parcelward.shipping.customs.wire import CN22, Customs, Reason
from parcelward.shipping.labels import code128, fonts
from parcelward.shipping.labels.lettering import is_plain, legible
from parcelward.shipping.labels.pdf import runs
from parcelward.shipping.labels.wire import grouped

_MM: Final = 72 / 25.4
_PLAIN: Final = "Helvetica"
_CN22_SIZE: Final = (105.0, 148.0)  # A6, as a label's paper; the UPU's own is 74 by 105 at least
_GOODS_HEIGHT: Final = 51.0  # of as many lines as there may be: they are set closer
_CN23_SIZE: Final = (210.0, 148.0)  # A5 across
BOXES: Final = {
    Reason.GIFT: "Gift / Cadeau",
    Reason.DOCUMENTS: "Documents",
    Reason.SAMPLE: "Commercial sample / Echantillon commercial",
    Reason.RETURNED: "Returned goods / Retour de marchandise",
    Reason.SALE: "Sale of goods / Vente de marchandises",
    Reason.OTHER: "Other / Autre",
}
"""Reason -> what its box says."""
OATH: Final = (
    "I certify that the particulars given in this customs declaration are correct and that this item does not contain "
    "any dangerous article or articles prohibited by legislation or by postal or customs regulations."
)


@dataclass(frozen=True, slots=True, repr=False)
class Paper:
    """Everything on one form. Who it is from and to, and what is inside, is of people."""

    form: str
    operator: str
    number: str
    weight_g: int
    postage: str
    posted: dt.date
    customs: Customs
    sender: tuple[Personal, ...]
    sender_reach: Personal
    addressee: tuple[Personal, ...]
    addressee_reach: Personal
    marked: str = ""


def render(papers: Sequence[Paper]) -> bytes:
    """Return the forms, one a page. Raises Unprintable for a text that has nothing a form can show."""
    out = io.BytesIO()
    canvas = Canvas(out, invariant=1, pageCompression=1)
    canvas.setTitle("Customs declaration")
    for one in papers:
        width, height = _CN22_SIZE if one.form == CN22 else _CN23_SIZE
        canvas.setPageSize((width * _MM, height * _MM))
        _Sheet(canvas, height).form(one)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


class _Sheet:
    """One page; places in millimetres from the upper left."""

    def __init__(self, canvas: Canvas, height: float) -> None:
        self.canvas, self.height = canvas, height
        canvas.setLineWidth(0.6)

    def form(self, one: Paper) -> None:
        (self._cn22 if one.form == CN22 else self._cn23)(one)

    def words(self, x: float, y: float, width: float, text: str, *, size: float = 3.0, bold: bool = False) -> None:
        """Write one line; what is longer is set narrower."""
        shown = legible(text) if text else ""
        if not shown:
            return
        own = fonts.OWN if bold else _PLAIN
        font, points = own if is_plain(shown) else fonts.embedded(), size * _MM
        wide = pdfmetrics.stringWidth(shown, font, points)
        self.canvas.setFont(font, points * min(1.0, width * _MM / wide))
        self.canvas.drawString(x * _MM, (self.height - y) * _MM, shown)

    def run(self, x: float, y: float, width: float, text: str, *, size: float, letters: int) -> float:
        """Write a text in lines of so many letters; return where the next line would be."""
        for line in textwrap.wrap(text, letters):
            self.words(x, y, width, line, size=size)
            y += size * 1.3
        return y

    def frame(self, x: float, y: float, width: float, height: float) -> None:
        """Draw a box."""
        self.canvas.rect(x * _MM, (self.height - y - height) * _MM, width * _MM, height * _MM, stroke=1, fill=0)

    def rule(self, x: float, y: float, width: float) -> None:
        """Draw a line across."""
        self.canvas.line(x * _MM, (self.height - y) * _MM, (x + width) * _MM, (self.height - y) * _MM)

    def barcode(self, x: float, y: float, height: float, number: str) -> None:
        """Draw the item's number as Code 128, in modules of 0.33 mm (UPU S10: at least 0.33)."""
        path = self.canvas.beginPath()
        for start, end in runs(code128.widths(number)):
            left, wide = (x + start * 0.33) * _MM, (end - start) * 0.33 * _MM
            path.rect(left, (self.height - y - height) * _MM, wide, height * _MM)
        self.canvas.drawPath(path, stroke=0, fill=1)

    def boxes(self, x: float, y: float, column: float, chosen: str, *, size: float) -> float:
        """Draw why it is sent, two boxes a line; return where they end."""
        for at, (reason, text) in enumerate(BOXES.items()):
            left, top = x + column * (at % 2), y + 5 * (at // 2)
            self.frame(left, top - 2.6, 3, 3)
            if reason == chosen:
                self.words(left + 0.6, top - 0.2, 3, "X", size=3, bold=True)
            self.words(left + 4.2, top, column - 6, text, size=size)
        return y + 5 * ((len(BOXES) + 1) // 2)

    def _cn22(self, one: Paper) -> None:
        self.frame(3, 3, 99, 142)
        self.words(6, 9, 60, "CUSTOMS DECLARATION", size=4.4, bold=True)
        self.words(6, 13, 60, "DECLARATION EN DOUANE", size=2.8)
        self.words(82, 10, 18, CN22, size=5.5, bold=True)
        self.words(6, 17.5, 60, f"{one.operator}  May be opened officially / Peut etre ouvert d'office", size=2.5)
        self.words(6, 22, 94, grouped(one.number), size=3.4, bold=True)
        self.rule(3, 24, 99)
        at = self.boxes(6, 29, 47, one.customs.reason, size=2.5)
        self.words(6, at, 94, one.customs.explanation, size=2.5)
        self.rule(3, at + 2, 99)
        at = self._goods(one, 6, at + 6, (40, 13, 20, 14, 7), size=2.5)
        self.rule(3, at, 99)
        self.words(6, at + 4, 94, self._total(one), size=2.8, bold=True)
        self._signed(one, 6, 125, 94, letters=88)

    def _cn23(self, one: Paper) -> None:
        self.frame(3, 3, 204, 142)
        self.words(6, 9, 90, "CUSTOMS DECLARATION / DECLARATION EN DOUANE", size=4, bold=True)
        self.words(182, 10, 22, "CN 23", size=6, bold=True)
        self.words(6, 13.5, 90, f"{one.operator}  May be opened officially / Peut etre ouvert d'office", size=2.5)
        self.barcode(110, 5, 11, one.number)
        self.words(110, 20, 60, grouped(one.number), size=3.4, bold=True)
        self.rule(3, 22, 204)
        self._person("From / De", one.sender, one.sender_reach, one.customs.sender_reference, 6)
        self._person("To / A", one.addressee, one.addressee_reach, one.customs.importer_reference, 108)
        self.rule(3, 54, 204)
        at = self._goods(one, 6, 58, (82, 18, 28, 32, 22), size=2.6)
        self.rule(3, at, 204)
        self.words(6, at + 4, 196, f"{self._total(one)}   Postage / Frais de port: {one.postage}", size=2.8, bold=True)
        self.rule(3, 119, 204)
        end = self.boxes(6, 123.5, 48, one.customs.reason, size=2.4)
        self.words(6, end + 1, 95, one.customs.explanation, size=2.5)
        self._signed(one, 108, 123, 96, letters=84)

    def _person(self, head: str, lines: Sequence[Personal], reach: Personal, reference: str, x: float) -> None:
        self.words(x, 26, 90, head, size=2.5)
        for at, line in enumerate(lines[:6]):
            self.words(x, 30 + 3.6 * at, 94, line.text, size=3.1)
        self.words(x, 52, 46, reach.text, size=2.6)
        self.words(x + 48, 52, 46, reference, size=2.6)

    def _goods(self, one: Paper, x: float, y: float, wide: Sequence[int], *, size: float) -> float:
        heads = ("Description and quantity", "Net weight", "HS code", "Value", "Origin")
        left = [x + sum(wide[:at]) for at in range(len(wide))]
        for head, start, width in zip(heads, left, wide, strict=True):
            self.words(start, y, width - 1, head, size=2.2)
        step = min(4.2, _GOODS_HEIGHT / max(1, len(one.customs.goods)))
        for each in one.customs.goods:
            y += step
            cells = (
                f"{each.quantity} x {each.description}",
                _kilograms(each.net_weight_g),
                rules.bare_code(each.hs_code),
                _amount(each.value_minor, each.currency),
                each.origin,
            )
            for cell, start, width in zip(cells, left, wide, strict=True):
                self.words(start, y, width - 1, cell, size=min(size, step * 0.7))
        return y + 2

    def _total(self, one: Paper) -> str:
        worth = _amount(one.customs.value_minor, one.customs.currency)
        net = _kilograms(one.customs.net_weight_g)
        return f"Total: {net} net, {_kilograms(one.weight_g)} gross, {worth}".rstrip(", ")

    def _signed(self, one: Paper, x: float, y: float, width: float, *, letters: int) -> None:
        end = self.run(x, y, width, OATH, size=2.2, letters=letters)
        self.words(x, end + 4, width, f"Date: {one.posted.isoformat()}    Sender's signature:", size=2.6)
        self.words(x, end + 8, width, one.marked, size=2.6, bold=True)


def _kilograms(grams: int) -> str:
    return f"{grams / 1000:.3f} kg"


def _amount(minor: int, currency: str) -> str:
    if currency not in money.MINOR_DIGITS:
        return ""
    return f"{money.decimal(minor, money.currency(currency))} {currency}"
