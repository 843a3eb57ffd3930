"""The table of postcodes against the source that it is made of: every example of every country, and no country lost."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests import shared_data

from parcelward.base.standards import postcodes

pytestmark = pytest.mark.shared

FOLDER = "addresses/libaddressinput"
TABLE = Path(postcodes.__file__).with_name("postcodes.json")
REBUILD = Path(__file__).parents[2] / "scripts" / "rebuild_postcodes.py"
NO_POSTCODES_OF_THEIRS = {("BY", "20050"), ("EE", "1001"), ("GB", "RH6 OHP")}
"""Examples that the source's own pattern refuses: five digits for six, four for five, a letter for a nought."""

FORM_UNKNOWN = {("UM", "96898")}  # an example without a pattern


def examples() -> list[tuple[str, str]]:
    """Return (country, postcode) for all examples of the source."""
    found = []
    for line in (shared_data.path(FOLDER) / "testdata" / "countryinfo.txt").read_text(encoding="utf-8").splitlines():
        country = re.fullmatch(r"data/([A-Z]{2})=(\{.*\})", line.strip())
        if country:
            text = json.loads(country[2]).get("zipex", "")
            found += [(country[1], one) for one in text.split(",") if one]
    return found


def fits(country: str, postcode: str) -> bool:
    form = postcodes.form_of(country)
    assert form is not None
    return form.fits(postcode)


def test_every_example_fits_its_country_however_it_is_written() -> None:
    found = examples()
    assert len(found) > 400
    wrong = {one for one in found if not fits(*one)}
    assert wrong == NO_POSTCODES_OF_THEIRS
    for country, postcode in set(found) - wrong:
        assert fits(country, postcode.lower())
        assert fits(country, re.sub(r"[ -]", "", postcode))
        assert fits(country, " ".join(postcode))


def test_what_is_longer_or_shorter_fits_nowhere() -> None:
    for country, postcode in set(examples()) - NO_POSTCODES_OF_THEIRS - FORM_UNKNOWN:
        assert not fits(country, f"{postcode}00000")
        assert not fits(country, postcode[:1])


def test_the_shipped_table_is_what_the_script_makes_of_the_source(tmp_path: Path) -> None:
    origin = json.loads(TABLE.read_text())
    target = tmp_path / "postcodes.json"
    told = ["--commit", origin["commit"], "--date", origin["date"], "--to", str(target)]
    subprocess.run([sys.executable, str(REBUILD), str(shared_data.path(FOLDER)), *told], check=True)
    assert target.read_text() == TABLE.read_text()


def test_the_shipped_orders_of_addresses_are_what_the_script_makes_of_the_source(tmp_path: Path) -> None:
    table = TABLE.with_name("addresses.json")
    origin = json.loads(table.read_text(encoding="utf-8"))
    target = tmp_path / "addresses.json"
    told = ["--commit", origin["commit"], "--date", origin["date"], "--to", str(target)]
    script = REBUILD.with_name("rebuild_addresses.py")
    subprocess.run([sys.executable, str(script), str(shared_data.path(FOLDER)), *told], check=True)
    assert target.read_text(encoding="utf-8") == table.read_text(encoding="utf-8")
