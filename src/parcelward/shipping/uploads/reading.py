"""Read a file of rows: delimited text however it was encoded, or a workbook's first sheet. Nothing in it is run.

A spreadsheet's formulas are read as the values that were stored with them. What is no table is refused with where.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Final

from parcelward.shipping.errors import BadFile
from parcelward.shipping.uploads import workbooks
from parcelward.shipping.uploads.wire import CELL_CHARS_MAX, COLUMNS_MAX, FILE_BYTES_MAX, ROWS_MAX, Table

DELIMITERS: Final = (",", ";", "\t", "|")
SAMPLE_LINES: Final = 20
_SIGNED: Final = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_ZIP: Final = b"PK\x03\x04"
_OLD_WORKBOOK: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # also one with a passphrase


def read(body: bytes) -> Table:
    """Return a file's rows. Raises BadFile for what is no table, too large, or not to be unpacked."""
    if len(body) > FILE_BYTES_MAX:
        raise BadFile("A file has at most 2 MB: send it in parts", code="too_large")
    if body.startswith(_OLD_WORKBOOK):
        raise BadFile(
            "This is an old workbook, or one with a passphrase: save it as .xlsx or .csv", code="old_workbook"
        )
    if body.startswith(_ZIP):
        return table(workbooks.rows(body))
    return table(_records(text_of(body)))


def text_of(body: bytes) -> str:
    """Return the text of a file: as its mark says, else UTF-8, else what Windows writes in the west."""
    for mark, encoding in _SIGNED:
        if body.startswith(mark):
            return _decoded(body, encoding)
    try:
        return body.decode()
    except UnicodeDecodeError:
        return _decoded(body, "cp1252")


def _decoded(body: bytes, encoding: str) -> str:
    try:
        return body.decode(encoding)
    except UnicodeDecodeError:
        raise BadFile("The letters of this file cannot be read: save it as CSV in UTF-8", code="bad_encoding") from None


def _records(text: str) -> Iterator[list[str]]:
    if "\0" in text:
        raise BadFile("This is no table: send a .csv or an .xlsx", code="no_table")
    first, _, rest = text.partition("\n")
    if first.strip().lower().startswith("sep=") and len(first.strip()) == len("sep=;"):  # what Excel writes for itself
        yield from _parsed(rest, first.strip()[-1])
        return
    yield from _parsed(text, delimiter_of(text))


def delimiter_of(text: str) -> str:
    """Return what stands between a text's fields: what gives the same number of them, and most, on the first lines."""
    head = text[: 200 * CELL_CHARS_MAX]

    def cut(mark: str) -> tuple[float, int]:
        lengths = []
        for record in _parsed(head, mark):
            if any(cell.strip() for cell in record):
                lengths.append(len(record))
            if len(lengths) == SAMPLE_LINES:
                break
        if not lengths or lengths[0] == 1:
            return 0.0, 0
        return sum(one == lengths[0] for one in lengths) / len(lengths), lengths[0]

    return max(DELIMITERS, key=cut)  # of equal ones the first


def _parsed(text: str, delimiter: str) -> Iterator[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    try:
        yield from reader
    except csv.Error:
        line = reader.line_num
        raise BadFile(
            f"Line {line} cannot be read: a quotation mark, or a field without end", code="bad_line"
        ) from None


def table(records: Iterable[Iterable[str]]) -> Table:
    """Return records as a table: the first that is not empty is its header. Raises BadFile."""
    header: tuple[str, ...] = ()
    rows: list[tuple[str, ...]] = []
    for record in records:
        cells = [" ".join(cell.split()) if "\n" not in cell else cell.strip() for cell in record]
        while cells and not cells[-1]:
            cells.pop()
        if not cells:
            continue
        if len(cells) > COLUMNS_MAX:
            raise BadFile("A table has at most 100 columns", code="too_many_columns")
        if any(len(cell) > CELL_CHARS_MAX for cell in cells):
            raise BadFile(f"A cell has at most {CELL_CHARS_MAX} letters (row {len(rows) + 2})", code="long_cell")
        if not header:
            header = tuple(cells)
            continue
        if len(rows) == ROWS_MAX:
            raise BadFile("A file has at most 10,000 rows: send it in parts", code="too_many_rows")
        rows.append(tuple(cells))
    if not rows:
        raise BadFile("There is no row below the header: the first row names the columns", code="empty")
    width = max(len(header), *(len(row) for row in rows))
    return Table(
        (*header, *[""] * (width - len(header))),
        tuple(row + ("",) * (width - len(row)) for row in rows),
    )
