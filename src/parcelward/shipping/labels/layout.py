"""Where everything on a label is: one table in millimetres, drawn alike by every renderer.

A label printer of 203 dpi has 8 dots a millimetre. Bars and modules are whole numbers of dots, so none is blurred; a
PDF has the same places, so what is measured and read back is what is printed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from parcelward.base.standards import gs1
from parcelward.shipping.labels import code128, qr
from parcelward.shipping.labels.lettering import legible
from parcelward.shipping.labels.wire import LabelFacts, grouped

DOTS_PER_MM: Final = 8  # 203.2 dpi
WIDTH_MM: Final = 100.0
HEIGHT_MM: Final = 146.0
"""The field that fits on every paper below, with the margin that printers leave."""


@dataclass(frozen=True, slots=True)
class Paper:
    """A sheet: its size, and where on it the fields of labels begin, all in millimetres from the upper left."""

    width: float
    height: float
    fields: tuple[tuple[float, float], ...]


A6: Final = Paper(105, 148, ((2.5, 1),))
INCH_4X6: Final = Paper(101.6, 152.4, ((0.75, 3.25),))  # 812 by 1,219 dots
A4_OF_4: Final = Paper(210, 297, ((2.5, 1), (107.5, 1), (2.5, 149.5), (107.5, 149.5)))  # four A6 quarters


@dataclass(frozen=True, slots=True)
class Line:
    """A place for one line: its left end on the baseline, what it may be wide, and the size of its letters (1 em)."""

    x: float
    y: float
    width: float
    size: float


LINES: Final[Mapping[str, tuple[Line, ...]]] = {
    "operator": (Line(4, 6.5, 58, 4.2),),
    "service": (Line(4, 15.5, 58, 7.5),),
    "customs": (Line(70, 9, 26, 8),),
    "weight": (Line(70, 16, 26, 4.6),),
    "from": (Line(4, 22, 20, 2.8),),
    "return": tuple(Line(4, 25.5 + 3.3 * at, 54, 3.2) for at in range(5)),
    "country": (Line(62, 28, 34, 6.5), Line(62, 36.5, 34, 8)),
    "routing": (Line(4, 51.5, 92, 14),),
    "for": (Line(46, 61, 50, 3.2),),
    "initials": (Line(46, 68, 50, 8),),
    "area_head": (Line(46, 74, 50, 3.2),),
    "area": (Line(46, 84, 50, 12),),
    "binding": (Line(46, 92.5, 50, 3.6),),
    "number": (Line(8, 117.3, 84, 5),),
    "sscc": (Line(8, 141, 84, 4),),
    "marked": (Line(4, 145, 92, 3.6),),
}
RULES: Final = ((4.0, 18.0, 92.0, 0.375), (4.0, 39.5, 92.0, 0.375), (4.0, 54.5, 92.0, 0.375), (4.0, 95.0, 92.0, 0.375))
"""Lines across: x, y, width and height."""
QR_AT: Final = (4.0, 55.5)
QR_MODULE: Final = 4  # dots; the code has 38.5 mm with its quiet zone
NUMBER_AT: Final = (97.0, 15.0)  # y and height: UPU S10 asks for 12.5 mm at least
NUMBER_MODULE: Final = 3  # dots: 0.375 mm, as UPU S10 asks (at least 0.33)
SSCC_AT: Final = (119.0, 18.5)
SSCC_MODULE: Final = 4  # dots: 0.5 mm, as GS1 General Specifications ask of logistic labels (0.495 to 0.94)


@dataclass(frozen=True, slots=True)
class Bar:
    """A black rectangle; x and y of its upper left corner. All sizes from here on in dots of the field."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Words:
    """A line of text: where it begins on its baseline, how wide it may be, and the size of its letters (1 em)."""

    x: int
    y: int
    width: int
    size: int
    text: str


@dataclass(frozen=True, slots=True)
class Linear:
    """A Code 128; x is where its first bar begins."""

    x: int
    y: int
    height: int
    module: int
    text: str
    gs1: bool


@dataclass(frozen=True, slots=True)
class Square:
    """A QR code, without its quiet zone, which is left around it."""

    x: int
    y: int
    module: int
    rows: tuple[str, ...]


Part = Bar | Words | Linear | Square


def dots(mm: float) -> int:
    """Return millimetres as the nearest whole dot."""
    return round(mm * DOTS_PER_MM)


def drawing(facts: LabelFacts) -> list[Part]:
    """Return everything on a label. Raises ValueError for a sealed text that is longer than a label's code holds."""
    quiet = qr.QUIET * QR_MODULE
    parts: list[Part] = [Bar(*(dots(mm) for mm in rule)) for rule in RULES]
    parts.append(Square(dots(QR_AT[0]) + quiet, dots(QR_AT[1]) + quiet, QR_MODULE, qr.rows(facts.sealed)))
    is_sscc = gs1.sscc_fits(facts.number)
    sscc = facts.sscc or (facts.number if is_sscc else "")
    if not is_sscc:
        parts.append(_centred(facts.number, NUMBER_AT, NUMBER_MODULE))
    if sscc:
        parts.append(_centred(f"00{sscc}", SSCC_AT, SSCC_MODULE, gs1_128=True))
    said = {
        "operator": (facts.operator,),
        "service": (facts.service,),
        "customs": (facts.customs,),
        "weight": (f"{facts.weight_g / 1000:.3f} kg",),
        "from": ("From",) if facts.return_lines else (),
        "return": tuple(line.text for line in facts.return_lines),
        "country": facts.country_lines,
        "routing": (facts.routing_code,),
        "for": ("For",),
        "initials": (facts.initials,),
        "area_head": ("Area",),
        "area": (facts.postcode_area,),
        "binding": (_binding(facts),),
        "number": () if is_sscc else (grouped(facts.number),),
        "sscc": (f"(00) {grouped(sscc)}",) if sscc else (),
        "marked": (facts.marked,),
    }
    for place, texts in said.items():
        for line, text in zip(LINES[place], texts, strict=False):
            shown = legible(text)
            if shown:
                parts.append(Words(dots(line.x), dots(line.y), dots(line.width), dots(line.size), shown))
    return parts


def _binding(facts: LabelFacts) -> str:
    """Return the label code in groups for people, and which printing it is."""
    groups = [facts.binding[at : at + 4] for at in range(0, len(facts.binding), 4)]
    return " ".join([*groups, f"#{facts.printing}"])


def _centred(text: str, at: tuple[float, float], module: int, *, gs1_128: bool = False) -> Linear:
    wide = len(code128.widths(text, gs1=gs1_128)) * module
    x = (dots(WIDTH_MM) - wide) // 2
    return Linear(x, dots(at[0]), dots(at[1]), module, text, gs1_128)
