"""Labels as PDF: A6 or 4 by 6 inches, one a page, or A4 with four."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Final

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfgen.canvas import Canvas

from parcelward.shipping.labels import code128, fonts, layout
from parcelward.shipping.labels.errors import Unprintable
from parcelward.shipping.labels.layout import DOTS_PER_MM, Bar, Linear, Paper, Part, Square, Words
from parcelward.shipping.labels.lettering import is_plain
from parcelward.shipping.labels.wire import LabelFacts

LABELS_MAX: Final = 400  # of one document
_POINTS_PER_MM: Final = 72 / 25.4
_POINTS_PER_DOT: Final = _POINTS_PER_MM / DOTS_PER_MM


def render(labels: Sequence[LabelFacts], paper: Paper) -> bytes:
    """Return a document; nothing in it says when or by what it was made. Raises Unprintable for none or too many."""
    if not 1 <= len(labels) <= LABELS_MAX:
        raise Unprintable(f"A document has 1 to {LABELS_MAX} labels", code="bad_count")
    out = io.BytesIO()
    size = (paper.width * _POINTS_PER_MM, paper.height * _POINTS_PER_MM)
    canvas = Canvas(out, pagesize=size, invariant=1, pageCompression=1)
    canvas.setTitle("Labels")
    for start in range(0, len(labels), len(paper.fields)):
        for facts, (left, top) in zip(labels[start:], paper.fields, strict=False):
            canvas.saveState()
            # From here on a unit is a dot, and x and y begin at the field's upper left; y is drawn downwards.
            canvas.translate(left * _POINTS_PER_MM, size[1] - top * _POINTS_PER_MM)
            canvas.scale(_POINTS_PER_DOT, _POINTS_PER_DOT)
            _draw(canvas, layout.drawing(facts))
            canvas.restoreState()
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def _draw(canvas: Canvas, parts: Sequence[Part]) -> None:
    canvas.setFillGray(0)
    path = canvas.beginPath()
    for part in parts:
        match part:
            case Bar():
                path.rect(part.x, -part.y - part.height, part.width, part.height)
            case Linear():
                bars = code128.widths(part.text, gs1=part.gs1)
                for start, end in runs(bars):
                    wide = (end - start) * part.module
                    path.rect(part.x + start * part.module, -part.y - part.height, wide, part.height)
            case Square():
                for nth, row in enumerate(part.rows):
                    low = -part.y - (nth + 1) * part.module
                    for start, end in runs(row):
                        path.rect(part.x + start * part.module, low, (end - start) * part.module, part.module)
    canvas.drawPath(path, stroke=0, fill=1)
    for part in parts:
        if isinstance(part, Words):
            font = fonts.OWN if is_plain(part.text) else fonts.embedded()
            wide = pdfmetrics.stringWidth(part.text, font, part.size)
            canvas.setFont(font, part.size * min(1.0, part.width / wide))
            canvas.drawString(part.x, -part.y, part.text)


def runs(modules: str) -> list[tuple[int, int]]:
    """Return where each run of black modules begins and ends."""
    found, at = [], modules.find("1")
    while at >= 0:
        end = modules.find("0", at)
        end = len(modules) if end < 0 else end
        found.append((at, end))
        at = modules.find("1", end)
    return found
