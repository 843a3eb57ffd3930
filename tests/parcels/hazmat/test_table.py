"""The shipped table against the source that it is made of, row for row, and what its cells mean."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tests import shared_data

from parcelward.parcels.hazmat import table

TABLE = Path(table.__file__).with_name("table.json")
REBUILD = Path(__file__).parents[3] / "scripts" / "rebuild_hazmat.py"


def head() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(TABLE.read_text(encoding="utf-8"))
    return read


def test_the_table_says_where_it_is_from_and_has_every_row() -> None:
    origin = head()
    assert origin["source"].startswith("49 CFR 172.101")
    assert "public domain" in origin["licence"]
    assert origin["date"] == table.date() == "2026-06-01"
    assert len(table.rows()) == origin["rows_total"] == 3259
    assert sum(row.forbidden for row in table.rows()) == 256


@pytest.mark.shared
def test_every_row_is_the_sources_row() -> None:
    source = json.loads((shared_data.path("hazmat") / f"hmt_{table.date()}.json").read_text(encoding="utf-8"))
    assert len(source) == len(table.rows())
    for theirs, ours in zip(source, table.rows(), strict=True):
        packaging, amounts, vessel = theirs["packaging"], theirs["quantityLimitations"], theirs["vesselStowage"]
        assert (ours.id or None, ours.name, ours.hazard_class, ours.packing_group or None) == (
            theirs.get("idNumber"),
            theirs["properShippingName"],
            theirs["hazardClass"],
            theirs.get("packingGroup"),
        )
        lists = (ours.symbols, ours.subsidiary, ours.labels, ours.special_provisions)
        assert [one.split() for one in lists] == [
            theirs[key] for key in ("symbols", "subsidiaryRisks", "labels", "specialProvisions")
        ]
        assert ours.forbidden == theirs["forbidden"]
        shown = (ours.exceptions, ours.non_bulk, ours.bulk, ours.passenger, ours.cargo)
        assert shown == (
            *(packaging.get(key, "") for key in ("exceptions", "nonBulk", "bulk")),
            *(amounts.get(key, "") for key in ("passengerAircraftRail", "cargoAircraftOnly")),
        )
        assert (ours.stowage, ours.stowage_other) == (vessel.get("location", ""), vessel.get("other", ""))


@pytest.mark.shared
def test_the_shipped_table_is_what_the_script_makes_of_the_source(tmp_path: Path) -> None:
    origin, target = head(), tmp_path / "table.json"
    told = ["--date", origin["date"], "--from-commit", origin["commit"], "--to", str(target)]
    subprocess.run([sys.executable, str(REBUILD), str(shared_data.path("hazmat")), *told], check=True)
    assert target.read_bytes() == TABLE.read_bytes()


def test_what_is_not_in_the_table_has_no_rows() -> None:
    assert [row.name for row in table.rows_of("UN3480")]
    for un in ("UN3551", "UN3552", "UN3556", "UN3557", "UN3558", "UN9999", ""):
        assert not table.rows_of(un)


@pytest.mark.parametrize(
    ("text", "un"),
    [
        ("UN3480", "UN3480"),
        (" un 3480 ", "UN3480"),
        ("un-3480", "UN3480"),
        ("3480", "UN3480"),
        ("NA1993", "NA1993"),
        ("id8000", "ID8000"),
        ("UN348", ""),
        ("UN34800", ""),
        ("", ""),
    ],
)
def test_an_id_is_read_however_it_is_written(text: str, un: str) -> None:
    assert table.canonical(text) == un


def test_every_amount_of_the_table_is_read_but_one() -> None:
    cells = {cell for row in table.rows() for cell in (row.passenger, row.cargo) if cell}
    unread = {c for c in cells if table.limit_of(c) == table.Limit(c)}
    assert unread == {"See A105"}


@pytest.mark.parametrize(
    ("cell", "ml", "g", "allowed"),
    [
        ("5 L", 5000, None, True),
        ("5 L", 5001, None, False),
        ("5 L", None, 1, False),  # mass where the law limits volume
        ("5 kg", None, 5000, True),
        ("5 kg", None, 5000.1, False),
        ("50 mL or 50 g", 50, None, True),
        ("50 mL or 50 g", None, 51, False),
        ("30 kg gross", None, 30_000, True),
        ("No limit", None, 10**9, True),
        ("No Limit", 10**9, None, True),
        ("No limit", None, None, False),  # an amount that nobody said
        ("Forbidden", None, 1, False),
        ("See A105", None, 1, False),
        ("", None, 1, False),
    ],
)
def test_a_limit_ends_at_its_boundary(cell: str, ml: float | None, g: float | None, allowed: bool) -> None:
    assert table.limit_of(cell).allows(ml=ml, g=g) is allowed


def test_the_table_is_read_in_well_under_a_tenth_of_a_second() -> None:
    spent = []
    for _ in range(3):
        table._table.cache_clear()
        began = time.thread_time()
        table.rows_of("UN1090")
        spent.append(time.thread_time() - began)
    assert min(spent) < 0.1
