"""Read files a piece at a time: CSV, NDJSON, Parquet. Each row comes with its line (Parquet: its number from 1)."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

from parcelward.base.errors import Invalid

PARQUET_ROWS_AT_ONCE: Final = 2_000
LINE_BYTES_MAX: Final = 1_000_000

Advance = Callable[[int], object]


class BadFile(Invalid):
    """A file that cannot be read at all."""

    default_code = "bad_file"


def kind_of(path: Path) -> str:
    """Return csv, ndjson, parquet or epcis by the file's name. Raises BadFile for any other, and for none at all."""
    kinds = {".csv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson", ".parquet": "parquet"}
    kind = {**kinds, ".json": "epcis", ".jsonld": "epcis"}.get(path.suffix.lower())
    if kind is None:
        raise BadFile(f"{path.name}: a file's name ends in .json, .jsonld, .ndjson, .jsonl, .csv or .parquet")
    if not path.is_file():
        raise BadFile(f"{path}: no such file")
    return kind


def size_of(path: Path, kind: str) -> tuple[int, str]:
    """Return how much there is to do, and in what: rows of Parquet, bytes of everything else."""
    if kind == "parquet":
        import pyarrow as pa  # noqa: PLC0415 -- a third of a second that only Parquet needs
        import pyarrow.parquet as pq  # noqa: PLC0415 -- as above

        try:
            return int(pq.read_metadata(path).num_rows), "row"
        except pa.ArrowException as err:
            raise BadFile(f"{path.name}: not a Parquet file that can be read: {type(err).__name__}") from None
    return path.stat().st_size, "B"


def lines(path: Path, advance: Advance) -> Iterator[tuple[int, bytes]]:
    """Return the lines of an NDJSON file that hold something."""
    with path.open("rb") as source:
        for number, line in enumerate(_bounded(source), 1):
            advance(len(line))
            if line.strip():
                yield number, line.strip()


def csv_rows(path: Path, advance: Advance) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """Return the rows of a CSV file with a header; None for one that has not the header's number of cells."""
    with path.open("rb") as source:
        # Bytes that are no UTF-8 stay marked, so that only their own row is refused.
        texts = (_seen(line, advance).decode("utf-8-sig" if first else "utf-8", "surrogateescape")
                 for first, line in _numbered(source))  # fmt: skip
        reader = csv.reader(texts)
        try:
            header = next(reader, None)
            if not header or len(set(header)) != len(header):
                raise BadFile(f"{path.name}: the first line names each column once")
            for cells in reader:
                if cells:
                    yield reader.line_num, dict(zip(header, cells, strict=True)) if len(cells) == len(header) else None
        except csv.Error as err:
            raise BadFile(f"{path.name}: line {reader.line_num} cannot be read as CSV: {err}") from None


def _numbered(source: BinaryIO) -> Iterator[tuple[bool, bytes]]:
    for number, line in enumerate(_bounded(source)):
        yield number == 0, line


def _bounded(source: BinaryIO) -> Iterator[bytes]:
    while line := source.readline(LINE_BYTES_MAX + 1):
        if len(line) > LINE_BYTES_MAX:
            raise BadFile(f"A line is longer than {LINE_BYTES_MAX} bytes")
        yield line


def _seen(line: bytes, advance: Advance) -> bytes:
    advance(len(line))
    return line


def parquet_rows(path: Path, columns: list[str] | None, advance: Advance) -> Iterator[tuple[int, dict[str, Any]]]:
    """Return the rows of a Parquet file, only the columns asked for; never the whole file in memory."""
    import pyarrow as pa  # noqa: PLC0415 -- a third of a second that only Parquet needs
    import pyarrow.parquet as pq  # noqa: PLC0415 -- as above

    try:
        with pq.ParquetFile(path) as source:
            missing = [c for c in columns or () if c not in source.schema_arrow.names]
            if missing:
                raise BadFile(f"{path.name}: no column {', '.join(missing)}")
            number = 0
            for batch in source.iter_batches(batch_size=PARQUET_ROWS_AT_ONCE, columns=columns):
                advance(batch.num_rows)
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
    except pa.ArrowException as err:
        raise BadFile(f"{path.name}: not a Parquet file that can be read: {type(err).__name__}") from None
