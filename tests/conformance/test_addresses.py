"""Addresses against what their tables are made of: each published case of formatting, each area, nothing lost."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tests import shared_data

from parcelward.base.standards import postcodes
from parcelward.base.standards.addresses import tables
from parcelward.base.standards.addresses.address import Address
from parcelward.base.standards.addresses.checking import check
from parcelward.base.standards.addresses.formatting import format_lines

pytestmark = pytest.mark.shared

FORMS = "addresses/libaddressinput"
TEMPLATES = "addresses/opencage"
FOLDER = Path(tables.__file__).parent
REBUILD = Path(__file__).parents[2] / "scripts" / "rebuild_addresses.py"


def cases(folder: str) -> list[tuple[str, dict[str, str], str]]:
    """Return (name, components, what must come out) of a folder of cases."""
    found = []
    for path in sorted((shared_data.path(TEMPLATES) / "testcases" / folder).glob("*.yaml")):
        for case in yaml.load_all(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader):
            name = f"{path.stem}: {case.get('description', '')}" if case else ""
            found += [(name, case["components"], case["expected"])] if case else []
    return found


@pytest.mark.parametrize(
    ("folder", "count", "abbreviate"), [("countries", 462, False), ("other", 3, False), ("abbreviations", 4, True)]
)
def test_every_published_case_comes_out_byte_for_byte(folder: str, count: int, abbreviate: bool) -> None:
    found = cases(folder)
    assert len(found) == count
    wrong = {}
    for name, components, expected in found:
        text = "".join(f"{line}\n" for line in format_lines(components, abbreviate=abbreviate))
        if text != expected:
            wrong[name] = text
    assert wrong == {}


def rows() -> dict[str, dict[str, str]]:
    """Return country -> the source's row."""
    text = (shared_data.path(FORMS) / "testdata" / "countryinfo.txt").read_text(encoding="utf-8")
    found = re.findall(r"^data/([A-Z]{2})=(\{.*\})\s*$", text, re.MULTILINE)
    return {country: json.loads(row) for country, row in found if country != "ZZ"}


def test_every_country_key_has_a_form_and_a_rule_of_postcodes() -> None:
    found = rows()
    assert len(found) > 250
    assert tables.forms().keys() == found.keys() == tables.names().called.keys()
    for country in found:
        assert postcodes.form_of(country) is not None


NOT_IN_THEIR_AREA = {("AU", "NSW", "2999"), ("PH", "Bohol", "6347")}
"""The ends of ranges beyond what the source's own patterns have."""


def test_the_keys_of_further_languages_have_the_same_rules() -> None:
    text = (shared_data.path(FORMS) / "testdata" / "countryinfo.txt").read_text(encoding="utf-8")
    found = re.findall(r"^data/([A-Z]{2})--([a-z]+)=(\{.*\})\s*$", text, re.MULTILINE)
    assert {f"{country}--{language}" for country, language, _ in found} == {"CA--fr", "CH--fr", "CH--it", "HK--en"}
    first = rows()
    for country, _, source in found:
        row = json.loads(source)
        assert row.get("zip") == first[country].get("zip")
        keys, names = row["sub_keys"].split("~"), row.get("sub_names", row["sub_keys"]).split("~")
        for key, name, zips in zip(keys, names, row.get("sub_zips", "~" * len(keys)).split("~"), strict=False):
            area = tables.areas_by_name(country)[tables.folded(name)]
            assert tables.areas_by_name(country)[tables.folded(key)] == area
            assert area.postcode == zips


def examples_of_areas() -> list[tuple[str, str, str]]:
    """Return (country, area, postcode): the examples that the source gives for areas, where it gives some."""
    found = []
    for country, row in rows().items():
        keys = row.get("sub_keys", "").split("~")
        for key, text in zip(keys, row.get("sub_zipexs", "").split("~"), strict=False):
            found += [(country, key, one) for one in re.split("[,:]", text) if one]
    return found


def test_every_example_of_an_area_lies_in_it() -> None:
    wrong = set()
    for country, key, postcode in (found := examples_of_areas()):
        area = tables.areas_by_name(country)[tables.folded(key)]
        if not area.has(postcode):
            wrong.add((country, key, postcode))
    assert len(found) > 300
    assert wrong == NOT_IN_THEIR_AREA


def test_every_example_of_every_country_is_accepted() -> None:
    wrong = set()
    for country, row in rows().items():
        for one in filter(None, row.get("zipex", "").split(",")):
            codes = {finding.code for finding in check(Address(country=country, postcode=one)).findings}
            if codes & {"postcode_form", "postcode_form_like"}:
                wrong.add((country, one))
    assert wrong == {("BY", "20050"), ("EE", "1001"), ("GB", "RH6 OHP"), ("KR", "110-110"), ("KR", "699-800")}


@pytest.mark.parametrize(("table", "source"), [("forms", FORMS), ("templates", TEMPLATES), ("names", "")])
def test_the_shipped_tables_are_what_the_script_makes_of_the_sources(table: str, source: str, tmp_path: Path) -> None:
    shipped = (FOLDER / f"{table}.json").read_text(encoding="utf-8")
    origin, target = json.loads(shipped), tmp_path / "table.json"
    told = [str(shared_data.path(source)), "--commit", origin["commit"], "--date", origin["date"]] if source else []
    subprocess.run([sys.executable, str(REBUILD), table, *told, "--to", str(target)], check=True)
    assert target.read_text(encoding="utf-8") == shipped
