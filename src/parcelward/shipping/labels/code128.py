"""Code 128 and GS1-128: what stands on a label in bars (ISO/IEC 15417; GS1 General Specifications, 5.4)."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Final

from reportlab.graphics.barcode.code128 import _patterns

QUIET: Final = 10  # modules on each side
_START_B, _START_C, _TO_B, _TO_C, _FNC1, _STOP = 104, 105, 100, 99, 102, 106
_DIGITS_WORTH_C: Final = 4  # in a row: fewer take no less room as pairs
_RUN: Final = re.compile(r"\d+|\D+")
_ZPL: Final = {_START_B: ">:", _START_C: ">;", _TO_B: ">6", _TO_C: ">5", _FNC1: ">8"}
"""How ^BC's own data says what is no letter (Zebra's ZPL II guide, Code 128 subsets)."""


@functools.lru_cache(maxsize=1_000)
def symbols(text: str, *, gs1: bool = False) -> tuple[int, ...]:
    """Return the symbols of a number, letters A to Z and digits, without check and stop; `gs1` puts FNC1 first."""
    found: list[int] = []
    pairs = False
    for part in _parts(text):
        worth = part.isdigit() and len(part) % 2 == 0 and (len(part) >= _DIGITS_WORTH_C or part == text)
        if not found:
            found.append(_START_C if worth else _START_B)
            if gs1:
                found.append(_FNC1)
        elif worth != pairs:
            found.append(_TO_C if worth else _TO_B)
        pairs = worth
        found += [int(part[at : at + 2]) for at in range(0, len(part), 2)] if worth else [ord(c) - 32 for c in part]
    return tuple(found)


def _parts(text: str) -> Iterator[str]:
    """Yield runs of an even number of digits, and what is between."""
    for run in _RUN.findall(text):
        odd = run.isdigit() and len(run) % 2
        if odd:
            yield run[0]
        yield run[1:] if odd else run


def widths(text: str, *, gs1: bool = False) -> str:
    """Return the code in modules, 1 for black, check symbol and stop included, without quiet zones."""
    values = symbols(text, gs1=gs1)
    check = (values[0] + sum(at * value for at, value in enumerate(values))) % 103
    letters = "".join(_patterns[value] for value in (*values, check))
    return "".join(_modules(letter) for letter in letters + _patterns[_STOP])


def _modules(letter: str) -> str:
    """Return `111` for C, `0` for a: capitals are bars, small letters gaps, A is one module wide."""
    return ("1" if letter.isupper() else "0") * (ord(letter.lower()) - ord("a") + 1)


def zpl_data(text: str, *, gs1: bool = False) -> str:
    """Return the same for a printer's ^BC, which then makes the same bars."""
    found, pairs = [], False
    for value in symbols(text, gs1=gs1):
        if value > _TO_C or (value == _TO_C and not pairs):  # among pairs, 99 is two digits
            found.append(_ZPL[value])
            pairs = value in {_START_C, _TO_C} or (pairs and value == _FNC1)
        else:
            found.append(f"{value:02}" if pairs else chr(value + 32))
    return "".join(found)
