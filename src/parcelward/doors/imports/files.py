"""Read files a piece at a time: CSV, NDJSON, Parquet. Each row comes with its line (Parquet: its number from 1)."""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import msgspec

from parcelward.base.errors import Invalid

if TYPE_CHECKING:
    from pyarrow import RecordBatch
    from pyarrow.parquet import ParquetFile

PARQUET_ROWS_AT_ONCE: Final = 2_000
PARQUET_ROWS_AS_VALUES: Final = 100  # so many rows with the largest cells are in memory as Python's own values
PARQUET_GROUP_BYTES_MAX: Final = 512 * 1024 * 1024  # unpacked, of the columns read; writers make groups of 128 MB
CELL_BYTES_MAX: Final = 131_072  # of Parquet; as much as Python's csv takes
LINE_BYTES_MAX: Final = 1_000_000
EPCIS_BYTES_MAX: Final = 512 * 1024 * 1024  # of one file; it is read in memory
EPCIS_PART_BYTES: Final = 1024 * 1024
EPCIS_PART_EVENTS: Final = 1_000

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


def csv_rows(path: Path, columns: list[str] | None, advance: Advance) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """Return the rows of a CSV file with a header; None for one that has not the header's number of cells.

    Raises BadFile when the header lacks one of `columns`: else a misspelt one would read as empty in every row.
    """
    with path.open("rb") as source:
        # Bytes that are no UTF-8 stay marked, so that only their own row is refused.
        texts = (_seen(line, advance).decode("utf-8-sig" if first else "utf-8", "surrogateescape")
                 for first, line in _numbered(source))  # fmt: skip
        reader = csv.reader(texts)
        try:
            header = next(reader, None)
            if not header or len(set(header)) != len(header):
                raise BadFile(f"{path.name}: the first line names each column once")
            _require_columns(path, columns, header)
            for cells in reader:
                if cells:
                    yield reader.line_num, dict(zip(header, cells, strict=True)) if len(cells) == len(header) else None
        except csv.Error as err:
            raise BadFile(f"{path.name}: line {reader.line_num} cannot be read as CSV: {err}") from None


def _require_columns(path: Path, columns: list[str] | None, there: Collection[str]) -> None:
    missing = [column for column in columns or () if column not in there]
    if missing:
        raise BadFile(f"{path.name}: no column {', '.join(missing)}")


def epcis_parts(path: Path, advance: Advance) -> Iterator[tuple[int, bytes]]:
    """Return an EPCIS message in parts that each fit the limits of one, with the number of the first event of each.

    What is no document with a list of events comes whole: whoever reads it says what is wrong.
    """
    size = path.stat().st_size
    if size > EPCIS_BYTES_MAX:
        raise BadFile(f"{path.name}: an EPCIS file has at most {EPCIS_BYTES_MAX} bytes; split it")
    message = path.read_bytes()
    if len(message) <= EPCIS_PART_BYTES:
        yield 0, message
        advance(size)
        return
    try:
        document = msgspec.json.decode(message, type=dict[str, msgspec.Raw])
        body = msgspec.json.decode(document["epcisBody"], type=dict[str, msgspec.Raw])
        events = msgspec.json.decode(body["eventList"], type=list[msgspec.Raw])
    except (msgspec.DecodeError, KeyError, RecursionError, UnicodeDecodeError):
        yield 0, message
        return
    at = 0
    for part in _by_size([bytes(event) for event in events]):
        inside = {**body, "eventList": msgspec.Raw(b"[" + b",".join(part) + b"]")}
        yield at, msgspec.json.encode({**document, "epcisBody": inside})
        at += len(part)
        advance(sum(map(len, part)))


def _by_size(events: Sequence[bytes]) -> Iterator[list[bytes]]:
    part: list[bytes] = []
    size = 0
    for event in events:
        if part and (size + len(event) > EPCIS_PART_BYTES or len(part) == EPCIS_PART_EVENTS):
            yield part
            part, size = [], 0
        part.append(event)
        size += len(event)
    if part:
        yield part


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
    """Return the rows of a Parquet file, only the columns asked for; never the whole file in memory.

    Text is read as the table of different values that the file holds, so that a long one which fills a million rows
    is unpacked once. Raises BadFile for what is larger than the limits when unpacked, before it is unpacked.
    """
    import pyarrow as pa  # noqa: PLC0415 -- a third of a second that only Parquet needs
    import pyarrow.parquet as pq  # noqa: PLC0415 -- as above

    try:
        with pq.ParquetFile(path) as plain:
            _require_columns(path, columns, plain.schema_arrow.names)
            texts = _require_unpackable(path, plain, columns)
        with pq.ParquetFile(path, read_dictionary=texts) as source:
            number = 0
            for batch in source.iter_batches(batch_size=PARQUET_ROWS_AT_ONCE, columns=columns):
                _require_short(path, batch)
                advance(batch.num_rows)
                for at in range(0, batch.num_rows, PARQUET_ROWS_AS_VALUES):
                    for row in batch.slice(at, PARQUET_ROWS_AS_VALUES).to_pylist():
                        number += 1
                        yield number, row
    except (pa.ArrowException, OSError) as err:
        raise BadFile(f"{path.name}: not a Parquet file that can be read: {type(err).__name__}") from None


def _require_unpackable(path: Path, source: ParquetFile, columns: list[str] | None) -> list[str]:
    """Return the columns of text. Raises BadFile, by what the file's end says, when one is nested or too large."""
    import pyarrow as pa  # noqa: PLC0415 -- a third of a second that only Parquet needs

    read = source.schema_arrow.names if columns is None else columns
    texts = []
    for name in read:
        kind = source.schema_arrow.field(name).type
        if pa.types.is_nested(kind):
            raise BadFile(f"{path.name}: column {name} holds lists or structures; write them as text")
        if pa.types.is_string(kind) or pa.types.is_binary(kind):
            texts.append(name)
    for nth in range(source.metadata.num_row_groups):
        group = source.metadata.row_group(nth)
        chunks = [group.column(at) for at in range(group.num_columns)]
        unpacked = 0
        for chunk in chunks:
            if chunk.path_in_schema in read:
                unpacked += chunk.total_uncompressed_size
                if chunk.total_uncompressed_size > CELL_BYTES_MAX * (chunk.num_values + 1):
                    raise _too_long(path, chunk.path_in_schema)
        if unpacked > PARQUET_GROUP_BYTES_MAX:
            raise BadFile(
                f"{path.name}: row group {nth + 1} is {unpacked} bytes when unpacked, and at most "
                f"{PARQUET_GROUP_BYTES_MAX} are read; write it with smaller row groups"
            )
    return texts


def _require_short(path: Path, batch: RecordBatch) -> None:
    """Raise BadFile when a cell is too long; a column of text comes as indices into its different values."""
    import pyarrow as pa  # noqa: PLC0415 -- a third of a second that only Parquet needs
    import pyarrow.compute as pc  # noqa: PLC0415 -- as above

    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        values = column.dictionary if isinstance(column, pa.DictionaryArray) else column
        kind = values.type
        has_length = pa.types.is_string(kind) or pa.types.is_binary(kind) or pa.types.is_fixed_size_binary(kind)
        has_length = has_length or pa.types.is_large_string(kind) or pa.types.is_large_binary(kind)
        if has_length and (pc.max(pc.binary_length(values)).as_py() or 0) > CELL_BYTES_MAX:
            raise _too_long(path, name)


def _too_long(path: Path, column: str) -> BadFile:
    return BadFile(f"{path.name}: column {column} has a cell of more than {CELL_BYTES_MAX} bytes")
