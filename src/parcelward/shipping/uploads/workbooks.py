"""A workbook's first visible sheet as texts (ECMA-376). Unpacked within limits; macros and links are never touched.

openpyxl reads row by row, so a sheet that claims a million columns costs what it holds, and it knows a cell's number
format: a ZIP code that is shown as 00501 is read so, and not as 501.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, Final
from xml.etree.ElementTree import ParseError

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from parcelward.shipping.errors import BadFile
from parcelward.shipping.uploads.wire import COLUMNS_MAX, ROWS_MAX

MEMBERS_MAX: Final = 500
UNPACKED_BYTES_MAX: Final = 32 * 1024 * 1024
PIECE_BYTES: Final = 65_536
GAP_ROWS_MAX: Final = 2 * ROWS_MAX  # rows that are looked at, empty ones among them
_ZEROS: Final = re.compile(r"0+")
_UNREADABLE: Final = (
    *(zipfile.BadZipFile, InvalidFileException, ParseError, KeyError, ValueError, TypeError, AttributeError),
    *(IndexError, OSError, EOFError, NotImplementedError, RuntimeError),  # what a broken one makes the library raise
)


def rows(body: bytes) -> Iterator[list[str]]:
    """Give the rows of a workbook's first visible sheet. Raises BadFile."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and extensions that nobody needs here
            book = load_workbook(_unpacked(body), read_only=True, data_only=True, keep_links=False)
            sheet = next((one for one in book.worksheets if one.sheet_state == "visible"), None)
            if sheet is None:
                raise BadFile("This workbook has no sheet that is shown", code="no_table")
            sheet.reset_dimensions()  # what a sheet says of its own size is not believed
            some = sheet.iter_rows(max_row=GAP_ROWS_MAX, max_col=COLUMNS_MAX + 1)
            found = [[_text(cell) for cell in row] for row in some]
            book.close()
    except _UNREADABLE:
        raise BadFile("This workbook cannot be read: save it anew as .xlsx, or as .csv", code="bad_workbook") from None
    yield from found


def _unpacked(body: bytes) -> io.BytesIO:
    """Return the archive's XML alone, no longer packed. Raises BadFile where it unpacks to more than a list has.

    It is unpacked here a piece at a time, whatever the archive says of itself, so that the library unpacks nothing.
    Macros, pictures and what is embedded stay behind.
    """
    plain = io.BytesIO()
    left = UNPACKED_BYTES_MAX
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive, zipfile.ZipFile(plain, "w", zipfile.ZIP_STORED) as unpacked:
            members = archive.infolist()
            if len(members) > MEMBERS_MAX:
                raise _too_large()
            for one in members:
                if not one.filename.endswith((".xml", ".rels")):
                    continue
                pieces = []
                with archive.open(one) as packed:
                    while piece := packed.read(PIECE_BYTES):
                        left -= len(piece)
                        if left < 0:
                            raise _too_large()
                        pieces.append(piece)
                xml = b"".join(pieces)
                if _defines(xml):
                    raise BadFile("This workbook defines XML entities, which no list needs", code="bad_workbook")
                unpacked.writestr(one.filename, xml)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError):
        raise BadFile(
            "This workbook cannot be unpacked: save it anew as .xlsx, or as .csv", code="bad_workbook"
        ) from None
    return plain


def _too_large() -> BadFile:
    return BadFile("This workbook unpacks to more than a list has: save it as .csv", code="unpacks_too_large")


def _defines(xml: bytes) -> bool:
    return b"<!DOCTYPE" in xml or b"<!ENTITY" in xml or b"\0" in xml[:64]  # in UTF-16 nobody could look


def _text(cell: Any) -> str:
    """Return a cell as people see it, near enough: whole numbers without a point, dates as ISO 8601 writes them."""
    value = cell.value
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        whole = isinstance(value, int) or value.is_integer()
        text = str(int(value)) if whole and abs(value) < 10**15 else repr(value)
        form = str(cell.number_format or "")
        return text.zfill(len(form)) if whole and _ZEROS.fullmatch(form) else text
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return value.isoformat()
    return str(value)
