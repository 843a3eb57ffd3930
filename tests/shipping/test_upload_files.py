"""Files of orders are read as they come: marks, letters, quotes, workbooks; and what would hurt is refused."""

from __future__ import annotations

import io
import struct
import zipfile
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.shipping import lists

from parcelward.base.standards import money
from parcelward.shipping.errors import BadFile
from parcelward.shipping.uploads import columns, reading, rows, workbooks
from parcelward.shipping.uploads.wire import COLUMNS_MAX, ROWS_MAX

USD = money.currency("USD")
LETTERS = st.characters(exclude_categories=("C", "Z"), exclude_characters='"')
CELLS = st.text(LETTERS, min_size=1, max_size=12)


def book(some: list[list[Any]], *, formats: dict[str, str] | None = None, hidden: bool = False) -> bytes:
    """Return a workbook whose first sheet, or second behind a hidden one, has these rows."""
    made = openpyxl.Workbook()
    sheet = made.active
    assert sheet is not None
    if hidden:
        sheet.append(["secret"])
        sheet.sheet_state = "hidden"
        sheet = made.create_sheet("orders")
    for row in some:
        sheet.append(row)
    for cell, form in (formats or {}).items():
        sheet[cell].number_format = form
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


@given(
    st.lists(st.lists(CELLS, min_size=2, max_size=5), min_size=2, max_size=6).map(
        lambda some: [(row * 5)[: len(some[0])] for row in some]
    ),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_what_is_written_is_read(some: list[list[str]], delimiter: str, encoding: str) -> None:
    """However it was cut and encoded; every field is quoted, as shops' exports do."""
    body = "\r\n".join(delimiter.join(f'"{cell}"' for cell in row) for row in some)
    found = reading.table(reading._parsed(reading.text_of(body.encode(encoding)), delimiter))
    assert [list(found.header), *map(list, found.rows)] == some


def test_the_delimiter_is_found_among_commas_in_the_text() -> None:
    names = "Name;Straße;PLZ;Ort"
    body = f'{names}\nAna;"Lange Gasse 1, Hof";04109;Leipzig\nBo;Markt 2, links;04109;Leipzig\n'
    found = reading.read(body.encode("cp1252"))
    assert found.header == ("Name", "Straße", "PLZ", "Ort")
    assert found.rows[0] == ("Ana", "Lange Gasse 1, Hof", "04109", "Leipzig")
    assert columns.suggested(found.header, found.rows) == ("addressee", "street_1", "postcode", "locality")


def test_a_field_can_have_lines_and_quotes() -> None:
    body = b'name,address\n"Ana ""A"" Sample","1 Mill Lane\nFlat 2"\n\n\n'
    assert reading.read(body).rows == (('Ana "A" Sample', "1 Mill Lane\nFlat 2"),)


def test_what_excel_writes_for_itself_names_the_delimiter() -> None:
    assert reading.read(b"sep=;\na;b\n1,5;2\n").rows == (("1,5", "2"),)


@pytest.mark.parametrize(
    ("header", "means"),
    [
        (("Nombre", "Dirección", "Código Postal", "Población"), ("addressee", "street_1", "postcode", "locality")),
        (("Nom", "Adresse", "Code postal", "Ville"), ("addressee", "street_1", "postcode", "locality")),
        (("Empfänger", "Straße", "Hausnummer", "PLZ"), ("addressee", "street_1", "house_number", "postcode")),
        (("ship_to name", "Weight (kg)", "Peso en kg", "Length cm"), ("addressee", "weight_kg", "", "length_cm")),
        (("Name", "Name", "Lieblingsfarbe"), ("addressee", "", "")),
    ],
)
def test_headers_in_four_languages_are_known(header: tuple[str, ...], means: tuple[str, ...]) -> None:
    assert columns.suggested(header, []) == means


def test_a_weight_without_a_unit_is_guessed_by_what_stands_below() -> None:
    assert columns.suggested(["weight"], [["0.9"], ["1,2"]]) == ("weight_kg",)
    assert columns.suggested(["weight"], [["900"], ["1200"]]) == ("weight_g",)
    assert columns.suggested(["weight"], [["2 lb"]]) == ("weight_lb",)


class TestWorkbooks:
    """Excel's files, read within limits; what was stored is read, and nothing is run."""

    def test_a_zip_code_keeps_the_zeros_that_are_shown(self) -> None:
        body = book([["ZIP", "weight"], [501, 0.1 + 0.2]], formats={"A2": "00000"})
        assert reading.read(body).rows == (("00501", "0.3"),)

    def test_a_formula_is_read_as_what_was_stored_with_it(self) -> None:
        found = reading.read(book([["a", "b"], ["x", "=1+1"]]))
        assert found.rows == (("x", ""),), "openpyxl stores no value, and none is computed"

    def test_a_hidden_sheet_is_passed_over(self) -> None:
        assert reading.read(book([["a"], ["b"]], hidden=True)).header == ("a",)

    def test_a_bomb_is_not_unpacked_whatever_it_says_of_itself(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(workbooks, "UNPACKED_BYTES_MAX", 1_000_000)
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
            made.writestr("xl/worksheets/sheet1.xml", b" " * 3_000_000)
        honest = out.getvalue()
        lying = honest.replace(struct.pack("<L", 3_000_000), struct.pack("<L", 10))
        assert lying != honest
        with pytest.raises(BadFile) as refused:
            reading.read(honest)
        assert refused.value.code == "unpacks_too_large"
        with pytest.raises(BadFile):
            reading.read(lying)

    @pytest.mark.parametrize("inside", [b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "<a/>".encode("utf-16")])
    def test_entities_are_refused(self, inside: bytes) -> None:
        out = io.BytesIO(book([["a"], ["b"]]))
        with zipfile.ZipFile(out, "a") as made:
            made.writestr("xl/more.xml", inside)
        with pytest.raises(BadFile) as refused:
            reading.read(out.getvalue())
        assert refused.value.code == "bad_workbook"

    def test_a_cell_at_the_end_of_the_world_costs_nothing(self) -> None:
        made = openpyxl.Workbook()
        sheet = made.active
        assert sheet is not None
        sheet["A1"], sheet["A2"], sheet["XFD1048576"] = "a", "b", "c"
        out = io.BytesIO()
        made.save(out)
        assert reading.read(out.getvalue()).rows == (("b",),)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "empty"),
        (b"name,zip\n", "empty"),
        (b"a\0b\n1,2\n", "no_table"),
        (b"PK\x03\x04 nothing", "bad_workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 old", "old_workbook"),
        (b"a\n" + b"b\n" * (ROWS_MAX + 1), "too_many_rows"),
        (b",".join([b"a"] * (COLUMNS_MAX + 1)) + b"\nb\n", "too_many_columns"),
        (b"a\n" + b"b" * 2_001 + b"\n", "long_cell"),
        (b" " * 2_097_153, "too_large"),
        (b"\xff\xfea", "bad_encoding"),
    ],
)
def test_what_is_no_list_is_refused_with_why(body: bytes, code: str) -> None:
    with pytest.raises(BadFile) as refused:
        reading.read(body)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("values", "grams", "sides"),
    [
        ({"weight_kg": "0,9", "size_cm": "30x20x10"}, 900, (300, 200, 100)),
        ({"weight_g": "2 lb", "size_mm": "300 * 200 * 100"}, 907, (300, 200, 100)),
        ({"weight_oz": "8", "length_in": "10", "width_in": "5", "height_in": "2"}, 227, (254, 127, 51)),
    ],
)
def test_measures_are_read_in_their_units(values: dict[str, str], grams: int, sides: tuple[int, ...]) -> None:
    item, wrong = rows.item_of(values, here="US", currency=USD)
    assert (wrong, item.weight_g, item.sides_mm) == ((), grams, sides)


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({"weight_kg": "heavy"}, ("weight", "bad_number")),
        ({"size_cm": "30x20"}, ("size", "bad_number")),
        ({"email": "ana at home"}, ("email", "bad_email")),
        ({"reference": "Müller 7"}, ("reference", "bad_reference")),
        ({"value": "12.345"}, ("value", "bad_amount")),
        ({"battery": "big"}, ("battery", "bad_choice")),
    ],
)
def test_what_cannot_be_read_is_said(values: dict[str, str], found: tuple[str, str]) -> None:
    good = {"weight_kg": "1", "size_cm": "1x1x1"}
    _, wrong = rows.item_of(good | values, here="US", currency=USD)
    assert [(one.field, one.code) for one in wrong] == [found]


def test_what_is_mended_stands_before_the_file_and_the_file_before_what_holds_for_all() -> None:
    said = rows.values_of(("900", ""), ("weight_g", "locality"), {"weight_kg": "1", "product": "parcel"}, {})
    assert said == {"weight_g": "900", "product": "parcel"}
    said = rows.values_of(("900", "x"), ("weight_g", "locality"), {}, {"weight_kg": "2", "locality": ""})
    assert said == {"weight_kg": "2"}


def test_the_samples_of_these_tests_are_lists() -> None:
    assert len(reading.read(lists.text([lists.row(0)])).rows) == 1
