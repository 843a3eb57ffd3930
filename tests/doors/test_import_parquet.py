"""A small Parquet file that unpacks to a large one is refused before it takes the memory."""

from __future__ import annotations

import contextlib
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from parcelward.doors.imports import files
from parcelward.doors.imports.files import CELL_BYTES_MAX, BadFile

LARGE = 100_000_000  # bytes of one cell


def read(path, columns=None):
    return list(files.parquet_rows(path, columns, lambda _n: None))


@contextlib.contextmanager
def _memory():
    usual = pa.default_memory_pool()
    counting = pa.proxy_memory_pool(usual)
    pa.set_memory_pool(counting)
    try:
        yield counting
    finally:
        pa.set_memory_pool(usual)


@pytest.fixture
def write(tmp_path):
    def written(table, **options):
        pq.write_table(pa.table(table), tmp_path / "a.parquet", compression="zstd", **options)
        return tmp_path / "a.parquet"

    return written


@pytest.mark.asvs("5.2.1", "5.2.3")
@pytest.mark.parametrize("dictionary", [True, False])
def test_a_cell_of_a_hundred_megabytes_is_refused_before_it_is_unpacked(write, dictionary):
    path = write({"item_id": ["x" * LARGE], "step": ["accepted"]}, use_dictionary=dictionary)
    assert path.stat().st_size < 20_000
    with _memory() as taken, pytest.raises(BadFile, match="column item_id has a cell of more than"):
        read(path)
    assert taken.max_memory() < LARGE / 10
    assert len(read(path, ["step"])) == 1, "a column that nobody reads may hold what it likes"


@pytest.mark.parametrize("columns", [1, 5])
def test_a_long_text_in_every_row_is_unpacked_once(write, columns):
    """Repeated 20,000 times it would be gigabytes; the file holds it once."""
    text = "x" * (CELL_BYTES_MAX // columns)
    path = write({f"c{nth}": [text] * 20_000 for nth in range(columns)})
    with _memory() as taken:
        rows = 0
        for _, row in files.parquet_rows(path, None, lambda _n: None):
            rows += len(row["c0"]) == len(text)
    assert rows == 20_000
    assert taken.max_memory() < 20_000_000


def test_one_long_cell_among_many_short_ones_is_refused(write):
    path = write({"item_id": [*("x",) * 5_000, "x" * (CELL_BYTES_MAX + 1)], "step": ["accepted"] * 5_001})
    with pytest.raises(BadFile, match="item_id has a cell of more than"):
        read(path)


@pytest.mark.parametrize("kind", [pa.binary(CELL_BYTES_MAX + 1), pa.large_string(), pa.large_binary(), pa.binary()])
def test_no_other_type_of_cell_may_be_longer(write, kind):
    content = "x" * (CELL_BYTES_MAX + 1) if kind == pa.large_string() else b"x" * (CELL_BYTES_MAX + 1)
    path = write({"item_id": pa.array([content, *(None,) * 500], type=kind)})
    with pytest.raises(BadFile, match="item_id has a cell of more than"):
        read(path)


@pytest.mark.asvs("5.2.3")
def test_a_row_group_that_is_too_large_unpacked_is_refused(write, monkeypatch):
    monkeypatch.setattr(files, "PARQUET_GROUP_BYTES_MAX", 1_000_000)
    path = write({"number": list(range(200_000))}, use_dictionary=False)
    with pytest.raises(BadFile, match="smaller row groups"):
        read(path)
    assert len(read(write({"number": list(range(200_000))}, use_dictionary=False, row_group_size=50_000))) == 200_000


def test_nested_columns_are_refused_in_one_sentence(write):
    with pytest.raises(BadFile, match="column sensors holds lists"):
        read(write({"item_id": ["a"], "sensors": [[1, 2]]}))


def test_rows_keep_their_numbers_and_values_across_groups(write):
    table: dict[str, list[Any]] = {
        "item_id": [f"n{n % 7}" if n % 5 else None for n in range(5_000)],
        "weight_g": list(range(5_000)),
    }
    path = write(table, row_group_size=1_500)
    assert read(path) == [(n + 1, {"item_id": table["item_id"][n], "weight_g": n}) for n in range(5_000)]
