"""Every example number of jkeen/tracking_number_data (MIT), and every EPC URI of GS1's own EPCIS examples."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import shared_data

from parcelward.base.standards import carriers, gs1
from parcelward.base.standards.errors import BadGs1Key
from parcelward.base.standards.identify import canonical, identify

pytestmark = pytest.mark.shared

VALID = 192
INVALID = 88
TABLE = Path(carriers.__file__).with_name("carriers.json")
REBUILD = Path(__file__).parents[2] / "scripts" / "rebuild_carriers.py"


def examples(kind: str) -> Iterator[tuple[str, str, str]]:
    """Yield (courier, format's name, number)."""
    for path in sorted(shared_data.path("parcel_ids/tracking_number_data/couriers").glob("*.json")):
        courier = json.loads(path.read_text())
        for form in courier["tracking_numbers"]:
            for number in form["test_numbers"][kind]:
                yield courier["courier_code"], form["name"], number


def read_as(number: str) -> set[tuple[str, str]]:
    return {(reading.courier, reading.format_name) for reading in carriers.recognise(number)}


def test_every_valid_number_is_recognised_as_its_own_courier_and_format() -> None:
    found = list(examples("valid"))
    assert len(found) == VALID
    assert [wrong for wrong in found if wrong[:2] not in read_as(wrong[2])] == []


def test_every_invalid_number_is_refused_by_its_format() -> None:
    found = list(examples("invalid"))
    assert len(found) == INVALID
    assert [wrong for wrong in found if wrong[:2] in read_as(wrong[2])] == []


def test_the_door_lets_every_valid_number_in_and_keeps_its_name() -> None:
    for _, _, number in examples("valid"):
        found = identify(number)
        assert canonical(found.number) == found.number
        assert canonical(number.lower()) == found.number


def test_the_shipped_table_is_what_the_script_makes_of_the_source(tmp_path: Path) -> None:
    folder = shared_data.path("parcel_ids/tracking_number_data")
    shipped = json.loads(TABLE.read_text())
    made = tmp_path / "carriers.json"
    command = [sys.executable, str(REBUILD), str(folder), "--commit", shipped["commit"], "--date", shipped["date"]]
    subprocess.run([*command, "--to", str(made)], check=True)
    assert made.read_text() == TABLE.read_text()


def test_every_epc_uri_of_the_epcis_examples_survives_all_forms() -> None:
    uris: set[str] = set()
    for path in shared_data.path("epcis/gs1-EPCIS").rglob("*.json*"):
        uris |= set(re.findall(r"urn:epc:id:[a-z]+:[^\"<\s\\?]+", path.read_text(errors="replace")))
    assert len(uris) > 80
    for uri in sorted(uris):
        key = gs1.parse(uri)
        prefix = uri.split(":")[4].split(".")[0]
        assert key.to_epc_uri(company_prefix_length=len(prefix)) == uri
        assert gs1.parse(key.to_digital_link()) == gs1.parse(key.element_string) == key


def test_every_digital_link_of_the_epcis_examples_reads_or_says_its_check_digit_is_wrong() -> None:
    keys = "|".join(gs1.KINDS)
    links: set[str] = set()
    for path in shared_data.path("epcis/gs1-EPCIS").rglob("*.json*"):
        links |= set(re.findall(rf"https://[a-z.]+/(?:{keys})/[^\"<\s\\?]+", path.read_text(errors="replace")))
    assert links
    for link in sorted(links):
        try:
            key = gs1.parse(link)
        except BadGs1Key as wrong:
            assert wrong.code == "check_digit_wrong", (link, wrong)  # noqa: PT017 -- some examples carry a wrong one
        else:
            assert gs1.parse(key.to_digital_link()) == key
