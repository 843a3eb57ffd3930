"""The page of what is taken says the numbers that the source has."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "inputs.md").read_text(encoding="utf-8")
ROW = re.compile(r"\| (\d+) \| `([\w/]+)\.py: (\w+)(?:\[(\w+)\])?` \|$", re.MULTILINE)


@pytest.mark.asvs("2.1.1", "2.1.3")
@pytest.mark.parametrize(("said", "file", "name", "key"), ROW.findall(PAGE))
def test_a_limit_is_what_the_page_says(said: str, file: str, name: str, key: str) -> None:
    found: Any = getattr(importlib.import_module("parcelward." + file.replace("/", ".")), name)
    assert (found[key] if key else found) == int(said)


def test_each_row_was_read() -> None:
    rows = [line for line in PAGE.splitlines() if re.search(r"\.py: \w+", line)]
    assert len(ROW.findall(PAGE)) == len(rows) > 25
